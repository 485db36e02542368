#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Processes of a run are killed at any moment, others go on: nothing is lost for good.

usage: test_kill.py STACKDEPOT PRELOAD BUSY HOLDERS [TIMES]
"""
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

TOOL, PRELOAD, BUSY, HOLDERS = sys.argv[1:5]
TIMES = int(sys.argv[5]) if len(sys.argv) > 5 else 60
MEMORY = ("1M", "4M")  # so small that lines are evicted and processes folded all the time
AT_A_TIME = 4


def check(holds, *what):
    if not holds:
        sys.exit(f"FAIL: {' '.join(str(one) for one in what)}")


def start(store, memory, seed):
    environment = dict(os.environ, LD_PRELOAD=PRELOAD,
                       STACKDEPOT_OPTIONS=f"store={store}:memory={memory}:guard=0")
    return subprocess.Popen([BUSY, str(1 + seed % 3), str(seed)], env=environment,
                            stdout=subprocess.PIPE)


def kill(process):
    """Had it begun?"""
    process.send_signal(signal.SIGKILL)
    return bool(process.communicate()[0])


def holders(store):
    done = subprocess.run([HOLDERS, store], capture_output=True, text=True, check=False)
    return done.returncode, dict((name, int(number)) for name, number
                                 in re.findall(r"([a-z]+) (-?\d+)", done.stdout))


def run(directory, memory, dice):
    """Kill TIMES processes; how many references and lines had to be repaired at the end."""
    store = os.path.join(directory, f"store.{memory}")
    running, begun = [], 0
    for seed in range(TIMES):
        running.append(start(store, memory, seed))
        if len(running) > AT_A_TIME:
            begun += kill(running.pop(dice.randrange(len(running))))
        # At any moment, of the start too; as a rule while it is at it.
        if seed % 4:
            running[-1].stdout.peek(1)
        time.sleep(dice.random() * 0.03)
    # While one is there it can be read, and is what it says.
    done = subprocess.run([TOOL, "report", "leaks", "--json", store], capture_output=True, text=True, check=False)
    check(done.returncode in (0, 1), "while it is recorded", done.stderr)
    while running:
        begun += kill(running.pop())
    before = holders(store)
    # Whoever comes when nobody else is there makes good what was left.
    last = start(store, memory, TIMES)
    last.stdout.peek(1)
    begun += kill(last)
    done = subprocess.run([TOOL, "run", "--append", "--store", store, "--", "/bin/true"], capture_output=True, text=True,
                          check=False)
    check(done.returncode == 0, "the next run", done.stderr)
    status, after = holders(store)
    check(not status and not after["check"], "afterwards", after)
    check(begun < after["processes"] <= TIMES + 2, "processes", begun, after)
    return before, after


def main():
    seed = int(os.environ.get("SEED", time.time_ns()))
    dice = random.Random(seed)
    print(f"SEED={seed}")
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as directory:
        for memory in MEMORY:
            (_, before), after = run(directory, memory, dice)
            print(f"{memory}: {TIMES} killed; before: {before}; after: {after}")


main()
