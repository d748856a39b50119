# SPDX-License-Identifier: Apache-2.0
#
# packager.tcl - the IP packager: what it finds in the ports of the top, and what was said about it

namespace eval packager {
    variable core [dict create]
    variable axis {tdata tkeep tvalid tready tlast}
    variable lite {awaddr awprot awvalid awready wdata wstrb wvalid wready bresp bvalid bready
        araddr arprot arvalid arready rdata rresp rvalid rready}
}

# Find buses, clock and reset by the names of the ports, as the packager does.
proc packager::package {module root files} {
    variable core
    variable axis
    variable lite
    set signals [dict create]
    set pins {}
    dict for {port -} [dict get $module ports] {
        set belongs [verilog::bus $port]
        if {$belongs eq ""} { lappend pins $port } else { dict lappend signals {*}$belongs }
    }
    set buses [dict create]
    dict for {bus found} $signals {
        set wanted [expr {[string match *_axis_* $bus] ? $axis : $lite}]
        if {[lsort $found] ne [lsort $wanted]} {
            error "ipx::package_project: bus $bus has the signals [lsort $found], wants\
                [lsort $wanted]"
        }
        dict set buses $bus ""
    }
    set core [dict create module $module root $root files $files buses $buses pins $pins \
        clock "" reset "" interrupts {} registers [dict create] limits [dict create] \
        checked 0 gui 0 sums 0]
}

proc packager::associate {options} {
    variable core
    set clock [dict get $options -clock]
    if {$clock ni [dict get $core pins]} {
        error "ipx::associate_bus_interfaces: no port $clock"
    }
    dict set core clock $clock
    if {[dict exists $options -reset]} {
        set reset [dict get $options -reset]
        if {$reset ni [dict get $core pins]} {
            error "ipx::associate_bus_interfaces: no port $reset"
        }
        dict set core reset $reset
    }
    if {[dict exists $options -busif]} {
        set bus [dict get $options -busif]
        if {![dict exists $core buses $bus]} { error "ipx::associate_bus_interfaces: no bus $bus" }
        dict set core buses $bus $clock
    }
}

# What check_integrity would complain about, and what a user of the IP would miss.
proc packager::faults {} {
    variable core
    set faults {}
    dict for {bus clock} [dict get $core buses] {
        if {$clock eq ""} { lappend faults "bus $bus has no clock" }
    }
    if {[dict get $core reset] eq ""} { lappend faults "the clock has no reset" }
    set known [list [dict get $core clock] [dict get $core reset] {*}[dict get $core interrupts]]
    foreach pin [dict get $core pins] {
        if {$pin ni $known} {
            lappend faults "port $pin is neither bus, clock, reset nor interrupt"
        }
    }
    foreach {name default} [dict get $core module parameters] {
        if {![dict exists $core limits $name]} {
            lappend faults "parameter $name has no list of legal values"
        } elseif {$default ni [dict get $core limits $name]} {
            lappend faults "parameter $name is $default by default, which its list lacks"
        }
    }
    foreach property {range width} {
        if {[objects::get address_block:reg0 $property] eq ""} {
            lappend faults "address block reg0 has no $property"
        }
    }
    return [concat $faults [register_faults]]
}

proc packager::register_faults {} {
    variable core
    set faults {}
    set end -1
    if {[dict size [dict get $core registers]] == 0} { lappend faults "there are no registers" }
    dict for {register fields} [dict get $core registers] {
        set offset [objects::get register:$register address_offset -1]
        if {$offset % 4 || $offset <= $end} { lappend faults "register $register at $offset" }
        set end [expr {$offset}]
        if {$end + 4 > [objects::get address_block:reg0 range 0]} {
            lappend faults "register $register is beyond the address block"
        }
        if {[objects::get register:$register access] eq ""} {
            lappend faults "register $register has no access"
        }
        set used [dict create]
        foreach field $fields {
            set low [objects::get field:$register/$field bit_offset -1]
            set width [objects::get field:$register/$field bit_width 0]
            if {$low < 0 || $width < 1 || $low + $width > 32} {
                lappend faults "field $register/$field has bits $low + $width"
            }
            for {set bit $low} {$bit < $low + $width} {incr bit} {
                if {[dict exists $used $bit]} {
                    lappend faults "fields of $register share bit $bit"
                }
                dict set used $bit 1
            }
        }
    }
    return $faults
}

# component.xml of this stand-in: the core as a Tcl dict.
proc packager::save {} {
    variable core
    foreach step {checked gui sums} {
        if {![dict get $core $step]} { error "ipx::save_core: the core was not prepared ($step)" }
    }
    set object core:pasa
    set vlnv {}
    foreach part {vendor library name version} {
        if {[dict exists $core $part]} {
            lappend vlnv [dict get $core $part]
        } else {
            lappend vlnv [objects::get $object $part]
        }
    }
    dict set core vlnv [join $vlnv :]
    set root [dict get $core root]
    file mkdir $root
    tool::write [file join $root component.xml] $core
}

# Put the saved core into the catalog.
proc packager::load {path} {
    set core [read_file $path]
    set parameters [dict create]
    dict for {name values} [dict get $core limits] { dict set parameters $name $values }
    catalog::add [dict get $core vlnv] "our own package" $parameters \
        [dict get $core module parameters] [list c "packager::shape [list $core] \$c"]
}

proc packager::shape {core configuration} {
    set ports [dict get $core module ports]
    set shape [dict create]
    foreach pin [dict get $core pins] {
        lassign [dict get $ports $pin] direction range
        set direction [expr {$direction eq "input" ? "I" : "O"}]
        set width [verilog::width $range $configuration]
        set kind data
        set clock ""
        if {$pin eq [dict get $core clock]} { set kind clock }
        if {$pin in [dict get $core interrupts]} { set kind interrupt }
        if {$pin eq [dict get $core reset]} {
            set kind [expr {[string match *n $pin] ? "reset_low" : "reset_high"}]
            set clock [dict get $core clock]
        }
        dict set shape pins $pin [list $direction $width $kind $clock]
    }
    dict for {bus clock} [dict get $core buses] {
        set mode [expr {[string match m_* $bus] ? "master" : "slave"}]
        if {[string match *_axis_* $bus]} {
            set width [verilog::width [lindex [dict get $ports ${bus}_tdata] 1] $configuration]
            dict set shape buses $bus [list $mode axis $clock $width axis 1]
        } else {
            dict set shape buses $bus [list $mode aximm $clock 32 AXI4LITE 1]
            dict set shape segments $bus {reg0 4K}
        }
    }
    return $shape
}
