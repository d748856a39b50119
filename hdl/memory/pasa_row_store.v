// SPDX-License-Identifier: Apache-2.0
//
// pasa_row_store - two tiles of rows, read by every lane in every clock
//
// Why      Keys and values are read in the same way: two lanes share a true
//          dual-port copy, and the rare writes borrow the odd lane's port.
// Contract * writes are always accepted; a read accepted two clocks after
//            write_valid sees the row
//          * lane l: an accepted read_address gives read_data exactly two
//            clocks later; one read per lane and clock
//          * read_ready of even lanes is always high, of odd lanes low in the
//            clock after a write_valid (a register: no path from the inputs)
// Cost     (ROWS+1)/2 copies of WIDTH*2*TILE_KEYS bits of block RAM;
//          (ROWS+1)*WIDTH flip-flops
// Checked  make unit M=pasa_row_store

`default_nettype none
module pasa_row_store #(
    parameter ROWS      = 4,         // lanes: 1 or an even number
    parameter WIDTH     = 512,       // bits of a row
    parameter TILE_KEYS = 2048,      // rows of a tile, a power of two
    parameter ADDRESS_BITS = $clog2(TILE_KEYS) + 1  // derived
) (
    input  wire                         clk,
    input  wire                         rst,           // synchronous, active high

    input  wire                         write_valid,
    input  wire [ADDRESS_BITS-1:0]      write_address, // {slot, key}
    input  wire [WIDTH-1:0]             write_data,

    input  wire [ROWS-1:0]              read_valid,
    output wire [ROWS-1:0]              read_ready,
    input  wire [ROWS*ADDRESS_BITS-1:0] read_address,  // {slot, key}
    output wire [ROWS*WIDTH-1:0]        read_data
);
    localparam COPIES = (ROWS + 1) / 2;

    generate if (ROWS < 1 || (ROWS > 1 && ROWS % 2 != 0)) begin : g_check_rows
        pasa_row_store_ERROR_ROWS_must_be_1_or_even bad ();
    end endgenerate
    generate if (TILE_KEYS < 2 || (TILE_KEYS & (TILE_KEYS - 1)) != 0) begin : g_check_keys
        pasa_row_store_ERROR_TILE_KEYS_must_be_a_power_of_two_of_at_least_2 bad ();
    end endgenerate

    // Registered once here, so that read_ready is early and the write has a
    // clock to reach every copy.
    reg                    write;
    reg [ADDRESS_BITS-1:0] address;
    reg [WIDTH-1:0]        row;
    always @(posedge clk) begin
        write <= write_valid & !rst;
        if (write_valid) begin
            address <= write_address;
            row     <= write_data;
        end
    end

    genvar n;
    generate for (n = 0; n < COPIES; n = n + 1) begin : g_copy
        wire [WIDTH-1:0] even_word, odd_word;
        wire             odd_read;
        wire [ADDRESS_BITS-1:0] odd_address;
        pasa_ram_dual #(.WIDTH(WIDTH), .DEPTH(2*TILE_KEYS)) ram (
            .clk(clk),
            .a_enable(read_valid[2*n]),
            .a_address(read_address[2*n*ADDRESS_BITS +: ADDRESS_BITS]),
            .a_read_data(even_word),
            .b_enable(write | odd_read), .b_write_enable(write),
            .b_address(write ? address : odd_address), .b_write_data(row),
            .b_read_data(odd_word)
        );
        reg [WIDTH-1:0] even_out;
        always @(posedge clk) even_out <= even_word;
        assign read_ready[2*n] = 1'b1;
        assign read_data[2*n*WIDTH +: WIDTH] = even_out;

        if (2*n + 1 < ROWS) begin : g_odd
            reg [WIDTH-1:0] odd_out;
            always @(posedge clk) odd_out <= odd_word;
            assign odd_read    = read_valid[2*n+1];
            assign odd_address = read_address[(2*n+1)*ADDRESS_BITS +: ADDRESS_BITS];
            assign read_ready[2*n+1] = !write;
            assign read_data[(2*n+1)*WIDTH +: WIDTH] = odd_out;
        end else begin : g_write_only
            wire unused = &{1'b0, odd_word};
            assign odd_read    = 1'b0;
            assign odd_address = {ADDRESS_BITS{1'b0}};
        end
    end endgenerate
endmodule
`default_nettype wire
