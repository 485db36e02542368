#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Several processes reported as one: those of a run, some of them, and those of several stores.

usage: test_process.py STACKDEPOT FAMILY FAMILY_WITHOUT_BUILD_ID
"""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from tool import TOOL, call, check, eventually, run_all, tool  # noqa: E402

FAMILY, UNNAMED = sys.argv[2:]
BYTES = 1000
SUMS = ("live_bytes", "live_objects", "allocated_bytes", "allocations")


def record(directory, name, program=FAMILY, size=BYTES):
    """The store of a run: of the first process, of its child, of the one that exec()s."""
    store = os.path.join(directory, name)
    subprocess.run([TOOL, "run", "--quiet", "--memory=4M", "--store", store, "--", program,
                    str(size)], check=True, stdout=subprocess.DEVNULL)
    check(os.path.exists(store) and not [other for other in os.listdir(directory)
                                         if other.startswith(name + ".")], "one store", os.listdir(directory))
    return store


def leaks(*words, status=1):
    return json.loads(tool("report", "leaks", "--json", "--all", *words, status=status).stdout)


def top(*words):
    return json.loads(tool("report", "top", "--json", "--all", *words).stdout)


def errors(*words, status=1):
    return json.loads(tool("report", "errors", "--json", "--all", *words, status=status).stdout)


def by_function(root, key="live_bytes"):
    found = {}
    for stack in root["stacks"]:
        name = stack["stack"][0]["function"]
        check(name not in found or name != "keep", "one way through the program is one stack", root)
        found[name] = found.get(name, 0) + stack[key]
    return found


def only(process):
    return f"--process={process['pid']}"


def test_run(directory):
    """Sums of the run are those of its processes."""
    for name, program in (("with", FAMILY), ("without", UNNAMED)):
        store = record(directory, name, program)
        whole = leaks(store)
        check(by_function(whole)["keep"] == 6 * BYTES, "one stack of all processes", whole)
        first, second, third = whole["processes"]
        check([one["command"][0] for one in whole["processes"]] == [program, program, "third"], "order", whole)
        check([one["serial"] for one in whole["processes"]] == [1, 2, 3], "serial numbers", whole)
        check((second["parent"], third["parent"]) == (first["pid"], first["pid"]), "parents", whole)
        check((first["state"], first["wait_status"]) == ("ended", 0), "how it ended", first)
        for number, process in enumerate(whole["processes"], 1):
            alone = leaks(only(process), store)
            check([one["pid"] for one in alone["processes"]] == [process["pid"]], "one process", alone)
            check(by_function(alone)["keep"] == number * BYTES, "its own", alone)
            check((process["live_bytes"], process["live_objects"]) ==
                  (alone["live_bytes"], alone["live_objects"]), "what it holds", process, alone)
        check(sum(one["live_bytes"] for one in whole["processes"]) == whole["live_bytes"], "sum", whole)
        every = top(store)
        for key in SUMS:
            check(sum(one[key] for one in every["processes"]) == every[key], key, every)


def test_process(directory):
    """By PID, or by the name of the program: of one process, of some; allocations are the run's."""
    store = record(directory, "some")
    _, second, third = leaks(store)["processes"]
    name = os.path.basename(FAMILY)
    for words, keeps, nr in (([only(second)], 2, 1), (["--process=third"], 3, 1), ([f"--process={name}"], 3, 2)):
        found = leaks(*words, store)
        check(by_function(found)["keep"] == keeps * BYTES and len(found["processes"]) == nr, words, found)
        for kind in ("leaks", "top", "errors"):
            text = tool("report", kind, *words, store, status=None).stdout
            check("Allocations are counted for all processes together, and are not shown" in text, kind, text)
            check(re.search(r"^2 processes, 0 of them running; ", text, re.M) is not None if nr == 2 else
                  f"process {found['processes'][0]['pid']}, " in text, "who", text)
        check(sum(stack["allocations"] for stack in top(*words, store)["stacks"]) == 0, "allocations")
        text = tool("export", "--format=lsan", *words, store).stdout
        check(f"leak of {keeps * BYTES} byte(s) in {nr} object(s)" in text, "lsan", text)
        text = tool("export", "--format=folded", *words, store).stdout
        check(f"keep {keeps * BYTES}\n" in text, "folded", text)
        root = json.loads(tool("export", "--format=json", *words, store).stdout)
        check([one["pid"] for one in root["processes"]] == [one["pid"] for one in found["processes"]], "json")
        check(sum(stack["live_bytes"] for stack in root["stacks"]) >= keeps * BYTES, "json", root["stacks"])
        rows = tool("top", "--batch", "--times=1", *words, store).stdout
        check(re.search(r" keep ", rows), "top", rows)
        text = tool("suppress", "--gen", *words, store).stdout
        check(re.search(rf"{nr} objects? from 1 stack, ", text), "suppress", text)
        text = tool("diff", *words, store, store).stdout
        check(text.startswith("--- "), "diff", text)
    text = tool("report", "leaks", store, status=1).stdout
    check("are not shown for some" not in text, "all of them", text)


