// SPDX-License-Identifier: Apache-2.0
//
// pasa_measure - MEASURE: cuts of a block of rows
//
// Why      The cut of a row needs all its distances at once, so they pass a
//          second time, now with their final reference.
// Contract * takes a block (block_*) when it is idle and fewer than BUFFERS
//            blocks lie between here and the end of SELECT (`release_buffer`
//            gives one back); then reads one word a clock: words + 1 clocks
//          * `finish` comes with the last read of a block
//          * final distances go to final_* at {buffer, word}, 3 clocks after
//            their read; result_valid after the last
//          * stored_data comes one clock after stored_enable
//          * the rows of a command with block_merge_next leave their predicted
//            sums here; those with block_merge_previous find them, row by row:
//            the first of their blocks wait until the pipeline is empty, so
//            that the sums of a short command before have been written
//          * golden: selection.kept_keys, merging.running_total
// Cost     ROWS times pasa_measure_row; MERGE_ROWS sums
// Checked  make unit M=pasa_predictor

`default_nettype none
`include "pasa_formats.vh"
module pasa_measure #(
    parameter ROWS       = 4,
    parameter PRED_KEYS  = 32,
    parameter TILE_KEYS  = 2048,
    parameter BLOCK_KEYS = 64,
    parameter BUFFERS    = 4,
    parameter MERGE_ROWS = 256
) (
    input  wire clk,
    input  wire rst,

    input  wire                                   block_valid,
    output wire                                   block_ready,
    input  wire [$clog2(TILE_KEYS/PRED_KEYS)-1:0] walk_first,   // see pasa_word_range
    input  wire                                   walk_jump,
    input  wire [$clog2(TILE_KEYS/PRED_KEYS)-1:0] walk_jump_at,
    input  wire [$clog2(TILE_KEYS/PRED_KEYS)-1:0] walk_jump_to,
    input  wire [$clog2(TILE_KEYS/PRED_KEYS)-1:0] walk_last,
    input  wire                                   block_use_threshold,
    input  wire                                   block_use_budget,
    input  wire [`PASA_MIN_PROBABILITY_BITS-1:0]  block_min_probability,
    input  wire                                   block_last,   // of its command
    input  wire                                   block_merge_previous,
    input  wire                                   block_merge_next,
    input  wire [ROWS*($clog2(TILE_KEYS)+1)-1:0]  block_visible,
    input  wire [ROWS*4-1:0]                      block_octave,
    input  wire [ROWS*($clog2(TILE_KEYS)+1)-1:0]  block_need,
    input  wire [ROWS*(`PASA_PREDICTED_BITS-`PASA_PREDICTED_FRACTION+1)-1:0] block_exponent,
    input  wire [ROWS*`PASA_PREDICTED_FRACTION-1:0] block_nearest,

    output wire                                   stored_enable,
    output wire [$clog2(BUFFERS*TILE_KEYS/PRED_KEYS)-1:0] stored_address,
    input  wire [ROWS*(PRED_KEYS*`PASA_DISTANCE_BITS+`PASA_PREDICTED_BITS
                       -`PASA_PREDICTED_FRACTION+1)-1:0] stored_data, // {exponent, distances} a row
    output wire                                   finish,

    output wire                                   final_write,
    output wire [$clog2(BUFFERS*TILE_KEYS/PRED_KEYS)-1:0] final_address,
    output wire [ROWS*PRED_KEYS*`PASA_DISTANCE_BITS-1:0] final_data,

    output wire                                   result_valid,
    output wire [ROWS*`PASA_DISTANCE_BITS-1:0]    result_cut,
    output wire [ROWS*($clog2(TILE_KEYS)+1)-1:0]  result_ties,
    output wire [ROWS*(`PASA_LOG_FRACTION+7)-1:0] result_log_total,
    input  wire                                   release_buffer
);
    localparam COUNT_BITS = $clog2(TILE_KEYS) + 1;
    localparam WORDS      = TILE_KEYS / PRED_KEYS;
    localparam WORD_BITS  = $clog2(WORDS);
    localparam PLACE_BITS = $clog2(BUFFERS);
    localparam E          = `PASA_PREDICTED_BITS - `PASA_PREDICTED_FRACTION + 1;
    localparam N          = `PASA_PREDICTED_FRACTION;
    localparam D          = PRED_KEYS * `PASA_DISTANCE_BITS;
    localparam C          = `PASA_DISTANCE_BITS;
    localparam L          = `PASA_LOG_FRACTION + 7;
    localparam P          = `PASA_MIN_PROBABILITY_BITS;
    localparam TREE       = ($clog2(PRED_KEYS) + 1) / 2;
    localparam RUNNING_AT = 9 + TREE;          // clocks after a word was asked for
    localparam RESULT_AT  = 15 + TREE;
    localparam R          = `PASA_RUNNING_BITS;
    localparam GROUPS     = MERGE_ROWS / ROWS > 1 ? MERGE_ROWS / ROWS : 2; // blocks of rows
    localparam GROUP_BITS = $clog2(GROUPS);

    reg [RESULT_AT:1]  word_valid;
    reg [PLACE_BITS:0] used;         // blocks between here and the end of SELECT
    reg                running;
    wire               sums_wait;
    assign block_ready = !running & !used[PLACE_BITS] & !sums_wait;
    wire start = block_valid & block_ready;
    always @(posedge clk) begin
        if (start & !release_buffer) used <= used + 1'b1;
        if (release_buffer & !start) used <= used - 1'b1;
        if (rst) used <= {(PLACE_BITS+1){1'b0}};
    end

    // The block at work.
    reg                       use_threshold, use_budget;
    reg [P-1:0]               min_probability;
    reg [ROWS*4-1:0]          octave;
    reg [ROWS*COUNT_BITS-1:0] need;
    reg [ROWS*E-1:0]          exponent;
    reg [ROWS*N-1:0]          nearest;
    reg [ROWS-1:0]            empty;
    reg                       merge_previous, merge_next;
    integer                   i;
    always @(posedge clk)
        if (start) begin
            use_threshold   <= block_use_threshold;
            use_budget      <= block_use_budget;
            min_probability <= block_min_probability;
            octave          <= block_octave;
            need            <= block_need;
            exponent        <= block_exponent;
            nearest         <= block_nearest;
            merge_previous  <= block_merge_previous;
            merge_next      <= block_merge_next;
            for (i = 0; i < ROWS; i = i + 1)
                empty[i] <= block_visible[i*COUNT_BITS +: COUNT_BITS] == {COUNT_BITS{1'b0}};
        end

    // Sums over the tiles before. The block's are read as it starts.
    // A block starts at least 2 clocks after another, and RUNNING_AT is less than 16.
    reg  [GROUP_BITS-1:0]   next_group, group;
    wire                    early;                 // of the first 8 blocks of its command
    generate if (GROUPS > 8) begin : g_early
        assign early = next_group[GROUP_BITS-1:3] == {(GROUP_BITS-3){1'b0}};
    end else begin : g_all_early
        assign early = 1'b1;
    end endgenerate
    assign sums_wait = block_merge_previous & early & |word_valid[RUNNING_AT:1];
    wire [GROUP_BITS-1:0]   group_late;
    wire                    running_write;
    wire [ROWS*(E+R)-1:0]   sums_before, sums_now;
    always @(posedge clk) begin
        if (start) begin
            group      <= next_group;
            next_group <= block_last ? {GROUP_BITS{1'b0}} : next_group + 1'b1;
        end
        if (rst) next_group <= {GROUP_BITS{1'b0}};
    end
    pasa_ram #(.WIDTH(ROWS * (E + R)), .DEPTH(GROUPS)) sums (
        .clk(clk), .write_enable(running_write), .write_address(group_late),
        .write_data(sums_now), .read_enable(start), .read_address(next_group),
        .read_data(sums_before)
    );

    // One word a clock.
    reg                   word_first;
    reg  [PLACE_BITS-1:0] place;
    wire [WORD_BITS-1:0]  word;
    wire                  word_ends, unused_closes;
    assign finish = running & word_ends;
    pasa_word_walk #(.WORDS(WORDS), .PARTS(BLOCK_KEYS / PRED_KEYS)) walk (
        .clk(clk), .start(start), .step(running), .first(walk_first), .jump(walk_jump),
        .jump_at(walk_jump_at), .jump_to(walk_jump_to), .last(walk_last),
        .word(word), .ends(word_ends), .closes(unused_closes)
    );
    always @(posedge clk) begin
        word_first <= start;
        if (start)       running <= 1'b1;
        else if (finish) running <= 1'b0;
        if (finish)      place   <= place + 1'b1;
        if (rst) begin
            running <= 1'b0;
            place   <= {PLACE_BITS{1'b0}};
        end
    end
    assign stored_enable  = running;
    assign stored_address = {place, word};

    // What goes along with the data. Valid bits alone are reset.
    always @(posedge clk) begin
        word_valid <= {word_valid[RESULT_AT-1:1], running};
        if (rst) word_valid <= {RESULT_AT{1'b0}};
    end
    wire first_late, ends_result, use_threshold_late, use_budget_late;
    wire [P-1:0]               min_probability_late;
    wire [ROWS*E-1:0]          exponent_1;
    wire [ROWS*4-1:0]          octave_3, octave_late;
    wire [ROWS*COUNT_BITS-1:0] need_late;
    wire [ROWS*N-1:0]          nearest_late;
    pasa_delay #(.WIDTH(1), .CLOCKS(4 + TREE)) first_wait (
        .clk(clk), .in(word_first), .out(first_late)
    );
    pasa_delay #(.WIDTH(1), .CLOCKS(RESULT_AT)) ends_wait (
        .clk(clk), .in(word_ends), .out(ends_result)
    );
    pasa_delay #(.WIDTH(ROWS * E), .CLOCKS(1)) exponent_wait (
        .clk(clk), .in(exponent), .out(exponent_1)
    );
    pasa_delay #(.WIDTH(ROWS * 4), .CLOCKS(3)) octave_wait (
        .clk(clk), .in(octave), .out(octave_3)
    );
    pasa_delay #(.WIDTH(ROWS * 4), .CLOCKS(2 + TREE)) octave_more (
        .clk(clk), .in(octave_3), .out(octave_late)
    );
    pasa_delay #(.WIDTH(ROWS * COUNT_BITS + 2), .CLOCKS(5 + TREE)) need_wait (
        .clk(clk), .in({use_threshold, use_budget, need}),
        .out({use_threshold_late, use_budget_late, need_late})
    );
    pasa_delay #(.WIDTH(P), .CLOCKS(11 + TREE)) probability_wait (
        .clk(clk), .in(min_probability), .out(min_probability_late)
    );
    pasa_delay #(.WIDTH(ROWS * N), .CLOCKS(12 + TREE)) nearest_wait (
        .clk(clk), .in(nearest), .out(nearest_late)
    );
    wire ends_running, merge_next_late;
    pasa_delay #(.WIDTH(2 + GROUP_BITS), .CLOCKS(RUNNING_AT)) group_wait (
        .clk(clk), .in({word_ends, merge_next, group}),
        .out({ends_running, merge_next_late, group_late})
    );
    assign running_write = word_valid[RUNNING_AT] & ends_running & merge_next_late;
    pasa_delay #(.WIDTH(PLACE_BITS + WORD_BITS), .CLOCKS(3)) address_wait (
        .clk(clk), .in({place, word}), .out(final_address)
    );
    assign final_write  = word_valid[3];
    assign result_valid = word_valid[RESULT_AT] & ends_result;

    genvar r;
    generate for (r = 0; r < ROWS; r = r + 1) begin : g_row
        pasa_measure_row #(.PRED_KEYS(PRED_KEYS), .TILE_KEYS(TILE_KEYS)) measure_row (
            .clk(clk), .stored(stored_data[r*(D+E) +: D]),
            .exponent(stored_data[r*(D+E)+D +: E]), .row_exponent(exponent_1[r*E +: E]),
            .octave(octave_3[r*4 +: 4]), .valid(word_valid[4+TREE]), .first(first_late),
            .octave_late(octave_late[r*4 +: 4]),
            .need(need_late[r*COUNT_BITS +: COUNT_BITS]),
            .use_threshold(use_threshold_late), .use_budget(use_budget_late),
            .min_probability(min_probability_late), .nearest(nearest_late[r*N +: N]),
            .tile_exponent(exponent[r*E +: E]), .empty(empty[r]),
            .before_exponent(sums_before[r*(E+R)+R +: E]),
            .before_total(sums_before[r*(E+R) +: R] & {R{merge_previous}}),
            .running_exponent(sums_now[r*(E+R)+R +: E]),
            .running(sums_now[r*(E+R) +: R]),
            .distances(final_data[r*D +: D]), .cut(result_cut[r*C +: C]),
            .ties(result_ties[r*COUNT_BITS +: COUNT_BITS]),
            .log_total(result_log_total[r*L +: L])
        );
    end endgenerate
endmodule
`default_nettype wire
