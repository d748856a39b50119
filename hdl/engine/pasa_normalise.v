// SPDX-License-Identifier: Apache-2.0
//
// pasa_normalise - divides finished rows by their weights and writes output codes
//
// Why      A row is normalised once, and takes far longer to sum up than to
//          normalise: so the lanes share one normaliser, 16 dimensions a clock.
// Contract * lanes with a finished row are served in turn (round robin)
//          * lane_valid[l] and all that belongs to the row hold still until
//            lane_ready[l], one clock long: in that clock the row's last group is
//            captured and the lane may replace it
//          * a row of d dimensions takes ceil(d/16) groups, one a clock; rows follow
//            each other without an idle clock when two or more lanes have rows
//          * write_*: group `write_group` of the row at place `write_row`, 16 codes
//            sign-extended to 16 bits; write_done with its last group
//          * golden functions Integer.average, reciprocal, factor, output; a row
//            whose total is 0 gives zeros. Dimensions beyond d must be 0 in the
//            accumulator: they give 0 and never saturate
//          * saturation_count: codes clipped in the group written 2 clocks before
//          * the fields of a slot hold still while one of its rows is here
//          * a row goes on where the command before left it, and is kept for the
//            command after, as slot_previous and slot_next say (pasa_merge)
//          * an idle normaliser captures a row's first group in the tenth clock of
//            lane_valid; each group is written 18 clocks after its capture
//          * reset clears valid bits only
// Width    factor = reciprocal * multiplier >> 16 <= 2^17 * (2^16 - 1) / 2^16
// Cost     18 DSP48E1; group and lane multiplexers, 16 align and 16 round shifters
// Checked  make unit M=pasa_normalise

