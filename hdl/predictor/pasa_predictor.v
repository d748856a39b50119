// SPDX-License-Identifier: Apache-2.0
//
// pasa_predictor - which keys of each query row are worth an exact look
//
// Why      A few keys carry most of a softmax row. Low-precision scores find
//          them for ROWS rows at a time, PRED_KEYS keys a clock, and weigh
//          all the others in blocks.
// Contract * jobs, one a command, in order; job_command may change once taken
//          * rows come in blocks of ROWS, numbered 0 to RING_BLOCKS-1 around;
//            each waits for ring_free, then gives ring_take (one pulse); a
//            look at ring_free is at least 6 clocks after the last ring_take
//          * every row goes to the ring (query_write_*); then its entries:
//            for each block of keys with a kept key or a tail, in increasing
//            key order, at most one a row and clock; then the header rows_*
//          * entries and headers cannot be held; headers come in order
//          * a block of rows costs max(words * slices + 1, ROWS + 3, 8)
//            clocks while the ring has room; words: those any row may see
//          * nibble_data comes 2 clocks after nibble_enable
//          * no path from any input to any output within a clock
//          * rows go on (merge_previous) with the predicted sums that the
//            command before left (merge_next), once that one is finished
//          * golden: fixed._Head.rows up to tail and dropped_mass, selection,
//            masks
// Cost     see README.md
// Checked  make unit M=pasa_predictor

