/* SPDX-License-Identifier: Apache-2.0
 *
 * failures.c - the C driver on a device that does one thing wrong
 *
 *     failures FAULT
 *
 * Tells what came of opening it, of a head while the fault is there, and of the head after, a
 * line each. The device is made up: it answers each command with an output of zeros.
 */
#include <stdio.h>
#include <string.h>

#include "pasa.h"

#define WORDS (PASA_REG_SPAN / 4)
#define QUEUE 8u
#define ROWS 3
#define DIMS 16
#define TIMEOUT 200u

static struct {
    const char *fault;
    int times; /* that it is still to happen */
    uint32_t words[WORDS];
    uint32_t tags[QUEUE], causes[QUEUE], time;
    unsigned first, count;
    bool resetting, waiting, interrupt;
    unsigned words_written;
} fake;

static bool now(const char *fault)
{
    bool due = !strcmp(fake.fault, fault) && fake.times > 0;
    fake.times -= due;
    return due;
}

static uint32_t state(void)
{
    /* "no interrupt": commands run only while somebody waits for them */
    bool hidden = !strcmp(fake.fault, "lost interrupt") && !fake.waiting;
    return hidden ? 0 : fake.count << PASA_STATE_STATUS_WAITING_SHIFT;
}

static enum pasa_error get(void *context, uint32_t address, uint32_t *word)
{
    uint32_t place = fake.first % QUEUE;
    (void)context;
    *word = fake.words[address / 4];
    if (address == PASA_REG_STATE)
        *word = state();
    if (address == PASA_REG_CONTROL)
        *word = fake.resetting;
    if (address == PASA_REG_STATUS_0)
        *word = (fake.tags[place] ^ now("wrong tag")) |
                fake.causes[place] << PASA_STATUS_0_CAUSES_SHIFT;
    if (address == PASA_REG_STATUS_1)
        *word = ROWS;
    return address == PASA_REG_STATUS_2 && now("refused read") ? PASA_ERROR_BUS : PASA_OK;
}

static enum pasa_error set(void *context, uint32_t address, uint32_t word)
{
    uint32_t place = (fake.first + fake.count) % QUEUE;
    (void)context;
    fake.words_written += address >= PASA_REG_COMMAND_0 && address <= PASA_REG_COMMAND_7;
    if (address == PASA_REG_SUBMIT) {
        if (now("refused submit"))
            return PASA_ERROR_BUS;
        if (now("lost command"))
            return PASA_OK;
        fake.tags[place] = fake.words[PASA_REG_COMMAND_0 / 4] & 0xffff;
        fake.causes[place] = now("error status")
                                 ? PASA_CAUSES_SHAPE_MASK | PASA_CAUSES_CHAIN_MASK
                                 : 0;
        ++fake.count;
        fake.interrupt = true;
    } else if (address == PASA_REG_INTERRUPT_STATUS) {
        fake.interrupt &= !(word & PASA_INTERRUPT_STATUS_STATUS_READY_MASK);
    } else if (address == PASA_REG_STATUS_POP) {
        ++fake.first;
        --fake.count;
        fake.waiting = false;
    } else if (address == PASA_REG_CONTROL) {
        fake.count = 0;
        fake.resetting = now("endless reset");
    } else {
        fake.words[address / 4] = word;
    }
    return PASA_OK;
}

static enum pasa_error send(void *context, enum pasa_stream stream, const void *packet,
                            size_t bytes)
{
    (void)context, (void)packet;
    if (stream == PASA_STREAM_KEY && now("stopped engine"))
        return PASA_ERROR_DMA;
    return bytes == ROWS * DIMS ? PASA_OK : PASA_ERROR_MEMORY;
}

static enum pasa_error expect(void *context, void *packet, size_t bytes)
{
    (void)context;
    memset(packet, 0, bytes);
    return PASA_OK;
}

static enum pasa_error receive(void *context, uint32_t milliseconds, size_t *bytes)
{
    (void)context, (void)milliseconds;
    *bytes = ROWS * DIMS;
    if (now("short read"))
        *bytes -= 16;
    if (now("long read"))
        *bytes += 16;
    return now("no output") ? PASA_ERROR_TIMEOUT : PASA_OK;
}

static enum pasa_error wait(void *context, uint32_t milliseconds, bool *called)
{
    (void)context;
    fake.waiting = true;
    *called = (fake.interrupt || fake.count > 0) && !now("lost interrupt");
    fake.time += *called ? 1 : milliseconds;
    return PASA_OK;
}

