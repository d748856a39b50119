// SPDX-License-Identifier: Apache-2.0
//
// pasa_word_walk - counts through the words of a block of rows
//
// Why      Three stages visit the same words, each at its own time.
// Contract * after `start`, `word` is the first word of the walk (see
//            pasa_word_range); each `step` moves on
//          * `ends`: this is the last word; `closes`: the next one belongs
//            to another block of keys, or there is none
// Cost     about 5*log2(words) flip-flops
// Checked  make unit M=pasa_word_range

`default_nettype none
module pasa_word_walk #(
    parameter WORDS = 64,            // a power of two
    parameter PARTS = 2              // words in a block of keys, a power of two
) (
    input  wire                     clk,
    input  wire                     start,
    input  wire                     step,
    input  wire [$clog2(WORDS)-1:0] first,
    input  wire                     jump,
    input  wire [$clog2(WORDS)-1:0] jump_at,
    input  wire [$clog2(WORDS)-1:0] jump_to,
    input  wire [$clog2(WORDS)-1:0] last,
    output reg  [$clog2(WORDS)-1:0] word,
    output wire                     ends,
    output wire                     closes
);
    localparam B = $clog2(WORDS);

    reg         jumps;
    reg [B-1:0] at, to, end_word;
    wire [B-1:0] following = jumps & word == at ? to : word + {{(B-1){1'b0}}, 1'b1};
    always @(posedge clk) begin
        if (start) begin
            word  <= first;
            jumps <= jump;
            at    <= jump_at;
            to    <= jump_to;
            end_word <= last;
        end else if (step) begin
            word <= following;
        end
    end
    assign ends   = word == end_word;
    assign closes = ends | following[B-1:$clog2(PARTS)] != word[B-1:$clog2(PARTS)];
endmodule
`default_nettype wire
