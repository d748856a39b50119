// SPDX-License-Identifier: Apache-2.0
//
// pasa_select_row - SELECT for one row: kept keys, tails of blocks, counts
//
// Why      Turns a row's cut into what the engine computes: a mask of kept
//          keys for each block of keys, and the weight of the keys dropped.
// Contract * clock 0 is the one in which a word was asked for; distances and
//            cut belong to 2; ties, tie_valid and tie_first to 3 + TREE;
//            valid and word_* to 7 + TREE, TREE = (clog2(PRED_KEYS) + 1) / 2;
//            closes, full, leads and use_tail to 8 + TREE; log_total to
//            11 + TREE
//          * entry_* come at 9 + TREE, for a block whose last word visited
//            was this one, when anything is kept or has a tail; the tail is
//            0 unless the whole block is visible
//          * kept_count comes at 8 + TREE, blocks (with a tail) at 9 + TREE,
//            dropped_mass at 14 + TREE, of all words of the row so far
//          * golden: selection.kept_keys, fixed._Head.tail, dropped_mass
// Cost     about 95*PRED_KEYS LUT, 1 DSP48E1
// Checked  make unit M=pasa_predictor

`default_nettype none
`include "pasa_formats.vh"
module pasa_select_row #(
    parameter PRED_KEYS  = 32,
    parameter TILE_KEYS  = 2048,
    parameter BLOCK_KEYS = 64
) (
    input  wire                                     clk,
    input  wire [PRED_KEYS*`PASA_DISTANCE_BITS-1:0] distances,
    input  wire [`PASA_DISTANCE_BITS-1:0]           cut,        // at most DISTANCE_FAR
    input  wire [$clog2(TILE_KEYS):0]               ties,
    input  wire                                     tie_valid,
    input  wire                                     tie_first,
    input  wire                                     valid,
    input  wire                                     word_first, // of the row
    input  wire                                     word_opens, // first visited of its block
    input  wire [BLOCK_KEYS/PRED_KEYS-1:0]          word_part,  // its place there, one-hot
    input  wire                                     closes,     // last visited of its block
    input  wire                                     full,       // all words of it were visited
    input  wire                                     leads,      // the row's first block
    input  wire                                     use_tail,
    input  wire [`PASA_LOG_FRACTION+6:0]            log_total,

    output reg                                      entry_valid,
    output reg  [BLOCK_KEYS-1:0]                    entry_mask,
    output reg  [`PASA_PREDICTED_WEIGHT_FRACTION+$clog2(BLOCK_KEYS):0] entry_tail,
    output reg  [$clog2(TILE_KEYS):0]               kept_count,
    output reg  [$clog2(TILE_KEYS):0]               blocks,
    output wire [`PASA_PREDICTED_WEIGHT_FRACTION:0] dropped_mass
);
    localparam COUNT_BITS = $clog2(TILE_KEYS) + 1;
    localparam D          = `PASA_DISTANCE_BITS;
    localparam G          = `PASA_PREDICTED_WEIGHT_FRACTION + 1;
    localparam W          = $clog2(PRED_KEYS) + 1;     // keys in a word
    localparam S          = G + W - 1;                 // their weight
    localparam TAIL_BITS  = G + $clog2(BLOCK_KEYS);
    localparam TOTAL_BITS = G + COUNT_BITS - 1;
    localparam L          = `PASA_LOG_FRACTION + 7;
    localparam STEPS      = `PASA_LOG_FRACTION - `PASA_PREDICTED_FRACTION;
    localparam PARTS      = BLOCK_KEYS / PRED_KEYS;
    localparam TREE       = ($clog2(PRED_KEYS) + 1) / 2;

    // Clock 3: which side of the cut. Clock 4: weights of the far side.
    reg  [PRED_KEYS-1:0]   nearer, at_cut;
    wire [PRED_KEYS-1:0]   shown;
    reg                    all_shown;
    wire [PRED_KEYS*G-1:0] weights;
    genvar c, p;
    generate for (c = 0; c < PRED_KEYS; c = c + 1) begin : g_key
        wire [D-1:0] distance = distances[c*D +: D];
        assign shown[c] = !(&distance);
        always @(posedge clk) begin
            nearer[c] <= distance < cut;
            at_cut[c] <= distance == cut;
        end
        pasa_predicted_weight weight (
            .clk(clk), .distance(distance), .zero(distance <= cut), .out(weights[c*G +: G])
        );
    end endgenerate
    always @(posedge clk) all_shown <= &shown;

    // Keys at the cut, in key order. Their dropped weight is a product, since
    // all of them weigh the same.
    wire [W-1:0]         tie_kept, tie_dropped;        // at 5 + TREE
    wire [PRED_KEYS-1:0] tie_mask;                     // at 6 + TREE
    wire [G-1:0]         cut_weight, cut_weight_late;  // at 4, at 5 + TREE
    pasa_ties #(.PRED_KEYS(PRED_KEYS), .TILE_KEYS(TILE_KEYS)) row_ties (
        .clk(clk), .at(at_cut), .valid(tie_valid), .first(tie_first), .ties(ties),
        .kept_count(tie_kept), .dropped_count(tie_dropped), .kept(tie_mask)
    );
    pasa_predicted_weight weight_at_cut (
        .clk(clk), .distance(cut), .zero(1'b0), .out(cut_weight)
    );
    pasa_delay #(.WIDTH(G), .CLOCKS(1 + TREE)) cut_weight_wait (
        .clk(clk), .in(cut_weight), .out(cut_weight_late)
    );

    // Clock 7 + TREE: the word as a whole.
    wire [S-1:0]         far_sum, far_sum_late;        // at 4 + TREE, 6 + TREE
    wire [W-1:0]         near_count, near_count_late;  // at 3 + TREE, 6 + TREE
    wire [PRED_KEYS-1:0] near_mask;                    // at 6 + TREE
    wire                 word_shown;                   // at 7 + TREE
    pasa_sum #(.COUNT(PRED_KEYS), .WIDTH(G)) far_tree (
        .clk(clk), .in(weights), .out(far_sum)
    );
    pasa_popcount #(.COUNT(PRED_KEYS)) near_tree (.clk(clk), .in(nearer), .out(near_count));
    pasa_delay #(.WIDTH(S), .CLOCKS(2)) far_wait (
        .clk(clk), .in(far_sum), .out(far_sum_late)
    );
    pasa_delay #(.WIDTH(W), .CLOCKS(3)) near_count_wait (
        .clk(clk), .in(near_count), .out(near_count_late)
    );
    pasa_delay #(.WIDTH(PRED_KEYS), .CLOCKS(3 + TREE)) near_mask_wait (
        .clk(clk), .in(nearer), .out(near_mask)
    );
    pasa_delay #(.WIDTH(1), .CLOCKS(4 + TREE)) shown_wait (
        .clk(clk), .in(all_shown), .out(word_shown)
    );
    reg [S:0]           tie_weight;                    // at 6 + TREE
    reg [W-1:0]         tie_kept_late;
    reg [PRED_KEYS-1:0] word_mask;                     // at 7 + TREE
    reg [S-1:0]         word_dropped;
    reg [W-1:0]         word_kept;
    always @(posedge clk) begin
        tie_weight    <= cut_weight_late * tie_dropped;
        tie_kept_late <= tie_kept;
        word_mask     <= near_mask | tie_mask;
        word_dropped  <= far_sum_late + tie_weight[S-1:0];
        word_kept     <= near_count_late + tie_kept_late;
    end

    // Clock 8 + TREE: block and row so far.
    reg [BLOCK_KEYS-1:0] mask;
    reg [TAIL_BITS-1:0]  tail;
    reg                  any, whole;
    reg [TOTAL_BITS-1:0] dropped;
    generate for (p = 0; p < PARTS; p = p + 1) begin : g_part
        always @(posedge clk)
            if (valid) begin
                if (word_part[p])    mask[p*PRED_KEYS +: PRED_KEYS] <= word_mask;
                else if (word_opens) mask[p*PRED_KEYS +: PRED_KEYS] <= {PRED_KEYS{1'b0}};
            end
    end endgenerate
    always @(posedge clk)
        if (valid) begin
            any        <= |word_mask | (any & !word_opens);
            whole      <= word_shown & (whole | word_opens);
            tail       <= (word_opens ? {TAIL_BITS{1'b0}} : tail)
                        + {{(TAIL_BITS-S){1'b0}}, word_dropped};
            dropped    <= (word_first ? {TOTAL_BITS{1'b0}} : dropped)
                        + {{(TOTAL_BITS-S){1'b0}}, word_dropped};
            kept_count <= (word_first ? {COUNT_BITS{1'b0}} : kept_count)
                        + {{(COUNT_BITS-W){1'b0}}, word_kept};
        end

    // Clock 9 + TREE: the entry. Only a wholly visible block has a virtual key.
    wire has_tail = whole & full & use_tail & |tail;
    always @(posedge clk) begin
        entry_valid <= closes & (any | has_tail);
        entry_mask  <= mask;
        entry_tail  <= has_tail ? tail : {TAIL_BITS{1'b0}};
        if (closes)
            blocks <= (leads ? {COUNT_BITS{1'b0}} : blocks) + {{(COUNT_BITS-1){1'b0}}, has_tail};
    end

    // Clock 14 + TREE: the dropped share, by difference of logarithms.
    wire [L-1:0] log_dropped;                          // at 11 + TREE
    wire         nothing;                              // at 12 + TREE
    pasa_log2 #(.WIDTH(TOTAL_BITS)) log2 (.clk(clk), .in(dropped), .out(log_dropped));
    pasa_delay #(.WIDTH(1), .CLOCKS(4)) nothing_wait (
        .clk(clk), .in(dropped == {TOTAL_BITS{1'b0}}), .out(nothing)
    );
    wire [L-1:0] lower = log_total - log_dropped;      // never negative
    reg  [D-1:0] share;                                // beyond FAR is FAR
    always @(posedge clk) share <= |lower[L-1:STEPS+D] ? `PASA_DISTANCE_FAR : lower[STEPS +: D];
    wire unused = &{1'b0, lower[STEPS-1:0], tie_weight[S]};
    pasa_predicted_weight dropped_share (
        .clk(clk), .distance(share), .zero(nothing), .out(dropped_mass)
    );
endmodule
`default_nettype wire
