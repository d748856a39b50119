// SPDX-License-Identifier: Apache-2.0
//
// pasa_octave_counts - in which octave of distance a row's budget is used up
//
// Why      The budget needs the k-th smallest distance without a sorter.
//          Counting keys by whole octave while they pass leaves one octave
//          to be counted finely in the next pass (pasa_measure_row).
// Contract * counts keys with distance < 16*(o+1), o = 0..14; when the
//            reference rises by s octaves, every count moves s octaves out,
//            and the last octave keeps the rest
//          * after the row's `last` word: octave = first o whose count
//            reaches the budget, else 15; need = budget minus the keys in
//            nearer octaves, at least 1; visible = keys not masked
//          * latency (clog2(PRED_KEYS) + 1) / 2 + 4 clocks, one word a clock
//          * golden: selection.budget_cut
// Cost     about 65*PRED_KEYS LUT at 32 keys
// Checked  make unit M=pasa_distance

`default_nettype none
`include "pasa_formats.vh"
module pasa_octave_counts #(
    parameter PRED_KEYS = 32,
    parameter TILE_KEYS = 2048
) (
    input  wire                                     clk,
    input  wire                                     valid,
    input  wire                                     first,
    input  wire [PRED_KEYS*`PASA_DISTANCE_BITS-1:0] distances,
    input  wire [4:0]                               rise,      // 0..16, see pasa_distance
    input  wire [$clog2(TILE_KEYS):0]               budget,    // 3 clocks before the result
    output reg  [3:0]                               octave,
    output reg  [$clog2(TILE_KEYS):0]               need,
    output reg  [$clog2(TILE_KEYS):0]               visible
);
    localparam COUNT_BITS = $clog2(TILE_KEYS) + 1;
    localparam D          = `PASA_DISTANCE_BITS;
    localparam WORD_BITS  = $clog2(PRED_KEYS) + 1;
    localparam TREE       = ($clog2(PRED_KEYS) + 1) / 2;
    localparam FINE       = 15;                // octaves that move

    // Keys of this word in octave o or nearer.
    wire [FINE*COUNT_BITS-1:0] fresh;
    wire [WORD_BITS-1:0]       fresh_visible;
    genvar c, o;
    wire [PRED_KEYS-1:0] shown;
    wire [PRED_KEYS*4-1:0] octaves;
    generate for (c = 0; c < PRED_KEYS; c = c + 1) begin : g_key
        assign shown[c] = !(&distances[c*D +: D]);
        assign octaves[c*4 +: 4] = distances[c*D+4 +: 4];
    end
    for (o = 0; o < FINE; o = o + 1) begin : g_octave
        localparam [3:0] LIMIT = o;
        wire [PRED_KEYS-1:0] reaches;
        wire [WORD_BITS-1:0] count;
        for (c = 0; c < PRED_KEYS; c = c + 1) begin : g_within
            assign reaches[c] = octaves[c*4 +: 4] <= LIMIT;
        end
        pasa_popcount #(.COUNT(PRED_KEYS)) popcount (.clk(clk), .in(reaches), .out(count));
        assign fresh[o*COUNT_BITS +: COUNT_BITS] = {{(COUNT_BITS-WORD_BITS){1'b0}}, count};
    end endgenerate
    pasa_popcount #(.COUNT(PRED_KEYS)) popcount_visible (
        .clk(clk), .in(shown), .out(fresh_visible)
    );

    wire [4:0] shift;
    pasa_delay #(.WIDTH(5), .CLOCKS(TREE)) shift_wait (.clk(clk), .in(rise), .out(shift));
    reg [TREE-1:0] valids, firsts;
    generate if (TREE == 1) begin : g_short
        always @(posedge clk) begin
            valids <= valid;
            firsts <= first;
        end
    end else begin : g_long
        always @(posedge clk) begin
            valids <= {valids[TREE-2:0], valid};
            firsts <= {firsts[TREE-2:0], first};
        end
    end endgenerate
    wire counting = valids[TREE-1];
    wire fresh_row = firsts[TREE-1];

    // Counts of the row so far, moved by the rise, plus this word's.
    reg  [FINE*COUNT_BITS-1:0] counts;
    reg  [COUNT_BITS-1:0]      count_visible;
    localparam W = FINE * COUNT_BITS;
    wire [W-1:0] moved1 = shift[0] ? counts << COUNT_BITS : counts;
    wire [W-1:0] moved2 = shift[1] ? moved1 << (2 * COUNT_BITS) : moved1;
    wire [W-1:0] moved4 = shift[2] ? moved2 << (4 * COUNT_BITS) : moved2;
    wire [W-1:0] moved8 = shift[3] ? moved4 << (8 * COUNT_BITS) : moved4;
    wire [W-1:0] moved  = shift[4] | fresh_row ? {W{1'b0}} : moved8;
    generate for (o = 0; o < FINE; o = o + 1) begin : g_count
        always @(posedge clk)
            if (counting)
                counts[o*COUNT_BITS +: COUNT_BITS] <= moved[o*COUNT_BITS +: COUNT_BITS]
                                                    + fresh[o*COUNT_BITS +: COUNT_BITS];
    end endgenerate
    always @(posedge clk)
        if (counting)
            count_visible <= (fresh_row ? {COUNT_BITS{1'b0}} : count_visible)
                           + {{(COUNT_BITS-WORD_BITS){1'b0}}, fresh_visible};

    // The search. The counts are copied, since the next row may follow.
    reg  [FINE-1:0]       reached;
    reg  [W-1:0]          counted;
    reg  [COUNT_BITS-1:0] visible_1, visible_2;
    generate for (o = 0; o < FINE; o = o + 1) begin : g_reached
        always @(posedge clk)
            reached[o] <= counts[o*COUNT_BITS +: COUNT_BITS] >= budget;
    end endgenerate

    // `reached` is a thermometer, so its edge picks the count before it.
    reg [3:0]            found;
    reg [COUNT_BITS-1:0] nearer, picked;
    integer i;
    always @* begin
        found  = 4'd15;
        picked = counted[(FINE-1)*COUNT_BITS +: COUNT_BITS];
        for (i = FINE - 1; i >= 0; i = i - 1)
            if (reached[i]) begin
                found  = i[3:0];
                picked = i == 0 ? {COUNT_BITS{1'b0}}
                                : counted[(i > 0 ? i - 1 : 0)*COUNT_BITS +: COUNT_BITS];
            end
    end
    reg [3:0]            octave_1;
    reg [COUNT_BITS-1:0] budget_1, budget_2;
    always @(posedge clk) begin
        counted   <= counts;
        visible_1 <= count_visible;
        budget_1  <= budget;

        octave_1  <= found;
        nearer    <= picked;
        visible_2 <= visible_1;
        budget_2  <= budget_1;

        octave    <= octave_1;
        need      <= budget_2 - nearer;
        visible   <= visible_2;
    end
endmodule
`default_nettype wire
