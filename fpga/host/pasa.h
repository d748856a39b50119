/* SPDX-License-Identifier: Apache-2.0
 *
 * pasa.h - C driver of the PASA accelerator
 *
 * Why      Software without Python: bare metal and Linux. It writes the registers and packets that
 *          reference/pasa/driver.py writes, bit for bit.
 * Contract * C99, one source (pasa.c), the C library's mathematics (-lm); no allocation, no globals
 *          * everything but `pasa_run` returns at once or after the timeout of `pasa_open`;
 *            `pasa_run` takes at most that for each command
 *          * of a device one thread may use one function at a time
 *          * after an error of a device `pasa_reset` it; `pasa_run` has done so already
 * Layers   pasa_run             whole heads of any length, commands overlapping
 *          pasa_start, _finish  one command
 *          struct pasa_port     registers, packets, interrupt: the only thing that differs
 *          struct pasa_dma      the port of a board: AXI DMA engines in direct register mode
 *          struct pasa_uio      its registers, interrupt and memory under Linux
 * Checked  tests/driver
 *
 * README.md tells how to use it.
 */
#ifndef PASA_H
#define PASA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pasa_registers.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PASA_VERSION_KNOWN 0x00010000u /* as the VERSION register; later minors are fine too */
#define PASA_IN_FLIGHT 4 /* commands under way at most; the accelerator holds as many */
#define PASA_LONGEST 65536u /* queries or keys of a head at most */

enum pasa_error {
    PASA_OK = 0,
    PASA_ERROR_ARGUMENT,  /* `what` names the argument and its limit */
    PASA_ERROR_IDENTITY,  /* no PASA accelerator there */
    PASA_ERROR_VERSION,   /* of a version that this driver does not know */
    PASA_ERROR_BUILD,     /* the build parameters it tells make no sense */
    PASA_ERROR_FULL,      /* PASA_IN_FLIGHT commands are under way */
    PASA_ERROR_EMPTY,     /* no command is under way */
    PASA_ERROR_TIMEOUT,   /* no status, or no output, in time */
    PASA_ERROR_REFUSED,   /* the accelerator refused a command: `causes` of the device */
    PASA_ERROR_ORDER,     /* a status of another command */
    PASA_ERROR_PACKET,    /* the output packet is shorter or longer than the command says */
    PASA_ERROR_RESET,     /* a reset does not end */
    PASA_ERROR_BUS,       /* a register access was refused, or not answered */
    PASA_ERROR_DMA,       /* a DMA engine stopped with an error */
    PASA_ERROR_MEMORY,    /* a packet is not aligned to 16 bytes, or not in the DMA's memory */
    PASA_ERROR_SYSTEM,    /* the operating system refused something: errno */
    PASA_ERRORS           /* how many there are */
};

/* A sentence; never NULL. */
const char *pasa_error_text(enum pasa_error error);

/* Names of the causes set in `causes`, such as "shape, chain", cut to `size` bytes. Returns text. */
char *pasa_causes_text(uint32_t causes, char *text, size_t size);

/* --- packets ------------------------------------------------------------------------------- *
 * Q, K, V and the output are matrices of rows that are padded to 16 dimensions, row after row:
 * int8 codes, and int8 or int16 (little-endian) codes of the output. Such a matrix is what the
 * streams carry, so nothing is copied; with dims a multiple of 16 it is a plain C array. */

/* Bytes of a matrix with `bits` (8 or 16) a code. */
size_t pasa_packet_bytes(uint32_t rows, uint32_t dims, unsigned bits);

/* From a plain array [rows][dims] of int8 codes to the padded matrix. */
void pasa_pack(const int8_t *codes, uint32_t rows, uint32_t dims, int8_t *matrix);

/* From the padded matrix to a plain array [rows][dims] of int8_t or int16_t. */
void pasa_unpack(const void *matrix, uint32_t rows, uint32_t dims, unsigned bits, void *codes);

/* --- heads and commands -------------------------------------------------------------------- */

/* Parameters of the hardware, as it tells them (reference/pasa/formats.py, Build). */
struct pasa_build {
    uint32_t rows, pred_keys, head_dim, tile_keys, pred_bits, block_keys, merge_rows;
};

/* A head in real numbers; start from `pasa_new_head`. value = code * scale. */
struct pasa_head {
    uint32_t query_count, key_count; /* 1 to PASA_LONGEST */
    uint32_t dims;
    double scale_q, scale_k, scale_v;
    double output_scale;    /* 0: that of V for int8, 1/256 of it for int16 */
    double softmax_scale;   /* factor of the scores before softmax; 0: 1/sqrt(dims) */
    unsigned output_bits;   /* 8 or 16; 8 */
    double min_probability; /* keep keys of at least this predicted probability; 0: any */
    uint32_t budget;        /* keep at most this many keys a row; 0: any. Both 0: dense */
    bool tail;              /* dropped keys count as one virtual key a block; true */
    uint32_t pred_dims;     /* dimensions the predictor reads, a multiple of 16; 16 */
    uint32_t key_length;    /* keys from here on are padding; key_count */
    bool causal;            /* query i, at query_offset + i, sees keys up to its position */
    int32_t query_offset;
    uint32_t window; /* keys nearer than this are visible; 0: all */
    uint32_t sinks;  /* the first keys, visible however far behind the window */
    bool same_keys;  /* keys and values are those of the head before (grouped queries) */
};

