// SPDX-License-Identifier: Apache-2.0
//
// pasa_registers - the registers of pasa.rdl behind an AXI4-Lite slave
//
// Why      Software sees the accelerator through 4 KiB of words. What they mean is written once, in
//          pasa.rdl; this module follows it bit for bit.
// Contract * each write address with its write data gets one B, each read address one R, in order;
//            address and data may come in any order and at any distance               P1 P2
//          * bvalid, rvalid and what they carry hold still until taken                P3
//          * ready falls only while an access waits for the master to take a response P4
//          * an access that pasa.rdl does not allow answers SLVERR and does nothing
//          * SUBMIT offers the COMMAND record for one clock, only when m_command_ready is high;
//            STATUS_POP takes a status likewise
//          * soft reset: core_rst is high for RESET_CLOCKS, in which SUBMIT and STATUS_POP answer
//            SLVERR; INTERRUPT_STATUS and CAUSES clear; the bus goes on
//          * set wins over clear in a sticky bit
// Latency  a response is valid 2 clocks after its address (and data) was taken; interrupt follows
//          INTERRUPT_STATUS by 1 clock
// Rate     one write and one read every 2 clocks
// Cost     366 flip-flops, 239 of them the COMMAND record
// Checked  make unit M=pasa_registers     make prove M=pasa_registers

