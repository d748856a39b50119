/* SPDX-License-Identifier: Apache-2.0
 *
 * pasa_sim_port.c - see pasa_sim_port.h
 */
#define _POSIX_C_SOURCE 200809L

#include "pasa_sim_port.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CLOCKS_AT_ONCE 4096u /* of a wait, between two looks at the time */

static uint32_t sim_clock(void *context)
{
    struct timespec now;
    (void)context;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u);
}

enum pasa_error pasa_sim_open(struct pasa_sim *sim, const char *path, uint32_t milliseconds)
{
    struct sockaddr_un address;
    const struct timespec pause = {0, 10000000};
    uint32_t start = sim_clock(NULL);
    memset(sim, 0, sizeof *sim);
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address.sun_path)
        return PASA_ERROR_ARGUMENT;
    strcpy(address.sun_path, path);
    sim->socket = socket(AF_UNIX, SOCK_STREAM, 0);
    if (sim->socket < 0)
        return PASA_ERROR_SYSTEM;
    while (connect(sim->socket, (struct sockaddr *)&address, sizeof address) < 0) {
        if (sim_clock(NULL) - start > milliseconds) {
            close(sim->socket);
            return PASA_ERROR_SYSTEM;
        }
        nanosleep(&pause, NULL);
    }
    return PASA_OK;
}

void pasa_sim_close(struct pasa_sim *sim) { close(sim->socket); }

static bool put_all(int file, const void *from, size_t bytes)
{
    for (const uint8_t *at = from; bytes != 0;) {
        ssize_t put = send(file, at, bytes, MSG_NOSIGNAL);
        if (put <= 0)
            return false;
        at += put;
        bytes -= (size_t)put;
    }
    return true;
}

static bool take_all(int file, void *to, size_t bytes)
{
    for (uint8_t *at = to; bytes != 0;) {
        ssize_t got = read(file, at, bytes);
        if (got <= 0)
            return false;
        at += got;
        bytes -= (size_t)got;
    }
    return true;
}

enum pasa_error pasa_sim_request(struct pasa_sim *sim, struct pasa_sim_request request,
                                 const void *payload, struct pasa_sim_reply *reply, void *taken,
                                 size_t room)
{
    if (!put_all(sim->socket, &request, sizeof request) ||
        !put_all(sim->socket, payload, request.length) ||
        !take_all(sim->socket, reply, sizeof *reply) || reply->length > room ||
        !take_all(sim->socket, taken, reply->length))
        return PASA_ERROR_SYSTEM;
    return PASA_OK;
}

static struct pasa_sim_request request_of(enum pasa_sim_operation operation, uint32_t argument,
                                          uint32_t value)
{
    struct pasa_sim_request request = {operation, argument, value, 0, 0, 0, 0};
    return request;
}

static enum pasa_error bus_error(uint32_t result)
{
    return result == PASA_SIM_OKAY ? PASA_OK : PASA_ERROR_BUS;
}

static enum pasa_error sim_read(void *context, uint32_t address, uint32_t *word)
{
    struct pasa_sim_reply reply;
    enum pasa_error error =
        pasa_sim_request(context, request_of(PASA_SIM_READ, address, 0), NULL, &reply, NULL, 0);
    if (error)
        return error;
    *word = reply.value;
    return bus_error(reply.result);
}

static enum pasa_error sim_write(void *context, uint32_t address, uint32_t word)
{
    struct pasa_sim_request request = request_of(PASA_SIM_WRITE, address, word);
    struct pasa_sim_reply reply;
    enum pasa_error error;
    request.flags = 0xf;
    error = pasa_sim_request(context, request, NULL, &reply, NULL, 0);
    return error ? error : bus_error(reply.result);
}

static enum pasa_error sim_send(void *context, enum pasa_stream stream, const void *packet,
                                size_t bytes)
{
    struct pasa_sim_request request = request_of(PASA_SIM_SEND, stream, 0);
    struct pasa_sim_reply reply;
    request.length = (uint32_t)bytes;
    return pasa_sim_request(context, request, packet, &reply, NULL, 0);
}

static enum pasa_error sim_expect(void *context, void *packet, size_t bytes)
{
    struct pasa_sim *sim = context;
    struct pasa_sim_reply reply;
    unsigned place = (sim->first + sim->count) % PASA_SIM_QUEUE;
    if (sim->count == PASA_SIM_QUEUE)
        return PASA_ERROR_FULL;
    sim->expected[place].packet = packet;
    sim->expected[place].bytes = bytes;
    ++sim->count;
    return pasa_sim_request(sim, request_of(PASA_SIM_EXPECT, 0, (uint32_t)bytes), NULL, &reply,
                            NULL, 0);
}

/* Let clocks pass until the request has what it waits for, or time is up. */
static enum pasa_error run(struct pasa_sim *sim, enum pasa_sim_operation operation,
                           uint32_t milliseconds, struct pasa_sim_reply *reply, void *taken,
                           size_t room)
{
    struct pasa_sim_request request = request_of(operation, 0, 0);
    uint32_t start = sim_clock(sim);
    request.clocks = CLOCKS_AT_ONCE;
    for (;;) {
        enum pasa_error error = pasa_sim_request(sim, request, NULL, reply, taken, room);
        if (error || reply->result != PASA_SIM_TIMEOUT || sim_clock(sim) - start >= milliseconds)
            return error;
    }
}

static enum pasa_error sim_receive(void *context, uint32_t milliseconds, size_t *bytes)
{
    struct pasa_sim *sim = context;
    struct pasa_sim_reply reply;
    enum pasa_error error;
    if (sim->count == 0)
        return PASA_ERROR_EMPTY;
    error = run(sim, PASA_SIM_RECEIVE, milliseconds, &reply, sim->expected[sim->first].packet,
                sim->expected[sim->first].bytes);
    if (error)
        return error;
    if (reply.result == PASA_SIM_TIMEOUT)
        return PASA_ERROR_TIMEOUT;
    sim->first = (sim->first + 1) % PASA_SIM_QUEUE;
    --sim->count;
    *bytes = reply.length;
    return reply.result == PASA_SIM_OKAY ? PASA_OK : PASA_ERROR_PACKET;
}

static enum pasa_error sim_wait(void *context, uint32_t milliseconds, bool *called)
{
    struct pasa_sim_reply reply;
    enum pasa_error error =
        run(context, PASA_SIM_INTERRUPT, milliseconds, &reply, NULL, 0);
    *called = !error && reply.result == PASA_SIM_OKAY;
    return error;
}

static enum pasa_error sim_abort(void *context)
{
    struct pasa_sim *sim = context;
    struct pasa_sim_reply reply;
    sim->first = sim->count = 0;
    return pasa_sim_request(sim, request_of(PASA_SIM_ABORT, 0, 0), NULL, &reply, NULL, 0);
}

struct pasa_port pasa_sim_port(struct pasa_sim *sim)
{
    struct pasa_port port = {sim,         sim_read, sim_write, sim_send, sim_expect,
                             sim_receive, sim_wait, sim_abort, sim_clock};
    return port;
}
