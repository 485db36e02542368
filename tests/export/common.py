# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What the tests of exports share: stores to export, and what `stackdepot report` says of them."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from tool import TOOL, check  # noqa: E402

PROGRAMS, READERS, SOURCE = (os.path.abspath(word) for word in sys.argv[2:5])
BUGS = os.path.join(PROGRAMS, "bugs")
PYTHON = ["/usr/bin/python3", "-c", "import json, decimal; print(len(json.dumps([1] * 5000)))"]


def run(*command, status=0, **options):
    done = subprocess.run(command, capture_output=True, text=options.pop("text", True), **options)
    check(done.returncode == status, f"{command[:6]}: exit status {done.returncode}", done.stdout,
          done.stderr)
    return done


def bug(name):
    return [os.path.join(BUGS, "bug-" + name)]


def record(directory, name, command, **environment):
    store = os.path.join(directory, name + ".store")
    subprocess.run([TOOL, "run", "--quiet", "--store", store, "--", *command], check=False,
                   stdout=subprocess.DEVNULL, env={**os.environ, **environment})
    check(os.path.exists(store), f"{command} was not recorded")
    return store


def real_program(directory):
    """Python: thousands of stacks, and frames without symbols."""
    return record(directory, "python", PYTHON, PYTHONMALLOC="malloc")


def report(kind, store, *options):
    done = subprocess.run([TOOL, "report", kind, "--json", "--all",
                           "--no-default-suppressions", *options, store], capture_output=True,
                          text=True, check=False)
    check(done.returncode in (0, 1), f"report {kind} {store}", done.stderr)
    return json.loads(done.stdout)


def export(format_name, store, *options, **how):
    return run(TOOL, "export", "--format", format_name, *options, store, **how).stdout


def names(stack):
    """Of a stack of the report, innermost first, frames without symbols as exports call them."""
    return [frame["function"] or f"{os.path.basename(frame['module'])}+{frame['offset']:#x}"
            for frame in stack or []]


def validate(schema, path):
    """With ajv; that the schema refuses anything at all is asked too."""
    script = os.path.join(SOURCE, "tests", "export", "validate.js")
    run("node", script, READERS, schema, path)
    with open(path, encoding="utf-8") as file:
        broken = json.load(file)
    for key in list(broken):
        broken[key] = {"no": "such thing"}
    with open(path + ".broken", "w", encoding="utf-8") as file:
        json.dump(broken, file)
    run("node", script, READERS, schema, path + ".broken", status=1)