def test_no_process(directory):
    store = record(directory, "none")
    for name in ("nothing", "999999999", "report-famil", "/third"):
        for command in (["report"], ["report", "leaks"], ["report", "errors", "--json"], ["stats"], ["suppress", "--gen"],
                        ["export", "--format=lsan"], ["top", "--batch", "--times=1"], ["flame", "-o", "-"]):
            done = tool(*command, f"--process={name}", store, status=2)
            check(done.stderr == f"stackdepot: {store}: no process '{name}' in it\n" and not done.stdout, command,
                  done.stderr)


def test_named(directory):
    """Stores that are named are taken once each, and are one profile."""
    stores = [record(directory, name) for name in ("one", "two")]
    both = leaks(*stores)
    check(by_function(both)["keep"] == 12 * BYTES, "of two runs", both)
    check([one["store"] for one in both["processes"]] == 3 * stores[:1] + 3 * stores[1:], "which store", both)
    check(by_function(leaks("--process=third", *stores))["keep"] == 6 * BYTES, "some of two runs")
    os.symlink(stores[0], stores[0] + "-link")
    check(leaks(stores[0], stores[0], stores[0] + "-link")["stacks"] == leaks(stores[0])["stacks"],
          "one store named three times")
    text = tool("report", "leaks", stores[0], status=1).stdout
    check("\n3 processes, 0 of them running; the first, process " in text, "how many", text)
    order = re.findall(r"^ +[\d.]+ \S+  process (\d+): ", text, re.M)
    check(order == [str(one["pid"]) for one in leaks(stores[0])["processes"]][::-1], "which holds how much", text)
    text = tool("report", *stores, status=1).stdout
    check("BUG: double-free" in text and "live in" in text, "without a kind", text)
    # Names that are relative, in the directory itself.
    done = subprocess.run([TOOL, "report", "leaks", "--json", "--all", "one"], cwd=directory, capture_output=True,
                          text=True, check=False)
    check(json.loads(done.stdout)["stacks"] == leaks(stores[0])["stacks"], "relative", done)


def test_errors(directory):
    store = record(directory, "errors")
    root = errors(store)
    error, = root["errors"]
    check((error["kind"], error["count"], error["processes"], root["errors_seen"]) ==
          ("double-free", 3, 3, 3), "one error of three processes", root)
    check(error["pid"] in [entry["pid"] for entry in root["processes"]], "pid", root)
    check([entry["errors"] for entry in root["processes"]] == [1, 1, 1], "whose", root)
    text = tool("report", "errors", store, status=1).stdout
    check(re.search(r"by thread \d+ of process \d+ and of 2 more\n", text), "who", text)
    check("Seen 3 times\n" in text and "1 different error, seen 3 times\n" in text, "times", text)
    rules = os.path.join(directory, "rules")
    with open(rules, "w", encoding="utf-8") as file:
        file.write("double-free:free_twice\nleak:^keep$\nleak:_dl_allocate_tls\n")
    text = tool("report", "--suppressions", rules, store).stdout
    check("1 error, seen 3 times: double-free:free_twice" in text, "suppressed", text)
    check("5.9 KiB in 3 objects from 1 stack: leak:^keep$" in text, "suppressed", text)
    text = tool("suppress", "--gen", store).stdout
    check("# 5.9 KiB in 3 objects from 1 stack, " in text, "generated", text)


