# SPDX-License-Identifier: Apache-2.0
#
# design.tcl - the block design: what was placed and connected, and the rules it must keep

namespace eval design {
    variable cells [dict create]     ;# name -> {vlnv V configuration D}
    variable ports [dict create]     ;# external buses: name -> {mode vlnv}
    variable net_of [dict create]    ;# pin -> number of its net
    variable nets [dict create]      ;# number -> pins
    variable partner [dict create]   ;# bus -> bus
    variable assigned {}             ;# {space segment offset range} ...
    variable changed 0               ;# since validate_bd_design
    variable name ""
}

proc design::add_cell {vlnv cell} {
    variable cells
    variable changed 1
    if {![dict exists $catalog::ips $vlnv]} {
        error "create_bd_cell: no IP $vlnv in the catalog"
    }
    if {[dict exists $cells $cell]} { error "create_bd_cell: $cell is there already" }
    dict set cells $cell [dict create vlnv $vlnv configuration [dict create]]
}

proc design::configure {cell parameter value} {
    variable cells
    variable changed 1
    catalog::check_parameter [dict get $cells $cell vlnv] $parameter $value
    dict set cells $cell configuration $parameter $value
}

proc design::shape {cell} {
    variable cells
    return [catalog::shape [dict get $cells $cell vlnv] [dict get $cells $cell configuration]]
}

# The description of cell/pin, cell/bus, cell/space; "" when there is none.
proc design::part {kind path} {
    variable cells
    lassign [split $path /] cell name
    if {![dict exists $cells $cell]} { return "" }
    set table [dict get [shape $cell] $kind]
    return [expr {[dict exists $table $name] ? [dict get $table $name] : ""}]
}

proc design::connect_pins {pins} {
    variable net_of
    variable nets
    variable changed 1
    set members $pins
    foreach pin $pins {
        if {[dict exists $net_of $pin]} {
            lappend members {*}[dict get $nets [dict get $net_of $pin]]
        }
    }
    set number [llength [dict keys $nets]]
    foreach pin [lsort -unique $members] {
        dict set net_of $pin $number
    }
    dict set nets $number [lsort -unique $members]
}

proc design::connect_buses {one other} {
    variable partner
    variable changed 1
    foreach bus [list $one $other] {
        if {[dict exists $partner $bus]} {
            error "connect_bd_intf_net: $bus is connected already, to [dict get $partner $bus]"
        }
    }
    dict set partner $one $other
    dict set partner $other $one
}

# What drives a pin, or "".
proc design::driver {pin} {
    variable net_of
    variable nets
    if {![dict exists $net_of $pin]} { return "" }
    foreach other [dict get $nets [dict get $net_of $pin]] {
        if {[lindex [part pins $other] 0] eq "O"} { return $other }
    }
    return ""
}

# {connected all} ports of the accelerator, those in a connected bus counted one by one.
proc design::ports_of_pasa {} {
    variable partner
    variable net_of
    if {![dict exists $packager::core module]} { return {0 0} }
    set ports [dict keys [dict get $packager::core module ports]]
    set connected 0
    foreach port $ports {
        set bus [lindex [verilog::bus $port] 0]
        if {$bus ne "" ? [dict exists $partner pasa/$bus] : [dict exists $net_of pasa/$port]} {
            incr connected
        }
    }
    return [list $connected [llength $ports]]
}

proc design::bytes {text} {
    if {![regexp {^(\d+)([KMG]?)$} $text -> number unit]} { return [expr {$text}] }
    return [expr {$number * [dict get {"" 1 K 1024 M 1048576 G 1073741824} $unit]}]
}

# ---- rules ------------------------------------------------------------------------------------

# Everything wrong with the design, one line each; empty when it is sound.
proc design::faults {} {
    return [concat [pin_faults] [bus_faults] [reset_faults] [address_faults] [port_faults]]
}

proc design::pin_faults {} {
    variable cells
    variable nets
    variable net_of
    set faults {}
    foreach cell [dict keys $cells] {
        dict for {pin what} [dict get [shape $cell] pins] {
            lassign $what direction width kind
            set path $cell/$pin
            if {$direction eq "O"} {
                if {$kind eq "interrupt" && ![dict exists $net_of $path]} {
                    lappend faults "interrupt $path goes nowhere"
                }
                continue
            }
            set driver [driver $path]
            if {$driver eq ""} {
                if {![string match optional_* $kind]} { lappend faults "pin $path is not driven" }
                continue
            }
            lassign [part pins $driver] - driver_width driver_kind
            set kind [string map {optional_ ""} $kind]
            if {$kind ne $driver_kind} {
                lappend faults "$path wants a $kind, $driver is a $driver_kind"
            }
            if {$width ne "any" && $width != $driver_width} {
                lappend faults "$path has $width bits, $driver $driver_width"
            }
        }
    }
    dict for {number pins} $nets {
        set drivers {}
        foreach pin $pins {
            if {[dict get $net_of $pin] == $number && [lindex [part pins $pin] 0] eq "O"} {
                lappend drivers $pin
            }
        }
        if {[llength $drivers] > 1} { lappend faults "[join $drivers { and }] drive one net" }
    }
    return $faults
}

