#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Where names and lines come from, and what is not believed.

usage: test_symbols.py STACKDEPOT GROW REGROWN

A program is recorded; then its files are taken apart, moved, or put on a server, and the report has
to find the names again, or to do without.
"""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from tool import TOOL, check, on_free_port, report  # noqa: E402

GROW, REGROWN = sys.argv[2:]
SERVER_WAIT = 120  # seconds at most until debuginfod has indexed a directory of one file


def call(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def without_debuginfod(**more):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DEBUGINFOD")}
    return {**environment, **more}


class Case:
    """A recorded program whose debugging information is in a file of its own."""

    def __init__(self, directory):
        self.directory = directory
        self.program = directory + "/program"
        self.debug = directory + "/program.debug"
        self.store = directory + "/store"
        shutil.copy(GROW, self.program)
        call(TOOL, "run", "--quiet", "--memory=2M", "--store", self.store, "--", self.program, "1",
             "5000")
        call("objcopy", "--only-keep-debug", self.program, self.debug)
        notes = subprocess.run(["readelf", "-n", GROW], capture_output=True, text=True).stdout
        self.build_id = re.search(r"Build ID: ([0-9a-f]+)", notes)[1]

    def strip(self):
        call("strip", self.program)

    def frame(self, *options, **environment):
        """The frame of keep_more() as it is reported: function, and name and line of the file."""
        done = subprocess.run([TOOL, *options, "report", "top", "--json", "--all", self.store],
                              env=without_debuginfod(**environment), capture_output=True, text=True)
        check(done.returncode == 0, "report", done.stderr)
        for stack in json.loads(done.stdout)["stacks"]:
            if stack["allocated_bytes"] == 5000:
                frame = stack["stack"][0]
                return (frame["function"], os.path.basename(frame["file"] or ""),
                        frame["line"] > 0)
        return check(False, "no stack of 5000 bytes", done.stdout)

    def text(self):
        return subprocess.run([TOOL, "report", "top", "--all", self.store], text=True,
                              env=without_debuginfod(), capture_output=True).stdout

    def place(self, root, suffix=".debug"):
        folder = f"{root}/usr/lib/debug/.build-id/{self.build_id[:2]}"
        os.makedirs(folder)
        return f"{folder}/{self.build_id[2:]}{suffix}"


KNOWN = ("keep_more", "grow.c", True)
NAMED = ("keep_more", "", False)
UNKNOWN = (None, "", False)


def expect(wanted, found, text):
    check(found == wanted, f"{text}: {found}, not {wanted}")


def test_stripped(case):
    expect(KNOWN, case.frame(), "as it was built")
    case.strip()
    os.unlink(case.debug)
    expect(UNKNOWN, case.frame(), "stripped")
    check(re.search(r"^    program\+0x[0-9a-f]+$", case.text(), re.M), "module and offset",
          case.text())


def test_build_id(case):
    """In /usr/lib/debug/.build-id, with the stripped program and without it."""
    root = case.directory + "/root"
    shutil.move(case.debug, case.place(root))
    case.strip()
    os.makedirs(root + case.directory)
    shutil.move(case.program, root + case.program)
    expect(UNKNOWN, case.frame(), "without --sysroot")
    expect(KNOWN, case.frame("--sysroot=" + root), "stripped, and its debug file")
    os.unlink(root + case.program)
    expect(KNOWN, case.frame("--sysroot=" + root), "the debug file alone")


def test_debuglink(case):
    linked = case.directory + "/linked"  # a name that is not guessed
    shutil.move(case.debug, linked)
    case.strip()
    expect(UNKNOWN, case.frame(), "without a link")
    call("objcopy", "--add-gnu-debuglink=" + linked, case.program)
    expect(KNOWN, case.frame(), ".gnu_debuglink")
    shutil.copy(REGROWN, linked)
    expect(UNKNOWN, case.frame(), "a link to another build")
    os.unlink(linked)
    expect(UNKNOWN, case.frame(), "a link to nothing")


def test_other_build(case):
    """A file with symbols at the module's path, of another build: a name from it would be wrong."""
    shutil.copy(REGROWN, case.program)
    expect(UNKNOWN, case.frame(), "another build")
    root = case.directory + "/root"
    shutil.copy(REGROWN, case.place(root))
    expect(UNKNOWN, case.frame("--sysroot=" + root), "another build as debug file")
    os.unlink(case.program)
    expect(UNKNOWN, case.frame(), "no file")


