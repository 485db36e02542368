#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Names that drive a terminal, wherever a store and its files can have them, on every command.

usage: test_clean.py STACKDEPOT HOSTILE

The program, its directory, its arguments, its functions and sources, the store, a file of rules and
what is complained about have names with controls, marks of direction and bytes that are no UTF-8 in
them. Nothing of that comes out: not in text, not in JSON, not after it was parsed, not in a page.
"""
import gzip
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import unicodedata

TOOL, HOSTILE = sys.argv[1:]
SECONDS = 120
# ESC [, BEL, DEL; CSI and OSC as C1 in UTF-8; right-to-left override, isolate; no UTF-8; U+2028.
BAD = b"\x1b[31m\x07\x7f\xc2\x9b5m\xc2\x9d\xe2\x80\xae\xe2\x81\xa6\xff\xe2\x80\xa8"
# None of these bytes or characters belongs into an output.
RAW = [b"\x1b", b"\x07", b"\x7f", b"\xc2\x9b", b"\xc2\x9d", b"\xe2\x80\xae", b"\xe2\x81\xa6", b"\xff",
       b"\xe2\x80\xa8"]
FILLERS = ["name_of_a_function_that_keeps", "name_of_a_function_that_errs",
           "name_of_a_file_of_the_sources.c"]
COMMANDS = [["report"], ["report", "leaks", "--json", "--all"], ["report", "leaks", "--all"],
            ["report", "top", "--all"], ["report", "errors", "--all"], ["report", "errors", "--json"],
            ["report", "growth"], ["stats"], ["stats", "--json"],
            ["top", "--batch", "--times=1"], ["suppress", "--gen"], ["export", "--format=json"],
            ["export", "--format=speedscope"], ["export", "--format=sarif"],
            ["export", "--format=lsan"], ["export", "--format=folded"], ["flame", "-o", "-"],
            ["diff"], ["diff", "--json", "--all"]]
BOTH = {"diff", "growth"}
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith(("DEBUGINFOD", "LC_"))}


def check(condition, text, *details):
    if condition:
        return
    print("FAILED", text)
    for detail in details:
        print(str(detail)[:3000])
    sys.exit(1)


def is_clean(text):
    return all(c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp") for c in text)


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from strings(one)


def look(what, output, page=False):
    if page:  # has a script of others in it, which may hold what it likes as escapes
        check(not any(raw in output for raw in RAW), f"{what}: raw", output[-500:])
        data = re.search(rb'<script[^>]*type="application/json"[^>]*>(.*?)</script>', output, re.S)
        check(data, f"{what}: no data in the page")
        output = data[1]
    try:
        text = output.decode()
    except UnicodeDecodeError as error:
        check(False, f"{what}: {error}", output[max(error.start - 200, 0):error.start + 100])
    for line in text.split("\n"):
        check(is_clean(line), f"{what}: not clean", repr(line))
    if text.startswith(("{", "[")):
        for one in strings(json.loads(text)):
            check(is_clean(one), f"{what}: not clean when parsed", repr(one))


def run(command, *files, options=()):
    return subprocess.run([TOOL, *command, *options, *files], capture_output=True, timeout=SECONDS,
                          env=ENVIRONMENT, check=False)


def bad(length):
    """Bad bytes of this length: the rest are letters."""
    return BAD + b"n" * (length - len(BAD))


def make(directory):
    """The program with its names written over; where it is, and its store."""
    folder = os.path.join(os.fsencode(directory), b"folder" + BAD)
    os.makedirs(folder)
    program = os.path.join(folder, b"program" + BAD)
    with open(HOSTILE, "rb") as file:
        data = file.read()
    for number, filler in enumerate(FILLERS):
        check(filler.encode() in data, f"no {filler} in the program")
        data = data.replace(filler.encode(), bad(len(filler) - 1) + b"%d" % number)
    with open(program, "wb") as file:
        file.write(data)
    os.chmod(program, 0o755)
    return program, os.path.join(folder, b"store" + BAD)


def terminal(command, locale):
    """What it writes to a terminal."""
    master, slave = pty.openpty()
    with subprocess.Popen(command, stdout=slave, stderr=slave,
                          env={**ENVIRONMENT, "LC_ALL": locale, "TERM": "xterm"}) as process:
        os.close(slave)
        output = b""
        try:
            while more := os.read(master, 65536):
                output += more
        except OSError:  # the other side is closed
            pass
        process.wait(SECONDS)
    os.close(master)
    return output


def test_terminal(store):
    """Colours are ours; where the terminal's letters are not UTF-8, all is ASCII."""
    for locale in ("C.UTF-8", "C"):
        output = terminal([TOOL, "report", "top", "--all", store], locale)
        plain = re.sub(rb"\x1b\[[0-9;]*m", b"", output).replace(b"\r\n", b"\n")
        check(b"\x1b[31m" not in output, "a colour that is not ours", output)
        look(f"terminal, {locale}", plain)
        check(locale != "C" or plain.isascii(), "not ASCII", plain)
        check("é".encode() in plain or locale == "C", "letters remain letters", plain)


