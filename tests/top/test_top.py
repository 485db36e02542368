#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""`stackdepot top`, as a script reads it and as a person sees it: on a terminal of tmux.

usage: test_top.py STACKDEPOT GROW

Rates depend on the load of the machine, so what is compared is their order, and what they are made
of: GROW keeps a KiB in each of its turns and passes on 20 times 4 KiB.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from tool import TOOL, check  # noqa: E402

GROW = sys.argv[2]
MORE = "10000000"  # bytes, what it keeps otherwise in 200 seconds
KEYS_WAIT = 100  # seconds at most until a screen shows what it should


def top(*arguments):
    return subprocess.run([TOOL, "top", *arguments], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)


class Recorded:
    """GROW, recorded, until the block ends."""

    def __init__(self, store):
        self.store = store

    def __enter__(self):
        self.process = subprocess.Popen([TOOL, "run", "--quiet", "--memory=4M", "--store",
                                         self.store, "--", GROW, "1000", MORE])
        deadline = time.monotonic() + KEYS_WAIT
        while top("--times=1", self.store).stdout.count(" < main") < 3:
            check(time.monotonic() < deadline, "GROW does not begin")
            time.sleep(0.1)
        words = top("--times=1", self.store).stdout.split()
        self.pid = int(words[1].rstrip(","))
        return self

    def __exit__(self, *_):
        try:
            os.kill(self.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        self.process.wait()


AMOUNT = {"": 1, "K": 1 << 10, "M": 1 << 20}


def amount(word):
    match = re.fullmatch(r"[+-]?([0-9.]+)([KM]?)", word)
    check(match, f"'{word}' is not an amount")
    return float(match[1]) * AMOUNT[match[2]]


def pictures(text):
    """Of each picture: the header's lines, and the columns of each row by innermost function."""
    result = []
    for picture in text.strip().split("\nprocess "):
        head, rows = picture.split("\n\n", 1)
        rows = [row.split() for row in rows.strip().split("\n")[1:]]
        result.append((head.split("\n"), {row[5]: row[:5] for row in rows}))
    return result


def test_batch(store):
    with Recorded(store) as recorded:
        done = top("--batch", "--times=3", "--interval=0.5", str(recorded.pid))
        check(done.returncode == 0, "batch", done.stderr)
        seen = pictures(done.stdout)
        check(len(seen) == 3, f"{len(seen)} pictures of 3", done.stdout)
        head, rows = seen[-1]
        check("running" in head[0] and MORE in head[0], "header", head)
        check(re.search(r"in the last \d+\.\d s", head[1]), "time", head)
        check("store 4.0M" in head[2] and "every object" in head[2], "header", head)
        check(list(rows) == ["keep_more", "keep_some", "pass_on"], "order", rows)
        check(rows["keep_more"] == ["9.5M", "1", "0", "0", "0"], "keep_more", rows)
        live, objects, growth, allocated, count = map(amount, rows["keep_some"])
        check(abs(live - 1024 * objects) <= 103, "keep_some", rows)
        # What is live is read a moment later than what was allocated.
        check(abs(allocated - 1024 * count) <= 0.06 * allocated and 0.5 < growth / allocated < 2, "rates", rows)
        live, objects, growth, allocated, count = map(amount, rows["pass_on"])
        check((live, growth) == (0, 0) and allocated > 0, "pass_on", rows)
        ratio = count / amount(rows["keep_some"][4])
        check(10 < ratio < 40, f"pass_on {ratio} times as often as keep_some, not 20", rows)
        for key, first in (("growth", "keep_some"), ("alloc", "pass_on"), ("count", "pass_on"),
                           ("objects", "keep_some"), ("live", "keep_more")):
            seen = pictures(top("--times=2", "--interval=0.3", "--sort", key, store).stdout)
            check(list(seen[-1][1])[0] == first, f"--sort {key}", seen[-1])
        for wanted, nr in (("KEEP_", 2), ("grow.c", 3), ("top-grow", 3), ("nowhere", 0)):
            rows = top("--times=1", "--filter", wanted, store).stdout.split("FIRST\n")[1]
            check(rows.count("\n") == nr, f"--filter {wanted}", rows)
        rows = top("--times=1", "--limit=1", store).stdout.split("FIRST\n")[1]
        check(rows.count("\n") == 1, "--limit 1", rows)


def test_ended(store):
    """Of a process that has ended: one picture, with averages of its whole life."""
    subprocess.run([TOOL, "run", "--quiet", "--store", store, "--", GROW, "1", "5000"], check=True)
    done = top("--interval=1", store)
    check(done.returncode == 0 and done.stdout.count("\nprocess ") == 0, "ended", done.stdout)
    (head, rows), = pictures(done.stdout)
    check("exited with status 0" in head[0] and "since the start" in head[1], "ended", head)
    check(rows["keep_some"][:2] == ["50.0K", "50"], "ended", rows)


def test_usage(store):
    for arguments in ([], [store], ["--sort=size", "1"], ["--interval=0", "1"], ["a", "b"],
                      ["/dev/null"], ["--times=x", "1"], ["--nonsense", "1"]):
        done = top(*arguments)
        check(done.returncode == 2 and not done.stdout and done.stderr, f"top {arguments}", done)


# --- on a terminal -----------------------------------------------------------------------------


class Terminal:
    """A shell in a tmux of its own, whose terminal is looked at from outside."""

    def __init__(self, directory):
        self.socket = os.path.join(directory, "tmux")
        self.directory = directory
        environment = {**os.environ, "PS1": "$ ", "ENV": "", "LC_ALL": "C.UTF-8"}
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "24", "sh", "-i",
                  env=environment)
        self.type("PS1='ready> '\n")
        self.wait(lambda screen: "ready>" in screen.split("\n")[-1], "no shell")

    def tmux(self, *arguments, env=None):
        return subprocess.run(["tmux", "-S", self.socket, *arguments], check=True, text=True,
                              stdout=subprocess.PIPE, env=env).stdout

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def key(self, name):
        self.tmux("send-keys", name)

    def screen(self):
        return self.tmux("capture-pane", "-p").rstrip("\n")

    def state(self):
        """Modes of the terminal, cursor, alternate screen, keypad."""
        tty = self.tmux("display", "-p", "#{pane_tty}").strip()
        modes = subprocess.run(["stty", "-g", "-F", tty], capture_output=True, text=True).stdout
        flags = "#{cursor_flag} #{alternate_on} #{keypad_cursor_flag} #{keypad_flag}"
        return modes.strip() + " " + self.tmux("display", "-p", flags).strip()

    def wait(self, condition, text):
        deadline = time.monotonic() + KEYS_WAIT
        while True:
            screen = self.screen()
            if condition(screen):
                return screen
            check(time.monotonic() < deadline, text, screen)
            time.sleep(0.05)

    def sees(self, text):
        return self.wait(lambda screen: text in screen, f"no '{text}' on the screen")

    def prompt(self):
        """Back at the shell, and able to use it."""
        self.wait(lambda screen: screen.split("\n")[-1] == "ready>", "no prompt")

    def close(self):
        self.tmux("kill-server")


