// SPDX-License-Identifier: Apache-2.0
//
// pasa_lane - one lane of the sparse-attention engine: SCORE and WEIGH of a row at a time
//
// Why      A score can be followed through this one file: item (which key) -> key memory -> exact
//          dot product -> item FIFO -> weight against the row's reference -> value memory ->
//          weighted sum.
// Contract * one item a clock in SCORE and in WEIGH; WEIGH of a row runs while SCORE works on the
//            next rows, so a row costs kept keys + virtual keys clocks, and nothing between rows
//          * SCORE waits for key_ready and for room in the item FIFO; WEIGH holds its items back in
//            a clock with value_hold (a value will be written VALUE_NOTICE clocks later, at the
//            very clock in which that item would have read)
//          * finished rows wait at done_* until done_ready
// Formats  score exact; reference integer octaves; weight U1.23 (pasa_weight)
// Latency  from assign_valid to done_valid: items + 40 clocks when nothing waits
// Cost     2*HEAD_DIM + 3 DSP48E1, item FIFO 4 RAMB36 at TILE_KEYS 2048
// Checked  make unit M=pasa_lane

`default_nettype none
`include "pasa_formats.vh"
module pasa_lane #(
    parameter ROWS         = 4,
    parameter HEAD_DIM     = 64,
    parameter TILE_KEYS    = 2048,
    parameter BLOCK_KEYS   = 64,
    parameter RING_BLOCKS  = 8,
    parameter PLACE_BITS   = 5,      // of what a row carries to the normaliser
    parameter SLOTS        = 2,      // commands under way
    // derived, not to be set
    parameter SLOT_BITS    = $clog2(SLOTS),
    parameter ROW_BITS     = (ROWS == 1) ? 1 : $clog2(ROWS),
    parameter RING_BITS    = $clog2(RING_BLOCKS),
    parameter KEY_BITS     = $clog2(TILE_KEYS),
    parameter BLOCK_LOG2   = $clog2(BLOCK_KEYS),
    parameter BLOCK_BITS   = KEY_BITS - BLOCK_LOG2,
    parameter COUNT_BITS   = KEY_BITS + 1,
    parameter TAIL_BITS    = `PASA_PREDICTED_WEIGHT_FRACTION + 1 + BLOCK_LOG2,
    parameter ENTRY_BITS   = BLOCK_BITS + BLOCK_KEYS + TAIL_BITS,
    parameter SCORE_BITS   = 16 + $clog2(HEAD_DIM),
    parameter VALUE_BITS   = 8 + BLOCK_LOG2,
    parameter TOTAL_BITS   = `PASA_WEIGHT_BITS + KEY_BITS,
    parameter ACC_BITS     = TOTAL_BITS + 8
) (
    input  wire                            clk,
    input  wire                            rst,

    // command fields of all slots, slot 0 lowest
    input  wire [SLOTS*`PASA_SCORE_MULTIPLIER_BITS-1:0] score_multiplier,
    input  wire [SLOTS*`PASA_SHIFT_BITS-1:0] score_shift,
    input  wire [2*SLOTS-1:0]              slot_place,        // {tile, half} of its keys

    // dispatcher: the next row, and its query
    output wire                            ready,
    input  wire                            assign_valid,
    input  wire [RING_BITS-1:0]            assign_ring_block,
    input  wire [ROW_BITS-1:0]             assign_row,
    input  wire [SLOT_BITS-1:0]            assign_slot,
    input  wire [COUNT_BITS-1:0]           assign_items,
    input  wire [BLOCK_BITS:0]             assign_entries,
    input  wire [`PASA_REFERENCE_BITS-1:0] assign_reference,  // predicted, in octaves
    input  wire                            assign_tail,       // the row has virtual keys
    input  wire [PLACE_BITS-1:0]           assign_place,
    input  wire [HEAD_DIM*8-1:0]           assign_query,

    // ring: selected keys
    output wire                            read,
    output wire [RING_BITS-1:0]            read_block,
    output wire [ROW_BITS-1:0]             read_row,
    output wire [BLOCK_BITS-1:0]           read_entry,
    input  wire [ENTRY_BITS-1:0]           entry,             // two clocks later
    output wire                            release_valid,
    output wire [RING_BITS-1:0]            release_block,
    output wire [ROW_BITS-1:0]             release_row,

    // key store: {tile, key}
    output wire                            key_valid,
    input  wire                            key_ready,
    output wire [KEY_BITS:0]               key_address,
    input  wire [HEAD_DIM*8-1:0]           key_data,          // two clocks later

    // value store: {tile, key}, or {tile, block} for the sum over a block
    output wire                            value_valid,
    input  wire                            value_hold,
    output wire [KEY_BITS:0]               value_address,
    output wire                            value_is_block,
    input  wire [HEAD_DIM*VALUE_BITS-1:0]  value_data,        // three clocks later

    // normaliser: finished rows
    output wire                            done_valid,
    input  wire                            done_ready,
    output wire [HEAD_DIM*ACC_BITS-1:0]    done_accumulator,
    output wire [TOTAL_BITS-1:0]           done_total,
    output wire [`PASA_REFERENCE_BITS-1:0] done_reference,    // of both, in octaves
    output wire [PLACE_BITS-1:0]           done_place,
    output wire [SLOT_BITS-1:0]            done_slot
);
    localparam QUERIES       = 4;                   // rows between assign and their last score
    localparam ROW_LIMIT     = 8;                   // rows between assign and WEIGH
    localparam ITEM_DEPTH    = 2 * TILE_KEYS;       // one row being weighed, one being scored
    localparam ITEM_ADDRESS  = KEY_BITS + 1;
    localparam VALUE_WIDTH   = (SCORE_BITS > TAIL_BITS) ? SCORE_BITS : TAIL_BITS;
    localparam SCORE_LATENCY = 2 + $clog2(HEAD_DIM);
    localparam WEIGHT_LATENCY = 12;                  // of pasa_weight
    localparam READ_LATENCY  = 3;                   // of the value store

    // ---- rows in this lane ------------------------------------------------------------------
    reg  [1:0] query_write;                         // place of the next row's query
    reg  [2:0] scoring;                             // rows assigned, last score still to come
    reg  [3:0] waiting;                             // rows assigned, not yet taken by WEIGH
    wire       reader_ready, row_scored, weigh_take;
    assign ready = reader_ready & (scoring < QUERIES[2:0]) & (waiting < ROW_LIMIT[3:0]);
    always @(posedge clk) begin
        query_write <= query_write + {1'b0, assign_valid};
        scoring     <= scoring + {2'b0, assign_valid} - {2'b0, row_scored};
        waiting     <= waiting + {3'b0, assign_valid} - {3'b0, weigh_take};
        if (rst) begin
            query_write <= 2'd0;
            scoring     <= 3'd0;
            waiting     <= 4'd0;
        end
    end

    reg [HEAD_DIM*8-1:0] queries [0:QUERIES-1];
    always @(posedge clk) if (assign_valid) queries[query_write] <= assign_query;

    // ---- SCORE: items -> keys -> exact scores -----------------------------------------------
    wire                 item_valid, item_ready, item_is_block, item_null, item_last;
    wire [SLOT_BITS-1:0] item_slot;
    wire [KEY_BITS-1:0]  item_index;
    wire [TAIL_BITS-1:0] item_tail;
    wire [1:0]           item_query;
    pasa_kept_reader #(
        .ROWS(ROWS), .TILE_KEYS(TILE_KEYS), .BLOCK_KEYS(BLOCK_KEYS), .RING_BLOCKS(RING_BLOCKS),
        .TAG(SLOT_BITS + 2)
    ) reader (
        .clk(clk), .rst(rst), .ready(reader_ready),
        .assign_valid(assign_valid), .assign_ring_block(assign_ring_block),
        .assign_row(assign_row), .assign_items(assign_items), .assign_entries(assign_entries),
        .assign_tag({assign_slot, query_write}),
        .read(read), .read_block(read_block), .read_row(read_row), .read_entry(read_entry),
        .entry(entry), .release_valid(release_valid), .release_block(release_block),
        .release_row(release_row),
        .item_valid(item_valid), .item_ready(item_ready), .item_is_block(item_is_block),
        .item_null(item_null), .item_last(item_last), .item_index(item_index),
        .item_tail(item_tail), .item_tag({item_slot, item_query}));

    reg  [ITEM_ADDRESS:0] room;                     // places in the item FIFO not promised
    wire has_room   = room != 0;
    assign key_valid   = item_valid & !item_is_block & has_room;
    // A command in the upper half of a tile has the upper bit of its key numbers at 0.
    wire [1:0] item_place = slot_place[2*item_slot +: 2];
    assign key_address = {item_place[1], item_index[KEY_BITS-1] | item_place[0],
                          item_index[KEY_BITS-2:0]};
    assign item_ready  = has_room & (item_is_block | key_ready);
    wire item_fire     = item_valid & item_ready;

    // The key is read in two clocks; its query comes out of the LUT RAM in the second.
    reg  [HEAD_DIM*8-1:0] query;
    reg  [1:0]            query_read;
    always @(posedge clk) begin
        query_read <= item_query;
        query      <= queries[query_read];
    end
    wire signed [SCORE_BITS-1:0] score;
    pasa_score #(.HEAD_DIM(HEAD_DIM)) dot (
        .clk(clk), .query(query), .key(key_data), .out_score(score));

    wire                 scored, scored_is_block, scored_null, scored_last;
    wire [KEY_BITS-1:0]  scored_index;
    wire [TAIL_BITS-1:0] scored_tail;
    reg [1+SCORE_LATENCY:0] scoring_valid;          // one bit a stage
    always @(posedge clk)
        scoring_valid <= rst ? {2+SCORE_LATENCY{1'b0}} : {scoring_valid[SCORE_LATENCY:0], item_fire};
    assign scored = scoring_valid[1+SCORE_LATENCY];
    pasa_delay #(.WIDTH(3 + KEY_BITS + TAIL_BITS), .CLOCKS(2 + SCORE_LATENCY)) scored_item (
        .clk(clk),
        .in({item_is_block, item_null, item_last, item_index, item_tail}),
        .out({scored_is_block, scored_null, scored_last, scored_index, scored_tail}));
    assign row_scored = scored & scored_last;

    // The best score so far of the row at hand.
    reg signed [SCORE_BITS-1:0] best;
    reg                         has_best;
    wire scored_key = scored & !scored_is_block;
    wire better     = scored_key & (!has_best | (score > best));
    always @(posedge clk) begin
        if (better) best <= score;
        has_best <= !row_scored & (has_best | scored_key);
        if (rst) has_best <= 1'b0;
    end

    // Items wait here until their row's best score is known.
    wire signed [VALUE_WIDTH-1:0] score_value = {{VALUE_WIDTH-SCORE_BITS+1{score[SCORE_BITS-1]}},
                                                 score[SCORE_BITS-2:0]};
    wire [VALUE_WIDTH-1:0] tail_value = {{VALUE_WIDTH-TAIL_BITS{1'b0}}, scored_tail};
    reg  [ITEM_ADDRESS-1:0] item_write, item_read;
    wire                    weigh_issue, held_is_block;
    wire [KEY_BITS-1:0]     held_index;
    wire [VALUE_WIDTH-1:0]  held_value;
    pasa_ram #(.WIDTH(1 + KEY_BITS + VALUE_WIDTH), .DEPTH(ITEM_DEPTH)) items (
        .clk(clk),
        .write_enable(scored), .write_address(item_write),
        .write_data({scored_is_block, scored_index, scored_is_block ? tail_value : score_value}),
        .read_enable(weigh_issue), .read_address(item_read),
        .read_data({held_is_block, held_index, held_value}));
    always @(posedge clk) begin
        item_write <= item_write + {{ITEM_ADDRESS-1{1'b0}}, scored};
        item_read  <= item_read + {{ITEM_ADDRESS-1{1'b0}}, weigh_issue};
        room       <= room + {{ITEM_ADDRESS{1'b0}}, weigh_issue}
                           - {{ITEM_ADDRESS{1'b0}}, item_fire};
        if (rst) begin
            item_write <= {ITEM_ADDRESS{1'b0}};
            item_read  <= {ITEM_ADDRESS{1'b0}};
            room       <= ITEM_DEPTH[ITEM_ADDRESS:0];
        end
    end

    // ---- the row's reference exponent -------------------------------------------------------
    localparam INFO_BITS = SLOT_BITS + PLACE_BITS + COUNT_BITS + `PASA_REFERENCE_BITS + 1;
    wire [SLOT_BITS-1:0]            info_slot;
    wire                            info_tail;
    wire [PLACE_BITS-1:0]           info_place;
    wire [COUNT_BITS-1:0]           info_items;
    wire [`PASA_REFERENCE_BITS-1:0] info_reference;
    /* verilator lint_off PINCONNECTEMPTY */  // the row limits above stand for ready and level
    pasa_fifo #(.WIDTH(INFO_BITS), .DEPTH(QUERIES)) infos (
        .clk(clk), .rst(rst),
        .s_valid(assign_valid), .s_ready(),
        .s_data({assign_slot, assign_place, assign_items, assign_reference, assign_tail}),
        .m_valid(), .m_ready(row_scored),
        .m_data({info_slot, info_place, info_items, info_reference, info_tail}), .level());
    /* verilator lint_on PINCONNECTEMPTY */

    localparam ROW_INFO = SLOT_BITS + PLACE_BITS + COUNT_BITS + 1;
    localparam ROW_WORD = `PASA_REFERENCE_BITS + `PASA_SHIFT_BITS + ROW_INFO;
    wire                            known;
    wire [`PASA_REFERENCE_BITS-1:0] known_reference;
    wire [`PASA_SHIFT_BITS-1:0]     known_tail_shift;
    wire [ROW_INFO-1:0]             known_info;
    wire [COUNT_BITS-1:0] info_count = scored_null ? {{COUNT_BITS-1{1'b0}}, 1'b1} : info_items;
    pasa_row_reference #(.HEAD_DIM(HEAD_DIM), .USER(ROW_INFO)) row_reference (
        .clk(clk), .rst(rst),
        .in_valid(row_scored), .in_best(better ? score : best),
        .in_multiplier(score_multiplier[info_slot*`PASA_SCORE_MULTIPLIER_BITS +: `PASA_SCORE_MULTIPLIER_BITS]),
        .in_shift(score_shift[info_slot*`PASA_SHIFT_BITS +: `PASA_SHIFT_BITS]),
        .in_has_tail(info_tail), .in_predicted_reference(info_reference),
        .in_user({info_slot, info_place, info_count, scored_null}),
        .out_valid(known), .out_reference(known_reference),
        .out_tail_shift(known_tail_shift), .out_user(known_info));

    wire                next_valid;
    wire [ROW_WORD-1:0] next_word;
    /* verilator lint_off PINCONNECTEMPTY */
    pasa_fifo #(.WIDTH(ROW_WORD), .DEPTH(ROW_LIMIT)) rows (
        .clk(clk), .rst(rst),
        .s_valid(known), .s_ready(), .s_data({known_reference, known_tail_shift, known_info}),
        .m_valid(next_valid), .m_ready(weigh_take), .m_data(next_word), .level());
    /* verilator lint_on PINCONNECTEMPTY */

    // ---- WEIGH: items -> weights -> weighted sum of values ----------------------------------
    reg                             weighing, row_first, row_null;
    reg  [SLOT_BITS-1:0]            row_slot;
    reg  [`PASA_REFERENCE_BITS-1:0] row_reference_q;
    reg  [`PASA_SHIFT_BITS-1:0]     row_tail_shift;
    reg  [PLACE_BITS-1:0]           row_place;
    reg  [COUNT_BITS-1:0]           row_left;
    reg  [1:0]                      outstanding;    // rows issued whole, not yet taken as done
    wire row_last = row_left == 1;
    // Three finished rows fit behind each other; the next may start when one of them is taken.
    assign weigh_issue = weighing & !value_hold & (!row_first | (outstanding < 2'd3));
    assign weigh_take  = next_valid & (!weighing | (weigh_issue & row_last));
    always @(posedge clk) begin
        if (weigh_take) begin
            {row_reference_q, row_tail_shift, row_slot, row_place, row_left, row_null}
                      <= next_word;
            row_first <= 1'b1;
        end else if (weigh_issue) begin
            row_left  <= row_left - 1'b1;
            row_first <= 1'b0;
        end
        weighing    <= weigh_take | (weighing & !(weigh_issue & row_last));
        outstanding <= outstanding + {1'b0, weigh_issue & row_last}
                                   - {1'b0, done_valid & done_ready};
        if (rst) begin
            weighing    <= 1'b0;
            outstanding <= 2'd0;
        end
    end

    // One clock to read the item; its row's numbers go along.
    reg                             issued, issued_first, issued_last, issued_null;
    reg  [SLOT_BITS-1:0]            issued_slot;
    reg  [`PASA_REFERENCE_BITS-1:0] issued_reference;
    reg  [`PASA_SHIFT_BITS-1:0]     issued_tail_shift;
    reg  [PLACE_BITS-1:0]           issued_place;
    always @(posedge clk) begin
        issued <= weigh_issue & !rst;
        {issued_first, issued_last, issued_null, issued_slot} <=
            {row_first, row_last, row_null, row_slot};
        {issued_reference, issued_tail_shift, issued_place} <=
            {row_reference_q, row_tail_shift, row_place};
    end

    localparam ROW_TAG  = SLOT_BITS + PLACE_BITS + `PASA_REFERENCE_BITS;
    localparam ITEM_TAG = 3 + ROW_TAG;
    wire                          weight_valid, weight_first, weight_last, weight_is_block;
    wire [ROW_TAG-1:0]            weight_tag;
    wire [`PASA_WEIGHT_BITS-1:0]  weight;
    pasa_weight #(
        .HEAD_DIM(HEAD_DIM), .BLOCK_KEYS(BLOCK_KEYS), .USER(ITEM_TAG)
    ) weight_unit (
        .clk(clk), .rst(rst),
        .in_valid(issued), .in_is_block(held_is_block), .in_value(held_value),
        .in_multiplier(score_multiplier[issued_slot*`PASA_SCORE_MULTIPLIER_BITS +: `PASA_SCORE_MULTIPLIER_BITS]),
        .in_shift(score_shift[issued_slot*`PASA_SHIFT_BITS +: `PASA_SHIFT_BITS]),
        .in_reference(issued_reference), .in_tail_shift(issued_tail_shift),
        .in_null(issued_null),
        .in_user({issued_first, issued_last, held_is_block,
                  issued_slot, issued_place, issued_reference}),
        .out_valid(weight_valid), .out_weight(weight),
        .out_user({weight_first, weight_last, weight_is_block, weight_tag}));

    // The value is read so that it arrives together with the weight.
    reg [WEIGHT_LATENCY-READ_LATENCY-1:0] reading;  // one bit a stage
    always @(posedge clk)
        reading <= rst ? {WEIGHT_LATENCY-READ_LATENCY{1'b0}}
                       : {reading[WEIGHT_LATENCY-READ_LATENCY-2:0], issued};
    assign value_valid = reading[WEIGHT_LATENCY-READ_LATENCY-1];
    wire [1:0]          issued_keys = slot_place[2*issued_slot +: 2];
    wire [KEY_BITS-1:0] half_of_tile = !issued_keys[0] ? {KEY_BITS{1'b0}}
        : held_is_block ? {{KEY_BITS-1{1'b0}}, 1'b1} << (BLOCK_BITS - 1)
                        : {1'b1, {KEY_BITS-1{1'b0}}};
    pasa_delay #(.WIDTH(KEY_BITS + 2), .CLOCKS(WEIGHT_LATENCY - READ_LATENCY)) value_read (
        .clk(clk), .in({issued_keys[1], held_index | half_of_tile, held_is_block}),
        .out({value_address, value_is_block}));

    pasa_weigh #(
        .HEAD_DIM(HEAD_DIM), .TILE_KEYS(TILE_KEYS), .BLOCK_KEYS(BLOCK_KEYS), .TAG(ROW_TAG)
    ) weigh (
        .clk(clk), .rst(rst),
        .valid(weight_valid), .first(weight_first), .last(weight_last),
        .is_block(weight_is_block), .weight(weight),
        .tag(weight_tag), .value(value_data),
        .done_valid(done_valid), .done_ready(done_ready),
        .done_accumulator(done_accumulator), .done_total(done_total),
        .done_tag({done_slot, done_place, done_reference}));
endmodule
`default_nettype wire
