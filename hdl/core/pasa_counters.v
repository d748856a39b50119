// SPDX-License-Identifier: Apache-2.0
//
// pasa_counters - what happened during each command, for its status record
//
// Why      Software derives keep ratio, utilisation and energy events from these counts, and sees
//          clipped codes and rows that could see no key.
// Contract * a slot's counters restart at clear_valid and stand still once its command is done
//          * status is the record of formats.STATUS_FIELDS, valid from report_valid, held until taken
//          * counters wrap silently after 2^32
// Cost     eight 32-bit counters a slot
// Checked  make unit M=pasa_counters

`default_nettype none
`include "pasa_formats.vh"
module pasa_counters #(
    parameter ROWS      = 4,
    parameter SLOTS     = 2,                 // commands under way
    parameter TILE_KEYS = 2048,
    // derived, not to be set
    parameter SUM_BITS  = $clog2(TILE_KEYS) + 1 + $clog2(ROWS),   // keys of a row-block
    parameter MASS_BITS = `PASA_PREDICTED_WEIGHT_FRACTION + 1 + $clog2(ROWS),
    parameter ROWS_BITS = $clog2(ROWS) + 1,
    parameter SLOT_BITS = $clog2(SLOTS)
) (
    input  wire                         clk,
    input  wire                         rst,
    input  wire                         clear_valid,
    input  wire [SLOT_BITS-1:0]         clear_slot,

    input  wire                         rows_valid,     // a row-block was selected
    input  wire [SLOT_BITS-1:0]         rows_slot,
    input  wire [ROWS-1:0]              rows_present,
    input  wire [ROWS_BITS-1:0]         rows_empty_sum,
    input  wire [SUM_BITS-1:0]          rows_visible_sum,
    input  wire [SUM_BITS-1:0]          rows_kept_sum,
    input  wire [SUM_BITS-1:0]          rows_blocks_sum,
    input  wire [MASS_BITS-1:0]         rows_dropped_sum,
    input  wire                         saturation_valid,
    input  wire [SLOT_BITS-1:0]         saturation_slot,
    input  wire [4:0]                   saturation_count,
    input  wire [SLOTS-1:0]             running,
    input  wire                         loading,
    input  wire [SLOT_BITS-1:0]         load_slot,
    input  wire                         output_stalled, // an output beat waits
    input  wire [SLOT_BITS-1:0]         output_slot,

    input  wire [SLOT_BITS-1:0]         report_slot,
    input  wire                         report_valid,
    output wire                         report_ready,
    input  wire [15:0]                  report_tag,
    input  wire [7:0]                   report_causes,
    output reg                          m_status_valid,
    input  wire                         m_status_ready,
    output reg  [`PASA_STATUS_BITS-1:0] m_status_data
);
    integer i;
    reg [ROWS_BITS-1:0] present;
    always @* begin
        present = {ROWS_BITS{1'b0}};
        for (i = 0; i < ROWS; i = i + 1)
            present = present + {{ROWS_BITS-1{1'b0}}, rows_present[i]};
    end

    // From the field after causes: reserved, rows, ..., stall_out.
    localparam COUNTED = `PASA_STATUS_BITS - 24;
    wire [COUNTED-1:0] counted [0:SLOTS-1];
    genvar s;
    generate
        for (s = 0; s < SLOTS; s = s + 1) begin : g_slot
            localparam [SLOT_BITS-1:0] HERE = s;
            reg [15:0] rows, empty_rows;
            reg [31:0] saturations, keys_visible, keys_kept, blocks, dropped_mass;
            reg [31:0] cycles, stall_in, stall_out;
            wire selected = rows_valid & (rows_slot == HERE);
            always @(posedge clk) begin
                if (selected) begin
                    rows         <= rows + {{16-ROWS_BITS{1'b0}}, present};
                    empty_rows   <= empty_rows + {{16-ROWS_BITS{1'b0}}, rows_empty_sum};
                    keys_visible <= keys_visible + {{32-SUM_BITS{1'b0}}, rows_visible_sum};
                    keys_kept    <= keys_kept + {{32-SUM_BITS{1'b0}}, rows_kept_sum};
                    blocks       <= blocks + {{32-SUM_BITS{1'b0}}, rows_blocks_sum};
                    dropped_mass <= dropped_mass + {{32-MASS_BITS{1'b0}}, rows_dropped_sum};
                end
                if (saturation_valid & (saturation_slot == HERE))
                    saturations <= saturations + {27'd0, saturation_count};
                cycles    <= cycles + {31'd0, running[s]};
                stall_in  <= stall_in + {31'd0, loading & (load_slot == HERE) & (running == {SLOTS{1'b0}})};
                stall_out <= stall_out + {31'd0, running[s] & output_stalled & (output_slot == HERE)};
                if (rst | (clear_valid & (clear_slot == HERE))) begin
                    {rows, empty_rows}                                           <= 32'd0;
                    {saturations, keys_visible, keys_kept, blocks, dropped_mass} <= 160'd0;
                    {cycles, stall_in, stall_out}                                <= 96'd0;
                end
            end
            assign counted[s] = {stall_out, stall_in, cycles, dropped_mass, blocks, keys_kept,
                                 keys_visible, saturations, empty_rows, rows, 8'd0};
        end
    endgenerate

    assign report_ready = !m_status_valid | m_status_ready;
    always @(posedge clk) begin
        if (report_ready) begin
            m_status_valid <= report_valid;
            m_status_data  <= {counted[report_slot], report_causes, report_tag};
        end
        if (rst) m_status_valid <= 1'b0;
    end
endmodule
`default_nettype wire