def test_other_machine(case):
    root = case.directory + "/machine"
    os.makedirs(root + case.directory)
    shutil.move(case.program, root + case.program)
    os.unlink(case.debug)
    expect(UNKNOWN, case.frame(), "the program is on the other machine")
    expect(KNOWN, case.frame("--sysroot=" + root), "its files are here")


def test_minidebuginfo(case):
    """.gnu_debugdata, which has names but no lines."""
    mini = case.directory + "/mini"
    call("strip", "--strip-debug", "-o", mini, case.program)
    case.strip()
    os.unlink(case.debug)
    call("xz", mini)
    call("objcopy", f"--add-section=.gnu_debugdata={mini}.xz", case.program)
    expect(NAMED, case.frame(), ".gnu_debugdata")


def test_dwz(case):
    """What two programs have in common in a third file: .gnu_debugaltlink."""
    if not shutil.which("dwz"):
        print("   no dwz: skipped")
        return
    other = case.directory + "/other"
    shutil.copy(REGROWN, other)
    call("dwz", "-m", case.directory + "/common", case.program, other)
    sections = subprocess.run(["readelf", "-S", case.program], capture_output=True, text=True)
    check(".gnu_debugaltlink" in sections.stdout, "dwz made no third file")
    expect(KNOWN, case.frame(), ".gnu_debugaltlink")


SOURCE = """#include <stdlib.h>
#include "inner.h"
void *volatile kept;
__attribute__((noinline)) void hold(void) { kept = inner(4321); }
int main(void)
{
	hold();
	return 0;
}
"""
HEADER = """static inline __attribute__((always_inline)) void *inner(int size)
{
	return malloc(size);
}
"""


def by_addr2line(program, offset):
    """[function, file:line], innermost first, of the call before a return address."""
    text = subprocess.run(["addr2line", "-fie", program, hex(offset - 1)], capture_output=True,
                          text=True, check=True).stdout.split("\n")
    return [[name, re.sub(r" \(discriminator .*", "", place)]
            for name, place in zip(text[0:-1:2], text[1::2])]


