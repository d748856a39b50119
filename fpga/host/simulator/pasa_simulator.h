/* SPDX-License-Identifier: Apache-2.0
 *
 * pasa_simulator.h - protocol of the simulated accelerator (C and C++)
 *
 * The simulator is a process that holds the Verilated hdl/shell/pasa_axi.v. It reads requests and
 * writes replies, on standard input and output or on a Unix socket:
 *
 *     python fpga/host/simulator/build.py [ROWS=2 ...]      builds it, prints the binary's path
 *     pasa_simulator [--socket PATH] [+verilator+seed+N]    serves one client, ends when it hangs up
 *
 * With --socket the simulator listens on PATH (made by it; it removes it at the end), so a client
 * starts it, waits until PATH exists, and connects. Its standard output carries nothing else.
 *
 * Protocol: the client sends one request, 32 bytes, and `length` bytes of payload behind it; the
 * simulator sends one reply, 32 bytes, and `length` bytes of payload behind it. All numbers are
 * little-endian. Requests are answered in order, each by exactly one reply.
 *
 * Time: the clock runs only while a request is served, so a run is the same whatever the speed of
 * the client. `clocks` bounds a wait; the reply tells the clock count since the start.
 *
 * Streams behave as DMA engines. A packet given by SEND waits in the simulator's memory and goes
 * out while clocks run, STREAM_BITS a beat, TLAST on its final beat. Output is taken only into
 * buffers given by EXPECT, one packet each in order; without one the output stream is stalled.
 */
#ifndef PASA_SIMULATOR_H
#define PASA_SIMULATOR_H

#include <stdint.h>

#define PASA_SIM_VERSION 1u

/* Operations. Fields of the request that an operation does not name are 0. */
enum pasa_sim_operation {
    /* value of the reply: PASA_SIM_VERSION */
    PASA_SIM_HELLO = 0,
    /* AXI4-Lite read of byte address `argument`; reply: result is RRESP, value is RDATA */
    PASA_SIM_READ = 1,
    /* AXI4-Lite write of `value` to byte address `argument`, WSTRB = flags; result is BRESP */
    PASA_SIM_WRITE = 2,
    /* queue the payload (1 byte or more) as a packet on stream `argument`; takes no clock.
     * TKEEP of the final beat covers the bytes there are; PASA_SIM_NO_LAST leaves TLAST low */
    PASA_SIM_SEND = 3,
    /* run until stream `argument` has nothing left to send, at most `clocks` */
    PASA_SIM_SENT = 4,
    /* give a buffer of `value` bytes to the output stream; takes no clock */
    PASA_SIM_EXPECT = 5,
    /* run until the oldest buffer holds a whole packet (TLAST), at most `clocks`; reply: payload is
     * the packet, shorter than the buffer if TLAST came early. PASA_SIM_OVERRUN: the packet was
     * longer than the buffer; the payload is its beginning, the rest was dropped */
    PASA_SIM_RECEIVE = 6,
    /* run until the interrupt is high, at most `clocks`, 0 to look without running */
    PASA_SIM_INTERRUPT = 7,
    /* run `clocks` */
    PASA_SIM_RUN = 8,
    /* hold aresetn low for `clocks` (at least 16), with what ABORT does */
    PASA_SIM_RESET = 9,
    /* forget queued packets and buffers, as a reset of the DMA engines does; takes no clock */
    PASA_SIM_ABORT = 10,
    /* from now on every valid and every ready of the simulator's side stays low in `value` percent
     * of the clocks (0..95) before it rises, drawn from seed `argument`; 0 at the start */
    PASA_SIM_STALL = 11,
    /* the reply to this is the last one */
    PASA_SIM_QUIT = 12
};

/* Streams, for SEND and SENT. */
enum pasa_sim_stream { PASA_SIM_QUERY = 0, PASA_SIM_KEY = 1, PASA_SIM_VALUE = 2 };

/* Flags of SEND. */
#define PASA_SIM_NO_LAST 1u

/* Result of a reply. */
enum pasa_sim_result {
    PASA_SIM_OKAY = 0,
    PASA_SIM_SLVERR = 2,       /* AXI: the shell refused the access */
    PASA_SIM_DECERR = 3,
    PASA_SIM_TIMEOUT = 0x100,  /* `clocks` passed; or a bus access took PASA_SIM_BUS_CLOCKS */
    PASA_SIM_OVERRUN = 0x101,  /* see RECEIVE */
    PASA_SIM_REFUSED = 0x102   /* no such operation, stream or percentage; RECEIVE without EXPECT */
};

/* No legal AXI4-Lite access of the shell takes this long, stalls of 95 percent included. */
#define PASA_SIM_BUS_CLOCKS 4000u

/* Largest payload of a request, in bytes. */
#define PASA_SIM_PAYLOAD_MAX (1u << 26)

struct pasa_sim_request {
    uint32_t operation;
    uint32_t argument;
    uint32_t value;
    uint32_t flags;
    uint32_t length;   /* bytes of payload behind the request; only SEND has any */
    uint32_t reserved; /* 0 */
    uint64_t clocks;
};

struct pasa_sim_reply {
    uint32_t result;
    uint32_t value;
    uint32_t length;    /* bytes of payload behind the reply; only RECEIVE has any */
    uint32_t interrupt; /* level of the interrupt pin, 0 or 1 */
    uint64_t clock;     /* rising edges of aclk so far */
    uint64_t reserved;  /* 0 */
};

#endif
