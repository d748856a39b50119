// SPDX-License-Identifier: Apache-2.0
//
// pasa_control - takes commands, watches their packets, starts them in order, reports them
//
// Why      Commands load while those before them run. Nothing of a command starts before all its
//          packets have arrived whole, so a wrong command or packet leaves no trace but its status.
// Contract * commands take the slots 0 to SLOTS-1 in turn; slot_command holds a slot's record from
//            its acceptance until its status has been taken
//          * two tiles of TILE_KEYS keys; a command of at most half as many keys takes half a tile,
//            so that up to four short commands are under way. slot_place is {tile, half}
//          * an illegal record (formats.CAUSES) still consumes its packets
//          * a packet short, long or broken refuses the command too; the query rows are then
//            rolled back
//          * a command with reuse_keys has a query packet only, and runs on the keys that the
//            command before brought or reused
//          * a command that leaves its rows to the next (merge_next) is finished when row_kept has
//            told of each row
//          * one status a command, in command order
//          * commands start as soon as the predictor takes them, while earlier ones still run
//          * golden: accelerator.Accelerator
// Latency  SETTLE + 4 clocks from the last packet's end to job_valid; the next command's packets
//          start 7 clocks after that end
// Cost     SLOTS command records and about 200 flip-flops
// Checked  make unit M=pasa_control

