# SPDX-License-Identifier: Apache-2.0
# Written from hdl/shell/pasa.rdl by `make registers`. Do not edit.
"""The registers of the accelerator: addresses, access and fields.

    ADDRESS["SUBMIT"]                     byte address on AXI4-Lite
    FIELDS["CONTROL"]["soft_reset"]       (lowest bit, width)
    RESET["IDENTITY"]                     value after reset, of the default build

Words are 32 bits wide. COMMAND_0 to COMMAND_7 and STATUS_0 to STATUS_9 are the records
of ``formats``, word by word. Any other access answers SLVERR.
"""

SPAN = 0x1000  # bytes of the address space

#: Register -> byte address.
ADDRESS: dict[str, int] = {
    "IDENTITY": 0x000,
    "VERSION": 0x004,
    "BUILD_0": 0x008,
    "BUILD_1": 0x00C,
    "BUILD_2": 0x010,
    "CONTROL": 0x014,
    "STATE": 0x018,
    "INTERRUPT_ENABLE": 0x01C,
    "INTERRUPT_STATUS": 0x020,
    "CAUSES": 0x024,
    "COMMAND_0": 0x040,
    "COMMAND_1": 0x044,
    "COMMAND_2": 0x048,
    "COMMAND_3": 0x04C,
    "COMMAND_4": 0x050,
    "COMMAND_5": 0x054,
    "COMMAND_6": 0x058,
    "COMMAND_7": 0x05C,
    "SUBMIT": 0x060,
    "STATUS_0": 0x080,
    "STATUS_1": 0x084,
    "STATUS_2": 0x088,
    "STATUS_3": 0x08C,
    "STATUS_4": 0x090,
    "STATUS_5": 0x094,
    "STATUS_6": 0x098,
    "STATUS_7": 0x09C,
    "STATUS_8": 0x0A0,
    "STATUS_9": 0x0A4,
    "STATUS_POP": 0x0A8,
}

#: Registers that may be read.
READABLE: tuple[str, ...] = (
    "IDENTITY",
    "VERSION",
    "BUILD_0",
    "BUILD_1",
    "BUILD_2",
    "CONTROL",
    "STATE",
    "INTERRUPT_ENABLE",
    "INTERRUPT_STATUS",
    "CAUSES",
    "COMMAND_0",
    "COMMAND_1",
    "COMMAND_2",
    "COMMAND_3",
    "COMMAND_4",
    "COMMAND_5",
    "COMMAND_6",
    "COMMAND_7",
    "STATUS_0",
    "STATUS_1",
    "STATUS_2",
    "STATUS_3",
    "STATUS_4",
    "STATUS_5",
    "STATUS_6",
    "STATUS_7",
    "STATUS_8",
    "STATUS_9",
)

#: Registers that may be written.
WRITABLE: tuple[str, ...] = (
    "CONTROL",
    "INTERRUPT_ENABLE",
    "INTERRUPT_STATUS",
    "CAUSES",
    "COMMAND_0",
    "COMMAND_1",
    "COMMAND_2",
    "COMMAND_3",
    "COMMAND_4",
    "COMMAND_5",
    "COMMAND_6",
    "COMMAND_7",
    "SUBMIT",
    "STATUS_POP",
)

#: Register -> value after reset, of the default build.
RESET: dict[str, int] = {
    "IDENTITY": 0x50415341,
    "VERSION": 0x00010000,
    "BUILD_0": 0x10402004,
    "BUILD_1": 0x08004040,
    "BUILD_2": 0x08080100,
    "CONTROL": 0x00000000,
    "STATE": 0x01000008,
    "INTERRUPT_ENABLE": 0x00000000,
    "INTERRUPT_STATUS": 0x00000000,
    "CAUSES": 0x00000000,
    "COMMAND_0": 0x00000000,
    "COMMAND_1": 0x00000000,
    "COMMAND_2": 0x00000000,
    "COMMAND_3": 0x00000000,
    "COMMAND_4": 0x00000000,
    "COMMAND_5": 0x00000000,
    "COMMAND_6": 0x00000000,
    "COMMAND_7": 0x00000000,
    "STATUS_0": 0x00000000,
    "STATUS_1": 0x00000000,
    "STATUS_2": 0x00000000,
    "STATUS_3": 0x00000000,
    "STATUS_4": 0x00000000,
    "STATUS_5": 0x00000000,
    "STATUS_6": 0x00000000,
    "STATUS_7": 0x00000000,
    "STATUS_8": 0x00000000,
    "STATUS_9": 0x00000000,
}

