// SPDX-License-Identifier: Apache-2.0
//
// pasa_score_log2 - exact score to octaves: score * multiplier >> shift
//
// Why      Softmax runs on powers of two; a command's multiplier and shift fold
//          its scales, 1/sqrt(d) and log2(e) into one step.
// Contract * out_octaves = floor(in_score * in_multiplier / 2^in_shift),
//            signed, PASA_SCORE_FRACTION binary places; golden function
//            arithmetic.Integer.score_log2
//          * latency 4 clocks, one score a clock, no stalls
//          * in_user leaves beside the result it came with
//          * reset clears valid bits only
// Width    |score| <= 2^(SCORE_BITS-1) and multiplier < 2^17, so the product
//          fits SCORE_BITS + 17 bits signed, and shifting only shrinks it.
// Cost     one DSP48E1 (25 x 18; operands and product registered there), two
//          registered 8:1 shifter stages
// Checked  make unit M=pasa_score_log2

`include "pasa_formats.vh"
`default_nettype none
module pasa_score_log2 #(
    parameter SCORE_BITS = 22,       // signed, at most 25 (one DSP48E1)
    parameter USER       = 1         // bits of the tag carried along, at least 1
) (
    input  wire                                   clk,
    input  wire                                   rst,   // synchronous, active high

    input  wire                                   in_valid,
    input  wire [SCORE_BITS-1:0]                  in_score,      // signed
    input  wire [`PASA_SCORE_MULTIPLIER_BITS-1:0] in_multiplier, // unsigned
    input  wire [`PASA_SHIFT_BITS-1:0]            in_shift,
    input  wire [USER-1:0]                        in_user,

    output wire                                   out_valid,
    output wire [SCORE_BITS+`PASA_SCORE_MULTIPLIER_BITS-1:0] out_octaves, // signed
    output wire [USER-1:0]                        out_user
);
    generate if (SCORE_BITS > 25) begin : g_check
        pasa_score_log2_ERROR_SCORE_BITS_must_be_at_most_25 bad ();
    end endgenerate

    localparam LATENCY = 4;
    localparam PRODUCT = SCORE_BITS + `PASA_SCORE_MULTIPLIER_BITS;

    reg signed [SCORE_BITS-1:0]                score_1;
    reg signed [`PASA_SCORE_MULTIPLIER_BITS:0] multiplier_1; // top bit 0
    reg        [`PASA_SHIFT_BITS-1:0]          shift_1, shift_2;
    reg        [2:0]                           shift_3;
    reg signed [PRODUCT-1:0]                   product_2, coarse_3, octaves_4;

    always @(posedge clk) begin
        score_1      <= in_score;
        multiplier_1 <= {1'b0, in_multiplier};
        shift_1      <= in_shift;

        product_2    <= score_1 * multiplier_1;
        shift_2      <= shift_1;

        coarse_3     <= product_2 >>> {shift_2[5:3], 3'b000};
        shift_3      <= shift_2[2:0];

        octaves_4    <= coarse_3 >>> shift_3;
    end

    reg [LATENCY-1:0] valid;
    always @(posedge clk) valid <= rst ? {LATENCY{1'b0}} : {valid[LATENCY-2:0], in_valid};

    pasa_delay #(.WIDTH(USER), .CLOCKS(LATENCY)) user (
        .clk(clk), .in(in_user), .out(out_user));

    assign out_valid   = valid[LATENCY-1];
    assign out_octaves = octaves_4;
endmodule
`default_nettype wire
