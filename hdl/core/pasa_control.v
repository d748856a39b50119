// SPDX-License-Identifier: Apache-2.0
//
// pasa_control - takes commands, watches their packets, starts them in order, reports them
//
// Why      One command loads while the one before it runs. Nothing of a command starts before all
//          its packets have arrived whole, so a wrong command or packet leaves no trace but its
//          status.
// Contract * commands alternate between slots 0 and 1; slot_command holds a slot's record from its
//            acceptance until its status has been taken
//          * an illegal record (formats.CAUSES) still consumes one packet on each stream
//          * a packet short, long or broken refuses the command too; the query rows are then
//            rolled back
//          * a command with reuse_keys has a query packet only, and runs on the tile that the
//            command before brought or reused
//          * one that goes on with rows (merge_previous) or leaves them (merge_next) starts when
//            all before it are finished; the latter is finished when row_kept has told of each row
//          * golden: accelerator.Accelerator
//          * one status a command, in command order
//          * commands start as soon as the predictor takes them, while earlier ones still run
// Latency  SETTLE + 4 clocks from the last packet's end to job_valid
// Cost     two command records and about 100 flip-flops
// Checked  make unit M=pasa_control

`default_nettype none
`include "pasa_formats.vh"
module pasa_control #(
    parameter HEAD_DIM   = 64,
    parameter TILE_KEYS  = 2048,
    parameter MERGE_ROWS = 256,
    parameter SETTLE     = 16,                    // clocks for the last writes to land
    // derived, not to be set
    parameter COUNT_BITS = $clog2(TILE_KEYS) + 1,
    parameter DIMS_BITS  = $clog2(HEAD_DIM) + 1
) (
    input  wire                            clk,
    input  wire                            rst,

    input  wire                            s_command_valid,
    output wire                            s_command_ready,
    input  wire [`PASA_COMMAND_BITS-1:0]   s_command_data,
    output reg  [2*`PASA_COMMAND_BITS-1:0] slot_command,

    // packet loaders: query, key, value from bit 0
    output reg  [2:0]                      load_start,
    output reg                             load_discard,   // read the packets, store nothing
    output reg                             load_slot,
    output reg                             load_tile,      // where keys and values go
    output reg  [1:0]                      slot_tile,      // where those of a slot are
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
    output wire                            job_slot,
    input  wire                            command_done,   // last output beat taken
    input  wire                            command_done_slot,
    input  wire                            row_kept,       // of the command with merge_next

    output wire                            clear_valid,    // counters of a slot
    output wire                            clear_slot,
    output wire [1:0]                      running,        // slots between job and command_done
    output wire                            report_slot,    // the oldest command not yet reported
    output wire                            report_valid,
    input  wire                            report_ready,
    output wire [15:0]                     report_tag,
    output wire [7:0]                      report_causes
);
    localparam IDLE = 2'd0, CHECK = 2'd1, PACKETS = 2'd2, DECIDE = 2'd3;
    localparam SETTLE_BITS = $clog2(SETTLE + 1);
    localparam LENGTH = `PASA_LENGTH_BITS;

    reg [1:0]  state;
    reg [1:0]  busy, loaded, runs, finished;      // by slot
    reg [7:0]  causes_0, causes_1;
    reg        run_slot, status_slot;
    assign running = runs;

    // ---- loading ----------------------------------------------------------------------------
    wire accept = s_command_valid & s_command_ready;
    assign s_command_ready = (state == IDLE) & !busy[load_slot];
    assign clear_valid = accept;
    assign clear_slot  = load_slot;
    assign loading     = state != IDLE;

    // verilator lint_off UNUSEDSIGNAL  // only shape, selection and scales can be illegal
    wire [`PASA_COMMAND_BITS-1:0] command = load_slot
        ? slot_command[`PASA_COMMAND_BITS +: `PASA_COMMAND_BITS]
        : slot_command[0 +: `PASA_COMMAND_BITS];
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

    reg [7:0]             causes;                 // of the command being loaded
    reg [2:0]             complete;
    reg [SETTLE_BITS-1:0] settle;
    reg [7:0]             packet_causes;
    always @* begin
        packet_causes = 8'd0;
        packet_causes[`PASA_CAUSE_QUERY_PACKET] = load_done[0] & load_bad[0];
        packet_causes[`PASA_CAUSE_KEY_PACKET]   = load_done[1] & load_bad[1];
        packet_causes[`PASA_CAUSE_VALUE_PACKET] = load_done[2] & load_bad[2];
    end
    wire decided = (state == DECIDE) & (settle == 0);
    always @(posedge clk) begin
        load_start     <= 3'b000;
        query_commit   <= decided & (causes == 0);
        query_rollback <= decided & (causes != 0);
        case (state)
            IDLE: if (accept) begin
                if (load_slot) slot_command[`PASA_COMMAND_BITS +: `PASA_COMMAND_BITS] <= s_command_data;
                else           slot_command[0 +: `PASA_COMMAND_BITS] <= s_command_data;
                state <= CHECK;
            end
            CHECK: begin
                causes       <= illegal;
                load_start   <= reuse ? 3'b001 : 3'b111;
                load_discard <= illegal != 0;
                load_tile    <= load_tile ^ !reuse;
                slot_tile[load_slot] <= load_tile ^ !reuse;
                complete     <= reuse ? 3'b110 : 3'b000;
                state        <= PACKETS;
            end
            PACKETS: begin
                causes   <= causes | packet_causes;
                complete <= complete | load_done;
                settle   <= SETTLE[SETTLE_BITS-1:0];
                if (complete == 3'b111) state <= DECIDE;
            end
            default: begin
                settle <= settle - 1'b1;
                if (settle == 0) begin
                    if (load_slot) causes_1 <= causes; else causes_0 <= causes;
                    load_slot <= !load_slot;
                    state     <= IDLE;
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
            end
        endcase
        if (rst) begin
            state          <= IDLE;
            load_slot      <= 1'b0;
            load_tile      <= 1'b0;
            load_start     <= 3'b000;
            tile_there     <= 1'b0;
            rows_there     <= 1'b0;
            query_commit   <= 1'b0;
            query_rollback <= 1'b0;
        end
    end

    // ---- running and reporting, each in command order ----------------------------------------
    wire [7:0] run_causes    = run_slot ? causes_1 : causes_0;
    // verilator lint_off UNUSEDSIGNAL  // only what concerns the rows between commands
    wire [`PASA_COMMAND_BITS-1:0] run_command = run_slot
        ? slot_command[`PASA_COMMAND_BITS +: `PASA_COMMAND_BITS]
        : slot_command[0 +: `PASA_COMMAND_BITS];
    // verilator lint_on UNUSEDSIGNAL
    wire leaves = run_command[`PASA_COMMAND_MERGE_NEXT];
    wire alone  = run_command[`PASA_COMMAND_MERGE_PREVIOUS] | leaves;
    assign job_slot  = run_slot;
    assign job_valid = loaded[run_slot] & (run_causes == 0) & !(alone & (runs != 2'b00));
    wire start  = job_valid & job_ready;
    wire refuse = loaded[run_slot] & (run_causes != 0);
    assign report_slot   = status_slot;
    assign report_valid  = finished[status_slot];
    assign report_causes = status_slot ? causes_1 : causes_0;
    assign report_tag    = status_slot ? slot_command[`PASA_COMMAND_BITS +: 16] : slot_command[15:0];
    wire report = report_valid & report_ready;

    // Rows to keep of the one command that leaves rows, and its end.
    reg  [LENGTH-1:0] rows_left;
    reg               leaver;                     // its slot
    wire              all_kept = row_kept & (rows_left == 1);
    always @(posedge clk) begin
        if (start & leaves) begin
            rows_left <= run_command[`PASA_COMMAND_QUERY_COUNT];
            leaver    <= run_slot;
        end else if (row_kept) rows_left <= rows_left - 1'b1;
    end

    genvar s;
    generate
        for (s = 0; s < 2; s = s + 1) begin : g_slot
            wire run_here = run_slot == s[0];
            always @(posedge clk) begin
                if (accept  & (load_slot == s[0]))   busy[s]     <= 1'b1;
                if (decided & (load_slot == s[0]))   loaded[s]   <= 1'b1;
                if ((start | refuse) & run_here)     loaded[s]   <= 1'b0;
                if (start & run_here)                runs[s]     <= 1'b1;
                if (refuse & run_here)               finished[s] <= 1'b1;
                if ((command_done & (command_done_slot == s[0])) | (all_kept & (leaver == s[0]))) begin
                    runs[s]     <= 1'b0;
                    finished[s] <= 1'b1;
                end
                if (report & (status_slot == s[0])) begin
                    finished[s] <= 1'b0;
                    busy[s]     <= 1'b0;
                end
                if (rst) {busy[s], loaded[s], runs[s], finished[s]} <= 4'b0000;
            end
        end
    endgenerate
    always @(posedge clk) begin
        run_slot    <= run_slot ^ (start | refuse);
        status_slot <= status_slot ^ report;
        if (rst) {run_slot, status_slot} <= 2'b00;
    end
endmodule
`default_nettype wire
