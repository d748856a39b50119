// SPDX-License-Identifier: Apache-2.0
//
// pasa_ties - keeps the first of the keys that lie exactly at the cut
//
// Why      Keys of equal distance are kept by key order, so that a budget is
//          met exactly and every implementation keeps the same set.
// Contract * of the bits of `at`, word after word, the first `ties` are kept
//          * at and clock 0; valid, first (of the row) and ties at TREE,
//            TREE = (clog2(PRED_KEYS) + 1) / 2; kept_count and dropped_count
//            of the word at TREE + 2, kept at TREE + 3
//          * golden: the `first` array in selection.kept_keys
// Cost     about 12*PRED_KEYS LUT
// Checked  make unit M=pasa_ties

`default_nettype none
module pasa_ties #(
    parameter PRED_KEYS = 32,
    parameter TILE_KEYS = 2048
) (
    input  wire                       clk,
    input  wire [PRED_KEYS-1:0]       at,
    input  wire                       valid,
    input  wire                       first,
    input  wire [$clog2(TILE_KEYS):0] ties,
    output reg  [$clog2(PRED_KEYS):0] kept_count,
    output reg  [$clog2(PRED_KEYS):0] dropped_count,
    output wire [PRED_KEYS-1:0]       kept
);
    localparam COUNT_BITS = $clog2(TILE_KEYS) + 1;
    localparam LOW        = $clog2(PRED_KEYS);
    localparam W          = LOW + 1;
    localparam TREE       = (LOW + 1) / 2;
    localparam GROUP      = PRED_KEYS < 4 ? PRED_KEYS : 4;
    localparam GROUPS     = PRED_KEYS / GROUP;
    localparam LEVELS     = $clog2(GROUPS);

    // Clock 1: ones in each group of four.
    wire [GROUPS*W-1:0] counts;
    genvar g, l, c;
    generate for (g = 0; g < GROUPS; g = g + 1) begin : g_group
        wire [3:0] bits;
        if (GROUP == 4) begin : g_four
            assign bits = at[g*4 +: 4];
        end else begin : g_two
            assign bits = {2'd0, at[g*2 +: 2]};
        end
        reg [2:0] count;
        always @(posedge clk)
            count <= ({2'd0, bits[0]} + {2'd0, bits[1]}) + ({2'd0, bits[2]} + {2'd0, bits[3]});
        if (W > 3) begin : g_wide
            assign counts[g*W +: W] = {{(W-3){1'b0}}, count};
        end else begin : g_narrow
            assign counts[g*W +: W] = count[W-1:0];
            wire unused_top = count[2];
        end
    end

    // Clock TREE: ones up to and with each group, by doubling; a register
    // after every second level.
    for (l = 0; l <= LEVELS; l = l + 1) begin : g_level
        wire [GROUPS*W-1:0] scan;
        if (l == 0) begin : g_first
            assign scan = counts;
        end else begin : g_next
            for (g = 0; g < GROUPS; g = g + 1) begin : g_group
                wire [W-1:0] own = g_level[l-1].scan[g*W +: W];
                wire [W-1:0] sum;
                if (g >= (1 << (l - 1))) begin : g_add
                    assign sum = own + g_level[l-1].scan[(g-(1<<(l-1)))*W +: W];
                end else begin : g_same
                    assign sum = own;
                end
                if (l % 2 == 0 || l == LEVELS) begin : g_register
                    reg [W-1:0] sum_late;
                    always @(posedge clk) sum_late <= sum;
                    assign scan[g*W +: W] = sum_late;
                end else begin : g_pass
                    assign scan[g*W +: W] = sum;
                end
            end
        end
    end endgenerate
    wire [GROUPS*W-1:0] upto = g_level[LEVELS].scan;
    wire [W-1:0]        ones = upto[(GROUPS-1)*W +: W];

    // Clock TREE + 1: ties left before this word, and after it.
    reg  [COUNT_BITS-1:0] left;
    wire [COUNT_BITS-1:0] have  = first ? ties : left;
    wire [COUNT_BITS:0]   after = {1'b0, have} - {{(COUNT_BITS+1-W){1'b0}}, ones};
    reg  [W-1:0]          room, missing, ones_1;
    reg                   short;     // not all are kept
    reg  [GROUPS*W-1:0]   upto_1;
    always @(posedge clk) begin
        if (valid) left <= after[COUNT_BITS] ? {COUNT_BITS{1'b0}} : after[COUNT_BITS-1:0];
        room    <= |have[COUNT_BITS-1:LOW] ? {1'b1, {LOW{1'b0}}} : {1'b0, have[LOW-1:0]};
        missing <= after[W-1:0];
        short   <= after[COUNT_BITS];
        ones_1  <= ones;
        upto_1  <= upto;
    end

    wire unused = &{1'b0, upto_1[(GROUPS-1)*W +: W]};

    // Clock TREE + 2: counts of the word, and the room each group has.
    always @(posedge clk) begin
        kept_count    <= short ? room : ones_1;
        dropped_count <= short ? {W{1'b0}} - missing : {W{1'b0}};
    end
    wire [PRED_KEYS-1:0] at_late;
    pasa_delay #(.WIDTH(PRED_KEYS), .CLOCKS(TREE + 2)) at_wait (
        .clk(clk), .in(at), .out(at_late)
    );
    generate for (g = 0; g < GROUPS; g = g + 1) begin : g_room
        wire [W-1:0] ahead;
        if (g == 0) begin : g_first
            assign ahead = {W{1'b0}};
        end else begin : g_next
            assign ahead = upto_1[(g > 0 ? g - 1 : 0)*W +: W];
        end
        wire [W:0] left_here = {1'b0, room} - {1'b0, ahead};
        reg  [2:0] room_here;        // 0..4
        always @(posedge clk)
            room_here <= left_here[W]                       ? 3'd0
                       : left_here[W-1:0] >= GROUP[W-1:0]   ? 3'd4 : {1'b0, left_here[1:0]};

        // Clock TREE + 3.
        wire [GROUP-1:0] bits = at_late[g*GROUP +: GROUP];
        for (c = 0; c < GROUP; c = c + 1) begin : g_key
            reg keep;
            if (c == 0) begin : g_c0
                always @(posedge clk) keep <= bits[0] & |room_here;
            end else if (c == 1) begin : g_c1
                always @(posedge clk) keep <= bits[1] & room_here > {2'd0, bits[0]};
            end else if (c == 2) begin : g_c2
                always @(posedge clk)
                    keep <= bits[2] & room_here > {2'd0, bits[0]} + {2'd0, bits[1]};
            end else begin : g_c3
                always @(posedge clk)
                    keep <= bits[3] & room_here > {2'd0, bits[0]} + {2'd0, bits[1]}
                                                + {2'd0, bits[2]};
            end
            assign kept[g*GROUP+c] = keep;
        end
    end endgenerate
endmodule
`default_nettype wire
