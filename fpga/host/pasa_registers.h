/* SPDX-License-Identifier: Apache-2.0
 *
 * Written from hdl/shell/pasa.rdl by `make registers`. Do not edit.
 *
 * PASA_REG_<REGISTER>              byte address
 * PASA_<REGISTER>_<FIELD>_SHIFT    lowest bit of a field
 * PASA_<REGISTER>_<FIELD>_MASK     its bits, in place
 */
#ifndef PASA_REGISTERS_H
#define PASA_REGISTERS_H

#define PASA_REG_SPAN 0x1000u
#define PASA_IDENTITY_VALUE 0x50415341u
#define PASA_COMMAND_WORDS 8u
#define PASA_STATUS_WORDS 10u

/* Identity */
#define PASA_REG_IDENTITY 0x000u
#define PASA_IDENTITY_MAGIC_SHIFT 0  /* PASA in ASCII. */
#define PASA_IDENTITY_MAGIC_MASK 0xffffffffu

/* Version of the design */
#define PASA_REG_VERSION 0x004u
#define PASA_VERSION_PATCH_SHIFT 0  /* Changes with nothing software sees. */
#define PASA_VERSION_PATCH_MASK 0x0000ffffu
#define PASA_VERSION_MINOR_SHIFT 16  /* Changes with what software may use. */
#define PASA_VERSION_MINOR_MASK 0x00ff0000u
#define PASA_VERSION_MAJOR_SHIFT 24  /* Changes with what software must know. */
#define PASA_VERSION_MAJOR_MASK 0xff000000u

/* Build parameters 0 */
#define PASA_REG_BUILD_0 0x008u
#define PASA_BUILD_0_ROWS_SHIFT 0  /* Lanes, and rows predicted at once. */
#define PASA_BUILD_0_ROWS_MASK 0x000000ffu
#define PASA_BUILD_0_PRED_KEYS_SHIFT 8  /* Keys the predictor reads in a clock. */
#define PASA_BUILD_0_PRED_KEYS_MASK 0x0000ff00u
#define PASA_BUILD_0_BLOCK_KEYS_SHIFT 16  /* Keys that share a virtual key. */
#define PASA_BUILD_0_BLOCK_KEYS_MASK 0x00ff0000u
#define PASA_BUILD_0_STREAM_BYTES_SHIFT 24  /* Bytes of one beat of the data streams. */
#define PASA_BUILD_0_STREAM_BYTES_MASK 0xff000000u

/* Build parameters 1 */
#define PASA_REG_BUILD_1 0x00cu
#define PASA_BUILD_1_HEAD_DIM_SHIFT 0  /* Most dimensions of a head. */
#define PASA_BUILD_1_HEAD_DIM_MASK 0x00000fffu
#define PASA_BUILD_1_PRED_BITS_SHIFT 12  /* Bits of a query or key in the predictor. */
#define PASA_BUILD_1_PRED_BITS_MASK 0x0000f000u
#define PASA_BUILD_1_TILE_KEYS_SHIFT 16  /* Most keys, and most queries, of a command. */
#define PASA_BUILD_1_TILE_KEYS_MASK 0xffff0000u

/* Build parameters 2 */
#define PASA_REG_BUILD_2 0x010u
#define PASA_BUILD_2_MERGE_ROWS_SHIFT 0  /* Most queries of a command that merges. */
#define PASA_BUILD_2_MERGE_ROWS_MASK 0x0000ffffu
#define PASA_BUILD_2_COMMAND_DEPTH_SHIFT 16  /* Commands that wait for the accelerator at most. */
#define PASA_BUILD_2_COMMAND_DEPTH_MASK 0x00ff0000u
#define PASA_BUILD_2_STATUS_DEPTH_SHIFT 24  /* Statuses that wait for software at most. */
#define PASA_BUILD_2_STATUS_DEPTH_MASK 0xff000000u

/* Control */
#define PASA_REG_CONTROL 0x014u
#define PASA_CONTROL_SOFT_RESET_SHIFT 0  /* Write 1: everything but the bus is reset, commands and statuses are lost, INTERRUPT_STATUS and CAUSES clear. Reads 1 until the reset is over. */
#define PASA_CONTROL_SOFT_RESET_MASK 0x00000001u

/* State */
#define PASA_REG_STATE 0x018u
#define PASA_STATE_COMMAND_ROOM_SHIFT 0  /* Commands that SUBMIT takes now. */
#define PASA_STATE_COMMAND_ROOM_MASK 0x000000ffu
#define PASA_STATE_STATUS_WAITING_SHIFT 8  /* Statuses that wait. */
#define PASA_STATE_STATUS_WAITING_MASK 0x0000ff00u
#define PASA_STATE_IN_FLIGHT_SHIFT 16  /* Commands submitted whose status has not arrived. */
#define PASA_STATE_IN_FLIGHT_MASK 0x00ff0000u
#define PASA_STATE_IDLE_SHIFT 24  /* No command waits or runs, no status waits. */
#define PASA_STATE_IDLE_MASK 0x01000000u

