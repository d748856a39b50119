// SPDX-License-Identifier: Apache-2.0
//
// pasa_merge - adds what the tiles before gave a row to what this tile gives
//
// Why      Keys beyond a tile come with the next command. Until then the row's
//          sums wait here, and meet those of the next tile by a shift, since
//          both are relative to an integer exponent.
// Contract * a group of 16 dimensions of a row enters a clock; a row's groups in a
//            row. in_*, but for in_accumulator, are given at clock 0,
//            in_accumulator at 8; out_total comes at 9, out_accumulator at 13
//          * in_previous: the row goes on; else the sums pass as they are
//          * in_next: the row will go on. It is kept under in_row, out_valid stays
//            low, and row_kept pulses when its last group has been kept
//          * row_done tells, with its number, that a row with in_previous or in_next has been
//            read and kept as it wants: the next one of that number may come
//          * the sums with the lower exponent are shifted down, the total rounded
//            up, the accumulators down; a total that would reach 2^TOTAL_BITS is
//            halved, with its accumulators
//          * golden: merging.merge_sums
// Formats  total UQ.23, accumulator SQ.23, exponent in octaves, signed
// Cost     about 16*ACC_BITS*8 LUT; MERGE_ROWS*HEAD_DIM*ACC_BITS bits of RAM
// Checked  make unit M=pasa_merge

