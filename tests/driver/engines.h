/* SPDX-License-Identifier: Apache-2.0
 *
 * engines.h - three AXI DMA engines in direct register mode (PG021), before the simulated shell
 *
 * Contract * as strict as the hardware is silent: a transfer begun while another runs, while the
 *            channel is halted, with a bad address or length, and a refused register access end
 *            the program
 *          * clocks pass while status registers are read
 *          * there is one, as its functions are called with the driver's own context
 */
#ifndef ENGINES_H
#define ENGINES_H

#include "pasa_sim_port.h"

struct engines {
    struct pasa_sim *sim;
    uintptr_t registers, engine[PASA_STREAMS]; /* as in struct pasa_dma */
    uint8_t *memory;                           /* what the engines see at `bus_address` */
    size_t memory_bytes;
    uint64_t bus_address;
    bool wide; /* the engines have the upper address registers */
};

/* From now on these are the engines, all halted. */
void engines_begin(const struct engines *engines);

uint32_t engines_peek(void *context, uintptr_t address);
void engines_poke(void *context, uintptr_t address, uint32_t word);

/* Transfers begun so far. */
unsigned engines_transfers(void);

#endif
