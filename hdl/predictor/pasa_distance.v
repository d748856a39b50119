// SPDX-License-Identifier: Apache-2.0
//
// pasa_distance - how far each key lies below its row's reference
//
// Why      The reference exponent of a row is known only at its last word.
//          Distances are taken from the best score so far; pasa_measure_row
//          adds the octaves by which the reference rose later. The result
//          does not depend on the order of the keys.
// Contract * reference = ceiling of the best visible score so far, in octaves
//            (lowest while none is visible), this word included
//          * distance = min(DISTANCE_FAR, reference - score) in 1/16 octave,
//            DISTANCE_MASKED where not visible
//          * rise = octaves by which this word raised the reference, at most
//            16; of no meaning with a row's first word
//          * nearest = distance of the best key so far, below 16
//          * scores of invisible keys must be the lowest number
//          * latency (clog2(PRED_KEYS) + 1) / 2 + 3 clocks, one word a clock
//          * golden: selection.predict
// Cost     about 65*PRED_KEYS LUT
// Checked  make unit M=pasa_distance

`default_nettype none
`include "pasa_formats.vh"
module pasa_distance #(
    parameter PRED_KEYS = 32
) (
    input  wire                                        clk,
    input  wire                                        valid,
    input  wire                                        first,    // first word of the row
    input  wire [PRED_KEYS*`PASA_PREDICTED_BITS-1:0]   scores,   // SQ11.4
    input  wire [PRED_KEYS-1:0]                        visible,
    output wire [PRED_KEYS*`PASA_DISTANCE_BITS-1:0]    distances,
    output reg  [`PASA_PREDICTED_BITS-`PASA_PREDICTED_FRACTION:0] exponent, // signed octaves
    output reg  [4:0]                                  rise,
    output reg  [`PASA_PREDICTED_FRACTION-1:0]         nearest
);
    localparam B    = `PASA_PREDICTED_BITS;
    localparam F    = `PASA_PREDICTED_FRACTION;
    localparam R    = B - F + 1;               // reference
    localparam D    = `PASA_DISTANCE_BITS;
    localparam TREE = ($clog2(PRED_KEYS) + 1) / 2;

    // Best of the word, and of the row so far.
    wire [B-1:0] word_best;
    wire         word_seen;
    reg          word_any;
    pasa_highest #(.COUNT(PRED_KEYS), .WIDTH(B)) highest (
        .clk(clk), .in(scores), .out(word_best)
    );
    always @(posedge clk) word_any <= |visible;
    pasa_delay #(.WIDTH(1), .CLOCKS(TREE - 1)) any_late (
        .clk(clk), .in(word_any), .out(word_seen)
    );
    reg [TREE:0] valids, firsts;
    always @(posedge clk) begin
        valids <= {valids[TREE-1:0], valid};
        firsts <= {firsts[TREE-1:0], first};
    end

    reg signed [B-1:0] best;
    reg                seen;
    wire signed [B-1:0] rival = word_best;
    always @(posedge clk)
        if (valids[TREE-1]) begin
            if (firsts[TREE-1] | rival > best) best <= rival;
            seen <= word_seen | (seen & !firsts[TREE-1]);
        end

    // Its ceiling, and what the row had before this word.
    localparam [B:0] ALMOST = (1 << F) - 1;
    wire [B:0]   above   = {best[B-1], best} + ALMOST;
    wire [F-1:0] beneath = ~best[F-1:0] + {{(F-1){1'b0}}, 1'b1};
    reg [R-1:0] current, previous;
    reg [F-1:0] current_nearest;
    always @(posedge clk)
        if (valids[TREE]) begin
            current         <= seen ? above[B:F] : {1'b1, {(R-1){1'b0}}};
            current_nearest <= beneath;
            previous        <= current;
        end
    wire unused = &{1'b0, above[F-1:0]};

    wire [R-1:0] raised = current - previous;  // never negative
    always @(posedge clk) begin
        rise      <= |raised[R-1:4] ? 5'd16 : {1'b0, raised[3:0]};
        exponent  <= current;
        nearest   <= current_nearest;
    end

    // The scores wait for their reference. A masked score is the lowest, so
    // its difference may overflow; `shown` decides there.
    wire [PRED_KEYS*B-1:0] scores_late;
    wire [PRED_KEYS-1:0]   shown;
    pasa_delay #(.WIDTH(PRED_KEYS * (B + 1)), .CLOCKS(TREE + 2)) scores_wait (
        .clk(clk), .in({visible, scores}), .out({shown, scores_late})
    );
    genvar c;
    generate for (c = 0; c < PRED_KEYS; c = c + 1) begin : g_key
        wire [B-1:0] score = scores_late[c*B +: B];
        wire [B+1:0] below = {current[R-1], current, {F{1'b0}}} - {{2{score[B-1]}}, score};
        wire far = |below[B+1:D] | (&below[D-1:1]);
        reg [D-1:0] distance;
        always @(posedge clk)
            distance <= !shown[c] ? `PASA_DISTANCE_MASKED
                      : far       ? `PASA_DISTANCE_FAR : below[D-1:0];
        assign distances[c*D +: D] = distance;
    end endgenerate
endmodule
`default_nettype wire