/* Interrupt enable */
#define PASA_REG_INTERRUPT_ENABLE 0x01cu
#define PASA_INTERRUPT_ENABLE_STATUS_READY_SHIFT 0
#define PASA_INTERRUPT_ENABLE_STATUS_READY_MASK 0x00000001u
#define PASA_INTERRUPT_ENABLE_REFUSED_SHIFT 1
#define PASA_INTERRUPT_ENABLE_REFUSED_MASK 0x00000002u
#define PASA_INTERRUPT_ENABLE_COMMAND_OVERFLOW_SHIFT 2
#define PASA_INTERRUPT_ENABLE_COMMAND_OVERFLOW_MASK 0x00000004u
#define PASA_INTERRUPT_ENABLE_STATUS_UNDERFLOW_SHIFT 3
#define PASA_INTERRUPT_ENABLE_STATUS_UNDERFLOW_MASK 0x00000008u

/* Interrupt status */
#define PASA_REG_INTERRUPT_STATUS 0x020u
#define PASA_INTERRUPT_STATUS_STATUS_READY_SHIFT 0  /* A status arrived. */
#define PASA_INTERRUPT_STATUS_STATUS_READY_MASK 0x00000001u
#define PASA_INTERRUPT_STATUS_REFUSED_SHIFT 1  /* A status with causes arrived. */
#define PASA_INTERRUPT_STATUS_REFUSED_MASK 0x00000002u
#define PASA_INTERRUPT_STATUS_COMMAND_OVERFLOW_SHIFT 2  /* SUBMIT without room: the command is not queued. */
#define PASA_INTERRUPT_STATUS_COMMAND_OVERFLOW_MASK 0x00000004u
#define PASA_INTERRUPT_STATUS_STATUS_UNDERFLOW_SHIFT 3  /* STATUS_POP while no status waited. */
#define PASA_INTERRUPT_STATUS_STATUS_UNDERFLOW_MASK 0x00000008u

/* Causes */
#define PASA_REG_CAUSES 0x024u
#define PASA_CAUSES_SHAPE_SHIFT 0  /* query_count, key_count or dims is 0 or beyond the build. */
#define PASA_CAUSES_SHAPE_MASK 0x00000001u
#define PASA_CAUSES_MASK_SHIFT 1  /* key_length above key_count. */
#define PASA_CAUSES_MASK_MASK 0x00000002u
#define PASA_CAUSES_SELECT_SHIFT 2  /* budget 0, or predicted_slices 0 or beyond the build. */
#define PASA_CAUSES_SELECT_MASK 0x00000004u
#define PASA_CAUSES_SCALE_SHIFT 3  /* A multiplier of 0, or a shift beyond its limit. */
#define PASA_CAUSES_SCALE_MASK 0x00000008u
#define PASA_CAUSES_QUERY_PACKET_SHIFT 4  /* Query packet short, long or broken. */
#define PASA_CAUSES_QUERY_PACKET_MASK 0x00000010u
#define PASA_CAUSES_KEY_PACKET_SHIFT 5  /* Key packet short, long or broken. */
#define PASA_CAUSES_KEY_PACKET_MASK 0x00000020u
#define PASA_CAUSES_VALUE_PACKET_SHIFT 6  /* Value packet short, long or broken. */
#define PASA_CAUSES_VALUE_PACKET_MASK 0x00000040u
#define PASA_CAUSES_CHAIN_SHIFT 7  /* reuse_keys or merge_previous, but the command before does not allow it. */
#define PASA_CAUSES_CHAIN_MASK 0x00000080u

/* Command word 0 */
#define PASA_REG_COMMAND_0 0x040u
#define PASA_COMMAND_0_TAG_SHIFT 0  /* Comes back in the status. */
#define PASA_COMMAND_0_TAG_MASK 0x0000ffffu
#define PASA_COMMAND_0_QUERY_COUNT_SHIFT 16  /* Rows of Q. */
#define PASA_COMMAND_0_QUERY_COUNT_MASK 0xffff0000u

/* Command word 1 */
#define PASA_REG_COMMAND_1 0x044u
#define PASA_COMMAND_1_KEY_COUNT_SHIFT 0  /* Rows of K and V. */
#define PASA_COMMAND_1_KEY_COUNT_MASK 0x0000ffffu
#define PASA_COMMAND_1_KEY_LENGTH_SHIFT 16  /* Keys at or beyond it are masked. */
#define PASA_COMMAND_1_KEY_LENGTH_MASK 0xffff0000u

