#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The debugger's script reads what the kernel's depot has stored.

    test_gdb.py SCRIPT PROGRAM

gdb stops PROGRAM, which is `saves` with its symbols, as it has fetched its traces, and runs SCRIPT's
functions on their handles. One more trace is saved from there that has frames no kernel's code has.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

CONSTANTS = "LX_CONFIG_PAGE_SHIFT = 12\nLX_CONFIG_STACKDEPOT = True\n"
UTILS = """import gdb
def get_long_type():
    return gdb.lookup_type('long')
def get_uint_type():
    return gdb.lookup_type('unsigned int')
"""
INSIDE = """
import sys
sys.path.insert(0, {folder!r})
import linux.stackdepot as depot

FRAMES, OWN, BASE = 16, 6, 0xffff800080123450

def fetched(handle):
    return depot.stack_depot_fetch(gdb.Value(handle))

def expected(trace):
    return [BASE + 256 * trace + 8 * i for i in range(OWN)] + [BASE + 16 * i for i in range(OWN, FRAMES)]

for trace in (0, 1, 777, 1999):
    handle = int(gdb.parse_and_eval('handles[%d]' % trace))
    print('near', trace, fetched(handle) == (expected(trace), FRAMES))
gdb.execute('set var frames[3] = 0x1234000000005000')
gdb.execute('set var frames[12] = 0xff000000005000')
handle = int(gdb.parse_and_eval('(unsigned int)stack_depot_save(frames, 16, 1)'))
wide = [int(gdb.parse_and_eval('frames[%d]' % i)) for i in range(FRAMES)]
print('wide', fetched(handle) == (wide, FRAMES))
depot.stack_depot_fetch(gdb.Value(handle + (1 << 22)))
"""


def main():
    script, program = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        linux = pathlib.Path(folder) / "linux"
        linux.mkdir()
        shutil.copy(script, linux / "stackdepot.py")
        (linux / "__init__.py").touch()
        (linux / "constants.py").write_text(CONSTANTS)
        (linux / "utils.py").write_text(UTILS)
        inside = pathlib.Path(folder) / "inside.py"
        inside.write_text(INSIDE.format(folder=folder))
        ended = subprocess.run(
            ["gdb", "-nx", "-q", "-batch", "-ex", "set debuginfod enabled off", "-ex", "break printf", "-ex", "run",
             "-ex", "up", "-ex", f"source {inside}", program],
            capture_output=True, text=True, timeout=120)
    said = ended.stdout + ended.stderr
    wanted = [f"near {trace} True" for trace in (0, 1, 777, 1999)] + ["wide True", "was evicted"]
    missing = [line for line in wanted if line not in said]
    if missing:
        sys.exit(f"{said}\nmissing: {missing}")


if __name__ == "__main__":
    main()
