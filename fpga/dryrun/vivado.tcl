# SPDX-License-Identifier: Apache-2.0
#
# vivado.tcl - a strict stand-in for Vivado: runs our scripts, knows only what the documents say
#
# Why      No Vivado where the tests run. This finds what can be found without: commands and options
#          that do not exist, pins without a driver, addresses that are missing or overlap, clocks
#          and resets that do not fit the RTL, steps in the wrong order.
# Contract * tclsh vivado.tcl takes the command line of vivado in batch mode
#          * environment: PASA_WORLD "setup=-0.1;licence=0;..." says what the tool is like
#            (tool::world), PASA_PLANT names a file with a list {file old new} that changes a file
#            as it is read, PASA_RECORD a file for figures
#          * an unknown command, option or property ends the script with an error
# Checked  tests/fpga: each kind of mistake, planted, makes it fail with a clear line

set here [file dirname [file normalize [info script]]]
foreach script {commands verilog objects catalog design packager xdc tool} {
    source [file join $here $script.tcl]
}

# ---- command line, UG894 -----------------------------------------------------------------------
proc command_line {words} {
    set chosen [dict create -tclargs {}]
    while {[llength $words] > 0} {
        set words [lassign $words word]
        switch -- $word {
            -mode - -source - -log - -journal { set words [lassign $words value] }
            -nojournal - -nolog - -notrace { set value 1 }
            -tclargs {
                set value $words
                set words {}
            }
            default { error "vivado: option $word is unknown" }
        }
        dict set chosen $word $value
    }
    if {![dict exists $chosen -mode] || [dict get $chosen -mode] ne "batch"} {
        error "vivado: only -mode batch ends by itself"
    }
    return $chosen
}

# ---- the interpreter that runs the scripts ------------------------------------------------------
proc dispatch {name args} {
    tool::count $name
    lassign [commands::parse $name $args] options arguments
    return [do::$name $options $arguments]
}

proc unknown_command {name args} {
    error "command $name is unknown: neither Tcl 8.5 nor declared in fpga/dryrun/commands.tcl"
}

# The text of a file, with the planted change if it is the one.
proc read_file {path} {
    global plant planted
    set from [open $path]
    set text [read $from]
    close $from
    lassign $plant script old new
    if {$plant ne "" && [string match */$script [file normalize $path]]} {
        if {[string first $old $text] < 0} { error "plant: $script does not hold '$old'" }
        set text [string map [list $old $new] $text]
        set planted 1
    }
    return $text
}

proc source_script {child path} {
    set text [read_file $path]
    set before [interp eval $child {info script}]
    interp eval $child [list info script $path]
    set code [catch {interp eval $child $text} result]
    interp eval $child [list info script $before]
    if {$code} { error $result }
    return $result
}

proc finish {code} {
    global plant planted env
    if {$plant ne "" && !$planted} {
        puts "ERROR: plant: no script was changed"
        set code 2
    }
    if {[info exists env(PASA_RECORD)]} {
        set to [open $env(PASA_RECORD) w]
        puts $to "commands [dict size $tool::counts]"
        puts $to "calls [tcl::mathop::+ {*}[dict values $tool::counts]]"
        puts $to "cells [dict size $design::cells]"
        puts $to "buses [expr {[dict size $design::partner] / 2}]"
        puts $to "pins [dict size $design::net_of]"
        puts $to "addresses [llength $design::assigned]"
        puts $to "ports [join [design::ports_of_pasa] { of }]"
        puts $to "used [lsort [dict keys $tool::counts]]"
        close $to
    }
    exit $code
}

set plant {}
set planted 0
if {[info exists env(PASA_PLANT)]} {
    set from [open $env(PASA_PLANT)]
    set plant [read $from]
    close $from
}
if {[info exists env(PASA_WORLD)]} {
    foreach pair [split $env(PASA_WORLD) {;}] {
        regexp {^(\w+)=(.*)$} $pair -> key value
        if {![dict exists $tool::world $key]} { error "PASA_WORLD: no '$key'" }
        dict set tool::world $key $value
    }
}

set child [interp create]
# What Tcl 8.5 does not have.
$child eval {
    foreach name {try throw lmap tailcall coroutine yield yieldto zlib} { rename $name {} }
    foreach {command word} {dict map string cat file tempfile} {
        set map [namespace ensemble configure $command -map]
        dict unset map $word
        namespace ensemble configure $command -map $map
    }
    unset name command word map
    namespace eval ipx {}
    namespace eval ipgui {}
}
foreach name [dict keys $commands::known] {
    if {[info commands do::$name] ne ""} {
        interp alias $child $name {} dispatch $name
    }
}
interp alias $child unknown {} unknown_command
interp alias $child source {} source_script $child
interp alias $child exit {} finish

set chosen [command_line $argv]
interp eval $child [list set argv [dict get $chosen -tclargs]]
interp eval $child [list set argc [llength [dict get $chosen -tclargs]]]
if {[catch {source_script $child [dict get $chosen -source]} message]} {
    puts "ERROR: $message"
    finish 1
}
finish 0
