// SPDX-License-Identifier: Apache-2.0
//
// pasa_stream_in - AXI4-Stream of 32, 64 or 128 bits into beats of 16 bytes
//
// Why      Memory ports are as wide as the board makes them; the core takes 16 dimensions a beat and
//          must not be led astray by a packet of odd length.
// Contract * bytes keep their order: the first beat fills the lowest bytes
//          * a packet whose tlast comes inside a 16-byte beat, or with any tkeep bit low, is broken:
//            m_broken is high with its m_last; missing bytes are zero
//          * m_broken is low in every other beat
//          * m_* holds still while m_valid is high and m_ready low
//          * no path from one side's pins to the other's; ready is low in reset
// Latency  one clock from the last beat of 16 bytes
// Rate     one beat in a clock
// Cost     2*130 + 128 - STREAM_BITS flip-flops
// Checked  make unit M=pasa_stream_in

`default_nettype none
module pasa_stream_in #(
    parameter STREAM_BITS = 128      // 32, 64 or 128
) (
    input  wire                     clk,
    input  wire                     rst,       // synchronous, active high

    input  wire [STREAM_BITS-1:0]   s_axis_tdata,
    input  wire [STREAM_BITS/8-1:0] s_axis_tkeep,
    input  wire                     s_axis_tvalid,
    output wire                     s_axis_tready,
    input  wire                     s_axis_tlast,

    output wire                     m_valid,
    input  wire                     m_ready,
    output wire [127:0]             m_data,
    output wire                     m_last,
    output wire                     m_broken   // with m_last
);
    localparam PIECES = 128 / STREAM_BITS;
    localparam PIECE_BITS = (PIECES == 1) ? 1 : $clog2(PIECES);
    localparam [PIECE_BITS-1:0] LAST_PIECE = PIECES[PIECE_BITS-1:0] - 1'b1;

    generate if (STREAM_BITS != 32 && STREAM_BITS != 64 && STREAM_BITS != 128) begin : g_check
        pasa_stream_in_ERROR_STREAM_BITS_must_be_32_64_or_128 bad ();
    end endgenerate

    wire ready;
    wire take = s_axis_tvalid & s_axis_tready;
    assign s_axis_tready = ready & !rst;

    reg [PIECE_BITS-1:0] piece;      // of the 16 bytes, that comes next
    wire full = piece == LAST_PIECE;
    wire done = full | s_axis_tlast;
    always @(posedge clk) begin
        if (take) piece <= done ? {PIECE_BITS{1'b0}} : piece + 1'b1;
        if (rst) piece <= {PIECE_BITS{1'b0}};
    end

    // What is wrong with the packet so far, and with this beat.
    reg  broken;
    wire wrong = broken | !(&s_axis_tkeep) | (s_axis_tlast & !full);
    always @(posedge clk) begin
        if (take) broken <= wrong & !s_axis_tlast;
        if (rst) broken <= 1'b0;
    end

    // Pieces before this one are held, this one passes, later ones are zero.
    wire [127:0] data;
    genvar i;
    generate
        if (PIECES == 1) begin : g_whole
            assign data = s_axis_tdata;
        end else begin : g_pieces
            for (i = 0; i < PIECES; i = i + 1) begin : g_piece
                localparam [PIECE_BITS-1:0] HERE = i;
                wire here = piece == HERE;
                if (i == PIECES - 1) begin : g_last
                    assign data[i*STREAM_BITS +: STREAM_BITS] = s_axis_tdata & {STREAM_BITS{here}};
                end else begin : g_held
                    reg [STREAM_BITS-1:0] held;
                    always @(posedge clk) if (take & here) held <= s_axis_tdata;
                    assign data[i*STREAM_BITS +: STREAM_BITS] =
                        here ? s_axis_tdata : held & {STREAM_BITS{piece > HERE}};
                end
            end
        end
    endgenerate

    pasa_skid #(.WIDTH(130)) skid (
        .clk(clk), .rst(rst),
        .s_valid(take & done), .s_ready(ready),
        .s_data({s_axis_tlast & wrong, s_axis_tlast, data}),
        .m_valid(m_valid), .m_ready(m_ready), .m_data({m_broken, m_last, m_data}));
endmodule
`default_nettype wire