`include "pasa_formats.vh"
`default_nettype none
module pasa_merge #(
    parameter HEAD_DIM    = 64,
    parameter TILE_KEYS   = 2048,
    parameter MERGE_ROWS  = 256,
    // Derived; leave as they are.
    parameter GROUPS      = HEAD_DIM / 16,
    parameter GROUP_BITS  = GROUPS > 1 ? $clog2(GROUPS) : 1,
    parameter MERGE_BITS  = MERGE_ROWS > 1 ? $clog2(MERGE_ROWS) : 1,
    parameter TOTAL_BITS  = `PASA_WEIGHT_BITS + $clog2(TILE_KEYS),
    parameter ACC_BITS    = TOTAL_BITS + 8
) (
    input  wire                            clk,
    input  wire                            rst,       // synchronous, active high

    input  wire                            in_valid,
    input  wire                            in_previous,
    input  wire                            in_next,
    input  wire [MERGE_BITS-1:0]           in_row,
    input  wire [GROUP_BITS-1:0]           in_group,
    input  wire                            in_last,   // group of its row
    input  wire [TOTAL_BITS-1:0]           in_total,
    input  wire [`PASA_REFERENCE_BITS-1:0] in_reference,
    input  wire [16*ACC_BITS-1:0]          in_accumulator,

    output wire                            out_valid, // with out_total
    output reg  [TOTAL_BITS-1:0]           out_total,
    output reg  [16*ACC_BITS-1:0]          out_accumulator,
    output reg                             row_kept,
    output reg                             row_done,
    output reg  [MERGE_BITS-1:0]           row_done_row
);
    localparam REFERENCE   = `PASA_REFERENCE_BITS;
    localparam SHIFT_LIMIT = 63;
    localparam TOTAL_AT    = 9;
    localparam SUMS_AT     = 13;

    generate if (MERGE_ROWS < 1 || (MERGE_ROWS & (MERGE_ROWS - 1)) != 0) begin : g_check_rows
        pasa_merge_ERROR_MERGE_ROWS_must_be_a_power_of_two bad ();
    end endgenerate

    // ---- what goes along ----------------------------------------------------------------
    localparam PLACE = MERGE_BITS + GROUP_BITS + 1;
    reg [SUMS_AT:1] valid, keeps, continues;            // one bit a clock
    always @(posedge clk) begin
        valid <= rst ? {SUMS_AT{1'b0}} : {valid[SUMS_AT-1:1], in_valid};
        keeps <= {keeps[SUMS_AT-1:1], in_next};
        continues <= {continues[SUMS_AT-1:1], in_previous};
    end
    assign out_valid = valid[TOTAL_AT] & !keeps[TOTAL_AT];
    wire [PLACE-1:0] place_6, place_9, place_13;
    pasa_delay #(.WIDTH(PLACE), .CLOCKS(6)) place_early (
        .clk(clk), .in({in_row, in_group, in_last}), .out(place_6));
    pasa_delay #(.WIDTH(PLACE), .CLOCKS(3)) place_middle (
        .clk(clk), .in(place_6), .out(place_9));
    pasa_delay #(.WIDTH(PLACE), .CLOCKS(4)) place_late (
        .clk(clk), .in(place_9), .out(place_13));

    // ---- totals: clocks 1 to 9 ------------------------------------------------------------
    wire [TOTAL_BITS-1:0] kept_total;
    wire [REFERENCE-1:0]  kept_reference;
    reg  [REFERENCE-1:0]  reference_9;
    pasa_ram #(.WIDTH(TOTAL_BITS + REFERENCE), .DEPTH(MERGE_ROWS)) totals (
        .clk(clk),
        .write_enable(valid[TOTAL_AT] & keeps[TOTAL_AT]),
        .write_address(place_9[PLACE-1 -: MERGE_BITS]), .write_data({out_total, reference_9}),
        .read_enable(in_valid), .read_address(in_row),
        .read_data({kept_total, kept_reference}));

    // 1: wait for the RAM. 2: operands. 3: both differences. 4: who leads, and the distance.
    reg                   previous_1, tile_leads_4, rest_none_5;
    reg  [TOTAL_BITS-1:0] total_1, total_2, before_2;
    reg  [REFERENCE-1:0]  reference_1, reference_2, before_reference_2;
    reg  [REFERENCE:0]    above_3, below_3;             // tile - before, before - tile
    reg                   tile_none_3, before_none_3, before_none_4;
    reg  [5:0]            distance_4;
    wire [REFERENCE:0]    magnitude = above_3[REFERENCE] ? below_3 : above_3;
    always @(posedge clk) begin
        previous_1  <= in_previous;
        total_1     <= in_total;
        reference_1 <= in_reference;

        total_2            <= total_1;
        reference_2        <= reference_1;
        before_2           <= kept_total & {TOTAL_BITS{previous_1}};
        before_reference_2 <= kept_reference & {REFERENCE{previous_1}};

        above_3 <= {reference_2[REFERENCE-1], reference_2}
                 - {before_reference_2[REFERENCE-1], before_reference_2};
        below_3 <= {before_reference_2[REFERENCE-1], before_reference_2}
                 - {reference_2[REFERENCE-1], reference_2};
        tile_none_3   <= total_2 == {TOTAL_BITS{1'b0}};
        before_none_3 <= before_2 == {TOTAL_BITS{1'b0}};

        tile_leads_4  <= !tile_none_3 & (before_none_3 | !above_3[REFERENCE]);
        before_none_4 <= before_none_3;
        distance_4    <= |magnitude[REFERENCE:6] ? SHIFT_LIMIT[5:0] : magnitude[5:0];
    end

    // 5: lead and rest; the rest less 1, so that its shift rounds up when 1 is added.
    wire [TOTAL_BITS-1:0] total_4, before_4;
    wire [REFERENCE-1:0]  tile_reference_4, before_reference_4;
    pasa_delay #(.WIDTH(2*TOTAL_BITS + 2*REFERENCE), .CLOCKS(2)) operands (
        .clk(clk), .in({total_2, before_2, reference_2, before_reference_2}),
        .out({total_4, before_4, tile_reference_4, before_reference_4}));
    reg  [TOTAL_BITS-1:0] lead_5, rest_5, lead_6, rest_6, lead_7, rest_7;
    reg  [REFERENCE-1:0]  lead_reference_5;
    reg  [5:0]            distance_5;
    reg  [2:0]            distance_6;
    reg                   rest_none_6, rest_none_7;
    reg  [TOTAL_BITS:0]   sum_8;
    wire [TOTAL_BITS-1:0] rest_4 = tile_leads_4 ? before_4 : total_4;
    wire [REFERENCE-1:0]  lead_reference_8;
    pasa_delay #(.WIDTH(REFERENCE), .CLOCKS(3)) lead_reference (
        .clk(clk), .in(lead_reference_5), .out(lead_reference_8));
    always @(posedge clk) begin
        lead_5           <= tile_leads_4 ? total_4 : before_4;
        rest_5           <= rest_4 - 1'b1;
        rest_none_5      <= rest_4 == {TOTAL_BITS{1'b0}};
        lead_reference_5 <= tile_leads_4 ? tile_reference_4 : before_reference_4;
        distance_5       <= distance_4;

        lead_6      <= lead_5;                          // 6 and 7: shift by eights and by ones
        rest_6      <= rest_5 >> {distance_5[5:3], 3'd0};
        rest_none_6 <= rest_none_5;
        distance_6  <= distance_5[2:0];
        lead_7      <= lead_6;
        rest_7      <= rest_none_6 ? {TOTAL_BITS{1'b0}} : rest_6 >> distance_6;
        rest_none_7 <= rest_none_6;

        sum_8 <= {1'b0, lead_7} + {1'b0, rest_7} + {{TOTAL_BITS{1'b0}}, !rest_none_7};

        out_total   <= sum_8[TOTAL_BITS] ? sum_8[TOTAL_BITS:1] + {{TOTAL_BITS-1{1'b0}}, sum_8[0]}
                                         : sum_8[TOTAL_BITS-1:0];
        reference_9 <= lead_reference_8 + {{REFERENCE-1{1'b0}}, sum_8[TOTAL_BITS]};
    end

    // ---- accumulators: clocks 6 to 13 -----------------------------------------------------
    localparam DEPTH = GROUPS << MERGE_BITS;
    wire [MERGE_BITS+GROUP_BITS-1:0] read_place  = place_6[PLACE-1:1];
    wire [MERGE_BITS+GROUP_BITS-1:0] write_place = place_13[PLACE-1:1];
    localparam ADDRESS_BITS = $clog2(DEPTH);
    wire [ADDRESS_BITS-1:0] read_address, write_address;
    generate if (GROUPS > 1) begin : g_address
        assign read_address  = read_place;
        assign write_address = write_place;
    end else begin : g_row_address                      // the one group needs no bit
        assign read_address  = read_place[GROUP_BITS +: MERGE_BITS];
        assign write_address = write_place[GROUP_BITS +: MERGE_BITS];
        wire unused = &{1'b0, read_place[0], write_place[0]};
    end endgenerate
    wire [16*ACC_BITS-1:0] kept_7;
    reg  [16*ACC_BITS-1:0] kept_8;
    pasa_ram #(.WIDTH(16 * ACC_BITS), .DEPTH(DEPTH)) accumulators (
        .clk(clk),
        .write_enable(valid[SUMS_AT] & keeps[SUMS_AT]), .write_address(write_address),
        .write_data(out_accumulator),
        .read_enable(valid[6]), .read_address(read_address), .read_data(kept_7));
    always @(posedge clk) kept_8 <= kept_7;

    wire       tile_leads_8, before_none_8, halve_12;
    wire [2:0] coarse_9, fine_10;
    pasa_delay #(.WIDTH(2), .CLOCKS(4)) lead_wait (
        .clk(clk), .in({tile_leads_4, before_none_4}), .out({tile_leads_8, before_none_8}));
    pasa_delay #(.WIDTH(3), .CLOCKS(5)) coarse_wait (
        .clk(clk), .in(distance_4[5:3]), .out(coarse_9));
    pasa_delay #(.WIDTH(3), .CLOCKS(6)) fine_wait (
        .clk(clk), .in(distance_4[2:0]), .out(fine_10));
    pasa_delay #(.WIDTH(1), .CLOCKS(4)) halve_wait (
        .clk(clk), .in(sum_8[TOTAL_BITS]), .out(halve_12));
    genvar i;
    generate for (i = 0; i < 16; i = i + 1) begin : g_dim
        wire signed [ACC_BITS-1:0] tile    = in_accumulator[i*ACC_BITS +: ACC_BITS];
        wire signed [ACC_BITS-1:0] earlier = before_none_8 ? {ACC_BITS{1'b0}}
                                                           : kept_8[i*ACC_BITS +: ACC_BITS];
        reg signed [ACC_BITS-1:0] lead_9, lead_10, lead_11, rest_9, rest_10, rest_11;
        reg [ACC_BITS:0]          sum_12;
        always @(posedge clk) begin
            lead_9  <= tile_leads_8 ? tile : earlier;
            rest_9  <= tile_leads_8 ? earlier : tile;
            lead_10 <= lead_9;
            rest_10 <= rest_9 >>> {coarse_9, 3'd0};
            lead_11 <= lead_10;
            rest_11 <= rest_10 >>> fine_10;
            sum_12  <= {lead_11[ACC_BITS-1], lead_11} + {rest_11[ACC_BITS-1], rest_11};
            out_accumulator[i*ACC_BITS +: ACC_BITS] <= halve_12 ? sum_12[ACC_BITS:1]
                                                                : sum_12[ACC_BITS-1:0];
        end
    end endgenerate

    wire row_ends = valid[SUMS_AT] & place_13[0] & !rst;
    always @(posedge clk) begin
        row_kept     <= row_ends & keeps[SUMS_AT];
        row_done     <= row_ends & (keeps[SUMS_AT] | continues[SUMS_AT]);
        row_done_row <= place_13[PLACE-1 -: MERGE_BITS];
    end
endmodule
`default_nettype wire
