// SPDX-License-Identifier: Apache-2.0
//
// pasa_reciprocal - 1/m of a mantissa m in [1, 2)
//
// Why      A row is normalised by one reciprocal instead of a division a dimension.
// Contract * out_reciprocal = 1/(1 + in_mantissa/2^17), raw at
//            PASA_RECIPROCAL_FRACTION, by 256 line pieces; golden function
//            arithmetic.Integer.reciprocal (the mantissa comes from pasa_leading_one)
//          * latency 3 clocks, one mantissa a clock, no stalls
//          * in_user leaves beside the result it came with
//          * reset clears valid bits only
// Cost     one DSP48E1 (10 x 9), a table of 256 x 28 bits
// Checked  make unit M=pasa_reciprocal; table error bounded in tests/reference

`include "pasa_formats.vh"
`default_nettype none
module pasa_reciprocal #(
    parameter USER          = 1,     // bits of the tag carried along, at least 1
    // Derived; leave as it is.
    parameter MANTISSA_BITS = `PASA_RECIPROCAL_INDEX_BITS + `PASA_RECIPROCAL_LOW_BITS
) (
    input  wire                               clk,
    input  wire                               rst,   // synchronous, active high

    input  wire                               in_valid,
    input  wire [MANTISSA_BITS-1:0]           in_mantissa, // without its leading 1
    input  wire [USER-1:0]                    in_user,

    output wire                               out_valid,
    output wire [`PASA_RECIPROCAL_FRACTION:0] out_reciprocal, // at most 2^17
    output wire [USER-1:0]                    out_user
);
    localparam LATENCY = 3;
    localparam LOW     = `PASA_RECIPROCAL_LOW_BITS;
    localparam SLOPE   = `PASA_RECIPROCAL_SLOPE_BITS;
    localparam BASE    = `PASA_RECIPROCAL_FRACTION + 1;

    // The table: base and slope of each line piece.
    reg [BASE+SLOPE-1:0] entry;
    always @* case (in_mantissa[MANTISSA_BITS-1:LOW])
        `include "pasa_reciprocal_table.vh"
    endcase

    reg [BASE-1:0]  base_1, base_2, reciprocal_3;
    reg [SLOPE-1:0] slope_1, drop_2;             // drop: slope * low >> LOW
    reg [LOW-1:0]   low_1;

    /* verilator lint_off UNUSEDSIGNAL */
    wire [SLOPE+LOW-1:0] product = slope_1 * low_1;  // low bits are floored away
    /* verilator lint_on UNUSEDSIGNAL */

    always @(posedge clk) begin
        {base_1, slope_1} <= entry;
        low_1        <= in_mantissa[LOW-1:0];

        drop_2       <= product[LOW +: SLOPE];
        base_2       <= base_1;

        reciprocal_3 <= base_2 - {{(BASE-SLOPE){1'b0}}, drop_2};
    end

    reg [LATENCY-1:0] valid;
    always @(posedge clk) valid <= rst ? {LATENCY{1'b0}} : {valid[LATENCY-2:0], in_valid};

    pasa_delay #(.WIDTH(USER), .CLOCKS(LATENCY)) user (
        .clk(clk), .in(in_user), .out(out_user));

    assign out_valid      = valid[LATENCY-1];
    assign out_reciprocal = reciprocal_3;
endmodule
`default_nettype wire