def rows_of(screen):
    return [line.split()[5] for line in screen.split("\n") if " < main" in line]


def in_terminal(test):
    def run(store):
        if not shutil.which("tmux"):
            print("   no tmux: skipped")
            return
        with Recorded(store) as recorded:
            terminal = Terminal(os.path.dirname(store))
            try:
                test(terminal, recorded)
            finally:
                terminal.close()
    return run


def start(terminal, recorded, *options):
    terminal.type("clear; " + " ".join([TOOL, "top", "--interval=0.3", *options, recorded.store])
                  + "\n")
    terminal.sees("INNERMOST FIRST")


def live_of(screen):
    return re.search(r"^live (\S+)", screen, re.M)[1]


@in_terminal
def test_keys(terminal, recorded):
    before = terminal.state()
    start(terminal, recorded)
    screen = terminal.sees("pass_on")
    check(rows_of(screen)[0] == "keep_more", "order", screen)
    check(terminal.state() != before, "the terminal is not taken: the comparison cannot fail")
    for key, first in (("g", "keep_some"), ("a", "pass_on"), ("l", "keep_more"),
                       ("o", "keep_some"), ("n", "pass_on"), ("l", "keep_more")):
        terminal.type(key)
        terminal.wait(lambda screen: rows_of(screen)[:1] == [first], f"key {key}")
    old = live_of(terminal.screen())
    terminal.wait(lambda screen: live_of(screen) != old, "it stands still")
    terminal.type(" ")
    held = live_of(terminal.sees("; held"))
    time.sleep(4)
    check(live_of(terminal.screen()) == held, "it goes on while held")
    terminal.type(" ")
    terminal.wait(lambda screen: live_of(screen) != held, "it does not go on")
    terminal.key("Down")
    terminal.key("Enter")
    screen = terminal.sees("q back")
    check(re.search(r"^    keep_some  .*grow\.c:\d+$", screen, re.M), "the stack", screen)
    check(re.search(r"^    main  .*grow\.c:\d+$", screen, re.M), "the stack", screen)
    terminal.type("q")
    terminal.type("/SOME")
    terminal.wait(lambda screen: rows_of(screen) == ["keep_some"], "filter")
    terminal.key("BSpace")
    terminal.key("Enter")
    terminal.sees("with 'SOM'")
    terminal.type("/zz")
    terminal.sees("0 of 3 stacks")
    terminal.key("Escape")
    terminal.wait(lambda screen: rows_of(screen) == ["keep_some"], "filter as it was")
    terminal.type("h")
    terminal.sees("Sort by")
    terminal.type("qq")
    terminal.prompt()
    check(terminal.state() == before, "after q", before, terminal.state())


