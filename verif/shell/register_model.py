# SPDX-License-Identifier: Apache-2.0
"""The register model of pyuvm, written by PeakRDL from hdl/shell/pasa.rdl, and its bus."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path

from peakrdl_pyuvm.exporter import PyUVMExporter
from pyuvm import (
    uvm_access_e,
    uvm_reg_adapter,
    uvm_reg_block,
    uvm_reg_bus_op,
    uvm_sequence_item,
    uvm_sequencer,
    uvm_status_e,
)

from verif.common.rdl import compile_rdl
from verif.shell.axi import ALL, OKAY


class BusItem(uvm_sequence_item):
    """One access of AXI4-Lite; `data` and `response` come back in it."""

    def __init__(self, *, write: bool, address: int, data: int = 0, strobe: int = ALL) -> None:
        super().__init__("access")
        self.write, self.address, self.data, self.strobe = write, address, data, strobe
        self.response = -1


class Adapter(uvm_reg_adapter):
    """Turns what the register model wants into bus items and back."""

    def reg2bus(self, rw: uvm_reg_bus_op) -> BusItem:
        return BusItem(write=rw.kind == uvm_access_e.UVM_WRITE, address=rw.addr, data=rw.data)

    def bus2reg(self, bus_item: BusItem, rw: uvm_reg_bus_op) -> None:
        rw.data = bus_item.data
        done = bus_item.response == OKAY
        rw.status = uvm_status_e.UVM_IS_OK if done else uvm_status_e.UVM_NOT_OK


def register_model(
    parameters: Mapping[str, int], sequencer: uvm_sequencer, *, folder: Path
) -> uvm_reg_block:
    """The model of a build, reset, with its front door on `sequencer`; written into `folder`."""
    path = folder / "pasa_register_model.py"
    PyUVMExporter().export(compile_rdl(parameters), str(path), reuse_class_definitions=False)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = module.pasa("pasa")
    model.build()
    model.lock_model()
    model.reset()
    model.get_default_map().set_sequencer(sequencer, Adapter("adapter"))
    model.get_default_map().set_auto_predict(True)
    return model
