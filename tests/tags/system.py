#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Hardware tags on a whole machine: Debian for arm64 in QEMU, with its own kernel. What test_tags.py tries, also
in threads; threads that hand objects to each other; and programs with work, which do what they do without tags.

usage: system.py STACKDEPOT DIRECTORY SOURCE...   as test_tags.py

tests/tags/image makes what is booted, once. TESTS in the environment chooses.
"""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import types

import arm64
import test_tags
from test_tags import DIRECTORY, HERE, OOB, SKIP, TWICE, UAF, Failed, check, report, run_all

TESTS = HERE.parent
SECONDS = 3600
SHARED = [TESTS / "common/tool.py", TESTS / "recorder/test_programs.py"]

# tests/tags/threads.c: what it says, and errors: kind, and functions of the stacks of access, allocation and free.
THREADS_RIGHT = {"exchange": ["read 0 wrong"], "come_and_go": ["read 0 wrong"], "fork_among_them": ["read 20 of 20"],
                 "own_of_each": ["read 0 wrong"]}
THREADS_OTHERWISE = ["tags=async", "tags=sync:mode=sample=2048", "tags=sync:overhead=5"]
THREADS_WRONG = {
    "read_freed_by_another": (1, UAF, "read_at", "allocate", "release"),
    "free_again_by_another": (1, TWICE, "release", "allocate", "release"),
    "read_beyond_in_each": (4, OOB, "read_at", "allocate", None),
}
# Programs of test_programs.py, and what is to be said of their stores: None, if they have tags.
PROGRAMS = {"python": None, "sqlite3": None, "git": None, "redis": None, "node": None, "postgres": None}
# The function of tests/tags/ends_wrong.c; and the processes of PostgreSQL's server that there are at least: itself, five that it begins with,
# and those of 20 transactions, three scripts, a question, and pgbench's first one.
ENDS_WRONG, SERVER_PROCESSES = "read_beyond", 31


class System:
    """The machine: has run() of arm64.Arm64, and calls for guest.py."""

    jemalloc = "/" + arm64.JEMALLOC

    def __init__(self, built, directory, image, processors=2, more=()):
        self.built, self.directory, self.image = built, pathlib.Path(directory), pathlib.Path(image)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.host = self.directory / "host"
        self.make_host()
        self.console = open(self.directory / "console", "wb")
        address = str(self.directory / "port")
        pathlib.Path(address).unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(address)
        listener.listen()
        listener.settimeout(60)
        self.process = subprocess.Popen(self.command(address, processors, more), stdin=subprocess.DEVNULL, stdout=self.console, stderr=self.console)
        connection = listener.accept()[0]
        connection.settimeout(SECONDS + 60)
        self.link = connection.makefile("rwb")
        begun = time.monotonic()
        self.wait_until_ready()
        self.boot_seconds = time.monotonic() - begun

    def command(self, address, processors, more):
        return ["qemu-system-aarch64", "-M", "virt,mte=on", "-cpu", "max", "-smp", str(processors), "-m", "4G", "-nographic", "-nic", "none",
                "-no-reboot", "-kernel", str(self.image / "vmlinuz"), "-initrd", str(self.image / "initramfs"),
                "-append", "console=ttyAMA0 panic=-1 quiet",
                "-drive", f"if=none,id=disk,format=raw,cache=unsafe,snapshot=on,file={self.image / 'disk'}", "-device", "virtio-blk-device,drive=disk",
                "-fsdev", f"local,id=host,path={self.host},security_model=none", "-device", "virtio-9p-device,fsdev=host,mount_tag=host",
                "-device", "virtio-serial-device", "-chardev", f"socket,id=port,path={address}", "-device", "virtserialport,chardev=port,name=stackdepot",
                *more]

    def make_host(self):
        shutil.rmtree(self.host, ignore_errors=True)
        files = self.host / "files"
        files.mkdir(parents=True)
        (self.host / "kept").mkdir()
        shutil.copy(HERE / "guest.py", self.host)
        for name in (self.built.preload.name, *self.built.programs):
            shutil.copy2(self.built.directory / name, files)
        for path in SHARED:
            place = files / "tests" / path.relative_to(TESTS)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)

    def wait_until_ready(self):
        line = self.link.readline()
        if b"ready" not in line:
            sys.exit(f"the machine does not come up: see {self.directory}/console")

    def ask(self, **request):
        self.link.write(json.dumps(request).encode() + b"\n")
        self.link.flush()
        line = self.link.readline()
        if not line:
            sys.exit(f"the machine ended: see {self.directory}/console")
        found = json.loads(line)
        if "raised" in found:
            raise Failed(request, found["raised"])
        return types.SimpleNamespace(**found)

    def run(self, program, *words, store, options="", preload=True, environment=None, beside=()):
        done = self.ask(do="run", command=[f"/t/{program}", *words], options=options, preload=preload, environment=environment or {},
                        beside=list(beside), seconds=SECONDS)
        for name in done.stores[:1]:
            os.rename(self.host / "kept" / name, store)
        done.returncode = done.status
        return done

    def end(self):
        self.link.close()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.console.close()


class ThreadTags(test_tags.Tags):
    """Each kind in a thread that is not the first."""

    def record(self, program, *words, **more):
        return super().record(program, *words, *(["thread"] if program == "kinds" else []), **more)


# --- tests ---------------------------------------------------------------------------------------------------------


def test_kinds(tags):
    """All that is tried in qemu-user; fork() is right here."""
    test_tags.RIGHT["forks"] = ["read parent's 3"]
    for name, test in list(vars(test_tags).items()):
        if name.startswith("test_"):
            test(tags)
            print("ok   ", name[5:], flush=True)


def test_kinds_in_a_thread(tags):
    other = ThreadTags(tags.machine, tags.directory + "/in-threads")
    os.mkdir(other.directory)
    for name in test_tags.WRONG:
        other.wrong(name)
    for name in test_tags.RIGHT:
        other.right(name)


def test_jemalloc_beside(tags):
    """What qemu-user cannot do with it: what is right, and threads."""
    other = test_tags.JemallocTags(tags.machine, tags.directory + "/jemalloc")
    os.mkdir(other.directory)
    for name in test_tags.RIGHT:
        other.right(name)
    for name in ("exchange", "come_and_go"):
        store, done = other.record("threads", name)
        check(done.stdout.splitlines() == [*THREADS_RIGHT[name], "OK"], name, done.status, done.stdout, done.stderr)
        check(not arm64.errors(test_tags.TOOL, store)["errors"], name, arm64.text(test_tags.TOOL, store))


def test_threads_right(tags):
    for name, said in THREADS_RIGHT.items():
        for options in ("tags=sync", *(THREADS_OTHERWISE if name == "exchange" else [])):
            store, done = tags.record("threads", name, options=options)
            check((done.returncode, done.stdout.splitlines()) == (0, [*said, "OK"]), name, options, done.returncode, done.stdout, done.stderr)
            found = arm64.errors(test_tags.TOOL, store)
            check(not found["errors"] and not found["doubts"], name, options, arm64.text(test_tags.TOOL, store))


def test_threads_wrong(tags):
    for name, (times, kind, *functions) in THREADS_WRONG.items():
        store, done = tags.record("threads", name)
        check(done.stdout == "OK\n" or kind == TWICE, name, done.returncode, done.stdout, done.stderr)
        found = arm64.errors(test_tags.TOOL, store)
        text = arm64.text(test_tags.TOOL, store)
        check(not found["doubts"] and {error["kind"] for error in found["errors"]} == {kind}, name, text)
        check(sum(error["count"] for error in found["errors"]) == times, name, "times", text)
        error = found["errors"][0]
        for what, function in zip(("stack", "allocated", "freed_at"), functions):
            check(test_tags.first_function(error[what]) == function, name, what, text)
        check(error["thread"] != error["allocated_by_thread"], name, "threads", text)
        check(not functions[2] or error["freed_by_thread"] != error["thread"], name, "threads", text)


def look_at(machine, name, stores, note, wrong=None):
    """No errors in any but in the function `wrong`; what they say of tags; and how much was recorded. Of each group, how many processes had
    such an error, and how many there were."""
    processes = []
    for group in stores:
        check(group["files"], name, "no store")
        allocations, notes = 0, set()
        had, were = 0, 0
        for file in group["files"]:
            store = machine.host / "kept" / file
            found = report("errors", store)
            # Not its kind: an older object there may have had the tag, too.
            others = [error for error in found["errors"] if not wrong or test_tags.first_function(error["stack"]) != wrong]
            check(not others and not found["doubts"], name, arm64.text(test_tags.TOOL, store))
            had += sum(error["processes"] for error in found["errors"])
            were += sum(one["processes"] for one in report("leaks", store)["processes"] if one["state"] != "replaced")
            allocations += report("top", store)["allocations"]
            said = arm64.text(test_tags.TOOL, store)
            notes |= set(re.findall(r"no tags: .*|some memory cannot have tags.*|tags are not checked.*", said))
            store.unlink()
        check(all(note and line.startswith(note) for line in notes) and bool(notes) == bool(note), name, "says", notes, said)
        check(allocations >= group["least"], name, allocations, "allocations, at least", group["least"])
        processes.append((had, were))
    return processes


def program(tags, name, note, options, environment=None, wrong=None):
    done = tags.machine.ask(do="program", name=name, options=options, environment=environment or {})
    check(not done.trouble, name, options, done.trouble)
    if re.search("sample|overhead", options):
        done.stores = [{**group, "least": 1} for group in done.stores]
    processes = look_at(tags.machine, name, done.stores, note, wrong)
    print(f"ok    {name}, {options}: {done.seconds:.0f} seconds", flush=True)
    return processes


def test_programs(tags):
    for name, note in PROGRAMS.items():
        program(tags, name, note, "tags=sync")


def test_programs_sampled(tags):
    program(tags, "python", None, "tags=sync:mode=sample=4096")
    program(tags, "sqlite3", None, "tags=sync:overhead=5")


def test_each_process(tags):
    """Each process of PostgreSQL's server has tags up to its end: what it reads beyond an object there is found."""
    initdb, server = program(tags, "postgres", None, "tags=sync", {"LD_PRELOAD": "/t/ends-wrong.so"}, ENDS_WRONG)
    print(f"ok    found in {server[0]} of {server[1]} processes of the server, in {initdb[0]} of {initdb[1]} of initdb", flush=True)
    # Of initdb's some are shells, which end by _exit().
    check(initdb[0] and server[0] == server[1] >= SERVER_PROCESSES, "processes that were checked", initdb, server)