/* The fields of a command record (reference/pasa/command.py, Command). */
struct pasa_command {
    uint32_t tag, query_count, key_count, key_length, dims, budget, window, sinks;
    int32_t query_offset;
    uint32_t predicted_slices, use_threshold, use_budget, use_tail, causal, output_int16;
    uint32_t reuse_keys, merge_previous, merge_next;
    uint32_t score_multiplier, score_shift, predicted_multiplier, predicted_shift;
    uint32_t min_probability, output_multiplier, output_shift;
};

/* The status of a command. Counters count it alone; dropped_mass is in steps of 2^-14. */
struct pasa_status {
    uint32_t tag, causes, rows, empty_rows, saturations, keys_visible, keys_kept;
    uint32_t blocks_compensated, dropped_mass, cycles, stall_in, stall_out;
};

/* A head of a shape, scales 1, everything else as the comments above end. */
struct pasa_head pasa_new_head(uint32_t query_count, uint32_t key_count, uint32_t dims);

/* Real scales and options into the integer command of the whole head. PASA_ERROR_ARGUMENT: *what
 * names the argument and its limit (what may be NULL). */
enum pasa_error pasa_make_command(const struct pasa_head *head, const struct pasa_build *build,
                                  struct pasa_command *command, const char **what);

/* The record, word by word. PASA_ERROR_ARGUMENT: a field does not fit; *what names it. */
enum pasa_error pasa_record(const struct pasa_command *command, uint32_t words[PASA_COMMAND_WORDS],
                            const char **what);

/* One command of a head, and which of its rows go with it. */
struct pasa_step {
    struct pasa_command command;
    uint32_t first_query, first_key;
};

/* The commands of a head (reference/pasa/plan.py, plan_head): more queries than a command holds
 * reuse its keys; more keys than a tile holds go tile by tile, their rows merging. */
struct pasa_plan {
    struct pasa_command head;
    struct pasa_build build;
    uint32_t query, key;      /* what comes next */
    uint32_t last_tile;       /* of the group of queries: first key of the tile that ends it */
    uint64_t total, so_far;   /* visible keys of the group in all tiles, and up to this one */
    bool in_group, chain;
};

void pasa_plan_begin(struct pasa_plan *plan, const struct pasa_command *head,
                     const struct pasa_build *build);
/* The next command; false when there is none. */
bool pasa_plan_next(struct pasa_plan *plan, struct pasa_step *step);

/* --- the way to the accelerator ------------------------------------------------------------ */

enum pasa_stream { PASA_STREAM_QUERY, PASA_STREAM_KEY, PASA_STREAM_VALUE, PASA_STREAMS };

/* Everything the driver needs of a device. Packets stay untouched until their command ended. */
struct pasa_port {
    void *context;
    /* the 32-bit word at a byte address (PASA_REG_*) */
    enum pasa_error (*read)(void *context, uint32_t address, uint32_t *word);
    enum pasa_error (*write)(void *context, uint32_t address, uint32_t word);
    /* queue a packet for a stream; waits for nothing */
    enum pasa_error (*send)(void *context, enum pasa_stream stream, const void *packet,
                            size_t bytes);
    /* queue a buffer for an output packet; packets come in order */
    enum pasa_error (*expect)(void *context, void *packet, size_t bytes);
    /* wait for the oldest of these packets; how long it is */
    enum pasa_error (*receive)(void *context, uint32_t milliseconds, size_t *bytes);
    /* wait until the interrupt is high (*called) or the time is over (not *called) */
    enum pasa_error (*wait)(void *context, uint32_t milliseconds, bool *called);
    /* forget packets under way and expected, before a soft reset */
    enum pasa_error (*abort)(void *context);
    /* milliseconds since whenever; may wrap */
    uint32_t (*clock)(void *context);
};

struct pasa_identity {
    uint32_t major, minor, patch;
    struct pasa_build build;
    uint32_t stream_bits, command_depth, status_depth;
};

/* An accelerator. Read what you like, write nothing. */
struct pasa_device {
    struct pasa_port port;
    struct pasa_identity identity;
    uint32_t timeout;         /* milliseconds a command may take */
    uint32_t causes;          /* of the command last refused, bits as in PASA_CAUSES_* */
    uint32_t lost_interrupts; /* statuses that came without one; only time suffered */
    const char *what;         /* more about the last PASA_ERROR_ARGUMENT; never NULL */
    uint32_t words[PASA_COMMAND_WORDS]; /* COMMAND registers as last written */
    bool words_known;
    uint32_t count; /* commands ever handed over: the next tag */
    unsigned first, in_flight;
    struct {
        uint32_t tag;
        size_t output_bytes; /* 0: it answers with none */
    } flying[PASA_IN_FLIGHT];
};

