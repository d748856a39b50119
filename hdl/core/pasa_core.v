// SPDX-License-Identifier: Apache-2.0
//
// pasa_core - attention of one head after another: predictor, sparse-attention engine, softmax
//
// Why      The accelerator without a bus: streams in, streams out. It only connects; each stage
//          of DESIGN section 2 is a block of its own.
// Contract * a command (formats.COMMAND_FIELDS) is followed by one packet on each of the query,
//            key and value streams: 16 dimensions a beat, ceil(dims/16) beats a row, last on the
//            final beat of the packet; bytes beyond dims are ignored
//          * output: one packet a command, int8 16 codes a beat or int16 8 codes a beat, rows in
//            order, zeros beyond dims; then its status (formats.STATUS_FIELDS)
//          * a command may reuse the keys and values of the one before (no such packets), go on
//            with its rows, and leave its rows to the next instead of an output packet: see
//            pasa_control
//          * an illegal command, or a packet short, long or broken, is refused whole: its packets are read
//            up to last, it gives no output, its status tells the causes, the next command works
//          * the next command's packets are taken while one runs
//          * on every stream valid never waits for ready, and payload holds still while stalled
//          * output bits equal fixed.run of the golden model
// Rate     a row costs its kept keys + virtual keys in one lane; ROWS rows cost words x slices in
//          the predictor; both at once
// Cost     see hdl/README.md
// Checked  make uvm, make sim

