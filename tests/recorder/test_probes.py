#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""test_probes.py TOOL PRELOAD PROGRAM - the tracepoints of the preload library, and those who listen.

  notes      readelf finds both, with their arguments and semaphores
  gdb        which reads notes and raises semaphores too, sees what the program says it does, and finds
             from each probe to the function that did it; when sampling, the weights add up to what
             the store says
  bpftrace   the same from the kernel, where it is installed and the kernel lets it
"""

import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time

# Where a function's first arguments lie: whoever does not read notes expects them there.
REGISTERS = {"x86_64": ("%rdi", "%rsi", "%rdx"), "aarch64": ("x0", "x1", "x2")}[platform.machine()]
TOOL, PRELOAD, PROGRAM = (str(pathlib.Path(word).resolve()) for word in sys.argv[1:])
problems = []


def expect(condition, what):
    if not condition:
        problems.append(what)


def output(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=120).stdout


def check_notes():
    notes = {}
    for name, semaphore, arguments in re.findall(
            r"Provider: otel_memory\s+Name: (\w+)\s+Location:.*?Semaphore: 0x(\w+)\s+Arguments: (.*)",
            output("readelf", "-nW", PRELOAD)):
        notes[name] = (int(semaphore, 16), arguments.split())
    expect(set(notes) == {"alloc", "free"}, f"the probes are {sorted(notes)}")
    section = re.search(r" \.probes +PROGBITS +(\w+) \w+ (\w+) \w+ +WA ", output("readelf", "-SW", PRELOAD))
    expect(section, "there is no section of semaphores that can be written")
    for name, count in ("alloc", 3), ("free", 1):
        semaphore, arguments = notes.get(name, (0, []))
        expect(arguments == [f"8@{register}" for register in REGISTERS[:count]], f"arguments of {name}: {arguments}")
        start = int(section[1], 16) if section else 0
        expect(section and start <= semaphore < start + int(section[2], 16), f"the semaphore of {name} is elsewhere")


def words_of(*mode):
    return [TOOL, "run", "--quiet", *mode, "--store=store", "--", PROGRAM]


def events_of(text, marker=""):
    """(alloc, address, size) and (free, address), in order; and the sum of the weights."""
    events, weight = [], 0
    for line in text.splitlines():
        match = re.match(marker + r"(alloc|free) (\d+)(?: (\d+))?(?: (\d+))?$", line)
        if match:
            events.append(tuple(match.group(1, 2, 3) if match[1] == "alloc" else match.group(1, 2)))
            weight += int(match[4] or 0)
    return events, weight


GDB = r"""
set pagination off
set confirm off
set breakpoint pending on
set follow-fork-mode child
set follow-exec-mode same
set debuginfod enabled off
tbreak probed_work
run
break -probe-stap otel_memory:alloc
commands
silent
printf "probe alloc %lu %lu %lu\n", $_probe_arg0, $_probe_arg1, $_probe_arg2
backtrace
continue
end
break -probe-stap otel_memory:free
commands
silent
printf "probe free %lu\n", $_probe_arg0
backtrace
continue
end
continue
"""


def stored_bytes():
    """What the store has for the function that the events are of."""
    stacks = json.loads(output(TOOL, "report", "top", "--json", "--all", "store"))["stacks"]
    return sum(stack["allocated_bytes"] for stack in stacks
               if any(frame.get("function") == "probed_work" for frame in stack["stack"]))


def check_weight(who, weight):
    stored = stored_bytes()
    expect(stored > 100000 and abs(weight - stored) < stored / 1000, f"{who}: {weight} bytes, the store has {stored}")


def with_gdb(*mode):
    pathlib.Path("script").write_text(GDB, encoding="utf-8")
    text = output("gdb", "-nx", "-batch", "-x", "script", "--args", *words_of(*mode))
    told = [line for line in text.splitlines() if not line.startswith("probe ")]
    lost = [stack for stack in re.split(r"^probe ", text, flags=re.M)[1:] if " in probed_work ()" not in stack]
    expect(not lost, f"gdb: no way to the program from {len(lost)} probes, as {lost[:1]}")
    return events_of("\n".join(told))[0], *events_of(text, "probe ")


def check_gdb():
    told, seen, weight = with_gdb("--mode=full")
    expect(len(told) > 300 and seen == told, f"gdb: {len(told)} events, and {len(seen)} seen by the probes")
    check_weight("gdb", weight)
    told, seen, weight = with_gdb("--mode=sample=2K")
    allocs = {event for event in told if event[0] == "alloc"}
    live = set()
    for event in seen:
        if event[0] == "alloc":
            expect(event in allocs, f"gdb: {event} is no object of the program")
            live.add(event[1])
        else:
            expect(event[1] in live, f"gdb: {event} ends no sample")
            live.discard(event[1])
    expect(20 < len(seen) < len(told), f"gdb: {len(seen)} of {len(told)} events, when sampling")
    check_weight("gdb, sampling", weight)


BPFTRACE = """
usdt:PRELOAD:otel_memory:alloc { printf("probe alloc %lu %lu %lu\\n", arg0, arg1, arg2); }
usdt:PRELOAD:otel_memory:free { printf("probe free %lu\\n", arg0); }
"""


def written(path):
    return events_of(path.read_text(encoding="utf-8") if path.exists() else "", "probe ")[0]


def record_while_heard(listener, path):
    """It tells nobody when it has begun: the program runs until both probes are heard, and then once more."""
    for _ in range(60):
        told, _ = events_of(output(*words_of("--mode=full")))
        if listener.poll() is not None:
            return None
        if {event[0] for event in written(path)} == {"alloc", "free"}:
            told, _ = events_of(output(*words_of("--mode=full")))
            return told
        time.sleep(0.5)
    return []


def check_bpftrace():
    if not shutil.which("bpftrace"):
        print("bpftrace is not installed: not asked")
        return
    path = pathlib.Path("listened")
    with subprocess.Popen(["bpftrace", "-o", path, "-e", BPFTRACE.replace("PRELOAD", PRELOAD)],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as listener:
        told = record_while_heard(listener, path)
        until = time.monotonic() + 60
        while told and time.monotonic() < until and not set(told) <= set(written(path)):
            time.sleep(0.1)
        listener.terminate() # and it writes what it still has
        try:
            listener.wait(timeout=60)
        except subprocess.TimeoutExpired:
            listener.kill()
    if told is None:
        print("bpftrace is not let: not asked")
        return
    # Before main() there may be others; at other addresses.
    wanted = set(told)
    heard = [event for event in written(path) if event in wanted][-len(told):]
    expect(told and heard == told, f"bpftrace: {len(told)} events, and {len(heard)} of them seen by the probes")


def main():
    check_notes()
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        check_gdb()
        check_bpftrace()
    for line in problems[:20]:
        print(line)
    return 1 if problems else 0


sys.exit(main())
