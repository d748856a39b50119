// SPDX-License-Identifier: Apache-2.0
//
// planted - a design with one fault of each kind that `make synth` has to find
//
// Why      tests/tooling/test_synth.py: a check that never fails checks nothing.

`default_nettype none
module planted (
    input  wire        clk,
    input  wire        gate,
    input  wire [15:0] a,
    input  wire [15:0] b,
    output wire [15:0] latched,
    output wire        deep,
    output wire [31:0] product
);
    planted_latch latch (.gate(gate), .in(a), .out(latched));
    planted_deep chain (.clk(clk), .in(a), .out(deep));
    planted_multiplier multiplier (.clk(clk), .a(a), .b(b), .product(product));
endmodule
`default_nettype wire
