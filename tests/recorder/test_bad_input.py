#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Bad input: one clear line on standard error, the right exit status, and nothing lost.

usage: test_bad_input.py STACKDEPOT PRELOAD_LIBRARY STATIC_PROGRAM

What needs root (another user, a file system that is full) is said to be skipped without.
"""
import os
import shutil
import struct
import subprocess
import sys
import tempfile

TOOL, PRELOAD, STATIC = map(os.path.abspath, sys.argv[1:4])
ROOT = os.geteuid() == 0
MIB = 1 << 20


def check(condition, text, *details):
    if not condition:
        print("FAILED", text, *details, sep="\n")
        sys.exit(1)


def call(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, **more)


def for_others(directory):
    """Copies of tool and recorder that another user can run, wherever this was built."""
    copies = []
    for source, place in ((TOOL, "cli"), (PRELOAD, "recorder")):
        os.makedirs(os.path.join(directory, place))
        copies.append(shutil.copy(source, os.path.join(directory, place)))
    os.chmod(directory, 0o755)
    return copies


def one_line(done, status, line, output=""):
    check(done.returncode == status, f"exit status {done.returncode} should be {status}", done.args, done.stderr)
    check(done.stderr == f"stackdepot: {line}\n", f"should say '{line}' and no more", done.args, done.stderr)
    check(done.stdout == output, "standard output", done.stdout)


def file(directory, name, data=b"", mode=0o644):
    path = os.path.join(directory, name)
    with open(path, "wb") as out:
        out.write(data)
    os.chmod(path, mode)
    return path


def run(directory, *command, options=(), **more):
    return call(TOOL, "run", "--quiet", "--store", os.path.join(directory, "store"), *options, "--", *command,
                **more)


def recorded(directory):
    """The bytes of a sound store."""
    done = run(directory, "/bin/true", options=["--memory=1M"])
    check(done.returncode == 0, "a sound store", done.stderr)
    with open(os.path.join(directory, "store"), "rb") as store:
        return store.read()


# --- programs ---------------------------------------------------------------------------------------


def test_missing_program(directory):
    one_line(run(directory, "no-such-program"), 127, "no-such-program: No such file or directory")
    one_line(run(directory, "/no/such/program"), 127, "/no/such/program: No such file or directory")
    check(not os.listdir(directory), "something was left behind", os.listdir(directory))


def test_not_executable(directory):
    path = file(directory, "plain", b"#!/bin/sh\n")
    one_line(run(directory, path), 126, f"{path}: Permission denied")
    one_line(run(directory, directory), 126, f"{directory}: Is a directory")


def test_not_a_program(directory):
    path = file(directory, "noise", b"\0\1\2\3" * 100, 0o755)
    done = run(directory, path)
    check(done.returncode == 126, "status", done.returncode)
    check(done.stderr == f"stackdepot: {path}: Exec format error\n", "line", done.stderr)


def test_static_program(directory):
    one_line(run(directory, STATIC), 126,
             f"{STATIC} is statically linked: there is nothing a library could be preloaded into")


def test_setuid_program(directory):
    if not ROOT:
        return "root"
    path = os.path.join(directory, "true")
    shutil.copy("/bin/true", path)
    os.chown(path, 65534, 65534)
    os.chmod(path, 0o4755)
    one_line(run(directory, path), 126, f"{path} is setuid or setgid: the loader preloads nothing into it")
    return None


# --- stores -----------------------------------------------------------------------------------------


COMMANDS = [["report"], ["report", "leaks"], ["report", "errors", "--json"], ["report", "top"],
            ["report", "growth", "--times=1", "--interval=0.1"], ["stats"], ["top", "--batch"],
            ["suppress", "--gen"], ["export", "--format=json"], ["export", "--format=sarif"],
            ["export", "--format=lsan"], ["export", "--format=folded"],
            ["export", "--format=speedscope"], ["export", "--format=pprof"]]


def unreadable(directory, data, line):
    path, out = file(directory, "bad", data), os.path.join(directory, "out")
    for command in COMMANDS:
        one_line(call(TOOL, *command, path), 2, f"{path}: {line}")
    one_line(call(TOOL, "export", "--format=pprof", "-o", out, path), 2, f"{path}: {line}")
    one_line(call(TOOL, "flame", path, "-o", out), 2, f"{path}: {line}")
    check(not os.path.exists(out), "something was written")
    store = os.path.join(directory, "store")
    for names in ([path, store], [store, path]):
        if not os.path.exists(store):
            break
        one_line(call(TOOL, "diff", *names), 2, f"{path}: {line}")
        one_line(call(TOOL, "flame", *names, "-o", out), 2, f"{path}: {line}")
        one_line(call(TOOL, "report", "growth", *names), 2, f"{path}: {line}")


def test_missing_store(directory):
    path = os.path.join(directory, "none")
    for command in COMMANDS:
        one_line(call(TOOL, *command, path), 2, f"{path}: No such file or directory")
        one_line(call(TOOL, *command, "99999999"), 2,
                 "99999999: no file of this name, and no process (No such file or directory)")
        one_line(call(TOOL, *command, directory), 2, f"{directory}: not a store, or damaged")


def test_foreign_store(directory):
    unreadable(directory, b"A letter to a friend.\n" * 1000, "not a store, or damaged")
    unreadable(directory, b"short", "not a store, or damaged")


def test_truncated_store(directory):
    data = recorded(directory)
    for size in (100, 4096, len(data) // 2, len(data) - 1):
        unreadable(directory, data[:size], "not a store, or damaged")


def test_damaged_store(directory):
    data = bytearray(recorded(directory))
    data[16:24] = struct.pack("<Q", 7)
    unreadable(directory, data, "not a store, or damaged")


def test_other_version(directory):
    data = bytearray(recorded(directory))
    data[8:12] = struct.pack("<I", 99)
    unreadable(directory, data, "a store of another version")


def test_being_written(directory):
    """The magic number comes last, the size of the file before anything else."""
    data = bytearray(recorded(directory))
    data[0:8] = bytes(8)
    unreadable(directory, data, "recording has not begun")
    unreadable(directory, b"", "recording has not begun")


def test_unreadable_store(directory):
    if not ROOT:
        return "root"
    recorded(directory)
    tool, _ = for_others(directory)
    path = os.path.join(directory, "store")
    one_line(call(tool, "report", path, user="nobody"), 2, f"{path}: Permission denied")
    return None


def test_foreign_file_is_kept(directory):
    """Neither the tool nor the recorder alone writes over what is not a store."""
    path = file(directory, "store", b"precious")
    one_line(run(directory, "/bin/true"), 125, f"{path}: exists, and is not a store; it is left alone")
    done = call("/bin/echo", "done", env={"LD_PRELOAD": PRELOAD, "STACKDEPOT_OPTIONS": f"store={path}"})
    one_line(done, 0, f"/bin/echo: not recorded: {path}: exists, and is not a store", "done\n")
    with open(path, "rb") as kept:
        check(kept.read() == b"precious", "the file was written to")


# --- places -----------------------------------------------------------------------------------------


def test_no_directory(directory):
    path = os.path.join(directory, "none", "store")
    one_line(call(TOOL, "run", "--store", path, "--", "/bin/echo"), 125,
             f"{path}: No such file or directory; nothing was run")


def test_no_permission(directory):
    if not ROOT:
        return "root"
    tool, preload = for_others(directory)
    path = os.path.join(directory, "store")
    done = call(tool, "run", "--quiet", "--store", path, "--", "/bin/echo", user="nobody")
    one_line(done, 125, f"{path}: Permission denied; nothing was run")
    done = call("/bin/echo", "done", user="nobody",
                env={"LD_PRELOAD": preload, "STACKDEPOT_OPTIONS": f"store={path}"})
    one_line(done, 0, f"/bin/echo: not recorded: {path}: Permission denied", "done\n")
    return None


def on_small_disk(directory, script, *arguments):
    """In a mount namespace of its own, which ends with the shell."""
    mount = 'mount -t tmpfs -o size=3m none "$1" || exit 77; shift; '
    return call("unshare", "--mount", "--map-root-user", "sh", "-c", mount + script, "sh", directory, *arguments)


def test_no_space(directory):
    path = os.path.join(directory, "store")
    done = on_small_disk(directory, '"$@"', TOOL, "run", "--store", path, "--", "/bin/echo")
    if done.returncode == 77 or "unshare:" in done.stderr:
        return "a mount: " + done.stderr.strip()
    one_line(done, 125, f"{path}: No space left on device; nothing was run")
    done = on_small_disk(directory, 'LD_PRELOAD=$1 STACKDEPOT_OPTIONS=store=$2 /bin/echo done; ls "${2%/*}"', PRELOAD,
                         path)
    one_line(done, 0, f"/bin/echo: not recorded: {path}: No space left on device", "done\n")
    # Room for the first store and none for that of its child, which goes on without.
    done = on_small_disk(directory, '"$@"; echo $?', TOOL, "run", "--quiet", "--memory=2M", "--store", path, "--",
                         "/bin/sh", "-c", "/bin/echo child; exit 5")
    check(done.stdout == "child\n5\n", "the child's output", done.stdout, done.stderr)
    check(done.stderr == f"stackdepot: /bin/echo: not recorded: {path}: No space left on device\n", "line",
          done.stderr)
    return None


# --- options ----------------------------------------------------------------------------------------


def test_options(directory):
    for option, line in (("--memory=1", "--memory cannot be '1'"), ("--memory=x", "--memory cannot be 'x'"),
                         ("--mode=some", "--mode cannot be 'some'"),
                         ("--children=-1", "--children cannot be '-1'"),
                         ("--children=9999", "--children cannot be '9999'"),
                         ("--error-exitcode=256", "--error-exitcode cannot be '256'")):
        done = run(directory, "/bin/true", options=[option])
        check(done.returncode == 2 and done.stderr.splitlines()[0].startswith(f"stackdepot: run: {line}"), option,
              done.returncode, done.stderr)
    done = call(TOOL, "run", "--store", os.path.join(directory, "a:b"), "--", "/bin/true")
    one_line(done, 125, f"{directory}/a:b: the name of a store has no colon")


def test_environment(directory):
    for text, line in (("nonsense=1", "cannot make sense of 'nonsense=1'; help=1 lists the options"),
                       ("memory=lots", "cannot make sense of 'memory=lots'; help=1 lists the options"),
                       ("children=5000", "a value is out of range")):
        done = call("/bin/echo", "done", cwd=directory, env={"LD_PRELOAD": PRELOAD, "STACKDEPOT_OPTIONS": text})
        one_line(done, 0, f"/bin/echo: not recorded: STACKDEPOT_OPTIONS: {line}", "done\n")
    check(not os.listdir(directory), "something was left behind", os.listdir(directory))


def main():
    tests = [name for name in globals() if name.startswith("test_")]
    for name in tests:
        with tempfile.TemporaryDirectory() as directory:
            missing = globals()[name](os.path.realpath(directory))
        print(f"skipped {name[5:]}: needs {missing}" if missing else f"ok {name[5:]}", flush=True)


main()
