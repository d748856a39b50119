// SPDX-License-Identifier: Apache-2.0
//
// pasa_cut - where one row's kept keys end
//
// Why      Threshold and budget each become a cut: every key nearer than
//          `cut`, and the first `ties` keys exactly at it; the smaller wins.
// Contract * threshold: cut at log2 of the row's sum minus log2 of lambda;
//            where that lies before the nearest key, the best key alone
//          * budget: cut in octave `octave` at the first fine count that
//            reaches `need`; where none does in the last octave, all keys
//          * ties all ones means no limit; cut is at most DISTANCE_FAR
//          * clock 0 is the one in which fine, octave, need and use_* are
//            given; total follows at 4; min_probability and lift, the octaves
//            by which total's exponent lies above the tile's, at 6; nearest
//            at 7; cut, ties and log_total, relative to the tile's exponent,
//            come at 10; one row a clock
//          * golden: selection.threshold_cut, budget_cut, kept_keys
// Cost     about 400 LUT
// Checked  make unit M=pasa_cut

`default_nettype none
`include "pasa_formats.vh"
module pasa_cut #(
    parameter TILE_KEYS = 2048
) (
    input  wire                                    clk,
    input  wire [15*($clog2(TILE_KEYS)+1)-1:0]     fine,      // keys up to each 1/16 octave
    input  wire [3:0]                              octave,
    input  wire [$clog2(TILE_KEYS):0]              need,
    input  wire                                    use_threshold,
    input  wire                                    use_budget,
    input  wire [`PASA_RUNNING_BITS-1:0]           total,     // UQ18.14
    input  wire [4:0]                              lift,
    input  wire [`PASA_MIN_PROBABILITY_BITS-1:0]   min_probability, // -log2(lambda), UQ5.8
    input  wire [`PASA_PREDICTED_FRACTION-1:0]     nearest,
    output reg  [`PASA_DISTANCE_BITS-1:0]          cut,
    output reg  [$clog2(TILE_KEYS):0]              ties,
    output wire [`PASA_LOG_FRACTION+6:0]           log_total
);
    localparam COUNT_BITS = $clog2(TILE_KEYS) + 1;
    localparam FINE       = 15;
    localparam D          = `PASA_DISTANCE_BITS;
    localparam L          = `PASA_LOG_FRACTION + 7;
    localparam STEPS      = `PASA_LOG_FRACTION - `PASA_PREDICTED_FRACTION;
    localparam [D-1:0] FAR = `PASA_DISTANCE_FAR;
    localparam [COUNT_BITS-1:0] NO_LIMIT = {COUNT_BITS{1'b1}};

    // Budget, clock 1: which fine counts reach the need. They rise, so the
    // first one that does is an edge.
    reg [FINE-1:0]            reached;
    reg [FINE*COUNT_BITS-1:0] fine_1;
    reg [COUNT_BITS-1:0]      need_1;
    reg [3:0]                 octave_1;
    reg                       use_budget_1;
    genvar f;
    generate for (f = 0; f < FINE; f = f + 1) begin : g_reached
        always @(posedge clk) reached[f] <= fine[f*COUNT_BITS +: COUNT_BITS] >= need;
    end endgenerate
    always @(posedge clk) begin
        fine_1       <= fine;
        need_1       <= need;
        octave_1     <= octave;
        use_budget_1 <= use_budget;
    end

    // Clock 2: the step and the keys ahead of it.
    reg [3:0]            step;
    reg [COUNT_BITS-1:0] ahead;
    integer i;
    always @* begin
        step   = 4'd15;
        ahead = fine_1[(FINE-1)*COUNT_BITS +: COUNT_BITS];
        for (i = FINE - 1; i >= 0; i = i - 1)
            if (reached[i]) begin
                step   = i[3:0];
                ahead = i == 0 ? {COUNT_BITS{1'b0}}
                                : fine_1[(i > 0 ? i - 1 : 0)*COUNT_BITS +: COUNT_BITS];
            end
    end
    reg [D-1:0]          budget_cut_2;
    reg                  all_2;
    reg [COUNT_BITS-1:0] ahead_2, need_2;
    always @(posedge clk) begin
        all_2        <= !use_budget_1 | (&{octave_1, step});  // never reached
        budget_cut_2 <= {octave_1, step};
        ahead_2     <= ahead;
        need_2       <= need_1;
    end

    // Clock 3: its ties.
    reg [D-1:0]          budget_cut_3;
    reg [COUNT_BITS-1:0] budget_ties_3;
    always @(posedge clk) begin
        budget_cut_3  <= all_2 ? FAR : budget_cut_2;
        budget_ties_3 <= all_2 ? NO_LIMIT : need_2 - ahead_2;
    end

    // Threshold: the logarithm comes at 7.
    wire [L-1:0] log_7;
    pasa_log2 #(.WIDTH(`PASA_RUNNING_BITS)) log2 (.clk(clk), .in(total), .out(log_7));
    wire use_threshold_9;
    wire [D+COUNT_BITS-1:0] budget_9;
    pasa_delay #(.WIDTH(1), .CLOCKS(9)) use_wait (
        .clk(clk), .in(use_threshold), .out(use_threshold_9)
    );
    pasa_delay #(.WIDTH(D + COUNT_BITS), .CLOCKS(6)) budget_wait (
        .clk(clk), .in({budget_cut_3, budget_ties_3}), .out(budget_9)
    );

    // Clock 8: lambda over the sum. Clock 9: no farther than FAR, but always
    // the best key.
    localparam P = `PASA_MIN_PROBABILITY_BITS;
    localparam F = `PASA_LOG_FRACTION;
    wire [L-1:0] lift_log = {{(L-5-F){1'b0}}, lift, {F{1'b0}}};
    reg  [L:0]   allowed_7;                  // signed, as all below
    reg  [L-1:0] lift_7, lifted_8;
    wire [L:0] limit = allowed_7 - {log_7[L-1], log_7};
    reg  [L-STEPS:0] limit_8;
    reg  [`PASA_PREDICTED_FRACTION-1:0] nearest_8;
    wire only_best = limit_8[L-STEPS]
                   | limit_8 < {{(L-STEPS+1-`PASA_PREDICTED_FRACTION){1'b0}}, nearest_8};
    wire beyond = |limit_8[L-STEPS:D] | (&limit_8[D-1:1]);
    reg  [D-1:0]          threshold_cut_9;
    reg  [COUNT_BITS-1:0] threshold_ties_9;
    always @(posedge clk) begin
        allowed_7 <= {{(L+1-P){1'b0}}, min_probability} - {1'b0, lift_log};
        lift_7    <= lift_log;
        lifted_8  <= log_7 + lift_7;
        limit_8   <= limit[L:STEPS];
        nearest_8 <= nearest;

        threshold_cut_9  <= only_best ? {{(D-`PASA_PREDICTED_FRACTION){1'b0}}, nearest_8}
                          : beyond    ? FAR : limit_8[D-1:0];
        threshold_ties_9 <= only_best ? {{(COUNT_BITS-1){1'b0}}, 1'b1} : NO_LIMIT;
    end
    wire unused = &{1'b0, limit[STEPS-1:0]};
    pasa_delay #(.WIDTH(L), .CLOCKS(2)) log_wait (
        .clk(clk), .in(lifted_8), .out(log_total)
    );

    // Clock 10: the smaller set of the two.
    wire take_threshold = use_threshold_9 & {threshold_cut_9, threshold_ties_9} < budget_9;
    always @(posedge clk) {cut, ties} <= take_threshold ? {threshold_cut_9, threshold_ties_9}
                                                        : budget_9;
endmodule
`default_nettype wire
