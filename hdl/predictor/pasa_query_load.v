// SPDX-License-Identifier: Apache-2.0
//
// pasa_query_load - QLOAD: takes query rows and prepares what PREDICT needs
//
// Why      While one block of rows is predicted, the next one is fetched, its
//          masks become ranges and its nibbles are rounded.
// Contract * takes one job when idle (job_ready), then for each ROWS rows of
//            it waits for ring_free, gives ring_take, and fetches the rows
//            (one a clock, from s_query); a fetched row goes on to the ring
//            (query_write_*) one clock later
//          * offers the block (block_*), which holds still until block_ready
//          * the last block of a command may have fewer rows present; an
//            absent row sees no key
//          * block_multiplier and block_high: see pasa_predicted_score
//          * dense mode predicts too, from one slice, and nobody uses it
//          * a block costs max(ROWS + 1, 6) + 2 clocks when nothing makes
//            it wait, and a command 3 more
//          * golden: arithmetic.nibble, masks.visible_keys
// Cost     about 2*ROWS*HEAD_DIM*PRED_BITS flip-flops
// Checked  make unit M=pasa_predictor

`default_nettype none
`include "pasa_formats.vh"
module pasa_query_load #(
    parameter ROWS            = 4,
    parameter PRED_KEYS       = 32,
    parameter HEAD_DIM        = 64,
    parameter TILE_KEYS       = 2048,
    parameter PRED_BITS       = 4,
    parameter RING_BLOCKS     = 8,
    parameter SLOT_BITS       = 1,
    parameter MULTIPLIER_BITS = 24,
    parameter LOW_SHIFT       = 12,
    parameter HIGH_SHIFT      = 24
) (
    input  wire clk,
    input  wire rst,

    input  wire                            job_valid,
    output wire                            job_ready,
    input  wire [SLOT_BITS-1:0]            job_slot,
    input  wire [`PASA_COMMAND_BITS-1:0]   job_command,

    input  wire                            s_query_valid,
    output wire                            s_query_ready,
    input  wire [HEAD_DIM*8-1:0]           s_query_data,

    input  wire                            ring_free,
    output reg                             ring_take,
    output reg                             query_write_valid,
    output reg  [$clog2(RING_BLOCKS)-1:0]  query_write_block,
    output reg  [(ROWS>1?$clog2(ROWS):1)-1:0] query_write_row,
    output reg  [HEAD_DIM*8-1:0]           query_write_data,

    output reg                             block_valid,
    input  wire                            block_ready,
    output reg  [$clog2(RING_BLOCKS)-1:0]  block_ring,
    output reg  [SLOT_BITS-1:0]            block_slot,
    output reg  [ROWS-1:0]                 block_present,
    output reg                             block_last,     // of the command
    output wire [ROWS*HEAD_DIM*PRED_BITS-1:0]    block_nibbles,
    output wire [ROWS*($clog2(TILE_KEYS)+1)-1:0] block_stop,
    output wire [ROWS*($clog2(TILE_KEYS)+1)-1:0] block_from,
    output reg  [$clog2(TILE_KEYS):0]            block_sinks,
    output wire [$clog2(TILE_KEYS/PRED_KEYS)-1:0] walk_first,
    output wire                                   walk_jump,
    output wire [$clog2(TILE_KEYS/PRED_KEYS)-1:0] walk_jump_at,
    output wire [$clog2(TILE_KEYS/PRED_KEYS)-1:0] walk_jump_to,
    output wire [$clog2(TILE_KEYS/PRED_KEYS)-1:0] walk_last,
    output reg  [MULTIPLIER_BITS-1:0]            block_multiplier,
    output reg                                   block_high,
    output reg  [(HEAD_DIM>16?$clog2(HEAD_DIM/16):1)-1:0] block_slice_last,
    output reg                                   block_dense,
    output reg                                   block_use_threshold,
    output reg                                   block_use_budget,
    output reg                                   block_use_tail,
    output reg                                   block_merge_previous,
    output reg                                   block_merge_next,
    output reg  [$clog2(TILE_KEYS):0]            block_budget,   // at most TILE_KEYS
    output reg  [`PASA_MIN_PROBABILITY_BITS-1:0] block_min_probability
);
    localparam COUNT_BITS = $clog2(TILE_KEYS) + 1;
    localparam SLICES     = HEAD_DIM / 16;
    localparam SLICE_BITS = SLICES > 1 ? $clog2(SLICES) : 1;
    localparam ROW_BITS   = ROWS > 1 ? $clog2(ROWS) : 1;
    localparam RING_BITS  = $clog2(RING_BLOCKS);
    localparam POSITION   = `PASA_POSITION_BITS + 2;
    localparam M          = `PASA_PREDICTED_MULTIPLIER_BITS;
    localparam LENGTH     = `PASA_LENGTH_BITS;
    localparam [COUNT_BITS-1:0] ALL    = TILE_KEYS[COUNT_BITS-1:0];
    localparam [LENGTH:0]       LIMIT  = TILE_KEYS[LENGTH:0];
    localparam [COUNT_BITS-1:0] BLOCK  = ROWS[COUNT_BITS-1:0];
    localparam [`PASA_SHIFT_BITS-1:0] LOW  = LOW_SHIFT[`PASA_SHIFT_BITS-1:0];
    localparam [`PASA_SHIFT_BITS-1:0] HIGH = HIGH_SHIFT[`PASA_SHIFT_BITS-1:0];

    // idle -> scale -> scale -> (wait -> load) for each block -> idle
    localparam [1:0] IDLE = 2'd0, SCALE = 2'd1, WAIT = 2'd2, LOAD = 2'd3;
    reg [1:0] state;
    reg       scaled;                // second clock of SCALE
    wire      job_fire = job_valid & job_ready;
    reg       loading;               // rows of the block are still to come
    reg       ranged;                // ranges of the block are known
    wire      enter = state == WAIT & ring_free & !block_valid;
    wire      leave = state == LOAD & !loading & ranged;
    assign job_ready = state == IDLE & !block_valid;
    always @(posedge clk) begin
        ring_take <= enter;
        scaled    <= state == SCALE;
        case (state)
            IDLE:    if (job_fire) state <= SCALE;
            SCALE:   if (scaled) state <= WAIT;
            WAIT:    if (enter) state <= LOAD;
            default: if (leave) state <= block_last ? IDLE : WAIT;
        endcase
        if (leave)            block_valid <= 1'b1;
        else if (block_ready) block_valid <= 1'b0;
        if (rst) begin
            state       <= IDLE;
            ring_take   <= 1'b0;
            block_valid <= 1'b0;
        end
    end

    // The command. Limits beyond the tile mean the tile.
    wire [LENGTH:0]   command_sinks  = {1'b0, job_command[`PASA_COMMAND_SINKS]};
    wire [LENGTH:0]   command_budget = {1'b0, job_command[`PASA_COMMAND_BUDGET]};
    wire [LENGTH:0]   command_rows   = {1'b0, job_command[`PASA_COMMAND_QUERY_COUNT]};
    wire [LENGTH:0]   command_length = {1'b0, job_command[`PASA_COMMAND_KEY_LENGTH]};
    wire [`PASA_POSITION_BITS-1:0] command_offset = job_command[`PASA_COMMAND_QUERY_OFFSET];
    wire [4:0]        command_slices = job_command[`PASA_COMMAND_PREDICTED_SLICES] - 5'd1;
    wire dense = !(job_command[`PASA_COMMAND_USE_THRESHOLD] | job_command[`PASA_COMMAND_USE_BUDGET]);
    reg [LENGTH-1:0]            window;
    reg                         causal;
    reg [COUNT_BITS-1:0]        key_length;
    reg [M-1:0]                 multiplier;
    reg [`PASA_SHIFT_BITS-1:0]  shift, places;
    always @(posedge clk)
        if (job_fire) begin
            block_slot            <= job_slot;
            block_dense           <= dense;
            block_use_threshold   <= job_command[`PASA_COMMAND_USE_THRESHOLD];
            block_use_budget      <= job_command[`PASA_COMMAND_USE_BUDGET];
            block_use_tail        <= job_command[`PASA_COMMAND_USE_TAIL];
            block_merge_previous  <= job_command[`PASA_COMMAND_MERGE_PREVIOUS];
            block_merge_next      <= job_command[`PASA_COMMAND_MERGE_NEXT];
            block_min_probability <= job_command[`PASA_COMMAND_MIN_PROBABILITY];
            block_slice_last      <= dense ? {SLICE_BITS{1'b0}} : command_slices[SLICE_BITS-1:0];
            block_budget          <= command_budget > LIMIT ? ALL
                                                            : command_budget[COUNT_BITS-1:0];
            block_sinks           <= command_sinks > LIMIT ? ALL
                                                           : command_sinks[COUNT_BITS-1:0];
            window                <= job_command[`PASA_COMMAND_WINDOW];
            causal                <= job_command[`PASA_COMMAND_CAUSAL];
            key_length            <= command_length[COUNT_BITS-1:0];
            multiplier            <= job_command[`PASA_COMMAND_PREDICTED_MULTIPLIER];
            shift                 <= job_command[`PASA_COMMAND_PREDICTED_SHIFT];
        end
    wire unused = &{1'b0, job_command, command_rows, command_length, command_slices};

    // product * multiplier >> shift, with one of two fixed shifts: multiply
    // by multiplier << (fixed - shift). Beyond HIGH_SHIFT every score is 0.
    wire beyond = shift > HIGH;
    always @(posedge clk) begin
        if (!scaled) begin
            block_high <= shift > LOW;
            places     <= (shift > LOW ? HIGH : LOW) - shift;
        end
        if (scaled)
            block_multiplier <= beyond ? {MULTIPLIER_BITS{1'b0}}
                                       : {{(MULTIPLIER_BITS-M){1'b0}}, multiplier} << places;
    end

    // Rows: those left in the command, those of this block.
    reg [COUNT_BITS-1:0] rows_left;
    reg [ROW_BITS-1:0]   row;
    reg [RING_BITS-1:0]  ring;
    reg [POSITION-1:0]   position, next_position; // of the block's first row
    wire row_fire = s_query_valid & s_query_ready;
    wire row_last = rows_left == {{(COUNT_BITS-1){1'b0}}, 1'b1} | row == ROWS[ROW_BITS-1:0] - 1'b1;
    assign s_query_ready = loading;
    always @(posedge clk) begin
        if (job_fire) begin
            rows_left <= command_rows[COUNT_BITS-1:0];
            next_position <= {{2{command_offset[`PASA_POSITION_BITS-1]}}, command_offset};
        end
        if (row_fire) begin
            rows_left <= rows_left - 1'b1;
            row       <= row + 1'b1;
            if (row_last) loading <= 1'b0;
        end
        if (enter) begin
            row         <= {ROW_BITS{1'b0}};
            loading     <= 1'b1;
            block_last  <= rows_left <= BLOCK;
            block_ring  <= ring;
            ring        <= ring + 1'b1;
            position      <= next_position;
            next_position <= next_position + ROWS[POSITION-1:0];
        end
        if (rst) begin
            loading <= 1'b0;
            ring    <= {RING_BITS{1'b0}};
        end
    end

    // To the ring.
    always @(posedge clk) begin
        query_write_valid <= row_fire;
        query_write_block <= block_ring;
        query_write_row   <= row;
        query_write_data  <= s_query_data;
        if (rst) query_write_valid <= 1'b0;
    end

    // Nibbles: rounded half up, saturated.
    localparam DROP = 8 - PRED_BITS;
    wire [HEAD_DIM*PRED_BITS-1:0] rounded;
    genvar i, r;
    generate for (i = 0; i < HEAD_DIM; i = i + 1) begin : g_nibble
        wire [7:0] code = s_query_data[i*8 +: 8];
        wire most = code[7:DROP] == {1'b0, {(PRED_BITS-1){1'b1}}};
        assign rounded[i*PRED_BITS +: PRED_BITS] =
            code[7:DROP] + {{(PRED_BITS-1){1'b0}}, code[DROP-1] & !most};
    end
    wire [ROWS*COUNT_BITS-1:0] stops;
    wire [ROWS-1:0]            here;
    for (r = 0; r < ROWS; r = r + 1) begin : g_row
        localparam [COUNT_BITS-1:0] NUMBER = r;
        localparam [POSITION-1:0]   AHEAD  = r;
        reg [HEAD_DIM*PRED_BITS-1:0] nibbles;
        always @(posedge clk)
            if (row_fire & row == NUMBER[ROW_BITS-1:0]) nibbles <= rounded;
        assign block_nibbles[r*HEAD_DIM*PRED_BITS +: HEAD_DIM*PRED_BITS] = nibbles;

        assign here[r] = rows_left > NUMBER;
        always @(posedge clk) if (enter) block_present[r] <= here[r];
        pasa_row_range #(.TILE_KEYS(TILE_KEYS)) range (
            .clk(clk), .present(block_present[r]), .causal(causal), .window(window),
            .key_length(key_length), .position(position + AHEAD),
            .stop(stops[r*COUNT_BITS +: COUNT_BITS]),
            .from(block_from[r*COUNT_BITS +: COUNT_BITS])
        );
    end endgenerate
    assign block_stop = stops;
    // Positions rise with the rows, so the last row present reaches farthest.
    reg [COUNT_BITS-1:0] farthest, farthest_next;
    integer k;
    always @* begin
        farthest_next = stops[COUNT_BITS-1:0];
        for (k = 1; k < ROWS; k = k + 1)
            if (block_present[k]) farthest_next = stops[k*COUNT_BITS +: COUNT_BITS];
    end
    always @(posedge clk) farthest <= farthest_next;
    pasa_word_range #(.PRED_KEYS(PRED_KEYS), .TILE_KEYS(TILE_KEYS)) word_range (
        .clk(clk), .stop(farthest), .from(block_from[COUNT_BITS-1:0]),
        .sinks(|window ? block_sinks : {COUNT_BITS{1'b0}}),
        .first(walk_first), .jump(walk_jump), .jump_at(walk_jump_at), .jump_to(walk_jump_to),
        .last(walk_last)
    );

    // The ranges follow `position` and block_present, which are steady from
    // `enter` on, by 2 + 1 + 3 clocks.
    reg [4:0] ranging;
    always @(posedge clk) begin
        ranging <= {ranging[3:0], enter};
        if (enter)           ranged <= 1'b0;
        else if (ranging[4]) ranged <= 1'b1;
        if (rst) ranging <= 5'd0;
    end
endmodule
`default_nettype wire
