# SPDX-License-Identifier: Apache-2.0
#
# catalog.tcl - the vendor's IPs that the system uses: parameters, pins, buses, addresses
#
# `parameters`: legal values as a list, or a regular expression after "like".
# `shape CONFIG` returns a dict:
#   pins     name {direction width kind clock}  kind: data clock reset_low reset_high interrupt;
#            an input must be driven unless kind begins with "optional_"
#   buses    name {mode type clock width protocol need}  need 1: must be connected
#   spaces   name {bus lowest highest}     addresses that a master reaches
#   segments bus {name range}              what a slave offers
#   bridge   1: every slave bus reaches every master bus, and converts width and protocol

namespace eval catalog {
    variable ips [dict create]
    variable defaults [dict create]
}

proc catalog::add {vlnv document parameters defaults shape} {
    variable ips
    dict set ips $vlnv [dict create document $document parameters $parameters defaults $defaults \
        shape $shape]
}

proc catalog::check_parameter {vlnv name value} {
    variable ips
    set entry [dict get $ips $vlnv]
    set parameters [dict get $entry parameters]
    if {![dict exists $parameters $name]} {
        error "set_property: $vlnv has no parameter CONFIG.$name ([dict get $entry document])"
    }
    set legal [dict get $parameters $name]
    if {[lindex $legal 0] eq "like"} {
        set good [regexp "^(?:[lindex $legal 1])\$" $value]
    } else {
        set good [expr {$value in $legal}]
    }
    if {!$good} {
        error "set_property: CONFIG.$name of $vlnv is '$value', must be [join $legal { }]"
    }
}

proc catalog::shape {vlnv configuration} {
    variable ips
    set entry [dict get $ips $vlnv]
    set full [dict merge [dict get $entry defaults] $configuration]
    return [dict merge {pins {} buses {} spaces {} segments {} bridge 0} \
        [apply [dict get $entry shape] $full]]
}

# ---- PG082 ------------------------------------------------------------------------------------
set switch {0 1}
set number {like {-?\d+(\.\d+)?}}
set mio {like {MIO \d+( \.\. \d+| \d+ \.\. \d+)?|EMIO}}
set ps7_parameters [dict create \
    PCW_PRESET_BANK0_VOLTAGE {{LVCMOS 1.8V} {LVCMOS 2.5V} {LVCMOS 3.3V}} \
    PCW_PRESET_BANK1_VOLTAGE {{LVCMOS 1.8V} {LVCMOS 2.5V} {LVCMOS 3.3V}} \
    PCW_UIPARAM_DDR_PARTNO {{MT41K256M16 RE-125} {MT41J256M16 RE-125}} \
    PCW_UIPARAM_DDR_BUS_WIDTH {{16 Bit} {32 Bit}} \
    PCW_FPGA0_PERIPHERAL_FREQMHZ $number PCW_SDIO_PERIPHERAL_FREQMHZ $number]
foreach name {PCW_UIPARAM_DDR_USE_INTERNAL_VREF PCW_UIPARAM_DDR_TRAIN_WRITE_LEVEL
              PCW_UIPARAM_DDR_TRAIN_READ_GATE PCW_UIPARAM_DDR_TRAIN_DATA_EYE PCW_EN_CLK0_PORT
              PCW_EN_RST0_PORT PCW_USE_M_AXI_GP0 PCW_USE_FABRIC_INTERRUPT PCW_IRQ_F2P_INTR
              PCW_TTC0_PERIPHERAL_ENABLE PCW_QSPI_PERIPHERAL_ENABLE PCW_QSPI_GRP_IO1_ENABLE
              PCW_QSPI_GRP_FBCLK_ENABLE PCW_UART0_PERIPHERAL_ENABLE PCW_UART1_PERIPHERAL_ENABLE
              PCW_SD0_PERIPHERAL_ENABLE PCW_SD1_PERIPHERAL_ENABLE PCW_SD0_GRP_CD_ENABLE
              PCW_ENET0_PERIPHERAL_ENABLE PCW_ENET0_GRP_MDIO_ENABLE PCW_ENET0_RESET_ENABLE
              PCW_USB0_PERIPHERAL_ENABLE PCW_USB0_RESET_ENABLE PCW_GPIO_MIO_GPIO_ENABLE} {
    dict set ps7_parameters $name $switch
}
foreach name {PCW_QSPI_QSPI_IO PCW_QSPI_GRP_IO1_IO PCW_QSPI_GRP_FBCLK_IO PCW_UART0_UART0_IO
              PCW_UART1_UART1_IO PCW_SD0_SD0_IO PCW_SD1_SD1_IO PCW_SD0_GRP_CD_IO PCW_ENET0_ENET0_IO
              PCW_ENET0_GRP_MDIO_IO PCW_ENET0_RESET_IO PCW_USB0_USB0_IO PCW_USB0_RESET_IO} {
    dict set ps7_parameters $name $mio
}
set ps7_defaults {PCW_USE_M_AXI_GP0 1 PCW_EN_CLK0_PORT 1 PCW_EN_RST0_PORT 1
    PCW_USE_FABRIC_INTERRUPT 0 PCW_IRQ_F2P_INTR 0 PCW_FPGA0_PERIPHERAL_FREQMHZ 50}
