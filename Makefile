# SPDX-License-Identifier: Apache-2.0
#
# The one entry point of PASA. `make help` lists the targets. A fresh machine
# needs python3 (3.11 or newer), g++, make and perl; `make` brings the rest.

.DEFAULT_GOAL := help
SHELL         := /bin/bash
.SHELLFLAGS   := -euo pipefail -c
MAKEFLAGS     += --no-print-directory
.DELETE_ON_ERROR:

PYTHON ?= python3
PY     := .venv/bin/python
STEP   := $(PYTHON) ci/step.py
READY  := .venv/.ready

# Choices a user makes on the command line, seen by every tool that is called.
SIM   ?=
SEED  ?=
WAVES ?=
CASE  ?=
K     ?=
M     ?=
JOBS  ?= 2
BOARD ?= adrv9361-z7035
MHZ   ?= 150
PARAMETERS     ?=
VIVADO_VERSION ?= 2023.2
export SIM SEED WAVES CASE

VIVADO = $(PY) fpga/vivado.py --board $(BOARD) --version $(VIVADO_VERSION) --clock $(MHZ) \
         $(PARAMETERS:%=--set %)

# Icarus is needed unless the other simulator was asked for.
BOTH := $(if $(filter verilator,$(SIM)),,system)

##@ Start here
help:  ## this list
	@awk 'BEGIN {FS = ":.*## "} \
	  /^##@ / {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@printf '\nOptions  SIM=verilator|icarus  SEED=number  WAVES=1  SAIF=1 (sim)  CASE=file.npz (sim)\n'
	@printf '         M=module (unit, prove)  K=expression (unit)  JOBS=processes\n'
	@printf '         BOARD=adrv9361-z7035|ax7z035  MHZ=150  PARAMETERS="ROWS=8 ..." (FPGA)\n'

sim: $(READY)  ## real heads through the RTL, bit for bit against the golden model
	@$(PYTHON) ci/system.py $(if $(filter icarus,$(SIM)),--icarus)
	@$(PY) verif/sim/run.py

bench: $(READY)  ## speed in exact cycles against its goals; ONLY='n512/*' for a part
	@$(PYTHON) ci/system.py
	@$(PY) verif/bench/run.py

test: system $(READY) lint elaborate  ## everything: lint, elaborate, all tests, both simulators
	@$(PY) ci/tests.py --name test -- -n $(JOBS)

##@ Parts of test
lint: system $(READY)  ## Verilator -Wall, Icarus -g2005 -Wall, ruff
	@code=0; \
	$(STEP) lint-python -- $(PY) ci/lint.py python || code=1; \
	$(STEP) lint-rtl -- $(PY) ci/lint.py rtl || code=1; \
	exit $$code

elaborate: $(READY)  ## Yosys elaborates every module
	@$(STEP) elaborate -- $(PY) ci/elaborate.py

unit: $(BOTH) $(READY)  ## unit benches; M=module for one, K=expression for some of its tests
	@MUTANTS=all $(PY) ci/tests.py --name unit $(if $(M),--module $(M)) -- -n $(JOBS) $(if $(K),-k '$(K)')

uvm: $(BOTH) $(READY)  ## the pyuvm environment
	@MUTANTS=all $(PY) ci/tests.py --name uvm --path verif/uvm -- -n $(JOBS) $(if $(K),-k '$(K)')

prove: $(READY)  ## Yosys proves the modules that have a FORMAL part; M=module for one
	@$(STEP) prove -- $(PY) ci/prove.py $(if $(M),--module $(M))

regress: $(BOTH) $(READY)  ## unit and uvm benches under many seeds (SEEDS=8)
	@$(PY) ci/regress.py --seeds $(or $(SEEDS),8) --jobs $(JOBS)

registers: $(READY)  ## what hdl/shell/pasa.rdl generates, and its HTML reference
	@$(PY) ci/registers.py --html

##@ FPGA (fpga/README.md)
bitstream: $(READY)  ## .bit, .hwh and .xsa for BOARD=adrv9361-z7035|ax7z035, by Vivado
	@$(VIVADO) bitstream

project: $(READY)  ## the same system as a project that opens in Vivado's GUI
	@$(VIVADO) project

ip: $(READY)  ## the accelerator as an IP for the catalog of Vivado
	@$(VIVADO) ip

ooc: $(READY)  ## pasa_core alone: quick figures for timing and size, by Vivado
	@$(VIVADO) ooc

synth: system $(READY)  ## size and depth by Yosys against budgets; gates against the golden model
	@$(PY) fpga/synth/run.py

fpga-check: system $(READY)  ## the scripts of these targets, without Vivado
	@$(PY) -m fpga.dryrun.check

##@ Set-up
venv: $(READY)  ## the Python environment, every package pinned

system:  ## programs that pip cannot bring (Icarus, tclsh), by apt where allowed
	@$(PYTHON) ci/system.py --icarus

clean:  ## remove everything that was built, but not .venv
	rm -rf build .pytest_cache .ruff_cache .hypothesis

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) ci/system.py
	@$(STEP) venv -- $(PYTHON) ci/venv.py
	@touch $@

.PHONY: help sim bench test lint elaborate unit uvm prove regress registers bitstream project ip ooc fpga-check synth venv system clean
