#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Each allocation of the tool fails in turn: one line, the status that the manual says, and nothing
half done.

usage: test_no_memory.py STACKDEPOT FAIL_LIBRARY BUGS_DIRECTORY [--all | --points N]

For every sub-command and format: the n-th malloc(), calloc() or realloc() of the process fails, be it
the tool's own or of libdw, zlib, zstd, ncurses or the C library. Then either somebody could
do without, and all is as if nothing had failed; or the tool says "out of memory" and ends with status
2, `run` and `corpus` with 125 or as the program did. No file is left that was not there, none that
was there is changed, and a program that had begun has run to its end.

--all tries each allocation; for symbols of debug information those of one command.
"""
import os
import pty
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from tool import TOOL, call, check, record, run_all  # noqa: E402

FAIL, BUGS = map(os.path.abspath, sys.argv[2:4])
ALL = "--all" in sys.argv
POINTS = int(sys.argv[sys.argv.index("--points") + 1]) if "--points" in sys.argv else 5
LINE = "stackdepot: out of memory\n"
ECHO = "the program has run"
FORMATS = ["folded", "json", "pprof", "speedscope", "lsan", "sarif"]
# Without the files of the recorded machine there are no names, and a few hundred allocations.
NAMELESS = ["--sysroot=/nonexistent"]


def prepare(directory):
    """Two stores with errors and live objects, and suppressions."""
    for name, bug in (("a", "five-bugs"), ("b", "leak")):
        record(os.path.join(directory, name), os.path.join(BUGS, "bug-" + bug),
               options=("--quiet", "--memory=1M"))
        check(os.path.exists(os.path.join(directory, name)), f"{bug} was not recorded")
    with open(os.path.join(directory, "rules"), "w", encoding="ascii") as rules:
        rules.write("leak:nobody_*_knows\nerror:^nothing$\n")


def fresh(directory, work):
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    for name in ("a", "b", "rules"):
        os.link(os.path.join(directory, name), os.path.join(work, name))


def files(work):
    """Names and contents, but not of stores: their processes write what became of them."""
    found = {}
    for name in sorted(os.listdir(work)):
        with open(os.path.join(work, name), "rb") as file:
            found[name] = file.read()
    return found


def fail_at(words, work, at, count=None):
    environment = {**os.environ, "LD_PRELOAD": FAIL, "FAIL_AT": str(at), "LC_ALL": "C.UTF-8"}
    if count:
        environment["FAIL_COUNT"] = count
    return subprocess.run([TOOL, *words], capture_output=True, cwd=work, env=environment, check=False,
                          timeout=300)


def counted(words, directory, work):
    """How many allocations there are, and what happens if none fails."""
    count = os.path.join(directory, "count")
    fresh(directory, work)
    done = fail_at(words, work, 0, count)
    check(done.returncode in (0, 1, 7) and b"out of memory" not in done.stderr, f"{words} without a failure",
          done.returncode, done.stdout, done.stderr)
    with open(count, encoding="ascii") as file:
        return int(file.read()), done, files(work)


def points(total):
    """Numbers of allocations, spread over all, the first and the last among them."""
    if ALL:
        return range(1, total + 1)
    step = max(1, (total - 1) // (POINTS - 1))
    return sorted({*range(1, total + 1, step), total})


def try_all(directory, words, is_run=False, numbers=None):
    work = os.path.join(directory, "work")
    total, normal, left = counted(words, directory, work)
    check(total > 20, f"{words}: {total} allocations only: are they seen?")
    before = {name: left[name] for name in ("a", "b", "rules")}
    ended = 0
    for at in numbers(total) if numbers else points(total):
        fresh(directory, work)
        done = fail_at(words, work, at)
        where = f"{words}: allocation {at} of {total}"
        if LINE.encode() not in done.stderr:
            check(done.returncode == normal.returncode and done.stdout == normal.stdout, where +
                  " was done without, but not as always", done.returncode, done.stdout, done.stderr)
            continue
        ended += 1
        check_end(done, where, is_run)
        now = files(work)
        new = {name: now[name] for name in now
               if now[name] != left.get(name) and name not in before and not (is_run and "store" in name)}
        check({name: now.get(name) for name in before} == before, where + ": a file has changed")
        check(not new, where + ": files are left half done", sorted(new))
    check(ended, f"{words}: no failure was noticed")
    print(f"   {ended} failures of {total} allocations: {' '.join(words)}", flush=True)


def check_end(done, where, is_run):
    check(done.returncode in ((125, 7) if is_run else (2,)), f"{where}: exit status {done.returncode}", done.stderr)
    # What was said before the failure may stand there, too: of a corpus, or of suppressions.
    check(done.stderr.decode().endswith(LINE) and done.stderr.count(b"\n") <= (1 if not is_run else 2), where,
          done.stderr)
    if is_run:
        has_run = ECHO.encode() in done.stdout
        check(has_run or done.returncode == 125, f"{where}: status {done.returncode} of nothing", done.stdout)


def test_reports(directory):
    prepare(directory)
    for words in (["report", "a"], ["report", "leaks", "--json", "a"], ["report", "errors", "--json", "a"],
                  ["report", "errors", "--suppressions=rules", "a"], ["report", "top", "a", "b"],
                  ["report", "stats", "--json", "a"], ["report", "leaks", "--process=bug-five-bugs", "a"],
                  ["report", "growth", "a", "a"], ["report", "growth", "--json", "--times=1", "--interval=0.01", "a"],
                  ["stats", "a"], ["suppress", "--gen", "a"], ["top", "--batch", "--times=1", "a"],
                  ["diff", "a", "b"], ["diff", "--json", "a", "b"]):
        try_all(directory, NAMELESS + words)


def test_files(directory):
    prepare(directory)
    for name in FORMATS:
        try_all(directory, [*NAMELESS, "export", "--format", name, "-o", "out", "a"])
    page = call(TOOL, "flame", "-o", "/dev/null", os.path.join(directory, "a"))
    if page.returncode == 0:
        try_all(directory, NAMELESS + ["flame", "a", "b", "-o", "out.html"])
        try_all(directory, NAMELESS + ["diff", "a", "b", "--flame=out.html"])


def test_replaced(directory):
    """A file that is written over is the old one until the new one is whole."""
    prepare(directory)
    work, old = os.path.join(directory, "work"), os.path.join(directory, "old")
    words = [*NAMELESS, "export", "--format=json", "-o", old, "a"]
    with open(old, "w", encoding="ascii") as file:
        file.write("precious")
    total = counted([*NAMELESS, "export", "--format=json", "-o", "/dev/null", "a"], directory, work)[0]
    for at in points(total):
        done = fail_at(words, work, at)
        with open(old, encoding="ascii") as file:
            check(file.read() == "precious" or done.returncode == 0, f"allocation {at}: the old file is gone")
        if done.returncode == 0:
            break


def test_symbols(directory):
    prepare(directory)
    many = None if not ALL else lambda total: range(1, total + 1, 3)
    try_all(directory, ["report", "errors", "--all", "a"], numbers=many)
    try_all(directory, ["export", "--format=json", "-o", "out", "a"],
            numbers=lambda total: range(1, total + 1, max(1, total // POINTS)))


def test_run(directory):
    prepare(directory)
    program = ["--", "/bin/sh", "-c", f"echo {ECHO}; exit 7"]
    try_all(directory, [*NAMELESS, "run", "--memory=1M", "--store=store", *program], is_run=True)
    try_all(directory, [*NAMELESS, "run", "--memory=1M", "--store=store", "--error-exitcode=7", *program], is_run=True)
    try_all(directory, [*NAMELESS, "corpus", "-o", "out", *program], is_run=True,
            numbers=lambda total: range(1, total + 1, max(1, total // (40 if ALL else 4))))
    check(not [name for name in os.listdir("/tmp") if name.startswith("stackdepot-corpus-") and
               os.stat("/tmp/" + name).st_uid == os.geteuid() and os.stat("/tmp/" + name).st_mtime > START],
          "a directory of a corpus is left behind")


def test_while_running(directory):
    """Once a second stores are trimmed: if memory is short then, the program is still waited for."""
    prepare(directory)
    work = os.path.join(directory, "work")
    words = [*NAMELESS, "run", "--memory=1M", "--store=store", "--", "/bin/sh", "-c",
             f"sleep 1.5; echo {ECHO}; exit 7"]
    short = [*words[:-1], f"echo {ECHO}; exit 7"]
    first = counted(short, directory, work)[0]
    longer = counted(words, directory, work)[0]
    check(longer > first, "nothing is allocated while the program runs", first, longer)
    seen = 0
    for at in range(first // 2, longer, max(1, (longer - first // 2) // (40 if ALL else 5))):
        fresh(directory, work)
        done = fail_at(words, work, at)
        check(ECHO.encode() in done.stdout and done.returncode == 7, f"allocation {at}", done.returncode, done.stderr)
        seen += LINE.encode() in done.stderr
    check(seen, "no failure was noticed")


def test_terminal(directory):
    """The terminal is given back before the line is written."""
    prepare(directory)
    count = os.path.join(directory, "count")
    words = [*NAMELESS, "top", "--times=1", os.path.join(directory, "a")]

    def on_terminal(at):
        child, terminal = pty.fork()
        if not child:
            os.environ.update(LD_PRELOAD=FAIL, FAIL_AT=str(at), FAIL_COUNT=count, TERM="xterm")
            os.execv(TOOL, [TOOL, *words])
        output = b""
        while True:
            try:
                piece = os.read(terminal, 65536)
            except OSError:
                break
            if not piece:
                break
            output += piece
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), output

    status, output = on_terminal(0)
    check(status == 0 and b"\x1b[?1049h" in output, "top on a terminal", status, output)
    with open(count, encoding="ascii") as file:
        total = int(file.read())
    said = 0
    for at in points(total):
        status, output = on_terminal(at)
        if status == 0:
            continue
        said += 1
        entered, last = b"\x1b[?1049h" in output, output.rsplit(b"\x1b[?1049l")[-1]
        check(status == 2 and b"out of memory" in last, f"allocation {at} of {total}", status, output)
        check(not entered or b"\x1b[?1049l" in output, f"allocation {at}: the terminal is not given back", output)
    check(said, "no failure was noticed")


START = os.stat("/proc/self").st_mtime
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
run_all(globals())
