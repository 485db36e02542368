#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Break the core on purpose, one place at a time, and see that the controlled schedules notice.

Each mutant is a piece of the core's text and what replaces it. A copy of the core with it is built
with the test port and run; the mutant is found if that run fails. It is an error if the text is not
in the file exactly once, if the mutant does not compile, or if nothing is found: then either the tests
have a hole or the code says something that is not needed.

    mutants.py --source DIR --build DIR [--cc CC] [--run] [--only TEXT] [--list]

--run: of the recorder and the store instead, as processes of tests/schedule/run are made of them.
"""
import argparse
import collections
import pathlib
import shutil
import subprocess
import sys
import time

import defects
import defects_run

RUN_SECONDS = 600


class Broken(Exception):
    pass


def apply(changes, copy):
    for change in changes:
        path = copy / change.file
        text = path.read_text()
        if text.count(change.old) != 1:
            raise Broken(f"{change.file} has the text {text.count(change.old)} times, not once:\n"
                         f"{change.old}")
        path.write_text(text.replace(change.old, change.new))


def folder_copy(source, build, folder):
    shutil.rmtree(build / folder, ignore_errors=True)
    return pathlib.Path(shutil.copytree(source / "src" / folder, build / folder))


def core_copy(source, build, mutant):
    """The core's directory with the mutant's change."""
    copy = folder_copy(source, build, "depot")
    apply(mutant.changes if mutant else [], copy)
    return copy


def object_name(path):
    return path.parent.name + "-" + path.stem + ".o"


def compile_files(compiler, files, includes, build, jobs=2, options=()):
    """Objects of files, at most `jobs` at a time."""
    running, objects = collections.deque(), []
    for path in files:
        if len(running) == jobs:
            compile_wait(running.popleft())
        target = build / object_name(path)
        objects.append(target)
        command = [compiler, "-O1", "-std=gnu11", "-w", "-c", str(path), "-o", str(target)]
        running.append(subprocess.Popen(command + [f"-I{i}" for i in includes] + list(options),
                                        stderr=subprocess.PIPE, text=True))
    for process in running:
        compile_wait(process)
    return objects


def compile_wait(process):
    errors = process.communicate()[1]
    if process.returncode:
        raise Broken("does not compile:\n" + errors)


def build_program(arguments, build, mutant, original=None):
    """Where only .c files are changed, all other objects are those of `original`."""
    source = arguments.source
    copy = core_copy(source, build, mutant)
    unit = mutant and mutant.unit
    includes = [source / "src/port/test", source / "src/port", copy, source / "include",
                source / "tests/schedule", source / "tests/common"]
    files = sorted(copy.glob("*.c")) + [source / "src/port/test/port.c"]
    files += [source / "tests/unit" / unit] if unit else sorted((source / "tests/schedule").glob("*.c"))
    if unit:
        original = None
    objects = []
    if original and all(change.file.endswith(".c") for change in mutant.changes):
        changed = {copy / change.file for change in mutant.changes}
        objects = [original / object_name(path) for path in files if path not in changed]
        files = sorted(changed)
    objects += compile_files(arguments.cc, files, includes, build)
    program = build / "schedule"
    libraries = ["-lcmocka"] if unit else []
    subprocess.run([arguments.cc, "-o", program] + objects + libraries, check=True)
    return program


def build_run(arguments, build, mutant, original=None):
    """As build_program(); the files that are broken are compiled for the explorer to see their accesses."""
    source = arguments.source
    folders = [folder_copy(source, build, folder) for folder in ("store", "recorder")]
    apply(mutant.changes if mutant else [], build)
    run = source / "tests/schedule/run"
    includes = [*folders, source / "src/unwind", source / "src", source / "include", run, run.parent]
    core = [source / "src" / name for name in ("depot", "port", "port/test")]
    seen = [build / name for name in defects_run.FILES]
    objects = []
    if original:
        changed = {build / change.file for change in mutant.changes}
        if all(path.suffix == ".c" for path in changed):
            objects = [original / object_name(path) for path in seen if path not in changed]
            seen = sorted(changed)
        objects += [path for path in original.glob("*.o") if path.stem.split("-")[0] not in ("store", "recorder")]
    else:
        rest = sorted((source / "src/depot").glob("*.c")) + sorted(run.glob("*.c"))
        rest += [run.parent / "explore.c", source / "src/port/test/port.c", source / "src/port/user/repair.c"]
        objects += compile_files(arguments.cc, rest, core + includes, build)
    objects += compile_files(arguments.cc, seen, includes, build, options=[
        "-fsanitize=thread", "-U_FORTIFY_SOURCE", "-include", str(run / "stand_in.h")])
    program = build / "schedule-run"
    subprocess.run([arguments.cc, "-o", program] + objects, check=True)
    return program


def run_program(program, scenarios, more=()):
    """(failed, what it said)"""
    command = [str(program), *more]
    for scenario in scenarios:
        command += ["--only", scenario]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=RUN_SECONDS)
    except subprocess.TimeoutExpired:
        return True, "no end"
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "test port"))]
    lines += [line for line in done.stdout.splitlines() if line.startswith("[  FAILED  ]")]
    if done.returncode and not lines:
        lines = [f"ended with status {done.returncode}"]
    # Status 2 is the explorer's own: no such scenario.
    if done.returncode == 2 and scenarios:
        raise Broken(f"no scenario is called {scenarios}")
    return done.returncode != 0, lines[0] if lines else ""


def try_mutant(arguments, mutant):
    """True if it was found."""
    build = arguments.build / ("mutant-run" if arguments.run else "mutant")
    build.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    try:
        make = build_run if arguments.run else build_program
        failed, said = run_program(make(arguments, build, mutant, original_of(arguments)), mutant.scenarios)
    except Broken as broken:
        print(f"not ok  {mutant.name}: {broken}", flush=True)
        return False
    seconds = time.monotonic() - start
    print(f"{'ok  found' if failed else 'not ok  SURVIVED'}  {mutant.name}  ({seconds:.1f} s)\n"
          f"    {said or 'why it should be found: ' + mutant.why}", flush=True)
    return failed


def original_of(arguments):
    return arguments.build / ("original-run" if arguments.run else "original")


def try_original(arguments, mutants):
    """Unchanged, the same scenarios have to pass; else anything would be found.

    One preemption is enough here: the schedule tests themselves do the rest.
    """
    build = original_of(arguments)
    build.mkdir(parents=True, exist_ok=True)
    scenarios = sorted({scenario for mutant in mutants for scenario in mutant.scenarios})
    if arguments.run:
        failed, said = run_program(build_run(arguments, build, None), scenarios)
    else:
        failed, said = run_program(build_program(arguments, build, None), scenarios, ["--bound", "1"])
    print(f"{'not ok' if failed else 'ok'}  the code as it is, {len(scenarios)} scenarios  {said}",
          flush=True)
    return not failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--run", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    arguments.source = arguments.source.resolve()
    every = defects_run.MUTANTS if arguments.run else defects.MUTANTS
    mutants = [mutant for mutant in every if arguments.only in mutant.name]
    if arguments.list:
        for mutant in mutants:
            print(f"{mutant.name}: {mutant.why}")
        return 0
    if not mutants:
        print("no mutant is called so")
        return 2
    if not try_original(arguments, mutants):
        return 1
    found = sum([try_mutant(arguments, mutant) for mutant in mutants])
    print(f"{found} of {len(mutants)} mutants found")
    return 0 if found == len(mutants) else 1


if __name__ == "__main__":
    sys.exit(main())
