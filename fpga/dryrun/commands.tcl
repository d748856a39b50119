# SPDX-License-Identifier: Apache-2.0
#
# commands.tcl - every Vivado command that our scripts may use, and its options
#
# An entry is: name, options (with = when a value follows), |, arguments (? may be left out, ...
# many); the line with the bar is its last.
# -quiet and -verbose belong to all. Taken from the syntax lines of the documents named; an option
# that changed its name between 2020.2 and 2023.2 is left out.

namespace eval commands {
    variable known [dict create]
}

proc commands::declare {document text} {
    variable known
    set entry ""
    foreach line [split $text \n] {
        append entry " " $line
        if {[string first | $line] < 0} continue
        lassign [split $entry |] left arguments
        set entry ""
        set options [dict create -quiet 0 -verbose 0]
        foreach option [lrange $left 1 end] {
            dict set options [string trimright $option =] [string match *= $option]
        }
        set least 0
        set most 0
        foreach argument $arguments {
            if {![string match {\?*} $argument]} { incr least }
            set most [expr {[string match *...* $argument] ? 1000 : $most + 1}]
        }
        dict set known [lindex $left 0] \
            [dict create document $document options $options least $least most $most]
    }
}

# Split the words of a call into {options dict} {arguments list}; an error names what is wrong.
# A word after an option with a value is its value, whatever it looks like.
proc commands::parse {name words} {
    variable known
    set entry [dict get $known $name]
    set options [dict get $entry options]
    set given [dict create]
    set arguments {}
    while {[llength $words] > 0} {
        set words [lassign $words word]
        if {![regexp {^-[a-z]} $word]} {
            lappend arguments $word
        } elseif {![dict exists $options $word]} {
            error "$name: option $word is unknown; [dict get $entry document] has\
                [join [dict keys $options]]"
        } elseif {![dict get $options $word]} {
            dict set given $word 1
        } elseif {[llength $words] == 0} {
            error "$name: option $word wants a value"
        } else {
            set words [lassign $words value]
            dict set given $word $value
        }
    }
    set count [llength $arguments]
    if {$name eq "set_property" && [dict exists $given -dict]} { incr count 2 }
    if {$count < [dict get $entry least] || $count > [dict get $entry most]} {
        error "$name: $count arguments given, [dict get $entry document] wants\
            [dict get $entry least] to [dict get $entry most]"
    }
    return [list $given $arguments]
}

commands::declare {UG835 (projects and files)} {
    version -short |
    get_parts -regexp -filter= -of_objects= | ?patterns
    create_project -part= -force -in_memory -ip -rtl_kernel | ?name ?dir
    close_project -delete |
    current_project | ?project
    current_fileset -constrset -simset | ?fileset...
    add_files -fileset= -of_objects= -norecurse -copy_to= -force -scan_for_includes | ?files...
        get_files -regexp -nocase -filter= -compile_order= -used_in= -references -all -of_objects=
        | ?patterns
    update_compile_order -force_gui -fileset= |
        update_ip_catalog -rebuild -add_ip= -delete_ip= -delete_mult_ip= -disable_ip= -enable_ip=
        -add_interface= -create_index -repo_path= -update_module_ref |
    read_verilog -library= -sv | files...
    read_xdc -cells= -ref= -quiet_diff_pairs -mode= -unmanaged -no_add | files
    read_bd | files...
    set_property -dict= | name value objects...
    get_property -min -max | name object
    set_msg_config -id= -string= -severity= -limit= -new_severity= -suppress -regexp |
}

commands::declare {UG835 (IP integrator), UG994} {
    create_bd_design -dir= -cell= | name
    create_bd_cell -vlnv= -type= -reference= -revision= | name
    create_bd_intf_port -vlnv= -mode= | ?name
    connect_bd_net -net= -boundary_type= | objects...
    connect_bd_intf_net -intf_net= -boundary_type= | object1 object2 ?auto
    get_bd_cells -regexp -hierarchical -filter= -of_objects= | ?patterns
    get_bd_pins -regexp -hierarchical -filter= -of_objects= | ?patterns
    get_bd_intf_pins -regexp -hierarchical -filter= -of_objects= | ?patterns
    get_bd_intf_ports -regexp -filter= -of_objects= | ?patterns
    get_bd_addr_spaces -regexp -hierarchical -filter= -of_objects= | ?patterns
        get_bd_addr_segs -regexp -hierarchical -filter= -of_objects= -excluded -addressed
        -unaddressed -addressing -addressables | ?patterns
        assign_bd_address -target_address_space= -boundary -master_boundary -external -dict=
        -import_from_file= -export_to_file= -export_gui_to_file= -offset= -range= -base_high= -force
        | ?objects...
    validate_bd_design -force -design= -include_pfm |
    save_bd_design | ?name
    make_wrapper -top -testbench -inst_template -fileset= -import -force | files
    generate_target -force | name objects
}