static enum pasa_error abort_all(void *context)
{
    (void)context;
    return now("stuck engine") ? PASA_ERROR_RESET : PASA_OK;
}

static uint32_t clock_of_fake(void *context)
{
    (void)context;
    return fake.time;
}

static const struct pasa_port port = {NULL,    get,  set,       send,         expect,
                                      receive, wait, abort_all, clock_of_fake};

/* What the fault makes of the registers that tell what is there. */
static void set_registers(const char *fault)
{
    fake.words[PASA_REG_IDENTITY / 4] = strcmp(fault, "other device") ? PASA_IDENTITY_VALUE : 7;
    fake.words[PASA_REG_VERSION / 4] = PASA_VERSION_KNOWN;
    if (!strcmp(fault, "later major"))
        fake.words[PASA_REG_VERSION / 4] += 1u << PASA_VERSION_MAJOR_SHIFT;
    if (!strcmp(fault, "later minor"))
        fake.words[PASA_REG_VERSION / 4] += 1u << PASA_VERSION_MINOR_SHIFT;
    if (!strcmp(fault, "earlier minor"))
        fake.words[PASA_REG_VERSION / 4] = 9;
    fake.words[PASA_REG_BUILD_0 / 4] = 0x10101002;
    fake.words[PASA_REG_BUILD_1 / 4] = strcmp(fault, "no keys") ? 0x00804020 : 0x00004020;
    fake.words[PASA_REG_BUILD_2 / 4] = 0x08080020;
}

static void tell(const struct pasa_device *device, enum pasa_error error)
{
    char text[60];
    printf("%s", pasa_error_text(error));
    if (error == PASA_ERROR_ARGUMENT)
        printf(": %s", device->what);
    if (error == PASA_ERROR_REFUSED)
        printf(": %s", pasa_causes_text(device->causes, text, sizeof text));
    printf("\n");
}

static enum pasa_error run(struct pasa_device *device)
{
    static int8_t codes[ROWS * DIMS], output[ROWS * DIMS];
    struct pasa_job job = {pasa_new_head(ROWS, ROWS, DIMS), codes, codes, codes, output,
                           {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}};
    enum pasa_error error = pasa_run(device, &job, 1);
    return error == PASA_OK && job.result.rows != ROWS ? PASA_ERROR_PACKET : error;
}

/* Calls out of place. */
static void misuse(struct pasa_device *device)
{
    static int8_t codes[ROWS * DIMS], output[ROWS * DIMS];
    struct pasa_head head = pasa_new_head(ROWS, ROWS, DIMS);
    struct pasa_command command;
    struct pasa_status status;
    struct pasa_job job = {head, codes, NULL, codes, output, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}};
    bool ready;
    tell(device, pasa_run(device, &job, 1));
    pasa_make_command(&head, &device->identity.build, &command, NULL);
    tell(device, pasa_finish(device, &status));
    tell(device, pasa_start(device, &command, codes, codes, codes, NULL));
    for (int i = 0; i < PASA_IN_FLIGHT; ++i)
        pasa_start(device, &command, codes, codes, codes, output);
    tell(device, pasa_start(device, &command, codes, codes, codes, output));
    tell(device, run(device));
    tell(device, pasa_ready(device, &ready) || !ready ? PASA_ERROR_BUS : PASA_OK);
    for (int i = 0; i < PASA_IN_FLIGHT; ++i)
        tell(device, pasa_finish(device, &status));
    printf("%u words\n", fake.words_written);
    command.budget = 65536;
    tell(device, pasa_start(device, &command, codes, codes, codes, output));
}

int main(int argc, char **argv)
{
    struct pasa_device device;
    enum pasa_error error;
    char text[12];
    if (argc != 2)
        return 2;
    fake.fault = "";
    set_registers(argv[1]);
    if (!strcmp(argv[1], "endless reset at once")) {
        fake.fault = "endless reset";
        fake.times = 1;
    }
    error = pasa_open(&device, &port, TIMEOUT);
    tell(&device, error);
    if (error)
        return 0;
    if (!strcmp(argv[1], "misuse")) {
        misuse(&device);
    } else {
        fake.fault = argv[1];
        fake.times = 1;
        tell(&device, run(&device));
        fake.fault = "";
        tell(&device, run(&device));
    }
    printf("%u lost, interrupt %d\n", device.lost_interrupts, fake.interrupt);
    printf("%s|%s\n", pasa_causes_text(0x33, text, sizeof text), pasa_error_text(PASA_ERRORS));
    return 0;
}
