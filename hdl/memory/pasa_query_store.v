// SPDX-License-Identifier: Apache-2.0
//
// pasa_query_store - query rows wait until their whole command has arrived
//
// Why      A command starts only when its packets are whole and right, so rows
//          become readable packet by packet, or vanish with their packet.
// Contract * row_valid writes a row, always accepted while full was obeyed
//          * commit makes all rows written before readable, rollback drops
//            those written since the last commit; neither in a clock with
//            row_valid, nor both together
//          * committed rows leave in order; m_data holds still while m_valid
//            is high and m_ready low; one row per clock while m_ready is high,
//            the first three clocks after commit
//          * full: no row may follow but those of beats already taken by a
//            pasa_row_loader; never high while nothing committed waits in the
//            memory (but for the clock after commit), so one packet of
//            TILE_KEYS rows always fits
//          * clear drops everything (soft reset)
// Cost     HEAD_DIM*8 x TILE_KEYS bits of block RAM; HEAD_DIM*8 flip-flops
// Checked  make unit M=pasa_query_store

`default_nettype none
module pasa_query_store #(
    parameter HEAD_DIM  = 64,
    parameter TILE_KEYS = 2048       // rows, a power of two, at least 4
) (
    input  wire                  clk,
    input  wire                  rst,        // synchronous, active high
    input  wire                  clear,

    // from the loader of the query stream
    input  wire                  row_valid,
    input  wire [HEAD_DIM*8-1:0] row_data,   // HEAD_DIM int8
    input  wire                  commit,     // pulse
    input  wire                  rollback,   // pulse
    output reg                   full,

    output wire                  m_valid,    // to the predictor
    input  wire                  m_ready,
    output wire [HEAD_DIM*8-1:0] m_data
);
    localparam ROW_BITS = $clog2(TILE_KEYS);
    localparam WIDTH    = HEAD_DIM * 8;

    // Rows that a loader may still deliver when it sees full: one leaves it,
    // one waits in it, one is being taken.
    localparam IN_FLIGHT = 3;
    localparam FULL_ROWS = TILE_KEYS - IN_FLIGHT + 1;
    localparam [ROW_BITS:0] FULL_FROM = FULL_ROWS[ROW_BITS:0];

    generate if (TILE_KEYS < 4 || (TILE_KEYS & (TILE_KEYS - 1)) != 0) begin : g_check
        pasa_query_store_ERROR_TILE_KEYS_must_be_a_power_of_two_of_at_least_4 bad ();
    end endgenerate

    // Row numbers with a wrap bit, so that differences count rows.
    reg [ROW_BITS:0] written, committed, fetched;
    wire [ROW_BITS:0] held = written - fetched;
    wire waiting = committed != fetched;

    // Two places after the memory: its own output word, and m_data. A place
    // takes the next row when it is empty or being emptied.
    reg word_valid, out_valid;
    wire out_moves  = !out_valid | m_ready;
    wire word_moves = !word_valid | out_moves;
    wire fetch      = waiting & word_moves;

    always @(posedge clk) begin
        if (row_valid) written   <= written + 1'b1;
        if (rollback)  written   <= committed;
        if (commit)    committed <= written;
        if (fetch)     fetched   <= fetched + 1'b1;
        if (rst | clear) begin
            written   <= {(ROW_BITS+1){1'b0}};
            committed <= {(ROW_BITS+1){1'b0}};
            fetched   <= {(ROW_BITS+1){1'b0}};
        end
    end

    // A commit closes the door for one clock, until held rows count as waiting.
    always @(posedge clk) full <= !(rst | clear) & (commit | waiting & held >= FULL_FROM);

    wire [WIDTH-1:0] word;
    pasa_ram #(.WIDTH(WIDTH), .DEPTH(TILE_KEYS)) ram (
        .clk(clk),
        .write_enable(row_valid), .write_address(written[ROW_BITS-1:0]),
        .write_data(row_data),
        .read_enable(fetch), .read_address(fetched[ROW_BITS-1:0]),
        .read_data(word)
    );

    reg [WIDTH-1:0] out;
    always @(posedge clk) begin
        if (word_moves) word_valid <= fetch;
        if (out_moves)  out_valid  <= word_valid;
        if (rst | clear) begin
            word_valid <= 1'b0;
            out_valid  <= 1'b0;
        end
    end
    always @(posedge clk) if (out_moves) out <= word;
    assign m_valid = out_valid;
    assign m_data  = out;
endmodule
`default_nettype wire
