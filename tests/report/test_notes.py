#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What the recorder had to say, and which programs it did not get into, is in every JSON too.

usage: test_notes.py STACKDEPOT NOTES STATIC
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from tool import call, check, record, run_all, TOOL  # noqa: E402

NOTES, STATIC = (os.path.abspath(path) for path in sys.argv[2:4])
COMMANDS = [["report", "leaks", "--json"], ["report", "errors", "--json"], ["report", "top", "--json"],
            ["stats", "--json"], ["export", "--format=json"]]


def test_in_json(directory):
    store = os.path.join(directory, "store")
    record(store, NOTES, STATIC)
    text = call(TOOL, "report", store).stdout
    check(f"Not recorded: 2 x {STATIC} (static)" in text and "(RLIMIT_FSIZE) (2 times)" in text,
          "in text", text)
    for command in COMMANDS:
        found = json.loads(call(TOOL, *command, store).stdout)
        check(found["not_recorded"] == [{"program": STATIC, "count": 2, "reason": "static"}], command,
              found["not_recorded"])
        message, = found["messages"]
        check(message["text"].endswith("(RLIMIT_FSIZE)") and message["count"] == 2, command, message)
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


run_all(globals())
