// SPDX-License-Identifier: Apache-2.0
//
// early_finish - a design that ends the simulation by itself
//
// Why      The runner must not take such an end for success.

`default_nettype none
module early_finish (
    input wire clk,
    input wire rst
);
    always @(posedge clk) if (!rst) $finish;
endmodule
`default_nettype wire
