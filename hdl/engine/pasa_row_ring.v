// SPDX-License-Identifier: Apache-2.0
//
// pasa_row_ring - selected rows on their way from the predictor to the lanes
//
// Why      The predictor finishes ROWS rows at a time, the lanes take them one by one and in
//          their own time; a ring of row-blocks lets the predictor run ahead, so that a long
//          row in one lane idles neither the others nor the predictor.
// Contract * a row-block belongs to the predictor from ring_take to rows_valid, then to the
//            dispatcher and the lanes until each of its rows is released; blocks are freed in
//            order, and ring_free falls when all are in use
//          * rows are offered in order; row_* holds still while row_valid is high and row_take low
//          * entries of a row (key block, mask of kept keys, summed weight of the dropped ones) are
//            read by any lane at any time without waiting: each lane has its own copy
//          * entry read latency two clocks, query read latency one
// Cost     ROWS*ROWS RAMs of RING_BLOCKS*BLOCKS entries; LUT RAM for queries and headers
// Checked  make unit M=pasa_row_ring

`default_nettype none
`include "pasa_formats.vh"
module pasa_row_ring #(
    parameter ROWS        = 4,
    parameter HEAD_DIM    = 64,
    parameter TILE_KEYS   = 2048,
    parameter BLOCK_KEYS  = 64,
    parameter RING_BLOCKS = 8,
    parameter SLOT_BITS   = 1,
    // derived, not to be set
    parameter ROW_BITS    = (ROWS == 1) ? 1 : $clog2(ROWS),
    parameter RING_BITS   = $clog2(RING_BLOCKS),
    parameter BLOCK_BITS  = $clog2(TILE_KEYS / BLOCK_KEYS),
    parameter COUNT_BITS  = $clog2(TILE_KEYS) + 1,
    parameter TAIL_BITS   = `PASA_PREDICTED_WEIGHT_FRACTION + 1 + $clog2(BLOCK_KEYS),
    parameter ENTRY_BITS  = BLOCK_BITS + BLOCK_KEYS + TAIL_BITS
) (
    input  wire                       clk,
    input  wire                       rst,

    // predictor: allocation and contents
    output wire                       ring_free,
    input  wire                       ring_take,
    input  wire                       query_write_valid,
    input  wire [RING_BITS-1:0]       query_write_block,
    input  wire [ROW_BITS-1:0]        query_write_row,
    input  wire [HEAD_DIM*8-1:0]      query_write_data,
    input  wire [ROWS-1:0]            entry_valid,
    input  wire [RING_BITS-1:0]       entry_ring_block,
    input  wire [BLOCK_BITS-1:0]      entry_block,
    input  wire [ROWS*BLOCK_KEYS-1:0] entry_mask,
    input  wire [ROWS*TAIL_BITS-1:0]  entry_tail,
    input  wire                       rows_valid,
    input  wire [RING_BITS-1:0]       rows_ring_block,
    input  wire [ROWS-1:0]            rows_present,   // from bit 0 up, without gaps
    input  wire                       rows_last,
    input  wire [SLOT_BITS-1:0]       rows_slot,
    input  wire [ROWS*COUNT_BITS-1:0] rows_items,
    input  wire [ROWS*`PASA_REFERENCE_BITS-1:0] rows_reference,
    input  wire [ROWS-1:0]            rows_tail,

    // dispatcher: the next row
    output reg                        row_valid,
    input  wire                       row_take,
    output reg  [RING_BITS-1:0]       row_ring_block,
    output reg  [ROW_BITS-1:0]        row_number,
    output reg                        row_last,       // of its command
    output reg  [SLOT_BITS-1:0]       row_slot,
    output reg  [COUNT_BITS-1:0]      row_items,      // 0: no visible key
    output reg  [BLOCK_BITS:0]        row_entries,
    output reg  [`PASA_REFERENCE_BITS-1:0] row_reference,
    output reg                        row_tail,
    output wire [HEAD_DIM*8-1:0]      query_data,     // one clock after row_take

    // lanes: entries, and the end of their use
    input  wire [ROWS-1:0]            lane_read,
    input  wire [ROWS*RING_BITS-1:0]  lane_read_block,
    input  wire [ROWS*ROW_BITS-1:0]   lane_read_row,
    input  wire [ROWS*BLOCK_BITS-1:0] lane_read_entry,
    output wire [ROWS*ENTRY_BITS-1:0] lane_entry,     // {block, mask, tail}, two clocks later
    input  wire [ROWS-1:0]            lane_release,
    input  wire [ROWS*RING_BITS-1:0]  lane_release_block,
    input  wire [ROWS*ROW_BITS-1:0]   lane_release_row
);
    localparam ENTRIES_BITS = BLOCK_BITS + 1;
    localparam HEADER_BITS  = COUNT_BITS + ENTRIES_BITS + `PASA_REFERENCE_BITS + 1;

    // Entries written so far to each row of each row-block. Short blocks may follow each other
    // so closely that entries of several come before the first one's rows_valid.
    wire [ROWS*HEADER_BITS-1:0] new_headers;

    genvar row, lane;
    generate
        for (row = 0; row < ROWS; row = row + 1) begin : g_row
            reg  [ENTRIES_BITS-1:0] written [0:RING_BLOCKS-1];
            wire [ENTRIES_BITS-1:0] before_entry  = written[entry_ring_block];
            wire [ENTRIES_BITS-1:0] before_header = written[rows_ring_block];
            wire same = entry_valid[row] & (entry_ring_block == rows_ring_block);
            wire [ENTRIES_BITS-1:0] count = before_header + {{BLOCK_BITS{1'b0}}, same};
            integer n;
            always @(posedge clk) begin
                if (entry_valid[row]) written[entry_ring_block] <= before_entry + 1'b1;
                if (rows_valid)       written[rows_ring_block]  <= {ENTRIES_BITS{1'b0}};
                if (rst) for (n = 0; n < RING_BLOCKS; n = n + 1)
                    written[n] <= {ENTRIES_BITS{1'b0}};
            end
            wire [BLOCK_BITS-1:0] place = before_entry[BLOCK_BITS-1:0];
            assign new_headers[row*HEADER_BITS +: HEADER_BITS] = {
                rows_items[row*COUNT_BITS +: COUNT_BITS], count,
                rows_reference[row*`PASA_REFERENCE_BITS +: `PASA_REFERENCE_BITS], rows_tail[row]};
        end

        for (lane = 0; lane < ROWS; lane = lane + 1) begin : g_lane
            wire [ROWS*ENTRY_BITS-1:0] row_entry;
            reg  [ROW_BITS-1:0]        from_row;
            reg  [ENTRY_BITS-1:0]      entry;
            for (row = 0; row < ROWS; row = row + 1) begin : g_copy
                pasa_ram #(.WIDTH(ENTRY_BITS), .DEPTH(RING_BLOCKS << BLOCK_BITS)) entries (
                    .clk(clk),
                    .write_enable(entry_valid[row]),
                    .write_address({entry_ring_block, g_row[row].place}),
                    .write_data({entry_block, entry_mask[row*BLOCK_KEYS +: BLOCK_KEYS],
                                 entry_tail[row*TAIL_BITS +: TAIL_BITS]}),
                    .read_enable(lane_read[lane]),
                    .read_address({lane_read_block[lane*RING_BITS +: RING_BITS],
                                   lane_read_entry[lane*BLOCK_BITS +: BLOCK_BITS]}),
                    .read_data(row_entry[row*ENTRY_BITS +: ENTRY_BITS]));
            end
            always @(posedge clk) begin
                from_row <= lane_read_row[lane*ROW_BITS +: ROW_BITS];
                entry    <= row_entry[from_row*ENTRY_BITS +: ENTRY_BITS];
            end
            assign lane_entry[lane*ENTRY_BITS +: ENTRY_BITS] = entry;
        end
    endgenerate

    // Queries wait in the ring beside their row.
    pasa_ram #(.WIDTH(HEAD_DIM*8), .DEPTH(RING_BLOCKS << ROW_BITS)) queries (
        .clk(clk),
        .write_enable(query_write_valid),
        .write_address({query_write_block, query_write_row}),
        .write_data(query_write_data),
        .read_enable(row_take),
        .read_address({row_ring_block, row_number}),
        .read_data(query_data));

    // Headers, one word a row-block.
    reg [ROWS*HEADER_BITS-1:0] headers [0:RING_BLOCKS-1];
    reg [ROW_BITS+SLOT_BITS:0] marks   [0:RING_BLOCKS-1];   // {last row, last, slot}
    reg [ROW_BITS-1:0]         last_row;
    integer i;
    always @* begin
        last_row = {ROW_BITS{1'b0}};
        for (i = 1; i < ROWS; i = i + 1)
            if (rows_present[i]) last_row = i[ROW_BITS-1:0];
    end
    always @(posedge clk) if (rows_valid) begin
        headers[rows_ring_block] <= new_headers;
        marks[rows_ring_block]   <= {last_row, rows_last, rows_slot};
    end

    // The row on offer. next_* names the one after it.
    reg  [RING_BITS:0]   arrived;        // blocks with rows so far, modulo twice the ring
    reg  [RING_BITS:0]   next_place;     // blocks of which every row has been offered
    wire [RING_BITS-1:0] next_block = next_place[RING_BITS-1:0];
    reg  [ROW_BITS-1:0]  next_row;
    wire [ROWS*HEADER_BITS-1:0] next_headers = headers[next_block];
    wire [HEADER_BITS-1:0] next_header = next_headers[next_row*HEADER_BITS +: HEADER_BITS];
    wire [ROW_BITS-1:0]  next_last_row;
    wire                 next_last;
    wire [SLOT_BITS-1:0] next_slot;
    assign {next_last_row, next_last, next_slot} = marks[next_block];
    wire offer     = (arrived != next_place) & (!row_valid | row_take);
    wire block_end = offer & (next_row == next_last_row);
    always @(posedge clk) begin
        if (offer) begin
            row_ring_block <= next_block;
            row_number     <= next_row;
            row_last       <= next_last & (next_row == next_last_row);
            row_slot       <= next_slot;
            {row_items, row_entries, row_reference, row_tail} <= next_header;
            next_row       <= block_end ? {ROW_BITS{1'b0}} : next_row + 1'b1;
        end
        row_valid <= offer | (row_valid & !row_take);
        if (rows_valid) arrived    <= arrived + 1'b1;
        if (block_end)  next_place <= next_place + 1'b1;
        if (rst) begin
            row_valid  <= 1'b0;
            arrived    <= {RING_BITS+1{1'b0}};
            next_place <= {RING_BITS+1{1'b0}};
            next_row   <= {ROW_BITS{1'b0}};
        end
    end

    // Blocks are freed in order, each when its last row has been released.
    reg [ROWS-1:0]        in_use [0:RING_BLOCKS-1];
    reg [RING_BLOCKS-1:0] complete;
    reg [RING_BITS-1:0]   oldest;
    reg [RING_BITS:0]     taken;
    reg [ROWS-1:0]        released [0:RING_BLOCKS-1];
    wire free_oldest = complete[oldest] & (in_use[oldest] == 0);
    integer b, l, f;
    always @* for (b = 0; b < RING_BLOCKS; b = b + 1) begin
        released[b] = {ROWS{1'b0}};
        for (l = 0; l < ROWS; l = l + 1)
            if (lane_release[l] & (lane_release_block[l*RING_BITS +: RING_BITS] == b[RING_BITS-1:0]))
                released[b][lane_release_row[l*ROW_BITS +: ROW_BITS]] = 1'b1;
    end
    always @(posedge clk) begin
        for (f = 0; f < RING_BLOCKS; f = f + 1)
            in_use[f] <= (rows_valid & (rows_ring_block == f[RING_BITS-1:0]))
                       ? rows_present : in_use[f] & ~released[f];
        if (rows_valid)  complete[rows_ring_block] <= 1'b1;
        if (free_oldest) begin
            complete[oldest] <= 1'b0;
            oldest           <= oldest + 1'b1;
        end
        taken <= taken + {{RING_BITS{1'b0}}, ring_take} - {{RING_BITS{1'b0}}, free_oldest};
        if (rst) begin
            complete <= {RING_BLOCKS{1'b0}};
            oldest   <= {RING_BITS{1'b0}};
            taken    <= {RING_BITS+1{1'b0}};
        end
    end
    assign ring_free = taken != RING_BLOCKS[RING_BITS:0];
endmodule
`default_nettype wire
