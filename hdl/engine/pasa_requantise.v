// SPDX-License-Identifier: Apache-2.0
//
// pasa_requantise - averages to output codes: multiply, shift, round half to even, saturate
//
// Why      The last step of a row: one factor holds the reciprocal of its weights
//          and the command's output scale.
// Contract * out_code = in_average * in_factor / 2^in_shift, rounded half to even,
//            saturated to int8 or int16 (in_int16), sign-extended to 16 bits, for
//            each of DIMS dimensions; golden function arithmetic.Integer.output
//          * out_saturated: dimensions whose code was clipped
//          * in_shift is 1 to PASA_OUTPUT_SHIFT_MAX (47)
//          * latency 7 clocks, one group a clock, no stalls
//          * in_user leaves beside the result it came with
//          * reset clears valid bits only
// Width    Shifting by shift - 1 leaves the code and one bit below it, the half.
//          Only 18 bits of that are kept; `far` records that the bits above them
//          were not all copies of the sign, so the code is clipped for certain.
//          `sticky` records that a 1 was shifted out below the half: no tie.
// Cost     DIMS DSP48E1 (25 x 18), three registered 4:1 shifter stages a dimension
// Checked  make unit M=pasa_requantise

`include "pasa_formats.vh"
`default_nettype none
module pasa_requantise #(
    parameter DIMS         = 16,
    parameter USER         = 1,      // bits of the tag carried along, at least 1
    // Derived; leave as it is.
    parameter AVERAGE_BITS = 9 + `PASA_AVERAGE_FRACTION
) (
    input  wire                         clk,
    input  wire                         rst,   // synchronous, active high

    input  wire                         in_valid,
    input  wire [DIMS*AVERAGE_BITS-1:0] in_average,  // signed
    input  wire [`PASA_FACTOR_BITS-1:0] in_factor,   // unsigned
    input  wire [`PASA_SHIFT_BITS-1:0]  in_shift,
    input  wire                         in_int16,
    input  wire [USER-1:0]              in_user,

    output wire                         out_valid,
    output wire [DIMS*16-1:0]           out_code,    // signed
    output wire [DIMS-1:0]              out_saturated,
    output wire [USER-1:0]              out_user
);
    localparam LATENCY = 7;
    localparam PRODUCT = AVERAGE_BITS + `PASA_FACTOR_BITS;
    localparam KEPT_3  = 18 + 15;    // 15 places are still to be shifted
    localparam KEPT_4  = 18 + 3;

    // Shared by all dimensions: factor, places to drop (shift - 1), width of the code.
    reg signed [`PASA_FACTOR_BITS:0] factor_1;       // top bit 0
    reg [`PASA_SHIFT_BITS-1:0]       drop_1, drop_2;
    reg [3:0]                        drop_3;
    reg [1:0]                        drop_4;
    reg                              past_16_3, past_32_3;  // 16, 32 places were dropped
    wire                             int16_6;
    always @(posedge clk) begin
        factor_1  <= {1'b0, in_factor};
        drop_1    <= in_shift - 1'b1;
        drop_2    <= drop_1;
        drop_3    <= drop_2[3:0];
        drop_4    <= drop_3[1:0];
        past_16_3 <= |drop_2[5:4];
        past_32_3 <= drop_2[5];
    end
    pasa_delay #(.WIDTH(1), .CLOCKS(6)) int16 (
        .clk(clk), .in(in_int16), .out(int16_6));

    genvar d;
    generate for (d = 0; d < DIMS; d = d + 1) begin : g_dim
        // Stages 1 and 2: operands and product, inside the DSP48E1.
        reg signed [AVERAGE_BITS-1:0] average_1;
        reg signed [PRODUCT-1:0]      product_2;
        always @(posedge clk) begin
            average_1 <= in_average[d*AVERAGE_BITS +: AVERAGE_BITS];
            product_2 <= average_1 * factor_1;
        end

        // Stage 3: drop 0, 16 or 32 places.
        wire signed [PRODUCT-1:0] by_16 = product_2 >>> {drop_2[5:4], 4'b0000};
        wire sign_2 = product_2[PRODUCT-1];
        reg signed [KEPT_3-1:0] kept_3;
        reg                     far_3, low_3, middle_3, sign_3;
        always @(posedge clk) begin
            kept_3   <= by_16[KEPT_3-1:0];
            far_3    <= by_16[PRODUCT-1:KEPT_3-1] != {(PRODUCT-KEPT_3+1){sign_2}};
            low_3    <= |product_2[15:0];
            middle_3 <= |product_2[31:16];
            sign_3   <= sign_2;
        end

        // Stage 4: drop 0, 4, 8 or 12 places.
        wire signed [KEPT_3-1:0] by_4 = kept_3 >>> {drop_3[3:2], 2'b00};
        reg signed [KEPT_4-1:0] kept_4;
        reg                     far_4, sticky_4, sign_4;
        always @(posedge clk) begin
            kept_4   <= by_4[KEPT_4-1:0];
            far_4    <= far_3 | (by_4[KEPT_3-1:KEPT_4-1] != {(KEPT_3-KEPT_4+1){sign_3}});
            sticky_4 <= (past_16_3 & low_3) | (past_32_3 & middle_3)
                      | (|drop_3[3:2] & |kept_3[3:0]) | (drop_3[3] & |kept_3[7:4])
                      | (&drop_3[3:2] & |kept_3[11:8]);
            sign_4   <= sign_3;
        end

        // Stage 5: drop 0 to 3 places.
        wire signed [KEPT_4-1:0] by_1 = kept_4 >>> drop_4;
        reg [17:0] kept_5;                           // floor of the code, and the half
        reg        far_5, sticky_5, sign_5;
        always @(posedge clk) begin
            kept_5   <= by_1[17:0];
            far_5    <= far_4 | (by_1[KEPT_4-1:17] != {(KEPT_4-17){sign_4}});
            sticky_5 <= sticky_4 | (|drop_4 & kept_4[0]) | (drop_4[1] & kept_4[1])
                      | (&drop_4 & kept_4[2]);
            sign_5   <= sign_4;
        end

        // Stage 6: round half to even.
        reg [17:0] rounded_6;
        reg        far_6, sign_6;
        always @(posedge clk) begin
            rounded_6 <= {kept_5[17], kept_5[17:1]}
                       + {17'd0, kept_5[0] & (sticky_5 | kept_5[1])};
            far_6     <= far_5;
            sign_6    <= sign_5;
        end

        // Stage 7: saturate.
        wire high_6 = rounded_6[17:15] != {3{rounded_6[17]}};   // beyond int16
        wire low_6  = rounded_6[15:7]  != {9{rounded_6[17]}};   // beyond int8
        wire clip_6 = far_6 | high_6 | (low_6 & !int16_6);
        reg [15:0] code_7;
        reg        saturated_7;
        always @(posedge clk) begin
            saturated_7 <= clip_6;
            code_7      <= rounded_6[15:0];
            if (clip_6) code_7 <= {sign_6, {8{int16_6 ^ sign_6}}, {7{!sign_6}}};
        end

        assign out_code[16*d +: 16] = code_7;
        assign out_saturated[d]     = saturated_7;
    end endgenerate

    reg [LATENCY-1:0] valid;
    always @(posedge clk) valid <= rst ? {LATENCY{1'b0}} : {valid[LATENCY-2:0], in_valid};

    pasa_delay #(.WIDTH(USER), .CLOCKS(LATENCY)) user (
        .clk(clk), .in(in_user), .out(out_user));

    assign out_valid = valid[LATENCY-1];
endmodule
`default_nettype wire