proc design::bus_faults {} {
    variable cells
    variable partner
    set faults {}
    foreach cell [dict keys $cells] {
        dict for {bus what} [dict get [shape $cell] buses] {
            lassign $what mode type clock width protocol need
            set path $cell/$bus
            if {![dict exists $partner $path]} {
                if {$need} { lappend faults "bus $path is not connected" }
                continue
            }
            set other [dict get $partner $path]
            if {$mode ne "master" || ![string match */* $other]} continue
            lassign [part buses $other] other_mode other_type other_clock other_width other_protocol
            if {$other_mode ne "slave" || $other_type ne $type} {
                lappend faults "$path ($mode $type) meets $other ($other_mode $other_type)"
                continue
            }
            if {"any" ni [list $width $other_width] && $width != $other_width} {
                lappend faults "$path has $width bits, $other $other_width"
            }
            if {"any" ni [list $protocol $other_protocol] && $protocol ne $other_protocol} {
                lappend faults "$path speaks $protocol, $other $other_protocol"
            }
            set here [driver $cell/$clock]
            set there [driver [lindex [split $other /] 0]/$other_clock]
            if {$here ne $there} {
                lappend faults "$path runs at '$here', $other at '$there'"
            }
        }
    }
    return $faults
}

# A reset must come from the reset block of the clock that it serves.
proc design::reset_faults {} {
    variable cells
    set faults {}
    foreach cell [dict keys $cells] {
        dict for {pin what} [dict get [shape $cell] pins] {
            lassign $what direction - kind clock
            if {$direction ne "I" || ![string match reset_* $kind] || $clock eq ""} continue
            set driver [driver $cell/$pin]
            if {$driver eq ""} continue
            lassign [split $driver /] source_cell source_pin
            set source_clock [lindex [part pins $driver] 3]
            if {$source_clock eq ""} {
                lappend faults "reset $cell/$pin comes straight from $driver, not synchronised"
            } elseif {[driver $source_cell/$source_clock] ne [driver $cell/$clock]} {
                lappend faults "reset $cell/$pin belongs to another clock than $cell/$clock"
            }
        }
    }
    return $faults
}

# Segments that a master bus reaches: {cell/bus/segment range} ...
proc design::reachable {bus} {
    variable partner
    if {![dict exists $partner $bus]} { return {} }
    set slave [dict get $partner $bus]
    lassign [split $slave /] cell slave_bus
    set shape [shape $cell]
    if {![dict get $shape bridge]} {
        if {![dict exists $shape segments $slave_bus]} { return {} }
        lassign [dict get $shape segments $slave_bus] segment range
        return [list [list $slave/$segment $range]]
    }
    set found {}
    dict for {next what} [dict get $shape buses] {
        if {[lindex $what 0] eq "master"} { lappend found {*}[reachable $cell/$next] }
    }
    return $found
}

proc design::address_faults {} {
    variable cells
    variable assigned
    set faults {}
    foreach cell [dict keys $cells] {
        dict for {space what} [dict get [shape $cell] spaces] {
            lassign $what bus lowest highest
            set ranges [dict create]
            foreach pair [reachable $cell/$bus] { dict set ranges {*}$pair }
            set mine {}
            foreach entry $assigned {
                if {[lindex $entry 0] eq "$cell/$space"} { lappend mine [lrange $entry 1 end] }
            }
            foreach segment [dict keys $ranges] {
                if {[lsearch -exact -index 0 $mine $segment] < 0} {
                    lappend faults "$segment has no address in $cell/$space"
                }
            }
            set end -1
            set before ""
            foreach entry [lsort -integer -index 1 $mine] {
                lassign $entry segment offset range
                if {![dict exists $ranges $segment]} {
                    lappend faults "$cell/$space has an address for $segment, out of its reach"
                    continue
                }
                if {$range > [bytes [dict get $ranges $segment]]} {
                    lappend faults "$range bytes of $segment assigned, it offers\
                        [dict get $ranges $segment]"
                }
                if {$offset % $range} {
                    lappend faults [format "%s at 0x%08X: no multiple of its size" $segment $offset]
                }
                if {$offset < $lowest || $offset + $range - 1 > $highest} {
                    lappend faults [format "%s at 0x%08X is outside of %s" $segment $offset \
                        $cell/$space]
                }
                if {$offset <= $end} {
                    lappend faults "$segment overlaps $before in $cell/$space"
                }
                set end [expr {$offset + $range - 1}]
                set before $segment
            }
        }
    }
    return $faults
}

proc design::port_faults {} {
    variable ports
    variable partner
    set faults {}
    foreach port [dict keys $ports] {
        if {![dict exists $partner $port]} { lappend faults "port $port is not connected" }
    }
    return $faults
}
