// SPDX-License-Identifier: Apache-2.0
//
// pasa_predicted_weight - 2^-distance of one key
//
// Why      Predicted weights only steer: a 16-entry table and a shift do.
// Contract * out = 2^-distance, PREDICTED_WEIGHT_FRACTION fraction bits,
//            floored; 0 from DISTANCE_FAR on, and where `zero` is set
//          * latency 2 clocks, one a clock
//          * golden: arithmetic.Integer.predicted_weight
// Cost     about 30 LUT
// Checked  make unit M=pasa_predicted_weight

`default_nettype none
`include "pasa_formats.vh"
module pasa_predicted_weight (
    input  wire                                     clk,
    input  wire [`PASA_DISTANCE_BITS-1:0]           distance, // 1/16 octave
    input  wire                                     zero,
    output reg  [`PASA_PREDICTED_WEIGHT_FRACTION:0] out       // UQ1.14
);
    localparam WIDTH = `PASA_PREDICTED_WEIGHT_FRACTION + 1;

    wire [`PASA_PREDICTED_FRACTION-1:0] index = distance[`PASA_PREDICTED_FRACTION-1:0];
    reg  [WIDTH-1:0] entry;
    always @* begin
        case (index)
            `include "pasa_predicted_weight_table.vh"
        endcase
    end

    // Up to three octaves while the table is read, then four, eight or twelve:
    // six inputs a bit each time.
    wire [`PASA_DISTANCE_BITS-1:`PASA_PREDICTED_FRACTION] octave =
        distance[`PASA_DISTANCE_BITS-1:`PASA_PREDICTED_FRACTION];
    reg [WIDTH-1:0] mantissa;
    reg [1:0]       quads;
    always @(posedge clk) begin
        mantissa <= entry >> octave[`PASA_PREDICTED_FRACTION +: 2];
        if (zero) mantissa <= {WIDTH{1'b0}};
        quads    <= octave[`PASA_PREDICTED_FRACTION+2 +: 2];
        out      <= mantissa >> {quads, 2'd0};  // octave 15, so also far and masked, gives 0
    end
endmodule
`default_nettype wire
