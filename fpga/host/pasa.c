/* SPDX-License-Identifier: Apache-2.0
 *
 * pasa.c - see pasa.h
 */
#ifdef __linux__
#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64
#endif

#include "pasa.h"

#include <math.h>
#include <string.h>

#ifdef __linux__
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#endif

#define GROUP_DIMS 16u       /* dimensions a row is padded to */
#define LOOK_AGAIN 50u       /* milliseconds without an interrupt until the state is read anyway */
#define RESET_READS 1000u    /* of CONTROL until a reset must be over */
#define RESET_TIME 100u      /* milliseconds a DMA engine may take to reset */
#define SAMPLED_QUERIES 16u  /* of a group, where visible keys are counted */
#define POSITION_MIN (-(1 << 19))
#define POSITION_MAX ((1 << 19) - 1)
#define COUNT_MAX 65535u     /* of the command's 16-bit fields */

/* Numbers of reference/pasa/formats.py. */
#define SCORE_FRACTION 16
#define SCORE_MULTIPLIER_BITS 17
#define SCORE_SHIFT_MAX 47
#define PREDICTED_FRACTION 4
#define PREDICTED_MULTIPLIER_BITS 12
#define PREDICTED_SHIFT_MAX 31
#define RECIPROCAL_FRACTION 17
#define OUTPUT_MULTIPLIER_BITS 16
#define OUTPUT_SHIFT_MAX 47
#define LOG_STEPS 256.0      /* of an octave of min_probability */
#define LOG2_E 1.4426950408889634
#define LEAST_PROBABILITY 4.656612873077393e-10 /* 2^-31 */

#define FIELD(word, field) (((word) & field##_MASK) >> field##_SHIFT)
#define INTERRUPTS (PASA_INTERRUPT_STATUS_STATUS_READY_MASK | PASA_INTERRUPT_STATUS_REFUSED_MASK)

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }
static int64_t lower(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t upper(int64_t a, int64_t b) { return a > b ? a : b; }

/* --- texts --------------------------------------------------------------------------------- */

const char *pasa_error_text(enum pasa_error error)
{
    static const char *const texts[PASA_ERRORS] = {
        "done",
        "an argument is outside its limit",
        "no PASA accelerator there",
        "the accelerator is of a version that this driver does not know",
        "the build parameters of the accelerator make no sense",
        "as many commands as fit are under way",
        "no command is under way",
        "no answer in time",
        "the accelerator refused the command",
        "the status is that of another command",
        "the output packet is shorter or longer than the command says",
        "a reset does not end",
        "a register access was refused or not answered",
        "a DMA engine stopped with an error",
        "a packet is not aligned to 16 bytes, or not in the memory of the DMA engines",
        "the operating system refused something",
    };
    return (unsigned)error < PASA_ERRORS ? texts[error] : "no such error";
}

char *pasa_causes_text(uint32_t causes, char *text, size_t size)
{
    static const char *const names[] = {"shape",        "mask",       "select",       "scale",
                                        "query_packet", "key_packet", "value_packet", "chain"};
    size_t at = 0;
    if (size == 0)
        return text;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
        const char *parts[2] = {at ? ", " : "", names[i]};
        if (!(causes >> i & 1u))
            continue;
        for (int part = 0; part < 2; ++part)
            for (const char *c = parts[part]; *c && at + 1 < size; ++c)
                text[at++] = *c;
        text[at] = '\0';
    }
    return text;
}

/* --- packets ------------------------------------------------------------------------------- */

static size_t row_codes(uint32_t dims)
{
    return ((size_t)dims + GROUP_DIMS - 1) / GROUP_DIMS * GROUP_DIMS;
}

size_t pasa_packet_bytes(uint32_t rows, uint32_t dims, unsigned bits)
{
    return rows * row_codes(dims) * (bits / 8);
}

void pasa_pack(const int8_t *codes, uint32_t rows, uint32_t dims, int8_t *matrix)
{
    size_t padded = row_codes(dims);
    for (uint32_t row = 0; row < rows; ++row) {
        memcpy(matrix + row * padded, codes + (size_t)row * dims, dims);
        memset(matrix + row * padded + dims, 0, padded - dims);
    }
}

void pasa_unpack(const void *matrix, uint32_t rows, uint32_t dims, unsigned bits, void *codes)
{
    const uint8_t *from = matrix;
    size_t padded = row_codes(dims);
    for (uint32_t row = 0; row < rows; ++row) {
        for (uint32_t i = 0; i < dims; ++i) {
            size_t at = row * padded + i, to = (size_t)row * dims + i;
            if (bits == 8)
                ((int8_t *)codes)[to] = (int8_t)from[at];
            else
                ((int16_t *)codes)[to] = (int16_t)(from[2 * at] | from[2 * at + 1] << 8);
        }
    }
}

/* --- from real numbers to the command ------------------------------------------------------ */

struct pasa_head pasa_new_head(uint32_t query_count, uint32_t key_count, uint32_t dims)
{
    struct pasa_head head;
    memset(&head, 0, sizeof head);
    head.query_count = query_count;
    head.key_count = head.key_length = key_count;
    head.dims = dims;
    head.scale_q = head.scale_k = head.scale_v = 1.0;
    head.output_bits = 8;
    head.tail = true;
    head.pred_dims = GROUP_DIMS;
    return head;
}

/* Note what is wrong. */
static enum pasa_error wrong(const char **what, const char *text)
{
    if (what)
        *what = text;
    return PASA_ERROR_ARGUMENT;
}

static bool positive(double value) { return isfinite(value) && value > 0; }

/* factor = multiplier * 2^-shift with a multiplier of full width; false when it is no positive
 * number or too large. Rounds half to even. */
