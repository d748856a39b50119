// SPDX-License-Identifier: Apache-2.0
//
// pasa_row_range - which keys one row may see
//
// Why      Every mask of a row is one range and a count of sink keys, so a
//          key's visibility is three compares with numbers known beforehand.
// Contract * the row sees key j when j < stop and (j >= from or j < sinks)
//          * stop = min(key_length, causal ? position + 1 :
//            window ? position + window : all), from = window ?
//            position - window + 1 : 0, both clipped to 0..TILE_KEYS;
//            an absent row has stop 0
//          * latency 2 clocks
//          * golden: masks.visible_keys
// Cost     about 120 LUT
// Checked  make unit M=pasa_row_range

`default_nettype none
`include "pasa_formats.vh"
module pasa_row_range #(
    parameter TILE_KEYS = 2048
) (
    input  wire                            clk,
    input  wire                            present,
    input  wire                            causal,
    input  wire [`PASA_LENGTH_BITS-1:0]    window,     // 0: none
    input  wire [$clog2(TILE_KEYS):0]      key_length,
    input  wire [`PASA_POSITION_BITS+1:0]  position,   // signed
    output reg  [$clog2(TILE_KEYS):0]      stop,
    output reg  [$clog2(TILE_KEYS):0]      from
);
    localparam COUNT_BITS = $clog2(TILE_KEYS) + 1;
    localparam B = `PASA_POSITION_BITS + 2;
    localparam [COUNT_BITS-1:0] ALL = TILE_KEYS[COUNT_BITS-1:0];

    wire windowed = |window;
    wire [B-1:0] reach = causal ? {{(B-1){1'b0}}, 1'b1}
                                : {{(B-`PASA_LENGTH_BITS){1'b0}}, window};
    wire [B-1:0] back  = {{(B-`PASA_LENGTH_BITS){1'b0}}, window} - {{(B-1){1'b0}}, 1'b1};

    reg signed [B-1:0] stop_raw, from_raw;
    reg bounded_above, bounded_below;
    always @(posedge clk) begin
        stop_raw      <= position + reach;
        from_raw      <= position - back;
        bounded_above <= causal | windowed;
        bounded_below <= windowed;
    end

    wire signed [B-1:0] length = {{(B-COUNT_BITS){1'b0}}, key_length};
    wire signed [B-1:0] tile   = {{(B-COUNT_BITS){1'b0}}, ALL};
    always @(posedge clk) begin
        if (!present)                                stop <= {COUNT_BITS{1'b0}};
        else if (!bounded_above | stop_raw > length) stop <= key_length;
        else if (stop_raw[B-1])                      stop <= {COUNT_BITS{1'b0}};
        else                                         stop <= stop_raw[COUNT_BITS-1:0];
        if (!bounded_below | from_raw[B-1]) from <= {COUNT_BITS{1'b0}};
        else if (from_raw > tile)           from <= ALL;
        else                                from <= from_raw[COUNT_BITS-1:0];
    end
endmodule
`default_nettype wire
