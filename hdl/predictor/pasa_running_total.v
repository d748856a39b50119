// SPDX-License-Identifier: Apache-2.0
//
// pasa_running_total - a row's predicted sum over this tile and those before
//
// Why      Where a row has more keys than a tile, lambda is measured against
//          all keys seen so far. Two sums meet by a shift, since each is
//          relative to an integer exponent.
// Contract * exponent, empty (the tile shows the row no key), before_exponent
//            and before_total (0: nothing before) are given at clock 0, total
//            at 6 + TREE
//          * running and running_exponent come at 9 + TREE; lift, by how many
//            octaves running_exponent lies above exponent, at 11 + TREE
//          * saturates; a shift beyond RISE_MAX is RISE_MAX; one row a clock
//          * golden: merging.running_total
// Cost     about 450 LUT
// Checked  make unit M=pasa_running_total

`default_nettype none
`include "pasa_formats.vh"
module pasa_running_total #(
    parameter TOTAL_BITS = 26,       // of the tile's sum
    parameter TREE       = 3
) (
    input  wire                          clk,
    input  wire [`PASA_PREDICTED_BITS-`PASA_PREDICTED_FRACTION:0] exponent,
    input  wire                          empty,
    input  wire [`PASA_PREDICTED_BITS-`PASA_PREDICTED_FRACTION:0] before_exponent,
    input  wire [`PASA_RUNNING_BITS-1:0] before_total,   // UQ18.14
    input  wire [TOTAL_BITS-1:0]         total,          // UQ.14
    output reg  [`PASA_RUNNING_BITS-1:0] running,        // UQ18.14
    output wire [`PASA_PREDICTED_BITS-`PASA_PREDICTED_FRACTION:0] running_exponent,
    output wire [4:0]                    lift
);
    localparam E = `PASA_PREDICTED_BITS - `PASA_PREDICTED_FRACTION + 1;
    localparam R = `PASA_RUNNING_BITS;
    localparam [E-1:0] RISE_MAX = `PASA_RISE_MAX;

    generate if (TOTAL_BITS > R) begin : g_check
        pasa_running_total_ERROR_TOTAL_BITS_must_be_at_most_RUNNING_BITS bad ();
    end endgenerate

    // Clock 1: both differences, to have the magnitude without a third add.
    reg [E:0]   rise_1;
    reg [E-1:0] fall_1;                                  // taken where it is positive
    reg         empty_1, seen_1;
    reg [E-1:0] exponent_1, before_exponent_1;
    reg [R-1:0] before_1;
    always @(posedge clk) begin
        rise_1  <= {before_exponent[E-1], before_exponent} - {exponent[E-1], exponent};
        fall_1  <= exponent - before_exponent;
        empty_1 <= empty;
        seen_1  <= |before_total;
        exponent_1        <= exponent;
        before_exponent_1 <= before_exponent;
        before_1          <= before_total;
    end

    // Clock 2: who leads, and how far the other is shifted.
    wire rises = seen_1 & !rise_1[E] & |rise_1;
    wire falls = seen_1 & rise_1[E] & !empty_1;
    reg [4:0]   down_2, down_before_2;
    reg [E-1:0] exponent_2;
    reg [R-1:0] before_2;
    always @(posedge clk) begin
        down_2        <= !rises ? 5'd0 : rise_1[E-1:0] > RISE_MAX ? 5'd31 : rise_1[4:0];
        down_before_2 <= !falls ? 5'd0 : fall_1 > RISE_MAX ? 5'd31 : fall_1[4:0];
        exponent_2    <= (rises | empty_1) ? before_exponent_1 : exponent_1;
        before_2      <= before_1;
    end

    // Clock 3: the earlier sum, then wait for the tile's.
    reg  [R-1:0] before_3;
    wire [R-1:0] before_late;                            // at 7 + TREE
    wire [4:0]   down_late;                              // at 6 + TREE
    always @(posedge clk) before_3 <= before_2 >> down_before_2;
    pasa_delay #(.WIDTH(R), .CLOCKS(4 + TREE)) before_wait (
        .clk(clk), .in(before_3), .out(before_late)
    );
    pasa_delay #(.WIDTH(5), .CLOCKS(4 + TREE)) down_wait (
        .clk(clk), .in(down_2), .out(down_late)
    );
    pasa_delay #(.WIDTH(5), .CLOCKS(5)) lift_wait (.clk(clk), .in(down_late), .out(lift));
    pasa_delay #(.WIDTH(E), .CLOCKS(7 + TREE)) exponent_wait (
        .clk(clk), .in(exponent_2), .out(running_exponent)
    );

    // Clocks 7 to 9 + TREE.
    reg [TOTAL_BITS-1:0] lowered;
    reg [R:0]            sum;
    always @(posedge clk) begin
        lowered <= total >> down_late;
        sum     <= {{(R+1-TOTAL_BITS){1'b0}}, lowered} + {1'b0, before_late};
        running <= sum[R] ? {R{1'b1}} : sum[R-1:0];
    end
endmodule
`default_nettype wire
