#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""`stackdepot report lost`: each kind of object gets its verdict, as LeakSanitizer has it; what
moves is not lost; and the program does not notice.

usage: test_lost.py STACKDEPOT LOOK PROGRAMS SOURCES
"""
import collections
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from tool import PATIENCE, TOOL, check, eventually, report  # noqa: E402

LOOK, PROGRAMS, SOURCES = sys.argv[2:5]
LOOKS = 40
# Pointed to by mappings of the program's own, which LeakSanitizer does not search.
MAPPED = (1009, 1010, 1011)


class Recorded:
    """A recorded program that has come to "ready"; `lines` are those before."""

    def __init__(self, store, name, *options):
        self.store = store
        self.process = subprocess.Popen(
            [TOOL, "run", "--quiet", "--store", store, *options, "--",
             os.path.join(PROGRAMS, "lost-" + name)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines = []
        for line in self.process.stdout:
            if line == "ready\n":
                break
            self.lines.append(line.strip())
        done = subprocess.run([TOOL, "report", "leaks", "--json", store], capture_output=True, text=True)
        self.pid = json.loads(done.stdout)["pid"]

    def end(self):
        rest, _ = self.process.communicate("\n", timeout=PATIENCE)
        return self.process.returncode, rest

    def look(self):
        done = subprocess.run([LOOK, self.store, str(self.pid)], capture_output=True, text=True)
        check(done.returncode == 0, "look", done.stderr)
        return collections.Counter(done.stdout.splitlines())

    def report(self, *options):
        done = subprocess.run([TOOL, "report", "lost", *options, str(self.pid)],
                              capture_output=True, text=True)
        check(done.returncode in (0, 1), f"report lost: {done.returncode}", done.stderr)
        return done


def verdicts(lines):
    """What the program says of its objects; of a ring one is lost, and leads to the other."""
    wanted = collections.Counter()
    for line in lines:
        size, verdict = line.split()
        wanted[f"{size} {verdict}"] += 1
    for ring in [line for line in wanted if line.endswith(" ring")]:
        size, nr = ring.split()[0], wanted.pop(ring)
        wanted[f"{size} lost"], wanted[f"{size} from-lost"] = 1, nr - 1
    return wanted


def only(counter, lines):
    return {line: counter[line] for line in lines}


def test_kinds(store):
    program = Recorded(store, "kinds")
    wanted = verdicts(program.lines)
    found = program.look()
    check(found.total() >= wanted.total() and only(found, wanted) == dict(wanted), "verdicts",
          dict(wanted - found), dict(found - wanted))
    others = [line for line in found - wanted if not line.endswith(" reachable")]
    check(not others, "lost, and not said to be", others)
    done = program.report("--json")
    report = json.loads(done.stdout)
    lost = sum(nr for line, nr in wanted.items() if line.endswith(" lost"))
    led_to = sum(nr for line, nr in wanted.items() if line.endswith(" from-lost"))
    check(done.returncode == 1 and report["lost_objects"] == lost and
          report["from_lost_objects"] == led_to and report["threads"] == 3 and
          report["stopped_ms"] > 0 and not report["more_may_be_lost"], "json", done.stdout)
    functions = {frame["function"] for stack in report["stacks"] for frame in stack["stack"]}
    check({"lost", "lost_below_the_stack"} <= functions and
          "reachable_from_data" not in functions, "stacks", functions)
    text = program.report("--all").stdout
    check(re.search(r"^[\d.]+ KiB lost in \d+ objects from \d+ stacks?$", text, re.M) and
          "led to by lost ones only" in text and "3 threads stood still for" in text, "text", text)
    check(program.end() == (0, ""), "the program's end")


def test_ended(store):
    program = Recorded(store, "kinds")
    program.end()
    done = subprocess.run([TOOL, "report", "lost", store], capture_output=True, text=True)
    check(done.returncode == 2 and done.stderr.count("\n") == 1 and "runs here" in done.stderr,
          "of a process that has ended", done.returncode, done.stderr)


def test_not_its_store(store):
    """A store may name anybody's process: one that does not map it is not stopped."""
    program = Recorded(store, "kinds")
    copy, trace = store + ".copy", store + ".trace"
    shutil.copy(store, copy)
    strace = ["strace", "-f", "-e", "trace=ptrace", "-o", trace] if shutil.which("strace") else []
    for path, status, stops in ((copy, 1, False), (store, 0, True)):
        done = subprocess.run([*strace, LOOK, path, str(program.pid)], capture_output=True, text=True)
        check(done.returncode == status and ("No such process" in done.stderr) != stops, f"look at {path}", done)
        if strace:
            with open(trace, encoding="utf-8") as file:
                check(("PTRACE_" in file.read()) == stops, "who is stopped", path)
    check(program.end() == (0, ""), "the program's end")


