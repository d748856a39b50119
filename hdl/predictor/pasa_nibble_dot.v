// SPDX-License-Identifier: Apache-2.0
//
// pasa_nibble_dot - predicted scores of one row: PRED_KEYS dot products
//
// Why      The top bits of the leading dimensions tell which keys matter.
//          No multipliers: each bit of the row's nibbles gates the keys'
//          nibbles, the gated ones are added, and the sums of the bits are
//          weighted at the end, a third smaller than products first.
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
    localparam F = B + 2;            // four gated nibbles
    localparam S = B + 4;            // all 16
    localparam W = 2 * B + 4;        // the slice's product
    localparam PAIRS = (B + 1) / 2;

    reg [2:0] runs, firsts;          // of the stages below; data are don't
    always @(posedge clk) begin      // care when no run is near, so no reset
        runs   <= {runs[1:0], run};
        firsts <= {firsts[1:0], first};
    end

    genvar c, b, i;
    generate for (c = 0; c < PRED_KEYS; c = c + 1) begin : g_key
        wire [B*S-1:0] sums;         // one for each bit of the row's nibbles
        for (b = 0; b < B; b = b + 1) begin : g_bit
            wire [4*F-1:0] fours;
            for (i = 0; i < 4; i = i + 1) begin : g_four
                localparam AT = c * 16 + i * 4;
                wire [B-1:0] k0 = keys[(AT+0)*B +: B] & {B{row[(i*4+0)*B+b]}};
                wire [B-1:0] k1 = keys[(AT+1)*B +: B] & {B{row[(i*4+1)*B+b]}};
                wire [B-1:0] k2 = keys[(AT+2)*B +: B] & {B{row[(i*4+2)*B+b]}};
                wire [B-1:0] k3 = keys[(AT+3)*B +: B] & {B{row[(i*4+3)*B+b]}};
                wire [B:0]   k01 = {k0[B-1], k0} + {k1[B-1], k1};
                wire [B:0]   k23 = {k2[B-1], k2} + {k3[B-1], k3};
                reg  [F-1:0] four;
                always @(posedge clk) if (run) four <= {k01[B], k01} + {k23[B], k23};
                assign fours[i*F +: F] = four;
            end
            wire [F-1:0] f0 = fours[0*F +: F], f1 = fours[1*F +: F];
            wire [F-1:0] f2 = fours[2*F +: F], f3 = fours[3*F +: F];
            wire [F:0]   f01 = {f0[F-1], f0} + {f1[F-1], f1};
            wire [F:0]   f23 = {f2[F-1], f2} + {f3[F-1], f3};
            reg  [S-1:0] sum;
            always @(posedge clk) if (runs[0]) sum <= {f01[F], f01} + {f23[F], f23};
            assign sums[b*S +: S] = sum;
        end

        // The bits' weights: 1, 2, 4, ... and minus for the sign, in pairs.
        wire [PAIRS*(S+2)-1:0] pairs;
        for (b = 0; b < PAIRS; b = b + 1) begin : g_pair
            wire [S-1:0] low  = sums[2*b*S +: S];
            wire [S+1:0] low2 = {{2{low[S-1]}}, low};
            if (2 * b == B - 1) begin : g_sign_alone
                assign pairs[b*(S+2) +: S+2] = {(S+2){1'b0}} - low2;
            end else begin : g_two
                wire [S-1:0] high  = sums[(2*b+1)*S +: S];
                wire [S+1:0] high2 = {high[S-1], high, 1'b0};
                assign pairs[b*(S+2) +: S+2] = 2 * b + 1 == B - 1 ? low2 - high2 : low2 + high2;
            end
        end
        reg [W-1:0] weighted, slice;
        integer p;
        always @* begin
            weighted = {{(W-S-2){pairs[S+1]}}, pairs[S+1:0]};
            for (p = 1; p < PAIRS; p = p + 1)
                weighted = weighted + ({{(W-S-2){pairs[p*(S+2)+S+1]}}, pairs[p*(S+2) +: S+2]}
                                       << (2 * p));
        end

        reg [PRODUCT_BITS-1:0] product;
        wire [PRODUCT_BITS-1:0] wide = {{(PRODUCT_BITS-W){slice[W-1]}}, slice};
        always @(posedge clk) begin
            if (runs[1]) slice   <= weighted;
            if (runs[2]) product <= firsts[2] ? wide : product + wide;
        end
        assign products[c*PRODUCT_BITS +: PRODUCT_BITS] = product;
    end endgenerate
endmodule
`default_nettype wire
