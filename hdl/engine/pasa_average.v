// SPDX-License-Identifier: Apache-2.0
//
// pasa_average - weighted sums of V over the leading power of two of the weights' sum
//
// Why      After this shift every row's sums have one scale and fit one DSP48E1.
// Contract * out_average = (in_accumulator << 16) >> in_leading_one, arithmetic,
//            for each of DIMS dimensions; golden function Integer.average
//          * in_zero: all are 0, whatever the accumulators hold
//          * latency 3 clocks, one group a clock, no stalls
//          * in_user leaves beside the result it came with
//          * reset clears valid bits only
// Width    |accumulator| <= 128 * total and total < 2^(leading_one + 1), so
//          -2^24 <= average < 2^24: 25 bits signed hold it, higher bits repeat the
//          sign (proved in tests/reference/test_tables.py).
// Cost     three registered 4:1 shifter stages a dimension (by 16, by 4, by 1)
// Checked  make unit M=pasa_average

`include "pasa_formats.vh"
`default_nettype none
module pasa_average #(
    parameter DIMS          = 16,
    parameter ACC_BITS      = 43,
    parameter POSITION_BITS = 6,     // 5 or 6
    parameter USER          = 1,     // bits of the tag carried along, at least 1
    // Derived; leave as it is.
    parameter AVERAGE_BITS  = 9 + `PASA_AVERAGE_FRACTION
) (
    input  wire                         clk,
    input  wire                         rst,   // synchronous, active high

    input  wire                         in_valid,
    input  wire [DIMS*ACC_BITS-1:0]     in_accumulator, // signed
    input  wire [POSITION_BITS-1:0]     in_leading_one,
    input  wire                         in_zero,
    input  wire [USER-1:0]              in_user,

    output wire                         out_valid,
    output wire [DIMS*AVERAGE_BITS-1:0] out_average,    // signed
    output wire [USER-1:0]              out_user
);
    localparam LATENCY = 3;
    localparam SCALED  = ACC_BITS + `PASA_AVERAGE_FRACTION;
    localparam BITS_1  = AVERAGE_BITS + 15;      // 15 places are still to be shifted
    localparam BITS_2  = AVERAGE_BITS + 3;

    generate if (ACC_BITS < AVERAGE_BITS) begin : g_check
        pasa_average_ERROR_ACC_BITS_must_be_at_least_25 bad ();
    end endgenerate

    reg [3:0] shift_1;
    reg [1:0] shift_2;
    always @(posedge clk) begin
        shift_1 <= in_leading_one[3:0];
        shift_2 <= shift_1[1:0];
    end

    genvar d;
    generate for (d = 0; d < DIMS; d = d + 1) begin : g_dim
        reg signed [BITS_1-1:0]       average_1;
        reg signed [BITS_2-1:0]       average_2;
        reg        [AVERAGE_BITS-1:0] average_3;
        wire signed [SCALED-1:0] scaled =
            {in_accumulator[d*ACC_BITS +: ACC_BITS], {`PASA_AVERAGE_FRACTION{1'b0}}};
        /* verilator lint_off UNUSEDSIGNAL */    // higher bits repeat the sign
        wire signed [SCALED-1:0] by_16 =
            scaled >>> {in_leading_one[POSITION_BITS-1:4], 4'b0000};
        wire signed [BITS_1-1:0] by_4 = average_1 >>> {shift_1[3:2], 2'b00};
        wire signed [BITS_2-1:0] by_1 = average_2 >>> shift_2;
        /* verilator lint_on UNUSEDSIGNAL */
        always @(posedge clk) begin
            average_1 <= in_zero ? {BITS_1{1'b0}} : by_16[BITS_1-1:0];
            average_2 <= by_4[BITS_2-1:0];
            average_3 <= by_1[AVERAGE_BITS-1:0];
        end
        assign out_average[d*AVERAGE_BITS +: AVERAGE_BITS] = average_3;
    end endgenerate

    reg [LATENCY-1:0] valid;
    always @(posedge clk) valid <= rst ? {LATENCY{1'b0}} : {valid[LATENCY-2:0], in_valid};

    pasa_delay #(.WIDTH(USER), .CLOCKS(LATENCY)) user (
        .clk(clk), .in(in_user), .out(out_user));

    assign out_valid = valid[LATENCY-1];
endmodule
`default_nettype wire
