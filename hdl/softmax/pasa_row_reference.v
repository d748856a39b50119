// SPDX-License-Identifier: Apache-2.0
//
// pasa_row_reference - reference exponent of a row: an integer not below its scores
//
// Why      With an integer reference, moving predicted weights to it is a shift.
// Contract * exact = ceil((best * multiplier >> shift) / 2^PASA_SCORE_FRACTION)
//          * out_reference = exact, or the larger of it and the predicted
//            reference when in_has_tail
//          * out_tail_shift = min(63, out_reference - predicted) when in_has_tail,
//            else 0; golden: fixed._Head.weigh
//          * latency 7 clocks, one row a clock, no stalls
//          * in_user leaves beside the result it came with
//          * reset clears valid bits only
// Width    A score is a sum of HEAD_DIM products of two int8, so
//          |best| <= HEAD_DIM * 2^14 <= 2^21 for HEAD_DIM <= 128. With
//          multiplier <= 2^17 - 1 and shift >= 0, |best * multiplier >> shift|
//          <= 2^38 - 2^21, so |exact| <= 2^22 - 2^5: PASA_REFERENCE_BITS = 24
//          bits signed hold it (and would for HEAD_DIM 256).
// Cost     one DSP48E1, a 41-bit and a 25-bit adder
// Checked  make unit M=pasa_row_reference

`include "pasa_formats.vh"
`default_nettype none
module pasa_row_reference #(
    parameter HEAD_DIM       = 64,
    parameter USER           = 1,    // bits of the tag carried along, at least 1
    // Derived; leave as it is.
    parameter SCORE_BITS     = 16 + $clog2(HEAD_DIM)
) (
    input  wire                                   clk,
    input  wire                                   rst,   // synchronous, active high

    input  wire                                   in_valid,
    input  wire [SCORE_BITS-1:0]                  in_best,       // best kept score, signed
    input  wire [`PASA_SCORE_MULTIPLIER_BITS-1:0] in_multiplier,
    input  wire [`PASA_SHIFT_BITS-1:0]            in_shift,
    input  wire                                   in_has_tail,   // row has a virtual key
    input  wire [REFERENCE_BITS-1:0]              in_predicted_reference, // signed
    input  wire [USER-1:0]                        in_user,

    output wire                                   out_valid,
    output wire [`PASA_REFERENCE_BITS-1:0]        out_reference, // signed
    output wire [`PASA_SHIFT_BITS-1:0]            out_tail_shift,
    output wire [USER-1:0]                        out_user
);
    localparam REFERENCE_BITS = `PASA_REFERENCE_BITS;
    localparam FRACTION     = `PASA_SCORE_FRACTION;
    localparam SHIFT        = `PASA_SHIFT_BITS;
    localparam OCTAVES_BITS = SCORE_BITS + `PASA_SCORE_MULTIPLIER_BITS;
    localparam CEIL_BITS    = 1 + (OCTAVES_BITS > REFERENCE_BITS + FRACTION ?
                                   OCTAVES_BITS : REFERENCE_BITS + FRACTION);
    localparam CARRIED      = USER + 1 + REFERENCE_BITS;

    generate if (HEAD_DIM > 128) begin : g_check_head_dim
        pasa_row_reference_ERROR_HEAD_DIM_must_be_at_most_128 bad ();
    end endgenerate

    // Stages 1 to 4: octaves of the best score.
    wire                      valid_4, has_tail_4;
    wire [OCTAVES_BITS-1:0]   octaves_4;
    wire [REFERENCE_BITS-1:0] predicted_4;
    wire [USER-1:0]           user_4;

    pasa_score_log2 #(
        .SCORE_BITS(SCORE_BITS),
        .USER(CARRIED)
    ) score_log2 (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_score(in_best),
        .in_multiplier(in_multiplier), .in_shift(in_shift),
        .in_user({in_user, in_has_tail, in_predicted_reference}),
        .out_valid(valid_4), .out_octaves(octaves_4),
        .out_user({user_4, has_tail_4, predicted_4})
    );

    // Stage 5: round up to an integer. Stage 6: distance from the predicted
    // reference. Stage 7: the larger one, and the shift between them.
    reg signed [REFERENCE_BITS-1:0] exact_5, exact_6, predicted_5, predicted_6;
    reg signed [REFERENCE_BITS:0]   above_6;         // exact - predicted
    reg                             has_tail_5, has_tail_6;
    reg        [REFERENCE_BITS-1:0] reference_7;
    reg        [SHIFT-1:0]          tail_shift_7;

    /* verilator lint_off UNUSEDSIGNAL */  // the fraction served for the carry, and
                                           // the top bits repeat the sign
    wire [CEIL_BITS-1:0] ceil_4 =
        {{(CEIL_BITS-OCTAVES_BITS){octaves_4[OCTAVES_BITS-1]}}, octaves_4}
        + {{(CEIL_BITS-FRACTION){1'b0}}, {FRACTION{1'b1}}};
    /* verilator lint_on UNUSEDSIGNAL */
    wire below_6 = above_6[REFERENCE_BITS];
    wire far_6   = |above_6[REFERENCE_BITS-1:SHIFT];

    always @(posedge clk) begin
        exact_5      <= ceil_4[FRACTION +: REFERENCE_BITS];
        predicted_5  <= predicted_4;
        has_tail_5   <= has_tail_4;

        above_6      <= exact_5 - predicted_5;
        exact_6      <= exact_5;
        predicted_6  <= predicted_5;
        has_tail_6   <= has_tail_5;

        reference_7  <= has_tail_6 & below_6 ? predicted_6 : exact_6;
        tail_shift_7 <= above_6[SHIFT-1:0] | {SHIFT{far_6}};
        if (below_6 | !has_tail_6) tail_shift_7 <= {SHIFT{1'b0}};
    end

    reg [2:0] valid;                 // of stages 7 to 5
    always @(posedge clk) valid <= rst ? 3'b000 : {valid[1:0], valid_4};

    pasa_delay #(.WIDTH(USER), .CLOCKS(3)) user (
        .clk(clk), .in(user_4), .out(out_user));

    assign out_valid      = valid[2];
    assign out_reference  = reference_7;
    assign out_tail_shift = tail_shift_7;
endmodule
`default_nettype wire
