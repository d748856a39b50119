# SPDX-License-Identifier: Apache-2.0
#
# Packaged with the IP, so its names are those inside pasa_axi, wherever an instance sits. Read by
# synthesis alone, while the names of the RTL are still there.
#
# One clock, and every input and output is registered by it or meets another register of it: no
# path needs an exception. The reset reaches every control register; copies keep it short.

set_property MAX_FANOUT 512 [get_nets core_rst]
