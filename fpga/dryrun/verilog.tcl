# SPDX-License-Identifier: Apache-2.0
#
# verilog.tcl - ports, parameters and names of our Verilog, as far as a block design sees them

namespace eval verilog {}

proc verilog::text {path} {
    set text [read_file $path]
    regsub -all {/\*.*?\*/} $text " " text
    regsub -all {//[^\n]*} $text "" text
    return $text
}

# {parameters {name default ...} ports {name {dir range} ...} names {regs wires instances}}
proc verilog::module {path} {
    set text [text $path]
    set name [file rootname [file tail $path]]
    if {![regexp "\\mmodule\\s+$name\\M\\s*(#\\s*\\(.*?\\)\\s*)?\\(" $text head]} {
        error "$path holds no module $name"
    }
    set start [string first $head $text]
    set end [string first ");" $text [expr {$start + [string length $head]}]]
    set header [string range $text [expr {$start + [string length $head]}] [expr {$end - 1}]]
    set parameters {}
    foreach {- parameter default} [regexp -all -inline {parameter\s+(\w+)\s*=\s*([^,)\s]+)} $head] {
        lappend parameters $parameter $default
    }
    set ports {}
    set declaration {(input|output|inout)\s+(?:wire|reg)?\s*(?:signed)?\s*(\[[^\]]*\])?\s*(\w+)}
    foreach {- direction range port} [regexp -all -inline $declaration $header] {
        lappend ports $port [list $direction $range]
    }
    if {[llength $ports] != 2 * [llength [split [string trim $header " \n\t,"] ,]]} {
        error "$path: the port list has a form this reader does not know"
    }
    return [dict create name $name parameters $parameters ports $ports text $text]
}

# Width of a range such as [STREAM_BITS/8-1:0] with the values of the parameters.
proc verilog::width {range values} {
    if {$range eq ""} { return 1 }
    foreach {name value} $values {
        regsub -all "\\m$name\\M" $range $value range
    }
    lassign [split [string trim $range {[]}] :] high low
    return [expr "($high) - ($low) + 1"] ;# tclint-disable-line unbraced-expr
}

# Whether the module declares that register, wire or instance.
proc verilog::declares {module name} {
    set text [dict get $module text]
    set signal "\\m(reg|wire)\\M\[^;()\]*\\m$name\\M"
    set instance "\\m\\w+\\s+(#\\s*\\(\[^;\]*?\\)\\s*)?$name\\s*\\("
    return [regexp "$signal|$instance" $text]
}

# The bus a port belongs to, by the packager's rule: prefix of an AXI signal. {bus signal} or {}.
proc verilog::bus {port} {
    if {[regexp {^([sm]_axis_\w+?)_(tdata|tkeep|tvalid|tready|tlast|tstrb|tuser|tid|tdest)$} $port \
            -> bus signal]} {
        return [list $bus $signal]
    }
    set channels {aw|w|b|ar|r}
    set signals {addr|prot|valid|ready|data|strb|resp}
    if {[regexp "^(\[sm\]_axi)_(($channels)($signals))\$" $port -> bus signal]} {
        return [list $bus $signal]
    }
    return {}
}
