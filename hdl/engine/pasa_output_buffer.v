// SPDX-License-Identifier: Apache-2.0
//
// pasa_output_buffer - rows finish in any order and leave in order
//
// Why      Lanes work on rows of uneven length, so a later row may finish first.
// Contract * open_*: one descriptor a row, in the order the rows leave; row n of all
//            descriptors has place n mod OUTPUT_ROWS, and none may be opened before
//            row_freed has freed its place
//          * write_*: groups of 16 codes at any open place, in any order, a group a
//            clock; write_done comes with the last write of a row
//          * an int8 row leaves as one beat a group (the low byte of each code), an
//            int16 row as two; m_output_last ends the row with open_last
//          * one beat a clock while rows are ready and m_output_ready is high;
//            m_output_* hold still while a beat waits
//          * row_freed: a row has been read and its place may be opened again
//          * command_done: the beat with m_output_last was taken, in the clock before
//          * first beat 6 clocks after write_done when all before it has left
//          * no path from m_output_ready to a pin, or to anything but registers
// Cost     OUTPUT_ROWS * HEAD_DIM * 16 bits of RAM, a descriptor FIFO, a skid buffer
// Checked  make unit M=pasa_output_buffer

`default_nettype none
module pasa_output_buffer #(
    parameter HEAD_DIM    = 64,
    parameter OUTPUT_ROWS = 32,      // places, a power of two of at least 2
    parameter SLOT_BITS   = 1,
    // Derived; leave as they are.
    parameter GROUPS      = HEAD_DIM / 16,
    parameter GROUP_BITS  = GROUPS > 1 ? $clog2(GROUPS) : 1,
    parameter OUTPUT_BITS = $clog2(OUTPUT_ROWS)
) (
    input  wire                   clk,
    input  wire                   rst,   // synchronous, active high

    // From the normaliser.
    input  wire                   write_valid,
    input  wire [OUTPUT_BITS-1:0] write_row,
    input  wire [GROUP_BITS-1:0]  write_group,
    input  wire [16*16-1:0]       write_data,      // 16 codes of 16 bits
    input  wire                   write_done,

    // From the dispatcher, in row order.
    input  wire                   open_valid,
    output wire                   open_ready,
    input  wire                   open_last,       // last row of its command
    input  wire [SLOT_BITS-1:0]   open_slot,
    input  wire                   open_int16,
    input  wire [GROUP_BITS-1:0]  open_last_group, // groups of a row, less one
    output reg                    row_freed,

    output wire                   m_output_valid,
    input  wire                   m_output_ready,
    output wire [127:0]           m_output_data,
    output wire                   m_output_last,
    output wire [SLOT_BITS-1:0]   m_output_slot,   // of the beat's command
    output reg                    command_done,
    output reg  [SLOT_BITS-1:0]   command_done_slot
);
    localparam OPEN_BITS    = GROUP_BITS + SLOT_BITS + 2;
    localparam DEPTH        = OUTPUT_ROWS * GROUPS;
    localparam ADDRESS_BITS = $clog2(DEPTH);

    generate if (OUTPUT_ROWS < 2 || (OUTPUT_ROWS & (OUTPUT_ROWS - 1)) != 0) begin : g_check
        pasa_output_buffer_ERROR_OUTPUT_ROWS_must_be_a_power_of_two_of_at_least_2 bad ();
    end endgenerate

    // Descriptors wait in order.
    wire                  head_valid, fetch;
    wire [OPEN_BITS-1:0]  head;
    /* verilator lint_off PINCONNECTEMPTY */       // nobody needs the fill level
    pasa_fifo #(.WIDTH(OPEN_BITS), .DEPTH(OUTPUT_ROWS)) descriptors (
        .clk(clk), .rst(rst),
        .s_valid(open_valid), .s_ready(open_ready),
        .s_data({open_last, open_slot, open_int16, open_last_group}),
        .m_valid(head_valid), .m_ready(fetch), .m_data(head), .level());
    /* verilator lint_on PINCONNECTEMPTY */

    // Which places hold a whole row. A row is fetched when it is done; the next row
    // is fetched while one is read, so that none waits for this look.
    reg  [OUTPUT_ROWS-1:0] done;
    reg  [OUTPUT_BITS-1:0] place;                  // of the descriptor at the head
    reg                    next_valid;
    reg  [OUTPUT_BITS-1:0] next_place;
    reg  [OPEN_BITS-1:0]   next;
    wire                   take;

    assign fetch = head_valid & done[place] & (!next_valid | take);

    genvar p;
    generate for (p = 0; p < OUTPUT_ROWS; p = p + 1) begin : g_place
        wire set   = write_valid & write_done & (write_row == p[OUTPUT_BITS-1:0]);
        wire clear = fetch & (place == p[OUTPUT_BITS-1:0]);
        always @(posedge clk) done[p] <= !rst & (set | (done[p] & !clear));
    end endgenerate

    always @(posedge clk) begin
        if (fetch) begin
            place      <= place + 1'b1;
            next_place <= place;
            next       <= head;
        end
        next_valid <= fetch | (next_valid & !take);
        if (rst) begin
            place      <= {OUTPUT_BITS{1'b0}};
            next_valid <= 1'b0;
        end
    end

    // The row being read: a group for each beat, an int16 group twice.
    wire                   advance;                // the stages below can move
    reg                    reading, half, row_last, row_int16;
    reg  [SLOT_BITS-1:0]   row_slot;
    reg  [GROUP_BITS-1:0]  group, last_group;
    reg  [OUTPUT_BITS-1:0] row_place;
    wire                   final_beat = (group == last_group) & (half | !row_int16);

    assign take = next_valid & (!reading | (advance & final_beat));

    always @(posedge clk) begin
        if (take) begin
            {row_last, row_slot, row_int16, last_group} <= next;
            row_place <= next_place;
            group     <= {GROUP_BITS{1'b0}};
            half      <= 1'b0;
        end else if (advance) begin
            half <= !half & row_int16;
            if (half | !row_int16) group <= group + 1'b1;
        end
        reading   <= take | (reading & !(advance & final_beat));
        row_freed <= reading & advance & final_beat & !rst;
        if (rst) reading <= 1'b0;
    end

    // Stage 1: the RAM's word. Stage 2: the beat. Then a skid buffer, whose ready is
    // a register: all of this moves or waits as one.
    wire [255:0]             word_1;
    wire [ADDRESS_BITS-1:0]  read_address, write_address;
    reg                      valid_1, int16_1, half_1, last_1;
    reg                      valid_2, last_2;
    reg  [SLOT_BITS-1:0]     slot_1, slot_2;
    reg  [127:0]             data_2;
    wire                     skid_ready;

    assign advance = skid_ready | !valid_2;

    generate if (GROUPS > 1) begin : g_groups
        assign read_address  = {row_place, group};
        assign write_address = {write_row, write_group};
    end else begin : g_one
        wire unused = &{1'b0, write_group};        // always 0
        assign read_address  = row_place;
        assign write_address = write_row;
    end endgenerate

    pasa_ram #(.WIDTH(256), .DEPTH(DEPTH)) ram (
        .clk(clk),
        .write_enable(write_valid), .write_address(write_address), .write_data(write_data),
        .read_enable(advance), .read_address(read_address), .read_data(word_1));

    wire [127:0] bytes_1;                          // low byte of each code
    genvar c;
    generate for (c = 0; c < 16; c = c + 1) begin : g_code
        assign bytes_1[8*c +: 8] = word_1[16*c +: 8];
    end endgenerate

    always @(posedge clk) begin
        if (advance) begin
            valid_1 <= reading;
            int16_1 <= row_int16;
            half_1  <= half;
            last_1  <= row_last & final_beat;
            slot_1  <= row_slot;

            valid_2 <= valid_1;
            data_2  <= !int16_1 ? bytes_1 : half_1 ? word_1[255:128] : word_1[127:0];
            last_2  <= last_1;
            slot_2  <= slot_1;
        end
        if (rst) {valid_1, valid_2} <= 2'b00;
    end

    pasa_skid #(.WIDTH(129 + SLOT_BITS)) skid (
        .clk(clk), .rst(rst),
        .s_valid(valid_2), .s_ready(skid_ready), .s_data({slot_2, last_2, data_2}),
        .m_valid(m_output_valid), .m_ready(m_output_ready),
        .m_data({m_output_slot, m_output_last, m_output_data}));

    always @(posedge clk) begin
        command_done      <= m_output_valid & m_output_ready & m_output_last & !rst;
        command_done_slot <= m_output_slot;
    end
endmodule
`default_nettype wire
