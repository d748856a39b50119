// SPDX-License-Identifier: Apache-2.0
//
// pasa_kept_reader - turns the selected rows of a lane into items, one a clock
//
// Why      The engine works on a list: the kept keys of a row in key order and, after the kept
//          keys of each block, the block's virtual key. The ring holds masks; here they become
//          that list without a lost clock, across blocks and across rows.
// Contract * items leave in order, one a clock while item_ready is high; item_last ends a row
//          * a row without any visible key is one item marked item_null
//          * ready rises when the row at hand has at most LOOKAHEAD items left, so that the next
//            row's entries arrive in time, but no row waits here while other lanes are free
//          * release names a row of the ring for one clock when all its entries have been read
// Latency  five clocks from assign_valid to the first item
// Cost     about 350 flip-flops and a LUT RAM of eight entries at BLOCK_KEYS 64
// Checked  make unit M=pasa_kept_reader

`default_nettype none
`include "pasa_formats.vh"
module pasa_kept_reader #(
    parameter ROWS        = 4,
    parameter TILE_KEYS   = 2048,
    parameter BLOCK_KEYS  = 64,
    parameter RING_BLOCKS = 8,
    parameter TAG         = 3,        // bits carried with every item of a row
    parameter LOOKAHEAD   = 8,
    // derived, not to be set
    parameter ROW_BITS    = (ROWS == 1) ? 1 : $clog2(ROWS),
    parameter RING_BITS   = $clog2(RING_BLOCKS),
    parameter KEY_BITS    = $clog2(TILE_KEYS),
    parameter BLOCK_BITS  = $clog2(TILE_KEYS / BLOCK_KEYS),
    parameter COUNT_BITS  = KEY_BITS + 1,
    parameter TAIL_BITS   = `PASA_PREDICTED_WEIGHT_FRACTION + 1 + $clog2(BLOCK_KEYS),
    parameter ENTRY_BITS  = BLOCK_BITS + BLOCK_KEYS + TAIL_BITS
) (
    input  wire                  clk,
    input  wire                  rst,

    output wire                  ready,          // for one more row
    input  wire                  assign_valid,
    input  wire [RING_BITS-1:0]  assign_ring_block,
    input  wire [ROW_BITS-1:0]   assign_row,
    input  wire [COUNT_BITS-1:0] assign_items,
    input  wire [BLOCK_BITS:0]   assign_entries,
    input  wire [TAG-1:0]        assign_tag,

    output wire                  read,           // entries of the ring
    output wire [RING_BITS-1:0]  read_block,
    output wire [ROW_BITS-1:0]   read_row,
    output wire [BLOCK_BITS-1:0] read_entry,
    input  wire [ENTRY_BITS-1:0] entry,          // two clocks later
    output reg                   release_valid,
    output reg  [RING_BITS-1:0]  release_block,
    output reg  [ROW_BITS-1:0]   release_row,

    output reg                   item_valid,
    input  wire                  item_ready,
    output reg                   item_is_block,  // virtual key of a block, else a kept key
    output reg                   item_null,      // stands for a row without visible keys
    output reg                   item_last,      // of its row
    output reg  [KEY_BITS-1:0]   item_index,     // key number, or block number
    output reg  [TAIL_BITS-1:0]  item_tail,      // summed predicted weight, UQ(7.14)
    output reg  [TAG-1:0]        item_tag
);
    localparam OFFSET_BITS = $clog2(BLOCK_KEYS);
    localparam FIFO_DEPTH  = 8;
    localparam FIFO_BITS   = $clog2(FIFO_DEPTH);
    localparam WORD_BITS   = ENTRY_BITS + 2 + TAG;

    // Fetch: the entries of one row, as far as the FIFO has room for what is on its way.
    reg                  fetching;
    reg [RING_BITS-1:0]  fetch_block;
    reg [ROW_BITS-1:0]   fetch_row;
    reg [BLOCK_BITS:0]   fetch_entries, fetch_index;
    reg [TAG-1:0]        fetch_tag;
    reg [FIFO_BITS:0]    room;                   // places neither filled nor promised

    wire fetch_null = fetch_entries == 0;
    wire fetch      = fetching & (room != 0);
    wire fetch_last = fetch_null | (fetch_index + 1'b1 == fetch_entries);
    wire fetch_end  = fetch & fetch_last;
    assign read       = fetch & !fetch_null;
    assign read_block = fetch_block;
    assign read_row   = fetch_row;
    assign read_entry = fetch_index[BLOCK_BITS-1:0];

    always @(posedge clk) begin
        if (assign_valid) begin
            fetch_block   <= assign_ring_block;
            fetch_row     <= assign_row;
            fetch_entries <= assign_entries;
            fetch_tag     <= assign_tag;
            fetch_index   <= {BLOCK_BITS+1{1'b0}};
        end else if (fetch) begin
            fetch_index   <= fetch_index + 1'b1;
        end
        fetching      <= assign_valid | (fetching & !fetch_end);
        release_valid <= fetch_end;
        release_block <= fetch_block;
        release_row   <= fetch_row;
        if (rst) begin
            fetching      <= 1'b0;
            release_valid <= 1'b0;
        end
    end

    // Two clocks of read latency, then the FIFO.
    reg           on_way_1, on_way_2, last_1, last_2, null_1, null_2;
    reg [TAG-1:0] tag_1, tag_2;
    always @(posedge clk) begin
        on_way_1 <= fetch;      on_way_2 <= on_way_1;
        last_1   <= fetch_last; last_2   <= last_1;
        null_1   <= fetch_null; null_2   <= null_1;
        tag_1    <= fetch_tag;  tag_2    <= tag_1;
        if (rst) {on_way_1, on_way_2} <= 2'b00;
    end

    wire                 next_valid, next_take;
    wire [WORD_BITS-1:0] next_word;
    /* verilator lint_off PINCONNECTEMPTY */  // room and its credits stand for s_ready and level
    pasa_fifo #(.WIDTH(WORD_BITS), .DEPTH(FIFO_DEPTH)) entries (
        .clk(clk), .rst(rst),
        .s_valid(on_way_2), .s_ready(), .s_data({tag_2, last_2, null_2, entry}),
        .m_valid(next_valid), .m_ready(next_take), .m_data(next_word), .level());
    /* verilator lint_on PINCONNECTEMPTY */
    always @(posedge clk) begin
        room <= room + {{FIFO_BITS{1'b0}}, next_take & next_valid} - {{FIFO_BITS{1'b0}}, fetch};
        if (rst) room <= FIFO_DEPTH[FIFO_BITS:0];
    end

    // The entry at hand: kept keys from the lowest bit up, then the virtual key.
    reg                  held;
    reg [BLOCK_KEYS-1:0] mask;
    reg [TAIL_BITS-1:0]  tail;
    reg [BLOCK_BITS-1:0] block;
    reg                  has_tail, last, null_row;
    reg [TAG-1:0]        tag;

    // Whether a key is left after this one, without the carry chain of `lowest`: a binary tree
    // in which each node knows whether there is one below it, and whether there are more.
    reg [2*BLOCK_KEYS-1:1] one, more;
    integer                n;
    always @* begin
        one[2*BLOCK_KEYS-1:BLOCK_KEYS]  = mask;
        more[2*BLOCK_KEYS-1:BLOCK_KEYS] = {BLOCK_KEYS{1'b0}};
        for (n = BLOCK_KEYS - 1; n > 0; n = n - 1) begin
            one[n]  = one[2*n] | one[2*n+1];
            more[n] = more[2*n] | more[2*n+1] | (one[2*n] & one[2*n+1]);
        end
    end

    wire [BLOCK_KEYS-1:0] lowest = mask & (~mask + 1'b1);
    wire [BLOCK_KEYS-1:0] rest   = mask & ~lowest;
    wire                  is_key = mask != 0;
    wire                  finish = is_key ? !more[1] & !has_tail : 1'b1;
    wire                  step   = held & (!item_valid | item_ready);
    assign next_take = (step & finish) | !held;

    // Binary code of the one-hot lowest bit: an OR tree a bit.
    reg [OFFSET_BITS-1:0] offset;
    integer i, j;
    always @* begin
        offset = {OFFSET_BITS{1'b0}};
        for (i = 0; i < BLOCK_KEYS; i = i + 1)
            for (j = 0; j < OFFSET_BITS; j = j + 1)
                if (((i >> j) & 1) != 0) offset[j] = offset[j] | lowest[i];
    end

    wire [BLOCK_KEYS-1:0] next_mask = next_word[TAIL_BITS +: BLOCK_KEYS];
    wire [TAIL_BITS-1:0]  next_tail = next_word[TAIL_BITS-1:0];
    wire                  next_null = next_word[ENTRY_BITS];
    always @(posedge clk) begin
        if (next_take) begin
            held     <= next_valid;
            mask     <= next_null ? {BLOCK_KEYS{1'b0}} : next_mask;
            tail     <= next_tail;
            block    <= next_word[TAIL_BITS+BLOCK_KEYS +: BLOCK_BITS];
            has_tail <= next_tail != 0;
            null_row <= next_null;
            last     <= next_word[ENTRY_BITS+1];
            tag      <= next_word[ENTRY_BITS+2 +: TAG];
        end else if (step) begin
            mask     <= rest;
        end
        if (rst) held <= 1'b0;
    end

    always @(posedge clk) begin
        if (!item_valid | item_ready) begin
            item_valid    <= held;
            item_is_block <= !is_key;
            item_null     <= null_row;
            item_last     <= finish & last;
            item_index    <= is_key ? {block, offset} : {{OFFSET_BITS{1'b0}}, block};
            item_tail     <= tail;
            item_tag      <= tag;
        end
        if (rst) item_valid <= 1'b0;
    end

    // Items promised by the rows taken and not yet produced; a null row counts none.
    reg  [COUNT_BITS:0] items_left;
    wire                produced = step & !null_row;
    wire [COUNT_BITS:0] added    = assign_valid ? {1'b0, assign_items} : {COUNT_BITS+1{1'b0}};
    always @(posedge clk) begin
        items_left <= items_left + added - {{COUNT_BITS{1'b0}}, produced};
        if (rst) items_left <= {COUNT_BITS+1{1'b0}};
    end
    // Told a clock late, and so one item early: from here the way leads to every lane and the ring.
    localparam [COUNT_BITS:0] FEW = LOOKAHEAD + 1;
    reg few;
    always @(posedge clk) few <= rst | (items_left <= FEW & !assign_valid);
    assign ready = !fetching & few;
endmodule
`default_nettype wire
