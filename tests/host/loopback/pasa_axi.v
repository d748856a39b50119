// SPDX-License-Identifier: Apache-2.0
//
// pasa_axi - a stand-in with the accelerator's ports: query packets come back, words are memory
//
// Why      Tests of the simulator's bridge: what it sends is what it gets, in every stream width,
//          and the design takes seconds to build.
// Contract * AXI4-Lite: words 0 to 62 are memory; word 63 is the interrupt; 0x800 on is SLVERR
//          * the output stream is the query stream; the last beat of a packet without all of
//            TKEEP says so in the interrupt; keys and values are counted in words 64 and 65
// Checked  pytest tests/host/test_simulator.py

`default_nettype none
module pasa_axi #(
    parameter STREAM_BITS = 128
) (
    input  wire                     aclk,
    input  wire                     aresetn,

    input  wire [11:0]              s_axi_awaddr,
    input  wire [2:0]               s_axi_awprot,
    input  wire                     s_axi_awvalid,
    output wire                     s_axi_awready,
    input  wire [31:0]              s_axi_wdata,
    input  wire [3:0]               s_axi_wstrb,
    input  wire                     s_axi_wvalid,
    output wire                     s_axi_wready,
    output reg  [1:0]               s_axi_bresp,
    output reg                      s_axi_bvalid,
    input  wire                     s_axi_bready,
    input  wire [11:0]              s_axi_araddr,
    input  wire [2:0]               s_axi_arprot,
    input  wire                     s_axi_arvalid,
    output wire                     s_axi_arready,
    output reg  [31:0]              s_axi_rdata,
    output reg  [1:0]               s_axi_rresp,
    output reg                      s_axi_rvalid,
    input  wire                     s_axi_rready,

    input  wire [STREAM_BITS-1:0]   s_axis_query_tdata,
    input  wire [STREAM_BITS/8-1:0] s_axis_query_tkeep,
    input  wire                     s_axis_query_tvalid,
    output wire                     s_axis_query_tready,
    input  wire                     s_axis_query_tlast,
    input  wire [STREAM_BITS-1:0]   s_axis_key_tdata,
    input  wire [STREAM_BITS/8-1:0] s_axis_key_tkeep,
    input  wire                     s_axis_key_tvalid,
    output wire                     s_axis_key_tready,
    input  wire                     s_axis_key_tlast,
    input  wire [STREAM_BITS-1:0]   s_axis_value_tdata,
    input  wire [STREAM_BITS/8-1:0] s_axis_value_tkeep,
    input  wire                     s_axis_value_tvalid,
    output wire                     s_axis_value_tready,
    input  wire                     s_axis_value_tlast,
    output wire [STREAM_BITS-1:0]   m_axis_output_tdata,
    output wire [STREAM_BITS/8-1:0] m_axis_output_tkeep,
    output wire                     m_axis_output_tvalid,
    input  wire                     m_axis_output_tready,
    output wire                     m_axis_output_tlast,

    // verilator lint_off SYMRSVDWORD  // the name is of the contract; no C++ keyword
    output reg                      interrupt
    // verilator lint_on SYMRSVDWORD
);
    reg [31:0] words [0:62];
    reg [31:0] keys, values;

    // An access is taken when its answer has room. Bus hangs forever at 0x7fc, to be noticed.
    wire write_fire = s_axi_awvalid & s_axi_wvalid & !s_axi_bvalid & (s_axi_awaddr != 12'h7fc);
    wire read_fire  = s_axi_arvalid & !s_axi_rvalid;
    wire [5:0] write_word = s_axi_awaddr[7:2];
    assign s_axi_awready = write_fire;
    assign s_axi_wready  = write_fire;
    assign s_axi_arready = read_fire;

    wire [31:0] strobes = {{8{s_axi_wstrb[3]}}, {8{s_axi_wstrb[2]}}, {8{s_axi_wstrb[1]}},
                           {8{s_axi_wstrb[0]}}};
    always @(posedge aclk) begin
        if (write_fire) s_axi_bresp <= {s_axi_awaddr[11], 1'b0};
        if (write_fire & !s_axi_awaddr[11] & (write_word != 6'd63))
            words[write_word] <= words[write_word] & ~strobes | s_axi_wdata & strobes;
        if (read_fire) begin
            s_axi_rresp <= {s_axi_araddr[11], 1'b0};
            s_axi_rdata <= (s_axi_araddr == 12'h100) ? keys
                         : (s_axi_araddr == 12'h104) ? values
                         : (s_axi_araddr[7:2] == 6'd63) ? {31'd0, interrupt}
                         : words[s_axi_araddr[7:2]];
        end
        s_axi_bvalid <= aresetn & (write_fire | s_axi_bvalid & !s_axi_bready);
        s_axi_rvalid <= aresetn & (read_fire | s_axi_rvalid & !s_axi_rready);
    end

    wire query_fire = s_axis_query_tvalid & s_axis_query_tready;
    always @(posedge aclk) begin
        if (!aresetn) interrupt <= 1'b0;
        else if (write_fire & !s_axi_awaddr[11] & (write_word == 6'd63))
            interrupt <= s_axi_wdata[0];
        else if (query_fire & s_axis_query_tlast & !(&s_axis_query_tkeep)) interrupt <= 1'b1;
    end

    assign s_axis_query_tready  = m_axis_output_tready;
    assign m_axis_output_tvalid = s_axis_query_tvalid;
    assign m_axis_output_tdata  = s_axis_query_tdata;
    assign m_axis_output_tkeep  = s_axis_query_tkeep;
    assign m_axis_output_tlast  = s_axis_query_tlast;

    assign s_axis_key_tready   = 1'b1;
    assign s_axis_value_tready = 1'b1;
    always @(posedge aclk) begin
        if (!aresetn) {keys, values} <= 64'd0;
        else begin
            if (s_axis_key_tvalid & s_axis_key_tlast) keys <= keys + 1'b1;
            if (s_axis_value_tvalid & s_axis_value_tlast) values <= values + 1'b1;
        end
    end
endmodule
`default_nettype wire
