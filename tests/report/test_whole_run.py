#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Several stores reported as one: those of a run, or those that are named.

usage: test_whole_run.py STACKDEPOT FAMILY FAMILY_WITHOUT_BUILD_ID
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from tool import TOOL, check, tool  # noqa: E402

FAMILY, UNNAMED = sys.argv[2:]
BYTES = 1000
SUMS = ("live_bytes", "live_objects", "allocated_bytes", "allocations")


def record(directory, name, program=FAMILY, size=BYTES):
    """The stores of a run: of the first process, of the child, of the one that exec()s."""
    store = os.path.join(directory, name)
    subprocess.run([TOOL, "run", "--quiet", "--memory=4M", "--store", store, "--", program,
                    str(size)], check=True, stdout=subprocess.DEVNULL)
    return [store] + stores_besides(store, size)


def holds(store, name="keep"):
    """Live bytes of the stacks whose innermost frame but malloc's own is this function."""
    return sum(stack["live_bytes"] for stack in leaks(store)["stacks"]
               if stack["stack"][0]["function"] == name)


def stores_besides(store, size):
    """Those of children, the second process first; a process that exec()s leaves an empty one."""
    directory, name = os.path.split(store)
    found = [os.path.join(directory, other) for other in os.listdir(directory)
             if other.startswith(name + ".")]
    found = {holds(other): other for other in found}
    check({2 * size, 3 * size} <= set(found), "stores of children", found)
    return [found[2 * size], found[3 * size]]


def leaks(*words, status=1):
    return json.loads(tool("report", "leaks", "--json", "--all", *words, status=status).stdout)


def top(*words):
    return json.loads(tool("report", "top", "--json", "--all", *words).stdout)


def by_function(root, key="live_bytes"):
    found = {}
    for stack in root["stacks"]:
        name = stack["stack"][0]["function"]
        check(name not in found or name != "keep", "one way through the program is one stack", root)
        found[name] = found.get(name, 0) + stack[key]
    return found


def test_merged(directory):
    for name, program in (("with", FAMILY), ("without", UNNAMED)):
        stores = record(directory, name, program)
        whole = leaks("--whole-run", stores[0])
        check(by_function(whole)["keep"] == 6 * BYTES, "one stack of all processes", whole)
        live = {entry["store"]: entry["live_bytes"] for entry in whole["processes"]}
        for store in stores:
            alone = leaks(store)
            check(len(alone["processes"]) == 1, "one process", alone)
            check(live[store] == alone["live_bytes"], f"what {store} holds", live, alone)
        check(sum(live.values()) == whole["live_bytes"], "sum", whole)
        check(whole["processes"][0]["store"] == stores[0], "the first comes first", whole)
        every = [entry["store"] for entry in whole["processes"]]
        alone = [top(store) for store in every]
        for key in SUMS:
            check(top("--whole-run", stores[0])[key] == sum(one[key] for one in alone), key)


def test_named(directory):
    """The run is found from any of its stores; stores that are named are taken once each."""
    stores = record(directory, "named")
    whole = leaks("--whole-run", stores[0])
    check(leaks("--whole-run", stores[2])["stacks"] == whole["stacks"], "from a child's")
    two = leaks(*stores[:2])
    check(by_function(two)["keep"] == 3 * BYTES, "two of them", two)
    os.symlink(stores[0], stores[0] + "-link")
    check(leaks(stores[0], stores[0], stores[0] + "-link")["stacks"] == leaks(stores[0])["stacks"],
          "one store named three times")
    text = tool("report", "leaks", "--whole-run", stores[0], status=1).stdout
    number = len(whole["processes"])
    check(f"\n{number} processes, 0 of them running; the first, process " in text, "how many", text)
    order = re.findall(r"^ +[\d.]+ \S+  process \d+, (\S+): ", text, re.M)
    check(order[:3] == stores[::-1], "which holds how much", text)
    check("--whole-run takes" not in text, "nothing else to take", text)
    text = tool("report", *stores, status=1).stdout
    check("BUG: double-free" in text and "live in" in text, "without a kind", text)
    # Names that are relative, in the directory itself.
    done = subprocess.run([TOOL, "report", "leaks", "--json", "--all", "--whole-run", "named"],
                          cwd=directory, capture_output=True, text=True, check=False)
    check(json.loads(done.stdout)["stacks"] == whole["stacks"], "relative", done)


