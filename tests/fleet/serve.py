#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""serve.py TOOL BUGS HOLD - a ClickHouse with a small fleet, until standard input ends or it is told to end; says where it listens.

Two releases of a service, of which the second grows, and an error of one with a hostile name.
"""
import os
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import servers  # noqa: E402
from fleet import BUGS, HOLD, init, push  # noqa: E402
from tool import TOOL, check, record  # noqa: E402

HOSTILE = "<img src=x onerror=alert(1)>"


def fill(server, directory):
    store, bug = f"{directory}/web.stackdepot", f"{directory}/{HOSTILE}.stackdepot"
    process = subprocess.Popen([TOOL, "run", "--quiet", "--memory=4M", f"--store={store}", "--", HOLD], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    check(process.stdout.readline() == "ready\n", "hold.c begins")
    for version, orders in (("1.0", "k"), ("2.0", "kkk")):
        with open(f"{directory}/web.version", "w", encoding="utf-8") as out:
            out.write(version + "\n")
        push(server.url, f"{directory}/spool", store)
        for order in orders:
            process.stdin.write(order)
            process.stdin.flush()
            check(process.stdout.readline() == "done\n", "hold.c does it")
            push(server.url, f"{directory}/spool", store)
    process.stdin.close()
    process.wait()
    record(bug, f"{BUGS}/bug-double-free", options=("--quiet", "--memory=1M"))
    push(server.url, f"{directory}/spool", bug)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # and the server with it
if servers.missing():
    print("skipped: needs", servers.missing(), flush=True)
    sys.exit(77)
with tempfile.TemporaryDirectory() as place, servers.one(f"{place}/server") as one:
    init(one)
    fill(one, place)
    print(one.url, flush=True)
    sys.stdin.read()
