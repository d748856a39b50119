# SPDX-License-Identifier: Apache-2.0
#
# Of `make ooc`: the clock that a system would bring, entering through a global buffer. The period
# is 150 MHz; flow/implement.tcl writes the chosen one in its place.

create_clock -period 6.666 -name clk [get_ports clk]
set_property HD.CLK_SRC BUFGCTRL_X0Y16 [get_ports clk]
