# SPDX-License-Identifier: Apache-2.0
"""A compiler prefix that keeps the object files of Verilator's runtime library.

Each Verilator build compiles the same runtime (9 s on one core); the model of a
small module takes 2 s. Verilator's makefile runs `$(OBJCACHE) c++ ...`, so this
script stands there: it serves sources of $VERILATOR_ROOT/include from
$PASA_OBJCACHE_DIR and hands every other command to the compiler as it is.
"""

import hashlib
import os
import shutil
import subprocess
import sys


def runtime_source(args: list[str]) -> str | None:
    """The runtime source among the arguments, if that is what is compiled."""
    folder = os.path.join(os.environ["VERILATOR_ROOT"], "include") + os.sep
    return next((a for a in args if a.startswith(folder) and a.endswith(".cpp")), None)


def main() -> int:
    """Compile, or copy what an equal command made before."""
    command = sys.argv[1:]
    source = runtime_source(command)
    if source is None or "-o" not in command:
        return subprocess.call(command)
    at = command.index("-o") + 1
    output, plain = command[at], command[:at] + command[at + 1 :]
    compiler = subprocess.run([command[0], "--version"], capture_output=True, check=True).stdout
    with open(source, "rb") as file:
        key = hashlib.sha256(b"\0".join([*map(os.fsencode, plain), compiler, file.read()]))
    folder = os.environ["PASA_OBJCACHE_DIR"]
    kept = os.path.join(folder, key.hexdigest()[:32] + ".o")
    if not os.path.exists(kept):
        code = subprocess.call(command)
        if code:
            return code
        os.makedirs(folder, exist_ok=True)
        shutil.copyfile(output, f"{kept}.{os.getpid()}")
        os.replace(f"{kept}.{os.getpid()}", kept)
        return 0
    shutil.copyfile(kept, output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