def test_complaints(folder, store):
    rules = os.path.join(folder, b"rules" + BAD)
    with open(rules, "wb") as file:
        file.write(b"leak:" + BAD.replace(b"\n", b"") + b"\nnonsense" + BAD + b":x\nleak:never\n")
    for what, done in (
            ("no store", run(["report"], store + b"x")),
            ("no process", run(["report"], store, options=[b"--process=" + BAD])),
            ("no option", run(["report"], store, options=[b"--" + BAD])),
            ("no command", run([b"re" + BAD])),
            ("no program", run(["run", "--"], store + b"y")),
            ("no format", run(["export"], store, options=[b"--format=" + BAD])),
            ("rules", run(["report"], store, options=[b"--suppressions=" + rules])),
            ("no rules", run(["report"], store, options=[b"--suppressions=" + rules + b"x"]))):
        check(done.stderr, f"{what}: said nothing")
        look(what, done.stderr)
        look(what, done.stdout)


def test_pprof(store):
    output = gzip.decompress(run(["export", "--format=pprof"], store).stdout)
    for raw in RAW[3:7] + [BAD[:6]]:
        check(raw not in output, "pprof: raw", raw)
    check(rb"\x1b[31m" in output, "pprof: the names are not in it")


def main():
    with tempfile.TemporaryDirectory() as directory:
        program, store = make(directory)
        done = run(["run", "--memory=2M", b"--store=" + store, "--"], program, b"argument" + BAD,
                   "é".encode())
        look("run", done.stderr)
        other = store + b"2"
        shutil.copy(store, other)
        for command in COMMANDS:
            files = [store, other] if set(command) & BOTH else [store]
            done = run(command, *files)
            check(done.returncode in (0, 1), command, done.stderr)
            check(done.stdout, f"{command}: no output", done.stderr)
            look(command, done.stdout, page="flame" in command)
            look(command, done.stderr)
        both = run(["export", "--format=json"], store).stdout
        for wanted in (rb"\\x1b[31m", rb"\\u{009b}", rb"\\u{202e}", rb"\\xff"):
            check(wanted in both, f"not shown as {wanted}", both[:2000])
        both = run(["report", "leaks", "--json"], store).stdout
        check(rb"argument\\x1b[31m" in both, "no command", both[:2000])
        done = run(["report"], store, options=[b"--process=" + os.path.basename(program)])
        check(done.stdout, "no report of the process", done.stderr)
        look("--process", done.stdout)
        test_pprof(store)
        test_terminal(store)
        test_complaints(os.path.dirname(store), store)
        os.unlink(program)  # now module and offset are shown, with the name of the file
        for command in COMMANDS[:6]:
            look(command, run(command, store).stdout)
        print("ok", len(COMMANDS), "commands")


main()
