// SPDX-License-Identifier: Apache-2.0
//
// pasa_measure_row - MEASURE for one row: final distances, row sum, cut
//
// Why      With the row's reference known, one more pass over its distances
//          gives the sum of weights and, in the octave where the budget is
//          used up, the counts for each 1/16 octave.
// Contract * clock 0 is the one in which a word was asked for; stored,
//            exponent and row_exponent belong to 1, octave to 3, valid and
//            first to 4 + TREE, TREE = (clog2(PRED_KEYS) + 1) / 2;
//            octave_late, need and use_* to 5 + TREE; min_probability to
//            11 + TREE, nearest to 12 + TREE; what belongs to the whole row,
//            tile_exponent to before_total, to 0
//          * distances come at 3; after a row's last word the running sum at
//            9 + TREE, cut, ties and log_total at 15 + TREE
//          * final distance = stored + 16 * (octaves the reference rose
//            since), at most DISTANCE_FAR; masked stays masked
//          * golden: selection.predict, selection.kept_keys,
//            merging.running_total
// Cost     about 135*PRED_KEYS LUT at 32 keys
// Checked  make unit M=pasa_predictor

`default_nettype none
`include "pasa_formats.vh"
module pasa_measure_row #(
    parameter PRED_KEYS = 32,
    parameter TILE_KEYS = 2048
) (
    input  wire                                     clk,
    input  wire [PRED_KEYS*`PASA_DISTANCE_BITS-1:0] stored,
    input  wire [`PASA_PREDICTED_BITS-`PASA_PREDICTED_FRACTION:0] exponent,     // stored with it
    input  wire [`PASA_PREDICTED_BITS-`PASA_PREDICTED_FRACTION:0] row_exponent, // the final one
    input  wire [3:0]                               octave,
    input  wire                                     valid,
    input  wire                                     first,
    input  wire [3:0]                               octave_late,     // the same, later
    input  wire [$clog2(TILE_KEYS):0]               need,
    input  wire                                     use_threshold,
    input  wire                                     use_budget,
    input  wire [`PASA_MIN_PROBABILITY_BITS-1:0]    min_probability,
    input  wire [`PASA_PREDICTED_FRACTION-1:0]      nearest,
    input  wire [`PASA_PREDICTED_BITS-`PASA_PREDICTED_FRACTION:0] tile_exponent, // the final one
    input  wire                                     empty,           // no key is visible
    input  wire [`PASA_PREDICTED_BITS-`PASA_PREDICTED_FRACTION:0] before_exponent,
    input  wire [`PASA_RUNNING_BITS-1:0]            before_total,    // of the tiles before
    output wire [`PASA_PREDICTED_BITS-`PASA_PREDICTED_FRACTION:0] running_exponent,
    output wire [`PASA_RUNNING_BITS-1:0]            running,         // with this tile
    output wire [PRED_KEYS*`PASA_DISTANCE_BITS-1:0] distances,
    output wire [`PASA_DISTANCE_BITS-1:0]           cut,
    output wire [$clog2(TILE_KEYS):0]               ties,
    output wire [`PASA_LOG_FRACTION+6:0]            log_total
);
    localparam COUNT_BITS = $clog2(TILE_KEYS) + 1;
    localparam D          = `PASA_DISTANCE_BITS;
    localparam E          = `PASA_PREDICTED_BITS - `PASA_PREDICTED_FRACTION + 1;
    localparam G          = `PASA_PREDICTED_WEIGHT_FRACTION + 1;
    localparam TOTAL_BITS = `PASA_PREDICTED_WEIGHT_FRACTION + COUNT_BITS;
    localparam WORD_BITS  = $clog2(PRED_KEYS) + 1;
    localparam FINE       = 15;
    localparam TREE       = ($clog2(PRED_KEYS) + 1) / 2;

    // Clock 2: octaves the reference rose after this word.
    wire [E-1:0] rise = row_exponent - exponent;
    reg  [4:0] rise_2;
    always @(posedge clk) rise_2 <= |rise[E-1:4] ? 5'd16 : {1'b0, rise[3:0]};

    // Clock 3: final distances. Clock 5: their weights.
    wire [PRED_KEYS*G-1:0]  weights;
    wire [PRED_KEYS*4-1:0]  steps;
    wire [PRED_KEYS-1:0]    here;    // in the octave of the budget
    genvar c, f;
    generate for (c = 0; c < PRED_KEYS; c = c + 1) begin : g_key
        reg  [D-1:0] stored_2, distance;
        wire [5:0]   lifted = {2'd0, stored_2[D-1:4]} + {1'b0, rise_2};
        wire far = |lifted[5:4] | (&{lifted[3:0], stored_2[3:1]});
        always @(posedge clk) begin
            stored_2 <= stored[c*D +: D];
            distance <= &stored_2 ? `PASA_DISTANCE_MASKED
                      : far       ? `PASA_DISTANCE_FAR : {lifted[3:0], stored_2[3:0]};
        end
        assign distances[c*D +: D] = distance;
        assign steps[c*4 +: 4]     = distance[3:0];
        assign here[c]             = distance[D-1:4] == octave;
        pasa_predicted_weight weight (
            .clk(clk), .distance(distance), .zero(1'b0), .out(weights[c*G +: G])
        );
    end endgenerate

    // The sum, at 6 + TREE after the last word.
    wire [G+WORD_BITS-2:0] word_sum; // at 5 + TREE
    pasa_sum #(.COUNT(PRED_KEYS), .WIDTH(G)) sum (.clk(clk), .in(weights), .out(word_sum));
    reg [TOTAL_BITS-1:0] total;
    wire [TOTAL_BITS-1:0] more = {{(TOTAL_BITS-G-WORD_BITS+1){1'b0}}, word_sum};
    reg valid_5, first_5;
    always @(posedge clk) begin
        valid_5 <= valid;
        first_5 <= first;
        if (valid_5) total <= first_5 ? more : total + more;
    end

    // Keys of the budget's octave up to each step, at 5 + TREE.
    wire [FINE*COUNT_BITS-1:0] fine;
    generate for (f = 0; f < FINE; f = f + 1) begin : g_fine
        localparam [3:0] LIMIT = f;
        wire [PRED_KEYS-1:0] reaches;
        reg  [PRED_KEYS-1:0] reaches_4;
        wire [WORD_BITS-1:0] word_count;
        reg  [COUNT_BITS-1:0] count;
        wire [COUNT_BITS-1:0] fresh = {{(COUNT_BITS-WORD_BITS){1'b0}}, word_count};
        for (c = 0; c < PRED_KEYS; c = c + 1) begin : g_within
            assign reaches[c] = here[c] & steps[c*4 +: 4] <= LIMIT;
        end
        pasa_popcount #(.COUNT(PRED_KEYS)) popcount (
            .clk(clk), .in(reaches_4), .out(word_count)
        );
        always @(posedge clk) begin
            reaches_4 <= reaches;
            if (valid) count <= first ? fresh : count + fresh;
        end
        assign fine[f*COUNT_BITS +: COUNT_BITS] = count;
    end endgenerate

    wire [4:0] lift;
    pasa_running_total #(.TOTAL_BITS(TOTAL_BITS), .TREE(TREE)) running_total (
        .clk(clk), .exponent(tile_exponent), .empty(empty), .before_exponent(before_exponent),
        .before_total(before_total), .total(total),
        .running(running), .running_exponent(running_exponent), .lift(lift)
    );

    pasa_cut #(.TILE_KEYS(TILE_KEYS)) row_cut (
        .clk(clk), .fine(fine), .octave(octave_late), .need(need),
        .use_threshold(use_threshold), .use_budget(use_budget), .total(running),
        .lift(lift), .min_probability(min_probability), .nearest(nearest),
        .cut(cut), .ties(ties), .log_total(log_total)
    );
endmodule
`default_nettype wire