static bool divide(double factor, int bits, int min_shift, int max_shift, uint32_t *multiplier,
                   uint32_t *shift)
{
    int exponent, right;
    double rounded;
    if (!positive(factor))
        return false;
    frexp(factor, &exponent); /* 2^(exponent-1) <= factor < 2^exponent */
    right = bits - exponent < max_shift ? bits - exponent : max_shift;
    rounded = nearbyint(ldexp(factor, right));
    if (rounded >= ldexp(1.0, bits))
        rounded = nearbyint(ldexp(factor, --right));
    if (right < min_shift)
        return false;
    *multiplier = rounded < 1 ? 1 : (uint32_t)rounded;
    *shift = (uint32_t)right;
    return true;
}

static enum pasa_error set_scales(const struct pasa_head *head, const struct pasa_build *build,
                                  struct pasa_command *command, const char **what)
{
    double softmax_scale =
        head->softmax_scale == 0 ? 1 / sqrt((double)head->dims) : head->softmax_scale;
    double output_scale = head->output_scale == 0
                              ? head->scale_v / (head->output_bits == 8 ? 1 : 256)
                              : head->output_scale;
    double octaves = head->scale_q * head->scale_k * softmax_scale * LOG2_E;
    double nibble = ldexp(1.0, 2 * (8 - (int)build->pred_bits)); /* scores in a predicted one */

    if (!positive(head->scale_q) || !positive(head->scale_k) || !positive(head->scale_v))
        return wrong(what, "scale_q, scale_k, scale_v: finite numbers above 0");
    if (!positive(softmax_scale) || !positive(output_scale))
        return wrong(what, "softmax_scale, output_scale: finite numbers above 0, or 0");
    if (!divide(ldexp(octaves, SCORE_FRACTION), SCORE_MULTIPLIER_BITS, 0, SCORE_SHIFT_MAX,
                &command->score_multiplier, &command->score_shift))
        return wrong(what, "scale_q scale_k softmax_scale: 2^16 log2(e) of it below 2^17");
    if (!divide(ldexp(octaves * nibble, PREDICTED_FRACTION), PREDICTED_MULTIPLIER_BITS, 0,
                PREDICTED_SHIFT_MAX, &command->predicted_multiplier, &command->predicted_shift))
        return wrong(what, "scale_q scale_k softmax_scale: a predicted score below 2^12");
    if (!divide(ldexp(head->scale_v / output_scale, -RECIPROCAL_FRACTION), OUTPUT_MULTIPLIER_BITS,
                1, OUTPUT_SHIFT_MAX, &command->output_multiplier, &command->output_shift))
        return wrong(what, "scale_v / output_scale: 2^-17 of it below 2^15");
    return PASA_OK;
}

/* What is wrong with a head, its scales apart; NULL when nothing is. */
static const char *fault(const struct pasa_head *head, const struct pasa_build *build)
{
    double least_kept = head->min_probability;
    if (head->query_count < 1 || head->query_count > PASA_LONGEST)
        return "query_count: 1 to 65536";
    if (head->key_count < 1 || head->key_count > PASA_LONGEST)
        return "key_count: 1 to 65536";
    if (head->dims < 1 || head->dims > build->head_dim)
        return "dims: 1 to head_dim of the build";
    if (head->output_bits != 8 && head->output_bits != 16)
        return "output_bits: 8 or 16";
    if (head->pred_dims < GROUP_DIMS || head->pred_dims > build->head_dim ||
        head->pred_dims % GROUP_DIMS)
        return "pred_dims: a multiple of 16 up to head_dim of the build";
    if (head->key_length > head->key_count)
        return "key_length: 0 to key_count";
    if (least_kept != 0 && !(least_kept >= LEAST_PROBABILITY && least_kept <= 1))
        return "min_probability: 2^-31 to 1, or 0";
    if (head->budget > COUNT_MAX)
        return "budget: 0 to 65535";
    if (head->window > COUNT_MAX)
        return "window: 0 to 65535";
    if (head->sinks > COUNT_MAX)
        return "sinks: 0 to 65535";
    if (head->query_offset < POSITION_MIN || head->query_offset > POSITION_MAX)
        return "query_offset: -524288 to 524287";
    return NULL;
}

enum pasa_error pasa_make_command(const struct pasa_head *head, const struct pasa_build *build,
                                  struct pasa_command *command, const char **what)
{
    const char *text = fault(head, build);
    if (text)
        return wrong(what, text);
    memset(command, 0, sizeof *command);
    command->query_count = head->query_count;
    command->key_count = head->key_count;
    command->key_length = head->key_length;
    command->dims = head->dims;
    command->budget = head->budget;
    command->use_budget = head->budget != 0;
    if (head->min_probability != 0) {
        command->use_threshold = 1;
        command->min_probability =
            (uint32_t)nearbyint(-log2(head->min_probability) * LOG_STEPS);
    }
    command->window = head->window;
    command->sinks = head->sinks;
    command->query_offset = head->query_offset;
    command->predicted_slices = head->pred_dims / GROUP_DIMS;
    command->use_tail = head->tail;
    command->causal = head->causal;
    command->output_int16 = head->output_bits == 16;
    return set_scales(head, build, command, what);
}

/* A value into a field of a record; false when it does not fit. */
static bool put(uint32_t *word, uint32_t value, uint32_t mask, unsigned shift)
{
    if (value > mask >> shift)
        return false;
    *word |= value << shift;
    return true;
}

