// SPDX-License-Identifier: Apache-2.0
//
// pasa_exp2 - weight = mantissa * 2^-octave, mantissa = 2^-fraction or given
//
// Why      A kept key weighs 2^-distance; a virtual key weighs its summed
//          predicted weight, shifted to the row's reference. Both end in the
//          same shifter.
// Contract * in_plain 0: out_weight = 2^-(in_octave + in_fraction/2^16), raw at
//            PASA_WEIGHT_FRACTION, by 128 line pieces; golden function
//            arithmetic.Integer.weight
//          * in_plain 1: out_weight = in_mantissa >> in_octave; golden function
//            arithmetic.Integer.block_weight
//          * octaves from PASA_WEIGHT_BITS on give 0
//          * latency 6 clocks, one weight a clock, no stalls
//          * in_user leaves beside the result it came with
//          * reset clears valid bits only
// Cost     one DSP48E1, a table of 128 x 39 bits in LUTs, a 24-bit shifter in two
//          registered stages
// Checked  make unit M=pasa_exp2; table error bounded in tests/reference

`include "pasa_formats.vh"
`default_nettype none
module pasa_exp2 #(
    parameter USER = 1               // bits of the tag carried along, at least 1
) (
    input  wire                            clk,
    input  wire                            rst,   // synchronous, active high

    input  wire                            in_valid,
    input  wire [`PASA_SHIFT_BITS-1:0]     in_octave,   // saturated by the sender
    input  wire [`PASA_SCORE_FRACTION-1:0] in_fraction, // of an octave
    input  wire                            in_plain,    // take in_mantissa instead
    input  wire [`PASA_WEIGHT_BITS-1:0]    in_mantissa, // at most 2^PASA_WEIGHT_FRACTION
    input  wire [USER-1:0]                 in_user,

    output wire                            out_valid,
    output wire [`PASA_WEIGHT_BITS-1:0]    out_weight,
    output wire [USER-1:0]                 out_user
);
    localparam LATENCY = 6;
    localparam LOW     = `PASA_EXP2_LOW_BITS;
    localparam SLOPE   = `PASA_EXP2_SLOPE_BITS;
    localparam WEIGHT  = `PASA_WEIGHT_BITS;

    // The table: base and slope of each line piece.
    reg [`PASA_WEIGHT_FRACTION+SLOPE-1:0] entry;
    always @* case (in_fraction[`PASA_SCORE_FRACTION-1:LOW])
        `include "pasa_exp2_table.vh"
    endcase

    reg [`PASA_WEIGHT_FRACTION-1:0] base_1;
    reg [SLOPE-1:0]                 slope_1, slope_2;
    reg [LOW-1:0]                   low_1, low_2;
    reg                             plain_1;
    reg [WEIGHT-1:0]                mantissa_1;
    reg [WEIGHT-1:0]                base_2, base_3, mantissa_4, coarse_5, weight_6;
    reg [SLOPE-1:0]                 drop_3;          // slope * low >> LOW
    wire [2:0]                      octave_high_4, octave_low_5;

    /* verilator lint_off UNUSEDSIGNAL */
    wire [SLOPE+LOW-1:0] product = slope_2 * low_2;  // low bits are floored away
    /* verilator lint_on UNUSEDSIGNAL */

    always @(posedge clk) begin
        {base_1, slope_1} <= entry;
        low_1      <= in_fraction[LOW-1:0];
        plain_1    <= in_plain;
        mantissa_1 <= in_mantissa;

        base_2     <= plain_1 ? mantissa_1 : {1'b0, base_1};
        slope_2    <= plain_1 ? {SLOPE{1'b0}} : slope_1;
        low_2      <= low_1;

        drop_3     <= product[LOW +: SLOPE];
        base_3     <= base_2;

        mantissa_4 <= base_3 - {{(WEIGHT-SLOPE){1'b0}}, drop_3};

        coarse_5   <= mantissa_4 >> {octave_high_4, 3'b000};

        weight_6   <= coarse_5 >> octave_low_5;
    end

    pasa_delay #(.WIDTH(3), .CLOCKS(4)) octave_high (
        .clk(clk), .in(in_octave[5:3]), .out(octave_high_4));
    pasa_delay #(.WIDTH(3), .CLOCKS(5)) octave_low (
        .clk(clk), .in(in_octave[2:0]), .out(octave_low_5));
    reg [LATENCY-1:0] valid;
    always @(posedge clk) valid <= rst ? {LATENCY{1'b0}} : {valid[LATENCY-2:0], in_valid};

    pasa_delay #(.WIDTH(USER), .CLOCKS(LATENCY)) user (
        .clk(clk), .in(in_user), .out(out_user));

    assign out_valid  = valid[LATENCY-1];
    assign out_weight = weight_6;
endmodule
`default_nettype wire