/* Identify the accelerator behind a port, reset it and let it call. */
enum pasa_error pasa_open(struct pasa_device *device, const struct pasa_port *port,
                          uint32_t milliseconds);

/* Forget all commands under way, here and there. */
enum pasa_error pasa_reset(struct pasa_device *device);

/* Hand over one command and its packets. `keys` and `values`: not with reuse_keys; `output`: not
 * with merge_next. The command gets a tag of its own. */
enum pasa_error pasa_start(struct pasa_device *device, const struct pasa_command *command,
                           const int8_t *queries, const int8_t *keys, const int8_t *values,
                           void *output);

/* Whether pasa_finish would return without waiting for the accelerator. */
enum pasa_error pasa_ready(struct pasa_device *device, bool *ready);

/* Wait for the oldest command; its output is in place. The status is there with REFUSED too. */
enum pasa_error pasa_finish(struct pasa_device *device, struct pasa_status *status);

/* What a head's commands counted together. rows and empty_rows count rows of Q. */
struct pasa_result {
    uint64_t commands, rows, empty_rows, saturations, keys_visible, keys_kept;
    uint64_t blocks_compensated, dropped_mass, cycles, stall_in, stall_out;
};

/* A head with its matrices. */
struct pasa_job {
    struct pasa_head head;
    const int8_t *queries, *keys, *values;
    void *output;
    struct pasa_result result;
};

/* Run heads one after another, their commands overlapping. Nothing is run if one is not legal;
 * after any other error the device has been reset and all outputs are void. */
enum pasa_error pasa_run(struct pasa_device *device, struct pasa_job *jobs, size_t count);

/* --- a board ------------------------------------------------------------------------------- *
 * The block design of fpga/flow/system.tcl: axi_dma_query (queries out, output in), axi_dma_key,
 * axi_dma_value, each an AXI DMA in direct register mode (PG021) without realignment. */

#define PASA_DMA_QUEUE (2 * PASA_IN_FLIGHT)

struct pasa_dma {
    /* Fill these in; what is 0 or NULL may stay so where the comment says. */
    uintptr_t registers;           /* where the processor sees the registers of pasa */
    uintptr_t engine[PASA_STREAMS]; /* and those of axi_dma_query, _key, _value */
    uintptr_t memory;              /* packets lie in this memory, as the processor sees it; */
    size_t memory_bytes;           /*   0: anywhere */
    uint64_t bus_address;          /* where the DMA engines see `memory` */
    bool wide;                     /* the engines were built for addresses of more than 32 bits */
    void *context;                 /* for the functions below */
    uint32_t (*clock)(void *context); /* milliseconds */
    /* wait for the interrupt, see struct pasa_port; NULL: its register is looked up */
    enum pasa_error (*wait)(void *context, uint32_t milliseconds, bool *called);
    void (*pause)(void *context); /* between two looks; NULL: none */
    /* caches: to memory before a transfer, from memory after it; NULL: not cached */
    void (*flush)(void *context, const void *memory, size_t bytes);
    void (*invalidate)(void *context, void *memory, size_t bytes);
    /* register accesses; NULL: plain loads and stores */
    uint32_t (*peek)(void *context, uintptr_t address);
    void (*poke)(void *context, uintptr_t address, uint32_t word);

    /* The driver's own; 0 at the start. */
    struct pasa_dma_channel {
        struct {
            void *memory;
            size_t bytes;
        } queue[PASA_DMA_QUEUE];
        unsigned first, count, done; /* of those queued, `done` are transferred */
        bool running;                /* the one behind these is on its way */
    } channel[PASA_STREAMS + 1];
};

/* The port of a board. The structure must stay where it is. */
struct pasa_port pasa_dma_port(struct pasa_dma *dma);

/* --- Linux --------------------------------------------------------------------------------- */
#ifdef __linux__

/* A page of registers: "/dev/uio0" and 0, or "/dev/mem" and its physical address. */
struct pasa_uio_block {
    const char *path;
    uint64_t offset;
};

struct pasa_uio {
    /* Fill these in, the rest is 0. */
    struct pasa_uio_block registers;            /* of pasa; its UIO device brings the interrupt */
    struct pasa_uio_block engine[PASA_STREAMS]; /* axi_dma_query, _key, _value */
    struct pasa_uio_block memory;               /* contiguous, such as "/dev/udmabuf0" and 0 */
    size_t memory_bytes;
    uint64_t bus_address; /* its physical address */
    bool no_interrupt;    /* `registers` is not a UIO device with an interrupt */

    /* Once open: dma.memory is the memory to put packets into. */
    struct pasa_dma dma;
    int interrupt; /* file descriptor */
};

/* Map everything. PASA_ERROR_SYSTEM: errno tells why; *what is the path. */
enum pasa_error pasa_uio_open(struct pasa_uio *uio, const char **what);

/* Reset the engines, so that none touches memory any more, and unmap. */
void pasa_uio_close(struct pasa_uio *uio);

#endif /* __linux__ */

#ifdef __cplusplus
}
#endif

#endif