foreach n {0 1 2 3} {
    dict set ps7_parameters PCW_USE_S_AXI_HP$n $switch
    dict set ps7_parameters PCW_S_AXI_HP${n}_DATA_WIDTH {32 64}
    dict set ps7_parameters PCW_UIPARAM_DDR_BOARD_DELAY$n $number
    dict set ps7_parameters PCW_UIPARAM_DDR_DQS_TO_CLK_DELAY_$n $number
    lappend ps7_defaults PCW_USE_S_AXI_HP$n 0 PCW_S_AXI_HP${n}_DATA_WIDTH 64
}
catalog::add xilinx.com:ip:processing_system7:5.5 PG082 $ps7_parameters $ps7_defaults {{c} {
    dict set shape buses DDR {master ddr "" 0 ddr 1}
    dict set shape buses FIXED_IO {master fixed_io "" 0 fixed_io 1}
    if {[dict get $c PCW_EN_CLK0_PORT]} { dict set shape pins FCLK_CLK0 {O 1 clock ""} }
    if {[dict get $c PCW_EN_RST0_PORT]} { dict set shape pins FCLK_RESET0_N {O 1 reset_low ""} }
    if {[dict get $c PCW_USE_FABRIC_INTERRUPT] && [dict get $c PCW_IRQ_F2P_INTR]} {
        dict set shape pins IRQ_F2P {I any interrupt ""}
    }
    if {[dict get $c PCW_USE_M_AXI_GP0]} {
        dict set shape buses M_AXI_GP0 {master aximm M_AXI_GP0_ACLK 32 AXI3 1}
        dict set shape pins M_AXI_GP0_ACLK {I 1 clock ""}
        dict set shape spaces Data {M_AXI_GP0 0x40000000 0x7FFFFFFF}
    }
    foreach n {0 1 2 3} {
        if {![dict get $c PCW_USE_S_AXI_HP$n]} continue
        set width [dict get $c PCW_S_AXI_HP${n}_DATA_WIDTH]
        dict set shape buses S_AXI_HP$n [list slave aximm S_AXI_HP${n}_ACLK $width AXI3 1]
        dict set shape pins S_AXI_HP${n}_ACLK {I 1 clock ""}
        dict set shape segments S_AXI_HP$n [list HP${n}_DDR_LOWOCM 1G]
    }
    return $shape
}}

# ---- PG164 ------------------------------------------------------------------------------------
catalog::add xilinx.com:ip:proc_sys_reset:5.0 PG164 {
    C_EXT_RST_WIDTH {like {\d+}} C_AUX_RST_WIDTH {like {\d+}} C_EXT_RESET_HIGH {0 1}
} {} {{c} {
    return {pins {
        slowest_sync_clk     {I 1 clock ""}
        ext_reset_in         {I 1 reset_low ""}
        aux_reset_in         {I 1 optional_reset_low ""}
        mb_debug_sys_rst     {I 1 optional_reset_high ""}
        dcm_locked           {I 1 optional_data ""}
        mb_reset             {O 1 reset_high slowest_sync_clk}
        bus_struct_reset     {O 1 reset_high slowest_sync_clk}
        peripheral_reset     {O 1 reset_high slowest_sync_clk}
        interconnect_aresetn {O 1 reset_low slowest_sync_clk}
        peripheral_aresetn   {O 1 reset_low slowest_sync_clk}
    }}
}}

