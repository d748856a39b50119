/* SPDX-License-Identifier: Apache-2.0
 *
 * pasa_sim_port.h - the simulated accelerator as a port of the C driver
 *
 * Why      A C program runs before there is a board, and the driver's tests run on the hardware's
 *          own registers and streams.
 * Contract as struct pasa_port; a request that cannot be sent or answered is PASA_ERROR_SYSTEM
 *
 *     python fpga/host/simulator/build.py          prints the simulator's path
 *     <that> --socket /tmp/pasa &                  then pasa_sim_open(&sim, "/tmp/pasa")
 */
#ifndef PASA_SIM_PORT_H
#define PASA_SIM_PORT_H

#include "pasa.h"
#include "simulator/pasa_simulator.h"

#define PASA_SIM_QUEUE (2 * PASA_IN_FLIGHT)

struct pasa_sim {
    int socket;
    unsigned first, count;
    struct {
        void *packet;
        size_t bytes;
    } expected[PASA_SIM_QUEUE];
};

/* Connect to a simulator that listens on a Unix socket, or will within `milliseconds`. */
enum pasa_error pasa_sim_open(struct pasa_sim *sim, const char *path, uint32_t milliseconds);

/* Hang up; the simulator ends. */
void pasa_sim_close(struct pasa_sim *sim);

/* One request of the protocol and its reply; up to `room` bytes of the reply's payload. */
enum pasa_error pasa_sim_request(struct pasa_sim *sim, struct pasa_sim_request request,
                                 const void *payload, struct pasa_sim_reply *reply, void *taken,
                                 size_t room);

/* The port. The structure must stay where it is. */
struct pasa_port pasa_sim_port(struct pasa_sim *sim);

#endif
