// SPDX-License-Identifier: Apache-2.0
//
// pasa_weigh - weighted sum of values, and the sum of the weights, of one row after another
//
// Why      The second half of attention: every dimension multiplies and accumulates on its own.
// Contract * accumulator[i] = sum of weight*value[i], total = sum of weight (times BLOCK_KEYS for a
//            virtual key, whose value is the sum over its block); nothing rounds or overflows
//          * items arrive with valid, in order; first and last mark a row's ends
//          * a finished row is offered at done_valid and holds still until done_ready; two more
//            may be complete behind it, so the first item of a row may enter only when the row
//            three before it has been taken
//          * equals the sums of fixed._Head.normalise of the golden model
// Formats  weight U1.23; value int8 or a block's sum of int8; accumulator Q.23 of value steps
// Latency  five clocks from the last item to done_valid when the offer is free
// Cost     HEAD_DIM DSP48E1 (multiply and accumulate), 2*HEAD_DIM*ACC_BITS flip-flops
// Checked  make unit M=pasa_weigh

`default_nettype none
`include "pasa_formats.vh"
module pasa_weigh #(
    parameter HEAD_DIM   = 64,
    parameter TILE_KEYS  = 2048,
    parameter BLOCK_KEYS = 64,
    parameter TAG        = 6,                           // bits carried with a row
    // derived, not to be set
    parameter BLOCK_LOG2 = $clog2(BLOCK_KEYS),
    parameter VALUE_BITS = 8 + BLOCK_LOG2,
    parameter TOTAL_BITS = `PASA_WEIGHT_BITS + $clog2(TILE_KEYS),
    parameter ACC_BITS   = TOTAL_BITS + 8
) (
    input  wire                           clk,
    input  wire                           rst,

    input  wire                           valid,
    input  wire                           first,
    input  wire                           last,
    input  wire                           is_block,
    input  wire [`PASA_WEIGHT_BITS-1:0]   weight,
    input  wire [TAG-1:0]                 tag,
    input  wire [HEAD_DIM*VALUE_BITS-1:0] value,

    output reg                            done_valid,
    input  wire                           done_ready,
    output reg  [HEAD_DIM*ACC_BITS-1:0]   done_accumulator,
    output reg  [TOTAL_BITS-1:0]          done_total,
    output reg  [TAG-1:0]                 done_tag
);
    localparam PRODUCT_BITS = `PASA_WEIGHT_BITS + 1 + VALUE_BITS;

    // Stage 1 registers the operands, 2 multiplies, 3 accumulates.
    reg           valid_1, valid_2, first_1, first_2, last_1, last_2;
    reg [TAG-1:0] tag_1, tag_2, tag_3, next_tag;
    reg           full;                                 // the accumulators hold a finished row
    reg           next_valid;                           // a row waits behind the one on offer
    wire          offer = next_valid & (!done_valid | done_ready);
    wire          move  = full & (!next_valid | offer);

    reg signed [`PASA_WEIGHT_BITS:0] weight_1;
    reg [TOTAL_BITS-1:0]             share_1, share_2, total, next_total;
    wire [TOTAL_BITS-1:0] share = {{TOTAL_BITS-`PASA_WEIGHT_BITS{1'b0}}, weight};
    always @(posedge clk) begin
        weight_1 <= {1'b0, weight};
        share_1  <= is_block ? share << BLOCK_LOG2 : share;
        share_2  <= share_1;
        if (valid_2) total <= first_2 ? share_2 : total + share_2;
        if (move)  {next_total, next_tag} <= {total, tag_3};
        if (offer) {done_total, done_tag} <= {next_total, next_tag};
        {first_1, last_1, tag_1} <= {first, last, tag};
        {first_2, last_2, tag_2} <= {first_1, last_1, tag_1};
        if (valid_2) tag_3 <= tag_2;
    end

    genvar i;
    generate
        for (i = 0; i < HEAD_DIM; i = i + 1) begin : g_dim
            reg signed [VALUE_BITS-1:0]   value_1;
            reg signed [PRODUCT_BITS-1:0] product;
            reg signed [ACC_BITS-1:0]     accumulator;
            reg [ACC_BITS-1:0]            next;
            wire signed [ACC_BITS-1:0] addend =
                {{ACC_BITS-PRODUCT_BITS{product[PRODUCT_BITS-1]}}, product};
            always @(posedge clk) begin
                value_1 <= value[i*VALUE_BITS +: VALUE_BITS];
                product <= weight_1 * value_1;
                // So written, the accumulator is the P register of the multiplier's DSP48E1.
                if (valid_2) accumulator <= (first_2 ? {ACC_BITS{1'b0}} : accumulator) + addend;
                if (move)  next <= accumulator;
                if (offer) done_accumulator[i*ACC_BITS +: ACC_BITS] <= next;
            end
        end
    endgenerate

    always @(posedge clk) begin
        valid_1    <= valid;
        valid_2    <= valid_1;
        full       <= (valid_2 & last_2) | (full & !move);
        next_valid <= move | (next_valid & !offer);
        done_valid <= offer | (done_valid & !done_ready);
        if (rst) {valid_1, valid_2, full, next_valid, done_valid} <= 5'b00000;
    end
endmodule
`default_nettype wire
