// SPDX-License-Identifier: Apache-2.0
//
// pasa_skid - two-entry buffer for a ready/valid stream
//
// Why      Ends every combinational path between the two sides, so a long
//          chain of stages closes timing without losing throughput.
// Contract * m_data holds still while m_valid is high and m_ready low  P1
//          * beats leave in arrival order; none lost, none doubled     P2
//          * s_ready falls only when both entries hold a beat, so one
//            beat per clock passes while m_ready is high               P3
//          * latency one clock; no path from one side's pins to the other's
// Cost     2*WIDTH + 2 flip-flops
// Checked  make unit M=pasa_skid     make prove M=pasa_skid

`default_nettype none
module pasa_skid #(
    parameter WIDTH = 32             // payload bits, at least 1
) (
    input  wire             clk,
    input  wire             rst,     // synchronous, active high

    input  wire             s_valid, // from the previous stage
    output wire             s_ready,
    input  wire [WIDTH-1:0] s_data,

    output wire             m_valid, // to the next stage
    input  wire             m_ready,
    output wire [WIDTH-1:0] m_data
);
    // An illegal parameter stops elaboration in every tool we use: the name
    // of the missing module is the message.
    generate if (WIDTH < 1) begin : g_check
        pasa_skid_ERROR_WIDTH_must_be_at_least_1 bad ();
    end endgenerate

    reg             main_full,  spare_full;
    reg [WIDTH-1:0] main_data,  spare_data;

    // The two transfers. All state below moves on these and nothing else.
    wire s_fire = s_valid & s_ready;
    wire m_fire = m_valid & m_ready;

    assign s_ready = !spare_full;
    assign m_valid = main_full;
    assign m_data  = main_data;

    // main: the beat on offer. Refilled from spare first, which keeps order.
    always @(posedge clk) begin
        if (m_fire | !main_full) begin
            main_full <= spare_full | s_fire;
            main_data <= spare_full ? spare_data : s_data;
        end
        if (rst) main_full <= 1'b0;  // data needs no reset: valid guards it
    end

    // spare: catches the one beat already on its way when m_ready drops.
    always @(posedge clk) begin
        if (s_fire & main_full & !m_ready) begin
            spare_full <= 1'b1;
            spare_data <= s_data;
        end else if (m_fire) begin
            spare_full <= 1'b0;
        end
        if (rst) spare_full <= 1'b0;
    end

`ifdef FORMAL
    // Environment: reset first, and the sender keeps its offer.
    reg f_started = 1'b0;
    always @(posedge clk) f_started <= 1'b1;
    always @* if (!f_started) assume (rst);

    always @(posedge clk)
        if (f_started && !$past(rst) && $past(s_valid && !s_ready))
            assume (s_valid && s_data == $past(s_data));

    // P1 hold: an offer not taken stays as it was.
    always @(posedge clk)
        if (f_started && !$past(rst) && $past(m_valid && !m_ready))
            P1_hold: assert (m_valid && m_data == $past(m_data));

    // P2 order and loss: follow one beat of the solver's choice.
    (* anyconst *) reg [3:0] f_pick;
    reg [3:0]       f_in, f_out;
    reg [WIDTH-1:0] f_beat;
    always @(posedge clk) begin
        if (s_fire) f_in  <= f_in + 4'd1;
        if (m_fire) f_out <= f_out + 4'd1;
        if (s_fire && f_in == f_pick) f_beat <= s_data;
        if (rst) begin f_in <= 4'd0; f_out <= 4'd0; end
    end
    wire [3:0] f_held = f_in - f_out;
    wire [3:0] f_away = f_pick - f_out;      // places until the chosen beat
    always @(posedge clk) if (f_started && !rst) begin
        P2_count: assert (f_held == {3'd0, main_full} + {3'd0, spare_full});
        P2_fill:  assert (main_full || !spare_full);
        P3_ready: assert (s_ready || f_held == 4'd2);   // never slow
        if (f_away < f_held) begin
            if (f_away == 4'd0) P2_main:  assert (main_data  == f_beat);
            if (f_away == 4'd1) P2_spare: assert (spare_data == f_beat);
        end
    end

    // C1 the traffic the buffer exists for: run, stall, resume, drain.
    always @(posedge clk)
        C1_drain: cover (f_started && !rst && f_out == 4'd5 && !m_valid &&
                         $past(m_fire));
`endif
endmodule
`default_nettype wire
