#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What tags cost, on the machine of system.py: of programs natively, recorded, and with tags. Prints two tables, which docs/tags.md has: with
one processor and a clock that counts instructions, those, and how large the heaps become; with two processors and a clock that is none,
seconds, the least of three rounds, which are run in turn. It is emulated: how long tags take a processor that has them it does not say.

usage: figures.py STACKDEPOT DIRECTORY SOURCE...

TESTS in the environment chooses: counted, timed.
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
ROUNDS = 3
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


def measure_all(machine, rounds):
    """{(program, mode): [least seconds, bytes of the heap]}"""
    result = {}
    for program in PROGRAMS:
        # Files are read once before.
        said = {measure(machine, program, "native")[2]}
        for mode in list(MODES) * rounds:
            seconds, heap, output = measure(machine, program, mode)
            result[program, mode] = [min(seconds, *result.get((program, mode), [seconds])[:1]), heap]
            said.add(output)
            print(program, mode, seconds, heap, file=sys.stderr, flush=True)
        if len(said) != 1:
            sys.exit(f"{program}: other output, {said}")
    return result


def on_machine(name, rounds, *more):
    machine = system.System(system.make_programs(), pathlib.Path(DIRECTORY) / name, system.make_image(), *more)
    try:
        return measure_all(machine, rounds)
    finally:
        machine.end()


def show(heads, result, columns):
    """Each column is a function of what was measured; beside it is how many times that of the native run."""
    print("| program | |" + "".join(f" {head} | |" for head in heads))
    print("|---|---|" + "---|---|" * len(heads))
    for (program, mode), found in result.items():
        cells = [program if mode == "native" else "", mode]
        for column in columns:
            value, of = column(*found), column(*result[program, "native"])
            cells += [f"{value:,.1f}", "" if mode == "native" else f"{value / of:.2f}x"]
        print("|", " | ".join(cells), "|", flush=True)


def main():
    lacking, chosen = system.missing(), os.environ.get("TESTS", "counted timed").split()
    if lacking:
        print(f"skipped: needs {lacking}")
        sys.exit(SKIP)
    if "counted" in chosen:
        show(["million instructions", "heap, MiB"], on_machine("counted", 1, 1, COUNTED),
             [lambda seconds, _: seconds * 1000, lambda _, heap: heap / (1 << 20)])
    if "timed" in chosen:
        show(["seconds"], on_machine("timed", ROUNDS), [lambda seconds, _: seconds])


if __name__ == "__main__":
    main()
