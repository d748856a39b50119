// SPDX-License-Identifier: Apache-2.0
//
// pasa_nibble_dot - predicted scores of one row: PRED_KEYS dot products
//
// Why      The top bits of the leading dimensions tell which keys matter.
// Contract * each `run` clock brings 16 dimensions of PRED_KEYS keys and of
//            the row; `first` (with it) starts a new sum, else it adds on
//          * the products hold 4 clocks after the last slice went in
//          * golden: the integer product in fixed._Head.predict
// Cost     PRED_KEYS*16 multipliers of PRED_BITS, about 500 LUT a key
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
    localparam P = 2 * PRED_BITS;    // one product
    localparam Q = P + 2;            // four of them
    localparam S = P + 4;            // all 16

    reg [2:0] runs, firsts;          // of the stages below; data are don't
    always @(posedge clk) begin      // care when no run is near, so no reset
        runs   <= {runs[1:0], run};
        firsts <= {firsts[1:0], first};
    end

    genvar c, i;
    generate for (c = 0; c < PRED_KEYS; c = c + 1) begin : g_key
        wire [4*Q-1:0] fours;
        for (i = 0; i < 4; i = i + 1) begin : g_four
            localparam AT = c * 16 + i * 4;
            wire signed [PRED_BITS-1:0] k0 = keys[(AT+0)*PRED_BITS +: PRED_BITS];
            wire signed [PRED_BITS-1:0] k1 = keys[(AT+1)*PRED_BITS +: PRED_BITS];
            wire signed [PRED_BITS-1:0] k2 = keys[(AT+2)*PRED_BITS +: PRED_BITS];
            wire signed [PRED_BITS-1:0] k3 = keys[(AT+3)*PRED_BITS +: PRED_BITS];
            wire signed [PRED_BITS-1:0] q0 = row[(i*4+0)*PRED_BITS +: PRED_BITS];
            wire signed [PRED_BITS-1:0] q1 = row[(i*4+1)*PRED_BITS +: PRED_BITS];
            wire signed [PRED_BITS-1:0] q2 = row[(i*4+2)*PRED_BITS +: PRED_BITS];
            wire signed [PRED_BITS-1:0] q3 = row[(i*4+3)*PRED_BITS +: PRED_BITS];
            reg signed [P-1:0] p0, p1, p2, p3;
            reg [Q-1:0] four;
            always @(posedge clk) begin
                if (run) begin
                    p0 <= k0 * q0;
                    p1 <= k1 * q1;
                    p2 <= k2 * q2;
                    p3 <= k3 * q3;
                end
                if (runs[0])
                    four <= ({{2{p0[P-1]}}, p0} + {{2{p1[P-1]}}, p1})
                          + ({{2{p2[P-1]}}, p2} + {{2{p3[P-1]}}, p3});
            end
            assign fours[i*Q +: Q] = four;
        end
        wire [Q-1:0] f0 = fours[0*Q +: Q], f1 = fours[1*Q +: Q];
        wire [Q-1:0] f2 = fours[2*Q +: Q], f3 = fours[3*Q +: Q];
        reg [S-1:0] slice;
        reg [PRODUCT_BITS-1:0] product;
        wire [PRODUCT_BITS-1:0] wide = {{(PRODUCT_BITS-S){slice[S-1]}}, slice};
        always @(posedge clk) begin
            if (runs[1])
                slice <= ({{2{f0[Q-1]}}, f0} + {{2{f1[Q-1]}}, f1})
                       + ({{2{f2[Q-1]}}, f2} + {{2{f3[Q-1]}}, f3});
            if (runs[2]) product <= firsts[2] ? wide : product + wide;
        end
        assign products[c*PRODUCT_BITS +: PRODUCT_BITS] = product;
    end endgenerate
endmodule
`default_nettype wire
