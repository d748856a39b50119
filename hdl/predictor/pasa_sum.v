// SPDX-License-Identifier: Apache-2.0
//
// pasa_sum - sum of many unsigned numbers, one sum a clock
//
// Why      Weights and counts of the keys of a word are added every clock.
// Contract * out = sum of the COUNT numbers of `in`, never overflows
//          * latency (clog2(COUNT) + 1) / 2 clocks; 0 for COUNT 1
// Cost     COUNT-1 adders; a register after every second adder level
// Checked  make unit M=pasa_sum

`default_nettype none
module pasa_sum #(
    parameter COUNT = 32,            // a power of two
    parameter WIDTH = 8              // bits of each number
) (
    input  wire                           clk,
    input  wire [COUNT*WIDTH-1:0]         in,
    output wire [WIDTH+$clog2(COUNT)-1:0] out
);
    localparam LEVELS = $clog2(COUNT);
    localparam STEPS  = (LEVELS + 1) / 2;

    genvar s, i;
    generate if (STEPS == 0) begin : g_none
        wire unused_clk = clk;
        assign out = in;
    end else begin : g_tree
        for (s = 0; s < STEPS; s = s + 1) begin : g_step
            localparam TAKES = COUNT >> (2 * s);       // numbers that enter
            localparam GROUP = TAKES >= 4 ? 4 : 2;     // added in one step
            localparam W     = WIDTH + 2 * s;
            localparam V     = W + (GROUP == 4 ? 2 : 1);
            wire [TAKES*W-1:0] terms;
            wire [TAKES/GROUP*V-1:0] sums;
            if (s == 0) begin : g_first
                assign terms = in;
            end else begin : g_next
                assign terms = g_step[s-1].sums;
            end
            for (i = 0; i < TAKES / GROUP; i = i + 1) begin : g_add
                wire [GROUP*W-1:0] group = terms[i*GROUP*W +: GROUP*W];
                reg [V-1:0] total;
                if (GROUP == 4) begin : g_four
                    always @(posedge clk)
                        total <= ({2'd0, group[0*W +: W]} + {2'd0, group[1*W +: W]})
                             + ({2'd0, group[2*W +: W]} + {2'd0, group[3*W +: W]});
                end else begin : g_two
                    always @(posedge clk)
                        total <= {1'd0, group[0*W +: W]} + {1'd0, group[1*W +: W]};
                end
                assign sums[i*V +: V] = total;
            end
        end
        assign out = g_step[STEPS-1].sums;
    end endgenerate
endmodule
`default_nettype wire
