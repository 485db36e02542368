#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Each system call that the recorder makes fails in turn; the program must not notice.

usage: test_inject.py INJECT LIBRARY STACKDEPOT [--step N] PROGRAM...

Output and status are compared with those of the native run; and if less is recorded, the recorder
or the report says so. With --step only every Nth call fails. The last line counts.
"""
import collections
import os
import re
import subprocess
import sys
import tempfile

INJECT, LIBRARY, TOOL = (os.path.abspath(path) for path in sys.argv[1:4])
REST = sys.argv[4:]
STEP = int(REST[1]) if REST[0] == "--step" else 1
PROGRAMS = [os.path.abspath(path) for path in (REST[2:] if REST[0] == "--step" else REST)]
# Where these fail, nothing is missing: what they are for is done otherwise, or not needed.
HARMLESS = {"munmap", "madvise", "close", "fallocate", "readlink", "getcwd", "rt_sigprocmask",
            "gettid", "getpid", "read", "sigaltstack", "rt_sigaction", "mprotect", "write",
            "clock_gettime", "fstatfs", "unlink"}


def run(count, program, store):
    """Output, status, what was said, what failed."""
    environment = [f"LD_PRELOAD={LIBRARY}", f"STACKDEPOT_OPTIONS=store={store}:memory=4M:guard=3"]
    with tempfile.NamedTemporaryFile("r") as told:
        done = subprocess.run([INJECT, told.name, str(count), os.path.basename(LIBRARY), "env",
                               *environment, program], capture_output=True, text=True, timeout=300)
        failed = told.read().split()
    ours = [line for line in done.stderr.splitlines() if line.startswith("stackdepot: ")]
    other = [line for line in done.stderr.splitlines() if not line.startswith("stackdepot: ")]
    return (done.stdout, other, done.returncode), ours, failed


def report(store):
    if not os.path.exists(store):
        return ""
    done = subprocess.run([TOOL, "report", store], capture_output=True, text=True)
    return done.stdout + done.stderr


def one(count, program, native, whole, directory):
    store = os.path.join(directory, "store")
    outcome, ours, failed = run(count, program, store)
    lines = [] if outcome == native else [f"natively {native}, recorded {outcome}"]
    name = failed[0] if failed else "nothing"
    if name not in HARMLESS and not ours:
        stores = len([entry for entry in os.listdir(directory)])
        if stores < whole and "not recorded" not in report(store):
            lines.append(f"{stores} stores of {whole}, and nothing is said")
    for entry in os.listdir(directory):
        os.unlink(os.path.join(directory, entry))
    for line in lines:
        print(f"FAILED {os.path.basename(program)} {count} {name}: {line}", flush=True)
    return name, bool(lines)


def all_of(program, failures):
    done = subprocess.run([program], capture_output=True, text=True)
    native = (done.stdout, done.stderr.splitlines(), done.returncode)
    counts = collections.Counter()
    with tempfile.TemporaryDirectory() as directory:
        _, _, (number,) = run(0, program, os.path.join(directory, "store"))
        whole = len(os.listdir(directory))
        for entry in os.listdir(directory):
            os.unlink(os.path.join(directory, entry))
        for count in range(1, int(number) + 1, STEP):
            name, bad = one(count, program, native, whole, directory)
            counts[name] += 1
            failures.extend([name] * bad)
    print(os.path.basename(program), re.sub(r"[^\w:, ]", "", str(dict(counts))), flush=True)
    return sum(counts.values())


FAILURES = []
TOTAL = sum(all_of(program, FAILURES) for program in PROGRAMS)
print(f"inject: {TOTAL} system calls failed, {len(FAILURES)} changed something")
sys.exit(bool(FAILURES) or not TOTAL)
