/* SPDX-License-Identifier: Apache-2.0
 *
 * head_line.h - a head as a line of text: its numbers in order, real ones in hexadecimal
 */
#ifndef HEAD_LINE_H
#define HEAD_LINE_H

#include <stdlib.h>

#include "pasa.h"

static double next_real(char **at) { return strtod(*at, at); }
static uint32_t next_count(char **at) { return (uint32_t)strtoul(*at, at, 10); }

static struct pasa_head read_head(char *at)
{
    struct pasa_head head = pasa_new_head(0, 0, 0);
    head.query_count = next_count(&at);
    head.key_count = next_count(&at);
    head.dims = next_count(&at);
    head.scale_q = next_real(&at);
    head.scale_k = next_real(&at);
    head.scale_v = next_real(&at);
    head.output_scale = next_real(&at);
    head.softmax_scale = next_real(&at);
    head.output_bits = next_count(&at);
    head.min_probability = next_real(&at);
    head.budget = next_count(&at);
    head.tail = next_count(&at);
    head.pred_dims = next_count(&at);
    head.key_length = next_count(&at);
    head.causal = next_count(&at);
    head.query_offset = (int32_t)strtol(at, &at, 10);
    head.window = next_count(&at);
    head.sinks = next_count(&at);
    return head;
}

#endif
