// SPDX-License-Identifier: Apache-2.0
//
// pasa_popcount - how many bits are set, one count a clock
//
// Why      The budget is found by counting keys, 16 counts a word and row,
//          so a count must be small: four bits at a time in three LUTs.
// Contract * out = number of ones in `in`
//          * latency (clog2(COUNT) + 1) / 2 clocks, as pasa_sum of COUNT
// Cost     about 1.6*COUNT LUT
// Checked  make unit M=pasa_sum

`default_nettype none
module pasa_popcount #(
    parameter COUNT = 32             // a power of two, at least 2
) (
    input  wire                     clk,
    input  wire [COUNT-1:0]         in,
    output wire [$clog2(COUNT):0]   out
);
    genvar i;
    generate if (COUNT == 2) begin : g_two
        reg [1:0] count;
        always @(posedge clk) count <= {in[0] & in[1], in[0] ^ in[1]};
        assign out = count;
    end else begin : g_more
        wire [COUNT/4*3-1:0] counts;
        for (i = 0; i < COUNT / 4; i = i + 1) begin : g_four
            wire [3:0] bits = in[i*4 +: 4];
            reg  [2:0] count;
            always @(posedge clk) begin
                count[0] <= ^bits;
                count[1] <= (bits[0] & bits[1]) ^ (bits[0] & bits[2]) ^ (bits[0] & bits[3])
                          ^ (bits[1] & bits[2]) ^ (bits[1] & bits[3]) ^ (bits[2] & bits[3]);
                count[2] <= &bits;
            end
            assign counts[i*3 +: 3] = count;
        end
        pasa_sum #(.COUNT(COUNT / 4), .WIDTH(3)) sum_of_fours (.clk(clk), .in(counts), .out(out));
    end endgenerate
endmodule
`default_nettype wire
