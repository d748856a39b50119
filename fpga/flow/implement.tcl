# SPDX-License-Identifier: Apache-2.0
#
# implement.tcl - synthesis to bitstream in memory, reports, and the gate on timing

proc pasa::make_bitstream {choice board} {
    set part [dict get $board part]
    set repository [package_ip $choice $board]
    step design {
        set design [create_system $choice $board $repository]
        make_wrapper -top [get_files $design]
        close_project
    }
    step generate {
        create_project -in_memory -part $part
        set_property target_language Verilog [current_project]
        set_property ip_repo_paths $repository [current_project]
        update_ip_catalog
        read_bd $design
        set_property synth_checkpoint_mode None [get_files $design]
        generate_target all [get_files $design]
        read_verilog [find_file [pwd] system_wrapper.v]
    }
    step synthesis { synth_design -top system_wrapper -part $part }
    implement [dict get $choice saif] {system_i pasa inst core}
    set slack [require_timing]
    step files {
        write_bitstream -force pasa.bit
        write_hw_platform -fixed -force -include_bit pasa.xsa
        file copy -force [find_file [pwd] system.hwh] pasa.hwh
        describe_build $choice $part $slack
    }
}

# The core alone, as it would sit in any design: quick, and its timing is its own.
proc pasa::make_ooc {choice board} {
    variable root
    set generics {}
    foreach {name value} [chosen $choice pasa_core] {
        lappend generics $name=$value
    }
    create_project -in_memory -part [dict get $board part]
    read_verilog [design_files]
    read_xdc -mode out_of_context [clock_constraint [dict get $choice clock_mhz]]
    step synthesis {
        synth_design -top pasa_core -part [dict get $board part] -mode out_of_context \
            -include_dirs [file join $root hdl include] -generic $generics
    }
    implement [dict get $choice saif] {}
    set slack [require_timing]
    describe_build $choice [dict get $board part] $slack
}

# fpga/constraints/pasa_core_ooc.xdc with the period that was asked for.
proc pasa::clock_constraint {clock_mhz} {
    variable root
    set from [open [file join $root fpga constraints pasa_core_ooc.xdc]]
    set text [read $from]
    close $from
    set path [file join [pwd] pasa_core_ooc.xdc]
    set to [open $path w]
    puts -nonewline $to [string map [list 6.666 [format %.3f [expr {1000.0 / $clock_mhz}]]] $text]
    close $to
    return $path
}

# Place, route and report the synthesised design. `instance` is where pasa_core sits in it, for
# the activity file, whose top is pasa_core.
proc pasa::implement {saif instance} {
    write_checkpoint -force synthesis.dcp
    report_utilization -hierarchical -file utilisation_synthesis.rpt
    step optimise { opt_design }
    step place {
        place_design
        phys_opt_design
    }
    step route { route_design }
    write_checkpoint -force route.dcp
    report_utilization -hierarchical -file utilisation.rpt
    report_timing_summary -delay_type min_max -max_paths 10 -report_unconstrained -file timing.rpt
    report_clock_utilization -file clocks.rpt
    report_drc -file drc.rpt
    report_methodology -file methodology.rpt
    if {$saif ne ""} {
        read_activity $saif $instance
    }
    report_power -file power.rpt
}

# Activity of a simulation for report_power. The simulator's file holds pasa_core, beside $rootio.
# Where pasa_core is not the design itself, a copy puts the instances around it that are here.
# Synthesis renames nets; activity_unmatched.txt tells which ones Vivado did not find.
proc pasa::read_activity {saif instance} {
    set from [open $saif]
    set text [read $from]
    close $from
    set head [string first "(INSTANCE" $text]
    set core [string first "(INSTANCE pasa_core\n" $text]
    if {$core < 0} {
        error "activity file $saif holds no pasa_core; make sim SAIF=1 writes one"
    }
    if {[llength $instance] == 0} {
        read_saif -strip_path pasa_core -out_file activity_unmatched.txt $saif
        return
    }
    set around ""
    foreach name [concat system_wrapper $instance] {
        append around "(INSTANCE $name\n"
    }
    # The file ends by closing pasa_core, which is now the innermost instance, and itself.
    set body [string range $text [expr {$core + [string length "(INSTANCE pasa_core\n"]}] end]
    set more [string repeat ")" [llength $instance]]
    set to [open activity.saif w]
    puts $to "[string range $text 0 [expr {$head - 1}]]$around[string trimright $body]$more"
    close $to
    read_saif -strip_path system_wrapper -out_file activity_unmatched.txt activity.saif
}

# Setup and hold slack in ns; an error when one is negative or nothing was constrained.
proc pasa::require_timing {} {
    set slack {}
    foreach kind {setup hold} {
        set path [get_timing_paths -$kind -max_paths 1]
        if {[llength $path] == 0} {
            error "timing: no constrained $kind path, the clock is missing; see timing.rpt"
        }
        lappend slack [get_property SLACK $path]
    }
    lassign $slack setup hold
    say "timing       setup $setup ns, hold $hold ns"
    if {$setup < 0 || $hold < 0} {
        error "timing failed: setup $setup ns, hold $hold ns; see [file join [pwd] timing.rpt]"
    }
    return $slack
}

# pasa.json: what was built with what, beside the bitstream.
proc pasa::describe_build {choice part slack} {
    variable root
    if {[catch {exec git -C $root rev-parse --short HEAD} commit]} {
        set commit unknown
    }
    set lines [list "  \"commit\": \"$commit\"" "  \"vivado\": \"[version -short]\"" \
        "  \"part\": \"$part\"" "  \"clock_mhz\": [dict get $choice clock_mhz]" \
        "  \"setup_slack_ns\": [lindex $slack 0]" "  \"hold_slack_ns\": [lindex $slack 1]"]
    foreach {name value} [chosen $choice pasa_axi] {
        lappend lines "  \"[string tolower $name]\": $value"
    }
    set to [open pasa.json w]
    puts $to "{\n[join $lines ",\n"]\n}"
    close $to
}
