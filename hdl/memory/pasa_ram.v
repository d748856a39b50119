// SPDX-License-Identifier: Apache-2.0
//
// pasa_ram - memory with one write port and one read port
//
// Why      One description that every tool turns into its own memory, so no
//          other module repeats the pattern.
// Contract * a word written in one clock is read from the next clock on
//          * read_data follows read_enable by one clock and holds its value
//            until the clock after the next read_enable
//          * reading an address in the clock of its write gives the old word
//          * no reset; a word never written is unknown
//          * addresses below DEPTH only
// Cost     WIDTH*DEPTH bits: block RAM (72 x 512 each) or distributed RAM
// Checked  make unit M=pasa_ram

`default_nettype none
module pasa_ram #(
    parameter WIDTH = 32,            // bits of a word, at least 1
    parameter DEPTH = 512,           // words, at least 1, any number
    parameter ADDRESS_BITS = (DEPTH > 1) ? $clog2(DEPTH) : 1  // derived
) (
    input  wire                    clk,

    input  wire                    write_enable,
    input  wire [ADDRESS_BITS-1:0] write_address,
    input  wire [WIDTH-1:0]        write_data,

    input  wire                    read_enable,
    input  wire [ADDRESS_BITS-1:0] read_address,
    output reg  [WIDTH-1:0]        read_data
);
    generate if (WIDTH < 1 || DEPTH < 1) begin : g_check
        pasa_ram_ERROR_WIDTH_and_DEPTH_must_be_at_least_1 bad ();
    end endgenerate

    reg [WIDTH-1:0] memory [0:DEPTH-1];

    always @(posedge clk) begin
        if (write_enable) memory[write_address] <= write_data;
        if (read_enable) read_data <= memory[read_address];
    end
endmodule
`default_nettype wire