`default_nettype none
`include "pasa_formats.vh"
`include "pasa_registers.vh"
module pasa_registers #(
    parameter ROWS         = 4,      // what BUILD_* tell
    parameter PRED_KEYS    = 32,
    parameter HEAD_DIM     = 64,
    parameter TILE_KEYS    = 2048,
    parameter PRED_BITS    = 4,
    parameter BLOCK_KEYS   = 64,
    parameter MERGE_ROWS   = 256,
    parameter STREAM_BITS  = 128,
    parameter RESET_CLOCKS = 16      // of a soft reset, at least 4
) (
    input  wire                          clk,
    input  wire                          rst,            // synchronous, active high

    // AXI4-Lite
    input  wire [11:0]                   s_axi_awaddr,
    input  wire                          s_axi_awvalid,
    output wire                          s_axi_awready,
    input  wire [31:0]                   s_axi_wdata,
    input  wire [3:0]                    s_axi_wstrb,
    input  wire                          s_axi_wvalid,
    output wire                          s_axi_wready,
    output reg  [1:0]                    s_axi_bresp,
    output reg                           s_axi_bvalid,
    input  wire                          s_axi_bready,
    input  wire [11:0]                   s_axi_araddr,
    input  wire                          s_axi_arvalid,
    output wire                          s_axi_arready,
    output reg  [31:0]                   s_axi_rdata,
    output reg  [1:0]                    s_axi_rresp,
    output reg                           s_axi_rvalid,
    input  wire                          s_axi_rready,
    // verilator lint_off SYMRSVDWORD  // the name that block designs know; C++ code avoids it
    output reg                           interrupt,      // level
    // verilator lint_on SYMRSVDWORD

    output reg                           core_rst,       // of all but this module

    output wire                          m_command_valid, // to the command FIFO
    input  wire                          m_command_ready,
    output wire [`PASA_COMMAND_BITS-1:0] m_command_data,
    input  wire [$clog2(`PASA_COMMAND_DEPTH):0] command_level,

    input  wire                          s_status_valid, // from the status FIFO
    output wire                          s_status_ready,
    input  wire [`PASA_STATUS_BITS-1:0]  s_status_data,
    input  wire [$clog2(`PASA_STATUS_DEPTH):0] status_level,

    input  wire                          arrived,        // a status enters the status FIFO
    input  wire [7:0]                    arrived_causes  // with arrived
);
    localparam OKAY = 2'b00, SLVERR = 2'b10;
    localparam COUNT_BITS = $clog2(RESET_CLOCKS);

    generate if (RESET_CLOCKS < 4) begin : g_check_reset
        pasa_registers_ERROR_RESET_CLOCKS_must_be_at_least_4 bad ();
    end endgenerate
    generate if (STREAM_BITS != 32 && STREAM_BITS != 64 && STREAM_BITS != 128) begin : g_check_stream
        pasa_registers_ERROR_STREAM_BITS_must_be_32_64_or_128 bad ();
    end endgenerate

    // ---- write: address and data wait for each other -----------------------------------------
    reg         aw_full, w_full;
    reg  [11:0] aw;
    reg  [31:0] w;
    reg  [3:0]  strobe;
    wire        aw_fire = s_axi_awvalid & s_axi_awready;
    wire        w_fire  = s_axi_wvalid & s_axi_wready;
    wire        b_fire  = s_axi_bvalid & s_axi_bready;
    wire        write   = aw_full & w_full & (!s_axi_bvalid | b_fire);

    assign s_axi_awready = !aw_full;
    assign s_axi_wready  = !w_full;

    always @(posedge clk) begin
        if (write) aw_full <= 1'b0;
        if (aw_fire) begin
            aw_full <= 1'b1;
            aw      <= s_axi_awaddr;
        end
        if (rst) aw_full <= 1'b0;    // what it guards needs no reset
    end
    always @(posedge clk) begin
        if (write) w_full <= 1'b0;
        if (w_fire) begin
            w_full <= 1'b1;
            w      <= s_axi_wdata;
            strobe <= s_axi_wstrb;
        end
        if (rst) w_full <= 1'b0;
    end

    wire [7:0]  ones = w[7:0] & {8{strobe[0]}};             // bits written as 1 where 1 acts
    wire        write_control   = aw == `PASA_REGISTER_CONTROL;
    wire        write_enable    = aw == `PASA_REGISTER_INTERRUPT_ENABLE;
    wire        write_interrupt = aw == `PASA_REGISTER_INTERRUPT_STATUS;
    wire        write_causes    = aw == `PASA_REGISTER_CAUSES;
    wire        write_command   = (aw & ~12'h01c) == `PASA_REGISTER_COMMAND_0;
    wire        write_submit    = aw == `PASA_REGISTER_SUBMIT;
    wire        write_pop       = aw == `PASA_REGISTER_STATUS_POP;
    wire        submit = write & write_submit & ones[0];
    wire        pop    = write & write_pop & ones[0];
    wire        submit_fails = submit & (core_rst | !m_command_ready);
    wire        pop_fails    = pop & (core_rst | !s_status_valid);
    wire        writable = write_control | write_enable | write_interrupt | write_causes
                         | write_command | write_submit | write_pop;

    always @(posedge clk) begin
        if (b_fire) s_axi_bvalid <= 1'b0;
        if (write) begin
            s_axi_bvalid <= 1'b1;
            s_axi_bresp  <= (!writable | submit_fails | pop_fails) ? SLVERR : OKAY;
        end
        if (rst) s_axi_bvalid <= 1'b0;
    end

    // ---- registers that software writes ------------------------------------------------------
    reg [`PASA_COMMAND_BITS-1:0] command;
    localparam [`PASA_COMMAND_BITS-1:0] EXISTS = `PASA_COMMAND_MASK;
    integer b;
    always @(posedge clk) begin
        for (b = 0; b < `PASA_COMMAND_BITS / 8; b = b + 1)
            if (write & write_command & (aw[4:2] == b[4:2]) & strobe[b[1:0]])
                command[8*b +: 8] <= w[8*b[1:0] +: 8] & EXISTS[8*b +: 8];
        if (rst) command <= {`PASA_COMMAND_BITS{1'b0}};
    end

    reg [3:0] enable;
    always @(posedge clk) begin
        if (write & write_enable & strobe[0]) enable <= w[3:0];
        if (rst) enable <= 4'd0;
    end

    // ---- soft reset ---------------------------------------------------------------------------
    reg  [COUNT_BITS-1:0] reset_left;  // clocks after this one
    wire soft_reset = write & write_control & ones[0];
    always @(posedge clk) begin
        if (soft_reset)
            reset_left <= RESET_CLOCKS[COUNT_BITS-1:0] - 1'b1;
        else if (reset_left != {COUNT_BITS{1'b0}})
            reset_left <= reset_left - 1'b1;
        core_rst <= soft_reset | (reset_left != {COUNT_BITS{1'b0}});
        if (rst) begin
            reset_left <= {COUNT_BITS{1'b0}};
            core_rst   <= 1'b1;        // until a clock after rst: no access is that early
        end
    end

    // ---- commands and statuses ------------------------------------------------------------------
    assign m_command_valid = submit & !submit_fails;
    assign m_command_data  = command;
    assign s_status_ready  = pop & !pop_fails;

    reg [7:0] in_flight;               // at most both FIFOs and what the core holds
    always @(posedge clk) begin
        if (m_command_valid & !arrived) in_flight <= in_flight + 8'd1;
        if (arrived & !m_command_valid) in_flight <= in_flight - 8'd1;
        if (rst | core_rst) in_flight <= 8'd0;
    end

    // ---- sticky bits ------------------------------------------------------------------------------
    reg  [3:0] interrupts;
    reg  [7:0] causes;
    wire [3:0] events = {pop_fails, submit_fails, arrived & (arrived_causes != 8'd0), arrived};
    always @(posedge clk) begin
        interrupts <= (interrupts & ~(ones[3:0] & {4{write & write_interrupt}})) | events;
        causes     <= (causes & ~(ones & {8{write & write_causes}}))
                    | (arrived_causes & {8{arrived}});
        interrupt  <= (interrupts & enable) != 4'd0;
        if (rst | core_rst) begin
            interrupts <= 4'd0;
            causes     <= 8'd0;
            interrupt  <= 1'b0;
        end
    end

    // ---- read -------------------------------------------------------------------------------------
    reg         ar_full;
    reg  [11:0] ar;
    wire        ar_fire = s_axi_arvalid & s_axi_arready;
    wire        r_fire  = s_axi_rvalid & s_axi_rready;
    wire        read    = ar_full & (!s_axi_rvalid | r_fire);

    assign s_axi_arready = !ar_full;

    always @(posedge clk) begin
        if (read) ar_full <= 1'b0;
        if (ar_fire) begin
            ar_full <= 1'b1;
            ar      <= s_axi_araddr;
        end
        if (rst) ar_full <= 1'b0;
    end

    localparam [7:0] COMMANDS = `PASA_COMMAND_DEPTH;
    wire [31:0] state;
    assign state[31:25] = 7'd0;
    assign state[`PASA_STATE_IDLE] = !core_rst & (in_flight == 8'd0) & !s_status_valid;
    assign state[`PASA_STATE_IN_FLIGHT] = in_flight;
    assign state[`PASA_STATE_STATUS_WAITING] = core_rst ? 8'd0 : {4'd0, status_level};
    assign state[`PASA_STATE_COMMAND_ROOM] = core_rst ? 8'd0 : COMMANDS - {4'd0, command_level};

    // Words by number: the command in 16 to 23, the status in 32 to 41.
    wire [`PASA_STATUS_BITS-1:0] status = s_status_data & {`PASA_STATUS_BITS{s_status_valid & !core_rst}};
    reg [31:0] word;
    reg        readable;
    always @* begin
        word     = 32'd0;
        readable = 1'b1;
        case (ar)
            `PASA_REGISTER_IDENTITY:         word = `PASA_VALUE_IDENTITY;
            `PASA_REGISTER_VERSION:          word = `PASA_VALUE_VERSION;
            `PASA_REGISTER_BUILD_0: begin
                word[`PASA_BUILD_0_ROWS]          = ROWS[7:0];
                word[`PASA_BUILD_0_PRED_KEYS]     = PRED_KEYS[7:0];
                word[`PASA_BUILD_0_BLOCK_KEYS]    = BLOCK_KEYS[7:0];
                word[`PASA_BUILD_0_STREAM_BYTES]  = STREAM_BITS[10:3];
            end
            `PASA_REGISTER_BUILD_1: begin
                word[`PASA_BUILD_1_HEAD_DIM]      = HEAD_DIM[11:0];
                word[`PASA_BUILD_1_PRED_BITS]     = PRED_BITS[3:0];
                word[`PASA_BUILD_1_TILE_KEYS]     = TILE_KEYS[15:0];
            end
            `PASA_REGISTER_BUILD_2: begin
                word[`PASA_BUILD_2_MERGE_ROWS]    = MERGE_ROWS[15:0];
                word[`PASA_BUILD_2_COMMAND_DEPTH] = `PASA_COMMAND_DEPTH;
                word[`PASA_BUILD_2_STATUS_DEPTH]  = `PASA_STATUS_DEPTH;
            end
            `PASA_REGISTER_CONTROL:          word[`PASA_CONTROL_SOFT_RESET] = core_rst;
            `PASA_REGISTER_STATE:            word = state;
            `PASA_REGISTER_INTERRUPT_ENABLE: word[3:0] = enable;
            `PASA_REGISTER_INTERRUPT_STATUS: word[3:0] = interrupts;
            `PASA_REGISTER_CAUSES:           word[7:0] = causes;
            `PASA_REGISTER_COMMAND_0:        word = command[31:0];
            `PASA_REGISTER_COMMAND_1:        word = command[63:32];
            `PASA_REGISTER_COMMAND_2:        word = command[95:64];
            `PASA_REGISTER_COMMAND_3:        word = command[127:96];
            `PASA_REGISTER_COMMAND_4:        word = command[159:128];
            `PASA_REGISTER_COMMAND_5:        word = command[191:160];
            `PASA_REGISTER_COMMAND_6:        word = command[223:192];
            `PASA_REGISTER_COMMAND_7:        word = command[255:224];
            `PASA_REGISTER_STATUS_0:         word = status[31:0];
            `PASA_REGISTER_STATUS_1:         word = status[63:32];
            `PASA_REGISTER_STATUS_2:         word = status[95:64];
            `PASA_REGISTER_STATUS_3:         word = status[127:96];
            `PASA_REGISTER_STATUS_4:         word = status[159:128];
            `PASA_REGISTER_STATUS_5:         word = status[191:160];
            `PASA_REGISTER_STATUS_6:         word = status[223:192];
            `PASA_REGISTER_STATUS_7:         word = status[255:224];
            `PASA_REGISTER_STATUS_8:         word = status[287:256];
            `PASA_REGISTER_STATUS_9:         word = status[319:288];
            default:                         readable = 1'b0;
        endcase
    end

    always @(posedge clk) begin
        if (r_fire) s_axi_rvalid <= 1'b0;
        if (read) begin
            s_axi_rvalid <= 1'b1;
            s_axi_rdata  <= word;
            s_axi_rresp  <= readable ? OKAY : SLVERR;
        end
        if (rst) s_axi_rvalid <= 1'b0;
    end

`ifdef FORMAL
    reg f_started = 1'b0;
    always @(posedge clk) f_started <= 1'b1;
    always @* if (!f_started) assume (rst);
    reg f_past = 1'b0;                   // the clock before was not in reset
    always @(posedge clk) f_past <= f_started & !rst;

    // Environment: the master keeps its offers, a FIFO its data.
    always @(posedge clk) if (f_past) begin
        if ($past(s_axi_awvalid && !s_axi_awready))
            assume (s_axi_awvalid && s_axi_awaddr == $past(s_axi_awaddr));
        if ($past(s_axi_wvalid && !s_axi_wready))
            assume (s_axi_wvalid && s_axi_wdata == $past(s_axi_wdata)
                    && s_axi_wstrb == $past(s_axi_wstrb));
        if ($past(s_axi_arvalid && !s_axi_arready))
            assume (s_axi_arvalid && s_axi_araddr == $past(s_axi_araddr));
    end

    // P1 P2 as many responses as accesses: what came in less what went out is what is held.
    reg [3:0] f_aw, f_w, f_b, f_ar, f_r;
    always @(posedge clk) begin
        f_aw <= rst ? 4'd0 : f_aw + aw_fire;
        f_w  <= rst ? 4'd0 : f_w + w_fire;
        f_b  <= rst ? 4'd0 : f_b + b_fire;
        f_ar <= rst ? 4'd0 : f_ar + ar_fire;
        f_r  <= rst ? 4'd0 : f_r + r_fire;
    end
    wire [3:0] f_aw_held = f_aw - f_b;
    wire [3:0] f_w_held  = f_w - f_b;
    wire [3:0] f_r_held  = f_ar - f_r;
    always @(posedge clk) if (f_started && !rst) begin
        P1_address: assert (f_aw_held == {3'd0, aw_full} + {3'd0, s_axi_bvalid});
        P1_data:    assert (f_w_held == {3'd0, w_full} + {3'd0, s_axi_bvalid});
        P2_read:    assert (f_r_held == {3'd0, ar_full} + {3'd0, s_axi_rvalid});
    end

    // P3 hold: a response not taken stays as it was.
    always @(posedge clk) if (f_past) begin
        if ($past(s_axi_bvalid && !s_axi_bready))
            P3_write: assert (s_axi_bvalid && s_axi_bresp == $past(s_axi_bresp));
        if ($past(s_axi_rvalid && !s_axi_rready))
            P3_read: assert (s_axi_rvalid && s_axi_rdata == $past(s_axi_rdata)
                             && s_axi_rresp == $past(s_axi_rresp));
    end

    // P4 the bus never hangs: an access that is complete goes on unless its response is held up.
    always @(posedge clk) if (f_past) begin
        if ($past(aw_full && w_full) && !$past(s_axi_bvalid && !s_axi_bready))
            P4_write: assert (s_axi_awready && s_axi_wready && s_axi_bvalid);
        if ($past(ar_full) && !$past(s_axi_rvalid && !s_axi_rready))
            P4_read: assert (s_axi_arready && s_axi_rvalid);
    end

    // P5 the record and the FIFOs change only by an access that says OKAY.
    always @(posedge clk) if (f_past) begin
        if ($past(m_command_valid || s_status_ready))
            P5_act: assert (s_axi_bvalid && s_axi_bresp == OKAY);
        if (command != $past(command))
            P5_command: assert (s_axi_bvalid && s_axi_bresp == OKAY);
    end
    always @(posedge clk) if (f_started && !rst) begin
        P5_room: assert (!m_command_valid || (m_command_ready && !core_rst));
        P5_pop:  assert (!s_status_ready || (s_status_valid && !core_rst));
    end

    // C1 the traffic this module exists for: a record written, submitted, answered and taken.
    reg [1:0] f_stage = 2'd0;
    always @(posedge clk) begin
        if (f_stage == 2'd0 && command != 256'd0) f_stage <= 2'd1;
        if (f_stage == 2'd1 && m_command_valid)   f_stage <= 2'd2;
        if (f_stage == 2'd2 && s_status_ready)    f_stage <= 2'd3;
        if (rst) f_stage <= 2'd0;
    end
    always @(posedge clk) C1_head: cover (f_started && f_stage == 2'd3 && !s_axi_bvalid);
`endif
endmodule
`default_nettype wire