#: Register -> field -> (lowest bit, width).
FIELDS: dict[str, dict[str, tuple[int, int]]] = {
    "IDENTITY": {
        "magic": (0, 32),
    },
    "VERSION": {
        "patch": (0, 16),
        "minor": (16, 8),
        "major": (24, 8),
    },
    "BUILD_0": {
        "rows": (0, 8),
        "pred_keys": (8, 8),
        "block_keys": (16, 8),
        "stream_bytes": (24, 8),
    },
    "BUILD_1": {
        "head_dim": (0, 12),
        "pred_bits": (12, 4),
        "tile_keys": (16, 16),
    },
    "BUILD_2": {
        "merge_rows": (0, 16),
        "command_depth": (16, 8),
        "status_depth": (24, 8),
    },
    "CONTROL": {
        "soft_reset": (0, 1),
    },
    "STATE": {
        "command_room": (0, 8),
        "status_waiting": (8, 8),
        "in_flight": (16, 8),
        "idle": (24, 1),
    },
    "INTERRUPT_ENABLE": {
        "status_ready": (0, 1),
        "refused": (1, 1),
        "command_overflow": (2, 1),
        "status_underflow": (3, 1),
    },
    "INTERRUPT_STATUS": {
        "status_ready": (0, 1),
        "refused": (1, 1),
        "command_overflow": (2, 1),
        "status_underflow": (3, 1),
    },
    "CAUSES": {
        "shape": (0, 1),
        "mask": (1, 1),
        "select": (2, 1),
        "scale": (3, 1),
        "query_packet": (4, 1),
        "key_packet": (5, 1),
        "value_packet": (6, 1),
        "chain": (7, 1),
    },
    "COMMAND_0": {
        "tag": (0, 16),
        "query_count": (16, 16),
    },
    "COMMAND_1": {
        "key_count": (0, 16),
        "key_length": (16, 16),
    },
    "COMMAND_2": {
        "dims": (0, 16),
        "budget": (16, 16),
    },
    "COMMAND_3": {
        "window": (0, 16),
        "sinks": (16, 16),
    },
    "COMMAND_4": {
        "query_offset": (0, 20),
        "predicted_slices": (20, 5),
        "use_threshold": (25, 1),
        "use_budget": (26, 1),
        "use_tail": (27, 1),
        "causal": (28, 1),
        "output_int16": (29, 1),
        "reuse_keys": (30, 1),
        "merge_previous": (31, 1),
    },
    "COMMAND_5": {
        "score_multiplier": (0, 17),
        "score_shift": (17, 6),
        "output_shift": (23, 6),
        "merge_next": (29, 1),
    },
    "COMMAND_6": {
        "predicted_multiplier": (0, 12),
        "predicted_shift": (12, 6),
        "min_probability": (18, 13),
    },
    "COMMAND_7": {
        "output_multiplier": (0, 16),
    },
    "SUBMIT": {
        "submit": (0, 1),
    },
    "STATUS_0": {
        "tag": (0, 16),
        "causes": (16, 8),
        "reserved": (24, 8),
    },
    "STATUS_1": {
        "rows": (0, 16),
        "empty_rows": (16, 16),
    },
    "STATUS_2": {
        "saturations": (0, 32),
    },
    "STATUS_3": {
        "keys_visible": (0, 32),
    },
    "STATUS_4": {
        "keys_kept": (0, 32),
    },
    "STATUS_5": {
        "blocks_compensated": (0, 32),
    },
    "STATUS_6": {
        "dropped_mass": (0, 32),
    },
    "STATUS_7": {
        "cycles": (0, 32),
    },
    "STATUS_8": {
        "stall_in": (0, 32),
    },
    "STATUS_9": {
        "stall_out": (0, 32),
    },
    "STATUS_POP": {
        "pop": (0, 1),
    },
}
