// SPDX-License-Identifier: Apache-2.0
//
// predictor_bench - pasa_predictor with a memory of key nibbles
//
// Why      A memory in Verilog keeps Python off the path of every clock.
// Contract * nibble words are written at {slot, word, slice} through write_*;
//            reads come 2 clocks later, as from pasa_key_store
//          * `busy` is high when an output pulse needs a look

`default_nettype none
`include "pasa_formats.vh"
module predictor_bench #(
    parameter ROWS       = 4,
    parameter PRED_KEYS  = 32,
    parameter HEAD_DIM   = 64,
    parameter TILE_KEYS  = 2048,
    parameter PRED_BITS  = 4,
    parameter BLOCK_KEYS = 64,
    parameter MERGE_ROWS = 256
) (
    input  wire                                   clk,
    input  wire                                   rst,
    input  wire                                   write_enable,
    input  wire [$clog2(TILE_KEYS/PRED_KEYS)+(HEAD_DIM>16?$clog2(HEAD_DIM/16):1):0] write_address,
    input  wire [PRED_KEYS*16*PRED_BITS-1:0]      write_data,

    input  wire                                   job_valid,
    output wire                                   job_ready,
    input  wire                                   job_slot,
    input  wire [`PASA_COMMAND_BITS-1:0]          job_command,
    input  wire                                   s_query_valid,
    output wire                                   s_query_ready,
    input  wire [HEAD_DIM*8-1:0]                  s_query_data,
    input  wire                                   ring_free,

    output wire                                   busy,
    output wire                                   ring_take,
    output wire                                   query_write_valid,
    output wire [2:0]                             query_write_block,
    output wire [(ROWS>1?$clog2(ROWS):1)-1:0]     query_write_row,
    output wire [HEAD_DIM*8-1:0]                  query_write_data,
    output wire [ROWS-1:0]                        entry_valid,
    output wire [2:0]                             entry_ring_block,
    output wire [$clog2(TILE_KEYS/BLOCK_KEYS)-1:0] entry_block,
    output wire [ROWS*BLOCK_KEYS-1:0]             entry_mask,
    output wire [ROWS*(`PASA_PREDICTED_WEIGHT_FRACTION+1+$clog2(BLOCK_KEYS))-1:0] entry_tail,
    output wire                                   rows_valid,
    output wire [2:0]                             rows_ring_block,
    output wire [ROWS-1:0]                        rows_present,
    output wire                                   rows_last,
    output wire                                   rows_slot,
    output wire [ROWS*($clog2(TILE_KEYS)+1)-1:0]  rows_items,
    output wire [ROWS*24-1:0]                     rows_reference,
    output wire [ROWS-1:0]                        rows_tail,
    output wire [$clog2(TILE_KEYS)+$clog2(ROWS):0] rows_visible_sum,
    output wire [$clog2(TILE_KEYS)+$clog2(ROWS):0] rows_kept_sum,
    output wire [$clog2(TILE_KEYS)+$clog2(ROWS):0] rows_blocks_sum,
    output wire [`PASA_PREDICTED_WEIGHT_FRACTION+$clog2(ROWS):0] rows_dropped_sum,
    output wire [$clog2(ROWS):0]                  rows_empty_sum
);
    localparam WORDS      = TILE_KEYS / PRED_KEYS;
    localparam SLICES     = HEAD_DIM / 16;
    localparam WORD_BITS  = $clog2(WORDS);
    localparam SLICE_BITS = SLICES > 1 ? $clog2(SLICES) : 1;
    localparam NIBBLES    = PRED_KEYS * 16 * PRED_BITS;

    wire                  nibble_enable, nibble_slot;
    wire [WORD_BITS-1:0]  nibble_word;
    wire [SLICE_BITS-1:0] nibble_slice;
    wire [NIBBLES-1:0]    read_data;
    reg  [NIBBLES-1:0]    nibble_data;
    pasa_ram #(.WIDTH(NIBBLES), .DEPTH(2 * WORDS << SLICE_BITS)) nibbles (
        .clk(clk), .write_enable(write_enable), .write_address(write_address),
        .write_data(write_data), .read_enable(nibble_enable),
        .read_address({nibble_slot, nibble_word, nibble_slice}), .read_data(read_data)
    );
    always @(posedge clk) nibble_data <= read_data;

    assign busy = ring_take | query_write_valid | |entry_valid | rows_valid;

    pasa_predictor #(
        .ROWS(ROWS), .PRED_KEYS(PRED_KEYS), .HEAD_DIM(HEAD_DIM), .TILE_KEYS(TILE_KEYS),
        .PRED_BITS(PRED_BITS), .BLOCK_KEYS(BLOCK_KEYS), .MERGE_ROWS(MERGE_ROWS)
    ) predictor (
        .clk(clk), .rst(rst), .job_valid(job_valid), .job_ready(job_ready), .job_slot(job_slot),
        .job_command(job_command), .s_query_valid(s_query_valid), .s_query_ready(s_query_ready),
        .s_query_data(s_query_data), .nibble_enable(nibble_enable), .nibble_slot(nibble_slot),
        .nibble_word(nibble_word), .nibble_slice(nibble_slice), .nibble_data(nibble_data),
        .ring_free(ring_free), .ring_take(ring_take), .query_write_valid(query_write_valid),
        .query_write_block(query_write_block), .query_write_row(query_write_row),
        .query_write_data(query_write_data), .entry_valid(entry_valid),
        .entry_ring_block(entry_ring_block), .entry_block(entry_block), .entry_mask(entry_mask),
        .entry_tail(entry_tail), .rows_valid(rows_valid), .rows_ring_block(rows_ring_block),
        .rows_present(rows_present), .rows_last(rows_last), .rows_slot(rows_slot),
        .rows_items(rows_items), .rows_reference(rows_reference), .rows_tail(rows_tail),
        .rows_visible_sum(rows_visible_sum), .rows_kept_sum(rows_kept_sum),
        .rows_blocks_sum(rows_blocks_sum), .rows_dropped_sum(rows_dropped_sum),
        .rows_empty_sum(rows_empty_sum)
    );
endmodule
`default_nettype wire
