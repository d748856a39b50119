// SPDX-License-Identifier: Apache-2.0
//
// pasa_nibble_dot - predicted scores of one row: PRED_KEYS dot products
//
// Why      The top bits of the leading dimensions tell which keys matter.
//          No multipliers: a row's nibble is two digits to base 4, from -2 to
//          2, so a digit times a key's nibble is a choice of six inputs with
//          the sum so far, one LUT a bit in front of the carry chain. Digits
//          are summed apart and weighted at the end.
// Contract * each `run` clock brings 16 dimensions of PRED_KEYS keys and of
//            the row; `first` (with it) starts a new sum, else it adds on
//          * the products hold 4 clocks after the last slice went in
//          * golden: the integer product in fixed._Head.predict
// Cost     see README.md
// Checked  make unit M=pasa_nibble_dot

`default_nettype none
`include "pasa_formats.vh"
module pasa_nibble_dot #(
    parameter PRED_KEYS = 32,
    parameter HEAD_DIM  = 64,
    parameter PRED_BITS = 4
) (
    input  wire clk,
    input  wire run,
    input  wire first,
    input  wire [PRED_KEYS*16*PRED_BITS-1:0] keys,  // dimension i of key c: place c*16+i
    input  wire [16*PRED_BITS-1:0]           row,   // signed nibbles both
    output wire [PRED_KEYS*(2*PRED_BITS+$clog2(HEAD_DIM))-1:0] products // signed
);
    localparam PRODUCT_BITS = 2 * PRED_BITS + $clog2(HEAD_DIM);
    localparam B = PRED_BITS;
    localparam DIGITS = (B + 1) / 2; // of a row's nibble
    localparam P = B + 1;            // a digit times a key's nibble
    localparam F = B + 3;            // four of these
    localparam S = B + 5;            // all 16
    localparam W = 2 * B + 4;        // the slice's product

    reg [2:0] runs, firsts;          // of the stages below; data are don't
    always @(posedge clk) begin      // care when no run is near, so no reset
        runs   <= {runs[1:0], run};
        firsts <= {firsts[1:0], first};
    end

    // Digit d of a nibble is -2*high + middle + low, where low is the high of
    // the digit before (radix-4 Booth).
    genvar c, d, i;
    wire [DIGITS*16-1:0] high, middle, low;
    generate for (d = 0; d < DIGITS; d = d + 1) begin : g_digit
        localparam TOP = 2 * d + 1 < B ? 2 * d + 1 : B - 1;
        for (i = 0; i < 16; i = i + 1) begin : g_dimension
            assign high[d*16+i]   = row[i*B+TOP];
            assign middle[d*16+i] = row[i*B+2*d];
            if (d == 0) begin : g_lowest
                assign low[d*16+i] = 1'b0;
            end else begin : g_higher
                assign low[d*16+i] = row[i*B+2*d-1];
            end
        end
    end endgenerate

    // A product with high set is inverted, not negated, so it lacks one; and
    // 12 of 16 are subtracted inverted, which adds one each. What is missing
    // is the row's alone, and is added once, two clocks after `run`.
    wire [DIGITS*5-1:0] highs;
    reg  [W-1:0]        missing;
    generate for (d = 0; d < DIGITS; d = d + 1) begin : g_highs
        pasa_popcount #(.COUNT(16)) highs_count (
            .clk(clk), .in(high[d*16 +: 16]), .out(highs[d*5 +: 5])
        );
    end endgenerate
    localparam [W-1:0] SUBTRACTED = 12;
    integer n;
    always @* begin
        missing = {W{1'b0}};
        for (n = 0; n < DIGITS; n = n + 1)
            missing = missing + (({{(W-5){1'b0}}, highs[n*5 +: 5]} - SUBTRACTED) << (2 * n));
    end

    // keep: one carry chain an addition. Yosys would merge additions into a
    // tree of compressors, which takes twice the LUTs; and it brings the first
    // operand of a subtraction to the carry chain, which must be the sum.
    generate for (c = 0; c < PRED_KEYS; c = c + 1) begin : g_key
        wire [DIGITS*S-1:0] sums;
        for (d = 0; d < DIGITS; d = d + 1) begin : g_digit
            wire [16*P-1:0] parts;   // digit times key, inverted where high
            wire [4*F-1:0]  fours;
            for (i = 0; i < 16; i = i + 1) begin : g_part
                wire [B-1:0] key = keys[(c*16+i)*B +: B];
                wire h = high[d*16+i], m = middle[d*16+i], l = low[d*16+i];
                wire once  = m ^ l;
                wire twice = (h & !m & !l) | (!h & m & l);
                assign parts[i*P +: P] = {P{h}} ^ (({key[B-1], key} & {P{once}})
                                                 | ({key, 1'b0} & {P{twice}}));
            end
            for (i = 0; i < 4; i = i + 1) begin : g_four
                wire [P-1:0] p0 =  parts[(i*4+0)*P +: P];
                wire [P-1:0] n1 = ~parts[(i*4+1)*P +: P];
                wire [P-1:0] n2 = ~parts[(i*4+2)*P +: P];
                wire [P-1:0] n3 = ~parts[(i*4+3)*P +: P];
                (* keep *) wire [P:0]   two;
                (* keep *) wire [F-1:0] three;
                assign two   = {p0[P-1], p0} - {n1[P-1], n1};
                assign three = {two[P], two} - {{2{n2[P-1]}}, n2};
                reg [F-1:0] four;
                always @(posedge clk) if (run) four <= three - {{2{n3[P-1]}}, n3};
                assign fours[i*F +: F] = four;
            end
            wire [F-1:0] f0 = fours[0*F +: F], f1 = fours[1*F +: F];
            wire [F-1:0] f2 = fours[2*F +: F], f3 = fours[3*F +: F];
            (* keep *) wire [F:0] f01, f23;
            assign f01 = {f0[F-1], f0} + {f1[F-1], f1};
            assign f23 = {f2[F-1], f2} + {f3[F-1], f3};
            reg [S-1:0] sum;
            always @(posedge clk) if (runs[0]) sum <= {f01[F], f01} + {f23[F], f23};
            assign sums[d*S +: S] = sum;
        end

        // The digits' weights: 1, 4, 16.
        for (d = 0; d < DIGITS; d = d + 1) begin : g_weigh
            wire [W-1:0] weighted = {{(W-S){sums[d*S+S-1]}}, sums[d*S +: S]} << (2 * d);
            (* keep *) wire [W-1:0] total;
            if (d == 0) begin : g_lowest
                assign total = missing + weighted;
            end else begin : g_higher
                assign total = g_weigh[d-1].total + weighted;
            end
        end

        reg [W-1:0]            slice;
        reg [PRODUCT_BITS-1:0] product;
        wire [PRODUCT_BITS-1:0] wide   = {{(PRODUCT_BITS-W){slice[W-1]}}, slice};
        wire [PRODUCT_BITS-1:0] so_far = firsts[2] ? {PRODUCT_BITS{1'b0}} : product;
        always @(posedge clk) begin
            if (runs[1]) slice   <= g_weigh[DIGITS-1].total;
            if (runs[2]) product <= wide + so_far;
        end
        assign products[c*PRODUCT_BITS +: PRODUCT_BITS] = product;
    end endgenerate
endmodule
`default_nettype wire
