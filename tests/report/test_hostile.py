#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Stores with noise in them: whatever they hold, a report or one clear line, and in good time.

usage: test_hostile.py STACKDEPOT FAMILY [SEED]

A seed that shows a failure is printed, and shows it again. STORES in the environment is how many.
"""
import os
import random
import subprocess
import sys
import tempfile

TOOL, FAMILY = sys.argv[1:3]
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(1 << 32)
STORES = int(os.environ.get("STORES", "25"))
SECONDS = 120
HEADER = 4096
COMMANDS = [["report"], ["report", "leaks", "--json", "--all"], ["report", "top", "--all"],
            ["report", "errors", "--json"], ["stats"], ["stats", "--json"],
            ["top", "--batch", "--times=1"], ["suppress", "--gen"], ["export", "--format=json"],
            ["export", "--format=pprof"], ["export", "--format=speedscope"],
            ["export", "--format=sarif"], ["export", "--format=lsan"], ["export", "--format=folded"],
            ["flame", "-o", "-"], ["report", "--process=third"]]
BOTH = [["diff"], ["diff", "--json", "--all"], ["flame", "-o", "-"], ["report", "leaks"]]


def check(condition, text, *details):
    if condition:
        return
    print("FAILED", text, f"(seed {SEED})")
    for detail in details:
        print(str(detail)[:3000])
    sys.exit(1)


def look(command, *stores):
    try:
        done = subprocess.run([TOOL, *command, *stores], capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        check(False, f"{command}: no end within {SECONDS} seconds")
    lines = done.stderr.decode(errors="replace").splitlines()
    check(done.returncode in (0, 1, 2), f"{command}: exit status {done.returncode}", lines)
    if done.returncode == 2:
        check(len(lines) == 1 and lines[0].startswith("stackdepot: "), f"{command}: one line", lines)
        check(not done.stdout, f"{command}: a report of what cannot be read", done.stdout)
    else:
        check(not lines, f"{command}: complaints", lines)
    return done.returncode


def noise(data, used, chance):
    """Bytes, words or whole stretches of what is in use, rarely in the header."""
    data = bytearray(data)
    for _ in range(chance.choice((1, 2, 5, 10, 30))):
        at = chance.choice(used) if chance.random() < 0.999 else chance.randrange(8, HEADER)
        kind = chance.randrange(4)
        if kind == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            data[at & ~7:(at & ~7) + 8] = chance.choice((b"\xff" * 8, bytes(8), chance.randbytes(8)))
        elif kind == 2:
            other = chance.choice(used)
            data[at:at + 64] = data[other:other + 64]
        else:
            data[at:at + 4] = chance.randrange(1 << 32).to_bytes(4, "little")
    return data


def main():
    chance = random.Random(SEED)
    with tempfile.TemporaryDirectory() as directory:
        sound, bad = os.path.join(directory, "sound"), os.path.join(directory, "bad")
        subprocess.run([TOOL, "run", "--quiet", "--memory=1M", "--store", sound, "--", FAMILY, "1000"],
                       stdout=subprocess.DEVNULL, check=True)
        with open(sound, "rb") as file:
            data = file.read()
        used = [at for at in range(HEADER, len(data), 4) if data[at:at + 4] != bytes(4)]
        refused = 0
        for _ in range(STORES):
            with open(bad, "wb") as file:
                file.write(noise(data, used, chance))
            refused += sum(look(command, bad) == 2 for command in COMMANDS)
            refused += sum(look(command, sound, bad) == 2 for command in BOTH)
        reports = STORES * (len(COMMANDS) + len(BOTH))
        check(refused < reports * 0.8, "many can be read", refused, reports)
        print(f"ok {reports} reports, {refused} refused, seed {SEED}")


main()
