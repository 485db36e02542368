#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What tags cost, on the machine of system.py, with one processor and a clock that counts instructions: those of
programs natively, recorded, and with tags, and how large their heaps become. Prints a table; docs/tags.md has one. It is
emulated: how long tags take a processor that has them it does not say.

usage: figures.py STACKDEPOT DIRECTORY SOURCE...
"""
import os
import pathlib
import re
import sys

import system
from programs import PERL, PYTHON, SQL
from test_tags import DIRECTORY, SKIP

MODES = {"native": None, "recorded": "guard=0", "tags=sync": "tags=sync", "tags=async": "tags=async",
         "tags=sync, sample=64K": "tags=sync:mode=sample=64K"}
# One processor, whose clock goes on by 1 ns with each instruction, also the kernel's. Nothing waits for a clock.
COUNTED = ["-icount", "shift=0,sleep=off"]
PROGRAMS = {"python, json and re": (["/usr/bin/python3", "-c", PYTHON], {"PYTHONMALLOC": "malloc"}),
            "perl, a hash": (["/usr/bin/perl", "-e", PERL], {"PERL_HASH_SEED": "0"}),
            "sqlite3, an index": (["/usr/bin/sqlite3", ":memory:", SQL], {})}
ALWAYS = {"PYTHONHASHSEED": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 40), "MALLOC_TOP_PAD_": "4096"}


def measure(machine, program, mode):
    """Seconds, bytes of the heap, and what it printed."""
    command, environment = PROGRAMS[program]
    options = MODES[mode]
    done = machine.ask(do="run", command=command, options=options or "", preload=options is not None, environment={**ALWAYS, **environment},
                       seconds=system.SECONDS, beside=["/t/heap.so"])
    for name in done.stores:
        os.unlink(machine.host / "kept" / name)
    heap = re.search(r"^heap (\d+)$", done.stderr, re.M)
    if done.status or not heap:
        sys.exit(f"{program}, {mode}: {done.status} {done.stderr}")
    return done.seconds, int(heap[1]), done.stdout


def measure_all(machine):
    result = {}
    for program in PROGRAMS:
        # Files are read once before.
        said = {measure(machine, program, "native")[2]}
        for mode in MODES:
            *result[program, mode], output = measure(machine, program, mode)
            said.add(output)
            print(program, mode, *result[program, mode], file=sys.stderr, flush=True)
        if len(said) != 1:
            sys.exit(f"{program}: other output, {said}")
    return result


def main():
    lacking = system.missing()
    if lacking:
        print(f"skipped: needs {lacking}")
        sys.exit(SKIP)
    machine = system.System(system.make_programs(), pathlib.Path(DIRECTORY) / "counted", system.make_image(), 1, COUNTED)
    try:
        result = measure_all(machine)
    finally:
        machine.end()
    print("| program | | million instructions | | heap, MiB | |\n|---|---|---|---|---|---|")
    for (program, mode), (seconds, heap) in result.items():
        native, cells = result[program, "native"], [program if mode == "native" else "", mode]
        for value, of in ((seconds * 1000, native[0] * 1000), (heap / (1 << 20), native[1] / (1 << 20))):
            cells += [f"{value:,.1f}", "" if mode == "native" else f"{value / of:.2f}x"]
        print("|", " | ".join(cells), "|")


if __name__ == "__main__":
    main()