# ---- PG021, direct register mode ---------------------------------------------------------------
set widths {32 64 128 256 512 1024}
catalog::add xilinx.com:ip:axi_dma:7.1 PG021 [dict create \
    c_include_sg {0 1} c_sg_length_width {like {[89]|1\d|2[0-6]}} c_include_mm2s {0 1} \
    c_include_s2mm {0 1} c_include_mm2s_dre {0 1} c_include_s2mm_dre {0 1} \
    c_m_axi_mm2s_data_width $widths c_m_axi_s2mm_data_width $widths \
    c_m_axis_mm2s_tdata_width [concat 8 16 $widths] c_mm2s_burst_size {2 4 8 16 32 64 128 256} \
    c_s2mm_burst_size {2 4 8 16 32 64 128 256} c_addr_width {like {3[2-9]|[45]\d|6[0-4]}} \
] {
    c_include_sg 1 c_include_mm2s 1 c_include_s2mm 1 c_m_axi_mm2s_data_width 32
    c_m_axi_s2mm_data_width 32 c_m_axis_mm2s_tdata_width 32
} {{c} {
    if {[dict get $c c_include_sg]} { error "axi_dma: scatter-gather is not in this catalog" }
    dict set shape pins s_axi_lite_aclk {I 1 clock ""}
    dict set shape pins axi_resetn {I 1 reset_low s_axi_lite_aclk}
    dict set shape buses S_AXI_LITE {slave aximm s_axi_lite_aclk 32 AXI4LITE 1}
    dict set shape segments S_AXI_LITE {Reg 64K}
    if {[dict get $c c_include_mm2s]} {
        set memory [dict get $c c_m_axi_mm2s_data_width]
        set stream [dict get $c c_m_axis_mm2s_tdata_width]
        if {$stream > $memory} { error "axi_dma: the stream is wider than the memory side" }
        dict set shape pins m_axi_mm2s_aclk {I 1 clock ""}
        dict set shape pins mm2s_prmry_reset_out_n {O 1 reset_low m_axi_mm2s_aclk}
        dict set shape pins mm2s_introut {O 1 interrupt ""}
        dict set shape buses M_AXI_MM2S [list master aximm m_axi_mm2s_aclk $memory AXI4 1]
        dict set shape buses M_AXIS_MM2S [list master axis m_axi_mm2s_aclk $stream axis 1]
        dict set shape spaces Data_MM2S {M_AXI_MM2S 0x00000000 0xFFFFFFFF}
    }
    if {[dict get $c c_include_s2mm]} {
        set memory [dict get $c c_m_axi_s2mm_data_width]
        dict set shape pins m_axi_s2mm_aclk {I 1 clock ""}
        dict set shape pins s2mm_prmry_reset_out_n {O 1 reset_low m_axi_s2mm_aclk}
        dict set shape pins s2mm_introut {O 1 interrupt ""}
        dict set shape buses M_AXI_S2MM [list master aximm m_axi_s2mm_aclk $memory AXI4 1]
        dict set shape buses S_AXIS_S2MM [list slave axis m_axi_s2mm_aclk any axis 1]
        dict set shape spaces Data_S2MM {M_AXI_S2MM 0x00000000 0xFFFFFFFF}
    }
    return $shape
}}

# ---- PG059 ------------------------------------------------------------------------------------
catalog::add xilinx.com:ip:axi_interconnect:2.1 PG059 {
    NUM_SI {like {[1-9]|1[0-6]}} NUM_MI {like {[1-9]|[1-5]\d|6[0-4]}}
} {NUM_SI 1 NUM_MI 2} {{c} {
    dict set shape pins ACLK {I 1 clock ""}
    dict set shape pins ARESETN {I 1 reset_low ACLK}
    foreach {letter mode count} [list S slave [dict get $c NUM_SI] M master [dict get $c NUM_MI]] {
        for {set n 0} {$n < $count} {incr n} {
            set port [format %s%02d $letter $n]
            dict set shape pins ${port}_ACLK {I 1 clock ""}
            dict set shape pins ${port}_ARESETN [list I 1 reset_low ${port}_ACLK]
            dict set shape buses ${port}_AXI [list $mode aximm ${port}_ACLK any any 1]
        }
    }
    dict set shape bridge 1
    return $shape
}}

# ---- xlconcat: UG994, "Concat" ----------------------------------------------------------------
catalog::add xilinx.com:ip:xlconcat:2.1 UG994 {
    NUM_PORTS {like {[1-9]|[12]\d|3[0-2]}}
} {NUM_PORTS 2} {{c} {
    for {set n 0} {$n < [dict get $c NUM_PORTS]} {incr n} {
        dict set shape pins In$n {I 1 interrupt ""}
    }
    dict set shape pins dout [list O [dict get $c NUM_PORTS] interrupt ""]
    return $shape
}}