`default_nettype none
`include "pasa_formats.vh"
module pasa_core #(
    parameter ROWS       = 4,          // lanes, and rows predicted at once
    parameter PRED_KEYS  = 32,         // keys the predictor reads in a clock (16 dimensions of each)
    parameter HEAD_DIM   = 64,         // most dimensions of a head
    parameter TILE_KEYS  = 2048,       // most keys, and most queries, of a command
    parameter PRED_BITS  = 4,          // of a query or key in the predictor
    parameter BLOCK_KEYS = 64,         // keys that share a virtual key
    parameter MERGE_ROWS = 256,        // most queries of a command whose rows go on in the next
    parameter OUTPUT_ROWS = 256        // rows finished ahead of a longer one, or of a slow reader
) (
    input  wire                          clk,
    input  wire                          rst,           // synchronous, active high

    input  wire                          s_command_valid,
    output wire                          s_command_ready,
    input  wire [`PASA_COMMAND_BITS-1:0] s_command_data,

    input  wire                          s_query_valid,
    output wire                          s_query_ready,
    input  wire [127:0]                  s_query_data,  // int8, dimension 16b+i in byte i of beat b
    input  wire                          s_query_last,
    input  wire                          s_query_broken, // with last: refuse the command

    input  wire                          s_key_valid,
    output wire                          s_key_ready,
    input  wire [127:0]                  s_key_data,
    input  wire                          s_key_last,
    input  wire                          s_key_broken,

    input  wire                          s_value_valid,
    output wire                          s_value_ready,
    input  wire [127:0]                  s_value_data,
    input  wire                          s_value_last,
    input  wire                          s_value_broken,

    output wire                          m_output_valid,
    input  wire                          m_output_ready,
    output wire [127:0]                  m_output_data,
    output wire                          m_output_last,

    output wire                          m_status_valid,
    input  wire                          m_status_ready,
    output wire [`PASA_STATUS_BITS-1:0]  m_status_data
);
    localparam RING_BLOCKS  = 16;      // short rows are in flight for a hundred clocks
    localparam SLOTS        = 4;       // commands under way
    localparam SLOT_BITS    = $clog2(SLOTS);
    localparam RECORD       = `PASA_COMMAND_BITS;
    localparam VALUE_NOTICE = 9;       // pasa_lane reads a value 10 clocks after issue, the store writes 1 after this

    localparam ROW_BITS     = (ROWS == 1) ? 1 : $clog2(ROWS);
    localparam RING_BITS    = $clog2(RING_BLOCKS);
    localparam OUTPUT_BITS  = $clog2(OUTPUT_ROWS);
    localparam MERGE_BITS   = (MERGE_ROWS == 1) ? 1 : $clog2(MERGE_ROWS);
    localparam PLACE_BITS   = OUTPUT_BITS + MERGE_BITS;
    localparam KEY_BITS     = $clog2(TILE_KEYS);
    localparam COUNT_BITS   = KEY_BITS + 1;
    localparam DIMS_BITS    = $clog2(HEAD_DIM) + 1;
    localparam SLICES       = HEAD_DIM / `PASA_SLICE_DIMS;
    localparam SLICE_BITS   = (SLICES == 1) ? 1 : $clog2(SLICES);
    localparam WORD_BITS    = $clog2(TILE_KEYS / PRED_KEYS);
    localparam BLOCK_LOG2   = $clog2(BLOCK_KEYS);
    localparam BLOCK_BITS   = KEY_BITS - BLOCK_LOG2;
    localparam TAIL_BITS    = `PASA_PREDICTED_WEIGHT_FRACTION + 1 + BLOCK_LOG2;
    localparam ENTRY_BITS   = BLOCK_BITS + BLOCK_KEYS + TAIL_BITS;
    localparam VALUE_BITS   = 8 + BLOCK_LOG2;
    localparam TOTAL_BITS   = `PASA_WEIGHT_BITS + KEY_BITS;
    localparam ACC_BITS     = TOTAL_BITS + 8;
    localparam ROW_DATA     = HEAD_DIM * 8;
    localparam SUM_BITS     = COUNT_BITS + $clog2(ROWS);
    localparam MASS_BITS    = `PASA_PREDICTED_WEIGHT_FRACTION + 1 + $clog2(ROWS);
    localparam ROWS_BITS    = $clog2(ROWS) + 1;
    localparam NIBBLE_WORD  = PRED_KEYS * `PASA_SLICE_DIMS * PRED_BITS;
    localparam REFERENCE    = `PASA_REFERENCE_BITS;

    // An illegal parameter stops elaboration: the name of the missing module is the message.
    generate
        if ((ROWS & (ROWS - 1)) != 0 || ROWS > 16) begin : g_rows
            pasa_core_ERROR_ROWS_must_be_a_power_of_two_up_to_16 bad ();
        end
        if ((PRED_KEYS & (PRED_KEYS - 1)) != 0 || PRED_KEYS < 2 || PRED_KEYS > BLOCK_KEYS) begin : g_keys
            pasa_core_ERROR_PRED_KEYS_must_be_a_power_of_two_from_2_to_BLOCK_KEYS bad ();
        end
        if ((HEAD_DIM & (HEAD_DIM - 1)) != 0 || HEAD_DIM < 16 || HEAD_DIM > 128) begin : g_dim
            pasa_core_ERROR_HEAD_DIM_must_be_a_power_of_two_from_16_to_128 bad ();
        end
        if ((TILE_KEYS & (TILE_KEYS - 1)) != 0 || TILE_KEYS < 4 * BLOCK_KEYS || TILE_KEYS > 32768) begin : g_tile
            pasa_core_ERROR_TILE_KEYS_must_be_a_power_of_two_from_4_BLOCK_KEYS_to_32768 bad ();
        end
        if ((BLOCK_KEYS & (BLOCK_KEYS - 1)) != 0 || BLOCK_KEYS > 128) begin : g_block
            pasa_core_ERROR_BLOCK_KEYS_must_be_a_power_of_two_up_to_128 bad ();
        end
        if ((MERGE_ROWS & (MERGE_ROWS - 1)) != 0 || MERGE_ROWS < ROWS || MERGE_ROWS > 2048) begin : g_merge
            pasa_core_ERROR_MERGE_ROWS_must_be_a_power_of_two_from_ROWS_to_2048 bad ();
        end
        if ((OUTPUT_ROWS & (OUTPUT_ROWS - 1)) != 0 || OUTPUT_ROWS < 4) begin : g_output
            pasa_core_ERROR_OUTPUT_ROWS_must_be_a_power_of_two_of_at_least_4 bad ();
        end
        if (PRED_BITS < 2 || PRED_BITS > 6) begin : g_bits
            pasa_core_ERROR_PRED_BITS_must_be_2_to_6 bad ();
        end
    endgenerate

    // ---- commands ---------------------------------------------------------------------------
    wire [SLOTS*RECORD-1:0] slot_command;
    wire [2:0]            load_start;
    wire                  load_discard, loading, row_kept, merge_done;
    wire [MERGE_BITS-1:0] merge_done_row;
    wire [SLOT_BITS-1:0]  row_kept_slot;
    wire [SLOT_BITS-1:0]  load_slot;
    wire [1:0]            load_place;             // {tile, half of it}
    wire [2*SLOTS-1:0]    slot_place;
    wire [COUNT_BITS-1:0] load_queries, load_keys;
    wire [DIMS_BITS-1:0]  load_dims;
    wire [2:0]            load_done, load_bad;
    wire                  query_commit, query_rollback;
    wire                  job_valid, job_ready, command_done;
    wire                  clear_valid, report_valid, report_ready;
    wire [SLOT_BITS-1:0]  job_slot, command_done_slot, clear_slot, report_slot;
    wire [SLOTS-1:0]      running;
    wire [15:0]           report_tag;
    wire [7:0]            report_causes;
    pasa_control #(.HEAD_DIM(HEAD_DIM), .TILE_KEYS(TILE_KEYS), .MERGE_ROWS(MERGE_ROWS),
                   .SLOTS(SLOTS), .SETTLE(VALUE_NOTICE + 8)) control (
        .clk(clk), .rst(rst),
        .s_command_valid(s_command_valid), .s_command_ready(s_command_ready),
        .s_command_data(s_command_data), .slot_command(slot_command),
        .load_start(load_start), .load_discard(load_discard), .load_slot(load_slot),
        .load_place(load_place), .slot_place(slot_place),
        .load_queries(load_queries), .load_keys(load_keys), .load_dims(load_dims),
        .load_done(load_done), .load_bad(load_bad),
        .query_commit(query_commit), .query_rollback(query_rollback), .loading(loading),
        .job_valid(job_valid), .job_ready(job_ready), .job_slot(job_slot),
        .command_done(command_done), .command_done_slot(command_done_slot), .row_kept(row_kept),
        .row_kept_slot(row_kept_slot), .clear_valid(clear_valid), .clear_slot(clear_slot), .running(running),
        .report_slot(report_slot), .report_valid(report_valid), .report_ready(report_ready),
        .report_tag(report_tag), .report_causes(report_causes));

    // What the stages need of each slot's command. Its fields hold still while it runs.
    wire [SLOTS*DIMS_BITS-1:0]                    slot_dims;
    wire [SLOTS*`PASA_SCORE_MULTIPLIER_BITS-1:0]  slot_score_multiplier;
    wire [SLOTS*`PASA_SHIFT_BITS-1:0]             slot_score_shift, slot_output_shift;
    wire [SLOTS*`PASA_OUTPUT_MULTIPLIER_BITS-1:0] slot_output_multiplier;
    wire [SLOTS-1:0]                              slot_int16, slot_previous, slot_next;
    genvar s;
    generate for (s = 0; s < SLOTS; s = s + 1) begin : g_slot
        // verilator lint_off UNUSEDSIGNAL  // other fields go to the predictor, with the job
        wire [RECORD-1:0]            command = slot_command[s*RECORD +: RECORD];
        wire [`PASA_LENGTH_BITS-1:0] dims    = command[`PASA_COMMAND_DIMS];
        // verilator lint_on UNUSEDSIGNAL
        assign slot_dims[s*DIMS_BITS +: DIMS_BITS] = dims[DIMS_BITS-1:0];
        assign slot_score_multiplier[s*`PASA_SCORE_MULTIPLIER_BITS +: `PASA_SCORE_MULTIPLIER_BITS]
            = command[`PASA_COMMAND_SCORE_MULTIPLIER];
        assign slot_score_shift[s*`PASA_SHIFT_BITS +: `PASA_SHIFT_BITS]
            = command[`PASA_COMMAND_SCORE_SHIFT];
        assign slot_output_multiplier[s*`PASA_OUTPUT_MULTIPLIER_BITS +: `PASA_OUTPUT_MULTIPLIER_BITS]
            = command[`PASA_COMMAND_OUTPUT_MULTIPLIER];
        assign slot_output_shift[s*`PASA_SHIFT_BITS +: `PASA_SHIFT_BITS]
            = command[`PASA_COMMAND_OUTPUT_SHIFT];
        assign slot_int16[s]    = command[`PASA_COMMAND_OUTPUT_INT16];
        assign slot_previous[s] = command[`PASA_COMMAND_MERGE_PREVIOUS];
        assign slot_next[s]     = command[`PASA_COMMAND_MERGE_NEXT];
    end endgenerate

    // ---- loading ----------------------------------------------------------------------------
    wire                  query_row_valid, query_full;
    wire [ROW_DATA-1:0]   query_row_data;
    wire                  key_row_valid, key_beat_valid;
    wire [KEY_BITS-1:0]   key_row_number, key_beat_row;
    wire [SLICE_BITS-1:0] key_beat_slice;
    wire [127:0]          key_beat_data;
    wire [ROW_DATA-1:0]   key_row_data;
    wire                  value_row_valid;
    wire [KEY_BITS-1:0]   value_row_number;
    wire [ROW_DATA-1:0]   value_row_data;
    /* verilator lint_off PINCONNECTEMPTY */  // only keys are needed beat by beat
    pasa_row_loader #(.HEAD_DIM(HEAD_DIM), .TILE_KEYS(TILE_KEYS)) query_loader (
        .clk(clk), .rst(rst),
        .start(load_start[0]), .rows(load_queries), .dims(load_dims), .discard(load_discard),
        .hold(query_full),
        .s_valid(s_query_valid), .s_ready(s_query_ready), .s_data(s_query_data),
        .s_last(s_query_last), .s_broken(s_query_broken),
        .beat_valid(), .beat_row(), .beat_slice(), .beat_data(),
        .row_valid(query_row_valid), .row_number(), .row_data(query_row_data),
        .done(load_done[0]), .bad(load_bad[0]));
    pasa_row_loader #(.HEAD_DIM(HEAD_DIM), .TILE_KEYS(TILE_KEYS)) key_loader (
        .clk(clk), .rst(rst),
        .start(load_start[1]), .rows(load_keys), .dims(load_dims), .discard(load_discard),
        .hold(1'b0),
        .s_valid(s_key_valid), .s_ready(s_key_ready), .s_data(s_key_data), .s_last(s_key_last),
        .s_broken(s_key_broken),
        .beat_valid(key_beat_valid), .beat_row(key_beat_row), .beat_slice(key_beat_slice),
        .beat_data(key_beat_data),
        .row_valid(key_row_valid), .row_number(key_row_number),
        .row_data(key_row_data),
        .done(load_done[1]), .bad(load_bad[1]));
    pasa_row_loader #(.HEAD_DIM(HEAD_DIM), .TILE_KEYS(TILE_KEYS)) value_loader (
        .clk(clk), .rst(rst),
        .start(load_start[2]), .rows(load_keys), .dims(load_dims), .discard(load_discard),
        .hold(1'b0),
        .s_valid(s_value_valid), .s_ready(s_value_ready), .s_data(s_value_data),
        .s_last(s_value_last), .s_broken(s_value_broken),
        .beat_valid(), .beat_row(), .beat_slice(), .beat_data(),
        .row_valid(value_row_valid), .row_number(value_row_number),
        .row_data(value_row_data),
        .done(load_done[2]), .bad(load_bad[2]));
    /* verilator lint_on PINCONNECTEMPTY */

    // A lane cannot hold back a value it reads next to its weight; it holds the item back when
    // the write announces itself, and the write follows when that item would have read.
    wire                late_value_valid, late_value_tile;
    wire [KEY_BITS-1:0] late_value_number;
    // The upper half of a tile: key numbers there have their upper bit set.
    wire [KEY_BITS-1:0] upper_half = {load_place[0], {KEY_BITS-1{1'b0}}};
    wire [ROW_DATA-1:0] late_value_data;
    reg [VALUE_NOTICE-1:0] value_writes;           // one bit a clock
    always @(posedge clk)
        value_writes <= rst ? {VALUE_NOTICE{1'b0}} : {value_writes[VALUE_NOTICE-2:0], value_row_valid};
    assign late_value_valid = value_writes[VALUE_NOTICE-1];
    pasa_delay #(.WIDTH(1 + KEY_BITS + ROW_DATA), .CLOCKS(VALUE_NOTICE)) late_value (
        .clk(clk), .in({load_place[1], value_row_number | upper_half, value_row_data}),
        .out({late_value_tile, late_value_number, late_value_data}));

    // ---- stores -----------------------------------------------------------------------------
    wire [ROWS-1:0]               key_read_valid, key_read_ready;
    wire [ROWS*(KEY_BITS+1)-1:0]  key_read_address;
    wire [ROWS*ROW_DATA-1:0]      key_read_data;
    wire                          nibble_enable;
    wire [SLOT_BITS-1:0]          nibble_slot;
    wire [WORD_BITS-1:0]          nibble_word;
    wire [1:0]                    nibble_place = slot_place[2*nibble_slot +: 2];
    wire [DIMS_BITS-1:0]          nibble_dims  = slot_dims[nibble_slot*DIMS_BITS +: DIMS_BITS];
    wire [SLICE_BITS-1:0]         nibble_slice;
    wire [NIBBLE_WORD-1:0]        nibble_data;
    pasa_key_store #(
        .ROWS(ROWS), .PRED_KEYS(PRED_KEYS), .HEAD_DIM(HEAD_DIM), .TILE_KEYS(TILE_KEYS),
        .PRED_BITS(PRED_BITS)
    ) key_store (
        .clk(clk), .rst(rst),
        .write_slot(load_place[1]),
        .row_valid(key_row_valid), .row_number(key_row_number | upper_half),
        .row_data(key_row_data),
        .beat_valid(key_beat_valid), .beat_row(key_beat_row | upper_half),
        .beat_slice(key_beat_slice), .beat_data(key_beat_data),
        .read_valid(key_read_valid), .read_ready(key_read_ready),
        .read_address(key_read_address), .read_data(key_read_data),
        .nibble_enable(nibble_enable), .nibble_dims(nibble_dims), .nibble_slot(nibble_place[1]),
        .nibble_word(nibble_word | {nibble_place[0], {WORD_BITS-1{1'b0}}}),
        .nibble_slice(nibble_slice), .nibble_data(nibble_data));

    wire [ROWS-1:0]                     value_read_valid, value_read_block;
    wire [ROWS*(KEY_BITS+1)-1:0]        value_read_address;
    wire [ROWS*HEAD_DIM*VALUE_BITS-1:0] value_read_data;
    /* verilator lint_off PINCONNECTEMPTY */  // value_hold keeps reads and writes apart
    pasa_value_store #(
        .ROWS(ROWS), .HEAD_DIM(HEAD_DIM), .TILE_KEYS(TILE_KEYS), .BLOCK_KEYS(BLOCK_KEYS)
    ) value_store (
        .clk(clk), .rst(rst),
        .write_slot(late_value_tile),
        .row_valid(late_value_valid), .row_number(late_value_number), .row_data(late_value_data),
        .read_valid(value_read_valid), .read_ready(), .read_block(value_read_block),
        .read_address(value_read_address), .read_data(value_read_data));
    /* verilator lint_on PINCONNECTEMPTY */

    wire                query_valid, query_ready;
    wire [ROW_DATA-1:0] query_data;
    pasa_query_store #(.HEAD_DIM(HEAD_DIM), .TILE_KEYS(TILE_KEYS)) query_store (
        .clk(clk), .rst(rst), .clear(1'b0),
        .row_valid(query_row_valid), .row_data(query_row_data), .full(query_full),
        .commit(query_commit), .rollback(query_rollback),
        .m_valid(query_valid), .m_ready(query_ready), .m_data(query_data));

    // ---- predictor: PREDICT and SELECT -------------------------------------------------------
    wire                       ring_free, ring_take, query_write_valid;
    wire [RING_BITS-1:0]       query_write_block, entry_ring_block, rows_ring_block;
    wire [ROW_BITS-1:0]        query_write_row;
    wire [ROW_DATA-1:0]        query_write_data;
    wire [ROWS-1:0]            entry_valid, rows_present, rows_tail;
    wire [BLOCK_BITS-1:0]      entry_block;
    wire [ROWS*BLOCK_KEYS-1:0] entry_mask;
    wire [ROWS*TAIL_BITS-1:0]  entry_tail;
    wire                       rows_valid, rows_last;
    wire [SLOT_BITS-1:0]       rows_slot;
    wire [ROWS*COUNT_BITS-1:0] rows_items;
    wire [ROWS*REFERENCE-1:0]  rows_reference;
    wire [SUM_BITS-1:0]        rows_visible_sum, rows_kept_sum, rows_blocks_sum;
    wire [MASS_BITS-1:0]       rows_dropped_sum;
    wire [ROWS_BITS-1:0]       rows_empty_sum;
    pasa_predictor #(
        .ROWS(ROWS), .PRED_KEYS(PRED_KEYS), .HEAD_DIM(HEAD_DIM), .TILE_KEYS(TILE_KEYS),
        .PRED_BITS(PRED_BITS), .BLOCK_KEYS(BLOCK_KEYS), .RING_BLOCKS(RING_BLOCKS),
        .MERGE_ROWS(MERGE_ROWS), .SLOT_BITS(SLOT_BITS)
    ) predictor (
        .clk(clk), .rst(rst),
        .job_valid(job_valid), .job_ready(job_ready), .job_slot(job_slot),
        .job_command(slot_command[job_slot*RECORD +: RECORD]),
        .s_query_valid(query_valid), .s_query_ready(query_ready), .s_query_data(query_data),
        .nibble_enable(nibble_enable), .nibble_slot(nibble_slot), .nibble_word(nibble_word),
        .nibble_slice(nibble_slice), .nibble_data(nibble_data),
        .ring_free(ring_free), .ring_take(ring_take),
        .query_write_valid(query_write_valid), .query_write_block(query_write_block),
        .query_write_row(query_write_row), .query_write_data(query_write_data),
        .entry_valid(entry_valid), .entry_ring_block(entry_ring_block),
        .entry_block(entry_block), .entry_mask(entry_mask), .entry_tail(entry_tail),
        .rows_valid(rows_valid), .rows_ring_block(rows_ring_block),
        .rows_present(rows_present), .rows_last(rows_last), .rows_slot(rows_slot),
        .rows_items(rows_items), .rows_reference(rows_reference), .rows_tail(rows_tail),
        .rows_visible_sum(rows_visible_sum), .rows_kept_sum(rows_kept_sum),
        .rows_blocks_sum(rows_blocks_sum), .rows_dropped_sum(rows_dropped_sum),
        .rows_empty_sum(rows_empty_sum));

    // ---- rows to lanes -----------------------------------------------------------------------
    wire                        row_valid, row_take, row_last, row_tail;
    wire [SLOT_BITS-1:0]        row_slot;
    wire [RING_BITS-1:0]        row_ring_block;
    wire [ROW_BITS-1:0]         row_number;
    wire [COUNT_BITS-1:0]       row_items;
    wire [BLOCK_BITS:0]         row_entries;
    wire [REFERENCE-1:0]        row_reference;
    wire [ROW_DATA-1:0]         row_query;
    wire [ROWS-1:0]             lane_read, lane_release;
    wire [ROWS*RING_BITS-1:0]   lane_read_block, lane_release_block;
    wire [ROWS*ROW_BITS-1:0]    lane_read_row, lane_release_row;
    wire [ROWS*BLOCK_BITS-1:0]  lane_read_entry;
    wire [ROWS*ENTRY_BITS-1:0]  lane_entry;
    pasa_row_ring #(
        .ROWS(ROWS), .HEAD_DIM(HEAD_DIM), .TILE_KEYS(TILE_KEYS), .BLOCK_KEYS(BLOCK_KEYS),
        .RING_BLOCKS(RING_BLOCKS), .SLOT_BITS(SLOT_BITS)
    ) row_ring (
        .clk(clk), .rst(rst),
        .ring_free(ring_free), .ring_take(ring_take),
        .query_write_valid(query_write_valid), .query_write_block(query_write_block),
        .query_write_row(query_write_row), .query_write_data(query_write_data),
        .entry_valid(entry_valid), .entry_ring_block(entry_ring_block),
        .entry_block(entry_block), .entry_mask(entry_mask), .entry_tail(entry_tail),
        .rows_valid(rows_valid), .rows_ring_block(rows_ring_block),
        .rows_present(rows_present), .rows_last(rows_last), .rows_slot(rows_slot),
        .rows_items(rows_items), .rows_reference(rows_reference), .rows_tail(rows_tail),
        .row_valid(row_valid), .row_take(row_take), .row_ring_block(row_ring_block),
        .row_number(row_number), .row_last(row_last), .row_slot(row_slot),
        .row_items(row_items), .row_entries(row_entries), .row_reference(row_reference),
        .row_tail(row_tail), .query_data(row_query),
        .lane_read(lane_read), .lane_read_block(lane_read_block), .lane_read_row(lane_read_row),
        .lane_read_entry(lane_read_entry), .lane_entry(lane_entry),
        .lane_release(lane_release), .lane_release_block(lane_release_block),
        .lane_release_row(lane_release_row));

    localparam ROW_WIDTH = RING_BITS + ROW_BITS + SLOT_BITS + COUNT_BITS + BLOCK_BITS + 1 + REFERENCE + 1;
    wire [ROWS-1:0]        lane_ready, assign_lane;
    wire [ROW_WIDTH-1:0]   assign_descriptor;
    wire [OUTPUT_BITS-1:0] assign_output_row;
    wire [MERGE_BITS-1:0]  assign_merge_row;
    wire                   open_ready, open_valid, row_freed;
    pasa_dispatch #(
        .ROWS(ROWS), .OUTPUT_ROWS(OUTPUT_ROWS), .ROW_WIDTH(ROW_WIDTH), .MERGE_ROWS(MERGE_ROWS)
    ) dispatch (
        .clk(clk), .rst(rst),
        .row_valid(row_valid), .row_take(row_take),
        .row_opens(!slot_next[row_slot]),
        .row_merges(slot_next[row_slot] | slot_previous[row_slot]), .row_last(row_last),
        .row_descriptor({row_ring_block, row_number, row_slot, row_items, row_entries,
                         row_reference, row_tail}),
        .lane_ready(lane_ready), .assign_lane(assign_lane),
        .assign_descriptor(assign_descriptor), .assign_output_row(assign_output_row),
        .assign_merge_row(assign_merge_row),
        .open_ready(open_ready), .open_valid(open_valid), .row_freed(row_freed),
        .merge_done(merge_done), .merge_done_row(merge_done_row));
    wire [RING_BITS-1:0]  assign_ring_block;
    wire [ROW_BITS-1:0]   assign_row;
    wire [SLOT_BITS-1:0]  assign_slot;
    wire                  assign_tail;
    wire [COUNT_BITS-1:0] assign_items;
    wire [BLOCK_BITS:0]   assign_entries;
    wire [REFERENCE-1:0]  assign_reference;
    assign {assign_ring_block, assign_row, assign_slot, assign_items, assign_entries,
            assign_reference, assign_tail} = assign_descriptor;

    // ---- lanes: SCORE and WEIGH --------------------------------------------------------------
    wire [ROWS-1:0]                   done_valid, done_ready;
    wire [ROWS*SLOT_BITS-1:0]         done_slot;
    wire [ROWS*HEAD_DIM*ACC_BITS-1:0] done_accumulator;
    wire [ROWS*TOTAL_BITS-1:0]        done_total;
    wire [ROWS*REFERENCE-1:0]         done_reference;
    wire [ROWS*MERGE_BITS-1:0]        done_merge_row;
    wire [ROWS*OUTPUT_BITS-1:0]       done_output_row;
    genvar l;
    generate
        for (l = 0; l < ROWS; l = l + 1) begin : g_lane
            pasa_lane #(
                .ROWS(ROWS), .HEAD_DIM(HEAD_DIM), .TILE_KEYS(TILE_KEYS), .BLOCK_KEYS(BLOCK_KEYS),
                .RING_BLOCKS(RING_BLOCKS), .PLACE_BITS(PLACE_BITS), .SLOTS(SLOTS)
            ) lane (
                .clk(clk), .rst(rst),
                .score_multiplier(slot_score_multiplier), .score_shift(slot_score_shift),
                .slot_place(slot_place),
                .ready(lane_ready[l]), .assign_valid(assign_lane[l]),
                .assign_ring_block(assign_ring_block), .assign_row(assign_row),
                .assign_slot(assign_slot), .assign_items(assign_items),
                .assign_entries(assign_entries), .assign_reference(assign_reference),
                .assign_tail(assign_tail), .assign_place({assign_merge_row, assign_output_row}),
                .assign_query(row_query),
                .read(lane_read[l]), .read_block(lane_read_block[l*RING_BITS +: RING_BITS]),
                .read_row(lane_read_row[l*ROW_BITS +: ROW_BITS]),
                .read_entry(lane_read_entry[l*BLOCK_BITS +: BLOCK_BITS]),
                .entry(lane_entry[l*ENTRY_BITS +: ENTRY_BITS]),
                .release_valid(lane_release[l]),
                .release_block(lane_release_block[l*RING_BITS +: RING_BITS]),
                .release_row(lane_release_row[l*ROW_BITS +: ROW_BITS]),
                .key_valid(key_read_valid[l]), .key_ready(key_read_ready[l]),
                .key_address(key_read_address[l*(KEY_BITS+1) +: KEY_BITS+1]),
                .key_data(key_read_data[l*ROW_DATA +: ROW_DATA]),
                .value_valid(value_read_valid[l]),
                .value_hold((l % 2 == 1) ? value_row_valid : 1'b0),  // odd lanes share the write port
                .value_address(value_read_address[l*(KEY_BITS+1) +: KEY_BITS+1]),
                .value_is_block(value_read_block[l]),
                .value_data(value_read_data[l*HEAD_DIM*VALUE_BITS +: HEAD_DIM*VALUE_BITS]),
                .done_valid(done_valid[l]), .done_ready(done_ready[l]),
                .done_accumulator(done_accumulator[l*HEAD_DIM*ACC_BITS +: HEAD_DIM*ACC_BITS]),
                .done_total(done_total[l*TOTAL_BITS +: TOTAL_BITS]),
                .done_reference(done_reference[l*REFERENCE +: REFERENCE]),
                .done_place({done_merge_row[l*MERGE_BITS +: MERGE_BITS],
                             done_output_row[l*OUTPUT_BITS +: OUTPUT_BITS]}),
                .done_slot(done_slot[l*SLOT_BITS +: SLOT_BITS]));
        end
    endgenerate

    // ---- NORMALISE and the output stream -----------------------------------------------------
    wire                   write_valid, write_done;
    wire [OUTPUT_BITS-1:0] write_row;
    wire [SLICE_BITS-1:0]  write_group;
    wire [255:0]           write_data;
    wire                   saturation_valid;
    wire [SLOT_BITS-1:0]   saturation_slot;
    wire [4:0]             saturation_count;
    pasa_normalise #(
        .ROWS(ROWS), .HEAD_DIM(HEAD_DIM), .TILE_KEYS(TILE_KEYS), .OUTPUT_ROWS(OUTPUT_ROWS),
        .MERGE_ROWS(MERGE_ROWS), .SLOTS(SLOTS)
    ) normalise (
        .clk(clk), .rst(rst),
        .slot_dims(slot_dims),
        .slot_multiplier(slot_output_multiplier), .slot_shift(slot_output_shift),
        .slot_int16(slot_int16),
        .slot_previous(slot_previous), .slot_next(slot_next),
        .lane_valid(done_valid), .lane_ready(done_ready),
        .lane_accumulator(done_accumulator), .lane_total(done_total),
        .lane_reference(done_reference), .lane_output_row(done_output_row),
        .lane_merge_row(done_merge_row), .lane_slot(done_slot), .row_kept(row_kept),
        .row_kept_slot(row_kept_slot), .merge_done(merge_done), .merge_done_row(merge_done_row),
        .write_valid(write_valid), .write_row(write_row), .write_group(write_group),
        .write_data(write_data), .write_done(write_done),
        .saturation_valid(saturation_valid), .saturation_count(saturation_count),
        .saturation_slot(saturation_slot));

    // verilator lint_off UNUSEDSIGNAL  // the upper bits of the quotient are 0
    wire [DIMS_BITS-1:0] last_group = (slot_dims[row_slot*DIMS_BITS +: DIMS_BITS] - 1'b1)
                                      / `PASA_SLICE_DIMS;
    // verilator lint_on UNUSEDSIGNAL
    wire [SLOT_BITS-1:0] output_slot;
    pasa_output_buffer #(
        .HEAD_DIM(HEAD_DIM), .OUTPUT_ROWS(OUTPUT_ROWS), .SLOT_BITS(SLOT_BITS)
    ) output_buffer (
        .clk(clk), .rst(rst),
        .write_valid(write_valid), .write_row(write_row), .write_group(write_group),
        .write_data(write_data), .write_done(write_done),
        .open_valid(open_valid), .open_ready(open_ready),
        .open_last(row_last), .open_slot(row_slot),
        .open_int16(slot_int16[row_slot]),
        .open_last_group(last_group[SLICE_BITS-1:0]),
        .row_freed(row_freed), .command_done(command_done),
        .command_done_slot(command_done_slot),
        .m_output_valid(m_output_valid), .m_output_ready(m_output_ready),
        .m_output_data(m_output_data), .m_output_last(m_output_last),
        .m_output_slot(output_slot));

    pasa_counters #(.ROWS(ROWS), .SLOTS(SLOTS), .TILE_KEYS(TILE_KEYS)) counters (
        .clk(clk), .rst(rst), .clear_valid(clear_valid), .clear_slot(clear_slot),
        .rows_valid(rows_valid), .rows_slot(rows_slot), .rows_present(rows_present),
        .rows_empty_sum(rows_empty_sum), .rows_visible_sum(rows_visible_sum),
        .rows_kept_sum(rows_kept_sum), .rows_blocks_sum(rows_blocks_sum),
        .rows_dropped_sum(rows_dropped_sum),
        .saturation_valid(saturation_valid), .saturation_slot(saturation_slot),
        .saturation_count(saturation_count),
        .running(running), .loading(loading), .load_slot(load_slot),
        .output_stalled(m_output_valid & !m_output_ready), .output_slot(output_slot),
        .report_slot(report_slot), .report_valid(report_valid), .report_ready(report_ready),
        .report_tag(report_tag), .report_causes(report_causes),
        .m_status_valid(m_status_valid), .m_status_ready(m_status_ready),
        .m_status_data(m_status_data));
endmodule
`default_nettype wire
