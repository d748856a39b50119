// SPDX-License-Identifier: Apache-2.0
//
// planted_latch - storage without a clock

`default_nettype none
module planted_latch (
    input  wire        gate,
    input  wire [15:0] in,
    output reg  [15:0] out
);
    always @* if (gate) out = in;
endmodule
`default_nettype wire
