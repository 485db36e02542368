#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""A service leaks slowly, under load, recorded at one percent: each report that is asked names the stack.

usage: test_service.py STACKDEPOT SERVICE SECONDS
"""
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from tool import TOOL, check, report  # noqa: E402

SERVICE, SECONDS = sys.argv[2], float(sys.argv[3])
LEAK = "open_session"
SIGMAS = 5  # a test that is run every day should not fail by chance


def functions(stack):
    return [frame["function"] for frame in stack["stack"]]


def of_leak(stacks):
    return [stack for stack in stacks if LEAK in functions(stack)]


def check_lost(store, truth):
    found = report("lost", store)
    check(found["stacks"] and not [stack for stack in found["stacks"] if LEAK not in functions(stack)], "lost: the leak, and nothing else",
          found["stacks"])
    told, error = found["lost_bytes"] + found["from_lost_bytes"], found["bytes_error"]
    check(abs(told - truth) <= SIGMAS * error + 2000, f"lost: {told} +- {error}, in truth {truth}")
    return told, error, found["stopped_ms"]


def check_growth(store, interval):
    found = report("growth", store, f"--interval={interval}", "--times=3")["growth"]
    check(found and LEAK in functions(found[0]), "growth: the leak first", found)


def check_peak(store):
    stacks = report("peak", store)["stacks"]
    check(of_leak(stacks), "peak: the leak is in it", stacks)
    return stacks.index(of_leak(stacks)[0])


def main():
    with tempfile.TemporaryDirectory() as directory:
        store = os.path.join(directory, "store")
        with subprocess.Popen([TOOL, "run", "--quiet", "--overhead=1", "--store", store, "--", SERVICE], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as service:
            check(service.stdout.readline() == "ready\n", "it begins")
            time.sleep(SECONDS * 0.55)
            check_growth(store, SECONDS * 0.15)
            service.stdin.write("x\n")
            service.stdin.flush()
            truth = int(service.stdout.readline())
            told, error, stopped = check_lost(store, truth)
            place = check_peak(store)
            percent = report("stats", store)["overhead_percent"]
            rest, _ = service.communicate("\n")
            check(service.returncode == 0 and int(rest) >= truth, "its end", service.returncode, rest)
    print(f"{SECONDS:.0f} s: lost {told:.0f} +- {error:.0f} bytes, in truth {truth}; stopped for {stopped:.1f} ms; "
          f"number {place + 1} of the peak; recording took {percent:.2f} % by its own count")


main()
