// SPDX-License-Identifier: Apache-2.0
//
// pasa_key_store - two tiles of keys: whole rows for the lanes, nibbles for
//                  the predictor
//
// Why      Each lane reads the exact keys it kept while the predictor reads
//          the top bits of PRED_KEYS keys a clock, and the other tile loads.
// Contract * rows and beats (of pasa_row_loader) are always accepted; a read
//            accepted two clocks after row_valid or beat_valid sees them
//          * lane l: an accepted read_address {slot, key} gives read_data
//            exactly two clocks later; one read per lane and clock
//          * read_ready of even lanes is always high, of odd lanes low in the
//            clock after a row_valid (a register: no path from the inputs)
//          * nibble_enable reads slice nibble_slice of the keys
//            nibble_word*PRED_KEYS + c; nibble_data, exactly two clocks later,
//            holds dimension i of key c at [(c*16+i)*PRED_BITS +: PRED_BITS]
//          * a nibble is the top PRED_BITS of an int8, rounded half up and
//            saturated (pasa.arithmetic.nibble)
//          * slices at or beyond ceil(nibble_dims/16) read as zero; nibble_dims
//            is the dims of the keys that are read
// Cost     defaults: 2 x 57 RAMB36 for rows, 32 RAMB36 for nibbles
// Checked  make unit M=pasa_key_store

