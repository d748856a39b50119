// SPDX-License-Identifier: Apache-2.0
//
// pasa_log2 - base-2 logarithm of a sum of predicted weights
//
// Why      A key's share of its row's sum is a difference of logarithms, so
//          the threshold needs neither a divider nor a multiplier.
// Contract * out = log2(in), signed, LOG_FRACTION fraction bits: the leading
//            one and the LOG_INDEX_BITS bits after it; in = 0 counts as 1
//          * latency 3 clocks, one a clock
//          * golden: arithmetic.log2_of(max(in, 1), PREDICTED_WEIGHT_FRACTION)
// Cost     about 110 LUT
// Checked  make unit M=pasa_log2

`default_nettype none
`include "pasa_formats.vh"
module pasa_log2 #(
    parameter WIDTH = 26             // bits of the number, at most 32
) (
    input  wire                        clk,
    input  wire [WIDTH-1:0]            in,   // UQ.14
    output reg  [`PASA_LOG_FRACTION+6:0] out // SQ7.8
);
    localparam [5:0] FRACTION = `PASA_PREDICTED_WEIGHT_FRACTION;

    // Shift the leading one to the top by 16, 8, 4, 2 and 1 places; each
    // shift not needed is one bit of its position.
    wire [31:0] given = {{(32-WIDTH){1'b0}}, in};
    wire        high16 = |given[31:16];
    wire [31:0] by16   = high16 ? given : {given[15:0], 16'd0};
    wire        high8  = |by16[31:24];
    reg  [31:0] by8;
    reg  [4:3]  top;
    always @(posedge clk) begin
        by8 <= high8 ? by16 : {by16[23:0], 8'd0};
        top <= {high16, high8};
    end

    wire        high4 = |by8[31:28];
    wire [31:0] by4   = high4 ? by8 : {by8[27:0], 4'd0};
    wire        high2 = |by4[31:30];
    wire [31:0] by2   = high2 ? by4 : {by4[29:0], 2'd0};
    wire        high1 = by2[31];
    reg  [4:0]  position;
    reg  [`PASA_LOG_INDEX_BITS-1:0] index;
    always @(posedge clk) begin
        position <= {top, high4, high2, high1};
        index    <= high1 ? by2[30 -: `PASA_LOG_INDEX_BITS] : by2[29 -: `PASA_LOG_INDEX_BITS];
    end
    wire unused = &{1'b0, by2[30-`PASA_LOG_INDEX_BITS-1:0]};

    reg [`PASA_LOG_FRACTION-1:0] entry;
    always @* begin
        case (index)
            `include "pasa_log2_table.vh"
        endcase
    end
    wire [5:0] whole = {1'b0, position} - FRACTION;
    always @(posedge clk) out <= {whole[5], whole, entry};
endmodule
`default_nettype wire
