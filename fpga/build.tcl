# SPDX-License-Identifier: Apache-2.0
#
# build.tcl - every build with Vivado starts here
#
# Why      One script for all builds and boards; make calls it through fpga/vivado.py.
# Contract * vivado -mode batch -source fpga/build.tcl -tclargs ACTION KEY=VALUE ...
#          * ACTION: ip | project | bitstream | ooc; keys: see `defaults` below
#          * everything it writes is below out=
#          * a failure is one line, "ERROR: ...", and exit code 1
#          * Tcl 8.5, which older releases of Vivado embed
# Checked  make fpga-check, without Vivado; it has not met a real one

namespace eval pasa {
    variable root [file dirname [file dirname [file normalize [info script]]]]
}
foreach script {common package system implement} {
    source [file join $pasa::root fpga flow $script.tcl]
}

# The choices of a build: those given over those of the board over these.
proc pasa::choices {arguments} {
    set defaults [dict create board adrv9361-z7035 version 2023.2 out "" saif "" registers "" \
        clock_mhz 150]
    set defaults [dict merge $defaults [parameters pasa_axi] {STREAM_BITS 64}]
    set choice $defaults
    foreach argument $arguments {
        if {![regexp {^([A-Za-z_]+)=(.*)$} $argument -> key value]
            || ![dict exists $defaults $key]} {
            set known [join [dict keys $defaults] {, }]
            error "argument '$argument' is unknown; KEY=VALUE with $known"
        }
        dict set choice $key $value
    }
    foreach key {out registers} {
        if {[dict get $choice $key] eq ""} {
            error "argument $key=PATH is missing; make passes it"
        }
    }
    return $choice
}

proc pasa::main {arguments} {
    set action [lindex $arguments 0]
    if {$action ni {ip project bitstream ooc}} {
        error "action '$action' is unknown; ip, project, bitstream or ooc"
    }
    set choice [choices [lrange $arguments 1 end]]
    set board [read_board [dict get $choice board]]
    require_version [dict get $choice version]
    require_part [dict get $board part]
    file mkdir [dict get $choice out]
    cd [dict get $choice out]
    stop_on_dead_constraints
    switch $action {
        ip        { package_ip $choice $board }
        project   { make_project $choice $board }
        bitstream { make_bitstream $choice $board }
        ooc       { make_ooc $choice $board }
    }
}

if {[catch {pasa::main $argv} message]} {
    puts "ERROR: [lindex [split [string trim $message] \n] 0]"
    exit 1
}
