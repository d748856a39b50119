// SPDX-License-Identifier: Apache-2.0
//
// pasa_ram_dual - memory with a reading port a and a reading or writing port b
//
// Why      Two readers share one copy of a large table; its rare writes borrow
//          the second reader's port, as a true dual-port block RAM allows.
// Contract * a word written in one clock is read from the next clock on
//          * a_read_data, b_read_data follow their enable by one clock and hold
//            their value until the clock after the next one
//          * b_write_enable needs b_enable; port b then reads the old word
//          * port a reading an address in the clock of its write gives the
//            old word
//          * no reset; a word never written is unknown
//          * addresses below DEPTH only
// Cost     WIDTH*DEPTH bits of true dual-port block RAM (36 x 1024 each)
// Checked  make unit M=pasa_ram_dual

`default_nettype none
module pasa_ram_dual #(
    parameter WIDTH = 32,            // bits of a word, at least 1
    parameter DEPTH = 1024,          // words, at least 1, any number
    parameter ADDRESS_BITS = (DEPTH > 1) ? $clog2(DEPTH) : 1  // derived
) (
    input  wire                    clk,

    input  wire                    a_enable,
    input  wire [ADDRESS_BITS-1:0] a_address,
    output reg  [WIDTH-1:0]        a_read_data,

    input  wire                    b_enable,
    input  wire                    b_write_enable,
    input  wire [ADDRESS_BITS-1:0] b_address,
    input  wire [WIDTH-1:0]        b_write_data,
    output reg  [WIDTH-1:0]        b_read_data
);
    generate if (WIDTH < 1 || DEPTH < 1) begin : g_check
        pasa_ram_dual_ERROR_WIDTH_and_DEPTH_must_be_at_least_1 bad ();
    end endgenerate

    reg [WIDTH-1:0] memory [0:DEPTH-1];

    always @(posedge clk) if (a_enable) a_read_data <= memory[a_address];

    always @(posedge clk) if (b_enable) begin
        if (b_write_enable) memory[b_address] <= b_write_data;
        b_read_data <= memory[b_address];
    end
endmodule
`default_nettype wire
