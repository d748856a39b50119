/* SPDX-License-Identifier: Apache-2.0
 *
 * heads.c - heads through the C driver and the simulated shell
 *
 *     heads sim|dma|uio SOCKET STALLS [FOLDER]
 *
 * Standard input holds jobs: a line (head_line.h, and same_keys), then the int8 codes of Q, K
 * and V, unpadded. Standard output answers with a line of counters and the codes of the output.
 * All jobs are one run. sim: the port of the simulator; dma: the port of a board with AXI DMA
 * engines and a cache; uio: the same under Linux, its registers and memory in files of FOLDER.
 */
#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "engines.h"
#include "head_line.h"

#define JOBS 16
#define MEMORY ((size_t)4 << 20)
#define TIMEOUT 60000u
#define BUS_ADDRESS 0x3f000000u

static struct pasa_sim sim;
static struct pasa_dma dma;
static struct pasa_uio uio;
static struct pasa_job jobs[JOBS];

/* Memory as the processor sees it, and, with a cache between, as the engines do. */
static struct {
    uint8_t seen[MEMORY] __attribute__((aligned(64)));
    uint8_t real[MEMORY];
} store;
static uint8_t *memory = store.seen;
static size_t used;

static int check(enum pasa_error error, const char *what)
{
    if (error)
        fprintf(stderr, "%s: %s\n", what, pasa_error_text(error));
    return error != PASA_OK;
}

static uint32_t now(void *context)
{
    struct timespec time;
    (void)context;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint32_t)((uint64_t)time.tv_sec * 1000u + (uint64_t)time.tv_nsec / 1000000u);
}

/* The cache writes nothing back by itself, and never forgets. */
static void flush(void *context, const void *from, size_t bytes)
{
    (void)context;
    memcpy(store.real + ((const uint8_t *)from - store.seen), from, bytes);
}

static void invalidate(void *context, void *to, size_t bytes)
{
    (void)context;
    memcpy(to, store.real + ((uint8_t *)to - store.seen), bytes);
}

static struct pasa_port bare_metal(void)
{
    static const uintptr_t base[] = {0x43c00000, 0x40400000, 0x40410000, 0x40420000};
    struct engines engines = {&sim, base[0], {base[1], base[2], base[3]}, store.real, MEMORY,
                              (uintptr_t)store.real, true};
    engines_begin(&engines);
    dma.registers = base[0];
    memcpy(dma.engine, base + 1, sizeof dma.engine);
    dma.memory = (uintptr_t)store.seen;
    dma.memory_bytes = MEMORY;
    dma.bus_address = (uintptr_t)store.real;
    dma.wide = true;
    dma.clock = now;
    dma.flush = flush;
    dma.invalidate = invalidate;
    dma.peek = engines_peek;
    dma.poke = engines_poke;
    return pasa_dma_port(&dma);
}

static bool open_uio(const char *folder)
{
    static char path[PASA_STREAMS + 2][200];
    static const char *const names[] = {"pasa", "query", "key", "value", "memory"};
    const char *what = "";
    for (unsigned i = 0; i < PASA_STREAMS + 2; ++i)
        snprintf(path[i], sizeof path[i], "%s/%s", folder, names[i]);
    uio.registers.path = path[0];
    for (unsigned i = 0; i < PASA_STREAMS; ++i)
        uio.engine[i].path = path[1 + i];
    uio.memory.path = path[4];
    uio.memory_bytes = MEMORY;
    uio.bus_address = BUS_ADDRESS;
    return !check(pasa_uio_open(&uio, &what), what);
}

static struct pasa_port under_linux(void)
{
    struct engines engines = {&sim, uio.dma.registers,
                              {uio.dma.engine[0], uio.dma.engine[1], uio.dma.engine[2]},
                              (uint8_t *)uio.dma.memory, MEMORY, BUS_ADDRESS, false};
    engines_begin(&engines);
    memory = (uint8_t *)uio.dma.memory;
    uio.dma.peek = engines_peek;
    uio.dma.poke = engines_poke;
    return pasa_dma_port(&uio.dma);
}

static void *allocate(size_t bytes)
{
    void *here = memory + used;
    used += bytes;
    if (used > MEMORY) {
        fprintf(stderr, "the jobs take more than %zu bytes\n", MEMORY);
        exit(1);
    }
    return here;
}

static int8_t *read_matrix(uint32_t rows, uint32_t dims)
{
    int8_t *matrix = allocate(pasa_packet_bytes(rows, dims, 8));
    int8_t *codes = malloc((size_t)rows * dims);
    if (fread(codes, dims, rows, stdin) != rows)
        exit(1);
    pasa_pack(codes, rows, dims, matrix);
    free(codes);
    return matrix;
}

