# SPDX-License-Identifier: Apache-2.0
"""Mistakes that the stand-in must meet with one clear line: in a script, or in the machine."""

import re
from dataclasses import dataclass


def quote(text: str) -> str:
    """`text` as one element of a Tcl list."""
    return '"' + re.sub(r'([\\"$\[\]{}])', r"\\\1", text) + '"'


#: An activity file as short as can be, in the form that `make sim SAIF=1` leaves.
ACTIVITY = """\
(SAIFILE
(SAIFVERSION "2.0")
(DIVIDER / )
(DURATION 19)
 (INSTANCE $rootio
  (NET
   (clk (T0 10) (T1 9) (TZ 0) (TX 0) (TB 0) (TC 19))
  )
 )
 (INSTANCE pasa_core
  (NET
   (clk (T0 10) (T1 9) (TZ 0) (TX 0) (TB 0) (TC 19))
  )
 )
)
"""


@dataclass(frozen=True)
class Plant:
    """One mistake.

    Attributes:
        name: what is wrong.
        says: regular expression that the failure's line must match.
        script, old, new: text of a script below fpga/ that is replaced as it is read.
        world: what the tool is like, see tool::world of fpga/dryrun/tool.tcl.
        vivado: False: not on PATH.
        activity: content of the activity file, when there is one.
        action: build in which it shows.
    """

    name: str
    says: str
    script: str = ""
    old: str = ""
    new: str = ""
    world: str = ""
    vivado: bool = True
    activity: str = ""
    action: str = "bitstream"

    def tcl(self) -> str:
        """As the stand-in reads it."""
        words = (self.script, self.old, self.new)
        return " ".join(map(quote, words)) if self.script else ""


SYSTEM, IMPLEMENT, PACKAGE = "flow/system.tcl", "flow/implement.tcl", "flow/package.tcl"
AXI = "hdl/shell/pasa_axi.v"
DMA_CLOCK = "wire ps7/FCLK_CLK0 memory_query/S01_ACLK axi_dma_query/m_axi_s2mm_aclk"

