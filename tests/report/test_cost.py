#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What a report costs, counted and not timed: tables that are read, addresses that are looked up, memory.

usage: test_cost.py STACKDEPOT MANY COUNT

MANY is a program with many stacks through few functions, COUNT a library that counts what elfutils is
asked for.
"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from tool import TOOL, check, record, run_all, tool  # noqa: E402

MANY, COUNT = sys.argv[2:]
STACKS = 10000
FORMATS = ("folded", "json", "pprof", "speedscope", "sarif", "lsan")
COMMANDS = [["report", "leaks", "--all"], ["report", "top", "--all"], ["report", "leaks", "--all", "--json"],
            ["top", "--batch", "--times=1", "--all"], ["flame", "--output=-"]]
COMMANDS += [["export", f"--format={name}"] for name in FORMATS]


def store_of(directory, memory="16M"):
    store = os.path.join(directory, "store")
    done = record(store, MANY, options=("--quiet", f"--memory={memory}"))
    check(done.returncode == 0, "recorded", done.stderr)
    return store


def counted(directory, command, store):
    """What elfutils was asked for."""
    counts = os.path.join(directory, "counts")
    if os.path.exists(counts):
        os.unlink(counts)
    with open(os.devnull, "wb") as nowhere:
        subprocess.run([TOOL, *command, store], check=False, stdout=nowhere,
                       env={**os.environ, "LD_PRELOAD": COUNT, "COUNT_FILE": counts})
    with open(counts, encoding="ascii") as lines:
        return {name: int(value) for name, value in (line.split() for line in lines)}


def test_lookups(directory):
    store = store_of(directory)
    root = json.loads(tool("export", "--format=json", store).stdout)
    check(len(root["stacks"]) >= STACKS, "many stacks", len(root["stacks"]))
    depth = sum(len(stack["frames"] or []) for stack in root["stacks"])
    check(depth > 100 * len(root["frames"]), "through few places", depth, len(root["frames"]))
    modules = {frame["module"] for frame in root["frames"]}
    for command in COMMANDS:
        counts = counted(directory, command, store)
        check(0 < counts["tables"] <= len(modules), f"{command}: each table is read once", counts, modules)
        check(0 < counts["addresses"] <= len(root["frames"]),
              f"{command}: each address is looked up once", counts, len(root["frames"]))


def test_compared(directory):
    """Two stores of one program have their tables and names in common."""
    store = store_of(directory)
    other = os.path.join(directory, "other")
    os.mkdir(other)
    other = store_of(other)
    one = counted(directory, ["flame", "--output=-"], store)
    for command in (["flame", "--output=-", other], ["diff", "--all", other]):
        both = counted(directory, command, store)
        check(both["tables"] <= one["tables"] and both["addresses"] <= one["addresses"],
              f"{command[0]} of two looks up what it does of one", one, both)


def test_only_what_is_shown(directory):
    store = store_of(directory)
    some = counted(directory, ["report", "leaks", "--limit=1", "--no-default-suppressions"], store)
    every = counted(directory, ["report", "leaks", "--all", "--no-default-suppressions"], store)
    check(0 < some["addresses"] < every["addresses"], "what is not shown is not looked up", some, every)


def blocks(path):
    return os.stat(path).st_blocks * 512


def test_holes(directory):
    """A store is large and mostly a hole; to read one on tmpfs would fill it, memory and all."""
    if not os.path.isdir("/dev/shm"):
        return "/dev/shm"
    store = os.path.join("/dev/shm", f"stackdepot-cost-{os.getpid()}")
    try:
        check(record(store, "true", options=("--quiet", "--memory=256M")).returncode == 0, "recorded")
        check(blocks(store) < 16 << 20, "to record a program that does nothing", blocks(store))
        for command in COMMANDS + [["stats"], ["report", "errors"]]:
            with open(os.devnull, "wb") as nowhere:
                subprocess.run([TOOL, *command, store], check=False, stdout=nowhere)
        check(blocks(store) < 16 << 20, "holes stay holes", blocks(store))
    finally:
        os.unlink(store)
    return None


# A process is charged what the one had that it was forked from: that has to be a small one.
PEAK = """import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=False, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"""


def test_memory(directory):
    """A full store costs memory for its traces, not for the tables that are walked once."""
    store = store_of(directory, memory="256M")
    done = subprocess.run([sys.executable, "-c", PEAK, TOOL, "report", "leaks", store], check=True,
                          capture_output=True, text=True)
    check(int(done.stdout) < 64 << 10, "peak KiB of a report", done.stdout)


run_all(globals())
