# SPDX-License-Identifier: Apache-2.0
"""`python -m pasa` is `pasa`."""

from pasa.cli import main

main()
