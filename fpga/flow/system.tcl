# SPDX-License-Identifier: Apache-2.0
#
# system.tcl - the block design: processor, DMA engines, accelerator
#
#   ps7 M_AXI_GP0 --- control ---+--- pasa s_axi          registers, 4 KiB
#                                +--- axi_dma_query, axi_dma_key, axi_dma_value S_AXI_LITE
#   ps7 S_AXI_HP0 --- memory_query --- axi_dma_query <--> pasa s_axis_query, m_axis_output
#   ps7 S_AXI_HP1 --- memory_key ----- axi_dma_key    --> pasa s_axis_key
#   ps7 S_AXI_HP2 --- memory_value --- axi_dma_value  --> pasa s_axis_value
#
# One clock, FCLK_CLK0. A high-performance port moves 64 bits a clock each way, so the streams are
# 64 bits wide too: nothing is gained by converting, and K and V have a port each.

# Build the design into a project on disk; make bitstream and make project both start so.
# Returns the .bd file.
proc pasa::create_system {choice board repository} {
    set folder [file join [pwd] bd]
    file delete -force $folder
    file mkdir $folder
    create_project -force pasa [file join [pwd] project] -part [dict get $board part]
    set_property target_language Verilog [current_project]
    set_property ip_repo_paths $repository [current_project]
    update_ip_catalog
    create_bd_design -dir $folder system
    add_processor $choice $board
    add_accelerator $choice
    connect_clocks
    connect_memory
    connect_control
    connect_interrupts
    assign_addresses $board
    validate_bd_design
    save_bd_design
    return [file join $folder system system.bd]
}

proc pasa::add_ip {vlnv name {configuration {}}} {
    create_bd_cell -type ip -vlnv $vlnv $name
    set settings {}
    foreach {key value} $configuration {
        lappend settings CONFIG.$key $value
    }
    if {[llength $settings] > 0} {
        set_property -dict $settings [get_bd_cells $name]
    }
}

proc pasa::wire {from args} {
    foreach to $args {
        connect_bd_net [get_bd_pins $from] [get_bd_pins $to]
    }
}

proc pasa::bus {from to} {
    connect_bd_intf_net [get_bd_intf_pins $from] [get_bd_intf_pins $to]
}

proc pasa::add_processor {choice board} {
    set common [list \
        PCW_EN_CLK0_PORT 1 \
        PCW_EN_RST0_PORT 1 \
        PCW_FPGA0_PERIPHERAL_FREQMHZ [dict get $choice clock_mhz] \
        PCW_USE_M_AXI_GP0 1 \
        PCW_USE_S_AXI_HP0 1 PCW_S_AXI_HP0_DATA_WIDTH 64 \
        PCW_USE_S_AXI_HP1 1 PCW_S_AXI_HP1_DATA_WIDTH 64 \
        PCW_USE_S_AXI_HP2 1 PCW_S_AXI_HP2_DATA_WIDTH 64 \
        PCW_USE_FABRIC_INTERRUPT 1 \
        PCW_IRQ_F2P_INTR 1 \
        PCW_TTC0_PERIPHERAL_ENABLE 0 \
    ]
    add_ip xilinx.com:ip:processing_system7:5.5 ps7 [concat [dict get $board ps7] $common]
    # The processor divides its PLLs, so it may come no nearer; timing is checked at what it gives.
    say "clock        [get_property CONFIG.PCW_ACT_FPGA0_PERIPHERAL_FREQMHZ [get_bd_cells ps7]] MHz"
    add_ip xilinx.com:ip:proc_sys_reset:5.0 reset
    create_bd_intf_port -mode Master -vlnv xilinx.com:interface:ddrx_rtl:1.0 DDR
    create_bd_intf_port -mode Master \
        -vlnv xilinx.com:display_processing_system7:fixedio_rtl:1.0 FIXED_IO
    foreach port {DDR FIXED_IO} {
        connect_bd_intf_net [get_bd_intf_pins ps7/$port] [get_bd_intf_ports $port]
    }
}

# Buffers are whole and aligned (PYNQ's are), so no scatter-gather and no realignment. A length
# of 26 bits is 64 MiB a packet; the AXI3 ports of the processor take bursts of 16.
proc pasa::add_accelerator {choice} {
    set width [dict get $choice STREAM_BITS]
    set memory [expr {$width > 64 ? $width : 64}]
    add_ip [vlnv] pasa [chosen $choice pasa_axi]
    foreach stream {query key value} {
        set receives [expr {$stream eq "query"}]
        set settings [list \
            c_include_sg 0 \
            c_sg_length_width 26 \
            c_include_mm2s 1 \
            c_include_mm2s_dre 0 \
            c_m_axi_mm2s_data_width $memory \
            c_m_axis_mm2s_tdata_width $width \
            c_mm2s_burst_size 16 \
            c_include_s2mm $receives \
        ]
        if {$receives} {
            lappend settings c_include_s2mm_dre 0 c_m_axi_s2mm_data_width $memory \
                c_s2mm_burst_size 16
        }
        add_ip xilinx.com:ip:axi_dma:7.1 axi_dma_$stream $settings
        add_ip xilinx.com:ip:axi_interconnect:2.1 memory_$stream \
            [list NUM_SI [expr {1 + $receives}] NUM_MI 1]
        bus axi_dma_$stream/M_AXIS_MM2S pasa/s_axis_$stream
    }
    bus pasa/m_axis_output axi_dma_query/S_AXIS_S2MM
    add_ip xilinx.com:ip:axi_interconnect:2.1 control {NUM_SI 1 NUM_MI 4}
    add_ip xilinx.com:ip:xlconcat:2.1 interrupts {NUM_PORTS 5}
}

