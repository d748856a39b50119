// SPDX-License-Identifier: Apache-2.0
//
// planted_multiplier - a multiplier in a module that is to have none

`default_nettype none
module planted_multiplier (
    input  wire        clk,
    input  wire [15:0] a,
    input  wire [15:0] b,
    output reg  [31:0] product
);
    always @(posedge clk) product <= a * b;
endmodule
`default_nettype wire
