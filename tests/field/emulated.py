#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Situations of tests/field on arm64, in qemu-user: the same status and output with the library as without.

usage: emulated.py STACKDEPOT DIRECTORY SOURCE...   DIRECTORY is to build in, the sources are the library's

It is the processor's part that is asked for: entries of the C library's functions that lead to the recorder,
entries of handlers, frames that are moved to another stack. What starts other programs cannot be run so.
SITUATIONS, in the environment, chooses some.
"""
import os
import pathlib
import shlex
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tags")]
import arm64  # noqa: E402
import expectation  # noqa: E402
from situation import situations  # noqa: E402

SKIP = 77
# Not with threads, and not what the emulator does not have: SS_AUTODISARM, small alternate stacks.
NAMES = ("signals/next_function", "signals/interfaces", "signals/early", "signals/same_structure", "signals/recover",
         "signals/resume", "signals/onstack-big", "signals/inherit",
         "allocators/dlsym_handle", "allocators/deepbind", "ownmalloc/goes_round", "ownmalloc/library")
MODES = {"full": "", "guard": "guard=50"}


def outcome(done):
    return done.returncode, done.stdout, done.stderr


class Emulated:
    def __init__(self, tool, machine, directory):
        self.tool, self.machine, self.directory = tool, machine, pathlib.Path(directory)

    def program(self, situation):
        """Where it is, built by the cross compiler; SystemExit with what that says."""
        build = self.directory / situation.kind / situation.program
        trouble = situation.build(str(build))
        if trouble:
            sys.exit(f"{situation.name}: {trouble}")
        return build / situation.program

    def words(self, situation, program):
        """Its arguments; where it is run several times, the first time's. A shell has no part in it."""
        command = situation.run_command().split(";")[0]
        return shlex.split(command.replace("$BIN", str(program.parent)))[1:]

    def differences(self, situation, mode):
        program, store = self.program(situation), self.directory / "run.store"
        words = self.words(situation, program)
        store.unlink(missing_ok=True)
        native, again, recorded = (outcome(self.machine.run(program, *words, store=store, options=MODES[mode], preload=preload))
                                   for preload in (False, False, True))
        if native != again:
            return [f"varies natively: {native}, {again}"]
        lines = [] if native == recorded else [f"natively {native}, recorded {recorded}"]
        if not store.exists():
            return [*lines, "there is no store"]
        reports = expectation.Reports(self.tool, str(store), "")
        return lines + expectation.failures(reports, situation, mode)


def main():
    missing = arm64.missing()
    if missing:
        print(f"skipped: needs {missing}")
        arm64.end(SKIP)
    os.environ["CC"], os.environ["CXX"] = arm64.COMPILER, arm64.CXX
    tool, directory, sources = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3:]
    machine = arm64.Arm64(directory, sources)
    trouble = machine.build()
    if trouble:
        sys.exit(trouble)
    chosen, failed = os.environ.get("SITUATIONS", "").split() or NAMES, 0
    there = {situation.name: situation for situation in situations(str(HERE))}
    with tempfile.TemporaryDirectory() as scratch:
        emulated = Emulated(tool, machine, scratch)
        for name in chosen:
            for mode in MODES:
                lines = emulated.differences(there[name], mode)
                failed += bool(lines)
                print("FAILED" if lines else "ok    ", name, mode, *lines, flush=True)
    arm64.end(int(failed != 0))


if __name__ == "__main__":
    main()
