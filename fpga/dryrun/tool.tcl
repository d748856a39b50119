# SPDX-License-Identifier: Apache-2.0
#
# tool.tcl - the stand-in's state, and what each command does to it
#
# do::NAME OPTIONS ARGUMENTS implements a command; options were checked before.

namespace eval tool {
    variable world [dict create version 2023.2 parts {xc7z035ifbg676-2L xc7z035ffg676-2} \
        setup 0.213 hold 0.041 licence 1 clock 150.000000]
    variable project [dict create]   ;# name part memory files repositories
    variable stage none              ;# synthesised placed routed
    variable severity [dict create]  ;# message id -> {severity, text it must hold}
    variable counts [dict create]
    variable generated 0
    variable bitstream 0
    variable saved ""
    variable written {}
    variable design_files {}         ;# Verilog read so far, for names in constraints
    variable synthesised ""
    variable asked {}                ;# setup, hold: which slacks were asked for
    variable scoped {}               ;# constraint files inside the packaged IP
}

proc tool::count {name} {
    variable counts
    dict incr counts $name
}

# A message of the tool; an error when its severity says so.
proc tool::message {id level text} {
    variable severity
    if {[dict exists $severity $id]} {
        lassign [dict get $severity $id] other about
        if {[string match "*$about*" $text]} { set level $other }
    }
    puts "$level: \[$id\] $text"
    if {$level eq "ERROR"} { error "ERROR: \[$id\] $text" }
}

# Vivado prints the reason, and the command itself only says that there was one.
proc tool::fail {command id text} {
    puts "ERROR: \[$id\] $text"
    error "ERROR: \[Common 17-39\] '$command' failed due to earlier errors."
}

proc tool::write {path text} {
    variable written
    set to [open $path w]
    puts $to $text
    close $to
    lappend written [file normalize $path]
}

proc tool::need_project {command} {
    variable project
    if {[dict size $project] == 0} { error "$command: no project is open" }
}

proc tool::need_stage {command wanted} {
    variable stage
    if {$stage ni $wanted} { error "$command: the design is $stage, must be [join $wanted { or }]" }
}

proc tool::module_file {module} {
    variable design_files
    foreach path $design_files {
        if {[file rootname [file tail $path]] eq $module} { return $path }
    }
    return ""
}