/* Command word 2 */
#define PASA_REG_COMMAND_2 0x048u
#define PASA_COMMAND_2_DIMS_SHIFT 0  /* Dimensions of Q, K and V. */
#define PASA_COMMAND_2_DIMS_MASK 0x0000ffffu
#define PASA_COMMAND_2_BUDGET_SHIFT 16  /* Most keys a row keeps, with use_budget. */
#define PASA_COMMAND_2_BUDGET_MASK 0xffff0000u

/* Command word 3 */
#define PASA_REG_COMMAND_3 0x04cu
#define PASA_COMMAND_3_WINDOW_SHIFT 0  /* Keys nearer than this are visible; 0: no window. */
#define PASA_COMMAND_3_WINDOW_MASK 0x0000ffffu
#define PASA_COMMAND_3_SINKS_SHIFT 16  /* First keys, visible beyond the window. */
#define PASA_COMMAND_3_SINKS_MASK 0xffff0000u

/* Command word 4 */
#define PASA_REG_COMMAND_4 0x050u
#define PASA_COMMAND_4_QUERY_OFFSET_SHIFT 0  /* Position of the first query, two's complement. */
#define PASA_COMMAND_4_QUERY_OFFSET_MASK 0x000fffffu
#define PASA_COMMAND_4_PREDICTED_SLICES_SHIFT 20  /* Slices of 16 dimensions that the predictor reads. */
#define PASA_COMMAND_4_PREDICTED_SLICES_MASK 0x01f00000u
#define PASA_COMMAND_4_USE_THRESHOLD_SHIFT 25  /* Keep keys of at least min_probability. */
#define PASA_COMMAND_4_USE_THRESHOLD_MASK 0x02000000u
#define PASA_COMMAND_4_USE_BUDGET_SHIFT 26  /* Keep at most budget keys a row. */
#define PASA_COMMAND_4_USE_BUDGET_MASK 0x04000000u
#define PASA_COMMAND_4_USE_TAIL_SHIFT 27  /* Dropped keys count as one virtual key a block. */
#define PASA_COMMAND_4_USE_TAIL_MASK 0x08000000u
#define PASA_COMMAND_4_CAUSAL_SHIFT 28  /* A query sees no key behind its own position. */
#define PASA_COMMAND_4_CAUSAL_MASK 0x10000000u
#define PASA_COMMAND_4_OUTPUT_INT16_SHIFT 29  /* Output codes of 16 bits instead of 8. */
#define PASA_COMMAND_4_OUTPUT_INT16_MASK 0x20000000u
#define PASA_COMMAND_4_REUSE_KEYS_SHIFT 30  /* No key and value packet: those of the command before. */
#define PASA_COMMAND_4_REUSE_KEYS_MASK 0x40000000u
#define PASA_COMMAND_4_MERGE_PREVIOUS_SHIFT 31  /* The rows go on where the command before left them. */
#define PASA_COMMAND_4_MERGE_PREVIOUS_MASK 0x80000000u

/* Command word 5 */
#define PASA_REG_COMMAND_5 0x054u
#define PASA_COMMAND_5_SCORE_MULTIPLIER_SHIFT 0  /* Exact score to octaves. */
#define PASA_COMMAND_5_SCORE_MULTIPLIER_MASK 0x0001ffffu
#define PASA_COMMAND_5_SCORE_SHIFT_SHIFT 17  /* Right shift of an exact score, up to 47. */
#define PASA_COMMAND_5_SCORE_SHIFT_MASK 0x007e0000u
#define PASA_COMMAND_5_OUTPUT_SHIFT_SHIFT 23  /* Right shift of the output, 1 to 47. */
#define PASA_COMMAND_5_OUTPUT_SHIFT_MASK 0x1f800000u
#define PASA_COMMAND_5_MERGE_NEXT_SHIFT 29  /* No output: the command after goes on with the rows. */
#define PASA_COMMAND_5_MERGE_NEXT_MASK 0x20000000u

/* Command word 6 */
#define PASA_REG_COMMAND_6 0x058u
#define PASA_COMMAND_6_PREDICTED_MULTIPLIER_SHIFT 0  /* Predicted score to octaves. */
#define PASA_COMMAND_6_PREDICTED_MULTIPLIER_MASK 0x00000fffu
#define PASA_COMMAND_6_PREDICTED_SHIFT_SHIFT 12  /* Right shift of a predicted score, up to 31. */
#define PASA_COMMAND_6_PREDICTED_SHIFT_MASK 0x0003f000u
#define PASA_COMMAND_6_MIN_PROBABILITY_SHIFT 18  /* -log2 of the probability to keep, U5.8. */
#define PASA_COMMAND_6_MIN_PROBABILITY_MASK 0x7ffc0000u