def test_errors(directory):
    stores = record(directory, "errors")
    root = json.loads(tool("report", "errors", "--json", "--whole-run", stores[0],
                           status=1).stdout)
    error, = root["errors"]
    check((error["kind"], error["count"], error["processes"], root["errors_seen"]) ==
          ("double-free", 3, 3, 3), "one error of three processes", root)
    check(error["pid"] in [entry["pid"] for entry in root["processes"]], "pid", root)
    text = tool("report", "errors", "--whole-run", stores[0], status=1).stdout
    check(re.search(r"by thread \d+ of process \d+ and of 2 more\n", text), "who", text)
    check("Seen 3 times\n" in text and "1 different error, seen 3 times\n" in text, "times", text)
    rules = os.path.join(directory, "rules")
    with open(rules, "w", encoding="utf-8") as file:
        file.write("double-free:free_twice\nleak:^keep$\nleak:_dl_allocate_tls\n")
    text = tool("report", "--whole-run", "--suppressions", rules, stores[0]).stdout
    check("1 error, seen 3 times: double-free:free_twice" in text, "suppressed", text)
    check("5.9 KiB in 3 objects from 1 stack: leak:^keep$" in text, "suppressed", text)
    text = tool("suppress", "--gen", "--whole-run", stores[0]).stdout
    check("# 5.9 KiB in 3 objects from 1 stack, " in text, "generated", text)


def test_exports(directory):
    stores = record(directory, "exports")
    whole = top("--whole-run", stores[0])
    root = json.loads(tool("export", "--format=json", "--whole-run", stores[0]).stdout)
    for key in SUMS:
        check(sum(stack[key] for stack in root["stacks"]) == whole[key], f"json: {key}")
    check([entry["pid"] for entry in root["processes"]] ==
          [entry["pid"] for entry in whole["processes"]], "json: processes", root["processes"])
    sarif = json.loads(tool("export", "--format=sarif", "--whole-run", stores[0]).stdout)
    run, = sarif["runs"]
    check([entry["processId"] for entry in run["invocations"]] ==
          [entry["pid"] for entry in whole["processes"]], "sarif: invocations", run["invocations"])
    check([result["ruleId"] for result in run["results"]].count("double-free") == 1, "sarif", run)
    folded = tool("export", "--format=folded", *stores).stdout
    lines = [line for line in folded.split("\n") if line.endswith(f"keep {6 * BYTES}")]
    check(len(lines) == 1, "folded", folded)
    lsan = tool("export", "--format=lsan", "--whole-run", stores[0]).stdout
    check(f"leak of {6 * BYTES} byte(s) in 3 object(s)" in lsan, "lsan", lsan)
    page = os.path.join(directory, "page.html")
    done = subprocess.run([TOOL, "flame", "--whole-run", stores[0], "-o", page],
                          capture_output=True, text=True, check=False)
    if "was not built" not in done.stderr:
        check(done.returncode == 0, "flame", done)
        with open(page, encoding="utf-8") as file:
            data = json.loads(re.search(r'id="data">(.*?)</script>', file.read(), re.S)[1])
        check(data["totals"]["now"] == [whole[key] for key in SUMS], "flame", data["totals"])
        check(len(data["process"]["processes"]) == len(whole["processes"]), "flame: processes")


def test_diff(directory):
    before, after = (record(directory, name, size=size) for name, size in (("a", BYTES), ("b", 1500)))
    for words, grown in ((["--whole-run"], 6 * 500), ([], 500)):
        found = json.loads(tool("diff", "--json", *words, before[0], after[0]).stdout)
        check(found["grown_bytes"] == grown, f"diff {words}", found)
        tool("diff", *words, f"--fail-on-increase={grown - 1}", before[0], after[0], status=1)
        tool("diff", *words, f"--fail-on-increase={grown}", before[0], after[0])
    text = tool("diff", "--whole-run", before[0], after[0]).stdout
    check(re.match(rf"--- {re.escape(FAMILY)} {BYTES}, \d processes\n\+\+\+ ", text), "sides", text)