proc pasa::connect_clocks {} {
    wire ps7/FCLK_RESET0_N reset/ext_reset_in
    wire ps7/FCLK_CLK0 reset/slowest_sync_clk pasa/aclk ps7/M_AXI_GP0_ACLK \
        control/ACLK control/S00_ACLK control/M00_ACLK control/M01_ACLK control/M02_ACLK \
        control/M03_ACLK
    wire reset/interconnect_aresetn control/ARESETN
    wire reset/peripheral_aresetn pasa/aresetn control/S00_ARESETN control/M00_ARESETN \
        control/M01_ARESETN control/M02_ARESETN control/M03_ARESETN
    set port 0
    foreach stream {query key value} {
        wire ps7/FCLK_CLK0 ps7/S_AXI_HP${port}_ACLK memory_$stream/ACLK memory_$stream/S00_ACLK \
            memory_$stream/M00_ACLK axi_dma_$stream/s_axi_lite_aclk axi_dma_$stream/m_axi_mm2s_aclk
        wire reset/interconnect_aresetn memory_$stream/ARESETN
        wire reset/peripheral_aresetn axi_dma_$stream/axi_resetn memory_$stream/S00_ARESETN \
            memory_$stream/M00_ARESETN
        incr port
    }
    wire ps7/FCLK_CLK0 memory_query/S01_ACLK axi_dma_query/m_axi_s2mm_aclk
    wire reset/peripheral_aresetn memory_query/S01_ARESETN
}

proc pasa::connect_memory {} {
    set port 0
    foreach stream {query key value} {
        bus axi_dma_$stream/M_AXI_MM2S memory_$stream/S00_AXI
        bus memory_$stream/M00_AXI ps7/S_AXI_HP$port
        incr port
    }
    bus axi_dma_query/M_AXI_S2MM memory_query/S01_AXI
}

proc pasa::connect_control {} {
    bus ps7/M_AXI_GP0 control/S00_AXI
    bus control/M00_AXI pasa/s_axi
    bus control/M01_AXI axi_dma_query/S_AXI_LITE
    bus control/M02_AXI axi_dma_key/S_AXI_LITE
    bus control/M03_AXI axi_dma_value/S_AXI_LITE
}

# The accelerator comes first: bit 0 of IRQ_F2P is interrupt 61 of the processor.
proc pasa::connect_interrupts {} {
    wire pasa/interrupt interrupts/In0
    wire axi_dma_query/mm2s_introut interrupts/In1
    wire axi_dma_query/s2mm_introut interrupts/In2
    wire axi_dma_key/mm2s_introut interrupts/In3
    wire axi_dma_value/mm2s_introut interrupts/In4
    wire interrupts/dout ps7/IRQ_F2P
}

proc pasa::assign_addresses {board} {
    set processor [get_bd_addr_spaces ps7/Data]
    foreach {segment offset range} {
        pasa/s_axi/reg0              0x43C00000 4K
        axi_dma_query/S_AXI_LITE/Reg 0x40400000 64K
        axi_dma_key/S_AXI_LITE/Reg   0x40410000 64K
        axi_dma_value/S_AXI_LITE/Reg 0x40420000 64K
    } {
        assign_bd_address -offset $offset -range $range -target_address_space $processor \
            [get_bd_addr_segs $segment]
    }
    foreach {space port} {
        axi_dma_query/Data_MM2S 0
        axi_dma_query/Data_S2MM 0
        axi_dma_key/Data_MM2S   1
        axi_dma_value/Data_MM2S 2
    } {
        assign_bd_address -offset 0x00000000 -range [dict get $board ddr_range] \
            -target_address_space [get_bd_addr_spaces $space] \
            [get_bd_addr_segs ps7/S_AXI_HP$port/HP${port}_DDR_LOWOCM]
    }
}

# A project that opens in the GUI: IP, block design, wrapper as top.
proc pasa::make_project {choice board} {
    set repository [package_ip $choice $board]
    step design {
        set design [create_system $choice $board $repository]
        make_wrapper -top [get_files $design]
        add_files -norecurse [find_file [pwd] system_wrapper.v]
        set_property top system_wrapper [current_fileset]
        update_compile_order -fileset sources_1
        close_project
    }
    say "open it with: vivado [file join [pwd] project pasa.xpr]"
}
