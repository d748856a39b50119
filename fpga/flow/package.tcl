# SPDX-License-Identifier: Apache-2.0
#
# package.tcl - pasa_axi as an IP of the catalog: interfaces, register map, parameters, GUI

# Name, version and kind of the IP, as block designs and PYNQ know it.
proc pasa::vlnv {} {
    return pasa:accelerator:pasa:0.1
}

# Package the IP into the folder ip of the build; returns that folder.
proc pasa::package_ip {choice board} {
    set repository [file join [pwd] ip]
    step package {
        file delete -force $repository
        create_project -force pasa_ip [file join [pwd] ip_project] -part [dict get $board part]
        add_design
        ipx::package_project -root_dir $repository -vendor pasa -library accelerator \
            -taxonomy /UserIP -import_files -set_current true -force
        set core [ipx::current_core]
        describe_core $core
        describe_interfaces $core
        describe_registers $core [dict get $choice registers]
        describe_parameters $core
        ipx::create_xgui_files $core
        ipx::update_checksums $core
        ipx::check_integrity $core
        ipx::save_core $core
        close_project
    }
    return $repository
}

proc pasa::add_design {} {
    variable root
    add_files -norecurse [design_files]
    add_files -norecurse [header_files]
    set_property file_type {Verilog Header} [get_files *.vh]
    add_files -fileset constrs_1 -norecurse [file join $root fpga constraints pasa_axi.xdc]
    set_property used_in {synthesis} [get_files pasa_axi.xdc]
    set_property top pasa_axi [current_fileset]
    update_compile_order -fileset sources_1
}

proc pasa::describe_core {core} {
    set_property -dict [list \
        name pasa \
        version 0.1 \
        display_name {PASA attention accelerator} \
        description {Sparse attention on int8: predictor, sparse-attention engine, softmax} \
        vendor_display_name PASA \
        supported_families {zynq Production} \
    ] $core
}

# The packager finds the buses by the names of their ports; here they get clock and reset.
proc pasa::describe_interfaces {core} {
    set buses {s_axi s_axis_query s_axis_key s_axis_value m_axis_output}
    foreach bus $buses {
        if {[llength [ipx::get_bus_interfaces $bus -of_objects $core]] != 1} {
            error "the packager found no bus '$bus' in the ports of pasa_axi"
        }
        ipx::associate_bus_interfaces -busif $bus -clock aclk $core
    }
    ipx::associate_bus_interfaces -clock aclk -reset aresetn $core
    ipx::infer_bus_interface interrupt xilinx.com:signal:interrupt_rtl:1.0 $core
    set sensitivity [ipx::add_bus_parameter SENSITIVITY \
        [ipx::get_bus_interfaces interrupt -of_objects $core]]
    set_property value LEVEL_HIGH $sensitivity
}

# The file is written from hdl/shell/pasa.rdl: name offset access description fields, and of each
# field name offset width access description.
proc pasa::describe_registers {core path} {
    source $path
    set map [ipx::get_memory_maps s_axi -of_objects $core]
    set block [ipx::get_address_blocks reg0 -of_objects $map]
    if {[llength $block] != 1} {
        error "the packager gave s_axi no address block 'reg0'"
    }
    set_property -dict [list range 4096 width 32 usage register] $block
    foreach register $registers {
        lassign $register name offset access description fields
        set object [ipx::add_register $name $block]
        set_property -dict [list address_offset $offset size 32 access $access \
            description $description] $object
        foreach field $fields {
            lassign $field field_name low width field_access field_description
            set part [ipx::add_field $field_name $object]
            set_property -dict [list bit_offset $low bit_width $width access $field_access \
                description $field_description] $part
        }
    }
}

# Legal values, and what the GUI says about each; pasa_core refuses others at elaboration.
proc pasa::describe_parameters {core} {
    set described {
        ROWS        {1 2 4 8 16}                     {Lanes, and rows predicted at once}
        PRED_KEYS   {2 4 8 16 32 64 128}             {Keys the predictor reads in a clock}
        HEAD_DIM    {16 32 64 128}                   {Most dimensions of a head}
        TILE_KEYS   {256 512 1024 2048 4096 8192 16384 32768}
                                                     {Most keys, and most queries, of a command}
        PRED_BITS   {2 3 4 5 6}                      {Bits of a query or key in the predictor}
        BLOCK_KEYS  {16 32 64 128}                   {Keys that share a virtual key}
        MERGE_ROWS  {64 128 256 512 1024}            {Most queries of a command that merges}
        OUTPUT_ROWS {32 64 128 256 512}              {Rows finished ahead of a longer one}
        STREAM_BITS {32 64 128}                      {Bits of one beat of the data streams}
    }
    set page [ipgui::get_pagespec -name {Page 0} -component $core]
    set_property display_name {Build} $page
    foreach {name values text} $described {
        set parameter [ipx::get_user_parameters $name -of_objects $core]
        set_property value_validation_type list $parameter
        set_property value_validation_list $values $parameter
        set shown [ipgui::get_guiparamspec -name $name -component $core]
        set_property -dict [list display_name $name tooltip $text widget comboBox] $shown
    }
}
