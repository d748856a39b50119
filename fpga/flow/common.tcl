# SPDX-License-Identifier: Apache-2.0
#
# common.tcl - what every build needs: checks of the tool, steps, files

# Print a line that fpga/vivado.py shows.
proc pasa::say {text} {
    puts "PASA: $text"
}

# Run a script in the caller and say how long it took.
proc pasa::step {name script} {
    set began [clock seconds]
    uplevel 1 $script
    say [format "%-12s OK %6d s" $name [expr {[clock seconds] - $began}]]
}

# The board's description: keys title, part, ddr_range, ps7.
proc pasa::read_board {name} {
    variable root
    set path [file join $root fpga boards $name board.tcl]
    if {![file isfile $path]} {
        set known [glob -nocomplain -tails -directory [file join $root fpga boards] *]
        error "board '$name' is unknown; BOARD= [join [lsort $known] { or }]"
    }
    source $path
    return $board
}

# Other releases may bring other IP versions, so the choice is explicit.
proc pasa::require_version {wanted} {
    set have [version -short]
    if {$have ne $wanted && ![string match "$wanted.*" $have]} {
        error "this is Vivado $have, the scripts are for $wanted; to try yours:\
            VIVADO_VERSION=$have"
    }
}

proc pasa::require_part {part} {
    if {[llength [get_parts -quiet $part]] == 0} {
        error "No parts matched '$part'"
    }
}

# A constraint of ours that matches nothing is a mistake, not a warning. Only ours: those of the
# vendor's IPs warn of names they do not find.
proc pasa::stop_on_dead_constraints {} {
    set_msg_config -id {Vivado 12-584} -string 'clk' -new_severity ERROR
    set_msg_config -id {Vivado 12-507} -string 'core_rst' -new_severity ERROR
}

# The newest file of that name below a folder; Vivado's releases differ in where they put it.
proc pasa::find_file {folder name} {
    set found {}
    set waiting [list $folder]
    while {[llength $waiting] > 0} {
        set next {}
        foreach directory $waiting {
            foreach path [glob -nocomplain -types f -directory $directory $name] {
                lappend found [list [file mtime $path] $path]
            }
            set next [concat $next [glob -nocomplain -types d -directory $directory * .gen]]
        }
        set waiting $next
    }
    if {[llength $found] == 0} {
        error "Vivado left no $name below $folder"
    }
    return [lindex [lindex [lsort -integer -index 0 $found] end] 1]
}

# Design files of the accelerator, and the headers they include.
proc pasa::design_files {} {
    variable root
    return [lsort [glob -directory [file join $root hdl] */*.v]]
}

proc pasa::header_files {} {
    variable root
    return [lsort [glob -directory [file join $root hdl include] *.vh]]
}

# Parameters of a module of ours and their defaults, from its source.
proc pasa::parameters {module} {
    variable root
    set from [open [lindex [glob -directory [file join $root hdl] */$module.v] 0]]
    set text [read $from]
    close $from
    set text [string range $text 0 [string first ") (" $text]]
    set found {}
    foreach {- name value} [regexp -all -inline {\mparameter\s+(\w+)\s*=\s*(\d+)} $text] {
        lappend found $name $value
    }
    return $found
}

# The values chosen for the parameters of a module.
proc pasa::chosen {choice module} {
    set values {}
    foreach {name -} [parameters $module] {
        lappend values $name [dict get $choice $name]
    }
    return $values
}
