// SPDX-License-Identifier: Apache-2.0
//
// pasa_visibility - which keys of a word one row may see
//
// Why      Masked keys must leave no trace in any bit of the output.
// Contract * bit c: key j = word*PRED_KEYS + c has j < stop and
//            (j >= from or j < sinks)
//          * latency WAIT + 2 clocks (WAIT delays numbers, not bits)
//          * golden: masks.visible_keys
// Cost     about 4*PRED_KEYS LUT
// Checked  make unit M=pasa_row_range

`default_nettype none
module pasa_visibility #(
    parameter PRED_KEYS = 32,
    parameter TILE_KEYS = 2048,
    parameter WAIT      = 6
) (
    input  wire                                   clk,
    input  wire [$clog2(TILE_KEYS/PRED_KEYS)-1:0] word,
    input  wire [$clog2(TILE_KEYS):0]             stop,
    input  wire [$clog2(TILE_KEYS):0]             from,
    input  wire [$clog2(TILE_KEYS):0]             sinks,
    output wire [PRED_KEYS-1:0]                   visible
);
    localparam COUNT_BITS = $clog2(TILE_KEYS) + 1;
    localparam LOW        = $clog2(PRED_KEYS);
    localparam PLACE      = LOW + 1;           // a place in the word, 0..PRED_KEYS

    // Where each bound falls in this word: 0 before it, PRED_KEYS beyond it.
    wire [3*COUNT_BITS-1:0] bounds = {stop, from, sinks};
    reg  [3*PLACE-1:0]      places;
    wire [3*PLACE-1:0]      places_late;
    genvar b, c;
    generate for (b = 0; b < 3; b = b + 1) begin : g_bound
        wire [COUNT_BITS-1:0] bound = bounds[b*COUNT_BITS +: COUNT_BITS];
        wire [COUNT_BITS-LOW-1:0] bound_word = bound[COUNT_BITS-1:LOW];
        always @(posedge clk)
            places[b*PLACE +: PLACE] <= bound_word >  {1'b0, word} ? {1'b1, {LOW{1'b0}}}
                                      : bound_word == {1'b0, word} ? {1'b0, bound[LOW-1:0]}
                                                                   : {PLACE{1'b0}};
    end endgenerate
    pasa_delay #(.WIDTH(3 * PLACE), .CLOCKS(WAIT)) wait_ (
        .clk(clk), .in(places), .out(places_late)
    );

    wire [PLACE-1:0] stop_place  = places_late[2*PLACE +: PLACE];
    wire [PLACE-1:0] from_place  = places_late[1*PLACE +: PLACE];
    wire [PLACE-1:0] sinks_place = places_late[0*PLACE +: PLACE];
    generate for (c = 0; c < PRED_KEYS; c = c + 1) begin : g_key
        localparam [PLACE-1:0] PLACE_OF = c;
        reg seen;
        always @(posedge clk)
            seen <= PLACE_OF < stop_place & (PLACE_OF >= from_place | PLACE_OF < sinks_place);
        assign visible[c] = seen;
    end endgenerate
endmodule
`default_nettype wire
