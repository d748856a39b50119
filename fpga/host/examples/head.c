/* SPDX-License-Identifier: Apache-2.0
 *
 * head.c - one causal head from real numbers to real numbers, checked against softmax
 *
 *     head sim SOCKET                                        the simulated shell
 *     head uio PASA QUERY KEY VALUE MEMORY ADDRESS BYTES     a board under Linux
 *
 * PASA to VALUE are UIO devices ("/dev/uio0" ...) of pasa, axi_dma_query, axi_dma_key and
 * axi_dma_value; MEMORY is contiguous ("/dev/udmabuf0"), ADDRESS its physical address. On bare
 * metal there are no arguments: build it without pasa_sim_port.c, for the memory map of
 * fpga/flow/system.tcl. Exit code 0: the output is as near to softmax as int8 allows.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pasa.h"

enum { QUERIES = 40, KEYS = 40, DIMS = 64 };
#define TIMEOUT 20000u /* milliseconds */
#define SCALE_Q 0.05
#define SCALE_K 0.05
#define SCALE_V 0.02
#define LARGEST_ERROR (2 * SCALE_V) /* two output codes */

static int8_t q[QUERIES][DIMS], k[KEYS][DIMS], v[KEYS][DIMS], o[QUERIES][DIMS];

/* Whatever the head is to attend to: here the same noise in each run. */
static void draw(int8_t *codes, size_t count)
{
    static uint32_t state = 1;
    for (size_t i = 0; i < count; ++i) {
        state = state * 1664525u + 1013904223u;
        codes[i] = (int8_t)((int)(state >> 24) % 101 - 50);
    }
}

/* Row `i` of softmax(q k^T / sqrt(d)) v, causal, in real numbers. */
static void softmax_row(int i, double *row)
{
    double sum = 0;
    for (int d = 0; d < DIMS; ++d)
        row[d] = 0;
    for (int j = 0; j <= i && j < KEYS; ++j) {
        double score = 0, weight;
        for (int d = 0; d < DIMS; ++d)
            score += q[i][d] * SCALE_Q * (k[j][d] * SCALE_K);
        weight = exp(score / sqrt(DIMS));
        sum += weight;
        for (int d = 0; d < DIMS; ++d)
            row[d] += weight * v[j][d] * SCALE_V;
    }
    for (int d = 0; d < DIMS; ++d)
        row[d] /= sum;
}

static double largest_error(void)
{
    double largest = 0, row[DIMS];
    for (int i = 0; i < QUERIES; ++i) {
        softmax_row(i, row);
        for (int d = 0; d < DIMS; ++d)
            largest = fmax(largest, fabs(row[d] - o[i][d] * SCALE_V));
    }
    return largest;
}

/* The head on a device, its packets in `memory`, which the device can reach. */
static int run(struct pasa_device *device, uint8_t *memory)
{
    struct pasa_job job;
    enum pasa_error error;
    size_t rows = pasa_packet_bytes(QUERIES, DIMS, 8), keys = pasa_packet_bytes(KEYS, DIMS, 8);
    int8_t *queries = (int8_t *)memory, *keys_at = queries + rows, *values = keys_at + keys;
    double worst;

    draw(&q[0][0], sizeof q);
    draw(&k[0][0], sizeof k);
    draw(&v[0][0], sizeof v);
    pasa_pack(&q[0][0], QUERIES, DIMS, queries);
    pasa_pack(&k[0][0], KEYS, DIMS, keys_at);
    pasa_pack(&v[0][0], KEYS, DIMS, values);

    memset(&job, 0, sizeof job);
    job.head = pasa_new_head(QUERIES, KEYS, DIMS);
    job.head.scale_q = SCALE_Q;
    job.head.scale_k = SCALE_K;
    job.head.scale_v = SCALE_V;
    job.head.causal = true;
    job.head.min_probability = 0.001; /* leave out what counts less; 0: dense */
    job.queries = queries;
    job.keys = keys_at;
    job.values = values;
    job.output = values + keys;

    error = pasa_run(device, &job, 1);
    if (error) {
        char causes[100];
        printf("%s %s %s\n", pasa_error_text(error), device->what,
               pasa_causes_text(device->causes, causes, sizeof causes));
        return 1;
    }
    pasa_unpack(job.output, QUERIES, DIMS, 8, o);
    worst = largest_error();
    printf("%" PRIu64 " of %" PRIu64 " keys kept, %" PRIu64 " clocks, largest error %.4f\n",
           job.result.keys_kept, job.result.keys_visible, job.result.cycles, worst);
    return worst > LARGEST_ERROR;
}

