#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""How a program is recorded is changed while it runs: nothing is invented, and what was promised is there.

usage: test_set.py STACKDEPOT PRELOAD SWITCHED [TIMES]
"""
import json
import math
import os
import random
import subprocess
import sys
import tempfile

TOOL, PRELOAD, SWITCHED = sys.argv[1:4]
TIMES = int(sys.argv[4]) if len(sys.argv) > 4 else 200
INTERVALS = 40 if TIMES <= 200 else 400
BYTES = 5000  # nothing else of the program is of this size


def check(holds, *what):
    if not holds:
        sys.exit(f"FAIL: {' '.join(str(one) for one in what)}")


def tool(*words):
    return subprocess.run([TOOL, *[str(word) for word in words]], capture_output=True, text=True, check=False)


def change(target, *words, status=0):
    done = tool("set", target, *words)
    check(done.returncode == status, target, *words, "->", done.returncode, done.stderr)
    return done


class Program:
    def __init__(self, store, options):
        self.store = store
        environment = dict(os.environ, LD_PRELOAD=PRELOAD, STACKDEPOT_OPTIONS=f"store={store}:guard=0:{options}")
        self.running = subprocess.Popen([SWITCHED], env=environment, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.pid = self.running.pid
        self.do("drop")  # it has begun

    def do(self, words):
        self.running.stdin.write(words + "\n")
        self.running.stdin.flush()
        answer = self.running.stdout.readline().split()
        check(answer and answer[0] == "done", words, "->", answer)
        return int(answer[1])

    def end(self):
        self.running.stdin.close()
        check(self.running.wait() == 0, "it ended otherwise")
        self.running.stdout.close()

    def report(self, *options):
        done = tool("report", "leaks", "--json", "--all", *options, self.store)
        check(done.returncode in (0, 1), done.stderr)
        return json.loads(done.stdout)

    def kept(self, *options):
        """Live objects of the one place that keeps any of that size."""
        return sum(stack["live_objects"] for stack in self.report(*options)["stacks"]
                   if stack["live_bytes"] >= BYTES and any(frame["function"] == "keep" for frame in stack["stack"]))

    def process(self, *options):
        return self.report(*options)["processes"][-1]

    def errors(self):
        done = tool("report", "errors", self.store)
        return "0 different errors" in done.stdout and "may be" not in done.stdout


def off_and_on(directory):
    program = Program(f"{directory}/off", "mode=off")
    program.do(f"keep 100 {BYTES}")
    check(program.kept() == 0 and program.process()["allocations"] == 0, "off, and recorded")
    check("Recording was off" in tool("report", "leaks", program.store).stdout, "it is not said to be off")
    change(program.pid, "mode=full")
    program.do(f"keep 70 {BYTES}")
    check(program.kept() == 70, "on:", program.kept())
    change(program.store, "mode=off")
    program.do(f"keep 30 {BYTES}")
    check(program.kept() == 70, "off again:", program.kept())
    program.do("drop")
    check(program.kept() == 0, "what was freed while it was off is still there:", program.kept())
    change(program.pid, "mode=full")
    program.do(f"keep 9 {BYTES}")
    program.do("drop")
    program.do(f"keep 8 {BYTES}")
    check(program.kept() == 8, "at last:", program.kept())
    check(program.errors(), "errors:", tool("report", "errors", program.store).stdout)
    program.end()


def full_at_first(directory):
    """Objects of before are known to the end, whatever it is switched to."""
    program = Program(f"{directory}/full", "mode=full")
    program.do(f"keep 50 {BYTES}")
    for mode in ("mode=off", "sample=1G", "overhead=0.001"):
        change(program.pid, mode)
        program.do("rush 2000")
        check(program.kept() >= 50, mode, program.kept())
    program.do("drop")
    check(program.kept() < 1, "left:", program.kept())
    process = program.process()
    check(process["mode"] == "overhead" and process["estimated"], process)
    check(program.errors(), "errors:", tool("report", "errors", program.store).stdout)
    program.end()


def sampled(directory):
    """Each rate that it is switched to holds from the next object on."""
    for first, then in (("sample=64K", "sample=4K"), ("sample=4K", "sample=64K"), ("off", "sample=16K")):
        program = Program(f"{directory}/sampled", f"mode={first}")
        change(program.pid, then)
        program.do(f"keep 20000 {BYTES}")
        # Bytes of 100 MB: the standard error is sqrt(100 MB / rate) samples, 2.6 % at 64K.
        kept = program.kept()
        check(abs(kept - 20000) < 20000 * 0.16, first, then, kept)
        program.end()
        os.unlink(program.store)


def there_and_back(directory):
    """A thread that did not allocate meanwhile is recorded as before, whoever noticed the first change."""
    for first, between in (("mode=full", "mode=off"), ("mode=off", "mode=full"), ("mode=full", "sample=1G")):
        program = Program(f"{directory}/back", first)
        program.do(f"keep 5 {BYTES}")
        program.do("other 10")
        change(program.pid, between)
        program.do("other 10")
        change(program.pid, first)
        before = program.kept()
        program.do(f"keep 70 {BYTES}")
        check(program.kept() - before == (70 if first == "mode=full" else 0), first, between, program.kept())
        program.end()
        os.unlink(program.store)


def counted(directory):
    """What the calls take that record nothing is part of the share, though hardly any object is recorded."""
    program = Program(f"{directory}/counted", "overhead=0.001")
    program.do("rush 40000000")
    check(program.process()["overhead_percent"] > 1, program.process())
    program.end()
    shares = []
    for asks in (0, 16):
        program = Program(f"{directory}/asked{asks}", "overhead=1")
        program.do(f"rush 5000000 {asks}")
        shares.append(program.process()["overhead_percent"])
        program.end()
    # The program itself takes some five times as long then.
    check(shares[1] > 0.7 * shares[0], "asking for sizes is no part of it:", shares)


def errors_of(function, truth, stacks):
    """By how many standard errors an estimate is wrong."""
    mine = [stack for stack in stacks if any(frame["function"] == function for frame in stack["stack"])]
    error = sum(stack["live_objects_error"] ** 2 for stack in mine) ** 0.5
    return (sum(stack["live_objects"] for stack in mine) - truth) / error


def at_most(number, chance):
    """How likely it is that of INTERVALS so many come true, or fewer, if each does with this chance."""
    return sum(math.comb(INTERVALS, k) * chance ** k * (1 - chance) ** (INTERVALS - k) for k in range(number + 1))


def intervals(directory):
    """95 of 100 intervals of two standard errors cover the truth, and the estimates lean to no side."""
    wrong, allocated = {"keep": [], "grow": []}, []
    for _ in range(INTERVALS):
        program = Program(f"{directory}/intervals", "mode=full:quarantine=0")
        change(program.pid, "sample=32K")
        program.do("keep 3000 900")
        program.do("grow 3000 3000")
        stacks = program.report()["stacks"]
        for function, errors in wrong.items():
            errors.append(errors_of(function, 3000, stacks))
        found = [stack for stack in stacks if any(frame["function"] == "keep" for frame in stack["stack"])]
        allocated.append((sum(stack["allocated_bytes"] for stack in found) - 3000 * 900)
                         / sum(stack["allocated_bytes_error_at_most"] ** 2 for stack in found) ** 0.5)
        program.end()
        os.unlink(program.store)
    # Of objects that are small beside the rate "at most" is nearly what it is.
    spread = sum(error ** 2 for error in allocated) / INTERVALS
    print(f"   allocated: {spread:.2f} of the greatest variance")
    check(0.3 < spread < 1 + 5 * (2 / INTERVALS) ** 0.5, "what was allocated", allocated)
    for function, errors in wrong.items():
        within = [sum(abs(error) < width for error in errors) / INTERVALS for width in (1, 1.96)]
        mean = sum(errors) / INTERVALS
        print(f"   {function}: {within[0]:.0%} within one standard error, {within[1]:.0%} within 1.96, mean {mean:+.2f}")
        # What is far beyond chance for numbers of this kind, and as they are not quite normal, two in a hundred more.
        check(abs(mean) < 6 / INTERVALS ** 0.5, function, "leans by", mean)
        for share, normal in zip(within, (0.683, 0.95)):
            number = round(share * INTERVALS)
            check(at_most(number, normal - 0.02) > 1e-7 and at_most(INTERVALS - number, 1 - normal - 0.02) > 1e-7,
                  function, within)


def children(directory):
    program = Program(f"{directory}/fork", "mode=off")
    child = program.do("fork")
    program.do(f"keep 40 {BYTES}")
    check(program.kept() == 0, "a child of one that is off is recorded")
    said = change(program.store, "mode=full").stdout
    check(said.startswith(("2 processes", "1 processes")) or not said, said)
    program.do(f"keep 41 {BYTES}")
    check(program.kept("--process", str(child)) == 41, "the child:", program.report()["processes"])
    grandchild = program.do("fork")
    program.do(f"keep 3 {BYTES}")
    check(program.kept("--process", str(grandchild)) == 3, "its child:", program.report()["processes"])
    change(grandchild, "mode=off")
    program.do(f"keep 5 {BYTES}")
    check(program.kept("--process", str(grandchild)) == 3, "switched off alone")
    program.do("drop")
    check(program.errors(), "errors:", tool("report", "errors", program.store).stdout)
    program.end()
    # What all of the run were told holds for who begins later.
    change(program.store, "sample=1G")
    later = Program(program.store, "mode=full")
    later.do("rush 100")
    check(later.process()["mode"] == "sample", later.process())
    later.end()


def storm(directory):
    """Two tools switch it all the time, under load, through forks and the ends of threads."""
    program = Program(f"{directory}/storm", "mode=off")
    dice = random.Random(program.pid)
    modes = ["mode=full", "mode=off", "sample=1K", "sample=1M", "overhead=1", "overhead=50"]
    pid = program.pid
    for turn in range(TIMES):
        tools = [subprocess.Popen([TOOL, "set", dice.choice((str(pid), program.store)), dice.choice(modes)],
                                  stdout=subprocess.DEVNULL) for _ in range(2)]
        program.do(dice.choice(("rush 3000", "ends 3", f"keep 20 {BYTES}", "drop", "rush 500")))
        for one in tools:
            check(one.wait() == 0, "set failed")
        if turn % 40 == 39:
            pid = program.do("fork")
            program.do("rush 10")
    change(program.store, "mode=full")
    program.do("drop")
    before = program.kept("--process", str(pid))
    program.do(f"keep 123 {BYTES}")
    check(before == 0, "all was freed, and is there:", before)
    check(program.kept("--process", str(pid)) == 123, "promised:", program.kept("--process", str(pid)))
    check(program.errors(), "errors:", tool("report", "errors", program.store).stdout)
    program.end()


def bad_input(directory):
    program = Program(f"{directory}/bad", "overhead=5")
    program.do("rush 10")
    for words, says in (((), "FILE or PID"), ((program.store,), "mode=full"),
                        ((program.store, "mode=loud"), "mode=loud"), ((program.store, "sample=0"), "sample=0"),
                        ((program.store, "overhead=101"), "overhead=101"), ((program.store, "full"), "full"),
                        ((program.store, "overhead=0"), "overhead=0"), ((program.store, "mode=off", "x"), "'x'"),
                        ((f"{directory}/none", "mode=off"), "No such file"), ((__file__, "mode=off"), "not a store")):
        done = change(*words, status=2) if words else tool("set")
        check(done.returncode == 2 and says in done.stderr and done.stderr.count("\n") == 1, words, done.stderr)
    check(program.process()["mode"] == "overhead", program.process())
    program.end()
    done = change(program.pid, "mode=off", status=2)
    check("no process" in done.stderr or "not being recorded" in done.stderr, done.stderr)
    for options in ("overhead=0", "overhead=100.5", "overhead=1x", "overhead=", "mode=on"):
        done = subprocess.run(["/bin/true"], env=dict(os.environ, LD_PRELOAD=PRELOAD, STACKDEPOT_OPTIONS=options),
                              capture_output=True, text=True, cwd=directory, check=False)
        check(options in done.stderr and done.returncode == 0, options, done.stderr)


def main():
    with tempfile.TemporaryDirectory() as directory:
        for test in (off_and_on, full_at_first, sampled, there_and_back, counted, intervals, children, storm, bad_input):
            if not os.environ.get("TESTS") or test.__name__ in os.environ["TESTS"].split():
                test(directory)
                print(f"ok {test.__name__}")


main()
