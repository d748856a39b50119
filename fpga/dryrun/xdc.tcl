# SPDX-License-Identifier: Apache-2.0
#
# xdc.tcl - constraint files: only the commands of UG903, and every name must exist in the RTL

namespace eval xdc {
    variable module {}       ;# that the file is scoped to
    variable clocks {}
    variable messages {
        get_ports {{Vivado 12-584} ports} get_nets {{Vivado 12-507} nets}
    }
}

proc xdc::evaluate {path scope} {
    variable module $scope
    variable messages
    set child [interp create -safe]
    foreach name [interp eval $child {info commands}] {
        if {$name ni {set list expr}} { interp hide $child $name }
    }
    foreach name {create_clock set_property get_ports get_nets} {
        interp alias $child $name {} xdc::call $name
    }
    set code [catch {$child eval [read_file $path]} message]
    interp delete $child
    if {$code} { error "[file tail $path]: $message" }
}

proc xdc::call {name args} {
    variable module
    variable messages
    variable clocks
    tool::count $name
    lassign [commands::parse $name $args] options arguments
    switch $name {
        set_property { return [do::set_property $options $arguments] }
        create_clock {
            if {[llength $arguments] == 0} { error "create_clock: no object" }
            lappend clocks [dict get $options -period]
            return
        }
    }
    set found {}
    foreach pattern [lindex $arguments 0] {
        if {[exists $name $pattern]} {
            lappend found [string map {get_ports port get_nets net} $name]:$pattern
        } else {
            lassign [dict get $messages $name] id what
            tool::message $id WARNING "No $what matched '$pattern'."
        }
    }
    return $found
}

# Walk instance/instance/name through the modules.
proc xdc::exists {kind path} {
    variable module
    set here $module
    set steps [split $path /]
    foreach instance [lrange $steps 0 end-1] {
        set pattern "\\m(\\w+)\\s+(#\\s*\\(\[^;\]*?\\)\\s*)?$instance\\s*\\("
        if {![regexp $pattern [dict get $here text] -> type]} { return 0 }
        set file [tool::module_file $type]
        if {$file eq ""} { return 0 }
        set here [verilog::module $file]
    }
    set name [lindex $steps end]
    if {$kind eq "get_ports"} { return [dict exists $here ports $name] }
    return [expr {[verilog::declares $here $name] || [dict exists $here ports $name]}]
}
