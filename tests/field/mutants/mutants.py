#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Break the recorder and the tool on purpose, one place at a time, and see that situations notice.

Each mutant (defects.py) is a piece of text and what replaces it, and which situations must fail
then, each in one mode. All is done in a copy of the tree, of which only the library or the tool is
built again. It is an error if the text is not in the file exactly once, if the mutant does not
compile, or if one of its situations holds: then either that has a hole, or the code is not needed.
Before, the situations have to hold with the tree as it is.

What no situation can be in, as those are run by the tool, a test of tests/recorder is for: of that
the mode is its name.

usage: mutants.py --build DIR [--only TEXT] [--list | --texts]
--texts looks only whether each text is there.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

from defects import MUTANTS

SOURCE = pathlib.Path(__file__).resolve().parents[3]
COPIED = ("src", "include", "tests", "examples", "bench", "fuzz", "linux", "man", "share", "tools",
          "docs", "run", "README.md", "CONTRIBUTING.md", "meson.build", "meson_options.txt", "LICENSES")
# Compiling as one file what the library is of, and well, would take most of the time.
FLAGS = "-O1 -fno-lto"
BUILT = ("src/recorder/libstackdepot-preload.so", "src/cli/stackdepot", "tests/field/field-watch",
         "tests/recorder/recorder-many")


class Broken(Exception):
    pass


class Tree:
    """A copy of the source, and its build."""

    def __init__(self, directory):
        self.source = directory / "source"
        self.build = directory / "build"

    def update(self):
        """What is not in the copy, or is another there."""
        for name in COPIED:
            for path in sorted([SOURCE / name, *(SOURCE / name).rglob("*")]):
                to = self.source / path.relative_to(SOURCE)
                if path.is_dir() or "node_modules" in path.parts or "__pycache__" in path.parts:
                    continue
                to.parent.mkdir(parents=True, exist_ok=True)
                if not to.exists() or to.read_bytes() != path.read_bytes():
                    shutil.copy(path, to)

    def configure(self):
        if (self.build / "build.ninja").exists():
            return
        run_or_break(["meson", "setup", str(self.build), str(self.source), "-Dflame=disabled"],
                     {"CFLAGS": FLAGS, "LDFLAGS": FLAGS})

    def make(self):
        run_or_break(["ninja", "-C", str(self.build), *BUILT])

    def change(self, mutant):
        for change in mutant.changes:
            path = self.source / "src" / change.file
            path.write_text(text_with(path, change.old).replace(change.old, change.new))

    def restore(self, mutant):
        for change in mutant.changes:
            shutil.copyfile(SOURCE / "src" / change.file, self.source / "src" / change.file)

    def holds(self, situation, mode):
        """True, False, or None: what it needs is not here."""
        if situation == "recorder/test_one_store":
            return self.test_holds(situation, mode)
        done = subprocess.run([sys.executable, str(SOURCE / "tests/field/run"), "--slow",
                               "--only", situation, "--mode", mode,
                               str(self.build / BUILT[1]), str(self.build / BUILT[2])],
                              capture_output=True, text=True, errors="replace")
        found = re.search(rf"^(ok    |FAILED|skipped) {re.escape(situation)}(?: {mode}$|:(.*)$)",
                          done.stdout, re.M)
        if not found or found.group(1) == "FAILED" and found.group(2):
            raise Broken(f"{situation} cannot be tried:\n{done.stdout}{done.stderr}")
        return {"ok    ": True, "FAILED": False, "skipped": None}[found.group(1)]

    def test_holds(self, test, name):
        done = subprocess.run([sys.executable, str(SOURCE / "tests" / (test + ".py")),
                               *(str(self.build / BUILT[i]) for i in (1, 0, 3))],
                              capture_output=True, text=True, errors="replace",
                              env={**os.environ, "TESTS": name})
        if not re.search(r"^(ok|FAILED|skipped) ", done.stdout, re.M):
            raise Broken(f"{test} {name} cannot be tried:\n{done.stdout}{done.stderr}")
        return None if "skipped" in done.stdout else not done.returncode


def text_with(path, old):
    """What is in the file, if it has the text to change once."""
    text = path.read_text()
    if text.count(old) != 1:
        raise Broken(f"{path.name} has the text {text.count(old)} times, not once:\n{old}")
    return text


def are_there(mutants):
    """Whether each mutant still has something to change."""
    there = True
    for mutant in mutants:
        try:
            for change in mutant.changes:
                text_with(SOURCE / "src" / change.file, change.old)
        except Broken as broken:
            print(f"not ok  {mutant.name}: {broken}")
            there = False
    return there


def run_or_break(command, environment=None):
    done = subprocess.run(command, capture_output=True, text=True, errors="replace",
                          env={**os.environ, **(environment or {})})
    if done.returncode:
        raise Broken(f"{' '.join(command[:2])}:\n" + done.stdout[-3000:] + done.stderr[-3000:])


def try_mutant(tree, mutant, held):
    """True if it was found by all its situations, None if none of them can be run here."""
    there = [wanted for wanted in mutant.found_by if held[wanted] is not None]
    if not there:
        print(f"skipped  {mutant.name}: what its situations need is missing", flush=True)
        return None
    start = time.monotonic()
    try:
        tree.change(mutant)
        tree.make()
        missed = [" ".join(wanted) for wanted in there if tree.holds(*wanted)]
    except Broken as broken:
        print(f"not ok  {mutant.name}: {broken}", flush=True)
        return False
    finally:
        tree.restore(mutant)
    seconds = time.monotonic() - start
    print(f"{'not ok  SURVIVED' if missed else 'ok  found'}  {mutant.name}  ({seconds:.0f} s)", flush=True)
    if missed:
        print(f"    holds: {', '.join(missed)}\n    why it should not: {mutant.why}", flush=True)
    return not missed


def try_original(tree, wanted):
    """What holds with the tree as it is; else anything would be found."""
    tree.update()
    tree.configure()
    tree.make()
    held = {each: tree.holds(*each) for each in wanted}
    for each in wanted:
        if held[each] is False:
            print(f"not ok  {' '.join(each)} fails with the tree as it is", flush=True)
    return held


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=SOURCE / "build-mutants")
    parser.add_argument("--only", default="", help="those with this in their names, or in those of their situations")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--texts", action="store_true", help="only whether each text is there")
    arguments = parser.parse_args()
    mutants = [mutant for mutant in MUTANTS
               if arguments.only in " ".join([mutant.name, *map(" ".join, mutant.found_by)])]
    if arguments.list:
        for mutant in mutants:
            print(f"{mutant.name}: {mutant.why}; {', '.join(map(' '.join, mutant.found_by))}")
        return 0
    if arguments.texts:
        return 0 if are_there(mutants) else 1
    if not mutants:
        print("no mutant is called so")
        return 2
    tree = Tree(arguments.build.resolve())
    try:
        held = try_original(tree, sorted({wanted for mutant in mutants for wanted in mutant.found_by}))
    except Broken as broken:
        print(f"not ok  the tree as it is: {broken}")
        return 1
    if False in held.values():
        return 1
    print(f"ok  the tree as it is, {len(held)} situations", flush=True)
    results = [try_mutant(tree, mutant, held) for mutant in mutants]
    tried = len(results) - results.count(None)
    print(f"{results.count(True)} of {tried} mutants found, {results.count(None)} skipped")
    return 0 if results.count(True) == tried else 1


if __name__ == "__main__":
    sys.exit(main())
