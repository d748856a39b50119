// SPDX-License-Identifier: Apache-2.0
//
// wire_stream - a stream passed on by wires, so that a bench can break its rules
//
// Why      The stream monitor must see a broken rule on the m side.

`default_nettype none
module wire_stream (
    input  wire       clk,
    input  wire       rst,
    input  wire       s_valid,
    input  wire [7:0] s_data,
    output wire       m_valid,
    input  wire       m_ready,
    output wire [7:0] m_data
);
    assign m_valid = s_valid;
    assign m_data  = s_data;
endmodule
`default_nettype wire
