// SPDX-License-Identifier: Apache-2.0
//
// pasa_value_store - two tiles of values, and the sums of their key blocks
//
// Why      A kept key needs its row of V; the dropped keys of a block act as
//          one key whose value is the block's summed V. Both come out of one
//          port in one format, so the weighing lane does not tell them apart.
// Contract * rows (of pasa_row_loader, in order from row 0) are always
//            accepted; a read accepted two clocks after row_valid sees the
//            row, and its block's sum up to that row
//          * lane l: an accepted read gives read_data exactly three clocks
//            later, HEAD_DIM signed numbers of VALUE_BITS; one per lane, clock
//          * read_block 0: read_address is {slot, key}, the row's int8 values
//            read_block 1: read_address is {slot, block in the low bits}, the
//            sum of each dimension over the block's keys, never wraps
//          * read_ready of even lanes is always high, of odd lanes low in the
//            clock after a row_valid unless read_block is high
// Cost     defaults: 2 x 57 RAMB36 for rows; for each lane HEAD_DIM*VALUE_BITS
//          x 2*BLOCKS bits of distributed RAM (1196 LUT) and as many
//          flip-flops as two values; HEAD_DIM adders of VALUE_BITS
// Checked  make unit M=pasa_value_store

`default_nettype none
module pasa_value_store #(
    parameter ROWS       = 4,        // lanes: 1 or an even number
    parameter HEAD_DIM   = 64,
    parameter TILE_KEYS  = 2048,
    parameter BLOCK_KEYS = 64,       // keys of a block, a power of two
    parameter KEY_BITS   = $clog2(TILE_KEYS),          // derived
    parameter VALUE_BITS = 8 + $clog2(BLOCK_KEYS)      // derived
) (
    input  wire                                clk,
    input  wire                                rst,    // synchronous, active high

    // from the loader of the value stream
    input  wire                                write_slot,
    input  wire                                row_valid,
    input  wire [KEY_BITS-1:0]                 row_number,
    input  wire [HEAD_DIM*8-1:0]               row_data,     // HEAD_DIM int8

    // lanes
    input  wire [ROWS-1:0]                     read_valid,
    output wire [ROWS-1:0]                     read_ready,
    input  wire [ROWS-1:0]                     read_block,
    input  wire [ROWS*(KEY_BITS+1)-1:0]        read_address, // {slot, key or block}
    output wire [ROWS*HEAD_DIM*VALUE_BITS-1:0] read_data     // HEAD_DIM signed
);
    localparam IN_BLOCK_BITS = $clog2(BLOCK_KEYS);
    localparam BLOCK_BITS    = KEY_BITS - IN_BLOCK_BITS;
    localparam ROW_WIDTH     = HEAD_DIM * 8;
    localparam VALUE_WIDTH   = HEAD_DIM * VALUE_BITS;
    localparam BLOCK_DEPTH   = 2 * TILE_KEYS / BLOCK_KEYS;

    generate if (BLOCK_KEYS < 2 || (BLOCK_KEYS & (BLOCK_KEYS - 1)) != 0
                 || TILE_KEYS < 2*BLOCK_KEYS) begin : g_check
        pasa_value_store_ERROR_BLOCK_KEYS_must_be_a_power_of_two_up_to_half_TILE_KEYS bad ();
    end endgenerate

    wire [ROWS-1:0]           row_ready;
    wire [ROWS*ROW_WIDTH-1:0] row_out;
    pasa_row_store #(
        .ROWS(ROWS), .WIDTH(ROW_WIDTH), .TILE_KEYS(TILE_KEYS)
    ) rows (
        .clk(clk), .rst(rst),
        .write_valid(row_valid), .write_address({write_slot, row_number}),
        .write_data(row_data),
        .read_valid(read_valid & ~read_block), .read_ready(row_ready),
        .read_address(read_address), .read_data(row_out)
    );
    assign read_ready = row_ready | read_block;

    // The running sum of the block is written with every row, so the last row
    // leaves the sum in place without being known as the last.
    reg                  add, first, sum_valid;
    reg [BLOCK_BITS:0]   add_block, sum_block;  // {slot, block}
    reg [ROW_WIDTH-1:0]  added;
    reg [VALUE_WIDTH-1:0] sum;
    always @(posedge clk) begin
        add       <= row_valid & !rst;
        sum_valid <= add & !rst;
        sum_block <= add_block;
        if (row_valid) begin
            first     <= row_number[IN_BLOCK_BITS-1:0] == {IN_BLOCK_BITS{1'b0}};
            add_block <= {write_slot, row_number[KEY_BITS-1:IN_BLOCK_BITS]};
            added     <= row_data;
        end
    end

    genvar d, l;
    generate for (d = 0; d < HEAD_DIM; d = d + 1) begin : g_sum
        wire [VALUE_BITS-1:0] so_far =
            sum[d*VALUE_BITS +: VALUE_BITS] & {VALUE_BITS{!first}};
        wire [7:0]            code = added[d*8 +: 8];
        always @(posedge clk)
            if (add)
                sum[d*VALUE_BITS +: VALUE_BITS]
                    <= so_far + {{(VALUE_BITS-8){code[7]}}, code};
    end endgenerate

    generate for (l = 0; l < ROWS; l = l + 1) begin : g_lane
        wire [KEY_BITS:0] asked = read_address[l*(KEY_BITS+1) +: KEY_BITS+1];

        // The sums need one clock less than the rows: wait with the address.
        reg                read, read_sum, show_sum;
        reg [BLOCK_BITS:0] block;                    // {slot, block}
        wire [VALUE_WIDTH-1:0] sum_out;
        always @(posedge clk) begin
            read     <= read_valid[l] & read_block[l];
            block    <= {asked[KEY_BITS], asked[BLOCK_BITS-1:0]};
            read_sum <= read_block[l];
            show_sum <= read_sum;
        end
        pasa_ram #(.WIDTH(VALUE_WIDTH), .DEPTH(BLOCK_DEPTH)) sums (
            .clk(clk),
            .write_enable(sum_valid), .write_address(sum_block), .write_data(sum),
            .read_enable(read), .read_address(block), .read_data(sum_out)
        );

        for (d = 0; d < HEAD_DIM; d = d + 1) begin : g_value
            wire [7:0] code = row_out[l*ROW_WIDTH + d*8 +: 8];
            reg [VALUE_BITS-1:0] value;
            always @(posedge clk)
                value <= show_sum ? sum_out[d*VALUE_BITS +: VALUE_BITS]
                                  : {{(VALUE_BITS-8){code[7]}}, code};
            assign read_data[l*VALUE_WIDTH + d*VALUE_BITS +: VALUE_BITS] = value;
        end
    end endgenerate
endmodule
`default_nettype wire
