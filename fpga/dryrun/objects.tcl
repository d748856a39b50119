# SPDX-License-Identifier: Apache-2.0
#
# objects.tcl - objects of the tool and their properties
#
# A handle is class:name. Only properties of the documents below exist; a value is checked where
# the document lists the legal ones.

namespace eval objects {
    variable values [dict create]
    variable properties {
        project        {target_language {Verilog VHDL Mixed} ip_repo_paths {}}
        fileset        {top {}}
        file           {file_type {{Verilog Header} Verilog SystemVerilog XDC}
                        synth_checkpoint_mode {None Singular Hierarchical}
                        used_in {synthesis implementation {synthesis implementation}}}
        core           {name {} version {} display_name {} description {} vendor_display_name {}
                        supported_families {}}
        bus_parameter  {value {}}
        address_block  {range {} width {} usage {register memory reserved}}
        register       {address_offset {} size {} description {}
                        access {read-only read-write write-only read-writeOnce writeOnce}}
        field          {bit_offset {} bit_width {} description {}
                        access {read-only read-write write-only read-writeOnce writeOnce}}
        user_parameter {value_validation_type
                            {none list range_long range_float pairs pattern_string}
                        value_validation_list {}}
        page           {display_name {} tooltip {}}
        gui_parameter  {display_name {} tooltip {} widget {textEdit comboBox checkBox radioGroup}}
        timing_path    {slack {}}
        port           {hd.clk_src {}}
        net            {max_fanout {}}
    }
    # Where each class's properties are documented: UG912, UG835 and UG994; UG1118 for the packager;
    # UG905 for HD.CLK_SRC; UG901 for MAX_FANOUT.
}

proc objects::class {handle} { return [lindex [split $handle :] 0] }
proc objects::name {handle} {
    return [string range $handle [expr {[string first : $handle] + 1}] end]
}

proc objects::set_one {handle property value} {
    variable properties
    variable values
    set class [class $handle]
    if {$class eq "bd_cell"} {
        if {![regexp {^CONFIG\.(\w+)$} $property -> parameter]} {
            error "set_property: a cell has no property $property"
        }
        return [design::configure [name $handle] $parameter $value]
    }
    set key [string tolower $property]
    if {![dict exists $properties $class]} {
        error "set_property: '$handle' is no object"
    }
    if {![dict exists $properties $class $key]} {
        error "set_property: $class has no property $property"
    }
    set legal [dict get $properties $class $key]
    if {$legal ne "" && $value ni $legal} {
        error "set_property: $property of $class is '$value', must be one of [join $legal {, }]"
    }
    dict set values $handle $key $value
}

proc objects::get {handle property {default ""}} {
    variable values
    set key [string tolower $property]
    if {[dict exists $values $handle $key]} { return [dict get $values $handle $key] }
    return $default
}