`default_nettype none
module pasa_key_store #(
    parameter ROWS      = 4,         // lanes: 1 or an even number
    parameter PRED_KEYS = 32,        // keys of a nibble word
    parameter HEAD_DIM  = 64,
    parameter TILE_KEYS = 2048,
    parameter PRED_BITS = 4,         // 2 to 6
    parameter KEY_BITS   = $clog2(TILE_KEYS),                         // derived
    parameter DIM_BITS   = $clog2(HEAD_DIM),                          // derived
    parameter WORD_BITS  = $clog2(TILE_KEYS/PRED_KEYS),               // derived
    parameter SLICE_BITS = (HEAD_DIM > 16) ? $clog2(HEAD_DIM/16) : 1  // derived
) (
    input  wire                              clk,
    input  wire                              rst,         // synchronous, active high

    // from the loader of the key stream
    input  wire                              write_slot,  // of the row and beat
    input  wire                              row_valid,
    input  wire [KEY_BITS-1:0]               row_number,
    input  wire [HEAD_DIM*8-1:0]             row_data,    // HEAD_DIM int8
    input  wire                              beat_valid,
    input  wire [KEY_BITS-1:0]               beat_row,
    input  wire [SLICE_BITS-1:0]             beat_slice,
    input  wire [127:0]                      beat_data,   // 16 int8

    // lanes
    input  wire [ROWS-1:0]                   read_valid,
    output wire [ROWS-1:0]                   read_ready,
    input  wire [ROWS*(KEY_BITS+1)-1:0]      read_address, // {slot, key}
    output wire [ROWS*HEAD_DIM*8-1:0]        read_data,

    // predictor
    input  wire                              nibble_enable,
    input  wire [DIM_BITS:0]                 nibble_dims,
    input  wire                              nibble_slot,
    input  wire [WORD_BITS-1:0]              nibble_word,
    input  wire [SLICE_BITS-1:0]             nibble_slice,
    output wire [PRED_KEYS*16*PRED_BITS-1:0] nibble_data
);
    generate if (PRED_BITS < 2 || PRED_BITS > 6) begin : g_check_bits
        pasa_key_store_ERROR_PRED_BITS_must_be_2_to_6 bad ();
    end endgenerate
    generate if (PRED_KEYS < 2 || (PRED_KEYS & (PRED_KEYS - 1)) != 0
                 || TILE_KEYS < 2*PRED_KEYS) begin : g_check_keys
        pasa_key_store_ERROR_PRED_KEYS_must_be_a_power_of_two_up_to_half_TILE_KEYS bad ();
    end endgenerate

    pasa_row_store #(
        .ROWS(ROWS), .WIDTH(HEAD_DIM*8), .TILE_KEYS(TILE_KEYS)
    ) rows (
        .clk(clk), .rst(rst),
        .write_valid(row_valid), .write_address({write_slot, row_number}),
        .write_data(row_data),
        .read_valid(read_valid), .read_ready(read_ready),
        .read_address(read_address), .read_data(read_data)
    );

    localparam SLICES       = HEAD_DIM / 16;
    localparam COLUMN_BITS  = $clog2(PRED_KEYS);
    localparam COLUMN_WIDTH = 16 * PRED_BITS;
    localparam COLUMN_DEPTH = 2 * TILE_KEYS / PRED_KEYS * SLICES;
    localparam COLUMN_ADDRESS = $clog2(COLUMN_DEPTH);
    localparam DROP = 8 - PRED_BITS;
    localparam [PRED_BITS-1:0] HIGHEST = {1'b0, {(PRED_BITS-1){1'b1}}};

    // Round a beat to nibbles. Half is added by the highest dropped bit; the
    // largest code stays, since it would wrap.
    wire [COLUMN_WIDTH-1:0] rounded;
    genvar i, c;
    generate for (i = 0; i < 16; i = i + 1) begin : g_round
        wire [PRED_BITS-1:0] top  = beat_data[8*i+DROP +: PRED_BITS];
        wire                 half = beat_data[8*i+DROP-1];
        assign rounded[i*PRED_BITS +: PRED_BITS] =
            (top == HIGHEST) ? HIGHEST : top + {{(PRED_BITS-1){1'b0}}, half};
    end endgenerate

    wire [COLUMN_ADDRESS-1:0] write_place, read_place;
    generate if (SLICES > 1) begin : g_place
        assign write_place = {write_slot, beat_row[KEY_BITS-1:COLUMN_BITS], beat_slice};
        assign read_place  = {nibble_slot, nibble_word, nibble_slice};
    end else begin : g_place_of_word
        assign write_place = {write_slot, beat_row[KEY_BITS-1:COLUMN_BITS]};
        assign read_place  = {nibble_slot, nibble_word};
    end endgenerate

    reg                      nibble_write;
    reg [COLUMN_BITS-1:0]    write_column;
    reg [COLUMN_ADDRESS-1:0] write_address;
    reg [COLUMN_WIDTH-1:0]   write_nibbles;
    always @(posedge clk) begin
        nibble_write <= beat_valid & !rst;
        if (beat_valid) begin
            write_column  <= beat_row[COLUMN_BITS-1:0];
            write_address <= write_place;
            write_nibbles <= rounded;
        end
    end

    // A slice that the tile does not have was never written: clear the output
    // register instead of showing what an earlier tile left there.
    reg absent;
    generate if (SLICES > 1) begin : g_absent
        always @(posedge clk)
            if (nibble_enable) absent <= {1'b0, nibble_slice, 4'd0} >= nibble_dims;
    end else begin : g_always_present
        always @(posedge clk) absent <= 1'b0;
    end endgenerate

    generate for (c = 0; c < PRED_KEYS; c = c + 1) begin : g_column
        localparam [COLUMN_BITS-1:0] NUMBER = c;
        wire [COLUMN_WIDTH-1:0] word;
        reg  [COLUMN_WIDTH-1:0] out;
        pasa_ram #(.WIDTH(COLUMN_WIDTH), .DEPTH(COLUMN_DEPTH)) ram (
            .clk(clk),
            .write_enable(nibble_write & write_column == NUMBER),
            .write_address(write_address), .write_data(write_nibbles),
            .read_enable(nibble_enable), .read_address(read_place),
            .read_data(word)
        );
        always @(posedge clk) out <= absent ? {COLUMN_WIDTH{1'b0}} : word;
        assign nibble_data[c*COLUMN_WIDTH +: COLUMN_WIDTH] = out;
    end endgenerate
endmodule
`default_nettype wire
