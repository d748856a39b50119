// SPDX-License-Identifier: Apache-2.0
//
// pasa_score - exact dot product of a query and a key, int8
//
// Why      The one place where kept keys get their exact score.
// Contract * out_score = sum over i of query[i]*key[i], full width: nothing rounds or overflows
//          * one product a clock; LATENCY = 2 + log2(HEAD_DIM) clocks
//          * equals fixed._Head.scores of the golden model
// Cost     HEAD_DIM DSP48E1 and an adder tree with a register after every level
// Checked  make unit M=pasa_score

`default_nettype none
module pasa_score #(
    parameter HEAD_DIM   = 64,                         // a power of two
    // derived, not to be set
    parameter LEVELS     = $clog2(HEAD_DIM),
    parameter SCORE_BITS = 16 + LEVELS
) (
    input  wire                         clk,
    input  wire [HEAD_DIM*8-1:0]        query,         // int8, dimension i in byte i
    input  wire [HEAD_DIM*8-1:0]        key,
    output wire signed [SCORE_BITS-1:0] out_score      // LATENCY clocks later
);
    // Level l holds HEAD_DIM >> l partial sums of 16 + l bits; level 0 the products.
    genvar level, i;
    generate
        for (level = 0; level <= LEVELS; level = level + 1) begin : g_level
            localparam WIDTH = 16 + level;
            localparam COUNT = HEAD_DIM >> level;
            reg [COUNT*WIDTH-1:0] sums;
            for (i = 0; i < COUNT; i = i + 1) begin : g_sum
                if (level == 0) begin : g_product
                    reg signed [7:0] a, b;             // DSP input registers
                    always @(posedge clk) begin
                        a <= query[i*8 +: 8];
                        b <= key[i*8 +: 8];
                        sums[i*WIDTH +: WIDTH] <= a * b;
                    end
                end else begin : g_add
                    wire signed [WIDTH-2:0] left  = g_level[level-1].sums[(2*i)*(WIDTH-1) +: WIDTH-1];
                    wire signed [WIDTH-2:0] right = g_level[level-1].sums[(2*i+1)*(WIDTH-1) +: WIDTH-1];
                    always @(posedge clk)
                        sums[i*WIDTH +: WIDTH] <= {left[WIDTH-2], left} + {right[WIDTH-2], right};
                end
            end
        end
    endgenerate
    assign out_score = g_level[LEVELS].sums;
endmodule
`default_nettype wire