def test_sampled(store):
    """Objects that are not recorded may be the ones that point."""
    program = Recorded(store, "kinds", "--mode=sample=1")
    report = json.loads(program.report("--json").stdout)
    check(report["more_may_be_lost"], "sampled", report)
    check(program.end() == (0, ""), "the program's end")
    # Of objects of a thousand bytes nine in ten are recorded.
    program = Recorded(store + ".400", "kinds", "--mode=sample=400")
    report = json.loads(program.report("--json", "--all").stdout)
    errors = [stack["bytes_error"] for stack in report["stacks"]]
    check(report["lost_objects"] and errors and
          abs(report["bytes_error"] ** 2 - sum(error ** 2 for error in errors)) < 1, "errors of what is lost", report)
    check(" +/- " in program.report().stdout.split(" lost in ")[0].splitlines()[-1], "errors in the text", program.report().stdout)
    check(program.end() == (0, ""), "the program's end")


def run_to_the_end(store, how, *options):
    return subprocess.run([TOOL, "run", "--store", store, *options, "--",
                           os.path.join(PROGRAMS, "lost-ends"), how],
                          capture_output=True, text=True, timeout=PATIENCE)


def lost_at_exit(store, *options):
    """Sizes of what was found lost, by the stacks of one object each."""
    done = subprocess.run([TOOL, "report", "lost", "--json", *options, store], capture_output=True, text=True)
    if done.returncode == 2:
        return None, done.stderr
    report = json.loads(done.stdout)
    return sorted(int(stack["lost_bytes"]) for stack in report["stacks"]), report


# How it ends: what is lost then, and how many processes were looked at.
ENDS = {"exit": ([202], 1), "_exit": ([202], 1), "_Exit": ([202], 1), "thread": ([202], 1),
        "threads": ([202], 1), "children": ([202, 404, 505], 3), "exec": ([202], 1), "clean": ([], 1)}


def test_ends(store):
    """What is lost when a program ends, whichever way it does."""
    for how, (lost, processes) in ENDS.items():
        done = run_to_the_end(store, how, "--lost")
        check(done.returncode == 7, f"{how}: the status is the program's", done.returncode, done.stderr)
        check(("lost in" in done.stderr) and not done.stdout, f"{how}: the report", done.stderr, done.stdout)
        found, report = lost_at_exit(store)
        check(found == lost and report["processes_at_exit"] == processes and
              not report["processes_not_looked_at"], f"{how}: lost", found, report)
        check(report["stopped_ms"] > 0, f"{how}: stopped", report)
    done = run_to_the_end(store, "kill", "--lost")
    check(done.returncode == -signal.SIGKILL and lost_at_exit(store)[0] is None, "killed", done)
    check("when it ends, with" in lost_at_exit(store)[1], "killed: what is said", lost_at_exit(store)[1])


def test_status(store):
    """For CI: lost objects count as errors, live ones if that is asked, suppressed ones do not."""
    rules = store + ".rules"
    with open(rules, "w", encoding="utf-8") as file:
        file.write("leak:lose\n")
    for how, options, status in (("exit", ("--lost",), 9), ("clean", ("--lost",), 7),
                                 ("exit", ("--leaks-at-exit=lost", f"--suppressions={rules}"), 7),
                                 ("exit", ("--lost", "--quiet"), 9),
                                 ("clean", ("--leaks-at-exit=live",), 9), ("exit", (), 7)):
        done = run_to_the_end(store, how, "--error-exitcode=9", *options)
        check(done.returncode == status, f"{how} {options}: status", done.returncode, done.stderr)
    done = run_to_the_end(store, "exit", "--leaks-at-exit=all")
    check(done.returncode == 2, "a value that is none", done.stderr)


