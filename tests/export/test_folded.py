# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Folded stacks, read as flamegraph.pl does: names split at ';', the value behind the last blank."""
import collections
import os
import tempfile

from common import bug, check, export, names, real_program, record, report, run, TOOL

KEYS = {"live-bytes": "live_bytes", "live-objects": "live_objects",
        "alloc-bytes": "allocated_bytes", "allocs": "allocations"}


def read(text):
    stacks = {}
    for line in text.splitlines():
        stack, value = line.rsplit(" ", 1)
        check(stack not in stacks, f"{stack} is there twice")
        stacks[stack] = int(value)
    return stacks


def compare(store):
    top = report("top", store)["stacks"]
    for value, key in KEYS.items():
        wanted = collections.Counter()
        for stack in top:
            if stack[key] > 0:
                wanted[";".join(reversed(names(stack["stack"])))] += stack[key]
        found = read(export("folded", store, "--value", value))
        check(found == dict(wanted), f"{value} of {store} differ",
              sorted(set(found.items()) ^ set(wanted.items()))[:2])
        check(found, f"{value}: nothing in {store}")


def failures(directory, store):
    full = os.path.join(directory, "out.folded")
    run("sh", "-c", f"{TOOL} export --format folded {store} > /dev/full", status=2)
    # A file that cannot be written to its end leaves what was there.
    with open(full, "w", encoding="ascii") as file:
        file.write("old\n")
    run("sh", "-c", f"ulimit -f 0; trap '' XFSZ; {TOOL} export --format folded -o {full} {store}",
        status=2)
    check(open(full, encoding="ascii").read() == "old\n", "the old file is gone")
    check(not [name for name in os.listdir(directory) if name.startswith("out.folded.")],
          "a temporary file stays")
    run(TOOL, "export", "--format", "folded", "-o", full, store)
    check("lose;allocate 3000" in open(full, encoding="ascii").read(), "no output file")
    run(TOOL, "export", "--format", "folded", full, status=2)
    run(TOOL, "export", "--format", "nothing", store, status=2)
    run(TOOL, "export", store, status=2)


def main():
    with tempfile.TemporaryDirectory() as directory:
        small = record(directory, "leak", bug("leak"))
        stacks = read(export("folded", small))
        check(list(stacks.values()) == [3000] and list(stacks)[0].endswith("main;lose;allocate"),
              "leak", stacks)
        compare(small)
        compare(real_program(directory))
        failures(directory, small)


main()
