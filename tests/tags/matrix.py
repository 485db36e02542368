#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Errors of each kind, at sizes and distances, and how many are found: by tags, by guard pages, by redzones
and quarantine. Prints a table; docs/tags.md has one.

usage: matrix.py STACKDEPOT DIRECTORY SOURCE...
"""
import collections
import os
import re
import sys
import tempfile

import arm64
from test_tags import DIRECTORY, HERE, SKIP, SOURCES, TOOL

SIZES = [8, 24, 100, 1000, 10000, 100000, 200000]
# Objects that stay would take all places between guard pages. Redzones are there beside those, as what is written
# behind an object would be the allocator's; what they find is not counted.
MODES = {"tags": ("tags=sync", ["fill"], True), "guard pages": ("guard=1", [], False),
         "redzone, quarantine": ("guard=0", ["fill"], True)}


def cell_of(error):
    """What is found late is found elsewhere, but the object is the cell's."""
    stack = error["allocated"] if error["found_late"] else error["stack"]
    digits = [re.fullmatch(r"digit_(\d)", frame["function"] or "") for frame in stack]
    number = 0
    for digit in filter(None, digits):
        number = number * 10 + int(digit.group(1))
    return number


def measure(machine, store, size, mode):
    """{(kind, access, distance): (found, tried)}"""
    options, words, late = MODES[mode]
    done = machine.run("matrix", str(size), *words, store=store, options=options)
    if done.returncode:
        print(f"{size} bytes, {options}: ended with {done.returncode}: {done.stderr}", file=sys.stderr)
    found = collections.Counter()
    for error in arm64.errors(TOOL, store)["errors"]:
        if late or not error["found_late"]:
            found[cell_of(error)] += error["count"]
    result = {}
    for line in done.stdout.splitlines():
        number, cell, tried = re.fullmatch(r"(\d+) (.*) (\d+)", line).groups()
        result[cell] = (min(found[int(number)], int(tried)), int(tried))
    return result


def main():
    missing = arm64.missing()
    if missing:
        print(f"skipped: needs {missing}")
        arm64.end(SKIP)
    machine = arm64.Arm64(DIRECTORY, SOURCES)
    machine.add("matrix", HERE / "matrix.c")
    trouble = machine.build()
    if trouble:
        sys.exit(trouble)
    table = collections.defaultdict(dict)
    with tempfile.TemporaryDirectory() as directory:
        for mode in MODES:
            for size in SIZES:
                store = os.path.join(directory, f"{len(os.listdir(directory))}.store")
                for cell, (found, tried) in measure(machine, store, size, mode).items():
                    old = table[cell].get(mode, (0, 0, []))
                    table[cell][mode] = (old[0] + found, old[1] + tried, old[2] + [found])
    print("| error | access | distance |", " | ".join(MODES), "|")
    print("|---|---|---|" + "---|" * len(MODES))
    for cell, modes in table.items():
        row = ["{} of {} ({})".format(*modes[mode][:2], " ".join(map(str, modes[mode][2]))) if mode in modes else ""
               for mode in MODES]
        print("|", " | ".join(cell.split(",")), "|", " | ".join(row), "|")


main()
