// SPDX-License-Identifier: Apache-2.0
//
// pasa_highest - largest of many signed numbers, one a clock
//
// Why      A row's reference exponent follows its best predicted score.
// Contract * out = maximum of the COUNT numbers of `in`
//          * latency (clog2(COUNT) + 1) / 2 clocks
// Cost     COUNT-1 comparators; a register after every second level
// Checked  make unit M=pasa_sum

`default_nettype none
module pasa_highest #(
    parameter COUNT = 32,            // a power of two, at least 2
    parameter WIDTH = 16             // bits of each number, signed
) (
    input  wire                   clk,
    input  wire [COUNT*WIDTH-1:0] in,
    output wire [WIDTH-1:0]       out
);
    localparam STEPS = ($clog2(COUNT) + 1) / 2;

    genvar s, i;
    generate for (s = 0; s < STEPS; s = s + 1) begin : g_step
        localparam TAKES = COUNT >> (2 * s);
        localparam GROUP = TAKES >= 4 ? 4 : 2;
        wire [TAKES*WIDTH-1:0] terms;
        wire [TAKES/GROUP*WIDTH-1:0] bests;
        if (s == 0) begin : g_first
            assign terms = in;
        end else begin : g_next
            assign terms = g_step[s-1].bests;
        end
        for (i = 0; i < TAKES / GROUP; i = i + 1) begin : g_best
            wire signed [WIDTH-1:0] a = terms[(i*GROUP+0)*WIDTH +: WIDTH];
            wire signed [WIDTH-1:0] b = terms[(i*GROUP+1)*WIDTH +: WIDTH];
            wire signed [WIDTH-1:0] ab = a > b ? a : b;
            reg [WIDTH-1:0] best;
            if (GROUP == 4) begin : g_four
                wire signed [WIDTH-1:0] c = terms[(i*GROUP+2)*WIDTH +: WIDTH];
                wire signed [WIDTH-1:0] d = terms[(i*GROUP+3)*WIDTH +: WIDTH];
                wire signed [WIDTH-1:0] cd = c > d ? c : d;
                always @(posedge clk) best <= ab > cd ? ab : cd;
            end else begin : g_two
                always @(posedge clk) best <= ab;
            end
            assign bests[i*WIDTH +: WIDTH] = best;
        end
    end endgenerate
    assign out = g_step[STEPS-1].bests;
endmodule
`default_nettype wire