PLANTS = (
    # The machine
    Plant("no Vivado", "no vivado on PATH; source settings64.sh", vivado=False),
    Plant(
        "another version", "this is Vivado 2022.1, .* VIVADO_VERSION=2022.1", world="version=2022.1"
    ),
    Plant(
        "no device",
        "no parts matched: this Vivado .* 'xc7z035ifbg676-2L'",
        world="parts=xc7z020clg400-1",
    ),
    Plant("no licence", "no licence for this device: .*17-345", world="licence=0"),
    Plant("setup violated", "timing failed: setup -0.104 ns", world="setup=-0.104"),
    Plant("hold violated", "timing failed: .*hold -0.002 ns", world="hold=-0.002", action="ooc"),
    Plant("nothing constrained", "no constrained setup path", world="setup="),
    # Commands, options, properties
    Plant(
        "unknown option",
        "write_bitstream: option -overwrite is unknown; UG835",
        IMPLEMENT,
        "write_bitstream -force",
        "write_bitstream -overwrite",
    ),
    Plant(
        "option without value",
        "get_timing_paths: option -max_paths wants a value",
        IMPLEMENT,
        "-max_paths 1]",
        "-max_paths]",
    ),
    Plant(
        "unknown command",
        "command optimise_design is unknown",
        IMPLEMENT,
        "{ opt_design }",
        "{ optimise_design }",
    ),
    Plant(
        "too few arguments",
        "set_property: 2 arguments given",
        SYSTEM,
        "set_property target_language Verilog [current_project]",
        "set_property target_language [current_project]",
    ),
    Plant(
        "unknown property",
        "file has no property synth_checkpoints",
        IMPLEMENT,
        "synth_checkpoint_mode None",
        "synth_checkpoints None",
    ),
    Plant(
        "illegal value",
        "access of register is 'readonly'",
        PACKAGE,
        "access $access",
        "access readonly",
    ),
    Plant(
        "Tcl of another release",
        "command lmap is unknown",
        "flow/common.tcl",
        "foreach {name -} [parameters $module] {",
        "lmap {name -} [parameters $module] {",
    ),
    # Block design
    Plant(
        "unknown IP version",
        "no IP xilinx.com:ip:axi_dma:8.0",
        SYSTEM,
        "axi_dma:7.1",
        "axi_dma:8.0",
    ),
    Plant(
        "unknown parameter",
        "has no parameter CONFIG.c_burst",
        SYSTEM,
        "c_mm2s_burst_size",
        "c_burst",
    ),
    Plant(
        "unknown pin",
        "get_bd_pins: nothing matched 'pasa/aclock'",
        SYSTEM,
        "pasa/aclk",
        "pasa/aclock",
    ),
    Plant(
        "pin without clock",
        "pin axi_dma_query/m_axi_s2mm_aclk is not driven",
        SYSTEM,
        DMA_CLOCK,
        "wire ps7/FCLK_CLK0 memory_query/S01_ACLK",
    ),
    Plant(
        "accelerator without reset",
        "pin pasa/aresetn is not driven",
        SYSTEM,
        "reset/peripheral_aresetn pasa/aresetn",
        "reset/peripheral_aresetn",
    ),
    Plant(
        "reset not synchronised",
        "reset pasa/aresetn comes straight from ps7/FCLK_RESET0_N",
        SYSTEM,
        "wire reset/peripheral_aresetn pasa/aresetn",
        "wire ps7/FCLK_RESET0_N pasa/aresetn\n    wire reset/peripheral_aresetn",
    ),
    Plant(
        "reset of the wrong polarity",
        "pasa/aresetn wants a reset_low",
        SYSTEM,
        "wire reset/peripheral_aresetn pasa/aresetn",
        "wire reset/peripheral_reset pasa/aresetn\n    wire reset/peripheral_aresetn",
    ),
    Plant(
        "clock to a reset",
        "pasa/aresetn wants a reset_low, ps7/FCLK_CLK0 is a clock",
        SYSTEM,
        "wire reset/peripheral_aresetn pasa/aresetn",
        "wire ps7/FCLK_CLK0 pasa/aresetn\n    wire reset/peripheral_aresetn",
    ),
    Plant(
        "two drivers",
        "drive one net",
        SYSTEM,
        "wire interrupts/dout ps7/IRQ_F2P",
        "wire interrupts/dout ps7/IRQ_F2P\n"
        "    wire reset/interconnect_aresetn reset/peripheral_aresetn",
    ),
    Plant(
        "stream not connected",
        "bus pasa/m_axis_output is not connected",
        SYSTEM,
        "bus pasa/m_axis_output axi_dma_query/S_AXIS_S2MM",
        "set unused 1",
    ),
    Plant(
        "stream of another width",
        "M_AXIS_MM2S has 64 bits, pasa/s_axis_query 128",
        SYSTEM,
        "[chosen $choice pasa_axi]",
        "{STREAM_BITS 128}",
    ),
    Plant(
        "stream the wrong way",
        "meets|connected already",
        SYSTEM,
        "bus axi_dma_$stream/M_AXIS_MM2S pasa/s_axis_$stream",
        "bus axi_dma_$stream/M_AXIS_MM2S pasa/m_axis_output",
    ),
    Plant(
        "memory without converter",
        "speaks AXI4, ps7/S_AXI_HP0 AXI3",
        SYSTEM,
        "bus axi_dma_$stream/M_AXI_MM2S memory_$stream/S00_AXI",
        "bus axi_dma_$stream/M_AXI_MM2S ps7/S_AXI_HP$port\n        incr port; continue",
    ),
    Plant(
        "interrupt lost",
        "interrupt axi_dma_key/mm2s_introut goes nowhere",
        SYSTEM,
        "wire axi_dma_key/mm2s_introut interrupts/In3",
        "wire axi_dma_value/mm2s_introut interrupts/In3",
    ),
    Plant(
        "concat input open",
        "pin interrupts/In5 is not driven",
        SYSTEM,
        "NUM_PORTS 5",
        "NUM_PORTS 6",
    ),
    Plant(
        "address missing",
        "pasa/s_axi/reg0 has no address in ps7/Data",
        SYSTEM,
        "pasa/s_axi/reg0              0x43C00000 4K",
        "",
    ),
    Plant("addresses overlap", "overlaps", SYSTEM, "0x40410000 64K", "0x40400000 64K"),
    Plant(
        "address out of reach",
        "0x80000000 is outside of ps7/Data",
        SYSTEM,
        "0x43C00000",
        "0x80000000",
    ),
    Plant("address not aligned", "no multiple of its size", SYSTEM, "0x43C00000", "0x43C00800"),
    Plant(
        "memory missing",
        "HP2_DDR_LOWOCM has no address in axi_dma_value/Data_MM2S",
        SYSTEM,
        "axi_dma_value/Data_MM2S 2",
        "",
    ),
    Plant(
        "design not checked",
        "changed after it was validated",
        SYSTEM,
        "    validate_bd_design\n",
        "",
    ),
    # IP
    Plant(
        "bus without clock",
        "bus m_axis_output has no clock",
        PACKAGE,
        "s_axis_value m_axis_output}",
        "s_axis_value}",
    ),
    Plant(
        "interrupt not inferred",
        "no bus|interrupt",
        PACKAGE,
        "ipx::infer_bus_interface interrupt xilinx.com:signal:interrupt_rtl:1.0 $core",
        "",
    ),
    Plant(
        "parameter forgotten",
        "parameter MERGE_ROWS has no list of legal values",
        PACKAGE,
        "MERGE_ROWS  {64 128 256 512 1024}            {Most queries of a command that merges}",
        "",
    ),
    Plant(
        "header forgotten",
        "includes pasa_.*, which is nowhere",
        PACKAGE,
        "    add_files -norecurse [header_files]\n"
        "    set_property file_type {Verilog Header} [get_files *.vh]\n",
        "",
    ),
    Plant("core not checked", "not prepared", PACKAGE, "        ipx::check_integrity $core\n", ""),
    # Order of the steps, constraints
    Plant(
        "not placed",
        "route_design: the design is synthesised, must be placed",
        IMPLEMENT,
        "        place_design\n        phys_opt_design\n",
        "        set unused 1\n",
    ),
    Plant(
        "timing not asked for",
        "nobody asked whether timing is met",
        IMPLEMENT,
        "set slack [require_timing]",
        "set slack {0 0}",
    ),
    Plant(
        "bitstream forgotten",
        "no bitstream to include",
        IMPLEMENT,
        "        write_bitstream -force pasa.bit\n",
        "",
    ),
    Plant(
        "constraint of nothing",
        "No ports matched 'clk'",
        "hdl/core/pasa_core.v",
        " clk,",
        " clock,",
        action="ooc",
    ),
    Plant(
        "constraint outlived its net",
        "No nets matched 'core_rst'",
        AXI,
        "core_rst",
        "core_reset",
    ),
    Plant(
        "control flow in a constraint",
        'invalid command name "if"',
        "constraints/pasa_axi.xdc",
        "set_property MAX_FANOUT",
        "if {1} {}\nset_property MAX_FANOUT",
    ),
    Plant(
        "source missing",
        r"uses pasa_\w+, which was not read",
        "flow/common.tcl",
        "*/*.v]]",
        "core/*.v engine/*.v memory/*.v predictor/*.v softmax/*.v]]",
        action="ooc",
    ),
    Plant(
        "activity of another design",
        "holds no pasa_core; make sim SAIF=1",
        activity=ACTIVITY.replace("pasa_core", "another"),
        action="ooc",
    ),
    # RTL that no longer fits
    Plant(
        "port that nobody drives",
        "port debug is neither bus, clock, reset nor interrupt",
        AXI,
        "    input  wire                     aresetn,",
        "    input  wire debug,\n    input  wire                     aresetn,",
    ),
    Plant(
        "bus without a signal",
        "bus s_axis_key has the signals",
        AXI,
        "    input  wire [STREAM_BITS/8-1:0] s_axis_key_tkeep,\n",
        "",
    ),
    Plant("clock renamed", "no port aclk", AXI, " aclk,", " clock,"),
    Plant(
        "parameter renamed",
        "set_property: no object given for value_validation_type",
        AXI,
        "parameter OUTPUT_ROWS",
        "parameter ROWS_OUT",
    ),
    Plant(
        "parameter added",
        "parameter DEPTH has no list of legal values",
        AXI,
        "    parameter STREAM_BITS = 128 ",
        "    parameter DEPTH = 8,\n    parameter STREAM_BITS = 128 ",
    ),
)
