// SPDX-License-Identifier: Apache-2.0
//
// pasa_word_range - which words of keys a block of rows must look at
//
// Why      Words that no row of the block may see cost nothing.
// Contract * the walk is: words from `first`; if `jump`, after word jump_at
//            comes jump_to; it ends with word `last`
//          * it holds the words of [0, sinks) and of [from, stop), in order,
//            each once, cut at stop; without any, word 0 alone
//          * latency 3 clocks
// Cost     about 100 LUT
// Checked  make unit M=pasa_word_range

`default_nettype none
module pasa_word_range #(
    parameter PRED_KEYS = 32,
    parameter TILE_KEYS = 2048
) (
    input  wire                                   clk,
    input  wire [$clog2(TILE_KEYS):0]             stop,  // of the last row present
    input  wire [$clog2(TILE_KEYS):0]             from,  // of the first row
    input  wire [$clog2(TILE_KEYS):0]             sinks, // at most TILE_KEYS
    output reg  [$clog2(TILE_KEYS/PRED_KEYS)-1:0] first,
    output reg                                    jump,
    output reg  [$clog2(TILE_KEYS/PRED_KEYS)-1:0] jump_at,
    output reg  [$clog2(TILE_KEYS/PRED_KEYS)-1:0] jump_to,
    output reg  [$clog2(TILE_KEYS/PRED_KEYS)-1:0] last
);
    localparam COUNT_BITS = $clog2(TILE_KEYS) + 1;
    localparam LOW        = $clog2(PRED_KEYS);
    localparam B          = COUNT_BITS - LOW;  // a number of words, 0..WORDS

    wire [COUNT_BITS-1:0] stop_less = stop - {{(COUNT_BITS-1){1'b0}}, 1'b1};
    localparam [COUNT_BITS-1:0] ROUND_UP = PRED_KEYS[COUNT_BITS-1:0] - {{(COUNT_BITS-1){1'b0}}, 1'b1};
    reg [COUNT_BITS-1:0] seen_sinks;
    reg [B-1:0] stop_word, from_word;          // last word, first word of the range
    reg empty;                                 // no row has a range
    always @(posedge clk) begin
        seen_sinks <= sinks < stop ? sinks : stop;
        stop_word  <= stop_less[COUNT_BITS-1:LOW];
        from_word  <= from[COUNT_BITS-1:LOW];
        empty      <= from >= stop;
    end

    wire [COUNT_BITS-1:0] sinks_up = seen_sinks + ROUND_UP;
    reg [B-1:0] sink_words, stop_word_2, from_word_2;
    reg empty_2;
    always @(posedge clk) begin
        sink_words  <= sinks_up[COUNT_BITS-1:LOW];
        stop_word_2 <= stop_word;
        from_word_2 <= from_word;
        empty_2     <= empty;
    end
    wire unused = &{1'b0, stop_less[LOW-1:0], from[LOW-1:0], sinks_up[LOW-1:0]};

    wire         has_sinks = |sink_words;
    wire [B-1:0] sink_last = sink_words - {{(B-1){1'b0}}, 1'b1};
    wire [B-1:0] resume    = from_word_2 > sink_words ? from_word_2 : sink_words;
    wire [B-1:0] start     = has_sinks | empty_2 ? {B{1'b0}} : from_word_2;
    wire [B-1:0] finish    = !empty_2 ? stop_word_2 : has_sinks ? sink_last : {B{1'b0}};
    always @(posedge clk) begin
        first   <= start[B-2:0];
        jump    <= has_sinks;
        jump_at <= sink_last[B-2:0];
        jump_to <= resume[B-2:0];
        last    <= finish[B-2:0];
    end
    wire unused_top = &{1'b0, start[B-1], sink_last[B-1], resume[B-1], finish[B-1]};
endmodule
`default_nettype wire
