// SPDX-License-Identifier: Apache-2.0
//
// pasa_predict_row - PREDICT for one row: from nibbles to distances and counts
//
// Why      The rows of a block read the same words of keys; what belongs to
//          one row alone stands here.
// Contract * clock 0 is the one in which the nibbles of a word's slice were
//            asked for; inputs and outputs are counted from it:
//            run, slice_first, keys, row at 2; multiplier at 6; high at 7,
//            high_late at 8; valid, valid_first (a word's last slice) at 9;
//            word, stop, from, sinks at 0
//          * distances and exponent at 12 + TREE, budget at 13 + 2*TREE,
//            octave, need, visible_count, row_exponent and row_nearest at
//            16 + 2*TREE, TREE = (clog2(PRED_KEYS) + 1) / 2
//          * golden: fixed._Head.predict
// Cost     about 620*PRED_KEYS LUT, PRED_KEYS DSP48E1
// Checked  make unit M=pasa_predictor

`default_nettype none
`include "pasa_formats.vh"
module pasa_predict_row #(
    parameter PRED_KEYS       = 32,
    parameter HEAD_DIM        = 64,
    parameter TILE_KEYS       = 2048,
    parameter PRED_BITS       = 4,
    parameter MULTIPLIER_BITS = 24,  // these three as in pasa_query_load
    parameter LOW_SHIFT       = 12,
    parameter HIGH_SHIFT      = 24
) (
    input  wire clk,
    input  wire run,
    input  wire slice_first,
    input  wire [PRED_KEYS*16*PRED_BITS-1:0]            keys,
    input  wire [16*PRED_BITS-1:0]                      row,
    input  wire [MULTIPLIER_BITS-1:0]                   multiplier,
    input  wire                                         high,
    input  wire                                         high_late,
    input  wire [$clog2(TILE_KEYS/PRED_KEYS)-1:0]       word,
    input  wire [$clog2(TILE_KEYS):0]                   stop,
    input  wire [$clog2(TILE_KEYS):0]                   from,
    input  wire [$clog2(TILE_KEYS):0]                   sinks,
    input  wire                                         valid,
    input  wire                                         valid_first,
    input  wire [$clog2(TILE_KEYS):0]                   budget,

    output wire [PRED_KEYS*`PASA_DISTANCE_BITS-1:0]     distances,
    output wire [`PASA_PREDICTED_BITS-`PASA_PREDICTED_FRACTION:0] exponent,
    output wire [3:0]                                   octave,
    output wire [$clog2(TILE_KEYS):0]                   need,
    output wire [$clog2(TILE_KEYS):0]                   visible_count,
    output wire [`PASA_PREDICTED_BITS-`PASA_PREDICTED_FRACTION:0] row_exponent,
    output wire [`PASA_PREDICTED_FRACTION-1:0]          row_nearest
);
    localparam PRODUCT_BITS = 2 * PRED_BITS + $clog2(HEAD_DIM);
    localparam B            = `PASA_PREDICTED_BITS;
    localparam E            = B - `PASA_PREDICTED_FRACTION + 1;
    localparam N            = `PASA_PREDICTED_FRACTION;
    localparam TREE         = ($clog2(PRED_KEYS) + 1) / 2;

    wire [PRED_KEYS*PRODUCT_BITS-1:0] products;
    pasa_nibble_dot #(.PRED_KEYS(PRED_KEYS), .HEAD_DIM(HEAD_DIM), .PRED_BITS(PRED_BITS)) dot (
        .clk(clk), .run(run), .first(slice_first), .keys(keys), .row(row), .products(products)
    );

    wire [PRED_KEYS-1:0] visible;    // at 8
    pasa_visibility #(.PRED_KEYS(PRED_KEYS), .TILE_KEYS(TILE_KEYS), .WAIT(6)) visibility (
        .clk(clk), .word(word), .stop(stop), .from(from), .sinks(sinks), .visible(visible)
    );

    wire [PRED_KEYS*B-1:0] scores;   // at 9
    genvar c;
    generate for (c = 0; c < PRED_KEYS; c = c + 1) begin : g_key
        pasa_predicted_score #(
            .PRODUCT_BITS(PRODUCT_BITS), .MULTIPLIER_BITS(MULTIPLIER_BITS),
            .LOW_SHIFT(LOW_SHIFT), .HIGH_SHIFT(HIGH_SHIFT)
        ) score (
            .clk(clk), .product(products[c*PRODUCT_BITS +: PRODUCT_BITS]),
            .multiplier(multiplier), .high(high), .high_late(high_late),
            .visible(visible[c]), .out(scores[c*B +: B])
        );
    end endgenerate

    reg [PRED_KEYS-1:0] visible_9;
    always @(posedge clk) visible_9 <= visible;

    wire [4:0]   rise;
    wire [N-1:0] nearest;
    pasa_distance #(.PRED_KEYS(PRED_KEYS)) below_best (
        .clk(clk), .valid(valid), .first(valid_first), .scores(scores), .visible(visible_9),
        .distances(distances), .exponent(exponent), .rise(rise), .nearest(nearest)
    );

    wire counts_valid, counts_first;
    pasa_delay #(.WIDTH(2), .CLOCKS(TREE + 3)) flags_wait (
        .clk(clk), .in({valid, valid_first}), .out({counts_valid, counts_first})
    );
    pasa_octave_counts #(.PRED_KEYS(PRED_KEYS), .TILE_KEYS(TILE_KEYS)) octave_counts (
        .clk(clk), .valid(counts_valid), .first(counts_first), .distances(distances),
        .rise(rise), .budget(budget), .octave(octave), .need(need), .visible(visible_count)
    );
    pasa_delay #(.WIDTH(E + N), .CLOCKS(TREE + 4)) row_wait (
        .clk(clk), .in({exponent, nearest}), .out({row_exponent, row_nearest})
    );
endmodule
`default_nettype wire