def test_names(case):
    """Sources are named as addr2line names them: files that can be opened."""
    for folder in ("build", "source", "source/include"):
        os.makedirs(f"{case.directory}/{folder}")
    for name, text in (("source/names.c", SOURCE), ("source/include/inner.h", HEADER)):
        with open(f"{case.directory}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
    seen = 0
    for compiler in filter(shutil.which, ("gcc", "clang")):
        for version in ("-gdwarf-4", "-gdwarf-5"):
            subprocess.run([compiler, version, "-O1", "-fno-builtin-malloc", "-I../source/include",
                            "-o", case.program, "../source/names.c"], cwd=case.directory + "/build",
                           check=True)
            call(TOOL, "run", "--quiet", "--memory=2M", "--store", case.store, "--", case.program)
            report = json.loads(subprocess.run([TOOL, "report", "leaks", "--json", case.store],
                                               capture_output=True, text=True).stdout)
            stack, = [one["stack"] for one in report["stacks"] if one["live_bytes"] == 4321]
            frames = [frame for frame in stack if frame["function"] in ("inner", "hold", "main")]
            check(all(os.path.exists(frame["file"] or "") for frame in frames) and len(frames) > 1,
                  f"{compiler} {version}: files", frames)
            for offset in dict.fromkeys(frame["offset"] for frame in frames):
                found = [[frame["function"], f"{frame['file']}:{frame['line']}"]
                         for frame in frames if frame["offset"] == offset]
                check(found == by_addr2line(case.program, offset), f"{compiler} {version}", found,
                      by_addr2line(case.program, offset))
                seen += 1
    check(seen >= 4, "frames that were compared", seen)


# --- debuginfod --------------------------------------------------------------------------------


class Server:
    """debuginfod on loopback, of one directory."""

    def __init__(self, case, *files):
        self.directory = case.directory + "/served"
        os.makedirs(self.directory)
        for file in files:
            shutil.move(file, self.directory)
        self.cache = case.directory + "/cache"
        self.log = open(case.directory + "/log", "w+", encoding="utf-8")

    def __enter__(self):
        self.process, port = on_free_port(lambda port: subprocess.Popen(
            ["debuginfod", "-F", "-d", ":memory:", "-p", str(port), self.directory],
            stdout=self.log, stderr=self.log, env=without_debuginfod()), "debuginfod listens")
        self.url = f"http://127.0.0.1:{port}"
        return self

    def wait(self, case):
        """It answers, and has found the file."""
        deadline = time.monotonic() + SERVER_WAIT
        command = ["debuginfod-find", "debuginfo", case.build_id]
        while subprocess.run(command, capture_output=True, env=without_debuginfod(
                DEBUGINFOD_URLS=self.url,
                DEBUGINFOD_CACHE_PATH=tempfile.mkdtemp(dir=case.directory))).returncode:
            check(time.monotonic() < deadline and self.process.poll() is None, "no debuginfod",
                  open(self.log.name, encoding="utf-8").read())
            time.sleep(0.2)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()


def test_debuginfod(case):
    if not shutil.which("debuginfod") or not shutil.which("debuginfod-find"):
        print("   no debuginfod: skipped")
        return
    whole = case.directory + "/whole"
    shutil.copy(case.program, whole)
    case.strip()
    with Server(case, whole, case.debug) as server:
        server.wait(case)
        asked = {"DEBUGINFOD_URLS": server.url, "DEBUGINFOD_CACHE_PATH": server.cache}
        expect(UNKNOWN, case.frame(), "not asked")
        expect(KNOWN, case.frame(**asked), "a stripped program")
        os.unlink(case.program)
        shutil.rmtree(server.cache)
        expect(UNKNOWN, case.frame(), "no program, not asked")
        expect(KNOWN, case.frame(**asked), "no program")


def test_silence(case):
    """Nobody is contacted without being asked for; a server that is not there costs little."""
    case.strip()
    os.unlink(case.debug)
    if shutil.which("strace"):
        trace = case.directory + "/trace"
        command = ["strace", "-f", "-e", "trace=socket,connect", "-o", trace, TOOL, "report", "top",
                   case.store]
        for urls, seen in (({}, False), ({"DEBUGINFOD_URLS": "http://127.0.0.1:9"}, True)):
            subprocess.run(command, env=without_debuginfod(
                **urls, DEBUGINFOD_CACHE_PATH=case.directory + "/cache"), check=True,
                stdout=subprocess.DEVNULL)
            with open(trace, encoding="utf-8") as file:
                text = file.read()
            check(("AF_INET" in text) == seen, f"strace with {urls}", text)
    with socket.socket() as silent:  # accepts, and never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen(16)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        expect(UNKNOWN, case.frame(DEBUGINFOD_URLS=url, DEBUGINFOD_TIMEOUT="1",
                                   DEBUGINFOD_CACHE_PATH=case.directory + "/silent"), "no answer")


def main():
    chosen = os.environ.get("TESTS", "stripped build_id debuglink other_build other_machine "
                                     "minidebuginfo dwz names debuginfod silence")
    for name in chosen.split():
        with tempfile.TemporaryDirectory() as directory:
            globals()["test_" + name](Case(directory))
        print("ok", name, flush=True)


main()
