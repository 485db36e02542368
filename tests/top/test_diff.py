#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""`stackdepot diff`: two moments of a process, two runs, two builds; and its exit status.

usage: test_diff.py STACKDEPOT GROW REGROWN
"""
import contextlib
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from tool import TOOL, check, eventually  # noqa: E402

GROW, REGROWN = sys.argv[2:]
TURNS = 50  # of GROW in a second of its argument; a KiB each


def record(store, program, *arguments):
    subprocess.run([TOOL, "run", "--quiet", "--memory=4M", "--store", store, "--", program,
                    *arguments], check=True)
    return store


def diff(*arguments, status=0):
    done = subprocess.run([TOOL, "diff", *arguments], capture_output=True, text=True)
    check(done.returncode == status, f"diff {arguments}: {done.returncode}, not {status}", done)
    return done.stdout


def changes(*arguments, status=0):
    """Growth by the innermost function."""
    found = json.loads(diff("--json", "--all", *arguments, status=status))
    check(found["version"] == 1, "version", found)
    check(sum(s["grown_bytes"] for s in found["stacks"]) == found["grown_bytes"], "sum", found)
    return {s["stack"][0]["function"]: s["grown_bytes"] for s in found["stacks"]}, found


def test_runs(directory):
    a = record(directory + "/a", GROW, "1", "100000")
    b = record(directory + "/b", GROW, "2", "70000")
    c = record(directory + "/c", REGROWN, "2", "70000")
    d = record(directory + "/d", GROW, "1")
    wanted = {"keep_some": TURNS * 1024, "keep_more": -30000}
    for later in (b, c):
        found, whole = changes(a, later)
        check(found == wanted, f"{a} to {later}", found)
        check(list(found) == ["keep_some", "keep_more"], "order", found)
    check(changes(b, a)[0] == {"keep_some": -TURNS * 1024, "keep_more": 30000}, "b to a")
    check(changes(a, a)[0] == {} and changes(b, c)[0] == {}, "no change")
    found, whole = changes(a, d)
    check(found == {"keep_more": -100000}, "a stack that is gone", whole)
    check(whole["stacks"][0]["after"]["live_bytes"] == 0, "after", whole)
    check(whole["before_process"]["command"] == [GROW, "1", "100000"], "command", whole)
    check(changes(d, a)[0] == {"keep_more": 100000}, "a stack that is new")
    frames = [json.loads(subprocess.run([TOOL, "report", "leaks", "--json", store],
                                        capture_output=True, text=True).stdout)["stacks"][0]["stack"]
              for store in (b, c)]
    check(frames[0][0]["offset"] != frames[1][0]["offset"], "the builds are the same", frames)
    return a, b


def test_limit(directory):
    a, b = test_runs(directory)  # grows by 51200 - 30000 = 21200 from 151200: 14.02 %
    for limit, status in (("21200", 0), ("21199", 1), ("20K", 1), ("21K", 0), ("0", 1),
                          ("14%", 1), ("14.1%", 0), ("0%", 1)):
        text = diff("--fail-on-increase=" + limit, a, b, status=status)
        check(("beyond" if status else "within") + " the limit" in text, limit, text)
        check(changes("--fail-on-increase=" + limit, a, b, status=status)[1]["beyond_limit"]
              == bool(status), limit)
    diff("--fail-on-increase=0", b, a)
    for arguments in ([], [a], [a, b, a], [a, "/dev/null"], ["/nowhere", a], ["--limit=0", a, b],
                      ["--fail-on-increase=x", a, b], ["--fail-on-increase=-1%", a, b],
                      ["--fail-on-increase=1%%", a, b], ["--nonsense", a, b]):
        diff(*arguments, status=2)


def test_text(directory):
    a, b = test_runs(directory)
    text = diff(a, b)
    check("+20.7 KiB live, from 147.7 KiB to 168.4 KiB (+14.0 %); 2 of 3 stacks changed" in text,
          "total", text)
    check("\n+50.0 KiB, from 50.0 KiB in 50 objects to 100.0 KiB in 100 objects," in text, "grown", text)
    check("\n-29.3 KiB, from 97.7 KiB in 1 object to 68.4 KiB in 1 object," in text, "shrunk", text)
    check("    keep_some  " in text and "\033" not in text, "stack", text)
    text = diff("--limit=1", a, b)
    check("keep_more" not in text and "1 more changed; --all shows them" in text, "limit", text)
    read, write = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    subprocess.run([TOOL, "diff", a, b], stdout=write, check=True, env=environment)
    os.close(write)
    seen = os.read(read, 1 << 16).decode()
    check("\033[1;31m+50.0 KiB" in seen and "\033[1;32m-29.3 KiB" in seen, "colours", seen)
    os.close(read)


def test_suppressions(directory):
    """What is known to grow does not count."""
    a, b = test_runs(directory)
    rules = directory + "/rules"
    with open(rules, "w", encoding="utf-8") as file:
        file.write("leak:^keep_some$\nleak:gone\n")
    found, whole = changes("--suppressions=" + rules, "--fail-on-increase=0", a, b)
    check(found == {"keep_more": -30000} and whole["grown_bytes"] == -30000, "left", whole)
    done = subprocess.run([TOOL, "diff", "--suppressions", rules, a, b], capture_output=True, text=True)
    check("Suppressed: 150.0 KiB in 150 objects from 2 stacks" in done.stderr and
          "Not used: leak:gone" in done.stderr, "said", done.stderr)
    diff("--fail-on-increase=0", a, b, status=1)


def page_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def test_flame(directory):
    """The page is that of `stackdepot flame A B`, whose own tests look into it."""
    a, b = test_runs(directory)
    page, same, other = (f"{directory}/{name}.html" for name in ("diff", "flame", "other"))
    done = subprocess.run([TOOL, "flame", a, b, "-o", same], capture_output=True, text=True)
    if "was not built into" in done.stderr:
        diff("--flame", page, a, b, status=2)
        return
    check(not done.returncode, "flame", done)
    check(diff("--flame", page, a, b) == diff(a, b), "the text is another")
    check(page_of(page) == page_of(same) and "keep_more" in page_of(page), "the page is another")
    diff("--fail-on-increase=0", "--flame=" + other, "--json", a, b, status=1)
    check(page_of(other) == page_of(same), "with --json the page is another")
    for bad in ("-", directory, directory + "/no/page.html"):
        check(diff("--flame=" + bad, a, b, status=2) == "", "text without a page", bad)


def leaks(store):
    done = subprocess.run([TOOL, "report", "leaks", "--json", "--all", store], capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode in (0, 1) else {"stacks": []}


def kept(store):
    return sum(stack["live_bytes"] for stack in leaks(store)["stacks"] if stack["stack"][0]["function"] == "keep_some")


@contextlib.contextmanager
def running(store, *arguments):
    """GROW, once it has kept something, and until the block ends."""
    with subprocess.Popen([TOOL, "run", "--quiet", "--memory=4M", "--store", store, "--", GROW, "1000", *arguments]):
        eventually(lambda: kept(store), "GROW does not begin")
        pid = leaks(store)["pid"]
        try:
            yield pid
        finally:
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                pass


def test_moments(directory):
    """A copy of the store of a process, and the process later."""
    store, early = directory + "/store", directory + "/early"
    with running(store) as pid:
        shutil.copyfile(store, early)
        held = kept(early)
        eventually(lambda: kept(store) > held, "it keeps more")
        os.kill(pid, signal.SIGTERM)
    found, whole = changes(early, store)
    check(list(found) == ["keep_some"] and found["keep_some"] > 0, "moments", whole)
    check(whole["before_process"]["pid"] == whole["after_process"]["pid"], "process", whole)
    done = subprocess.run([TOOL, "report", "growth", early, store], capture_output=True, text=True)
    check(done.returncode == 1 and "1 stack only grew" in done.stdout, "growth", done.stdout)


def test_growth(directory):
    """Of a process that runs: what holds more at each look, not what stays as it is."""
    store = directory + "/store"
    with running(store, "100000"):
        done = subprocess.run([TOOL, "report", "growth", "--json", "--interval=2", "--times=2",
                               store], capture_output=True, text=True)
    check(done.returncode == 1, "growth", done)
    found = json.loads(done.stdout)["growth"]
    check([stack["stack"][0]["function"] for stack in found] == ["keep_some"], "growth", found)
    check(found[0]["grown_bytes"] == found[0]["to_bytes"] - found[0]["from_bytes"] > 1024
          and found[0]["from_bytes"] > 0, "figures", found)


def main():
    for name in os.environ.get("TESTS", "limit text suppressions flame moments growth").split():
        with tempfile.TemporaryDirectory() as directory:
            globals()["test_" + name](directory)
        print("ok", name, flush=True)


main()
