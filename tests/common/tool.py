# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What the tests of the tool share: a check that says what was found, and the tool itself.

The first argument of such a test is the stackdepot to try.
"""
import json
import os
import socket
import subprocess
import sys
import tempfile
import time

TOOL = os.path.abspath(sys.argv[1])
DETAIL = 4000  # characters of each that are shown
SLEEPS = ("101", "115") if os.uname().machine == "aarch64" else ("35", "230")
PATIENCE = 120  # seconds, for what takes one on a machine without other work


def check(condition, text, *details):
    if condition:
        return
    print("FAILED", text)
    for detail in details:
        print(str(detail)[:DETAIL])
    sys.exit(1)


def call(*command, **options):
    """Whatever its status is."""
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def tool(*words, status=0, **options):
    """STATUS is the one it should have; None: that it found something, or nothing."""
    done = call(TOOL, *words, **options)
    check(done.returncode in ((0, 1) if status is None else (status,)), f"{words}: exit status {done.returncode}, not {status}", done.stdout,
          done.stderr)
    return done


def record(store, *command, options=("--quiet",), **more):
    """What the tool and the program say, and how they end."""
    return call(TOOL, "run", *options, "--store", store, "--", *command, **more)


def report(kind, store, *options, status=None):
    """The report as JSON, all of it."""
    done = call(TOOL, "report", kind, "--json", "--all", *options, store)
    check(done.returncode in ((0, 1) if status is None else (status,)),
          f"report {kind} {options} {store}: exit status {done.returncode}", done.stdout, done.stderr)
    return json.loads(done.stdout)


def eventually(holds, text, seconds=PATIENCE, details=lambda: ()):
    """What `holds` returns, once that is true; if it never is, `details` are looked up."""
    until = time.monotonic() + seconds
    while True:
        found = holds()
        if found:
            return found
        if time.monotonic() >= until:
            check(False, text, found, *details())
        time.sleep(0.05)


def listens(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def on_free_port(start, text):
    """A server that listens, and its port: another one if somebody else took the first meanwhile."""
    for _ in range(10):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
        process = start(port)
        eventually(lambda: process.poll() is not None or listens(port), text)
        if process.poll() is None:
            return process, port
    check(False, f"{text}: it ends", process.returncode)
    return None


def asleep(pid):
    """Whether a process is between two looks: in nanosleep() or clock_nanosleep()."""
    try:
        with open(f"/proc/{pid}/syscall", encoding="ascii") as file:
            return file.read().split()[0] in SLEEPS
    except (OSError, IndexError): # it has ended
        return False


def run_all(names):
    """Each test_... of `names`, in a directory of its own; TESTS in the environment chooses. What one
    returns is what it would have needed."""
    chosen = os.environ.get("TESTS", "").split()
    for name, test in list(names.items()):
        if not name.startswith("test_") or (chosen and name[5:] not in chosen):
            continue
        with tempfile.TemporaryDirectory() as directory:
            missing = test(os.path.realpath(directory))
        print(f"skipped {name[5:]}: needs {missing}" if missing else f"ok {name[5:]}", flush=True)
