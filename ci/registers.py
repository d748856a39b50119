# SPDX-License-Identifier: Apache-2.0
"""Write what hdl/shell/pasa.rdl says as Verilog, Python, C and HTML.

ci/registers.py            rewrite the three generated files
ci/registers.py --check    exit 1 when one of them is stale
ci/registers.py --html     the reference into build/registers as well
"""

import argparse
import sys
from pathlib import Path

from peakrdl_html import HTMLExporter

from verif.common.hdl import INCLUDE, ROOT
from verif.common.rdl import Register, compile_rdl, load

NOTICE = "Written from hdl/shell/pasa.rdl by `make registers`. Do not edit."
VERILOG = INCLUDE / "pasa_registers.vh"
PYTHON = ROOT / "reference" / "pasa" / "registers.py"
HEADER = ROOT / "fpga" / "host" / "pasa_registers.h"
HTML = ROOT / "build" / "registers"
SPAN = 0x1000  # bytes of the address space


def verilog(registers: dict[str, Register]) -> str:
    """Addresses, constants and masks; the fields of the records are in pasa_formats.vh."""
    lines = ["// SPDX-License-Identifier: Apache-2.0", f"// {NOTICE}"]
    lines += ["`ifndef PASA_REGISTERS_VH", "`define PASA_REGISTERS_VH"]
    for register in registers.values():
        lines.append(f"`define PASA_REGISTER_{register.name} 12'h{register.address:03x}")
    for register in registers.values():
        for field in register.fields.values():
            if not register.name.startswith(("COMMAND_", "STATUS_", "CAUSES")):
                place = f"{field.low + field.width - 1}:{field.low}"
                lines.append(f"`define PASA_{register.name}_{field.name.upper()} {place}")
    for name in ("IDENTITY", "VERSION"):
        lines.append(f"`define PASA_VALUE_{name} 32'h{registers[name].reset:08x}")
    depths = registers["BUILD_2"].fields
    lines += [
        f"`define PASA_{n.upper()} {depths[n].reset}" for n in ("command_depth", "status_depth")
    ]
    words = [registers[f"COMMAND_{word}"].write_mask for word in range(8)]
    mask = "".join(f"{word:08x}" for word in reversed(words))
    lines.append(f"`define PASA_COMMAND_MASK 256'h{mask}")
    return "\n".join([*lines, "`endif", ""])


def python(registers: dict[str, Register]) -> str:
    """Addresses, access and fields as plain dictionaries."""
    lines = [
        "# SPDX-License-Identifier: Apache-2.0",
        f"# {NOTICE}",
        '"""The registers of the accelerator: addresses, access and fields.',
        "",
        '    ADDRESS["SUBMIT"]                     byte address on AXI4-Lite',
        '    FIELDS["CONTROL"]["soft_reset"]       (lowest bit, width)',
        '    RESET["IDENTITY"]                     value after reset, of the default build',
        "",
        "Words are 32 bits wide. COMMAND_0 to COMMAND_7 and STATUS_0 to STATUS_9 are the records",
        "of ``formats``, word by word. Any other access answers SLVERR.",
        '"""',
        "",
        f"SPAN = {SPAN:#x}  # bytes of the address space",
        "",
        "#: Register -> byte address.",
        "ADDRESS: dict[str, int] = {",
        *(f'    "{r.name}": 0x{r.address:03X},' for r in registers.values()),
        "}",
        "",
        "#: Registers that may be read.",
        *_tuple("READABLE", [r.name for r in registers.values() if r.readable]),
        "",
        "#: Registers that may be written.",
        *_tuple("WRITABLE", [r.name for r in registers.values() if r.writable]),
        "",
        "#: Register -> value after reset, of the default build.",
        "RESET: dict[str, int] = {",
        *(f'    "{r.name}": 0x{r.reset:08X},' for r in registers.values() if r.readable),
        "}",
        "",
        "#: Register -> field -> (lowest bit, width).",
        "FIELDS: dict[str, dict[str, tuple[int, int]]] = {",
    ]
    for register in registers.values():
        lines.append(f'    "{register.name}": {{')
        for field in register.fields.values():
            lines.append(f'        "{field.name}": ({field.low}, {field.width}),')
        lines.append("    },")
    return "\n".join([*lines, "}", ""])


def _tuple(name: str, members: list[str]) -> list[str]:
    return [f"{name}: tuple[str, ...] = (", *(f'    "{member}",' for member in members), ")"]


def c_header(registers: dict[str, Register]) -> str:
    """Addresses, and place and mask of each field."""
    lines = [
        "/* SPDX-License-Identifier: Apache-2.0",
        " *",
        f" * {NOTICE}",
        " *",
        " * PASA_REG_<REGISTER>              byte address",
        " * PASA_<REGISTER>_<FIELD>_SHIFT    lowest bit of a field",
        " * PASA_<REGISTER>_<FIELD>_MASK     its bits, in place",
        " */",
        "#ifndef PASA_REGISTERS_H",
        "#define PASA_REGISTERS_H",
        "",
        f"#define PASA_REG_SPAN {SPAN:#06x}u",
        f"#define PASA_IDENTITY_VALUE {registers['IDENTITY'].reset:#010x}u",
        f"#define PASA_COMMAND_WORDS {_count(registers, 'COMMAND_')}u",
        f"#define PASA_STATUS_WORDS {_count(registers, 'STATUS_')}u",
        "",
    ]
    for register in registers.values():
        lines.append(f"/* {register.title} */")
        lines.append(f"#define PASA_REG_{register.name} {register.address:#05x}u")
        for field in register.fields.values():
            name = f"PASA_{register.name}_{field.name.upper()}"
            note = f"  /* {field.description} */" if field.description else ""
            lines.append(f"#define {name}_SHIFT {field.low}{note}")
            lines.append(f"#define {name}_MASK {field.mask:#010x}u")
        lines.append("")
    return "\n".join([*lines, "#endif", ""])


def _count(registers: dict[str, Register], prefix: str) -> int:
    return sum(name.removeprefix(prefix).isdigit() for name in registers)


def generated() -> dict[Path, str]:
    """Path -> text of every generated file."""
    registers = load()
    return {VERILOG: verilog(registers), PYTHON: python(registers), HEADER: c_header(registers)}


def stale() -> list[Path]:
    """Generated files that differ from what the source says."""
    return [p for p, text in generated().items() if not p.is_file() or p.read_text() != text]


def html() -> None:
    """Write the reference for readers."""
    HTMLExporter().export(compile_rdl(), str(HTML), title="PASA registers")


def main() -> int:
    """Write or check the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--html", action="store_true")
    choice = parser.parse_args()
    if choice.check:
        names = [str(path.relative_to(ROOT)) for path in stale()]
        print(f"stale: {', '.join(names)}; run: make registers" if names else "up to date")
        return bool(names)
    for path, text in generated().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(path.relative_to(ROOT))
    if choice.html:
        html()
        print((HTML / "index.html").relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
