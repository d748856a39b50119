// SPDX-License-Identifier: Apache-2.0
//
// pasa_fifo - first-in first-out buffer for a ready/valid stream
//
// Why      Lets two stages run at different rates for a while, such as a
//          stage that answers in bursts and one that takes a beat a clock.
// Contract * m_data holds still while m_valid is high and m_ready low  P1
//          * beats leave in arrival order; none lost, none doubled     P2
//          * s_ready falls only when DEPTH beats are held, so one beat
//            per clock passes in and out at every fill below that      P3
//          * level is the number of beats held, 0 to DEPTH             P4
//          * latency one clock; no path from one side's pins to the other's
// Cost     DEPTH*WIDTH bits of LUT RAM (read is asynchronous), one counter,
//          two pointers
// Checked  make unit M=pasa_fifo     make prove M=pasa_fifo

`default_nettype none
module pasa_fifo #(
    parameter WIDTH = 32,            // payload bits, at least 1
    parameter DEPTH = 16             // beats, a power of two, at least 2
) (
    input  wire                   clk,
    input  wire                   rst,     // synchronous, active high

    input  wire                   s_valid, // from the previous stage
    output wire                   s_ready,
    input  wire [WIDTH-1:0]       s_data,

    output wire                   m_valid, // to the next stage
    input  wire                   m_ready,
    output wire [WIDTH-1:0]       m_data,

    output wire [$clog2(DEPTH):0] level    // beats held
);
    generate if (WIDTH < 1) begin : g_check_width
        pasa_fifo_ERROR_WIDTH_must_be_at_least_1 bad ();
    end endgenerate
    generate if (DEPTH < 2 || (DEPTH & (DEPTH - 1)) != 0) begin : g_check_depth
        pasa_fifo_ERROR_DEPTH_must_be_a_power_of_two_of_at_least_2 bad ();
    end endgenerate

    localparam ADDR = $clog2(DEPTH);

    (* ram_style = "distributed" *)
    reg [WIDTH-1:0] beats [0:DEPTH-1];
    reg [ADDR-1:0]  wr, rd;          // next place to write, to read
    reg [ADDR:0]    held;

    // The two transfers. All state below moves on these and nothing else.
    wire s_fire = s_valid & s_ready;
    wire m_fire = m_valid & m_ready;

    assign s_ready = !held[ADDR];    // held never exceeds DEPTH, so its top
                                     // bit alone says "full"
    assign m_valid = held != {(ADDR+1){1'b0}};
    assign m_data  = beats[rd];
    assign level   = held;

    // Pointers wrap by themselves because DEPTH is a power of two.
    always @(posedge clk) begin
        if (s_fire) wr <= wr + 1'b1;
        if (m_fire) rd <= rd + 1'b1;
        if (rst) begin
            wr <= {ADDR{1'b0}};
            rd <= {ADDR{1'b0}};
        end
    end

    always @(posedge clk) begin
        if (s_fire & !m_fire) held <= held + 1'b1;
        if (m_fire & !s_fire) held <= held - 1'b1;
        if (rst) held <= {(ADDR+1){1'b0}};
    end

    // No reset: a place is read only after it was written.
    always @(posedge clk) if (s_fire) beats[wr] <= s_data;

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

    // P2 order and loss: follow one beat of the solver's choice. f_in and
    // f_out count beats modulo 2*DEPTH, which tells full from empty.
    (* anyconst *) reg [ADDR:0] f_pick;
    reg [ADDR:0]    f_in, f_out;
    reg [WIDTH-1:0] f_beat;
    always @(posedge clk) begin
        if (s_fire) f_in  <= f_in + 1'b1;
        if (m_fire) f_out <= f_out + 1'b1;
        if (s_fire && f_in == f_pick) f_beat <= s_data;
        if (rst) begin f_in <= {(ADDR+1){1'b0}}; f_out <= {(ADDR+1){1'b0}}; end
    end
    wire [ADDR:0] f_held = f_in - f_out;
    wire [ADDR:0] f_away = f_pick - f_out;   // places until the chosen beat
    always @(posedge clk) if (f_started && !rst) begin
        P2_wr:    assert (wr == f_in[ADDR-1:0]);
        P2_rd:    assert (rd == f_out[ADDR-1:0]);
        P3_ready: assert (s_ready || f_held == DEPTH);  // never early
        P4_level: assert (level == f_held && f_held <= DEPTH);
        if (f_away < f_held)
            P2_order: assert (beats[f_pick[ADDR-1:0]] == f_beat);
    end

    // C1 the traffic the buffer exists for: fill, then drain.
    reg f_was_full = 1'b0;
    always @(posedge clk) f_was_full <= !rst & (f_was_full | !s_ready);
    always @(posedge clk)
        C1_drain: cover (f_started && !rst && f_was_full && !m_valid);
`endif
endmodule
`default_nettype wire
