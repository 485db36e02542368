#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What the recorder had to say, and which programs it did not get into, is in every JSON too.

usage: test_notes.py STACKDEPOT NOTES STATIC UNSEEN
"""
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from tool import call, check, record, run_all, TOOL  # noqa: E402

NOTES, STATIC, UNSEEN = (os.path.abspath(path) for path in sys.argv[2:5])
COMMANDS = [["report", "leaks", "--json"], ["report", "errors", "--json"], ["report", "top", "--json"],
            ["stats", "--json"], ["export", "--format=json"]]


def test_in_json(directory):
    store = os.path.join(directory, "store")
    record(store, NOTES, STATIC)
    text = call(TOOL, "report", store).stdout
    check(f"Not recorded: 2 x {STATIC} (static)" in text and
          re.search(r"not recorded: .*\(RLIMIT_AS\), .* \(2 times\)$", text, re.M),
          "in text", text)
    for command in COMMANDS:
        found = json.loads(call(TOOL, *command, store).stdout)
        check(found["not_recorded"] == [{"program": STATIC, "count": 2, "reason": "static"}], command,
              found["not_recorded"])
        message, = found["messages"]
        check("(RLIMIT_AS)" in message["text"] and message["count"] == 2, command, message)
        check(message["pid"] != found.get("pid", found.get("process", {}).get("pid")), command, message)
        check(found["unseen_heaps"] == [], command, found["unseen_heaps"])
        if "stats" in command or "export" in command:
            figures = found.get("stats", found)
            check(figures["messages_dropped"] == figures["programs_dropped"] == 0, command, figures)


def test_without(directory):
    store = os.path.join(directory, "store")
    record(store, "/bin/true")
    for command in COMMANDS:
        found = json.loads(call(TOOL, *command, store).stdout)
        check((found["not_recorded"], found["messages"]) == ([], []), command, found)


def about(store):
    text = call(TOOL, "report", "leaks", store).stdout
    found = json.loads(call(TOOL, "report", "leaks", "--json", store).stdout)
    check(found["unseen_heaps"] == [{"allocator": "hardened_malloc", "module": "report-unseen", "hidden": True}],
          "the heap", found["unseen_heaps"])
    return re.findall(r"^About ([0-9.]+) MiB of anonymous memory is not among", text, re.M), found["unseen_bytes_about"]


def test_bytes_unseen(directory):
    """40 MiB are not seen, and 10 are; what runs shows it, and what has ended no more."""
    store = os.path.join(directory, "store")
    with subprocess.Popen([TOOL, "run", "--quiet", "--store", store, "--", UNSEEN], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as running:
        check(running.stdout.readline() == "ready\n", "it runs")
        shown, estimate = about(store)
        running.communicate("\n")
    check(len(shown) == 1 and 39 < float(shown[0]) < 46, "in text", shown)
    check(39 << 20 < estimate < 46 << 20, "in JSON", estimate)
    check(about(store) == ([], None), "of what has ended", about(store))


run_all(globals())