# Every module and header that the files use must be there too.
proc tool::closure_faults {files directories} {
    set faults {}
    set modules [lmap path $files { file rootname [file tail $path] }]
    foreach path $files {
        set text [verilog::text $path]
        foreach {- name} [regexp -all -inline {\m(pasa_\w+)\s+(?:#\s*\(|\w+\s*\()} $text] {
            if {$name ni $modules && ![string match *_ERROR_* $name]} {
                lappend faults "[file tail $path] uses $name, which was not read"
            }
        }
        foreach {- header} [regexp -all -inline {`include\s+"([^"]+)"} $text] {
            set there 0
            foreach directory $directories {
                if {[file isfile [file join $directory $header]]} { set there 1 }
            }
            if {!$there} { lappend faults "[file tail $path] includes $header, which is nowhere" }
        }
    }
    return [lsort -unique $faults]
}

namespace eval do { namespace eval ipx {}; namespace eval ipgui {} }

# ---- projects and files -----------------------------------------------------------------------
proc do::version {options arguments} { return [dict get $tool::world version] }

proc do::get_parts {options arguments} {
    set found {}
    foreach part [dict get $tool::world parts] {
        if {[string match [lindex $arguments 0] $part]} { lappend found part:$part }
    }
    if {$found eq "" && ![dict exists $options -quiet]} {
        puts "WARNING: No parts matched '[lindex $arguments 0]'"
    }
    return $found
}

proc do::create_project {options arguments} {
    if {[dict size $tool::project] > 0} { error "create_project: a project is open" }
    set part [expr {[dict exists $options -part] ? [dict get $options -part] : ""}]
    if {$part ni [dict get $tool::world parts]} {
        error "ERROR: \[Coretcl 2-106\] Specified part could not be found."
    }
    set memory [dict exists $options -in_memory]
    if {!$memory} {
        lassign $arguments name directory
        file mkdir $directory
        tool::write [file join $directory $name.xpr] $name
    }
    set tool::project [dict create part $part memory $memory files {} repositories {}]
    set tool::stage none
    set tool::generated 0
}

proc do::close_project {options arguments} {
    tool::need_project close_project
    if {$design::changed && $design::name ne "" && ![dict get $tool::project memory]} {
        error "close_project: the block design was not validated and saved"
    }
    set tool::project [dict create]
}

proc do::current_project {options arguments} {
    tool::need_project current_project
    return project:current
}

proc do::current_fileset {options arguments} {
    tool::need_project current_fileset
    return fileset:sources_1
}

proc do::add_files {options arguments} {
    tool::need_project add_files
    set files [lindex $arguments 0]
    if {[llength $files] == 0} { error "add_files: no files" }
    foreach path $files {
        if {![file isfile $path]} { error "add_files: no file $path" }
        dict lappend tool::project files $path
        if {[file extension $path] eq ".v"} { lappend tool::design_files $path }
    }
}

proc do::get_files {options arguments} {
    tool::need_project get_files
    set found {}
    foreach path [dict get $tool::project files] {
        foreach pattern [lindex $arguments 0] {
            if {[string match $pattern $path] || [string match $pattern [file tail $path]]} {
                lappend found file:$path
            }
        }
    }
    if {$found eq ""} { puts "WARNING: no files matched '$arguments'" }
    return $found
}

proc do::update_compile_order {options arguments} { tool::need_project update_compile_order }

proc do::update_ip_catalog {options arguments} {
    tool::need_project update_ip_catalog
    foreach folder [objects::get project:current ip_repo_paths] {
        set path [file join $folder component.xml]
        if {![file isfile $path]} { error "update_ip_catalog: no IP in $folder" }
        packager::load $path
        dict lappend tool::project repositories $folder
    }
}

proc do::read_verilog {options arguments} {
    tool::need_project read_verilog
    foreach path [lindex $arguments 0] {
        if {![file isfile $path]} { error "read_verilog: no file $path" }
        lappend tool::design_files $path
        dict lappend tool::project files $path
    }
}

proc do::read_xdc {options arguments} {
    tool::need_project read_xdc
    set path [lindex $arguments 0]
    if {![file isfile $path]} { error "read_xdc: no file $path" }
    if {[dict exists $options -mode] && [dict get $options -mode] ne "out_of_context"} {
        error "read_xdc: -mode must be out_of_context"
    }
    dict lappend tool::project files $path
}

proc do::read_bd {options arguments} {
    tool::need_project read_bd
    set path [lindex $arguments 0]
    if {![file isfile $path]} { error "read_bd: no file $path" }
    if {[dict get $tool::project repositories] eq ""} {
        error "read_bd: the design holds pasa, but this project knows no repository of it"
    }
    dict lappend tool::project files $path
}

proc do::set_property {options arguments} {
    if {[dict exists $options -dict]} {
        set pairs [dict get $options -dict]
        set handles [lindex $arguments 0]
    } else {
        lassign $arguments property value handles
        set pairs [list $property $value]
    }
    if {[llength $handles] == 0} { error "set_property: no object given for [lindex $pairs 0]" }
    foreach handle $handles {
        foreach {property value} $pairs {
            objects::set_one $handle $property $value
            if {[objects::class $handle] eq "user_parameter"
                && [string tolower $property] eq "value_validation_list"} {
                dict set packager::core limits [objects::name $handle] $value
            }
        }
    }
}

proc do::get_property {options arguments} {
    lassign $arguments property handle
    if {[objects::class $handle] eq "timing_path" && [string tolower $property] eq "slack"} {
        return [dict get $tool::world [objects::name $handle]]
    }
    if {$handle eq "bd_cell:ps7" && $property eq "CONFIG.PCW_ACT_FPGA0_PERIPHERAL_FREQMHZ"} {
        return [dict get $tool::world clock]
    }
    error "get_property: [objects::class $handle] has no property $property"
}

proc do::set_msg_config {options arguments} {
    if {![dict exists $options -id] || ![dict exists $options -new_severity]} {
        error "set_msg_config: -id and -new_severity are needed"
    }
    set text [expr {[dict exists $options -string] ? [dict get $options -string] : ""}]
    dict set tool::severity [dict get $options -id] [list [dict get $options -new_severity] $text]
}

# ---- block design -----------------------------------------------------------------------------
proc do::create_bd_design {options arguments} {
    tool::need_project create_bd_design
    set design::name [lindex $arguments 0]
    set design::changed 1
    set tool::saved [file join [dict get $options -dir] $design::name $design::name.bd]
}

proc do::create_bd_cell {options arguments} {
    if {$design::name eq ""} { error "create_bd_cell: no block design" }
    if {[dict get $options -type] ne "ip"} { error "create_bd_cell: -type must be ip" }
    design::add_cell [dict get $options -vlnv] [lindex $arguments 0]
}

proc do::create_bd_intf_port {options arguments} {
    set known {xilinx.com:interface:ddrx_rtl:1.0
        xilinx.com:display_processing_system7:fixedio_rtl:1.0}
    if {[dict get $options -vlnv] ni $known} {
        error "create_bd_intf_port: no interface [dict get $options -vlnv]"
    }
    if {[dict get $options -mode] ni {Master Slave}} { error "create_bd_intf_port: -mode is wrong" }
    dict set design::ports [lindex $arguments 0] $options
}

proc do::get_bd_cells {options arguments} {
    set cell [lindex $arguments 0]
    if {![dict exists $design::cells $cell]} { error "get_bd_cells: no cell $cell" }
    return bd_cell:$cell
}

# Vivado only warns; the next command would then say something less clear.
proc do::find_part {command kind class arguments} {
    set path [lindex $arguments 0]
    if {[design::part $kind $path] eq ""} { error "$command: nothing matched '$path'" }
    return $class:$path
}

proc do::get_bd_pins {options arguments} { return [find_part get_bd_pins pins bd_pin $arguments] }
proc do::get_bd_intf_pins {options arguments} {
    return [find_part get_bd_intf_pins buses bd_bus $arguments]
}
proc do::get_bd_addr_spaces {options arguments} {
    return [find_part get_bd_addr_spaces spaces bd_space $arguments]
}

proc do::get_bd_intf_ports {options arguments} {
    set port [lindex $arguments 0]
    if {![dict exists $design::ports $port]} { error "get_bd_intf_ports: no port $port" }
    return bd_bus:$port
}

proc do::get_bd_addr_segs {options arguments} {
    set path [lindex $arguments 0]
    lassign [split $path /] cell bus segment
    if {![dict exists $design::cells $cell]
        || ![dict exists [design::shape $cell] segments $bus]
        || [lindex [dict get [design::shape $cell] segments $bus] 0] ne $segment} {
        error "get_bd_addr_segs: nothing matched '$path'"
    }
    return bd_segment:$path
}

proc do::connect_bd_net {options arguments} {
    design::connect_pins [lmap handle $arguments { objects::name $handle }]
}

proc do::connect_bd_intf_net {options arguments} {
    design::connect_buses {*}[lmap handle $arguments { objects::name $handle }]
}

proc do::assign_bd_address {options arguments} {
    foreach option {-offset -range -target_address_space} {
        if {![dict exists $options $option]} { error "assign_bd_address: $option is missing" }
    }
    set design::changed 1
    lappend design::assigned [list [objects::name [dict get $options -target_address_space]] \
        [objects::name [lindex $arguments 0]] [expr {[dict get $options -offset]}] \
        [design::bytes [dict get $options -range]]]
}

proc do::validate_bd_design {options arguments} {
    set faults [design::faults]
    if {[llength $faults] > 0} {
        foreach fault $faults { puts "ERROR: \[BD 41\] $fault" }
        error "ERROR: \[Common 17-39\] 'validate_bd_design' failed due to earlier errors."
    }
    set design::changed 0
}

proc do::save_bd_design {options arguments} {
    if {$design::changed} { error "save_bd_design: the design changed after it was validated" }
    file mkdir [file dirname $tool::saved]
    tool::write $tool::saved $design::cells
    dict lappend tool::project files $tool::saved
}

proc do::make_wrapper {options arguments} {
    set path [string range [lindex $arguments 0] 5 end]
    if {![file isfile $path]} { error "make_wrapper: no block design '$path'" }
    set folder [file join [file dirname $path] hdl]
    file mkdir $folder
    tool::write [file join $folder [file rootname [file tail $path]]_wrapper.v] "module wrapper"
}

proc do::generate_target {options arguments} {
    lassign $arguments what handle
    if {$what ne "all"} { error "generate_target: 'all' is what a build needs" }
    set path [objects::name $handle]
    set folder [file join [file dirname $path] hw_handoff]
    file mkdir $folder
    tool::write [file join $folder [file rootname [file tail $path]].hwh] "<EDKSYSTEM/>"
    set tool::generated 1
}

# ---- synthesis and implementation -------------------------------------------------------------
proc do::synth_design {options arguments} {
    tool::need_project synth_design
    if {![dict get $tool::world licence]} {
        tool::fail synth_design "Common 17-345" "A valid license was not found for feature\
            'Synthesis' and/or device 'xc7z035'. Please run the Vivado License Manager for\
            assistance."
    }
    if {[dict get $options -part] ne [dict get $tool::project part]} {
        error "synth_design: part [dict get $options -part] is not that of the project"
    }
    set top [dict get $options -top]
    set files [dict get $tool::project files]
    if {[lsearch -glob $files */$top.v] < 0} { error "synth_design: no module $top was read" }
    if {$top eq "system_wrapper"} {
        if {!$tool::generated} { error "synth_design: the block design was not generated" }
        set module [verilog::module [tool::module_file pasa_axi]]
        foreach file $tool::scoped { xdc::evaluate $file $module }
    } else {
        synth_core $top $files $options
    }
    set tool::synthesised $top
    set tool::stage synthesised
}

proc do::synth_core {top files options} {
    set sources [lsearch -all -inline -glob $files *.v]
    set faults [tool::closure_faults $sources [dict get $options -include_dirs]]
    if {$faults ne ""} { tool::fail synth_design "Synth 8-439" [lindex $faults 0] }
    set module [verilog::module [tool::module_file $top]]
    foreach generic [dict get $options -generic] {
        lassign [split $generic =] name value
        if {![dict exists [dict get $module parameters] $name]
            || ![string is integer -strict $value]} {
            error "synth_design: -generic $generic is no parameter of $top"
        }
    }
    if {[dict get $options -mode] ne "out_of_context"} { error "synth_design: -mode is wrong" }
    foreach file [lsearch -all -inline -glob $files *.xdc] { xdc::evaluate $file $module }
}

proc do::opt_design {options arguments} { tool::need_stage opt_design synthesised }
proc do::place_design {options arguments} {
    tool::need_stage place_design synthesised
    set tool::stage placed
}
proc do::phys_opt_design {options arguments} { tool::need_stage phys_opt_design {placed routed} }
proc do::route_design {options arguments} {
    tool::need_stage route_design placed
    set tool::stage routed
}

proc do::get_timing_paths {options arguments} {
    tool::need_stage get_timing_paths routed
    set kind [expr {[dict exists $options -hold] ? "hold" : "setup"}]
    lappend tool::asked $kind
    if {[dict get $tool::world $kind] eq ""} { return {} }
    return timing_path:$kind
}

proc do::write_checkpoint {options arguments} { tool::write [lindex $arguments 0] checkpoint }

proc do::write_bitstream {options arguments} {
    tool::need_stage write_bitstream routed
    if {[lsort -unique $tool::asked] ne "hold setup"} {
        error "write_bitstream: nobody asked whether timing is met"
    }
    tool::write [lindex $arguments 0] bitstream
    set tool::bitstream 1
}

proc do::write_hw_platform {options arguments} {
    if {[dict exists $options -include_bit] && !$tool::bitstream} {
        error "write_hw_platform: there is no bitstream to include"
    }
    tool::write [lindex $arguments 0] platform
}

proc do::report {name options} {
    tool::need_stage $name {synthesised placed routed}
    if {![dict exists $options -file]} { error "$name: without -file nobody will see it" }
    tool::write [dict get $options -file] $name
}
foreach name {report_utilization report_timing_summary report_clock_utilization report_drc
              report_methodology report_power} {
    proc do::$name {options arguments} "report $name \$options"
}

# The path must lead to an instance of the file, and the file be of the design.
proc do::read_saif {options arguments} {
    tool::need_stage read_saif routed
    set text [read_file [lindex $arguments 0]]
    if {[llength [split $text "("]] != [llength [split $text ")"]]} {
        error "read_saif: the brackets of [lindex $arguments 0] do not match"
    }
    foreach instance [split [dict get $options -strip_path] /] {
        if {![regexp "\\(INSTANCE $instance\n" $text]} { error "read_saif: no instance $instance" }
    }
    if {$tool::synthesised eq "system_wrapper"} {
        set path {\(INSTANCE system_i\n\s*\(INSTANCE pasa\n\s*\(INSTANCE inst\n}
        append path {\s*\(INSTANCE (\w+)\n}
        if {![regexp $path $text -> name]
            || ![verilog::declares [verilog::module [tool::module_file pasa_axi]] $name]} {
            error "read_saif: the file does not fit system_i/pasa/inst"
        }
    }
    if {[dict exists $options -out_file]} { tool::write [dict get $options -out_file] "" }
}

# ---- packager ---------------------------------------------------------------------------------
proc do::ipx::package_project {options arguments} {
    tool::need_project ipx::package_project
    set files [dict get $tool::project files]
    set sources [lsearch -all -inline -glob $files *.v]
    set top [objects::get fileset:sources_1 top]
    if {[tool::module_file $top] eq ""} {
        error "ipx::package_project: the top '$top' has no file"
    }
    set headers {}
    foreach header [lsearch -all -inline -glob $files *.vh] {
        if {[objects::get file:$header file_type] ne "Verilog Header"} {
            error "ipx::package_project: $header is not marked as a header"
        }
        lappend headers [file dirname $header]
    }
    set faults [tool::closure_faults $sources [lsort -unique $headers]]
    if {$faults ne ""} { error "ipx::package_project: [lindex $faults 0]" }
    set module [verilog::module [tool::module_file $top]]
    packager::package $module [dict get $options -root_dir] $files
    set tool::scoped [lsearch -all -inline -glob $files *.xdc]
    foreach part {vendor library} { dict set packager::core $part [dict get $options -$part] }
}

proc do::ipx::current_core {options arguments} { return core:pasa }

proc do::ipx::get_bus_interfaces {options arguments} {
    set bus [lindex $arguments 0]
    if {[dict exists $packager::core buses $bus] || $bus in [dict get $packager::core interrupts]} {
        return bus:$bus
    }
    return {}
}

proc do::ipx::infer_bus_interface {options arguments} {
    lassign $arguments port vlnv
    if {$port ni [dict get $packager::core pins]} {
        error "ipx::infer_bus_interface: no port $port"
    }
    if {$vlnv ne "xilinx.com:signal:interrupt_rtl:1.0"} {
        error "ipx::infer_bus_interface: no interface $vlnv"
    }
    dict lappend packager::core interrupts $port
}

proc do::ipx::associate_bus_interfaces {options arguments} { packager::associate $options }

proc do::ipx::add_bus_parameter {options arguments} {
    if {[objects::class [lindex $arguments 1]] ne "bus"} { error "ipx::add_bus_parameter: no bus" }
    return bus_parameter:[lindex $arguments 0]
}

proc do::ipx::get_memory_maps {options arguments} {
    set name [lindex $arguments 0]
    return [expr {[dict exists $packager::core buses $name] ? "memory_map:$name" : ""}]
}

proc do::ipx::get_address_blocks {options arguments} {
    if {[dict get $options -of_objects] eq ""} { error "ipx::get_address_blocks: no memory map" }
    return [expr {[lindex $arguments 0] eq "reg0" ? "address_block:reg0" : ""}]
}

proc do::ipx::add_register {options arguments} {
    lassign $arguments name block
    if {[objects::class $block] ne "address_block"} { error "ipx::add_register: no address block" }
    dict set packager::core registers $name {}
    return register:$name
}

proc do::ipx::add_field {options arguments} {
    lassign $arguments name register
    set fields [dict get $packager::core registers [objects::name $register]]
    dict set packager::core registers [objects::name $register] [concat $fields $name]
    return field:[objects::name $register]/$name
}

proc do::ipx::get_user_parameters {options arguments} {
    set name [lindex $arguments 0]
    if {![dict exists [dict get $packager::core module parameters] $name]} { return {} }
    return user_parameter:$name
}

proc do::ipgui::get_pagespec {options arguments} {
    if {[dict get $options -name] ne "Page 0"} { return {} }
    return page:0
}

proc do::ipgui::get_guiparamspec {options arguments} {
    if {[do::ipx::get_user_parameters {} [list [dict get $options -name]]] eq ""} { return {} }
    return gui_parameter:[dict get $options -name]
}

proc do::ipx::create_xgui_files {options arguments} { dict set packager::core gui 1 }
proc do::ipx::update_checksums {options arguments} { dict set packager::core sums 1 }

proc do::ipx::check_integrity {options arguments} {
    set faults [packager::faults]
    foreach fault $faults { puts "ERROR: \[IP_Flow 19\] $fault" }
    if {$faults ne ""} {
        error "ERROR: \[Common 17-39\] 'ipx::check_integrity' failed due to earlier errors."
    }
    dict set packager::core checked 1
}

proc do::ipx::save_core {options arguments} { packager::save }