def test_bad(directory):
    """One that is named is refused; one that is found is named and left out."""
    stores = record(directory, "bad")
    whole = leaks("--whole-run", stores[0])
    with open(stores[0], "rb") as file:
        head = file.read(1 << 16)
    version = bytearray(head)
    version[8:12] = (99).to_bytes(4, "little")
    damaged = "not a store, or damaged"
    for number, (content, text) in enumerate(((b"", "recording has not begun"), (head, damaged),
                                              (b"x" * 5000, damaged),
                                              (bytes(version), "a store of another version"))):
        path = f"{stores[0]}.{number}"
        with open(path, "wb") as file:
            file.write(content)
        for command in (["report", "leaks"], ["report", "errors"], ["export", "--format=lsan"],
                        ["suppress", "--gen"], ["stats"], ["top", "--batch", "--times=1"]):
            status = 1 if command[0] == "report" else 0
            done = tool(*command, "--whole-run", stores[0], status=status)
            check(done.stderr == f"stackdepot: {path}: {text}; it is left out\n", command, done)
            done = tool(*command, stores[0], path, status=2)
            check(done.stderr == f"stackdepot: {path}: {text}\n" and not done.stdout, command, done)
        check(leaks("--whole-run", stores[0])["stacks"] == whole["stacks"], "the others are there")
        done = tool("diff", "--whole-run", stores[0], path, status=2)
        check(done.stderr.endswith(f"stackdepot: {path}: {text}\n"), "diff", done)
        os.unlink(path)
    tool("report", "leaks", "--whole-run", os.path.join(directory, "none"), status=2)
    done = tool("report", "leeks", stores[0], status=2)
    check("there is no report 'leeks'" in done.stderr, "no such report", done)
    tool("report", "growth", "--whole-run", stores[0], stores[0], status=2)


def test_others(directory):
    """The line on the others counts what their reports do: not what the C library keeps."""
    stores = record(directory, "others", size=500)
    live = {store: leaks(store) for store in stores}
    raw = {store: leaks("--no-default-suppressions", store)["live_bytes"] for store in stores}
    check(max(raw, key=raw.get) == stores[1], "the second holds a buffer of stdout", raw)
    check(max(live, key=lambda store: live[store]["live_bytes"]) == stores[2], "but not its own")
    for options, largest, text in (([], stores[2], "1.7 KiB"),
                                   (["--no-default-suppressions"], stores[1], None)):
        said = tool("report", "leaks", *options, stores[0], status=1).stdout
        more = re.search(r"^(\d+) more stores of this run, named (\S+) and \S+\.\*; (\S+) has the most "
                         r"live, (.*)\.$", said, re.M)
        check(more and more[2] == stores[0] and more[3] == largest, options, said)
        check(text is None or more[4] == text, "as its report says", said)
    shutil.copy(stores[0], stores[0] + "-copy")
    said = tool("report", "leaks", stores[0] + "-copy", status=1).stdout
    check("of this run" not in said, "a copy is alone", said)


def watch(pid):
    """Of processes that run: the figures of three, live."""
    root = leaks("--whole-run", pid)
    check(by_function(root)["keep"] == 6 * BYTES, "by PID", root)
    check(by_function(root)["keep_more"] > 300, "keeps on", root)
    text = tool("top", "--batch", "--times=2", "--interval=1", "--whole-run", pid).stdout
    check(re.search(r"^3 processes, 3 of them running; the first, process ", text, re.M), "top", text)
    rows = re.findall(r"^ +\S+ +\S+ +(\S+) +\S+ +\S+  keep_more ", text, re.M)
    check(len(rows) == 2 and rows[1].startswith("+"), "grows", text)
    grown = []
    for words in (["--whole-run"], []):
        root = json.loads(tool("report", "growth", "--json", "--interval=1", "--times=2", *words, pid,
                               status=1).stdout)
        check([stack["stack"][0]["function"] for stack in root["growth"]] == ["keep_more"],
              "growth", root)
        grown.append(root["growth"][0]["grown_bytes"])
    check(grown[0] > 2 * grown[1], "of three processes", grown)


def test_running(directory):
    store = os.path.join(directory, "running")
    with subprocess.Popen([TOOL, "run", "--quiet", "--memory=4M", "--store", store, "--", FAMILY,
                           str(BYTES), "stay"], stdout=subprocess.PIPE, text=True) as process:
        try:
            pid = process.stdout.readline().strip()  # of the second
            time.sleep(1)
            watch(pid)
            os.kill(int(pid), 9)
            held = re.findall(r"^live (\S+) ", tool("top", "--batch", "--times=1", "--whole-run",
                                                    store).stdout, re.M)
            whole = leaks("--whole-run", store)["live_bytes"]
            check(float(held[0].rstrip("K")) * 1024 < 0.8 * whole, "what it held is gone", held, whole)
        finally:
            process.terminate()
    text = tool("stats", "--whole-run", store).stdout
    check(re.search(r"^ +12\.0 MiB  size of the store, fixed$", text, re.M), "stats", text)


def main():
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            with tempfile.TemporaryDirectory() as directory:
                test(directory)
            print("ok", name, flush=True)


main()