/* Command word 7 */
#define PASA_REG_COMMAND_7 0x05cu
#define PASA_COMMAND_7_OUTPUT_MULTIPLIER_SHIFT 0  /* Average of V to output codes. */
#define PASA_COMMAND_7_OUTPUT_MULTIPLIER_MASK 0x0000ffffu

/* Submit */
#define PASA_REG_SUBMIT 0x060u
#define PASA_SUBMIT_SUBMIT_SHIFT 0  /* Write 1: the command record is queued. SLVERR when there is no room, or in soft reset; without room command_overflow is set as well. */
#define PASA_SUBMIT_SUBMIT_MASK 0x00000001u

/* Status word 0 */
#define PASA_REG_STATUS_0 0x080u
#define PASA_STATUS_0_TAG_SHIFT 0  /* Of the command. */
#define PASA_STATUS_0_TAG_MASK 0x0000ffffu
#define PASA_STATUS_0_CAUSES_SHIFT 16  /* 0: done. Else refused whole, bits as in CAUSES. */
#define PASA_STATUS_0_CAUSES_MASK 0x00ff0000u
#define PASA_STATUS_0_RESERVED_SHIFT 24  /* 0. */
#define PASA_STATUS_0_RESERVED_MASK 0xff000000u

/* Status word 1 */
#define PASA_REG_STATUS_1 0x084u
#define PASA_STATUS_1_ROWS_SHIFT 0  /* Rows done. */
#define PASA_STATUS_1_ROWS_MASK 0x0000ffffu
#define PASA_STATUS_1_EMPTY_ROWS_SHIFT 16  /* Rows with no visible key: output zeros. */
#define PASA_STATUS_1_EMPTY_ROWS_MASK 0xffff0000u

/* Status word 2 */
#define PASA_REG_STATUS_2 0x088u
#define PASA_STATUS_2_SATURATIONS_SHIFT 0  /* Output codes clipped. */
#define PASA_STATUS_2_SATURATIONS_MASK 0xffffffffu

/* Status word 3 */
#define PASA_REG_STATUS_3 0x08cu
#define PASA_STATUS_3_KEYS_VISIBLE_SHIFT 0  /* Keys visible, over all rows. */
#define PASA_STATUS_3_KEYS_VISIBLE_MASK 0xffffffffu

/* Status word 4 */
#define PASA_REG_STATUS_4 0x090u
#define PASA_STATUS_4_KEYS_KEPT_SHIFT 0  /* Keys kept, over all rows. */
#define PASA_STATUS_4_KEYS_KEPT_MASK 0xffffffffu

/* Status word 5 */
#define PASA_REG_STATUS_5 0x094u
#define PASA_STATUS_5_BLOCKS_COMPENSATED_SHIFT 0  /* Virtual keys, over all rows. */
#define PASA_STATUS_5_BLOCKS_COMPENSATED_MASK 0xffffffffu

/* Status word 6 */
#define PASA_REG_STATUS_6 0x098u
#define PASA_STATUS_6_DROPPED_MASS_SHIFT 0  /* Estimated dropped share, sum over rows, 2^-14. */
#define PASA_STATUS_6_DROPPED_MASS_MASK 0xffffffffu

/* Status word 7 */
#define PASA_REG_STATUS_7 0x09cu
#define PASA_STATUS_7_CYCLES_SHIFT 0  /* Clocks from first row started to last output beat taken. */
#define PASA_STATUS_7_CYCLES_MASK 0xffffffffu

/* Status word 8 */
#define PASA_REG_STATUS_8 0x0a0u
#define PASA_STATUS_8_STALL_IN_SHIFT 0  /* Clocks idle for want of input. */
#define PASA_STATUS_8_STALL_IN_MASK 0xffffffffu

/* Status word 9 */
#define PASA_REG_STATUS_9 0x0a4u
#define PASA_STATUS_9_STALL_OUT_SHIFT 0  /* Clocks an output beat waited. */
#define PASA_STATUS_9_STALL_OUT_MASK 0xffffffffu

/* Remove a status */
#define PASA_REG_STATUS_POP 0x0a8u
#define PASA_STATUS_POP_POP_SHIFT 0  /* Write 1: the oldest status is removed. SLVERR when none waits, or in soft reset; when none waits status_underflow is set as well. */
#define PASA_STATUS_POP_POP_MASK 0x00000001u

#endif