`include "pasa_formats.vh"
`default_nettype none
module pasa_normalise #(
    parameter ROWS        = 4,       // lanes, a power of two
    parameter HEAD_DIM    = 64,
    parameter TILE_KEYS   = 2048,
    parameter OUTPUT_ROWS = 32,      // places of the output buffer
    parameter MERGE_ROWS  = 256,     // rows kept between commands
    parameter SLOTS       = 2,       // commands under way
    // Derived; leave as they are.
    parameter GROUPS      = HEAD_DIM / 16,
    parameter GROUP_BITS  = GROUPS > 1 ? $clog2(GROUPS) : 1,
    parameter DIMS_BITS   = $clog2(HEAD_DIM) + 1,
    parameter OUTPUT_BITS = $clog2(OUTPUT_ROWS),
    parameter SLOT_BITS   = $clog2(SLOTS),
    parameter MERGE_BITS  = MERGE_ROWS > 1 ? $clog2(MERGE_ROWS) : 1,
    parameter TOTAL_BITS  = `PASA_WEIGHT_BITS + $clog2(TILE_KEYS),
    parameter ACC_BITS    = TOTAL_BITS + 8
) (
    input  wire                                       clk,
    input  wire                                       rst,    // synchronous, active high

    // Fields of the commands that may be running; slot 0 is low.
    input  wire [SLOTS*DIMS_BITS-1:0]                 slot_dims,
    input  wire [SLOTS*`PASA_OUTPUT_MULTIPLIER_BITS-1:0] slot_multiplier,
    input  wire [SLOTS*`PASA_SHIFT_BITS-1:0]          slot_shift,
    input  wire [SLOTS-1:0]                           slot_int16,
    input  wire [SLOTS-1:0]                           slot_previous,
    input  wire [SLOTS-1:0]                           slot_next,

    // Finished rows; lane l at [l*W +: W].
    input  wire [ROWS-1:0]                            lane_valid,
    output wire [ROWS-1:0]                            lane_ready,
    input  wire [ROWS*HEAD_DIM*ACC_BITS-1:0]          lane_accumulator, // signed
    input  wire [ROWS*TOTAL_BITS-1:0]                 lane_total,
    input  wire [ROWS*`PASA_REFERENCE_BITS-1:0]       lane_reference,   // of its sums
    input  wire [ROWS*OUTPUT_BITS-1:0]                lane_output_row,
    input  wire [ROWS*MERGE_BITS-1:0]                 lane_merge_row,
    input  wire [ROWS*SLOT_BITS-1:0]                  lane_slot,

    // To the output buffer.
    output wire                                       write_valid,
    output wire [OUTPUT_BITS-1:0]                     write_row,
    output wire [GROUP_BITS-1:0]                      write_group,
    output wire [16*16-1:0]                           write_data,
    output wire                                       write_done,

    output wire                                       row_kept, // for the next command
    output wire [SLOT_BITS-1:0]                       row_kept_slot,
    output wire                                       merge_done, // see pasa_merge: row_done
    output wire [MERGE_BITS-1:0]                      merge_done_row,

    // To the counters.
    output wire                                       saturation_valid,
    output wire [SLOT_BITS-1:0]                       saturation_slot,
    output wire [4:0]                                 saturation_count
);
    localparam LANE_BITS     = ROWS > 1 ? $clog2(ROWS) : 1;
    localparam GROUP_WIDTH   = 16 * ACC_BITS;
    localparam POSITION_BITS = $clog2(TOTAL_BITS);
    localparam AVERAGE_BITS  = 9 + `PASA_AVERAGE_FRACTION;
    localparam MULTIPLIER    = `PASA_OUTPUT_MULTIPLIER_BITS;
    localparam SHIFT         = `PASA_SHIFT_BITS;
    localparam FACTOR        = `PASA_FACTOR_BITS;
    localparam RECIPROCAL    = `PASA_RECIPROCAL_FRACTION + 1;
    localparam REFERENCE     = `PASA_REFERENCE_BITS;
    localparam CAPTURE       = 7;    // clocks from a stage-0 group to its capture

    generate if (ROWS < 1 || (ROWS & (ROWS - 1)) != 0) begin : g_check_rows
        pasa_normalise_ERROR_ROWS_must_be_a_power_of_two bad ();
    end endgenerate
    generate if (HEAD_DIM < 16 || (HEAD_DIM & (HEAD_DIM - 1)) != 0) begin : g_check_dims
        pasa_normalise_ERROR_HEAD_DIM_must_be_a_power_of_two_of_at_least_16 bad ();
    end endgenerate

    // Last group of a row of each slot: ceil(dims / 16) - 1.
    reg [GROUP_BITS-1:0] last_group [0:SLOTS-1];
    genvar s;
    generate for (s = 0; s < SLOTS; s = s + 1) begin : g_slot
        /* verilator lint_off UNUSEDSIGNAL */    // only the group of the last dimension counts
        wire [DIMS_BITS-1:0] last_dim = slot_dims[s*DIMS_BITS +: DIMS_BITS] - 1'b1;
        /* verilator lint_on UNUSEDSIGNAL */
        if (GROUPS > 1) begin : g_groups
            always @(posedge clk) last_group[s] <= last_dim[4 +: GROUP_BITS];
        end else begin : g_one
            always @(posedge clk) last_group[s] <= 1'b0;
        end
    end endgenerate

    // Pick: the next lane in turn with a row that was not picked before.
    reg  [ROWS-1:0]      picked;
    reg  [LANE_BITS-1:0] turn;                   // the lane to look at first
    reg                  next_valid;
    reg  [LANE_BITS-1:0] next_lane;

    wire [ROWS-1:0]      waiting = lane_valid & ~picked;
    reg  [LANE_BITS-1:0] found, found_late;      // from `turn` on, and before it
    reg                  is_late;
    integer              l;
    always @* begin
        found      = {LANE_BITS{1'b0}};
        found_late = {LANE_BITS{1'b0}};
        is_late    = 1'b1;
        for (l = ROWS - 1; l >= 0; l = l - 1)
            if (waiting[l]) begin
                found_late = l[LANE_BITS-1:0];
                if (l[LANE_BITS-1:0] >= turn) begin
                    found   = l[LANE_BITS-1:0];
                    is_late = 1'b0;
                end
            end
        if (is_late) found = found_late;
    end

    // Stage 0: the group that sets out in this clock.
    reg                  run;
    reg [LANE_BITS-1:0]  lane_0;
    reg [GROUP_BITS-1:0] group_0, last_group_0;
    reg [SLOT_BITS-1:0]  slot_0;
    wire last_0 = group_0 == last_group_0;
    wire start  = next_valid & (!run | last_0);
    wire pick   = |waiting & (!next_valid | start);
    wire [SLOT_BITS-1:0] next_slot = lane_slot[next_lane*SLOT_BITS +: SLOT_BITS];

    always @(posedge clk) begin
        if (pick) begin
            next_lane <= found;
            turn      <= found + 1'b1;
        end
        if (start) begin
            lane_0       <= next_lane;
            slot_0       <= next_slot;
            last_group_0 <= last_group[next_slot];
        end
        group_0    <= start ? {GROUP_BITS{1'b0}} : group_0 + 1'b1;
        next_valid <= pick | (next_valid & !start);
        run        <= start | (run & !last_0);
        if (rst) begin
            turn       <= {LANE_BITS{1'b0}};
            next_valid <= 1'b0;
            run        <= 1'b0;
        end
    end

    // Capture, so late that what is known of the total meets the group in pasa_merge: first its
    // group of every lane, then its lane.
    wire [LANE_BITS-1:0]  lane_7;
    wire [GROUP_BITS-1:0] group_7;
    wire                  last_7;
    reg  [LANE_BITS-1:0]  lane_8;
    reg  [ROWS*GROUP_WIDTH-1:0] groups_8;
    reg  [GROUP_WIDTH-1:0]      group_9;
    reg  [CAPTURE-1:0]    valid;                 // of stages 7 to 1

    always @(posedge clk) valid <= rst ? {CAPTURE{1'b0}} : {valid[CAPTURE-2:0], run};

    pasa_delay #(.WIDTH(LANE_BITS + GROUP_BITS + 1), .CLOCKS(CAPTURE)) capture (
        .clk(clk), .in({lane_0, group_0, last_0}), .out({lane_7, group_7, last_7}));

    genvar g;
    generate for (g = 0; g < ROWS; g = g + 1) begin : g_lane
        wire [HEAD_DIM*ACC_BITS-1:0] accumulator =
            lane_accumulator[g*HEAD_DIM*ACC_BITS +: HEAD_DIM*ACC_BITS];
        always @(posedge clk)
            groups_8[g*GROUP_WIDTH +: GROUP_WIDTH] <=
                accumulator[group_7*GROUP_WIDTH +: GROUP_WIDTH];
        always @(posedge clk) picked[g] <= !rst &
            ((picked[g] & !lane_ready[g]) | (pick & (found == g[LANE_BITS-1:0])));
        assign lane_ready[g] = valid[CAPTURE-1] & last_7 & (lane_7 == g[LANE_BITS-1:0]);
    end endgenerate

    always @(posedge clk) begin
        lane_8  <= lane_7;
        group_9 <= groups_8[lane_8*GROUP_WIDTH +: GROUP_WIDTH];
    end

    // Stage 1: what is known of the row. Stages 1 to 14: pasa_merge.
    reg  [TOTAL_BITS-1:0]    total_1;
    reg  [REFERENCE-1:0]     reference_1;
    reg  [OUTPUT_BITS-1:0]   row_1;
    reg  [MERGE_BITS-1:0]    merge_row_1;
    reg  [GROUP_BITS-1:0]    group_1;
    reg                      last_1, previous_1, next_1;
    always @(posedge clk) begin
        total_1     <= lane_total[lane_0*TOTAL_BITS +: TOTAL_BITS];
        reference_1 <= lane_reference[lane_0*REFERENCE +: REFERENCE];
        row_1       <= lane_output_row[lane_0*OUTPUT_BITS +: OUTPUT_BITS];
        merge_row_1 <= lane_merge_row[lane_0*MERGE_BITS +: MERGE_BITS];
        group_1     <= group_0;
        last_1      <= last_0;
        previous_1  <= slot_previous[slot_0];
        next_1      <= slot_next[slot_0];
    end

    wire                     merged;             // stage 10: a row to normalise
    wire [TOTAL_BITS-1:0]    total_10;
    wire [GROUP_WIDTH-1:0]   group_14;
    pasa_merge #(.HEAD_DIM(HEAD_DIM), .TILE_KEYS(TILE_KEYS), .MERGE_ROWS(MERGE_ROWS)) merge (
        .clk(clk), .rst(rst),
        .in_valid(valid[0]), .in_previous(previous_1), .in_next(next_1), .in_row(merge_row_1),
        .in_group(group_1), .in_last(last_1), .in_total(total_1), .in_reference(reference_1),
        .in_accumulator(group_9),
        .out_valid(merged), .out_total(total_10), .out_accumulator(group_14),
        .row_kept(row_kept), .row_done(merge_done), .row_done_row(merge_done_row));

    // Stages 10 to 14: the row's total, its leading one and mantissa.
    wire                     valid_14, zero_14;
    wire [POSITION_BITS-1:0] leading_one_14;
    wire [RECIPROCAL-2:0]    mantissa_14;

    /* verilator lint_off PINCONNECTEMPTY */     // tags are carried in one piece below
    pasa_leading_one #(.TOTAL_BITS(TOTAL_BITS), .USER(1)) leading_one (
        .clk(clk), .rst(rst),
        .in_valid(merged), .in_total(total_10), .in_user(1'b0),
        .out_valid(valid_14), .out_leading_one(leading_one_14), .out_mantissa(mantissa_14),
        .out_zero(zero_14), .out_user());

    // Stages 15 to 17: reciprocal of the mantissa, beside the averages.
    wire                       valid_17;
    wire [RECIPROCAL-1:0]      reciprocal_17;
    wire [16*AVERAGE_BITS-1:0] average_17;
    wire [SLOT_BITS-1:0]       slot_15;
    reg  [SLOT_BITS-1:0]       slot_16, slot_17, slot_18;
    reg  [MULTIPLIER-1:0]      multiplier_17;

    pasa_reciprocal #(.USER(1)) reciprocal (
        .clk(clk), .rst(rst),
        .in_valid(valid_14), .in_mantissa(mantissa_14), .in_user(1'b0),
        .out_valid(), .out_reciprocal(reciprocal_17), .out_user());

    pasa_average #(
        .DIMS(16), .ACC_BITS(ACC_BITS), .POSITION_BITS(POSITION_BITS), .USER(1)
    ) average (
        .clk(clk), .rst(rst),
        .in_valid(valid_14), .in_accumulator(group_14), .in_leading_one(leading_one_14),
        .in_zero(zero_14), .in_user(1'b0),
        .out_valid(valid_17), .out_average(average_17), .out_user());
    /* verilator lint_on PINCONNECTEMPTY */

    pasa_delay #(.WIDTH(SLOT_BITS), .CLOCKS(15)) slot (.clk(clk), .in(slot_0), .out(slot_15));
    assign row_kept_slot = slot_15;
    always @(posedge clk) begin
        slot_16       <= slot_15;
        slot_17       <= slot_16;
        slot_18       <= slot_17;
        multiplier_17 <= slot_multiplier[slot_16*MULTIPLIER +: MULTIPLIER];
    end

    // Stage 18: factor = reciprocal * multiplier >> 16, one DSP48E1.
    /* verilator lint_off UNUSEDSIGNAL */        // low bits are floored away, the top bit is 0
    reg  [RECIPROCAL+MULTIPLIER-1:0] product_18;
    /* verilator lint_on UNUSEDSIGNAL */
    reg                              valid_18, int16_18;
    reg  [16*AVERAGE_BITS-1:0]       average_18;
    reg  [SHIFT-1:0]                 shift_18;
    always @(posedge clk) begin
        product_18 <= reciprocal_17 * multiplier_17;
        average_18 <= average_17;
        shift_18   <= slot_shift[slot_17*SHIFT +: SHIFT];
        int16_18   <= slot_int16[slot_17];
        valid_18   <= valid_17 & !rst;
    end

    // Stages 19 to 25: codes.
    wire [15:0]            saturated_25;
    wire [OUTPUT_BITS-1:0] row_18;
    wire [GROUP_BITS-1:0]  group_18;
    wire                   last_18;
    wire [SLOT_BITS-1:0]   slot_25, slot_27;

    pasa_delay #(.WIDTH(OUTPUT_BITS), .CLOCKS(17)) row (
        .clk(clk), .in(row_1), .out(row_18));
    pasa_delay #(.WIDTH(GROUP_BITS + 1), .CLOCKS(17)) tag (
        .clk(clk), .in({group_1, last_1}), .out({group_18, last_18}));

    pasa_requantise #(.DIMS(16), .USER(OUTPUT_BITS + GROUP_BITS + 1 + SLOT_BITS)) requantise (
        .clk(clk), .rst(rst),
        .in_valid(valid_18), .in_average(average_18),
        .in_factor(product_18[MULTIPLIER +: FACTOR]),
        .in_shift(shift_18), .in_int16(int16_18),
        .in_user({row_18, group_18, last_18, slot_18}),
        .out_valid(write_valid), .out_code(write_data), .out_saturated(saturated_25),
        .out_user({write_row, write_group, write_done, slot_25}));

    // Stages 26 and 27: how many of the 16 codes were clipped.
    reg       valid_26, valid_27;
    reg [2:0] partial_26 [0:3];
    reg [4:0] count_27;
    generate for (g = 0; g < 4; g = g + 1) begin : g_count
        always @(posedge clk)
            partial_26[g] <= {2'd0, saturated_25[4*g]}     + {2'd0, saturated_25[4*g + 1]}
                           + {2'd0, saturated_25[4*g + 2]} + {2'd0, saturated_25[4*g + 3]};
    end endgenerate
    always @(posedge clk) begin
        count_27 <= {2'd0, partial_26[0]} + {2'd0, partial_26[1]}
                  + {2'd0, partial_26[2]} + {2'd0, partial_26[3]};
        valid_26 <= write_valid & !rst;
        valid_27 <= valid_26 & !rst;
    end
    pasa_delay #(.WIDTH(SLOT_BITS), .CLOCKS(2)) slot_last (.clk(clk), .in(slot_25), .out(slot_27));

    assign saturation_valid = valid_27;
    assign saturation_slot  = slot_27;
    assign saturation_count = count_27;
endmodule
`default_nettype wire