def pending(pid):
    """The signals that wait for this process as a whole, as bits; None: it has ended."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            text = file.read()
    except OSError:
        return None
    return None if re.search(r"^State:\s+Z", text, re.M) else int(re.search(r"^ShdPnd:\s+(\w+)", text, re.M)[1], 16)


def children(pid):
    """Those of this process, by number: the names of their programs."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
        return {int(child): os.path.basename(os.readlink(f"/proc/{child}/exe")) for child in file.read().split()}


def test_signal_at_the_end(store):
    """While it is looked at as it ends, no signal ends a process: without us it would be gone by then."""
    program = subprocess.Popen([TOOL, "run", "--lost", "--store", store, "--", os.path.join(PROGRAMS, "lost-ends"), "alarm"],
                               stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    started = eventually(lambda: set(children(program.pid).values()) == {"lost-ends", "stackdepot"} and children(program.pid),
                         "the program and who looks are there")
    pid, looks = sorted(started, key=started.get)
    os.kill(looks, signal.SIGSTOP)
    program.stdin.close()
    eventually(lambda: pending(pid) is None or pending(pid) & 1 << signal.SIGALRM - 1, "the alarm comes")
    os.kill(looks, signal.SIGCONT)
    check(program.wait(timeout=PATIENCE) == 7, "the status is the program's", program.returncode)


def threads_of(pid):
    """How each thread does (t: it is traced, and stopped); none if the process has ended."""
    try:
        tasks = [f"/proc/{pid}/task/{tid}/stat" for tid in os.listdir(f"/proc/{pid}/task")]
        found = set()
        for task in tasks:
            with open(task, encoding="utf-8") as file:
                found.add(file.read().rsplit(")", 1)[1].split()[0])
        return found
    except OSError:
        return set()


def traced(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return not re.search(r"^TracerPid:\s+0$", file.read(), re.M)


def signal_while_stopped(store):
    """Whether a signal came while all threads were stopped; what looks takes three seconds longer than it would. None: it
    may not be held up."""
    program = subprocess.Popen([TOOL, "run", "--lost", "--store", store, "--", os.path.join(PROGRAMS, "lost-ends"), "beside"],
                               stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    started = eventually(lambda: set(children(program.pid).values()) == {"lost-ends", "stackdepot"} and children(program.pid),
                         "the program and who looks are there")
    pid, looks = sorted(started, key=started.get)
    eventually(lambda: len(os.listdir(f"/proc/{pid}/task")) == 2, "its threads are there")
    slow = subprocess.Popen(["strace", "-qq", "-o", "/dev/null", "-e", "trace=process_vm_readv",
                             "-e", "inject=process_vm_readv:delay_enter=3000000:when=1", "-p", str(looks)])
    eventually(lambda: traced(looks) or slow.poll() is not None, "what looks is held up")
    program.stdin.close()
    if slow.poll() is not None:
        program.wait(timeout=PATIENCE)
        return None
    eventually(lambda: threads_of(pid) in ({"t"}, {"Z"}, set()), "all are stopped")
    stopped = threads_of(pid) == {"t"}
    if stopped:
        os.kill(pid, signal.SIGALRM)
        stopped = threads_of(pid) == {"t"}
    status = program.wait(timeout=PATIENCE)
    slow.wait(timeout=PATIENCE)
    check(status == 7 or not stopped, "the status is the program's", status)
    return stopped


def test_signal_beside(store):
    """Nor does one that another thread would have taken."""
    if not shutil.which("strace"):
        print("signal_beside is left out: strace is missing")
        return
    for number in range(20):
        stopped = signal_while_stopped(f"{store}.{number}")
        if stopped is None:
            print("signal_beside is left out: strace may not")
        if stopped is not False:
            return
    check(False, "it was never seen stopped")


def test_alone(store):
    """A process that outlives the run, or that nobody looks at, ends all the same."""
    os.mkfifo(store + ".go")
    done = subprocess.run(
        [TOOL, "run", "--lost", "--store", store, "--", "sh", "-c",
         f"(read go <{store}.go; {PROGRAMS}/lost-ends exit; echo $? >{store}.end; mv {store}.end {store}.status) "
         ">/dev/null 2>&1 & exit 3"], capture_output=True, text=True, timeout=PATIENCE)
    check(done.returncode == 3, "the run does not wait", done)
    with open(store + ".go", "w", encoding="utf-8") as file:
        file.write("go\n")
    eventually(lambda: os.path.exists(store + ".status"), "what outlives the run ends")
    with open(store + ".status", encoding="utf-8") as file:
        check(file.read() == "7\n", "as it does without")


def test_stopped(store):
    """By job control: it stays so."""
    program = Recorded(store, "kinds")
    os.kill(program.pid, signal.SIGSTOP)
    wanted = verdicts(program.lines)
    check(only(program.look(), wanted) == dict(wanted), "verdicts while stopped")
    # Let go of, it takes a moment to stop anew.
    eventually(lambda: threads_of(program.pid) == {"T"}, "it stays stopped")
    time.sleep(0.1)
    check(threads_of(program.pid) == {"T"}, "it goes on by itself")
    os.kill(program.pid, signal.SIGCONT)
    check(program.end() == (0, ""), "the program's end")


def test_guarded(store):
    """Objects between guard pages are the recorder's memory, and so are its notes of them."""
    os.environ["STACKDEPOT_OPTIONS"] = "guard=1"
    program = Recorded(store, "kinds")
    del os.environ["STACKDEPOT_OPTIONS"]
    wanted = verdicts(program.lines)
    found = program.look()
    check(only(found, wanted) == dict(wanted), "verdicts of guarded objects", dict(wanted - found),
          dict(found - wanted))
    check(program.end() == (0, ""), "the program's end")


def test_moving(store):
    program = Recorded(store, "moving")
    for number in range(LOOKS):
        lost = [line for line in program.look() if not line.endswith(" reachable")]
        check(not lost, f"look {number}: what moves is lost", lost)
    check(program.end() == (0, "done\n"), "the program's end")


def test_sanitizer(store):
    """LeakSanitizer says the same of the same program, gcc's and clang's."""
    for compiler in ("gcc", "clang"):
        sanitizer(store, compiler)


def sanitizer(store, compiler):
    program = f"{store}.{compiler}"
    if not shutil.which(compiler):
        print(f"left out: there is no {compiler} here")
        return
    built = subprocess.run([compiler, "-g", "-O1", "-fno-builtin-malloc", "-pthread",
                            "-fsanitize=leak", "-DLSAN", "-o", program,
                            os.path.join(SOURCES, "kinds.c")], capture_output=True, text=True)
    if built.returncode:
        print(f"left out: {compiler} has no -fsanitize=leak here")
        return
    done = subprocess.run([program], input="\n", capture_output=True, text=True, timeout=PATIENCE,
                          env={**os.environ, "LSAN_OPTIONS": "report_objects=1"})
    wanted = verdicts(line for line in done.stdout.splitlines() if line != "ready")
    # It reports once more at the exit.
    report = done.stderr.split("ERROR: LeakSanitizer")[1]
    leaks = collections.Counter(int(size) for size in re.findall(r"^0x\w+ \((\d+) bytes\)",
                                                                 report, re.M))
    ours = collections.Counter(MAPPED)
    for line, nr in wanted.items():
        if not line.endswith(" reachable"):
            ours[int(line.split()[0])] += nr
    check(leaks == ours, f"LeakSanitizer, {compiler}", leaks - ours, ours - leaks, done.stderr[-2000:])


def main():
    tests = os.environ.get("TESTS", "kinds ended not_its_store ends status signal_at_the_end signal_beside alone sampled stopped guarded moving sanitizer").split()
    for name in tests:
        with tempfile.TemporaryDirectory() as directory:
            globals()["test_" + name](os.path.join(directory, "store"))
        print("ok", name)


main()
