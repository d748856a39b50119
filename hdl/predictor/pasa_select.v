// SPDX-License-Identifier: Apache-2.0
//
// pasa_select - SELECT: entries and header of a block of rows
//
// Why      Third pass over the distances, now that each row's cut is known.
// Contract * takes a block (block_*) when it is idle; then reads one word a
//            clock: words + 1 clocks; `finish` comes with the last read
//          * final_data comes one clock after final_enable
//          * entries: in increasing key order, one for each row and block of
//            keys of which something is kept or has a tail, 9 + TREE clocks
//            after the block's last word; TREE = (clog2(PRED_KEYS) + 1) / 2
//          * header (rows_*): one for each block of rows, in order, after its
//            last entry: 14 + TREE + (clog2(ROWS) + 1) / 2 clocks after the
//            last word; entries of the next block may come before it
//          * golden: selection.kept_keys, fixed._Head.tail, dropped_mass
// Cost     ROWS times pasa_select_row
// Checked  make unit M=pasa_predictor

`default_nettype none
`include "pasa_formats.vh"
module pasa_select #(
    parameter ROWS        = 4,
    parameter PRED_KEYS   = 32,
    parameter TILE_KEYS   = 2048,
    parameter BLOCK_KEYS  = 64,
    parameter BUFFERS     = 4,
    parameter SLOT_BITS   = 1,
    parameter RING_BLOCKS = 8
) (
    input  wire clk,
    input  wire rst,

    input  wire                                   block_valid,
    output wire                                   block_ready,
    input  wire [$clog2(RING_BLOCKS)-1:0]         block_ring,
    input  wire [SLOT_BITS-1:0]                   block_slot,
    input  wire [ROWS-1:0]                        block_present,
    input  wire                                   block_last,
    input  wire                                   block_dense,
    input  wire                                   block_use_tail,
    input  wire [$clog2(TILE_KEYS/PRED_KEYS)-1:0] walk_first,   // see pasa_word_range
    input  wire                                   walk_jump,
    input  wire [$clog2(TILE_KEYS/PRED_KEYS)-1:0] walk_jump_at,
    input  wire [$clog2(TILE_KEYS/PRED_KEYS)-1:0] walk_jump_to,
    input  wire [$clog2(TILE_KEYS/PRED_KEYS)-1:0] walk_last,
    input  wire [ROWS*($clog2(TILE_KEYS)+1)-1:0]  block_visible,
    input  wire [ROWS*(`PASA_PREDICTED_BITS-`PASA_PREDICTED_FRACTION+1)-1:0] block_exponent,
    input  wire [ROWS*`PASA_DISTANCE_BITS-1:0]    block_cut,
    input  wire [ROWS*($clog2(TILE_KEYS)+1)-1:0]  block_ties,
    input  wire [ROWS*(`PASA_LOG_FRACTION+7)-1:0] block_log_total,

    output wire                                   final_enable,
    output wire [$clog2(BUFFERS*TILE_KEYS/PRED_KEYS)-1:0] final_address,
    input  wire [ROWS*PRED_KEYS*`PASA_DISTANCE_BITS-1:0] final_data,
    output wire                                   finish,

    output wire [ROWS-1:0]                        entry_valid,
    output wire [$clog2(RING_BLOCKS)-1:0]         entry_ring_block,
    output wire [$clog2(TILE_KEYS/BLOCK_KEYS)-1:0] entry_block,
    output wire [ROWS*BLOCK_KEYS-1:0]             entry_mask,
    output wire [ROWS*(`PASA_PREDICTED_WEIGHT_FRACTION+1+$clog2(BLOCK_KEYS))-1:0] entry_tail,

    output wire                                   rows_valid,
    output wire [$clog2(RING_BLOCKS)-1:0]         rows_ring_block,
    output wire [ROWS-1:0]                        rows_present,
    output wire                                   rows_last,
    output wire [SLOT_BITS-1:0]                   rows_slot,
    output wire [ROWS*($clog2(TILE_KEYS)+1)-1:0]  rows_items,
    output wire [ROWS*24-1:0]                     rows_reference,
    output wire [ROWS-1:0]                        rows_tail,
    output wire [$clog2(TILE_KEYS)+$clog2(ROWS):0] rows_visible_sum,
    output wire [$clog2(TILE_KEYS)+$clog2(ROWS):0] rows_kept_sum,
    output wire [$clog2(TILE_KEYS)+$clog2(ROWS):0] rows_blocks_sum,
    output wire [`PASA_PREDICTED_WEIGHT_FRACTION+$clog2(ROWS):0] rows_dropped_sum,
    output wire [$clog2(ROWS):0]                  rows_empty_sum
);
    localparam REFERENCE_BITS = 24;
    localparam COUNT_BITS = $clog2(TILE_KEYS) + 1;
    localparam WORDS      = TILE_KEYS / PRED_KEYS;
    localparam WORD_BITS  = $clog2(WORDS);
    localparam PARTS      = BLOCK_KEYS / PRED_KEYS;
    localparam PART_BITS  = $clog2(PARTS);
    localparam BLOCK_BITS = WORD_BITS - PART_BITS;
    localparam PLACE_BITS = $clog2(BUFFERS);
    localparam RING_BITS  = $clog2(RING_BLOCKS);
    localparam E          = `PASA_PREDICTED_BITS - `PASA_PREDICTED_FRACTION + 1;
    localparam C          = `PASA_DISTANCE_BITS;
    localparam D          = PRED_KEYS * C;
    localparam L          = `PASA_LOG_FRACTION + 7;
    localparam G          = `PASA_PREDICTED_WEIGHT_FRACTION + 1;
    localparam TAIL_BITS  = G + $clog2(BLOCK_KEYS);
    localparam TREE       = ($clog2(PRED_KEYS) + 1) / 2;
    localparam ROW_TREE   = ($clog2(ROWS) + 1) / 2;
    localparam ENTRY_AT   = 9 + TREE;          // clocks after a word was asked for
    localparam HEADER_AT  = 14 + TREE + ROW_TREE;

    reg running;
    assign block_ready = !running;
    wire start = block_valid & block_ready;

    // The block at work.
    reg [RING_BITS-1:0]       ring;
    reg  [SLOT_BITS-1:0]      slot;
    reg                       last, dense, use_tail;
    reg [ROWS-1:0]            present;
    reg [ROWS*COUNT_BITS-1:0] visible, ties;
    reg [ROWS*E-1:0]          exponent;
    reg [ROWS*C-1:0]          cut;
    reg [ROWS*L-1:0]          log_total;
    always @(posedge clk)
        if (start) begin
            ring      <= block_ring;
            slot      <= block_slot;
            last      <= block_last;
            dense     <= block_dense;
            use_tail  <= block_use_tail;
            present   <= block_present;
            visible   <= block_visible;
            exponent  <= block_exponent;
            cut       <= block_cut;
            ties      <= block_ties;
            log_total <= block_log_total;
        end

    // One word a clock.
    reg                   word_first, word_opens, leads;
    reg  [PART_BITS:0]    visited;   // words of this block of keys so far
    reg  [PLACE_BITS-1:0] place;
    wire [WORD_BITS-1:0]  word;
    wire                  word_ends, word_closes;
    wire [PART_BITS:0]    visits = (word_opens ? {(PART_BITS+1){1'b0}} : visited) + 1'b1;
    wire                  full   = visits[PART_BITS];
    assign finish = running & word_ends;
    pasa_word_walk #(.WORDS(WORDS), .PARTS(PARTS)) walk (
        .clk(clk), .start(start), .step(running), .first(walk_first), .jump(walk_jump),
        .jump_at(walk_jump_at), .jump_to(walk_jump_to), .last(walk_last),
        .word(word), .ends(word_ends), .closes(word_closes)
    );
    always @(posedge clk) begin
        word_first <= start;
        word_opens <= start | word_closes;
        leads      <= start | (leads & !word_closes);
        visited    <= visits;
        if (start)       running <= 1'b1;
        else if (finish) running <= 1'b0;
        if (finish)      place   <= place + 1'b1;
        if (rst) begin
            running <= 1'b0;
            place   <= {PLACE_BITS{1'b0}};
        end
    end
    assign final_enable  = running;
    assign final_address = {place, word};

    // What goes along with the data. Valid bits alone are reset.
    reg [HEADER_AT:1] word_valid;
    always @(posedge clk) begin
        word_valid <= {word_valid[HEADER_AT-1:1], running};
        if (rst) word_valid <= {HEADER_AT{1'b0}};
    end
    wire [PARTS-1:0] part, part_7;
    genvar p, r;
    generate for (p = 0; p < PARTS; p = p + 1) begin : g_part
        if (PARTS == 1) begin : g_only
            assign part[p] = 1'b1;
        end else begin : g_one
            localparam [PART_BITS-1:0] NUMBER = p;
            assign part[p] = word[PART_BITS-1:0] == NUMBER;
        end
    end endgenerate
    wire tie_first, first_7, opens_7, closes_8, full_8, leads_8, use_tail_8, ends_header;
    wire [ROWS*C-1:0]          cut_2;
    wire [ROWS*COUNT_BITS-1:0] ties_late;
    wire [ROWS*L-1:0]          log_total_late;
    pasa_delay #(.WIDTH(1), .CLOCKS(3 + TREE)) tie_first_wait (
        .clk(clk), .in(word_first), .out(tie_first)
    );
    pasa_delay #(.WIDTH(2 + PARTS), .CLOCKS(7 + TREE)) word_wait (
        .clk(clk), .in({word_first, word_opens, part}), .out({first_7, opens_7, part_7})
    );
    pasa_delay #(.WIDTH(4), .CLOCKS(8 + TREE)) block_wait (
        .clk(clk), .in({word_closes, full, leads, use_tail}),
        .out({closes_8, full_8, leads_8, use_tail_8})
    );
    pasa_delay #(.WIDTH(1), .CLOCKS(HEADER_AT)) ends_wait (
        .clk(clk), .in(word_ends), .out(ends_header)
    );
    pasa_delay #(.WIDTH(ROWS * C), .CLOCKS(2)) cut_wait (
        .clk(clk), .in(cut), .out(cut_2)
    );
    pasa_delay #(.WIDTH(ROWS * COUNT_BITS), .CLOCKS(3 + TREE)) ties_wait (
        .clk(clk), .in(ties), .out(ties_late)
    );
    pasa_delay #(.WIDTH(ROWS * L), .CLOCKS(11 + TREE)) log_total_wait (
        .clk(clk), .in(log_total), .out(log_total_late)
    );
    pasa_delay #(.WIDTH(RING_BITS + BLOCK_BITS), .CLOCKS(ENTRY_AT)) entry_wait (
        .clk(clk), .in({ring, word[WORD_BITS-1:PART_BITS]}),
        .out({entry_ring_block, entry_block})
    );

    reg [ROWS*D-1:0] distances;      // at 2: the memory's output register
    always @(posedge clk) distances <= final_data;

    wire [ROWS*COUNT_BITS-1:0] kept, blocks;           // at 8, 9 + TREE
    wire [ROWS*G-1:0]          dropped_mass;           // at 14 + TREE
    wire [ROWS*COUNT_BITS-1:0] items;                  // at 10 + TREE
    wire [ROWS-1:0]            has_tail;
    wire [ROWS-1:0]            empty;                  // at 0
    wire [ROWS*E-1:0]          shown_exponent;
    generate for (r = 0; r < ROWS; r = r + 1) begin : g_row
        pasa_select_row #(
            .PRED_KEYS(PRED_KEYS), .TILE_KEYS(TILE_KEYS), .BLOCK_KEYS(BLOCK_KEYS)
        ) select_row (
            .clk(clk), .distances(distances[r*D +: D]), .cut(cut_2[r*C +: C]),
            .ties(ties_late[r*COUNT_BITS +: COUNT_BITS]), .tie_valid(word_valid[3+TREE]),
            .tie_first(tie_first), .valid(word_valid[7+TREE]), .word_first(first_7),
            .word_opens(opens_7), .word_part(part_7), .closes(closes_8 & word_valid[8+TREE]),
            .full(full_8), .leads(leads_8), .use_tail(use_tail_8),
            .log_total(log_total_late[r*L +: L]),
            .entry_valid(entry_valid[r]), .entry_mask(entry_mask[r*BLOCK_KEYS +: BLOCK_KEYS]),
            .entry_tail(entry_tail[r*TAIL_BITS +: TAIL_BITS]),
            .kept_count(kept[r*COUNT_BITS +: COUNT_BITS]),
            .blocks(blocks[r*COUNT_BITS +: COUNT_BITS]),
            .dropped_mass(dropped_mass[r*G +: G])
        );
        reg [COUNT_BITS-1:0] kept_9, item;
        reg                  tail;
        always @(posedge clk) begin
            kept_9 <= kept[r*COUNT_BITS +: COUNT_BITS];
            item   <= kept_9 + blocks[r*COUNT_BITS +: COUNT_BITS];
            tail   <= |blocks[r*COUNT_BITS +: COUNT_BITS];
        end
        assign items[r*COUNT_BITS +: COUNT_BITS] = item;
        assign has_tail[r] = tail;
        assign empty[r]    = present[r] & !(|visible[r*COUNT_BITS +: COUNT_BITS]);
        assign shown_exponent[r*E +: E] = dense ? {E{1'b0}} : exponent[r*E +: E];
        assign rows_reference[r*REFERENCE_BITS +: REFERENCE_BITS] =
            {{(REFERENCE_BITS-E){late_exponent[r*E+E-1]}}, late_exponent[r*E +: E]};
    end endgenerate

    // The header.
    localparam SUM_BITS = COUNT_BITS + $clog2(ROWS);
    wire [ROWS*E-1:0]   late_exponent;
    wire [SUM_BITS-1:0] visible_sum, kept_sum, blocks_sum;
    wire [$clog2(ROWS):0] empty_sum;
    assign rows_valid = word_valid[HEADER_AT] & ends_header;
    pasa_delay #(.WIDTH(RING_BITS + ROWS + 1 + SLOT_BITS + ROWS * E), .CLOCKS(HEADER_AT)) header_wait (
        .clk(clk), .in({ring, present, last, slot, shown_exponent}),
        .out({rows_ring_block, rows_present, rows_last, rows_slot, late_exponent})
    );
    pasa_delay #(.WIDTH(ROWS * (COUNT_BITS + 1)), .CLOCKS(4 + ROW_TREE)) items_wait (
        .clk(clk), .in({items, has_tail}), .out({rows_items, rows_tail})
    );
    pasa_sum #(.COUNT(ROWS), .WIDTH(COUNT_BITS)) visible_tree (
        .clk(clk), .in(visible), .out(visible_sum)
    );
    pasa_sum #(.COUNT(ROWS), .WIDTH(1)) empty_tree (.clk(clk), .in(empty), .out(empty_sum));
    pasa_sum #(.COUNT(ROWS), .WIDTH(COUNT_BITS)) kept_tree (
        .clk(clk), .in(kept), .out(kept_sum)
    );
    pasa_sum #(.COUNT(ROWS), .WIDTH(COUNT_BITS)) blocks_tree (
        .clk(clk), .in(blocks), .out(blocks_sum)
    );
    pasa_sum #(.COUNT(ROWS), .WIDTH(G)) dropped_tree (
        .clk(clk), .in(dropped_mass), .out(rows_dropped_sum)
    );
    pasa_delay #(.WIDTH(SUM_BITS + $clog2(ROWS) + 1), .CLOCKS(14 + TREE)) visible_wait (
        .clk(clk), .in({visible_sum, empty_sum}),
        .out({rows_visible_sum, rows_empty_sum})
    );
    pasa_delay #(.WIDTH(SUM_BITS), .CLOCKS(6)) kept_wait (
        .clk(clk), .in(kept_sum), .out(rows_kept_sum)
    );
    pasa_delay #(.WIDTH(SUM_BITS), .CLOCKS(5)) blocks_wait (
        .clk(clk), .in(blocks_sum), .out(rows_blocks_sum)
    );
endmodule
`default_nettype wire