commands::declare {UG835 (synthesis and implementation), UG901, UG904} {
        synth_design -name= -part= -constrset= -top= -include_dirs= -generic= -verilog_define=
        -flatten_hierarchy= -gated_clock_conversion= -directive= -rtl -bufg= -no_lc -shreg_min_size=
        -mode= -fsm_extraction= -rtl_skip_mlo -rtl_skip_ip -rtl_skip_constraints -srl_style=
        -keep_equivalent_registers -resource_sharing= -cascade_dsp= -control_set_opt_threshold=
        -max_bram= -max_uram= -max_dsp= -max_bram_cascade_height= -max_uram_cascade_height=
        -no_srlextract -assert -no_timing_driven -sfcu -debug_log |
        opt_design -retarget -propconst -sweep -bram_power_opt -remap -aggressive_remap
        -resynth_area -resynth_seq_area -directive= -muxf_remap -hier_fanout_limit= -bufg_opt
        -shift_register_opt -dsp_register_opt -srl_remap_modes= -control_set_merge
        -merge_equivalent_drivers -carry_remap -debug_log -property_opt_only |
        place_design -directive= -no_timing_driven -timing_summary -unplace -post_place_opt -no_psip
        -no_bufg_opt |
        phys_opt_design -fanout_opt -placement_opt -routing_opt -slr_crossing_opt -rewire
        -insert_negative_edge_ffs -critical_cell_opt -dsp_register_opt -bram_register_opt
        -uram_register_opt -bram_enable_opt -shift_register_opt -hold_fix -aggressive_hold_fix
        -retime -force_replication_on_nets= -directive= -critical_pin_opt -clock_opt -path_groups=
        -tns_cleanup -sll_reg_hold_fix |
        route_design -unroute -release_memory -nets= -physical_nets -pins= -directive= -tns_cleanup
        -no_timing_driven -preserve -delay -auto_delay -max_delay= -min_delay= -timing_summary
        -finalize -ultrathreads -eco |
        write_checkpoint -force -cell= -logic_function_stripped -encrypt -key= -incremental_synth
        | ?file
        write_bitstream -force -raw_bitfile -no_binary_bitfile -mask_file -readback_file
        -logic_location_file -bin_file -reference_bitfile= -cell= -no_partial_bitfile | file
    write_hw_platform -fixed -force -include_bit -include_sim_content -minimal -hw -hw_emu | ?file
}

commands::declare {UG835 (reports), UG906, UG907} {
        report_utilization -file= -append -pblocks= -evaluate_pblock -exclude_child_pblocks
        -exclude_non_assigned -cells= -return_string -slr -packthru -name= -no_primitives -omit_locs
        -hierarchical -spreadsheet_file= -spreadsheet_table= -spreadsheet_depth=
        -hierarchical_depth= -hierarchical_percentages |
        report_timing_summary -check_timing_verbose -delay_type= -no_detailed_paths -setup -hold
        -max_paths= -nworst= -unique_pins -path_type= -no_reused_label -input_pins -no_pr_attribute
        -routable_nets -slack_lesser_than= -report_unconstrained -significant_digits= -no_header
        -file= -append -name= -return_string -warn_on_violation -datasheet -cells= -rpx= |
        report_clock_utilization -file= -append -write_xdc= -cells= -clock_roots_only -return_string
        -name= |
        report_drc -name= -upgrade_cw -checks= -ruledecks= -file= -rpx= -append -waived -no_waivers
        -return_string |
        report_methodology -name= -cells= -checks= -file= -rpx= -append -waived -no_waivers
        -slack_lesser_than= -return_string |
        report_power -no_propagation -hier= -hierarchical_depth= -vid -advisory -file= -name=
        -format= -xpe= -l= -return_string -append -rpx= |
    read_saif -strip_path= -no_strip -out_file= | file
        get_timing_paths -from= -rise_from= -fall_from= -to= -rise_to= -fall_to= -through=
        -rise_through= -fall_through= -delay_type= -setup -hold -max_paths= -nworst= -unique_pins
        -slack_lesser_than= -slack_greater_than= -group= -no_report_unconstrained -user_ignored
        -routable_nets -sort_by= -filter= -regexp -nocase -cell= |
}

# UG835 does not list the commands of the packager; UG1118 tells what they do, Vivado's own journal
# of the packager and `ipx::... -help` how they are called.
commands::declare {UG1118, IP packager} {
        ipx::package_project -root_dir= -vendor= -library= -taxonomy= -import_files -set_current=
        -force -generated_files -module= -archive_source_project= |
    ipx::current_core | ?core
    ipx::get_bus_interfaces -filter= -of_objects= | ?patterns
    ipx::infer_bus_interface -verbose | ports vlnv core
    ipx::associate_bus_interfaces -busif= -clock= -reset= -clear -remove | ?core
    ipx::add_bus_parameter | name bus
    ipx::get_memory_maps -filter= -of_objects= | ?patterns
    ipx::get_address_blocks -filter= -of_objects= | ?patterns
    ipx::add_register | name block
    ipx::add_field | name register
    ipx::get_user_parameters -filter= -of_objects= | ?patterns
    ipx::create_xgui_files | ?core
    ipx::update_checksums | ?core
    ipx::check_integrity -xrt -kernel | ?core
    ipx::save_core | ?core
    ipgui::get_pagespec -name= -component= |
    ipgui::get_guiparamspec -name= -component= |
}

# What an XDC file may hold: these, and no control flow.
commands::declare {UG903} {
    create_clock -period= -name= -waveform= -add | ?objects
        get_ports -regexp -nocase -filter= -of_objects= -match_style= -scoped_to_current_instance
        -no_traverse -prop_thru_buffers | ?patterns
            get_nets -hsc= -hierarchical -regexp -nocase -filter= -of_objects= -match_style=
        -top_net_of_hierarchical_group -segments -boundary_type= | ?patterns
}
