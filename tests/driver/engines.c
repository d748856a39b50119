/* SPDX-License-Identifier: Apache-2.0
 *
 * engines.c - see engines.h
 */
#include "engines.h"

#include <stdio.h>
#include <stdlib.h>

#define PAGE 4096u
#define CHANNEL_BYTES 0x30u
#define CLOCKS 64u       /* that pass while a status register is read */
#define RESET_READS 3u   /* that a reset takes */
#define LENGTH_BITS 26
#define ALIGNMENT 8u     /* of 64-bit memory */

enum { CONTROL = 0x00, STATUS = 0x04, ADDRESS = 0x18, ADDRESS_HIGH = 0x1c, LENGTH = 0x28 };
enum { RUN = 1, RESET = 4 };
enum { HALTED = 1, IDLE = 2, INTERNAL_ERROR = 0x10 };

/* Channel 0, 1, 2: packets out; 3: output in. */
struct channel {
    uint64_t address;
    uint32_t length, status;
    bool busy;
};

static struct engines here;
static struct channel channels[PASA_STREAMS + 1];
static unsigned resetting[PASA_STREAMS], transfers;

static void refuse(const char *what)
{
    fprintf(stderr, "engines: %s\n", what);
    exit(3);
}

static struct pasa_sim_reply ask(enum pasa_sim_operation operation, uint32_t argument,
                                 uint32_t value, uint64_t clocks, void *taken, size_t room)
{
    struct pasa_sim_request request = {operation, argument, value, 0, 0, 0, clocks};
    struct pasa_sim_reply reply;
    if (operation == PASA_SIM_WRITE)
        request.flags = 0xf;
    if (pasa_sim_request(here.sim, request, NULL, &reply, taken, room))
        refuse("the simulator is gone");
    return reply;
}

static void halt(unsigned first, unsigned last)
{
    for (unsigned i = first; i <= last; ++i) {
        channels[i].status = HALTED;
        channels[i].busy = false;
    }
}

void engines_begin(const struct engines *engines)
{
    here = *engines;
    halt(0, PASA_STREAMS);
}

unsigned engines_transfers(void) { return transfers; }

/* Where the engines see the bytes of a transfer. */
static uint8_t *memory_of(const struct channel *channel)
{
    uint64_t into = channel->address - here.bus_address;
    if (channel->address % ALIGNMENT)
        refuse("an address is not aligned");
    if (into > here.memory_bytes || channel->length > here.memory_bytes - into)
        refuse("a transfer lies outside the memory");
    return here.memory + into;
}

static void begin(unsigned number, uint32_t length)
{
    struct channel *channel = &channels[number];
    if (channel->busy)
        refuse("a transfer begins while another one runs");
    if (channel->status & HALTED)
        refuse("a transfer begins while the channel is halted");
    if (length == 0 || length >> LENGTH_BITS)
        refuse("a length is 0 or too large");
    ++transfers;
    channel->length = length;
    channel->busy = true;
    channel->status &= ~(uint32_t)IDLE;
    if (number == PASA_STREAMS) {
        (void)memory_of(channel);
        ask(PASA_SIM_EXPECT, 0, length, 0, NULL, 0);
    } else {
        struct pasa_sim_request send = {PASA_SIM_SEND, number, 0, 0, length, 0, 0};
        struct pasa_sim_reply reply;
        if (pasa_sim_request(here.sim, send, memory_of(channel), &reply, NULL, 0))
            refuse("the simulator is gone");
    }
}

static uint32_t status(unsigned number)
{
    struct channel *channel = &channels[number];
    struct pasa_sim_reply reply;
    if (!channel->busy)
        return channel->status;
    if (number == PASA_STREAMS)
        reply = ask(PASA_SIM_RECEIVE, 0, 0, CLOCKS, memory_of(channel), channel->length);
    else
        reply = ask(PASA_SIM_SENT, number, 0, CLOCKS, NULL, 0);
    if (reply.result == PASA_SIM_TIMEOUT)
        return channel->status;
    channel->busy = false;
    channel->status |= reply.result == PASA_SIM_OKAY ? IDLE : INTERNAL_ERROR | HALTED;
    if (number == PASA_STREAMS)
        channel->length = reply.length;
    return channel->status;
}

/* The channel of an engine's register, which becomes an offset in it. */
static unsigned find(unsigned engine, uint32_t *offset)
{
    bool in = *offset >= CHANNEL_BYTES;
    *offset -= in ? CHANNEL_BYTES : 0;
    if (in && engine != PASA_STREAM_QUERY)
        refuse("only the engine of queries receives");
    return in ? PASA_STREAMS : engine;
}

uint32_t engines_peek(void *context, uintptr_t address)
{
    (void)context;
    if (address - here.registers < PAGE) {
        struct pasa_sim_reply reply =
            ask(PASA_SIM_READ, (uint32_t)(address - here.registers), 0, 0, NULL, 0);
        if (reply.result)
            refuse("a register was not read");
        return reply.value;
    }
    for (unsigned i = 0; i < PASA_STREAMS; ++i) {
        uint32_t offset = (uint32_t)(address - here.engine[i]);
        unsigned number;
        if (address - here.engine[i] >= PAGE)
            continue;
        number = find(i, &offset);
        if (offset == CONTROL && resetting[i]) {
            --resetting[i];
            return RESET;
        }
        if (offset == CONTROL)
            return channels[number].status & HALTED ? 0 : RUN;
        if (offset == STATUS)
            return status(number);
        if (offset == LENGTH)
            return channels[number].length;
    }
    refuse("no such register to read");
    return 0;
}

static void control(unsigned engine, unsigned number, uint32_t word)
{
    if (word & RESET) {
        halt(engine, engine);
        if (engine == PASA_STREAM_QUERY)
            halt(PASA_STREAMS, PASA_STREAMS);
        ask(PASA_SIM_ABORT, 0, 0, 0, NULL, 0);
        resetting[engine] = RESET_READS;
    } else if (word & RUN) {
        if (resetting[engine])
            refuse("an engine is started while it resets");
        channels[number].status &= ~(uint32_t)HALTED;
    }
}

void engines_poke(void *context, uintptr_t address, uint32_t word)
{
    (void)context;
    if (address - here.registers < PAGE) {
        if (ask(PASA_SIM_WRITE, (uint32_t)(address - here.registers), word, 0, NULL, 0).result)
            refuse("a register was not written");
        return;
    }
    for (unsigned i = 0; i < PASA_STREAMS; ++i) {
        uint32_t offset = (uint32_t)(address - here.engine[i]);
        unsigned number;
        if (address - here.engine[i] >= PAGE)
            continue;
        number = find(i, &offset);
        if (offset == CONTROL)
            control(i, number, word);
        else if (offset == ADDRESS)
            channels[number].address = (channels[number].address >> 32 << 32) | word;
        else if (offset == ADDRESS_HIGH && here.wide)
            channels[number].address = (uint32_t)channels[number].address | (uint64_t)word << 32;
        else if (offset == LENGTH)
            begin(number, word);
        else
            refuse("no such register to write");
        return;
    }
    refuse("no such engine");
}