`default_nettype none
`include "pasa_formats.vh"
module pasa_predictor #(
    parameter ROWS        = 4,
    parameter PRED_KEYS   = 32,
    parameter HEAD_DIM    = 64,
    parameter TILE_KEYS   = 2048,
    parameter PRED_BITS   = 4,
    parameter BLOCK_KEYS  = 64,
    parameter RING_BLOCKS = 8,
    parameter MERGE_ROWS  = 256,     // rows that may go on from one command to the next
    parameter SLOT_BITS   = 1        // of a command under way
) (
    input  wire clk,
    input  wire rst,

    input  wire                                     job_valid,
    output wire                                     job_ready,
    input  wire [SLOT_BITS-1:0]                     job_slot,
    input  wire [`PASA_COMMAND_BITS-1:0]            job_command,

    input  wire                                     s_query_valid,
    output wire                                     s_query_ready,
    input  wire [HEAD_DIM*8-1:0]                    s_query_data,

    output wire                                     nibble_enable,
    output wire [SLOT_BITS-1:0]                     nibble_slot,
    output wire [$clog2(TILE_KEYS/PRED_KEYS)-1:0]   nibble_word,
    output wire [(HEAD_DIM>16?$clog2(HEAD_DIM/16):1)-1:0] nibble_slice,
    input  wire [PRED_KEYS*16*PRED_BITS-1:0]        nibble_data,

    input  wire                                     ring_free,
    output wire                                     ring_take,
    output wire                                     query_write_valid,
    output wire [$clog2(RING_BLOCKS)-1:0]           query_write_block,
    output wire [(ROWS>1?$clog2(ROWS):1)-1:0]       query_write_row,
    output wire [HEAD_DIM*8-1:0]                    query_write_data,

    output wire [ROWS-1:0]                          entry_valid,
    output wire [$clog2(RING_BLOCKS)-1:0]           entry_ring_block,
    output wire [$clog2(TILE_KEYS/BLOCK_KEYS)-1:0]  entry_block,
    output wire [ROWS*BLOCK_KEYS-1:0]               entry_mask,
    output wire [ROWS*(`PASA_PREDICTED_WEIGHT_FRACTION+1+$clog2(BLOCK_KEYS))-1:0] entry_tail, // U.14

    output wire                                     rows_valid,
    output wire [$clog2(RING_BLOCKS)-1:0]           rows_ring_block,
    output wire [ROWS-1:0]                          rows_present,
    output wire                                     rows_last,      // the command's last
    output wire [SLOT_BITS-1:0]                     rows_slot,
    output wire [ROWS*($clog2(TILE_KEYS)+1)-1:0]    rows_items,     // kept and virtual keys
    output wire [ROWS*24-1:0]                       rows_reference, // signed octaves
    output wire [ROWS-1:0]                          rows_tail,      // has a virtual key
    output wire [$clog2(TILE_KEYS)+$clog2(ROWS):0]  rows_visible_sum,
    output wire [$clog2(TILE_KEYS)+$clog2(ROWS):0]  rows_kept_sum,
    output wire [$clog2(TILE_KEYS)+$clog2(ROWS):0]  rows_blocks_sum,
    output wire [`PASA_PREDICTED_WEIGHT_FRACTION+$clog2(ROWS):0] rows_dropped_sum, // U.14
    output wire [$clog2(ROWS):0]                    rows_empty_sum
);
    localparam COUNT_BITS = $clog2(TILE_KEYS) + 1;
    localparam WORDS      = TILE_KEYS / PRED_KEYS;
    localparam WORD_BITS  = $clog2(WORDS);
    localparam SLICE_BITS = HEAD_DIM > 16 ? $clog2(HEAD_DIM / 16) : 1;
    localparam RING_BITS  = $clog2(RING_BLOCKS);
    localparam E          = `PASA_PREDICTED_BITS - `PASA_PREDICTED_FRACTION + 1;
    localparam N          = `PASA_PREDICTED_FRACTION;
    localparam D          = PRED_KEYS * `PASA_DISTANCE_BITS;
    localparam C          = `PASA_DISTANCE_BITS;
    localparam L          = `PASA_LOG_FRACTION + 7;
    localparam P          = `PASA_MIN_PROBABILITY_BITS;
    localparam BUFFERS    = 8;       // blocks of rows between two stages; a block of few
                                     // words spends 60 clocks there, most of them in pipelines
    localparam BUFFER_BITS = $clog2(BUFFERS) + WORD_BITS;
    localparam LEVEL_BITS  = $clog2(BUFFERS) + 1;

    // A product of nibbles lies within +-2^(PRODUCT_BITS-2), so a shift beyond
    // HIGH_SHIFT leaves nothing. See pasa_predicted_score.
    localparam PRODUCT_BITS    = 2 * PRED_BITS + $clog2(HEAD_DIM);
    localparam HIGH_SHIFT      = `PASA_PREDICTED_MULTIPLIER_BITS + PRODUCT_BITS - 2;
    localparam LOW_SHIFT       = HIGH_SHIFT / 2;
    localparam MULTIPLIER_BITS = `PASA_PREDICTED_MULTIPLIER_BITS + LOW_SHIFT;

    generate if (PRED_KEYS > BLOCK_KEYS || PRED_KEYS < 2) begin : g_check_keys
        pasa_predictor_ERROR_PRED_KEYS_must_be_2_to_BLOCK_KEYS bad ();
    end endgenerate
    generate if (TILE_KEYS < 2 * BLOCK_KEYS || HEAD_DIM % 16 != 0) begin : g_check_shape
        pasa_predictor_ERROR_TILE_KEYS_must_be_2_BLOCK_KEYS_and_HEAD_DIM_a_multiple_of_16 bad ();
    end endgenerate

    // QLOAD
    wire                               load_valid, load_ready, load_last;
    wire [SLOT_BITS-1:0]               load_slot;
    wire [RING_BITS-1:0]               load_ring;
    wire [ROWS-1:0]                    load_present;
    wire [ROWS*HEAD_DIM*PRED_BITS-1:0] load_nibbles;
    wire [ROWS*COUNT_BITS-1:0]         load_stop, load_from;
    wire [COUNT_BITS-1:0]              load_sinks, load_budget;
    wire [4*WORD_BITS:0]               load_walk;
    wire [MULTIPLIER_BITS-1:0]         load_multiplier;
    wire                               load_high, load_dense, load_use_tail;
    wire                               load_use_threshold, load_use_budget;
    wire                               load_merge_previous, load_merge_next;
    wire [SLICE_BITS-1:0]              load_slice_last;
    wire [P-1:0]                       load_min_probability;
    wire [WORD_BITS-1:0] load_first, load_jump_at, load_jump_to, load_final;
    wire                 load_jump;
    assign load_walk = {load_jump, load_first, load_jump_at, load_jump_to, load_final};
    pasa_query_load #(
        .ROWS(ROWS), .PRED_KEYS(PRED_KEYS), .HEAD_DIM(HEAD_DIM), .TILE_KEYS(TILE_KEYS),
        .PRED_BITS(PRED_BITS), .RING_BLOCKS(RING_BLOCKS), .SLOT_BITS(SLOT_BITS),
        .MULTIPLIER_BITS(MULTIPLIER_BITS), .LOW_SHIFT(LOW_SHIFT), .HIGH_SHIFT(HIGH_SHIFT)
    ) query_load (
        .clk(clk), .rst(rst),
        .job_valid(job_valid), .job_ready(job_ready), .job_slot(job_slot),
        .job_command(job_command),
        .s_query_valid(s_query_valid), .s_query_ready(s_query_ready), .s_query_data(s_query_data),
        .ring_free(ring_free), .ring_take(ring_take), .query_write_valid(query_write_valid),
        .query_write_block(query_write_block), .query_write_row(query_write_row),
        .query_write_data(query_write_data),
        .block_valid(load_valid), .block_ready(load_ready), .block_ring(load_ring),
        .block_slot(load_slot), .block_present(load_present), .block_last(load_last),
        .block_nibbles(load_nibbles), .block_stop(load_stop), .block_from(load_from),
        .block_sinks(load_sinks), .walk_first(load_first), .walk_jump(load_jump),
        .walk_jump_at(load_jump_at), .walk_jump_to(load_jump_to), .walk_last(load_final),
        .block_multiplier(load_multiplier), .block_high(load_high),
        .block_slice_last(load_slice_last), .block_dense(load_dense),
        .block_use_threshold(load_use_threshold), .block_use_budget(load_use_budget),
        .block_use_tail(load_use_tail), .block_merge_previous(load_merge_previous),
        .block_merge_next(load_merge_next), .block_budget(load_budget),
        .block_min_probability(load_min_probability)
    );

    // PREDICT
    wire                     predict_write, predicted, measure_finish;
    wire [BUFFER_BITS-1:0]   predict_address;
    wire [ROWS*(D+E)-1:0]    predict_data;
    wire [ROWS*4-1:0]        predicted_octave;
    wire [ROWS*COUNT_BITS-1:0] predicted_need, predicted_visible;
    wire [ROWS*E-1:0]        predicted_exponent;
    wire [ROWS*N-1:0]        predicted_nearest;
    pasa_predict #(
        .ROWS(ROWS), .PRED_KEYS(PRED_KEYS), .HEAD_DIM(HEAD_DIM), .TILE_KEYS(TILE_KEYS),
        .PRED_BITS(PRED_BITS), .BLOCK_KEYS(BLOCK_KEYS), .BUFFERS(BUFFERS),
        .SLOT_BITS(SLOT_BITS), .MULTIPLIER_BITS(MULTIPLIER_BITS), .LOW_SHIFT(LOW_SHIFT),
        .HIGH_SHIFT(HIGH_SHIFT)
    ) predict (
        .clk(clk), .rst(rst),
        .block_valid(load_valid), .block_ready(load_ready), .block_slot(load_slot),
        .block_nibbles(load_nibbles), .block_stop(load_stop), .block_from(load_from),
        .block_sinks(load_sinks), .walk_first(load_first), .walk_jump(load_jump),
        .walk_jump_at(load_jump_at), .walk_jump_to(load_jump_to), .walk_last(load_final),
        .block_multiplier(load_multiplier), .block_high(load_high),
        .block_slice_last(load_slice_last), .block_budget(load_budget),
        .nibble_enable(nibble_enable), .nibble_slot(nibble_slot), .nibble_word(nibble_word),
        .nibble_slice(nibble_slice), .nibble_data(nibble_data),
        .distance_write(predict_write), .distance_address(predict_address),
        .distance_data(predict_data),
        .result_valid(predicted), .result_octave(predicted_octave), .result_need(predicted_need),
        .result_visible(predicted_visible), .result_exponent(predicted_exponent),
        .result_nearest(predicted_nearest), .release_buffer(measure_finish)
    );

    // What MEASURE needs of a block: its description, from when PREDICT took
    // it, and PREDICT's results. The buffers bound how many wait, so the
    // queues cannot overflow. The result comes last and tells that both are there.
    localparam INFO = RING_BITS + SLOT_BITS + ROWS + 1 + 1 + 1;        // for SELECT
    localparam RULE = 4 + P;                                   // for MEASURE
    localparam WALK = 4 * WORD_BITS + 1;
    localparam PREDICTED = ROWS * (4 + 2 * COUNT_BITS + E + N);
    wire [INFO-1:0] measure_info;
    wire [RULE-1:0] measure_rule;
    wire [WALK-1:0] measure_walk;
    wire [ROWS*4-1:0]          measure_octave;
    wire [ROWS*COUNT_BITS-1:0] measure_need, measure_visible;
    wire [ROWS*E-1:0]          measure_exponent;
    wire [ROWS*N-1:0]          measure_nearest;
    wire measure_valid, measure_ready;
    wire [3:0] unused_ready, unused_valid;
    wire [4*LEVEL_BITS-1:0] unused_level;
    pasa_fifo #(.WIDTH(INFO + RULE + WALK), .DEPTH(BUFFERS)) measure_blocks (
        .clk(clk), .rst(rst), .s_valid(load_valid & load_ready), .s_ready(unused_ready[0]),
        .s_data({load_ring, load_slot, load_present, load_last, load_dense, load_use_tail,
                 load_merge_previous, load_merge_next, load_use_threshold, load_use_budget,
                 load_min_probability, load_walk}),
        .m_valid(unused_valid[0]), .m_ready(measure_valid & measure_ready),
        .m_data({measure_info, measure_rule, measure_walk}), .level(unused_level[0*LEVEL_BITS +: LEVEL_BITS])
    );
    pasa_fifo #(.WIDTH(PREDICTED), .DEPTH(BUFFERS)) measure_results (
        .clk(clk), .rst(rst), .s_valid(predicted), .s_ready(unused_ready[1]),
        .s_data({predicted_octave, predicted_need, predicted_visible, predicted_exponent,
                 predicted_nearest}),
        .m_valid(measure_valid), .m_ready(measure_ready),
        .m_data({measure_octave, measure_need, measure_visible, measure_exponent,
                 measure_nearest}), .level(unused_level[1*LEVEL_BITS +: LEVEL_BITS])
    );
    assign unused_valid[1] = 1'b0;

    wire                  stored_enable;
    wire [BUFFER_BITS-1:0] stored_address;
    wire [ROWS*(D+E)-1:0] stored_data;
    pasa_ram #(.WIDTH(ROWS * (D + E)), .DEPTH(BUFFERS * WORDS)) stored (
        .clk(clk), .write_enable(predict_write), .write_address(predict_address),
        .write_data(predict_data), .read_enable(stored_enable), .read_address(stored_address),
        .read_data(stored_data)
    );

    // MEASURE
    wire                       final_write, measured, select_finish;
    wire [BUFFER_BITS-1:0]     final_address;
    wire [ROWS*D-1:0]          final_data;
    wire [ROWS*C-1:0]          measured_cut;
    wire [ROWS*COUNT_BITS-1:0] measured_ties;
    wire [ROWS*L-1:0]          measured_log_total;
    pasa_measure #(
        .ROWS(ROWS), .PRED_KEYS(PRED_KEYS), .TILE_KEYS(TILE_KEYS), .BLOCK_KEYS(BLOCK_KEYS),
        .BUFFERS(BUFFERS), .MERGE_ROWS(MERGE_ROWS)
    ) measure (
        .clk(clk), .rst(rst), .block_valid(measure_valid), .block_ready(measure_ready),
        .walk_jump(measure_walk[4*WORD_BITS]),
        .walk_first(measure_walk[3*WORD_BITS +: WORD_BITS]),
        .walk_jump_at(measure_walk[2*WORD_BITS +: WORD_BITS]),
        .walk_jump_to(measure_walk[WORD_BITS +: WORD_BITS]),
        .walk_last(measure_walk[0 +: WORD_BITS]),
        .block_use_threshold(measure_rule[P+1]), .block_use_budget(measure_rule[P]),
        .block_min_probability(measure_rule[P-1:0]), .block_last(measure_info[2]),
        .block_merge_previous(measure_rule[P+3]), .block_merge_next(measure_rule[P+2]),
        .block_visible(measure_visible), .block_octave(measure_octave),
        .block_need(measure_need), .block_exponent(measure_exponent),
        .block_nearest(measure_nearest),
        .stored_enable(stored_enable), .stored_address(stored_address), .stored_data(stored_data),
        .finish(measure_finish),
        .final_write(final_write), .final_address(final_address), .final_data(final_data),
        .result_valid(measured), .result_cut(measured_cut), .result_ties(measured_ties),
        .result_log_total(measured_log_total), .release_buffer(select_finish)
    );

    // The same for SELECT.
    localparam MEASURED = ROWS * (C + COUNT_BITS + L);
    wire [INFO-1:0] select_info;
    wire [WALK-1:0] select_walk;
    wire [ROWS*COUNT_BITS-1:0] select_visible, select_ties;
    wire [ROWS*E-1:0] select_exponent;
    wire [ROWS*C-1:0] select_cut;
    wire [ROWS*L-1:0] select_log_total;
    wire select_valid, select_ready;
    pasa_fifo #(.WIDTH(INFO + WALK + ROWS * (COUNT_BITS + E)), .DEPTH(BUFFERS)) select_blocks (
        .clk(clk), .rst(rst), .s_valid(measure_valid & measure_ready), .s_ready(unused_ready[2]),
        .s_data({measure_info, measure_walk, measure_visible, measure_exponent}),
        .m_valid(unused_valid[2]), .m_ready(select_valid & select_ready),
        .m_data({select_info, select_walk, select_visible, select_exponent}),
        .level(unused_level[2*LEVEL_BITS +: LEVEL_BITS])
    );
    pasa_fifo #(.WIDTH(MEASURED), .DEPTH(BUFFERS)) select_results (
        .clk(clk), .rst(rst), .s_valid(measured), .s_ready(unused_ready[3]),
        .s_data({measured_cut, measured_ties, measured_log_total}),
        .m_valid(select_valid), .m_ready(select_ready),
        .m_data({select_cut, select_ties, select_log_total}), .level(unused_level[3*LEVEL_BITS +: LEVEL_BITS])
    );
    assign unused_valid[3] = 1'b0;

    wire                   read_enable;
    wire [BUFFER_BITS-1:0] read_address;
    wire [ROWS*D-1:0]      read_data;
    pasa_ram #(.WIDTH(ROWS * D), .DEPTH(BUFFERS * WORDS)) final_ (
        .clk(clk), .write_enable(final_write), .write_address(final_address),
        .write_data(final_data), .read_enable(read_enable), .read_address(read_address),
        .read_data(read_data)
    );

    // SELECT
    pasa_select #(
        .ROWS(ROWS), .PRED_KEYS(PRED_KEYS), .TILE_KEYS(TILE_KEYS), .BLOCK_KEYS(BLOCK_KEYS),
        .BUFFERS(BUFFERS), .RING_BLOCKS(RING_BLOCKS), .SLOT_BITS(SLOT_BITS)
    ) select (
        .clk(clk), .rst(rst), .block_valid(select_valid), .block_ready(select_ready),
        .block_ring(select_info[ROWS+3+SLOT_BITS +: RING_BITS]),
        .block_slot(select_info[ROWS+3 +: SLOT_BITS]),
        .block_present(select_info[3 +: ROWS]), .block_last(select_info[2]),
        .block_dense(select_info[1]), .block_use_tail(select_info[0]),
        .walk_jump(select_walk[4*WORD_BITS]),
        .walk_first(select_walk[3*WORD_BITS +: WORD_BITS]),
        .walk_jump_at(select_walk[2*WORD_BITS +: WORD_BITS]),
        .walk_jump_to(select_walk[WORD_BITS +: WORD_BITS]),
        .walk_last(select_walk[0 +: WORD_BITS]),
        .block_visible(select_visible), .block_exponent(select_exponent),
        .block_cut(select_cut), .block_ties(select_ties), .block_log_total(select_log_total),
        .final_enable(read_enable), .final_address(read_address), .final_data(read_data),
        .finish(select_finish),
        .entry_valid(entry_valid), .entry_ring_block(entry_ring_block),
        .entry_block(entry_block), .entry_mask(entry_mask), .entry_tail(entry_tail),
        .rows_valid(rows_valid), .rows_ring_block(rows_ring_block), .rows_present(rows_present),
        .rows_last(rows_last), .rows_slot(rows_slot), .rows_items(rows_items),
        .rows_reference(rows_reference), .rows_tail(rows_tail),
        .rows_visible_sum(rows_visible_sum), .rows_kept_sum(rows_kept_sum),
        .rows_blocks_sum(rows_blocks_sum), .rows_dropped_sum(rows_dropped_sum),
        .rows_empty_sum(rows_empty_sum)
    );
endmodule
`default_nettype wire