`default_nettype none
`include "pasa_formats.vh"
module pasa_control #(
    parameter HEAD_DIM   = 64,
    parameter TILE_KEYS  = 2048,
    parameter MERGE_ROWS = 256,
    parameter SLOTS      = 4,                     // commands under way, 2 or 4
    parameter SETTLE     = 16,                    // clocks for the last writes to land
    // derived, not to be set
    parameter COUNT_BITS = $clog2(TILE_KEYS) + 1,
    parameter DIMS_BITS  = $clog2(HEAD_DIM) + 1,
    parameter SLOT_BITS  = $clog2(SLOTS)
) (
    input  wire                            clk,
    input  wire                            rst,

    input  wire                            s_command_valid,
    output wire                            s_command_ready,
    input  wire [`PASA_COMMAND_BITS-1:0]   s_command_data,
    output reg  [SLOTS*`PASA_COMMAND_BITS-1:0] slot_command,

    // packet loaders: query, key, value from bit 0
    output reg  [2:0]                      load_start,
    output reg                             load_discard,   // read the packets, store nothing
    output reg  [SLOT_BITS-1:0]            load_slot,
    output reg  [1:0]                      load_place,     // where keys and values go
    output reg  [2*SLOTS-1:0]              slot_place,     // where those of a slot are
    output wire [COUNT_BITS-1:0]           load_queries,
    output wire [COUNT_BITS-1:0]           load_keys,
    output wire [DIMS_BITS-1:0]            load_dims,
    input  wire [2:0]                      load_done,
    input  wire [2:0]                      load_bad,       // with load_done: short or long
    output reg                             query_commit,
    output reg                             query_rollback,
    output wire                            loading,

    output wire                            job_valid,      // predictor: a command to run
    input  wire                            job_ready,
    output wire [SLOT_BITS-1:0]            job_slot,
    input  wire                            command_done,   // last output beat taken
    input  wire [SLOT_BITS-1:0]            command_done_slot,
    input  wire                            row_kept,       // of a command with merge_next
    input  wire [SLOT_BITS-1:0]            row_kept_slot,

    output wire                            clear_valid,    // counters of a slot
    output wire [SLOT_BITS-1:0]            clear_slot,
    output wire [SLOTS-1:0]                running,        // slots between job and command_done
    output wire [SLOT_BITS-1:0]            report_slot,    // the oldest command not yet reported
    output wire                            report_valid,
    input  wire                            report_ready,
    output wire [15:0]                     report_tag,
    output wire [7:0]                      report_causes
);
    localparam IDLE = 3'd0, PLACE = 3'd1, CHECK = 3'd2, PACKETS = 3'd3, DECIDE = 3'd4;
    localparam LENGTH = `PASA_LENGTH_BITS;
    localparam RECORD = `PASA_COMMAND_BITS;

    generate if (SLOTS != 2 && SLOTS != 4) begin : g_check_slots
        pasa_control_ERROR_SLOTS_must_be_2_or_4 bad ();
    end endgenerate

    reg [2:0]           state;
    reg [SLOTS-1:0]     busy, loaded, runs, finished;
    reg [8*SLOTS-1:0]   slot_causes;
    reg [SLOT_BITS-1:0] run_slot, status_slot;
    assign running = runs;

    // ---- loading ----------------------------------------------------------------------------
    wire accept = s_command_valid & s_command_ready;
    assign s_command_ready = (state == IDLE) & !busy[load_slot];
    assign clear_valid = accept;
    assign clear_slot  = load_slot;
    assign loading     = state != IDLE;

    // verilator lint_off UNUSEDSIGNAL  // only shape, selection and scales can be illegal
    wire [RECORD-1:0] command = slot_command[load_slot*RECORD +: RECORD];
    // verilator lint_on UNUSEDSIGNAL
    wire [LENGTH-1:0] queries = command[`PASA_COMMAND_QUERY_COUNT];
    wire [LENGTH-1:0] keys    = command[`PASA_COMMAND_KEY_COUNT];
    wire [LENGTH-1:0] dims    = command[`PASA_COMMAND_DIMS];
    wire              reuse    = command[`PASA_COMMAND_REUSE_KEYS];
    wire              previous = command[`PASA_COMMAND_MERGE_PREVIOUS];
    wire              next     = command[`PASA_COMMAND_MERGE_NEXT];
    wire              sparse   = command[`PASA_COMMAND_USE_THRESHOLD] | command[`PASA_COMMAND_USE_BUDGET];
    wire [4:0]        slices  = command[`PASA_COMMAND_PREDICTED_SLICES];
    wire [`PASA_SHIFT_BITS-1:0] output_shift = command[`PASA_COMMAND_OUTPUT_SHIFT];
    assign load_queries = queries[COUNT_BITS-1:0];
    assign load_keys    = keys[COUNT_BITS-1:0];
    assign load_dims    = dims[DIMS_BITS-1:0];

    // What the commands before have left: a tile, and rows.
    reg               tile_there, rows_there, rows_sparse;
    reg  [LENGTH-1:0] tile_keys, tile_dims, rows_count, rows_dims;

    // Command.causes and Accelerator.causes of the golden model.
    localparam [LENGTH-1:0] MOST_KEYS = TILE_KEYS[LENGTH-1:0];
    localparam [LENGTH-1:0] MOST_DIMS = HEAD_DIM[LENGTH-1:0];
    localparam [LENGTH-1:0] MOST_ROWS = MERGE_ROWS[LENGTH-1:0];
    localparam MOST_SLICES = HEAD_DIM / `PASA_SLICE_DIMS;
    localparam SCORE_SHIFT_MAX     = `PASA_SCORE_SHIFT_MAX;
    localparam PREDICTED_SHIFT_MAX = `PASA_PREDICTED_SHIFT_MAX;
    localparam OUTPUT_SHIFT_MAX    = `PASA_OUTPUT_SHIFT_MAX;
    wire wrong_shape = (queries == 0) | (queries > MOST_KEYS) | (keys == 0) | (keys > MOST_KEYS)
                     | (dims == 0) | (dims > MOST_DIMS);
    wire wrong_mask  = command[`PASA_COMMAND_KEY_LENGTH] > keys;
    wire wrong_select = (command[`PASA_COMMAND_USE_BUDGET] & (command[`PASA_COMMAND_BUDGET] == 0))
                     | (slices == 0) | (slices > MOST_SLICES[4:0]);
    wire wrong_scale = (command[`PASA_COMMAND_SCORE_MULTIPLIER] == 0)
                     | (command[`PASA_COMMAND_PREDICTED_MULTIPLIER] == 0)
                     | (command[`PASA_COMMAND_OUTPUT_MULTIPLIER] == 0)
                     | (command[`PASA_COMMAND_SCORE_SHIFT] > SCORE_SHIFT_MAX[5:0])
                     | (command[`PASA_COMMAND_PREDICTED_SHIFT] > PREDICTED_SHIFT_MAX[5:0])
                     | (output_shift == 0) | (output_shift > OUTPUT_SHIFT_MAX[5:0]);
    wire wrong_chain = (reuse & (!tile_there | (keys != tile_keys) | (dims != tile_dims)))
                     | (previous & (!rows_there | (queries != rows_count) | (dims != rows_dims)
                                    | (sparse != rows_sparse)))
                     | ((previous | next) & (queries > MOST_ROWS));
    reg [7:0] illegal;
    always @* begin
        illegal = 8'd0;
        illegal[`PASA_CAUSE_SHAPE]  = wrong_shape;
        illegal[`PASA_CAUSE_MASK]   = wrong_mask;
        illegal[`PASA_CAUSE_SELECT] = wrong_select;
        illegal[`PASA_CAUSE_SCALE]  = wrong_scale;
        illegal[`PASA_CAUSE_CHAIN]  = wrong_chain;
    end

    // The next place for keys: the next half of a tile, or the next whole tile, that is free of
    // the keys of commands under way. The latest keys, which may be reused, are never there.
    wire        whole_tile = keys > MOST_KEYS / 2;
    wire [1:0]  next_half  = load_place + (load_whole ? 2'd2 : 2'd1);
    wire [1:0]  next_place = whole_tile ? {next_half[1] ^ next_half[0], 1'b0} : next_half;
    reg         load_whole;                       // the keys at load_place take a whole tile
    reg [SLOTS-1:0] slot_whole;
    reg [3:0]   taken;                            // halves, by commands under way
    wire [3:0]  wanted = whole_tile ? 4'b0011 << next_place : 4'b0001 << next_place;
    integer i;
    always @* begin
        taken = 4'b0000;
        for (i = 0; i < SLOTS; i = i + 1)
            if (busy[i] & (load_slot != i[SLOT_BITS-1:0]))
                taken = taken | (slot_whole[i] ? 4'b0011 << slot_place[2*i +: 2]
                                               : 4'b0001 << slot_place[2*i +: 2]);
    end

    reg [7:0]             causes;                 // of the command being loaded
    reg [2:0]             complete;
    reg [7:0]             packet_causes;
    always @* begin
        packet_causes = 8'd0;
        packet_causes[`PASA_CAUSE_QUERY_PACKET] = load_done[0] & load_bad[0];
        packet_causes[`PASA_CAUSE_KEY_PACKET]   = load_done[1] & load_bad[1];
        packet_causes[`PASA_CAUSE_VALUE_PACKET] = load_done[2] & load_bad[2];
    end
    wire decided = state == DECIDE;
    always @(posedge clk) begin
        load_start     <= 3'b000;
        query_commit   <= decided & (causes == 0);
        query_rollback <= decided & (causes != 0);
        case (state)
            IDLE: if (accept) begin
                slot_command[load_slot*RECORD +: RECORD] <= s_command_data;
                state <= PLACE;
            end
            PLACE: if (reuse | ((wanted & taken) == 4'b0000)) begin
                if (!reuse) begin
                    load_place <= next_place;
                    load_whole <= whole_tile;
                end
                state <= CHECK;
            end
            CHECK: begin
                causes       <= illegal;
                load_start   <= reuse ? 3'b001 : 3'b111;
                load_discard <= illegal != 0;
                slot_place[2*load_slot +: 2] <= load_place;
                slot_whole[load_slot]        <= load_whole;
                complete     <= reuse ? 3'b110 : 3'b000;
                state        <= PACKETS;
            end
            PACKETS: begin
                causes   <= causes | packet_causes;
                complete <= complete | load_done;
                if (complete == 3'b111) state <= DECIDE;
            end
            default: begin
                slot_causes[8*load_slot +: 8] <= causes;
                load_slot   <= load_slot + 1'b1;
                state       <= IDLE;
                if (!reuse) begin
                    tile_there <= causes == 0;
                    tile_keys  <= keys;
                    tile_dims  <= dims;
                end
                rows_there  <= next & (causes == 0);
                rows_count  <= queries;
                rows_dims   <= dims;
                rows_sparse <= sparse;
            end
        endcase
        if (rst) begin
            state          <= IDLE;
            load_slot      <= {SLOT_BITS{1'b0}};
            load_place     <= 2'd0;
            load_whole     <= 1'b0;
            load_start     <= 3'b000;
            tile_there     <= 1'b0;
            rows_there     <= 1'b0;
            query_commit   <= 1'b0;
            query_rollback <= 1'b0;
        end
    end

    // A command may start when its last writes have landed.
    wire                 settled;
    wire [SLOT_BITS-1:0] settled_slot;
    reg  [SETTLE-1:0]    settling;                // one bit a clock
    always @(posedge clk) settling <= rst ? {SETTLE{1'b0}} : {settling[SETTLE-2:0], decided};
    assign settled = settling[SETTLE-1];
    pasa_delay #(.WIDTH(SLOT_BITS), .CLOCKS(SETTLE)) settling_slot (
        .clk(clk), .in(load_slot), .out(settled_slot));

    // ---- running and reporting, each in command order ----------------------------------------
    wire [7:0] run_causes    = slot_causes[8*run_slot +: 8];
    // verilator lint_off UNUSEDSIGNAL  // only the rows, and the tag
    wire [RECORD-1:0] run_command    = slot_command[run_slot*RECORD +: RECORD];
    wire [RECORD-1:0] status_command = slot_command[status_slot*RECORD +: RECORD];
    // verilator lint_on UNUSEDSIGNAL
    assign job_slot  = run_slot;
    assign job_valid = loaded[run_slot] & (run_causes == 0);
    wire start  = job_valid & job_ready;
    wire refuse = loaded[run_slot] & (run_causes != 0);
    assign report_slot   = status_slot;
    assign report_valid  = finished[status_slot];
    assign report_causes = slot_causes[8*status_slot +: 8];
    assign report_tag    = status_command[`PASA_COMMAND_TAG];
    wire report = report_valid & report_ready;

    genvar s;
    generate
        for (s = 0; s < SLOTS; s = s + 1) begin : g_slot
            localparam [SLOT_BITS-1:0] HERE = s;
            reg  [LENGTH-1:0] rows_left;          // to keep, of a command with merge_next
            wire kept     = row_kept & (row_kept_slot == HERE);
            wire all_kept = kept & (rows_left == 1);
            always @(posedge clk) begin
                if (start & (run_slot == HERE))                rows_left   <= run_command[`PASA_COMMAND_QUERY_COUNT];
                else if (kept)                                 rows_left   <= rows_left - 1'b1;
                if (accept  & (load_slot == HERE))             busy[s]     <= 1'b1;
                if (settled & (settled_slot == HERE))          loaded[s]   <= 1'b1;
                if ((start | refuse) & (run_slot == HERE))     loaded[s]   <= 1'b0;
                if (start & (run_slot == HERE))                runs[s]     <= 1'b1;
                if (refuse & (run_slot == HERE))               finished[s] <= 1'b1;
                if ((command_done & (command_done_slot == HERE)) | all_kept) begin
                    runs[s]     <= 1'b0;
                    finished[s] <= 1'b1;
                end
                if (report & (status_slot == HERE)) begin
                    finished[s] <= 1'b0;
                    busy[s]     <= 1'b0;
                end
                if (rst) {busy[s], loaded[s], runs[s], finished[s]} <= 4'b0000;
            end
        end
    endgenerate
    always @(posedge clk) begin
        run_slot    <= run_slot + {{SLOT_BITS-1{1'b0}}, start | refuse};
        status_slot <= status_slot + {{SLOT_BITS-1{1'b0}}, report};
        if (rst) begin
            run_slot    <= {SLOT_BITS{1'b0}};
            status_slot <= {SLOT_BITS{1'b0}};
        end
    end
endmodule
`default_nettype wire