# --- the machine ---------------------------------------------------------------------------------------------------


def wrapped_tool(directory, built, image):
    """The tool of this machine looks for files where the other one has them."""
    root = directory / "root"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    (root / "t").symlink_to(built.directory)
    for name in ("usr", "lib"):
        (root / name).symlink_to(pathlib.Path(image) / "tree" / name)
    tool = directory / "stackdepot"
    tool.write_text(f'#!/bin/sh\nexec {test_tags.TOOL} --sysroot={root} "$@"\n')
    tool.chmod(0o755)
    return str(tool)


def missing():
    if os.geteuid() != 0 and not shutil.which("qemu-system-aarch64"):
        return "root, to install qemu-system-arm"
    return arm64.missing()


def make_programs():
    return test_tags.make({"threads": [HERE / "threads.c"], "heap.so": [HERE / "heap.c", "-shared", "-fPIC"],
                           "ends-wrong.so": [HERE / "ends_wrong.c", "-shared", "-fPIC"]})


def make_image():
    done = subprocess.run([HERE / "image"], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit("tests/tags/image failed")
    return done.stdout.strip()


def main():
    lacking = missing()
    if lacking:
        print(f"skipped: needs {lacking}")
        sys.exit(SKIP)
    built, image, directory = make_programs(), make_image(), pathlib.Path(DIRECTORY) / "system"
    test_tags.TOOL = wrapped_tool(directory, built, image)
    machine = System(built, directory, image)
    print(f"booted in {machine.boot_seconds:.0f} seconds", flush=True)
    try:
        with tempfile.TemporaryDirectory() as stores:
            status = run_all(globals(), test_tags.Tags(machine, stores))
    finally:
        machine.end()
    sys.exit(status)


if __name__ == "__main__":
    main()
