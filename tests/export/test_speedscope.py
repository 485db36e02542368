# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""speedscope's file format: ajv with the schema that speedscope ships, and the report's figures."""
import json
import os
import tempfile

from common import READERS, bug, check, export, names, real_program, record, report, validate

SCHEMA = os.path.join(READERS, "node_modules/speedscope/dist/release/file-format-schema.json")
KEYS = ["live_bytes", "live_objects", "allocated_bytes", "allocations"]


def compare(store):
    path = store + ".speedscope.json"
    export("speedscope", store, "--value", "allocs", "-o", path)
    validate(SCHEMA, path)
    with open(path, encoding="utf-8") as file:
        root = json.load(file)
    check(root["activeProfileIndex"] == 3, "--value")
    frames = [frame["name"] for frame in root["shared"]["frames"]]
    top = report("top", store)["stacks"]
    for key, profile in zip(KEYS, root["profiles"], strict=True):
        wanted = sorted((names(stack["stack"])[::-1], stack[key]) for stack in top if stack[key] > 0)
        found = sorted(([frames[i] for i in sample], weight) for sample, weight in
                       zip(profile["samples"], profile["weights"], strict=True))
        check(found == wanted, f"{key} of {store}")
        check(profile["endValue"] == sum(profile["weights"]), "endValue")
        check(profile["unit"] == ("bytes" if "bytes" in key else "none"), "unit")


def main():
    with tempfile.TemporaryDirectory() as directory:
        compare(record(directory, "leak", bug("leak")))
        compare(real_program(directory))


main()
