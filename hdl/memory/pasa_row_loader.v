// SPDX-License-Identifier: Apache-2.0
//
// pasa_row_loader - one packet of a stream becomes numbered beats and rows
//
// Why      Everything behind it sees whole rows of the right length, whatever
//          the packet looks like; only this module knows about packets.
// Contract * start takes rows, dims and discard and opens the stream; exactly
//            one packet is consumed, up to its beat with s_last
//          * dimension 16b+i of a row is byte i of beat b; bytes at dims and
//            beyond, and beats a row does not have, come out as zero
//          * a beat leaves one clock after it is taken; its row leaves with
//            the row's last beat
//          * beats beyond rows*ceil(dims/16) are taken and dropped
//          * done pulses three clocks after the last beat was taken, when a
//            store has written it; bad (with done) tells that the packet was
//            shorter or longer than rows and dims say, or came as broken
//          * with discard nothing leaves and bad is 0; rows, dims are ignored
//          * s_ready depends on hold and registers only; one beat per clock
//          * rows 1 to TILE_KEYS, dims 1 to HEAD_DIM; no start from the clock
//            after a start until done
// Cost     (HEAD_DIM + 16)*8 flip-flops and control
// Checked  make unit M=pasa_row_loader

`default_nettype none
module pasa_row_loader #(
    parameter HEAD_DIM  = 64,        // dimensions of a row at most, 16 or more
    parameter TILE_KEYS = 2048,      // rows of a packet at most
    parameter KEY_BITS   = $clog2(TILE_KEYS),                        // derived
    parameter DIM_BITS   = $clog2(HEAD_DIM),                         // derived
    parameter SLICE_BITS = (HEAD_DIM > 16) ? $clog2(HEAD_DIM/16) : 1 // derived
) (
    input  wire                  clk,
    input  wire                  rst,        // synchronous, active high

    input  wire                  start,      // pulse
    input  wire [KEY_BITS:0]     rows,       // with start
    input  wire [DIM_BITS:0]     dims,       // with start
    input  wire                  discard,    // with start
    input  wire                  hold,       // take no beat in this clock
    output reg                   done,       // pulse
    output reg                   bad,        // valid with done

    input  wire                  s_valid,
    output wire                  s_ready,
    input  wire [127:0]          s_data,     // 16 int8
    input  wire                  s_last,
    input  wire                  s_broken,   // with s_last: take the packet for a wrong one

    output reg                   beat_valid,
    output reg  [KEY_BITS-1:0]   beat_row,
    output reg  [SLICE_BITS-1:0] beat_slice,
    output reg  [127:0]          beat_data,  // 16 int8

    output reg                   row_valid,
    output wire [KEY_BITS-1:0]   row_number,
    output wire [HEAD_DIM*8-1:0] row_data    // HEAD_DIM int8
);
    localparam SLICES = HEAD_DIM / 16;

    generate if (HEAD_DIM < 16 || (HEAD_DIM & (HEAD_DIM - 1)) != 0) begin : g_check_dim
        pasa_row_loader_ERROR_HEAD_DIM_must_be_a_power_of_two_of_at_least_16 bad ();
    end endgenerate
    generate if (TILE_KEYS < 2 || (TILE_KEYS & (TILE_KEYS - 1)) != 0) begin : g_check_keys
        pasa_row_loader_ERROR_TILE_KEYS_must_be_a_power_of_two_of_at_least_2 bad ();
    end endgenerate

    reg active;                      // between start and the beat with s_last
    assign s_ready = active & !hold;
    wire take = s_valid & s_ready;

    always @(posedge clk) begin
        if (take & s_last) active <= 1'b0;
        if (start) active <= 1'b1;
        if (rst) active <= 1'b0;
    end

    // What the packet should look like.
    reg                  dropping;   // discard: no beat is wanted
    reg [KEY_BITS:0]     last_row;
    reg [SLICE_BITS:0]   last_slice;
    reg [15:0]           last_bytes; // bytes that exist in the last slice
    wire [DIM_BITS:0]    dims_less_1 = dims - 1'b1;
    integer i;
    always @(posedge clk) if (start) begin
        dropping <= discard;
        last_row <= rows - 1'b1;
        for (i = 0; i < 16; i = i + 1)
            last_bytes[i] <= dims_less_1[3:0] >= i[3:0];
    end
    generate if (SLICES > 1) begin : g_last_slice
        always @(posedge clk) if (start) last_slice <= dims_less_1[4 +: SLICE_BITS+1];
    end else begin : g_one_slice
        always @(posedge clk) if (start) last_slice <= {1'b0, dims_less_1[4]};
    end endgenerate

    // Where the next beat belongs.
    reg [KEY_BITS-1:0]   row;
    reg [SLICE_BITS-1:0] slice;
    reg                  complete;   // every expected beat has been taken
    wire ends_row    = {1'b0, slice} == last_slice;
    wire ends_packet = ends_row & {1'b0, row} == last_row;
    wire keep        = take & !complete & !dropping;
    always @(posedge clk) begin
        if (keep) begin
            slice    <= ends_row ? {SLICE_BITS{1'b0}} : slice + 1'b1;
            row      <= ends_row ? row + 1'b1 : row;
            complete <= ends_packet;
        end
        if (start) begin
            slice    <= {SLICE_BITS{1'b0}};
            row      <= {KEY_BITS{1'b0}};
            complete <= 1'b0;
        end
    end

    // The beat, and the row it completes. Slice 0 clears the other slices, so
    // those a row does not have are zero.
    wire [127:0] bytes;
    genvar b, s;
    generate for (b = 0; b < 16; b = b + 1) begin : g_byte
        assign bytes[8*b +: 8] = s_data[8*b +: 8] & {8{!ends_row | last_bytes[b]}};
    end endgenerate

    always @(posedge clk) begin
        beat_valid <= keep;
        row_valid  <= keep & ends_row;
        if (rst) begin
            beat_valid <= 1'b0;
            row_valid  <= 1'b0;
        end
    end
    always @(posedge clk) if (keep) begin
        beat_row   <= row;
        beat_slice <= slice;
        beat_data  <= bytes;
    end
    assign row_number = beat_row;

    generate for (s = 0; s < SLICES; s = s + 1) begin : g_slice
        localparam [SLICE_BITS-1:0] NUMBER = s;
        reg [127:0] part;
        always @(posedge clk) if (keep) begin
            if (slice == NUMBER) part <= bytes;
            else if (slice == {SLICE_BITS{1'b0}}) part <= 128'd0;
        end
        assign row_data[128*s +: 128] = part;
    end endgenerate

    // done follows the last row by the two clocks a store needs to write it.
    // The verdict stays until the next packet ends, so it needs no such delay.
    reg ended, written;
    always @(posedge clk) begin
        ended   <= take & s_last;
        written <= ended;
        done    <= written;
        if (rst) begin
            ended   <= 1'b0;
            written <= 1'b0;
            done    <= 1'b0;
        end
    end
    always @(posedge clk)
        if (take & s_last) bad <= !dropping & (complete | !ends_packet | s_broken);
endmodule
`default_nettype wire
