#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Tests that want a version of the emulator say so when they are skipped or fail on another one, and else do not.

usage: test_version.py
"""
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TESTS = [HERE / "test_tags.py", HERE / "programs.py", HERE / "mutants.py", HERE / "matrix.py", HERE.parent / "field/emulated.py"]
SKIP = 77


def said(test, directory, version):
    """With an emulator of that version, and no compiler: skipped."""
    emulator = pathlib.Path(directory) / "qemu-aarch64"
    emulator.write_text(f"#!/bin/sh\necho 'qemu-aarch64 version {version} (Debian)'\n")
    emulator.chmod(0o755)
    done = subprocess.run([sys.executable, test, "stackdepot", directory], capture_output=True, text=True, check=False,
                          env={**os.environ, "PATH": directory})
    if done.returncode != SKIP or not done.stdout.startswith("skipped: needs gcc-aarch64-linux-gnu\n"):
        sys.exit(f"{test.name}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout.splitlines()[1:]


def main():
    for test in TESTS:
        with tempfile.TemporaryDirectory() as directory:
            for version in ("7.2.22", "7.2"):
                if said(test, directory, version):
                    sys.exit(f"{test.name} complains of {version}")
            for version in ("10.0.3", "7.20.1", "8.2.0"):
                lines = said(test, directory, version)
                if len(lines) != 1 or f"is {version}: these tests want qemu-user 7.2" not in lines[0]:
                    sys.exit(f"{test.name} says of {version}: {lines}")


main()
