// SPDX-License-Identifier: Apache-2.0
//
// pasa_weight - weight of one item of a row: kept key, virtual key, or null
//
// Why      WEIGH turns exact scores and summed predicted weights into weights
//          below one common reference exponent, so that they add up.
// Contract * kept key: distance = reference * 2^16 - (score * multiplier >> shift),
//            out_weight = 2^-distance; golden functions Integer.score_log2 and
//            Integer.weight. The reference must not lie below the score.
//          * in_is_block: out_weight = mean predicted weight of the block
//            >> in_tail_shift; golden function Integer.block_weight
//          * in_null: 0, whatever the other inputs are
//          * latency 12 clocks, one item a clock, no stalls; multiplier, shift
//            and reference may change with every item
//          * in_user leaves beside the result it came with
//          * reset clears valid bits only
// Width    octaves need SCORE_BITS + 17 bits, the reference 24 + 16
//          (see pasa_row_reference); their difference one bit more than the
//          wider. A distance of 2^6 octaves or more saturates and weighs 0.
// Cost     two DSP48E1 (score, exp2)
// Checked  make unit M=pasa_weight

`include "pasa_formats.vh"
`default_nettype none
module pasa_weight #(
    parameter HEAD_DIM       = 64,
    parameter BLOCK_KEYS     = 64,
    parameter USER           = 1,    // bits of the tag carried along, at least 1
    // Derived; leave as they are.
    parameter SCORE_BITS     = 16 + $clog2(HEAD_DIM),
    parameter TAIL_BITS      = `PASA_PREDICTED_WEIGHT_FRACTION + 1 + $clog2(BLOCK_KEYS),
    parameter VALUE_BITS     = SCORE_BITS > TAIL_BITS ? SCORE_BITS : TAIL_BITS
) (
    input  wire                                   clk,
    input  wire                                   rst,   // synchronous, active high

    input  wire                                   in_valid,
    input  wire                                   in_null,
    input  wire                                   in_is_block,
    input  wire [VALUE_BITS-1:0]                  in_value,      // score, signed; or
                                                                 // tail in the low bits
    input  wire [`PASA_SCORE_MULTIPLIER_BITS-1:0] in_multiplier,
    input  wire [`PASA_SHIFT_BITS-1:0]            in_shift,
    input  wire [`PASA_REFERENCE_BITS-1:0]        in_reference,  // signed
    input  wire [`PASA_SHIFT_BITS-1:0]            in_tail_shift,
    input  wire [USER-1:0]                        in_user,

    output wire                                   out_valid,
    output wire [`PASA_WEIGHT_BITS-1:0]           out_weight,
    output wire [USER-1:0]                        out_user
);
    localparam REFERENCE_BITS = `PASA_REFERENCE_BITS;
    localparam FRACTION      = `PASA_SCORE_FRACTION;
    localparam SHIFT         = `PASA_SHIFT_BITS;
    localparam OCTAVES_BITS  = VALUE_BITS + `PASA_SCORE_MULTIPLIER_BITS;
    localparam EXPONENT_BITS = REFERENCE_BITS + FRACTION;
    localparam DISTANCE_BITS =
        1 + (OCTAVES_BITS > EXPONENT_BITS ? OCTAVES_BITS : EXPONENT_BITS);
    // Mean of a block raw at WEIGHT_FRACTION: TAIL_BITS + SCALE = WEIGHT_BITS.
    localparam SCALE =
        `PASA_WEIGHT_FRACTION - `PASA_PREDICTED_WEIGHT_FRACTION - $clog2(BLOCK_KEYS);

    generate if (HEAD_DIM > 128) begin : g_check_head_dim
        pasa_weight_ERROR_HEAD_DIM_must_be_at_most_128 bad ();
    end endgenerate
    generate if (BLOCK_KEYS > 128) begin : g_check_block_keys
        pasa_weight_ERROR_BLOCK_KEYS_must_be_at_most_128 bad ();
    end endgenerate

    // Stages 1 to 4: octaves of the score; all else waits beside it.
    localparam CARRIED = USER + 2 + TAIL_BITS + SHIFT + REFERENCE_BITS;

    wire                      valid_4, null_4, block_4;
    wire [OCTAVES_BITS-1:0]   octaves_4;
    wire [REFERENCE_BITS-1:0] reference_4;
    wire [SHIFT-1:0]          tail_shift_4;
    wire [TAIL_BITS-1:0]      tail_4;
    wire [USER-1:0]           user_4;

    pasa_score_log2 #(
        .SCORE_BITS(VALUE_BITS),
        .USER(CARRIED)
    ) score_log2 (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_score(in_value),
        .in_multiplier(in_multiplier), .in_shift(in_shift),
        .in_user({in_user, in_null, in_is_block, in_value[TAIL_BITS-1:0],
                  in_tail_shift, in_reference}),
        .out_valid(valid_4), .out_octaves(octaves_4),
        .out_user({user_4, null_4, block_4, tail_4, tail_shift_4, reference_4})
    );

    // Stage 5: distance below the reference. Stage 6: octave, saturated.
    reg                            valid_5, null_5, block_5, valid_6, block_6;
    reg signed [DISTANCE_BITS-1:0] distance_5;
    reg        [SHIFT-1:0]         tail_shift_5, octave_6;
    reg        [TAIL_BITS-1:0]     tail_5, tail_6;
    reg        [FRACTION-1:0]      fraction_6;
    reg        [USER-1:0]          user_5, user_6;

    wire signed [DISTANCE_BITS-1:0] exponent_4 =
        {{(DISTANCE_BITS-EXPONENT_BITS){reference_4[REFERENCE_BITS-1]}},
         reference_4, {FRACTION{1'b0}}};
    wire signed [DISTANCE_BITS-1:0] signed_4 =
        {{(DISTANCE_BITS-OCTAVES_BITS){octaves_4[OCTAVES_BITS-1]}}, octaves_4};
    wire far_5 = |distance_5[DISTANCE_BITS-1:FRACTION+SHIFT];

    always @(posedge clk) begin
        valid_5 <= valid_4 & !rst;
        valid_6 <= valid_5 & !rst;
    end

    always @(posedge clk) begin
        distance_5   <= exponent_4 - signed_4;
        null_5       <= null_4;
        block_5      <= block_4;
        tail_5       <= tail_4;
        tail_shift_5 <= tail_shift_4;
        user_5       <= user_4;

        octave_6     <= block_5 ? tail_shift_5 : distance_5[FRACTION +: SHIFT];
        if (null_5 | (far_5 & !block_5)) octave_6 <= {SHIFT{1'b1}};
        fraction_6   <= distance_5[FRACTION-1:0];
        block_6      <= block_5;
        tail_6       <= tail_5;
        user_6       <= user_5;
    end

    // Stages 7 to 12.
    pasa_exp2 #(.USER(USER)) exp2 (
        .clk(clk), .rst(rst),
        .in_valid(valid_6), .in_octave(octave_6), .in_fraction(fraction_6),
        .in_plain(block_6), .in_mantissa({tail_6, {SCALE{1'b0}}}), .in_user(user_6),
        .out_valid(out_valid), .out_weight(out_weight), .out_user(out_user)
    );
endmodule
`default_nettype wire
