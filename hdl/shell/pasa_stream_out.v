// SPDX-License-Identifier: Apache-2.0
//
// pasa_stream_out - beats of 16 bytes into an AXI4-Stream of 32, 64 or 128 bits
//
// Why      The core's output, as wide as the board's memory port.
// Contract * bytes keep their order: the lowest bytes leave first
//          * tlast comes with the last bytes of the beat with s_last; tkeep is all ones
//          * tvalid never waits for tready; what it carries holds still while stalled
//          * no path from one side's pins to the other's
// Latency  one clock
// Rate     one beat in a clock on the narrower side
// Cost     2*129 flip-flops and a multiplexer
// Checked  make unit M=pasa_stream_out

`default_nettype none
module pasa_stream_out #(
    parameter STREAM_BITS = 128      // 32, 64 or 128
) (
    input  wire                     clk,
    input  wire                     rst,       // synchronous, active high

    input  wire                     s_valid,
    output wire                     s_ready,
    input  wire [127:0]             s_data,
    input  wire                     s_last,

    output wire [STREAM_BITS-1:0]   m_axis_tdata,
    output wire [STREAM_BITS/8-1:0] m_axis_tkeep,
    output wire                     m_axis_tvalid,
    input  wire                     m_axis_tready,
    output wire                     m_axis_tlast
);
    localparam PIECES = 128 / STREAM_BITS;

    generate if (STREAM_BITS != 32 && STREAM_BITS != 64 && STREAM_BITS != 128) begin : g_check
        pasa_stream_out_ERROR_STREAM_BITS_must_be_32_64_or_128 bad ();
    end endgenerate

    wire         last, ends;         // of the packet; this is the last piece of 16 bytes
    wire [127:0] data;
    wire         take = m_axis_tvalid & m_axis_tready;
    pasa_skid #(.WIDTH(129)) skid (
        .clk(clk), .rst(rst),
        .s_valid(s_valid), .s_ready(s_ready), .s_data({s_last, s_data}),
        .m_valid(m_axis_tvalid), .m_ready(take & ends), .m_data({last, data}));

    assign m_axis_tkeep = {STREAM_BITS/8{1'b1}};
    assign m_axis_tlast = last & ends;

    generate
        if (PIECES == 1) begin : g_whole
            assign ends = 1'b1;
            assign m_axis_tdata = data;
        end else begin : g_pieces
            localparam PIECE_BITS = $clog2(PIECES);
            reg [PIECE_BITS-1:0] piece;  // that is on offer; wraps by itself
            always @(posedge clk) begin
                if (take) piece <= piece + 1'b1;
                if (rst) piece <= {PIECE_BITS{1'b0}};
            end
            assign ends = &piece;
            assign m_axis_tdata = data[piece*STREAM_BITS +: STREAM_BITS];
        end
    endgenerate
endmodule
`default_nettype wire
