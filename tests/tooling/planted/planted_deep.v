// SPDX-License-Identifier: Apache-2.0
//
// planted_deep - twelve additions, one after the other, between two registers
//
// Each sum is rotated, so that no addition can be merged with the next.

`default_nettype none
module planted_deep (
    input  wire        clk,
    input  wire [15:0] in,
    output reg         out
);
    reg [15:0] from;
    reg [15:0] sum;
    integer    n;
    always @* begin
        sum = from;
        for (n = 0; n < 12; n = n + 1) sum = {sum[7:0], sum[15:8]} + (sum ^ from);
    end
    always @(posedge clk) begin
        from <= in;
        out  <= ^sum;
    end
endmodule
`default_nettype wire
