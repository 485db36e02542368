# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Our own JSON: ajv and the schema that is installed, and the figures and stacks of the report."""
import json
import os
import tempfile

from common import PROGRAMS, SOURCE, bug, check, export, names, real_program, record, report, validate

SCHEMA = os.path.join(SOURCE, "share", "stackdepot-export.schema.json")
SUMS = ("live_bytes", "live_objects", "allocated_bytes", "allocations")


def stack_names(root, stack):
    found = []
    for number in stack or []:
        frame = root["frames"][number]
        for line in frame["lines"]:
            found.append(line["function"] or
                         f"{os.path.basename(frame['module'])}+{int(frame['offset'], 16):#x}")
    return found


def compare(store, *options):
    path = store + ".json"
    export("json", store, *options, "-o", path)
    validate(SCHEMA, path)
    with open(path, encoding="utf-8") as file:
        root = json.load(file)
    top = report("top", store, *options)
    for key in SUMS:
        check(sum(stack[key] for stack in root["stacks"]) == top[key], f"{key} of {store}")
    rows = sorted((names(stack["stack"]), [stack[key] for key in SUMS]) for stack in top["stacks"])
    found = sorted((stack_names(root, stack["frames"]), [stack[key] for key in SUMS])
                   for stack in root["stacks"])
    check(rows == found, f"stacks of {store} differ")
    check([stack["live_bytes"] for stack in root["stacks"]] ==
          sorted((stack["live_bytes"] for stack in root["stacks"]), reverse=True), "order")
    errors = report("errors", store, *options)["errors"]
    check([(error["kind"], names(error["stack"]), names(error["allocated"]), names(error["freed_at"]))
           for error in errors] ==
          [(error["kind"], *(stack_names(root, error[key])
                             for key in ("frames", "allocated", "freed_at")))
           for error in root["errors"]], f"errors of {store}")
    check(root["process"]["command"] == top["command"], "command", root["process"])
    check(any(module["build_id"] for module in root["modules"]), "no build-ids")
    check(root["stats"]["events"] == report("stats", store, *options)["events"], "stats")
    return root


def main():
    with tempfile.TemporaryDirectory() as directory:
        compare(record(directory, "leak", bug("leak")))
        check(len(compare(record(directory, "five-bugs", bug("five-bugs")))["errors"]) == 4, "errors")
        compare(real_program(directory))
        family = os.path.join(PROGRAMS, "report", "report-family")
        root = compare(record(directory, "family", [family, "1000"]))
        check(len(root["processes"]) == 3 and root["process"] == root["processes"][0], "processes", root)
        check([process["serial"] for process in root["processes"]] == [1, 2, 3], "serial", root["processes"])
        for key in SUMS:
            check(sum(process[key] for process in root["processes"]) ==
                  sum(stack[key] for stack in root["stacks"]), f"processes' {key}", root["processes"])
        check([process["errors"] for process in root["processes"]] == [1, 1, 1], "errors", root["processes"])
        check([error["processes"] for error in root["errors"]] == [3], "errors", root["errors"])
        # A name that is not UTF-8.
        odd = os.path.join(os.fsencode(directory), b"odd-\xff\xc3\xa9")
        os.symlink(os.fsencode(bug("leak")[0]), odd)
        root = compare_command(record(directory, "odd", [odd]))
        check(root["process"]["command"][0].endswith("odd-\\xff\u00e9"), root["process"]["command"])


def compare_command(store):
    path = store + ".json"
    export("json", store, "-o", path)
    validate(SCHEMA, path)
    with open(path, encoding="utf-8") as file:
        return json.load(file)


main()
