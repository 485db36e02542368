# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Folded stacks: flamegraph.pl itself, and the report, stack by stack."""
import collections
import html
import os
import re
import shutil
import tempfile

from common import bug, check, export, names, real_program, record, report, run, TOOL

FLAMEGRAPH = "/usr/share/perl5/Devel/NYTProf/flamegraph.pl"
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


def written(store):
    """Under its name only what is on the disk: a crash leaves the old file, or the new one."""
    path, trace = store + ".out", store + ".trace"
    if not shutil.which("strace"):
        return
    run("strace", "-e", "trace=fsync,fdatasync,rename,renameat,renameat2", "-o", trace, TOOL, "export", "--format", "folded",
        "-o", path, store)
    with open(trace, encoding="utf-8") as file:
        calls = re.findall(r"^(fsync|fdatasync|rename)", file.read(), re.M)
    check("rename" in calls and calls.index("rename") > 0 and calls[0] in ("fsync", "fdatasync"), "first what is in it", calls)


def by_flamegraph(store):
    """What it draws: of each frame the name and the value that are in its title."""
    path = store + ".folded"
    export("folded", store, "-o", path)
    done = run("perl", FLAMEGRAPH, "--countname=bytes", "--minwidth=0", path)
    check(not done.stderr, "flamegraph.pl complains", done.stderr)
    drawn = re.findall(r"<title>(.*) \(([\d,]+) bytes, [\d.]+%\)</title>", done.stdout)
    drawn = [(html.unescape(name), int(value.replace(",", ""))) for name, value in drawn]
    stacks = [stack for stack in report("top", store)["stacks"] if stack["live_bytes"] > 0]
    check(("all", sum(stack["live_bytes"] for stack in stacks)) in drawn, "the sum", drawn[:3])
    for stack in stacks:
        root = names(stack["stack"])[-1]
        check(any(name == root for name, _ in drawn), f"no {root}", drawn[:20])
    return drawn


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
        check(("allocate", 3000) in by_flamegraph(small), "allocate in flamegraph.pl's picture")
        compare(small)
        real = real_program(directory)
        by_flamegraph(real)
        compare(real)
        failures(directory, small)
        written(small)


main()
