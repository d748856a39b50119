// SPDX-License-Identifier: Apache-2.0
//
// pasa_axi - the accelerator behind AXI: registers, an interrupt and streams of data
//
// Why      What a block design connects. The core knows neither software nor bus widths; this
//          module joins it with both and adds nothing of its own.
// Contract * s_axi: the registers of pasa.rdl (pasa_registers)
//          * s_axis_*: one packet each a command, 16 dimensions in 16 bytes, little end first; a
//            packet broken by tlast or tkeep (pasa_stream_in) refuses its command
//          * m_axis_output: one packet a command that answers with one; tkeep all ones; its status
//            may be there while its last 32 bytes still wait for tready
//          * eight commands and eight statuses wait in FIFOs; a full status FIFO holds the core,
//            no status is lost
//          * soft reset empties everything but the registers; meanwhile the streams are not ready
//            and a packet on its way out ends: reset what feeds and drains them as well
//          * one clock; a second one would end at the two FIFOs and the four stream adapters,
//            which are all that passes between bus and core
// Latency  3 clocks from the access of SUBMIT to the core, 1 through each stream adapter
// Cost     the core and about 1,450 flip-flops
// Checked  make unit M=pasa_axi

`default_nettype none
`include "pasa_formats.vh"
`include "pasa_registers.vh"
module pasa_axi #(
    parameter ROWS        = 4,       // as pasa_core
    parameter PRED_KEYS   = 32,
    parameter HEAD_DIM    = 64,
    parameter TILE_KEYS   = 2048,
    parameter PRED_BITS   = 4,
    parameter BLOCK_KEYS  = 64,
    parameter MERGE_ROWS  = 256,
    parameter OUTPUT_ROWS = 256,
    parameter STREAM_BITS = 128      // of the four data streams: 32, 64 or 128
) (
    input  wire                     aclk,
    input  wire                     aresetn,             // synchronous, active low

    input  wire [11:0]              s_axi_awaddr,
    // verilator lint_off UNUSEDSIGNAL  // every master may use every register
    input  wire [2:0]               s_axi_awprot,
    input  wire [2:0]               s_axi_arprot,
    // verilator lint_on UNUSEDSIGNAL
    input  wire                     s_axi_awvalid,
    output wire                     s_axi_awready,
    input  wire [31:0]              s_axi_wdata,
    input  wire [3:0]               s_axi_wstrb,
    input  wire                     s_axi_wvalid,
    output wire                     s_axi_wready,
    output wire [1:0]               s_axi_bresp,
    output wire                     s_axi_bvalid,
    input  wire                     s_axi_bready,
    input  wire [11:0]              s_axi_araddr,
    input  wire                     s_axi_arvalid,
    output wire                     s_axi_arready,
    output wire [31:0]              s_axi_rdata,
    output wire [1:0]               s_axi_rresp,
    output wire                     s_axi_rvalid,
    input  wire                     s_axi_rready,
    // verilator lint_off SYMRSVDWORD  // the name that block designs know; C++ code avoids it
    output wire                     interrupt,           // level
    // verilator lint_on SYMRSVDWORD

    input  wire [STREAM_BITS-1:0]   s_axis_query_tdata,  // int8
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

    output wire [STREAM_BITS-1:0]   m_axis_output_tdata, // int8 or int16
    output wire [STREAM_BITS/8-1:0] m_axis_output_tkeep,
    output wire                     m_axis_output_tvalid,
    input  wire                     m_axis_output_tready,
    output wire                     m_axis_output_tlast
);
    wire core_rst;

    // ---- registers and the FIFOs of commands and statuses ------------------------------------
    wire                          submit_valid, submit_ready, command_valid, command_ready;
    wire [`PASA_COMMAND_BITS-1:0] submit_data, command_data;
    wire                          status_valid, status_ready, oldest_valid, oldest_ready;
    wire [`PASA_STATUS_BITS-1:0]  status_data, oldest_data;
    wire [$clog2(`PASA_COMMAND_DEPTH):0] command_level;
    wire [$clog2(`PASA_STATUS_DEPTH):0]  status_level;
    pasa_registers #(
        .ROWS(ROWS), .PRED_KEYS(PRED_KEYS), .HEAD_DIM(HEAD_DIM), .TILE_KEYS(TILE_KEYS),
        .PRED_BITS(PRED_BITS), .BLOCK_KEYS(BLOCK_KEYS), .MERGE_ROWS(MERGE_ROWS),
        .STREAM_BITS(STREAM_BITS)
    ) registers (
        .clk(aclk), .rst(!aresetn),
        .s_axi_awaddr(s_axi_awaddr), .s_axi_awvalid(s_axi_awvalid), .s_axi_awready(s_axi_awready),
        .s_axi_wdata(s_axi_wdata), .s_axi_wstrb(s_axi_wstrb),
        .s_axi_wvalid(s_axi_wvalid), .s_axi_wready(s_axi_wready),
        .s_axi_bresp(s_axi_bresp), .s_axi_bvalid(s_axi_bvalid), .s_axi_bready(s_axi_bready),
        .s_axi_araddr(s_axi_araddr), .s_axi_arvalid(s_axi_arvalid), .s_axi_arready(s_axi_arready),
        .s_axi_rdata(s_axi_rdata), .s_axi_rresp(s_axi_rresp),
        .s_axi_rvalid(s_axi_rvalid), .s_axi_rready(s_axi_rready),
        .interrupt(interrupt), .core_rst(core_rst),
        .m_command_valid(submit_valid), .m_command_ready(submit_ready),
        .m_command_data(submit_data), .command_level(command_level),
        .s_status_valid(oldest_valid), .s_status_ready(oldest_ready),
        .s_status_data(oldest_data), .status_level(status_level),
        .arrived(status_valid & status_ready),
        .arrived_causes(status_data[`PASA_STATUS_CAUSES]));

    pasa_fifo #(.WIDTH(`PASA_COMMAND_BITS), .DEPTH(`PASA_COMMAND_DEPTH)) commands (
        .clk(aclk), .rst(core_rst),
        .s_valid(submit_valid), .s_ready(submit_ready), .s_data(submit_data),
        .m_valid(command_valid), .m_ready(command_ready), .m_data(command_data),
        .level(command_level));

    pasa_fifo #(.WIDTH(`PASA_STATUS_BITS), .DEPTH(`PASA_STATUS_DEPTH)) statuses (
        .clk(aclk), .rst(core_rst),
        .s_valid(status_valid), .s_ready(status_ready), .s_data(status_data),
        .m_valid(oldest_valid), .m_ready(oldest_ready), .m_data(oldest_data),
        .level(status_level));

    // ---- streams --------------------------------------------------------------------------------
    wire         query_valid, query_ready, query_last, query_broken;
    wire         key_valid, key_ready, key_last, key_broken;
    wire         value_valid, value_ready, value_last, value_broken;
    wire         output_valid, output_ready, output_last;
    wire [127:0] query_data, key_data, value_data, output_data;
    pasa_stream_in #(.STREAM_BITS(STREAM_BITS)) query_in (
        .clk(aclk), .rst(core_rst),
        .s_axis_tdata(s_axis_query_tdata), .s_axis_tkeep(s_axis_query_tkeep),
        .s_axis_tvalid(s_axis_query_tvalid), .s_axis_tready(s_axis_query_tready),
        .s_axis_tlast(s_axis_query_tlast),
        .m_valid(query_valid), .m_ready(query_ready), .m_data(query_data),
        .m_last(query_last), .m_broken(query_broken));
    pasa_stream_in #(.STREAM_BITS(STREAM_BITS)) key_in (
        .clk(aclk), .rst(core_rst),
        .s_axis_tdata(s_axis_key_tdata), .s_axis_tkeep(s_axis_key_tkeep),
        .s_axis_tvalid(s_axis_key_tvalid), .s_axis_tready(s_axis_key_tready),
        .s_axis_tlast(s_axis_key_tlast),
        .m_valid(key_valid), .m_ready(key_ready), .m_data(key_data),
        .m_last(key_last), .m_broken(key_broken));
    pasa_stream_in #(.STREAM_BITS(STREAM_BITS)) value_in (
        .clk(aclk), .rst(core_rst),
        .s_axis_tdata(s_axis_value_tdata), .s_axis_tkeep(s_axis_value_tkeep),
        .s_axis_tvalid(s_axis_value_tvalid), .s_axis_tready(s_axis_value_tready),
        .s_axis_tlast(s_axis_value_tlast),
        .m_valid(value_valid), .m_ready(value_ready), .m_data(value_data),
        .m_last(value_last), .m_broken(value_broken));
    pasa_stream_out #(.STREAM_BITS(STREAM_BITS)) output_out (
        .clk(aclk), .rst(core_rst),
        .s_valid(output_valid), .s_ready(output_ready),
        .s_data(output_data), .s_last(output_last),
        .m_axis_tdata(m_axis_output_tdata), .m_axis_tkeep(m_axis_output_tkeep),
        .m_axis_tvalid(m_axis_output_tvalid), .m_axis_tready(m_axis_output_tready),
        .m_axis_tlast(m_axis_output_tlast));

    // ---- the accelerator ------------------------------------------------------------------------
    pasa_core #(
        .ROWS(ROWS), .PRED_KEYS(PRED_KEYS), .HEAD_DIM(HEAD_DIM), .TILE_KEYS(TILE_KEYS),
        .PRED_BITS(PRED_BITS), .BLOCK_KEYS(BLOCK_KEYS), .MERGE_ROWS(MERGE_ROWS),
        .OUTPUT_ROWS(OUTPUT_ROWS)
    ) core (
        .clk(aclk), .rst(core_rst),
        .s_command_valid(command_valid), .s_command_ready(command_ready),
        .s_command_data(command_data),
        .s_query_valid(query_valid), .s_query_ready(query_ready), .s_query_data(query_data),
        .s_query_last(query_last), .s_query_broken(query_broken),
        .s_key_valid(key_valid), .s_key_ready(key_ready), .s_key_data(key_data),
        .s_key_last(key_last), .s_key_broken(key_broken),
        .s_value_valid(value_valid), .s_value_ready(value_ready), .s_value_data(value_data),
        .s_value_last(value_last), .s_value_broken(value_broken),
        .m_output_valid(output_valid), .m_output_ready(output_ready),
        .m_output_data(output_data), .m_output_last(output_last),
        .m_status_valid(status_valid), .m_status_ready(status_ready),
        .m_status_data(status_data));
endmodule
`default_nettype wire