enum pasa_error pasa_record(const struct pasa_command *command, uint32_t words[PASA_COMMAND_WORDS],
                            const char **what)
{
#define PUT(word, field, name)                                                                   \
    if (!put(&words[word], command->name, PASA_COMMAND_##word##_##field##_MASK,                  \
             PASA_COMMAND_##word##_##field##_SHIFT))                                             \
    return wrong(what, #name ": it does not fit the command record")

    if (command->query_offset < POSITION_MIN || command->query_offset > POSITION_MAX)
        return wrong(what, "query_offset: -524288 to 524287");
    memset(words, 0, PASA_COMMAND_WORDS * sizeof *words);
    words[4] = (uint32_t)command->query_offset << PASA_COMMAND_4_QUERY_OFFSET_SHIFT &
               PASA_COMMAND_4_QUERY_OFFSET_MASK;
    PUT(0, TAG, tag);
    PUT(0, QUERY_COUNT, query_count);
    PUT(1, KEY_COUNT, key_count);
    PUT(1, KEY_LENGTH, key_length);
    PUT(2, DIMS, dims);
    PUT(2, BUDGET, budget);
    PUT(3, WINDOW, window);
    PUT(3, SINKS, sinks);
    PUT(4, PREDICTED_SLICES, predicted_slices);
    PUT(4, USE_THRESHOLD, use_threshold);
    PUT(4, USE_BUDGET, use_budget);
    PUT(4, USE_TAIL, use_tail);
    PUT(4, CAUSAL, causal);
    PUT(4, OUTPUT_INT16, output_int16);
    PUT(4, REUSE_KEYS, reuse_keys);
    PUT(4, MERGE_PREVIOUS, merge_previous);
    PUT(5, SCORE_MULTIPLIER, score_multiplier);
    PUT(5, SCORE_SHIFT, score_shift);
    PUT(5, OUTPUT_SHIFT, output_shift);
    PUT(5, MERGE_NEXT, merge_next);
    PUT(6, PREDICTED_MULTIPLIER, predicted_multiplier);
    PUT(6, PREDICTED_SHIFT, predicted_shift);
    PUT(6, MIN_PROBABILITY, min_probability);
    PUT(7, OUTPUT_MULTIPLIER, output_multiplier);
#undef PUT
    return PASA_OK;
}

/* --- from a head to its commands ----------------------------------------------------------- */

/* Numbers that [a, b) and [c, d) share. */
static uint32_t shared(int64_t a, int64_t b, int64_t c, int64_t d)
{
    return (uint32_t)upper(lower(b, d) - upper(a, c), 0);
}

/* Keys in [first, end) that query number `query` of the head sees (reference/pasa/masks.py). */
static uint32_t visible(const struct pasa_command *head, uint32_t query, uint32_t first,
                        uint32_t end)
{
    int64_t position = (int64_t)head->query_offset + query;
    int64_t ahead = head->key_length, behind;
    if (head->causal)
        ahead = lower(ahead, position + 1);
    else if (head->window)
        ahead = lower(ahead, position + head->window);
    if (!head->window)
        return shared(0, ahead, first, end);
    behind = upper(position - head->window + 1, 0);
    return shared(behind, ahead, first, end) +
           shared(0, lower(lower(head->sinks, ahead), behind), first, end);
}

static uint32_t group_rows(const struct pasa_plan *plan)
{
    return least(plan->head.query_count - plan->query,
                 plan->chain ? plan->build.merge_rows : plan->build.tile_keys);
}

static uint32_t tile_end(const struct pasa_plan *plan, uint32_t first)
{
    return first + least(plan->head.key_count - first, plan->build.tile_keys);
}

/* Whether any query of the group may see any key of a tile (plan.py, _seen). */
static bool seen(const struct pasa_plan *plan, uint32_t tile)
{
    const struct pasa_command *head = &plan->head;
    int64_t first = (int64_t)head->query_offset + plan->query;
    int64_t last = first + group_rows(plan) - 1;
    if (tile >= head->key_length || (head->causal && tile > last))
        return false;
    if (!head->window)
        return true;
    if (!head->causal && tile >= last + head->window)
        return false;
    return (int64_t)tile_end(plan, tile) - 1 > first - head->window || tile < head->sinks;
}

/* Visible keys in a tile, summed over some queries of the group; at least 1. */
static uint64_t share(const struct pasa_plan *plan, uint32_t tile)
{
    uint32_t last = group_rows(plan) - 1, before = 0;
    double step = last / (double)(SAMPLED_QUERIES - 1);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < SAMPLED_QUERIES; ++i) {
        uint32_t query = i == SAMPLED_QUERIES - 1 ? last : (uint32_t)(i * step);
        if (i > 0 && query == before)
            continue;
        sum += visible(&plan->head, plan->query + query, tile, tile_end(plan, tile));
        before = query;
    }
    return sum ? sum : 1;
}

/* The next tile from `tile` on that the group may see; key_count: none. */
static uint32_t next_tile(const struct pasa_plan *plan, uint32_t tile)
{
    while (tile < plan->head.key_count && !seen(plan, tile))
        tile = tile_end(plan, tile);
    return tile;
}

/* Look at all tiles of a group. */
static void begin_group(struct pasa_plan *plan)
{
    uint32_t count = plan->head.key_count;
    plan->in_group = true;
    plan->total = plan->so_far = 0;
    plan->key = plan->last_tile = next_tile(plan, 0);
    for (uint32_t tile = plan->key; tile < count; tile = next_tile(plan, tile_end(plan, tile))) {
        plan->total += share(plan, tile);
        plan->last_tile = tile;
    }
    if (plan->key == count) { /* none is seen, and one remains */
        plan->key = plan->last_tile = 0;
        plan->total = share(plan, 0);
    }
}

/* The same queries on one tile: lengths and positions count from its first key. */
static void on_tile(const struct pasa_plan *plan, struct pasa_command *command, uint32_t tile)
{
    uint32_t count = tile_end(plan, tile) - tile;
    uint32_t length = command->key_length > tile ? command->key_length - tile : 0;
    command->key_count = count;
    command->key_length = least(length, count);
    command->sinks = command->sinks > tile ? command->sinks - tile : 0;
    command->query_offset =
        (int32_t)upper((int64_t)command->query_offset - tile, POSITION_MIN);
}

/* A step of a chain over tiles (plan.py, _chain and _threshold). */
static void chain_step(struct pasa_plan *plan, struct pasa_command *command)
{
    uint64_t part = share(plan, plan->key);
    uint64_t budget = (command->budget * part + plan->total - 1) / plan->total;
    uint32_t less;
    command->merge_previous = plan->so_far > 0;
    command->merge_next = plan->key != plan->last_tile;
    plan->so_far += part;
    less = (uint32_t)nearbyint(-log2((double)plan->so_far / (double)plan->total) / 2 * LOG_STEPS);
    command->budget = budget ? (uint32_t)budget : 1;
    command->min_probability -= least(less, command->min_probability);
    on_tile(plan, command, plan->key);
}

void pasa_plan_begin(struct pasa_plan *plan, const struct pasa_command *head,
                     const struct pasa_build *build)
{
    memset(plan, 0, sizeof *plan);
    plan->head = *head;
    plan->build = *build;
    plan->chain = head->key_count > build->tile_keys;
}

bool pasa_plan_next(struct pasa_plan *plan, struct pasa_step *step)
{
    uint32_t rows;
    bool group_ends = true;
    if (plan->query == plan->head.query_count)
        return false;
    rows = group_rows(plan);
    step->command = plan->head;
    step->command.query_count = rows;
    step->command.query_offset += (int32_t)plan->query;
    step->first_query = plan->query;
    step->first_key = 0;
    if (!plan->chain) {
        step->command.reuse_keys |= plan->query > 0;
    } else {
        if (!plan->in_group)
            begin_group(plan);
        step->first_key = plan->key;
        chain_step(plan, &step->command);
        group_ends = plan->key == plan->last_tile;
        if (!group_ends)
            plan->key = next_tile(plan, tile_end(plan, plan->key));
    }
    if (group_ends) {
        plan->query += rows;
        plan->in_group = false;
    }
    return true;
}

/* --- one command --------------------------------------------------------------------------- */

/* Leave the function with an error, if there is one. */
#define TRY(call)                                                                                \
    do {                                                                                         \
        enum pasa_error error_ = (call);                                                         \
        if (error_ != PASA_OK)                                                                   \
            return error_;                                                                       \
    } while (0)

static enum pasa_error get(struct pasa_device *device, uint32_t address, uint32_t *word)
{
    return device->port.read(device->port.context, address, word);
}

static enum pasa_error set(struct pasa_device *device, uint32_t address, uint32_t word)
{
    return device->port.write(device->port.context, address, word);
}

static bool power_of_two(uint32_t value) { return value && !(value & (value - 1)); }

/* Read what the accelerator is; refuse what this driver does not know. */
static enum pasa_error identify(struct pasa_device *device)
{
    struct pasa_identity *identity = &device->identity;
    struct pasa_build *build = &identity->build;
    uint32_t word;

    TRY(get(device, PASA_REG_IDENTITY, &word));
    if (word != PASA_IDENTITY_VALUE)
        return PASA_ERROR_IDENTITY;
    TRY(get(device, PASA_REG_VERSION, &word));
    identity->major = FIELD(word, PASA_VERSION_MAJOR);
    identity->minor = FIELD(word, PASA_VERSION_MINOR);
    identity->patch = FIELD(word, PASA_VERSION_PATCH);
    if (identity->major != FIELD(PASA_VERSION_KNOWN, PASA_VERSION_MAJOR) ||
        identity->minor < FIELD(PASA_VERSION_KNOWN, PASA_VERSION_MINOR))
        return PASA_ERROR_VERSION;
    TRY(get(device, PASA_REG_BUILD_0, &word));
    build->rows = FIELD(word, PASA_BUILD_0_ROWS);
    build->pred_keys = FIELD(word, PASA_BUILD_0_PRED_KEYS);
    build->block_keys = FIELD(word, PASA_BUILD_0_BLOCK_KEYS);
    identity->stream_bits = 8 * FIELD(word, PASA_BUILD_0_STREAM_BYTES);
    TRY(get(device, PASA_REG_BUILD_1, &word));
    build->head_dim = FIELD(word, PASA_BUILD_1_HEAD_DIM);
    build->pred_bits = FIELD(word, PASA_BUILD_1_PRED_BITS);
    build->tile_keys = FIELD(word, PASA_BUILD_1_TILE_KEYS);
    TRY(get(device, PASA_REG_BUILD_2, &word));
    build->merge_rows = FIELD(word, PASA_BUILD_2_MERGE_ROWS);
    identity->command_depth = FIELD(word, PASA_BUILD_2_COMMAND_DEPTH);
    identity->status_depth = FIELD(word, PASA_BUILD_2_STATUS_DEPTH);
    if (!power_of_two(build->tile_keys) || !power_of_two(build->merge_rows) ||
        !power_of_two(build->head_dim) || build->head_dim < GROUP_DIMS ||
        build->pred_bits < 2 || build->pred_bits > 8 || identity->command_depth < PASA_IN_FLIGHT)
        return PASA_ERROR_BUILD;
    return PASA_OK;
}

enum pasa_error pasa_open(struct pasa_device *device, const struct pasa_port *port,
                          uint32_t milliseconds)
{
    memset(device, 0, sizeof *device);
    device->port = *port;
    device->timeout = milliseconds;
    device->what = "";
    TRY(identify(device));
    return pasa_reset(device);
}

enum pasa_error pasa_reset(struct pasa_device *device)
{
    uint32_t word = PASA_CONTROL_SOFT_RESET_MASK;
    device->first = device->in_flight = 0;
    TRY(device->port.abort(device->port.context));
    TRY(set(device, PASA_REG_CONTROL, PASA_CONTROL_SOFT_RESET_MASK));
    for (unsigned i = 0; i < RESET_READS && word & PASA_CONTROL_SOFT_RESET_MASK; ++i)
        TRY(get(device, PASA_REG_CONTROL, &word));
    if (word & PASA_CONTROL_SOFT_RESET_MASK)
        return PASA_ERROR_RESET;
    return set(device, PASA_REG_INTERRUPT_ENABLE, INTERRUPTS);
}

/* Write the COMMAND registers that differ from what they hold. */
static enum pasa_error write_record(struct pasa_device *device, const uint32_t *words)
{
    bool known = device->words_known;
    device->words_known = false;
    for (uint32_t i = 0; i < PASA_COMMAND_WORDS; ++i) {
        if (!known || device->words[i] != words[i])
            TRY(set(device, PASA_REG_COMMAND_0 + 4 * i, words[i]));
        device->words[i] = words[i];
    }
    device->words_known = true;
    return PASA_OK;
}

static enum pasa_error send(struct pasa_device *device, enum pasa_stream stream,
                            const int8_t *packet, uint32_t rows, uint32_t dims)
{
    return device->port.send(device->port.context, stream, packet,
                             pasa_packet_bytes(rows, dims, 8));
}

enum pasa_error pasa_start(struct pasa_device *device, const struct pasa_command *command,
                           const int8_t *queries, const int8_t *keys, const int8_t *values,
                           void *output)
{
    struct pasa_command tagged = *command;
    unsigned place = (device->first + device->in_flight) % PASA_IN_FLIGHT;
    uint32_t words[PASA_COMMAND_WORDS];
    size_t bytes = pasa_packet_bytes(command->query_count, command->dims,
                                     command->output_int16 ? 16 : 8);

    if (device->in_flight == PASA_IN_FLIGHT)
        return PASA_ERROR_FULL;
    tagged.tag = device->count & 0xffff;
    TRY(pasa_record(&tagged, words, &device->what));
    if (!queries || (!command->reuse_keys && (!keys || !values)) ||
        (!command->merge_next && !output))
        return wrong(&device->what, "queries, keys, values, output: those the command has");
    TRY(write_record(device, words));
    if (!command->merge_next)
        TRY(device->port.expect(device->port.context, output, bytes));
    TRY(set(device, PASA_REG_SUBMIT, PASA_SUBMIT_SUBMIT_MASK));
    device->flying[place].tag = tagged.tag;
    device->flying[place].output_bytes = command->merge_next ? 0 : bytes;
    ++device->in_flight;
    ++device->count;
    TRY(send(device, PASA_STREAM_QUERY, queries, command->query_count, command->dims));
    if (command->reuse_keys)
        return PASA_OK;
    TRY(send(device, PASA_STREAM_KEY, keys, command->key_count, command->dims));
    return send(device, PASA_STREAM_VALUE, values, command->key_count, command->dims);
}

enum pasa_error pasa_ready(struct pasa_device *device, bool *ready)
{
    uint32_t word;
    TRY(get(device, PASA_REG_STATE, &word));
    *ready = FIELD(word, PASA_STATE_STATUS_WAITING) > 0;
    return PASA_OK;
}

/* Wait until a status waits. An interrupt that gets lost costs LOOK_AGAIN, no more. */
static enum pasa_error wait_status(struct pasa_device *device)
{
    const struct pasa_port *port = &device->port;
    uint32_t start = port->clock(port->context), passed;
    bool called = true, ready;
    for (;;) {
        /* before the look, not after */
        TRY(set(device, PASA_REG_INTERRUPT_STATUS, INTERRUPTS));
        passed = port->clock(port->context) - start;
        TRY(pasa_ready(device, &ready));
        if (ready) {
            device->lost_interrupts += !called;
            return PASA_OK;
        }
        if (passed >= device->timeout)
            return PASA_ERROR_TIMEOUT;
        TRY(port->wait(port->context, least(LOOK_AGAIN, device->timeout - passed), &called));
    }
}

/* Read the oldest status and remove it. */
static enum pasa_error take_status(struct pasa_device *device, struct pasa_status *status)
{
    uint32_t words[PASA_STATUS_WORDS];
    for (uint32_t i = 0; i < PASA_STATUS_WORDS; ++i)
        TRY(get(device, PASA_REG_STATUS_0 + 4 * i, &words[i]));
    status->tag = FIELD(words[0], PASA_STATUS_0_TAG);
    status->causes = FIELD(words[0], PASA_STATUS_0_CAUSES);
    status->rows = FIELD(words[1], PASA_STATUS_1_ROWS);
    status->empty_rows = FIELD(words[1], PASA_STATUS_1_EMPTY_ROWS);
    status->saturations = words[2];
    status->keys_visible = words[3];
    status->keys_kept = words[4];
    status->blocks_compensated = words[5];
    status->dropped_mass = words[6];
    status->cycles = words[7];
    status->stall_in = words[8];
    status->stall_out = words[9];
    return set(device, PASA_REG_STATUS_POP, PASA_STATUS_POP_POP_MASK);
}

enum pasa_error pasa_finish(struct pasa_device *device, struct pasa_status *status)
{
    size_t want = device->flying[device->first].output_bytes, bytes = 0;
    if (device->in_flight == 0)
        return PASA_ERROR_EMPTY;
    TRY(wait_status(device));
    TRY(take_status(device, status));
    if (status->tag != device->flying[device->first].tag)
        return PASA_ERROR_ORDER;
    if (status->causes) {
        device->causes = status->causes;
        return PASA_ERROR_REFUSED;
    }
    if (want)
        TRY(device->port.receive(device->port.context, device->timeout, &bytes));
    if (bytes != want)
        return PASA_ERROR_PACKET;
    device->first = (device->first + 1) % PASA_IN_FLIGHT;
    --device->in_flight;
    return PASA_OK;
}

/* --- whole heads --------------------------------------------------------------------------- */

/* A run: jobs whose commands are handed over, and commands under way. */
struct run {
    struct pasa_device *device;
    struct pasa_job *jobs;
    size_t count, next;    /* jobs; the one whose commands are handed over */
    struct pasa_plan plan; /* of that one, if `planned` */
    bool planned;
    uint32_t chain_empty; /* rows that no tile so far showed a key */
    struct {
        struct pasa_job *job;
        struct pasa_step step;
    } flying[PASA_IN_FLIGHT];
    unsigned first, in_flight;
};

/* The command of a job's head. */
static enum pasa_error head_command(struct pasa_device *device, const struct pasa_job *job,
                                    struct pasa_command *command)
{
    const struct pasa_build *build = &device->identity.build;
    TRY(pasa_make_command(&job->head, build, command, &device->what));
    if (!job->queries || !job->keys || !job->values || !job->output)
        return wrong(&device->what, "queries, keys, values, output: NULL");
    if ((int64_t)command->query_offset + command->query_count - 1 > POSITION_MAX)
        return wrong(&device->what, "query_offset: with query_count at most 524288");
    command->reuse_keys = job->head.same_keys && command->key_count <= build->tile_keys;
    return PASA_OK;
}

/* The next command of all jobs and its job; NULL when there is none. */
static struct pasa_job *next_step(struct run *run, struct pasa_step *step)
{
    for (; run->next < run->count; ++run->next, run->planned = false) {
        struct pasa_job *job = &run->jobs[run->next];
        struct pasa_command command;
        if (!run->planned) {
            (void)head_command(run->device, job, &command); /* was legal before */
            pasa_plan_begin(&run->plan, &command, &run->device->identity.build);
            run->planned = true;
        }
        if (pasa_plan_next(&run->plan, step))
            return job;
    }
    return NULL;
}

/* Hand over commands while there is room. */
static enum pasa_error fill(struct run *run)
{
    while (run->in_flight < PASA_IN_FLIGHT) {
        unsigned place = (run->first + run->in_flight) % PASA_IN_FLIGHT;
        struct pasa_step *step = &run->flying[place].step;
        struct pasa_job *job = run->flying[place].job = next_step(run, step);
        size_t row, query, key;
        if (!job)
            return PASA_OK;
        row = pasa_packet_bytes(1, step->command.dims, 8);
        query = step->first_query * row;
        key = step->first_key * row;
        TRY(pasa_start(run->device, &step->command, job->queries + query, job->keys + key,
                       job->values + key,
                       (uint8_t *)job->output + query * (job->head.output_bits / 8)));
        ++run->in_flight;
    }
    return PASA_OK;
}

/* Rows among some of a head that see no key. */
static uint32_t count_empty(const struct pasa_job *job, uint32_t first, uint32_t count)
{
    struct pasa_command masks;
    uint32_t empty = 0;
    memset(&masks, 0, sizeof masks);
    masks.key_length = job->head.key_length;
    masks.causal = job->head.causal;
    masks.query_offset = job->head.query_offset;
    masks.window = job->head.window;
    masks.sinks = job->head.sinks;
    for (uint32_t query = first; query < first + count; ++query)
        empty += visible(&masks, query, 0, job->head.key_count) == 0;
    return empty;
}

/* Rows that saw no key in any tile, once the last one is done; 0 before. */
static uint32_t empty_rows(struct run *run, const struct pasa_job *job,
                           const struct pasa_step *step, uint32_t counted)
{
    const struct pasa_command *command = &step->command;
    run->chain_empty = command->merge_previous ? least(run->chain_empty, counted) : counted;
    if (command->merge_next)
        return 0;
    if (command->merge_previous && run->chain_empty)
        return count_empty(job, step->first_query, command->query_count);
    return run->chain_empty;
}

/* Collect the oldest command. */
static enum pasa_error collect(struct run *run)
{
    struct pasa_job *job = run->flying[run->first].job;
    const struct pasa_step *step = &run->flying[run->first].step;
    struct pasa_result *sum = &job->result;
    struct pasa_status status;
    TRY(pasa_finish(run->device, &status));
    ++sum->commands;
    sum->rows += step->command.merge_next ? 0 : status.rows;
    sum->empty_rows += empty_rows(run, job, step, status.empty_rows);
    sum->saturations += status.saturations;
    sum->keys_visible += status.keys_visible;
    sum->keys_kept += status.keys_kept;
    sum->blocks_compensated += status.blocks_compensated;
    sum->dropped_mass += status.dropped_mass;
    sum->cycles += status.cycles;
    sum->stall_in += status.stall_in;
    sum->stall_out += status.stall_out;
    run->first = (run->first + 1) % PASA_IN_FLIGHT;
    --run->in_flight;
    return PASA_OK;
}

static enum pasa_error run_all(struct run *run)
{
    do {
        TRY(fill(run));
        if (run->in_flight)
            TRY(collect(run));
    } while (run->in_flight || run->next < run->count);
    return PASA_OK;
}

enum pasa_error pasa_run(struct pasa_device *device, struct pasa_job *jobs, size_t count)
{
    struct run run;
    enum pasa_error error;
    struct pasa_command command;
    if (device->in_flight)
        return PASA_ERROR_FULL;
    for (size_t i = 0; i < count; ++i) {
        TRY(head_command(device, &jobs[i], &command));
        memset(&jobs[i].result, 0, sizeof jobs[i].result);
    }
    memset(&run, 0, sizeof run);
    run.device = device;
    run.jobs = jobs;
    run.count = count;
    error = run_all(&run);
    if (error != PASA_OK && pasa_reset(device) != PASA_OK)
        return PASA_ERROR_RESET;
    return error;
}

/* --- a board: AXI DMA in direct register mode ---------------------------------------------- */

/* Registers of one direction, from its first one (PG021). */
#define MM2S 0x00u
#define S2MM 0x30u
#define DMACR 0x00u
#define DMACR_RUN 0x1u
#define DMACR_RESET 0x4u /* of the whole engine */
#define DMASR 0x04u
#define DMASR_HALTED 0x1u
#define DMASR_IDLE 0x2u
#define DMASR_ERRORS 0x70u
#define ADDRESS 0x18u
#define ADDRESS_HIGH 0x1cu
#define LENGTH 0x28u

#define RECEIVER PASA_STREAMS /* channels: the streams, and the output */
#define ALIGNMENT 16u

typedef volatile uint32_t device_word;

static uint32_t peek(const struct pasa_dma *dma, uintptr_t address)
{
    return dma->peek ? dma->peek(dma->context, address) : *(device_word *)address;
}

static void poke(const struct pasa_dma *dma, uintptr_t address, uint32_t word)
{
    if (dma->poke)
        dma->poke(dma->context, address, word);
    else
        *(device_word *)address = word;
}

/* What was written to memory is there before a device is told, and what it wrote is read after. */
static void barrier(void)
{
#if defined(__arm__) || defined(__aarch64__)
    __asm__ volatile("dsb sy" ::: "memory");
#else
    __sync_synchronize();
#endif
}

/* First register of a channel. */
static uintptr_t channel_registers(const struct pasa_dma *dma, unsigned channel)
{
    return channel == RECEIVER ? dma->engine[PASA_STREAM_QUERY] + S2MM : dma->engine[channel] + MM2S;
}

/* Begin a channel's next transfer. */
static void transfer(struct pasa_dma *dma, unsigned number)
{
    struct pasa_dma_channel *channel = &dma->channel[number];
    unsigned place = (channel->first + channel->done) % PASA_DMA_QUEUE;
    void *memory = channel->queue[place].memory;
    size_t bytes = channel->queue[place].bytes;
    uintptr_t registers = channel_registers(dma, number);
    uint64_t address = (uintptr_t)memory;

    if (dma->memory_bytes)
        address = dma->bus_address + ((uintptr_t)memory - dma->memory);
    if (dma->flush)
        dma->flush(dma->context, memory, bytes);
    barrier();
    poke(dma, registers + ADDRESS, (uint32_t)address);
    if (dma->wide)
        poke(dma, registers + ADDRESS_HIGH, (uint32_t)(address >> 32));
    poke(dma, registers + LENGTH, (uint32_t)bytes); /* it starts */
    channel->running = true;
}

/* See to a channel: its transfer may be over, and another one may begin. */
static enum pasa_error pump(struct pasa_dma *dma, unsigned number)
{
    struct pasa_dma_channel *channel = &dma->channel[number];
    uintptr_t registers = channel_registers(dma, number);
    if (channel->running) {
        unsigned place = (channel->first + channel->done) % PASA_DMA_QUEUE;
        uint32_t status = peek(dma, registers + DMASR);
        if (status & (DMASR_ERRORS | DMASR_HALTED))
            return PASA_ERROR_DMA;
        if (!(status & DMASR_IDLE))
            return PASA_OK;
        channel->running = false;
        if (number == RECEIVER) {
            channel->queue[place].bytes = peek(dma, registers + LENGTH); /* those that came */
            ++channel->done;
        } else {
            channel->first = (channel->first + 1) % PASA_DMA_QUEUE;
            --channel->count;
        }
    }
    if (channel->done < channel->count)
        transfer(dma, number);
    return PASA_OK;
}

static enum pasa_error pump_all(struct pasa_dma *dma)
{
    for (unsigned i = 0; i <= RECEIVER; ++i)
        TRY(pump(dma, i));
    return PASA_OK;
}

/* Whether the engines can reach a packet. */
static bool reachable(const struct pasa_dma *dma, const void *packet, size_t bytes)
{
    uintptr_t at = (uintptr_t)packet, into = at - dma->memory;
    if (at % ALIGNMENT)
        return false;
    if (!dma->memory_bytes)
        return true;
    return at >= dma->memory && into <= dma->memory_bytes && bytes <= dma->memory_bytes - into;
}

static enum pasa_error queue(struct pasa_dma *dma, unsigned number, void *packet, size_t bytes)
{
    struct pasa_dma_channel *channel = &dma->channel[number];
    unsigned place;
    if (!reachable(dma, packet, bytes))
        return PASA_ERROR_MEMORY;
    TRY(pump(dma, number));
    if (channel->count == PASA_DMA_QUEUE)
        return PASA_ERROR_FULL;
    place = (channel->first + channel->count) % PASA_DMA_QUEUE;
    channel->queue[place].memory = packet;
    channel->queue[place].bytes = bytes;
    ++channel->count;
    return channel->running ? PASA_OK : pump(dma, number);
}

static enum pasa_error dma_read(void *context, uint32_t address, uint32_t *word)
{
    struct pasa_dma *dma = context;
    *word = peek(dma, dma->registers + address);
    return PASA_OK;
}

static enum pasa_error dma_write(void *context, uint32_t address, uint32_t word)
{
    struct pasa_dma *dma = context;
    poke(dma, dma->registers + address, word);
    return PASA_OK;
}

static enum pasa_error dma_send(void *context, enum pasa_stream stream, const void *packet,
                                size_t bytes)
{
    return queue(context, stream, (void *)(uintptr_t)packet, bytes); /* it is only read */
}

static enum pasa_error dma_expect(void *context, void *packet, size_t bytes)
{
    return queue(context, RECEIVER, packet, bytes);
}

static uint32_t dma_clock(void *context)
{
    const struct pasa_dma *dma = context;
    return dma->clock(dma->context);
}

static void rest(const struct pasa_dma *dma)
{
    if (dma->pause)
        dma->pause(dma->context);
}

static enum pasa_error dma_receive(void *context, uint32_t milliseconds, size_t *bytes)
{
    struct pasa_dma *dma = context;
    struct pasa_dma_channel *channel = &dma->channel[RECEIVER];
    uint32_t start = dma_clock(dma);
    void *memory = channel->queue[channel->first].memory;
    if (channel->count == 0)
        return PASA_ERROR_EMPTY;
    for (;;) {
        bool late = dma_clock(dma) - start >= milliseconds;
        TRY(pump_all(dma));
        if (channel->done)
            break;
        if (late)
            return PASA_ERROR_TIMEOUT;
        rest(dma);
    }
    *bytes = channel->queue[channel->first].bytes;
    channel->first = (channel->first + 1) % PASA_DMA_QUEUE;
    --channel->count;
    --channel->done;
    barrier();
    if (dma->invalidate)
        dma->invalidate(dma->context, memory, *bytes);
    return PASA_OK;
}

/* Whether a packet waits for another to go out: then somebody must see to it. (Outputs follow each
 * other no faster than statuses, which interrupt.) */
static bool packets_wait(const struct pasa_dma *dma)
{
    for (unsigned i = 0; i < PASA_STREAMS; ++i)
        if (dma->channel[i].count > 1)
            return true;
    return false;
}

static enum pasa_error dma_wait(void *context, uint32_t milliseconds, bool *called)
{
    struct pasa_dma *dma = context;
    uint32_t start = dma_clock(dma);
    for (;;) {
        uint32_t passed = dma_clock(dma) - start;
        TRY(pump_all(dma));
        *called = (peek(dma, dma->registers + PASA_REG_INTERRUPT_STATUS) & INTERRUPTS) != 0;
        if (*called || passed >= milliseconds)
            return PASA_OK;
        if (dma->wait && !packets_wait(dma))
            return dma->wait(dma->context, milliseconds - passed, called);
        rest(dma);
    }
}

static enum pasa_error dma_abort(void *context)
{
    struct pasa_dma *dma = context;
    for (unsigned i = 0; i < PASA_STREAMS; ++i) {
        uint32_t start = dma_clock(dma);
        poke(dma, dma->engine[i] + DMACR, DMACR_RESET);
        while (peek(dma, dma->engine[i] + DMACR) & DMACR_RESET) {
            if (dma_clock(dma) - start > RESET_TIME)
                return PASA_ERROR_RESET;
            rest(dma);
        }
    }
    for (unsigned i = 0; i <= RECEIVER; ++i)
        poke(dma, channel_registers(dma, i) + DMACR, DMACR_RUN);
    memset(dma->channel, 0, sizeof dma->channel);
    return PASA_OK;
}

struct pasa_port pasa_dma_port(struct pasa_dma *dma)
{
    struct pasa_port port = {dma,         dma_read, dma_write, dma_send, dma_expect,
                             dma_receive, dma_wait, dma_abort, dma_clock};
    return port;
}

/* --- Linux --------------------------------------------------------------------------------- */
#ifdef __linux__

#define REGISTER_PAGE 4096u /* holds all registers of pasa, and those of an engine */
#define PAUSE_NANOSECONDS 50000

static uint32_t uio_clock(void *context)
{
    struct timespec now;
    (void)context;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u);
}

static void uio_pause(void *context)
{
    const struct timespec time = {0, PAUSE_NANOSECONDS};
    (void)context;
    nanosleep(&time, NULL);
}

/* The kernel masks the interrupt when it comes; a write lets it through again. */
static enum pasa_error uio_wait(void *context, uint32_t milliseconds, bool *called)
{
    const struct pasa_uio *uio = context;
    struct pollfd heard = {uio->interrupt, POLLIN, 0};
    uint32_t word = 1;
    int count;
    *called = false;
    if (write(uio->interrupt, &word, sizeof word) != (ssize_t)sizeof word)
        return PASA_ERROR_SYSTEM;
    count = poll(&heard, 1, (int)milliseconds);
    if (count < 0 && errno != EINTR) /* a signal is no interrupt; the driver looks and comes again */
        return PASA_ERROR_SYSTEM;
    *called = count > 0;
    if (*called && read(uio->interrupt, &word, sizeof word) != (ssize_t)sizeof word)
        return PASA_ERROR_SYSTEM;
    return PASA_OK;
}

/* Map a part of a file; 0 when that fails. Uncached, where the file has a choice. */
static uintptr_t map(const struct pasa_uio_block *block, size_t bytes, int *keep)
{
    void *memory;
    int file = open(block->path, O_RDWR | O_SYNC);
    if (file < 0)
        return 0;
    memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, (off_t)block->offset);
    if (memory != MAP_FAILED && keep)
        *keep = file;
    else
        close(file);
    return memory == MAP_FAILED ? 0 : (uintptr_t)memory;
}

