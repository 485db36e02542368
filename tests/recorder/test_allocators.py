#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""A program linked with jemalloc or tcmalloc, shared or static, recorded as one with the C library's.

usage: test_allocators.py STACKDEPOT ALLOCATOR.CC LIBRARY shared|static
"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from tool import TOOL, check, report  # noqa: E402

SOURCE, LIBRARY, HOW = sys.argv[2:5]
LOST = {"lose_malloc": 1001, "lose_new": 1002, "lose_aligned": 1003, "lose_realloc": 1004}


def build(directory):
    program = os.path.join(directory, "allocator")
    link = {"shared": ["-Wl,--no-as-needed", f"-l:lib{LIBRARY}.so"],
            "static": ["-Wl,--whole-archive", f"-l:lib{LIBRARY}.a", "-Wl,--no-whole-archive"]}[HOW]
    subprocess.run(["g++", "-g", "-O1", "-fno-builtin-malloc", "-fno-optimize-sibling-calls", "-Wno-use-after-free",
                    "-o", program, SOURCE, *link, "-pthread"], check=True)
    return program


def functions(frames):
    return [frame["function"] or "" for frame in frames or []]


def main():
    with tempfile.TemporaryDirectory() as directory:
        program, store = build(directory), os.path.join(directory, "store")
        done = subprocess.run([TOOL, "run", "--quiet", "--store", store, "--", program],
                              capture_output=True, text=True)
        check((done.returncode, done.stdout, done.stderr) == (0, "done\n", ""),
              f"status {done.returncode}", done.stdout, done.stderr)
        stacks = report("leaks", store)["stacks"]
        for function, wanted in LOST.items():
            found = sum(stack["live_bytes"] for stack in stacks
                        if any(name.startswith(function) for name in functions(stack["stack"])))
            check(found == wanted, f"{function}: {found} bytes", json.dumps(stacks, indent=1))
        check(report("top", store)["allocations"] > 40000, "allocations of the threads")
        errors = report("errors", store)["errors"]
        check([error["kind"] for error in errors] == ["double-free"], "errors", errors)
        check("main" in functions(errors[0]["freed_at"]), "where it was freed", errors)
    print("ok", LIBRARY, HOW)


main()
