# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What the tests of the tool share: a check that says what was found, and the tool itself.

The first argument of such a test is the stackdepot to try.
"""
import json
import os
import subprocess
import sys
import tempfile

TOOL = os.path.abspath(sys.argv[1])
DETAIL = 4000  # characters of each that are shown


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