static size_t read_jobs(void)
{
    char line[1000];
    size_t count = 0;
    for (; count < JOBS && fgets(line, sizeof line, stdin); ++count) {
        struct pasa_job *job = &jobs[count];
        struct pasa_head *head = &job->head;
        *head = read_head(line);
        head->same_keys = strstr(line, "same_keys") != NULL;
        job->queries = read_matrix(head->query_count, head->dims);
        job->keys = read_matrix(head->key_count, head->dims);
        job->values = read_matrix(head->key_count, head->dims);
        job->output = allocate(pasa_packet_bytes(head->query_count, head->dims,
                                                 head->output_bits));
    }
    return count;
}

static void write_job(const struct pasa_job *job)
{
    const struct pasa_head *head = &job->head;
    const struct pasa_result *sum = &job->result;
    const uint64_t counters[] = {sum->commands,     sum->rows,      sum->empty_rows,
                                 sum->saturations,  sum->keys_visible, sum->keys_kept,
                                 sum->blocks_compensated, sum->dropped_mass, sum->cycles};
    size_t bytes = (size_t)head->query_count * head->dims * (head->output_bits / 8);
    void *codes = malloc(bytes);
    pasa_unpack(job->output, head->query_count, head->dims, head->output_bits, codes);
    for (size_t i = 0; i < sizeof counters / sizeof *counters; ++i)
        printf("%" PRIu64 " ", counters[i]);
    printf("\n");
    fwrite(codes, 1, bytes, stdout);
    free(codes);
}

/* The first job as one command. */
static enum pasa_error start(struct pasa_device *device, size_t shift, uint32_t more_keys)
{
    const struct pasa_job *job = &jobs[0];
    struct pasa_command command;
    enum pasa_error error =
        pasa_make_command(&job->head, &device->identity.build, &command, NULL);
    command.key_length += more_keys;
    return error ? error
                 : pasa_start(device, &command, job->queries + shift, job->keys, job->values,
                              job->output);
}

static enum pasa_error drop(void *context, enum pasa_stream stream, const void *packet,
                            size_t bytes)
{
    (void)context, (void)stream, (void)packet, (void)bytes;
    return PASA_OK;
}

/* Things that go wrong, each told on standard error; the device works after a reset. */
static int faults(struct pasa_device *device, bool board)
{
    struct pasa_port *port = &device->port, whole = *port;
    struct pasa_status status;
    char text[100];
    int bad = check(start(device, 0, 1), "start");
    fprintf(stderr, "more keys: %s", pasa_error_text(pasa_finish(device, &status)));
    fprintf(stderr, ": %s\n", pasa_causes_text(device->causes, text, sizeof text));
    bad |= check(pasa_reset(device), "reset");

    port->send = drop;
    device->timeout = 50;
    bad |= check(start(device, 0, 0), "start");
    fprintf(stderr, "no packets: %s\n", pasa_error_text(pasa_finish(device, &status)));
    *port = whole;
    device->timeout = TIMEOUT;
    bad |= check(pasa_reset(device), "reset");

    bad |= check(port->expect(port->context, jobs[0].output, 16), "expect");
    bad |= check(start(device, 0, 0), "start");
    fprintf(stderr, "small buffer: %s\n", pasa_error_text(pasa_finish(device, &status)));
    bad |= check(pasa_reset(device), "reset");
    if (!board)
        return bad;
    fprintf(stderr, "not aligned: %s\n", pasa_error_text(start(device, 8, 0)));
    bad |= check(pasa_reset(device), "reset");
    fprintf(stderr, "elsewhere: %s\n", pasa_error_text(start(device, MEMORY, 0)));
    return bad | check(pasa_reset(device), "reset");
}

int main(int argc, char **argv)
{
    struct pasa_device device;
    struct pasa_port port;
    struct pasa_sim_request stall = {PASA_SIM_STALL, 5, 0, 0, 0, 0, 0};
    struct pasa_sim_reply reply;
    size_t count;
    unsigned before;
    if (argc < 4 || check(pasa_sim_open(&sim, argv[2], 10000), argv[2]))
        return 1;
    stall.value = (uint32_t)atoi(argv[3]);
    if (check(pasa_sim_request(&sim, stall, NULL, &reply, NULL, 0), "stall"))
        return 1;
    if (!strcmp(argv[1], "uio") && !open_uio(argv[4]))
        return 1;
    port = !strcmp(argv[1], "sim")   ? pasa_sim_port(&sim)
           : !strcmp(argv[1], "dma") ? bare_metal()
                                     : under_linux();
    if (check(pasa_open(&device, &port, TIMEOUT), "open"))
        return 1;
    count = read_jobs();
    if (faults(&device, strcmp(argv[1], "sim") != 0))
        return 1;
    before = engines_transfers();
    if (check(pasa_run(&device, jobs, count), device.what))
        return 1;
    for (size_t i = 0; i < count; ++i)
        write_job(&jobs[i]);
    fprintf(stderr, "%u transfers\n", engines_transfers() - before);
    if (!strcmp(argv[1], "uio"))
        pasa_uio_close(&uio);
    pasa_sim_close(&sim);
    return 0;
}