static enum pasa_error map_all(struct pasa_uio *uio, const char **path)
{
    struct pasa_dma *dma = &uio->dma;
    *path = uio->registers.path;
    if (!(dma->registers = map(&uio->registers, REGISTER_PAGE, &uio->interrupt)))
        return PASA_ERROR_SYSTEM;
    for (unsigned i = 0; i < PASA_STREAMS; ++i) {
        *path = uio->engine[i].path;
        if (!(dma->engine[i] = map(&uio->engine[i], REGISTER_PAGE, NULL)))
            return PASA_ERROR_SYSTEM;
    }
    *path = uio->memory.path;
    if (!(dma->memory = map(&uio->memory, uio->memory_bytes, NULL)))
        return PASA_ERROR_SYSTEM;
    return PASA_OK;
}

/* Give everything back that is mapped. */
static void unmap_all(struct pasa_uio *uio)
{
    struct pasa_dma *dma = &uio->dma;
    if (dma->registers)
        munmap((void *)dma->registers, REGISTER_PAGE);
    for (unsigned i = 0; i < PASA_STREAMS; ++i)
        if (dma->engine[i])
            munmap((void *)dma->engine[i], REGISTER_PAGE);
    if (dma->memory)
        munmap((void *)dma->memory, uio->memory_bytes);
    if (uio->interrupt >= 0)
        close(uio->interrupt);
    memset(dma, 0, sizeof *dma);
    uio->interrupt = -1;
}

enum pasa_error pasa_uio_open(struct pasa_uio *uio, const char **what)
{
    const char *path;
    enum pasa_error error;
    memset(&uio->dma, 0, sizeof uio->dma);
    uio->interrupt = -1;
    error = map_all(uio, &path);
    if (error != PASA_OK) {
        int reason = errno;
        unmap_all(uio);
        errno = reason;
        if (what)
            *what = path;
        return error;
    }
    uio->dma.memory_bytes = uio->memory_bytes;
    uio->dma.bus_address = uio->bus_address;
    uio->dma.context = uio;
    uio->dma.clock = uio_clock;
    uio->dma.pause = uio_pause;
    uio->dma.wait = uio->no_interrupt ? NULL : uio_wait;
    return PASA_OK;
}

void pasa_uio_close(struct pasa_uio *uio)
{
    if (uio->dma.registers)
        (void)dma_abort(&uio->dma);
    unmap_all(uio);
}

#endif /* __linux__ */
