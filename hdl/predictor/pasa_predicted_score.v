// SPDX-License-Identifier: Apache-2.0
//
// pasa_predicted_score - nibble dot product to octaves, for one key
//
// Why      A command's shift may be 0 to 31, but a shifter for each key would
//          cost more than its dot product. The command's multiplier comes
//          shifted left instead (pasa_query_load), so only two fixed shifts
//          are left: by LOW_SHIFT, and by HIGH_SHIFT when `high`.
// Contract * out = product * multiplier / 2^shift, rounded half up, saturated
//          * not visible: out = lowest, whatever the product
//          * latency 3 clocks, one a clock; multiplier is taken with product,
//            high one clock later, high_late and visible two clocks later
//          * golden: arithmetic.Integer.predicted_log2
// Cost     1 DSP48E1 for HEAD_DIM <= 128, about 25 LUT
// Checked  make unit M=pasa_predicted_score

`default_nettype none
`include "pasa_formats.vh"
module pasa_predicted_score #(
    parameter PRODUCT_BITS    = 14,
    parameter MULTIPLIER_BITS = 24,  // unsigned
    parameter LOW_SHIFT       = 12,
    parameter HIGH_SHIFT      = 24
) (
    input  wire                             clk,
    input  wire [PRODUCT_BITS-1:0]          product,    // signed
    input  wire [MULTIPLIER_BITS-1:0]       multiplier,
    input  wire                             high,
    input  wire                             high_late,
    input  wire                             visible,
    output reg  [`PASA_PREDICTED_BITS-1:0]  out         // SQ11.4
);
    localparam W = PRODUCT_BITS + MULTIPLIER_BITS;
    localparam B = `PASA_PREDICTED_BITS;
    localparam L = W - LOW_SHIFT;    // bits left by the smaller shift

    wire signed [PRODUCT_BITS-1:0]  a = product;
    wire signed [MULTIPLIER_BITS:0] b = {1'b0, multiplier};
    localparam [W-1:0] HALF_LOW  = {{(W-1){1'b0}}, 1'b1} << (LOW_SHIFT - 1);
    localparam [W-1:0] HALF_HIGH = {{(W-1){1'b0}}, 1'b1} << (HIGH_SHIFT - 1);

    reg signed [W:0] scaled;         // one bit spare: of b's sign
    reg [W-1:0]      rounded;
    always @(posedge clk) begin
        scaled  <= a * b;
        rounded <= scaled[W-1:0] + (high ? HALF_HIGH : HALF_LOW);
    end
    wire unused = &{1'b0, scaled[W], rounded[LOW_SHIFT-1:0]};

    wire [L-1:0] shifted = high_late ? {{(HIGH_SHIFT-LOW_SHIFT){rounded[W-1]}}, rounded[W-1:HIGH_SHIFT]}
                                     : rounded[W-1:LOW_SHIFT];
    wire fits = shifted[L-1:B-1] == {(L-B+1){shifted[L-1]}};
    always @(posedge clk)
        out <= !visible ? {1'b1, {(B-1){1'b0}}}
             : fits     ? shifted[B-1:0]
                        : {shifted[L-1], {(B-1){!shifted[L-1]}}};
endmodule
`default_nettype wire
