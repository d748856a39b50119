// SPDX-License-Identifier: Apache-2.0
//
// pasa_predict - PREDICT: distances of all keys of a block of rows
//
// Why      One read of the key nibbles serves ROWS rows.
// Contract * takes a block of rows (block_*) when it is idle and fewer than
//            BUFFERS blocks lie between here and the end of MEASURE
//            (`release_buffer` gives one back); then asks for one slice of
//            one word a clock without a bubble: words * slices + 1 clocks
//          * writes each word's distances and exponents (distance_*) at
//            {buffer, word}, then gives result_valid with the rows' results;
//            results come in order and must be caught (BUFFERS at most wait)
//          * nibble_data comes 2 clocks after nibble_enable
//          * golden: fixed._Head.predict, selection.budget_cut
// Cost     ROWS times pasa_predict_row
// Checked  make unit M=pasa_predictor

`default_nettype none
`include "pasa_formats.vh"
module pasa_predict #(
    parameter ROWS            = 4,
    parameter PRED_KEYS       = 32,
    parameter HEAD_DIM        = 64,
    parameter TILE_KEYS       = 2048,
    parameter PRED_BITS       = 4,
    parameter BLOCK_KEYS      = 64,
    parameter BUFFERS         = 4,
    parameter SLOT_BITS       = 1,
    parameter MULTIPLIER_BITS = 24,
    parameter LOW_SHIFT       = 12,
    parameter HIGH_SHIFT      = 24
) (
    input  wire clk,
    input  wire rst,

    input  wire                                     block_valid,
    output wire                                     block_ready,
    input  wire [SLOT_BITS-1:0]                     block_slot,
    input  wire [ROWS*HEAD_DIM*PRED_BITS-1:0]       block_nibbles,
    input  wire [ROWS*($clog2(TILE_KEYS)+1)-1:0]    block_stop,
    input  wire [ROWS*($clog2(TILE_KEYS)+1)-1:0]    block_from,
    input  wire [$clog2(TILE_KEYS):0]               block_sinks,
    input  wire [$clog2(TILE_KEYS/PRED_KEYS)-1:0]   walk_first,   // see pasa_word_range
    input  wire                                     walk_jump,
    input  wire [$clog2(TILE_KEYS/PRED_KEYS)-1:0]   walk_jump_at,
    input  wire [$clog2(TILE_KEYS/PRED_KEYS)-1:0]   walk_jump_to,
    input  wire [$clog2(TILE_KEYS/PRED_KEYS)-1:0]   walk_last,
    input  wire [MULTIPLIER_BITS-1:0]               block_multiplier,
    input  wire                                     block_high,
    input  wire [(HEAD_DIM>16?$clog2(HEAD_DIM/16):1)-1:0] block_slice_last,
    input  wire [$clog2(TILE_KEYS):0]               block_budget,

    output wire                                     nibble_enable,
    output wire [SLOT_BITS-1:0]                     nibble_slot,
    output wire [$clog2(TILE_KEYS/PRED_KEYS)-1:0]   nibble_word,
    output wire [(HEAD_DIM>16?$clog2(HEAD_DIM/16):1)-1:0] nibble_slice,
    input  wire [PRED_KEYS*16*PRED_BITS-1:0]        nibble_data,

    output wire                                     distance_write,
    output wire [$clog2(BUFFERS*TILE_KEYS/PRED_KEYS)-1:0] distance_address,
    output wire [ROWS*(PRED_KEYS*`PASA_DISTANCE_BITS+`PASA_PREDICTED_BITS
                       -`PASA_PREDICTED_FRACTION+1)-1:0] distance_data, // {exponent, distances} a row

    output wire                                     result_valid,
    output wire [ROWS*4-1:0]                        result_octave,
    output wire [ROWS*($clog2(TILE_KEYS)+1)-1:0]    result_need,
    output wire [ROWS*($clog2(TILE_KEYS)+1)-1:0]    result_visible,
    output wire [ROWS*(`PASA_PREDICTED_BITS-`PASA_PREDICTED_FRACTION+1)-1:0] result_exponent,
    output wire [ROWS*`PASA_PREDICTED_FRACTION-1:0] result_nearest,
    input  wire                                     release_buffer
);
    localparam COUNT_BITS = $clog2(TILE_KEYS) + 1;
    localparam WORDS      = TILE_KEYS / PRED_KEYS;
    localparam WORD_BITS  = $clog2(WORDS);
    localparam SLICES     = HEAD_DIM / 16;
    localparam SLICE_BITS = SLICES > 1 ? $clog2(SLICES) : 1;
    localparam PLACE_BITS = $clog2(BUFFERS);
    localparam Q          = 16 * PRED_BITS;    // one slice of a row
    localparam E          = `PASA_PREDICTED_BITS - `PASA_PREDICTED_FRACTION + 1;
    localparam N          = `PASA_PREDICTED_FRACTION;
    localparam D          = PRED_KEYS * `PASA_DISTANCE_BITS;
    localparam TREE       = ($clog2(PRED_KEYS) + 1) / 2;
    localparam WRITE_AT   = 12 + TREE;         // clocks after a slice was asked for
    localparam RESULT_AT  = 16 + 2 * TREE;

    // Blocks between here and the end of MEASURE.
    reg [PLACE_BITS:0] used;
    reg                running;
    assign block_ready = !running & !used[PLACE_BITS];
    wire start = block_valid & block_ready;
    always @(posedge clk) begin
        if (start & !release_buffer) used <= used + 1'b1;
        if (release_buffer & !start) used <= used - 1'b1;
        if (rst) used <= {(PLACE_BITS+1){1'b0}};
    end

    // The block at work.
    reg  [SLOT_BITS-1:0]           slot;
    reg [ROWS*HEAD_DIM*PRED_BITS-1:0] nibbles;
    reg [ROWS*COUNT_BITS-1:0]      stop, from;
    reg [COUNT_BITS-1:0]           sinks, budget;
    reg [MULTIPLIER_BITS-1:0]      multiplier;
    reg                            high;
    reg [SLICE_BITS-1:0]           slice_last;
    always @(posedge clk)
        if (start) begin
            slot       <= block_slot;
            nibbles    <= block_nibbles;
            stop       <= block_stop;
            from       <= block_from;
            sinks      <= block_sinks;
            budget     <= block_budget;
            multiplier <= block_multiplier;
            high       <= block_high;
            slice_last <= block_slice_last;
        end

    // One slice of one word a clock.
    reg  [SLICE_BITS-1:0] slice;
    reg                   word_first;
    reg  [PLACE_BITS-1:0] place;     // the block's buffer
    wire [WORD_BITS-1:0]  word;
    wire                  word_ends, unused_closes;
    wire slice_ends = slice == slice_last;
    wire finish     = running & slice_ends & word_ends;
    pasa_word_walk #(.WORDS(WORDS), .PARTS(BLOCK_KEYS / PRED_KEYS)) walk (
        .clk(clk), .start(start), .step(running & slice_ends), .first(walk_first),
        .jump(walk_jump), .jump_at(walk_jump_at), .jump_to(walk_jump_to), .last(walk_last),
        .word(word), .ends(word_ends), .closes(unused_closes)
    );
    always @(posedge clk) begin
        if (start) begin
            slice      <= {SLICE_BITS{1'b0}};
            word_first <= 1'b1;
        end else if (running) begin
            slice      <= slice_ends ? {SLICE_BITS{1'b0}} : slice + 1'b1;
            word_first <= word_first & !slice_ends;
        end
        if (start)       running <= 1'b1;
        else if (finish) running <= 1'b0;
        if (finish)      place   <= place + 1'b1;
        if (rst) begin
            running <= 1'b0;
            place   <= {PLACE_BITS{1'b0}};
        end
    end
    assign nibble_enable = running;
    assign nibble_slot   = slot;
    assign nibble_word   = word;
    assign nibble_slice  = slice;

    // What goes along with the data. Valid bits alone are reset.
    reg  [RESULT_AT:1] word_valid;   // a word's last slice
    always @(posedge clk) begin
        word_valid <= {word_valid[RESULT_AT-1:1], running & slice_ends};
        if (rst) word_valid <= {RESULT_AT{1'b0}};
    end
    wire run_2, slice_first_2, first_9, ends_result;
    wire [MULTIPLIER_BITS-1:0] multiplier_6;
    wire high_7;
    reg  high_8;
    wire [COUNT_BITS-1:0] budget_late;
    pasa_delay #(.WIDTH(2), .CLOCKS(2)) run_wait (
        .clk(clk), .in({running, slice == {SLICE_BITS{1'b0}}}),
        .out({run_2, slice_first_2})
    );
    pasa_delay #(.WIDTH(1), .CLOCKS(9)) first_wait (
        .clk(clk), .in(word_first), .out(first_9)
    );
    pasa_delay #(.WIDTH(MULTIPLIER_BITS), .CLOCKS(6)) multiplier_wait (
        .clk(clk), .in(multiplier), .out(multiplier_6)
    );
    pasa_delay #(.WIDTH(1), .CLOCKS(7)) high_wait (
        .clk(clk), .in(high), .out(high_7)
    );
    always @(posedge clk) high_8 <= high_7;
    pasa_delay #(.WIDTH(COUNT_BITS), .CLOCKS(13 + 2 * TREE)) budget_wait (
        .clk(clk), .in(budget), .out(budget_late)
    );
    pasa_delay #(.WIDTH(1), .CLOCKS(RESULT_AT)) ends_wait (
        .clk(clk), .in(word_ends), .out(ends_result)
    );
    pasa_delay #(.WIDTH(PLACE_BITS + WORD_BITS), .CLOCKS(WRITE_AT)) address_wait (
        .clk(clk), .in({place, word}), .out(distance_address)
    );
    assign distance_write = word_valid[WRITE_AT];
    assign result_valid   = word_valid[RESULT_AT] & ends_result;

    // The slice of each row that meets nibble_data.
    wire [SLICE_BITS-1:0] slice_1;
    pasa_delay #(.WIDTH(SLICE_BITS), .CLOCKS(1)) slice_wait (
        .clk(clk), .in(slice), .out(slice_1)
    );
    genvar r;
    generate for (r = 0; r < ROWS; r = r + 1) begin : g_row
        wire [HEAD_DIM*PRED_BITS-1:0] whole = nibbles[r*HEAD_DIM*PRED_BITS +: HEAD_DIM*PRED_BITS];
        reg  [Q-1:0] row_2;
        always @(posedge clk) row_2 <= whole[slice_1*Q +: Q];
        pasa_predict_row #(
            .PRED_KEYS(PRED_KEYS), .HEAD_DIM(HEAD_DIM), .TILE_KEYS(TILE_KEYS),
            .PRED_BITS(PRED_BITS), .MULTIPLIER_BITS(MULTIPLIER_BITS),
            .LOW_SHIFT(LOW_SHIFT), .HIGH_SHIFT(HIGH_SHIFT)
        ) predict_row (
            .clk(clk), .run(run_2), .slice_first(slice_first_2), .keys(nibble_data), .row(row_2),
            .multiplier(multiplier_6), .high(high_7), .high_late(high_8), .word(word),
            .stop(stop[r*COUNT_BITS +: COUNT_BITS]), .from(from[r*COUNT_BITS +: COUNT_BITS]),
            .sinks(sinks), .valid(word_valid[9]), .valid_first(first_9), .budget(budget_late),
            .distances(distance_data[r*(D+E) +: D]),
            .exponent(distance_data[r*(D+E)+D +: E]),
            .octave(result_octave[r*4 +: 4]),
            .need(result_need[r*COUNT_BITS +: COUNT_BITS]),
            .visible_count(result_visible[r*COUNT_BITS +: COUNT_BITS]),
            .row_exponent(result_exponent[r*E +: E]),
            .row_nearest(result_nearest[r*N +: N])
        );
    end endgenerate
endmodule
`default_nettype wire
