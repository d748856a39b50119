// SPDX-License-Identifier: Apache-2.0
//
// pasa_dispatch - gives the next row to a lane that is free
//
// Why      Rows keep very different numbers of keys; a lane takes the next row when it is nearly
//          done with its last one, so that a long row delays nobody else.
// Contract * rows leave the ring in order, each to the lowest free lane
//          * a row is given out only when the output buffer has a place for it: at most
//            OUTPUT_ROWS rows are between here and the output stream
//          * a row that goes on in the next command (row_opens low) needs no such place
//          * a row that goes on, or will (row_merges), waits until the one of the same number of
//            the command before has been merged (merge_done)
//          * assign_merge_row counts the rows of a command
//          * assign_lane names the lane for one clock, with the row and its query beside it,
//            one clock after row_take
// Cost     about 100 flip-flops
// Checked  make unit M=pasa_dispatch

`default_nettype none
module pasa_dispatch #(
    parameter ROWS        = 4,
    parameter OUTPUT_ROWS = 32,
    parameter ROW_WIDTH   = 64,                       // bits of a row's descriptor
    parameter MERGE_ROWS  = 256,                      // rows kept between commands
    // derived, not to be set
    parameter OUTPUT_BITS = $clog2(OUTPUT_ROWS),
    parameter MERGE_BITS  = MERGE_ROWS > 1 ? $clog2(MERGE_ROWS) : 1
) (
    input  wire                   clk,
    input  wire                   rst,

    input  wire                   row_valid,          // from the ring
    output wire                   row_take,
    input  wire                   row_opens,          // it will leave by the output buffer
    input  wire                   row_merges,
    input  wire                   row_last,           // of its command
    input  wire [ROW_WIDTH-1:0]   row_descriptor,

    input  wire [ROWS-1:0]        lane_ready,         // to the lanes
    output reg  [ROWS-1:0]        assign_lane,
    output reg  [ROW_WIDTH-1:0]   assign_descriptor,
    output reg  [OUTPUT_BITS-1:0] assign_output_row,
    output reg  [MERGE_BITS-1:0]  assign_merge_row,

    input  wire                   open_ready,         // output buffer: rows in order
    output wire                   open_valid,         // in the clock of row_take
    input  wire                   row_freed,          // a row has left the output buffer
    input  wire                   merge_done,
    input  wire [MERGE_BITS-1:0]  merge_done_row
);
    reg  [OUTPUT_BITS-1:0] output_row;
    reg  [OUTPUT_BITS:0]   places;                    // free in the output buffer
    reg  [MERGE_BITS-1:0]  merge_row;

    // Rows between here and pasa_merge, by number. The look at one takes a clock, so such rows
    // leave at most every other clock.
    reg  [MERGE_ROWS-1:0] merging;
    reg                   merge_free;
    integer               r;
    always @(posedge clk) begin
        merge_free <= !merging[merge_row] & !row_take;
        for (r = 0; r < MERGE_ROWS; r = r + 1) begin
            if (row_take & row_merges & (merge_row == r[MERGE_BITS-1:0])) merging[r] <= 1'b1;
            if (merge_done & (merge_done_row == r[MERGE_BITS-1:0]))       merging[r] <= 1'b0;
        end
        if (rst) begin
            merging    <= {MERGE_ROWS{1'b0}};
            merge_free <= 1'b0;
        end
    end

    // A lane given a row in this clock shows that in lane_ready only in the next.
    wire [ROWS-1:0] free   = lane_ready & ~assign_lane;
    wire [ROWS-1:0] chosen = free & (~free + 1'b1);   // the lowest
    assign row_take   = row_valid & (free != 0) & (!row_opens | ((places != 0) & open_ready))
                      & (!row_merges | merge_free);
    assign open_valid = row_take & row_opens;

    always @(posedge clk) begin
        assign_lane       <= row_take ? chosen : {ROWS{1'b0}};
        assign_descriptor <= row_descriptor;
        assign_output_row <= output_row;
        assign_merge_row  <= merge_row;
        if (row_take) merge_row <= row_last ? {MERGE_BITS{1'b0}} : merge_row + 1'b1;
        output_row        <= output_row + {{OUTPUT_BITS-1{1'b0}}, open_valid};
        places <= places + {{OUTPUT_BITS{1'b0}}, row_freed} - {{OUTPUT_BITS{1'b0}}, open_valid};
        if (rst) begin
            assign_lane <= {ROWS{1'b0}};
            output_row  <= {OUTPUT_BITS{1'b0}};
            merge_row   <= {MERGE_BITS{1'b0}};
            places      <= OUTPUT_ROWS[OUTPUT_BITS:0];
        end
    end
endmodule
`default_nettype wire