static int open_and_run(const struct pasa_port *port, uint8_t *memory)
{
    struct pasa_device device;
    enum pasa_error error = pasa_open(&device, port, TIMEOUT);
    if (error) {
        printf("%s\n", pasa_error_text(error));
        return 1;
    }
    printf("PASA %" PRIu32 ".%" PRIu32 ".%" PRIu32 ", up to %" PRIu32 " dimensions, tiles of %" PRIu32
           " keys\n", device.identity.major, device.identity.minor, device.identity.patch,
           device.identity.build.head_dim, device.identity.build.tile_keys);
    return run(&device, memory);
}

#ifdef __linux__

#include "pasa_sim_port.h"

static uint8_t ordinary[4 * 4096];

static int simulated(const char *socket)
{
    struct pasa_sim sim;
    struct pasa_port port;
    int code;
    if (pasa_sim_open(&sim, socket, TIMEOUT)) {
        perror(socket);
        return 1;
    }
    port = pasa_sim_port(&sim);
    code = open_and_run(&port, ordinary);
    pasa_sim_close(&sim);
    return code;
}

static int board(char **paths)
{
    struct pasa_uio uio;
    struct pasa_port port;
    const char *what;
    int code;
    memset(&uio, 0, sizeof uio);
    uio.registers.path = paths[0];
    for (int i = 0; i < PASA_STREAMS; ++i)
        uio.engine[i].path = paths[1 + i];
    uio.memory.path = paths[4];
    uio.bus_address = strtoull(paths[5], NULL, 0);
    uio.memory_bytes = strtoul(paths[6], NULL, 0);
    if (pasa_uio_open(&uio, &what)) {
        perror(what);
        return 1;
    }
    port = pasa_dma_port(&uio.dma);
    code = open_and_run(&port, (uint8_t *)uio.dma.memory);
    pasa_uio_close(&uio);
    return code;
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "sim"))
        return simulated(argv[2]);
    if (argc == 9 && !strcmp(argv[1], "uio"))
        return board(argv + 2);
    printf("usage: head sim SOCKET\n"
           "       head uio PASA QUERY KEY VALUE MEMORY ADDRESS BYTES\n");
    return 2;
}

#else /* bare metal: a Zynq-7000 with the board support package of Vitis */

#include "xil_cache.h"
#include "xtime_l.h"

static uint8_t packets[4 * 4096] __attribute__((aligned(64)));

static uint32_t milliseconds(void *context)
{
    XTime now;
    (void)context;
    XTime_GetTime(&now);
    return (uint32_t)(now / (COUNTS_PER_SECOND / 1000));
}

static void flush(void *context, const void *memory, size_t bytes)
{
    (void)context;
    Xil_DCacheFlushRange((INTPTR)memory, (INTPTR)bytes);
}

static void invalidate(void *context, void *memory, size_t bytes)
{
    (void)context;
    Xil_DCacheInvalidateRange((INTPTR)memory, (INTPTR)bytes);
}

int main(void)
{
    static struct pasa_dma dma;
    struct pasa_port port;
    dma.registers = 0x43c00000;
    dma.engine[PASA_STREAM_QUERY] = 0x40400000;
    dma.engine[PASA_STREAM_KEY] = 0x40410000;
    dma.engine[PASA_STREAM_VALUE] = 0x40420000;
    dma.clock = milliseconds;
    dma.flush = flush;
    dma.invalidate = invalidate;
    port = pasa_dma_port(&dma);
    return open_and_run(&port, packets);
}

#endif