def test_errors_of_one(directory):
    """An error of several is told with the process that met it first; another one's report says so."""
    store = record(directory, "errors")
    for process in errors(store)["processes"]:
        error, = errors(store)["errors"]
        is_first = process["pid"] == error["pid"]
        found = errors(only(process), store)
        check(found["errors_seen"] == 1, "it met one", found)
        check((len(found["errors"]), found["errors_elsewhere"]) == ((1, 0) if is_first else (0, 1)), "where", found)
        text = tool("report", "errors", only(process), store, status=1).stdout
        said = "\n1 more, met by several processes and another one first, is told with that one only.\n" in text
        check(said != is_first, "where it is told", text)
        rules = os.path.join(directory, "rules")
        with open(rules, "w", encoding="utf-8") as file:
            file.write("double-free:free_twice\n")
        errors(only(process), store, "--suppressions", rules, status=0)
    check(errors(store)["errors_elsewhere"] == 0, "of all")
    done = call(TOOL, "run", "--quiet", "--append", "--store", store, "--", "/bin/true")
    check(done.returncode == 0 and errors("--process=true", store, status=0)["errors_elsewhere"] == 0,
          "of one without errors", done.stderr)


def test_exports(directory):
    store = record(directory, "exports")
    whole = top(store)
    root = json.loads(tool("export", "--format=json", store).stdout)
    for key in SUMS:
        check(sum(stack[key] for stack in root["stacks"]) == whole[key], f"json: {key}")
    check([entry["pid"] for entry in root["processes"]] ==
          [entry["pid"] for entry in whole["processes"]], "json: processes", root["processes"])
    sarif = json.loads(tool("export", "--format=sarif", store).stdout)
    run, = sarif["runs"]
    check([entry["processId"] for entry in run["invocations"]] ==
          [entry["pid"] for entry in whole["processes"]], "sarif: invocations", run["invocations"])
    check([result["ruleId"] for result in run["results"]].count("double-free") == 1, "sarif", run)
    folded = tool("export", "--format=folded", store).stdout
    lines = [line for line in folded.split("\n") if line.endswith(f"keep {6 * BYTES}")]
    check(len(lines) == 1, "folded", folded)
    lsan = tool("export", "--format=lsan", store).stdout
    check(f"leak of {6 * BYTES} byte(s) in 3 object(s)" in lsan, "lsan", lsan)
    page = os.path.join(directory, "page.html")
    for words, totals, nr in (([], [whole[key] for key in SUMS], 3), (["--process=third"], None, 1)):
        done = subprocess.run([TOOL, "flame", *words, store, "-o", page], capture_output=True, text=True, check=False)
        if "was not built" in done.stderr:
            break
        check(done.returncode == 0, "flame", done)
        with open(page, encoding="utf-8") as file:
            data = json.loads(re.search(r'id="data">(.*?)</script>', file.read(), re.S)[1])
        check(totals is None or data["totals"]["now"] == totals, "flame", data["totals"])
        check(len(data["process"]["processes"]) == nr, "flame: processes", data["process"])


def test_diff(directory):
    before, after = (record(directory, name, size=size) for name, size in (("a", BYTES), ("b", 1500)))
    for words, grown in (([], 6 * 500), (["--process=third"], 3 * 500)):
        found = json.loads(tool("diff", "--json", *words, before, after).stdout)
        check(found["grown_bytes"] == grown, f"diff {words}", found)
        tool("diff", *words, f"--fail-on-increase={grown - 1}", before, after, status=1)
        tool("diff", *words, f"--fail-on-increase={grown}", before, after)
    text = tool("diff", before, after).stdout
    check(re.match(rf"--- {re.escape(FAMILY)} {BYTES}, 3 processes\n\+\+\+ ", text), "sides", text)


