// SPDX-License-Identifier: Apache-2.0
//
// pasa_delay - a bundle of signals, a fixed number of clocks later
//
// Why      Keeps side information in step with a pipeline.
// Contract * out = in, CLOCKS clocks ago (CLOCKS may be 0)
//          * no reset, so that it maps to shift-register LUTs: a valid bit elsewhere says which
//            words count
// Cost     WIDTH shift registers of CLOCKS bits (one LUT each up to 32 clocks)
// Checked  make unit M=pasa_delay

`default_nettype none
module pasa_delay #(
    parameter WIDTH  = 1,               // at least 1
    parameter CLOCKS = 1                // at least 0
) (
    // verilator lint_off UNUSEDSIGNAL  // nothing is clocked when CLOCKS is 0
    input  wire             clk,
    // verilator lint_on UNUSEDSIGNAL
    input  wire [WIDTH-1:0] in,
    output wire [WIDTH-1:0] out
);
    genvar i;
    generate
        if (CLOCKS == 0) begin : g_wire
            assign out = in;
        end else begin : g_shift
            reg [WIDTH-1:0] stage [0:CLOCKS-1];
            for (i = 0; i < CLOCKS; i = i + 1) begin : g_stage
                wire [WIDTH-1:0] from;
                if (i == 0) begin : g_first
                    assign from = in;
                end else begin : g_next
                    assign from = stage[i-1];
                end
                always @(posedge clk) stage[i] <= from;
            end
            assign out = stage[CLOCKS-1];
        end
    endgenerate
endmodule
`default_nettype wire
