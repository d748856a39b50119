// SPDX-License-Identifier: Apache-2.0
//
// pasa_leading_one - splits a sum of weights into 2^n and a mantissa in [1, 2)
//
// Why      The sum of a row's weights may be anything from 1 to TILE_KEYS times
//          2^23. Its power of two divides by a shift, its mantissa by a table.
// Contract * out_leading_one = n, the place of the highest 1 of in_total
//          * out_mantissa = the 17 bits below it, zeros after the last; golden
//            function arithmetic.leading_one
//          * in_total 0: out_zero is 1, n and the mantissa are 0 (as for 1)
//          * latency 4 clocks, one total a clock, no stalls
//          * in_user leaves beside the result it came with
//          * reset clears valid bits only
// Cost     a flag for each byte, an 8-bit priority encoder, two shifter stages
// Checked  make unit M=pasa_leading_one

`include "pasa_formats.vh"
`default_nettype none
module pasa_leading_one #(
    parameter TOTAL_BITS    = 35,    // 9 to 64
    parameter USER          = 1,     // bits of the tag carried along, at least 1
    // Derived; leave as they are.
    parameter POSITION_BITS = $clog2(TOTAL_BITS),
    parameter MANTISSA_BITS = `PASA_RECIPROCAL_INDEX_BITS + `PASA_RECIPROCAL_LOW_BITS
) (
    input  wire                     clk,
    input  wire                     rst,   // synchronous, active high

    input  wire                     in_valid,
    input  wire [TOTAL_BITS-1:0]    in_total,
    input  wire [USER-1:0]          in_user,

    output wire                     out_valid,
    output wire [POSITION_BITS-1:0] out_leading_one,
    output wire [MANTISSA_BITS-1:0] out_mantissa, // without its leading 1
    output wire                     out_zero,
    output wire [USER-1:0]          out_user
);
    generate if (TOTAL_BITS < 9 || TOTAL_BITS > 64) begin : g_check
        pasa_leading_one_ERROR_TOTAL_BITS_must_be_9_to_64 bad ();
    end endgenerate

    localparam LATENCY     = 4;
    localparam BYTES       = (TOTAL_BITS + 7) / 8;
    localparam COARSE_BITS = POSITION_BITS - 3;
    localparam WINDOW      = 8 + MANTISSA_BITS;  // a byte and what lies below it

    // Stage 1: which bytes hold a 1.
    wire [8*BYTES-1:0] whole = {{(8*BYTES-TOTAL_BITS){1'b0}}, in_total};
    reg  [8*BYTES-1:0] total_1;
    reg  [BYTES-1:0]   any_1;
    always @(posedge clk) total_1 <= whole;

    genvar b;
    generate for (b = 0; b < BYTES; b = b + 1) begin : g_byte
        always @(posedge clk) any_1[b] <= |whole[8*b +: 8];
    end endgenerate

    // Stage 2: the highest such byte comes to the top of the window.
    wire [8*BYTES+MANTISSA_BITS-1:0] padded = {total_1, {MANTISSA_BITS{1'b0}}};
    reg  [COARSE_BITS-1:0] coarse, coarse_2;
    reg  [WINDOW-1:0]      window, window_2;
    reg                    zero_2;
    integer                i;
    always @* begin
        coarse = {COARSE_BITS{1'b0}};
        window = padded[0 +: WINDOW];
        for (i = 1; i < BYTES; i = i + 1)
            if (any_1[i]) begin
                coarse = i[COARSE_BITS-1:0];
                window = padded[8*i +: WINDOW];
            end
    end
    always @(posedge clk) begin
        coarse_2 <= coarse;
        window_2 <= window;
        zero_2   <= any_1 == {BYTES{1'b0}};
    end

    // Stage 3: the highest 1 within that byte.
    reg [2:0]             fine, fine_3;
    reg [COARSE_BITS-1:0] coarse_3;
    reg [WINDOW-2:0]      window_3;              // the top bit can only be the leading 1
    reg                   zero_3;
    integer               j;
    always @* begin
        fine = 3'd0;
        for (j = 1; j < 8; j = j + 1)
            if (window_2[MANTISSA_BITS + j]) fine = j[2:0];
    end
    always @(posedge clk) begin
        fine_3   <= fine;
        coarse_3 <= coarse_2;
        window_3 <= window_2[WINDOW-2:0];
        zero_3   <= zero_2;
    end

    // Stage 4: the bits below it.
    reg [POSITION_BITS-1:0] position_4;
    reg [MANTISSA_BITS-1:0] mantissa_4;
    reg                     zero_4;
    /* verilator lint_off UNUSEDSIGNAL */        // what is above the mantissa is the leading 1
    wire [WINDOW-2:0]       below_3 = window_3 >> fine_3;
    /* verilator lint_on UNUSEDSIGNAL */
    always @(posedge clk) begin
        position_4 <= {coarse_3, fine_3};
        mantissa_4 <= below_3[MANTISSA_BITS-1:0];
        zero_4     <= zero_3;
    end

    reg [LATENCY-1:0] valid;
    always @(posedge clk) valid <= rst ? {LATENCY{1'b0}} : {valid[LATENCY-2:0], in_valid};

    pasa_delay #(.WIDTH(USER), .CLOCKS(LATENCY)) user (
        .clk(clk), .in(in_user), .out(out_user));

    assign out_valid       = valid[LATENCY-1];
    assign out_leading_one = position_4;
    assign out_mantissa    = mantissa_4;
    assign out_zero        = zero_4;
endmodule
`default_nettype wire