def test_bad(directory):
    """One that is named and cannot be read is refused, and nothing is reported."""
    store = record(directory, "bad")
    with open(store, "rb") as file:
        head = file.read(1 << 16)
    version = bytearray(head)
    version[8:12] = (99).to_bytes(4, "little")
    damaged = "not a store, or damaged"
    for number, (content, text) in enumerate(((b"", "recording has not begun"), (head, damaged),
                                              (b"x" * 5000, damaged),
                                              (bytes(version), "a store of another version"))):
        path = f"{store}.{number}"
        with open(path, "wb") as file:
            file.write(content)
        for command in (["report", "leaks"], ["report", "errors"], ["export", "--format=lsan"],
                        ["suppress", "--gen"], ["stats"], ["top", "--batch", "--times=1"], ["diff"]):
            done = tool(*command, store, path, status=2)
            check(done.stderr == f"stackdepot: {path}: {text}\n" and not done.stdout, command, done)
    tool("report", "leaks", os.path.join(directory, "none"), status=2)
    done = tool("report", "leeks", store, status=2)
    check("there is no report 'leeks'" in done.stderr, "no such report", done)
    tool("report", "growth", store, store, store, status=2)


def test_copy(directory):
    """A copy of a store tells the same; a run of the same name begins anew, or goes on if told."""
    store = record(directory, "again")
    shutil.copy(store, store + "-copy")
    check(leaks(store)["stacks"] == leaks(store + "-copy")["stacks"], "a copy")
    store = record(directory, "again", size=500)
    check(by_function(leaks(store))["keep"] == 6 * 500, "anew")
    subprocess.run([TOOL, "run", "--quiet", "--append", "--store", store, "--", FAMILY, str(BYTES)], check=True,
                   stdout=subprocess.DEVNULL)
    found = leaks(store)
    check(by_function(found)["keep"] == 6 * (500 + BYTES), "it goes on", found)
    check([one["serial"] for one in found["processes"]] == [1, 2, 3, 4, 5, 6], "one after the other", found)


def grown_by(*words):
    root = json.loads(tool("report", "growth", "--json", "--interval=1", "--times=2", *words, status=None).stdout)
    check([stack["stack"][0]["function"] for stack in root["growth"]] in (["keep_more"], []), "growth", root)
    return sum(stack["grown_bytes"] for stack in root["growth"])


@contextlib.contextmanager
def stopped(*pids):
    for pid in pids:
        os.kill(int(pid), signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(int(pid), signal.SIGCONT)


def watch(store, pid):
    """Of processes that run: the figures of three, and of one."""
    root = leaks(store)
    check(by_function(root)["keep"] == 6 * BYTES, "all", root)
    root = leaks(pid)
    check(by_function(root)["keep"] == 2 * BYTES, "by PID", root)
    check([str(one["pid"]) for one in root["processes"]] == [pid] and root["processes"][0]["running"], "it", root)
    text = tool("top", "--batch", "--times=2", "--interval=1", store).stdout
    check(re.search(r"^3 processes, 3 of them running; the first, process ", text, re.M), "top", text)
    rows = re.findall(r"^ +\S+ +\S+ +(\S+) +\S+ +\S+  keep_more ", text, re.M)
    check(len(rows) == 2 and rows[1].startswith("+"), "grows", text)
    # One of them stands still, and then the two others.
    others = [str(one["pid"]) for one in leaks(store)["processes"] if str(one["pid"]) != pid]
    with stopped(pid):
        check(grown_by(store) > 0 and not grown_by(pid), "without one")
    with stopped(*others):
        check(grown_by(store) > 0 and grown_by(pid) > 0, "that one alone")


def live_of_running(store):
    shown = re.search(r"^live (\S+)K ", tool("top", "--batch", "--times=1", store).stdout, re.M)
    return float(shown[1]) * 1024


def test_running(directory):
    store = os.path.join(directory, "running")
    with subprocess.Popen([TOOL, "run", "--quiet", "--memory=4M", "--store", store, "--", FAMILY,
                           str(BYTES), "stay"], stdout=subprocess.PIPE, text=True) as process:
        try:
            pid = process.stdout.readline().strip()  # of the second
            eventually(lambda: by_function(leaks(store)).get("keep_more", 0) > 300, "keeps on")
            watch(store, pid)
            os.kill(int(pid), 9)
            # Until the kernel is done with it, it is one of those that run.
            eventually(lambda: live_of_running(store) < 0.8 * leaks(store)["live_bytes"], "what it held is gone")
        finally:
            process.terminate()
    text = tool("stats", store).stdout
    check(re.search(r"^ +4\.0 MiB  size of the store, fixed$", text, re.M), "stats", text)


run_all(globals())
