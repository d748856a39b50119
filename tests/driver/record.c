/* SPDX-License-Identifier: Apache-2.0
 *
 * record.c - heads to the records of their commands, for comparison with Python
 *
 * A line of standard input is a head (head_line.h). Its answer is a line for each command, "first_query first_key words...",
 * and "end"; or "error" and what is wrong. Arguments: head_dim tile_keys pred_bits merge_rows.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "head_line.h"

static enum pasa_error answer(const struct pasa_head *head, const struct pasa_build *build,
                              const char **what)
{
    struct pasa_command command;
    struct pasa_plan plan;
    struct pasa_step step;
    enum pasa_error error = pasa_make_command(head, build, &command, what);
    if (error)
        return error;
    pasa_plan_begin(&plan, &command, build);
    while (pasa_plan_next(&plan, &step)) {
        uint32_t words[PASA_COMMAND_WORDS];
        error = pasa_record(&step.command, words, what);
        if (error)
            return error;
        printf("%" PRIu32 " %" PRIu32, step.first_query, step.first_key);
        for (unsigned i = 0; i < PASA_COMMAND_WORDS; ++i)
            printf(" %" PRIu32, words[i]);
        printf("\n");
    }
    return PASA_OK;
}

int main(int argc, char **argv)
{
    char line[1000];
    struct pasa_build build = {0, 0, 0, 0, 0, 0, 0};
    if (argc != 5)
        return 2;
    build.head_dim = (uint32_t)atoi(argv[1]);
    build.tile_keys = (uint32_t)atoi(argv[2]);
    build.pred_bits = (uint32_t)atoi(argv[3]);
    build.merge_rows = (uint32_t)atoi(argv[4]);
    while (fgets(line, sizeof line, stdin)) {
        struct pasa_head head = read_head(line);
        const char *what = "";
        if (answer(&head, &build, &what) == PASA_OK)
            printf("end\n");
        else
            printf("error %s\n", what);
    }
    return 0;
}