@in_terminal
def test_sizes(terminal, recorded):
    start(terminal, recorded)
    for size in ((40, 10), (20, 4), (3, 2), (1, 1), (200, 50), (100, 24)):
        terminal.tmux("resize-window", "-x", str(size[0]), "-y", str(size[1]))
        time.sleep(0.3)
        terminal.key("Down")
    screen = terminal.sees("keep_more < main")
    check(max(len(line) for line in screen.split("\n")) <= 100, "a line too long", screen)
    terminal.tmux("resize-window", "-x", "60", "-y", "12")
    screen = terminal.wait(lambda screen: screen.split("\n")[-1].startswith("q quit"), "no foot")
    check(len(screen.split("\n")) == 12, "rows", screen)
    terminal.type("q")
    terminal.prompt()


@in_terminal
def test_signals(terminal, recorded):
    before = terminal.state()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGSEGV, signal.SIGBUS,
                   signal.SIGABRT, signal.SIGQUIT):
        start(terminal, recorded)
        taken = terminal.state()
        check(taken != before, "not taken", taken)
        os.kill(child_of(terminal), number)
        terminal.sees("ready>")
        check(terminal.state() == before, f"after {number.name}", before, terminal.state())
        terminal.type("clear; echo status=$?\n")
        terminal.type("stty -a | grep -c ' echo '\n")
    start(terminal, recorded)
    terminal.key("C-c")
    terminal.sees("ready>")
    check(terminal.state() == before, "after ^C", before, terminal.state())


@in_terminal
def test_stop(terminal, recorded):
    before = terminal.state()
    start(terminal, recorded)
    for _ in range(2):
        terminal.key("C-z")
        terminal.wait(lambda screen: "INNERMOST" not in screen and "ready>" in screen, "no stop")
        check(terminal.state().split()[1:] == before.split()[1:], "stopped", terminal.state())
        terminal.type("clear; fg\n")
        terminal.sees("INNERMOST FIRST")
        terminal.type("h")
        terminal.sees("Sort by")
        terminal.type("q")
        terminal.sees("INNERMOST FIRST")
    pid = child_of(terminal)
    os.kill(pid, signal.SIGSTOP)
    terminal.sees("ready>")
    terminal.type("clear; fg\n")
    terminal.sees("INNERMOST FIRST")
    terminal.type("q")
    terminal.prompt()
    check(terminal.state() == before, "after fg and q", before, terminal.state())


@in_terminal
def test_end(terminal, recorded):
    """The process ends while it is watched."""
    before = terminal.state()
    start(terminal, recorded)
    os.kill(recorded.pid, signal.SIGTERM)
    terminal.sees("killed by signal 15")
    terminal.key("Enter")
    terminal.sees("grow.c:")
    terminal.type("qq")
    terminal.prompt()
    check(terminal.state() == before, "after the end", before, terminal.state())


def child_of(terminal):
    shell = terminal.tmux("display", "-p", "#{pane_pid}").strip()
    with open(f"/proc/{shell}/task/{shell}/children", encoding="ascii") as file:
        return int(file.read().split()[-1])


def main():
    chosen = os.environ.get("TESTS", "batch ended usage keys sizes signals stop end")
    for name in chosen.split():
        with tempfile.TemporaryDirectory() as directory:
            globals()["test_" + name](os.path.join(directory, "store"))
        print("ok", name, flush=True)


main()
