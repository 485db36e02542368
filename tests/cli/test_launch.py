#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What a parent sees of a program is what it sees of `stackdepot run` with that program.

usage: test_launch.py STACKDEPOT

Statuses, stops and output, of parents that ignore SIGCHLD, that stop and continue their child, that
hand it many arguments, or whose directory was deleted.
"""
import os
import signal
import sys
import tempfile

TOOL = os.path.abspath(sys.argv[1])
ALONE = "to the program, by its number, and not to who waits for it"


def ignore_children():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)


def stopped(pid, program, send, number, going_on=signal.SIGCONT):
    """The status of the stop, after `number` was sent, unless it is 0."""
    if send is ALONE:
        send, to = os.kill, program
    else:
        to = pid
    if number:
        send(to, number)
    status = os.waitpid(pid, os.WUNTRACED)[1]
    send(to, going_on)
    return status


def run(argv, before=None, stop=None):
    """(output, statuses): `stop` is (function, signal), done when the program has said something."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        os.setpgid(0, 0)
        os.dup2(writer, 1)
        os.closerange(3, 100)
        if before:
            before()
        os.execvp(argv[0], argv)
    os.close(writer)
    output, statuses = os.read(reader, 100), []
    if stop:
        begun, _, program = output.partition(b" ")
        statuses.append(stopped(pid, int(program or pid), *stop))
        output = begun
    with os.fdopen(reader, "rb") as rest:
        output += rest.read()
    statuses.append(os.waitpid(pid, 0)[1])
    return output.decode(), [hex(status) for status in statuses]


def shell(text, *arguments):
    return ["sh", "-c", text, "sh", *arguments]


def in_deleted():
    directory = tempfile.mkdtemp()
    os.chdir(directory)
    os.rmdir(directory)


WAITS = shell("echo begun; exec sleep 1")
NUMBERED = shell("trap 'echo continued' CONT; echo begun $$; sleep 0.2; sleep 0.2; echo end; exit 6")
SITUATIONS = {
    "SIGCHLD ignored": (shell("sh -c 'exit 4'; echo $?; exit 3"), ignore_children, None),
    "stops itself as from a terminal": (shell("echo begun; kill -TSTP $$; exit 3"), None, (os.kill, 0)),
    "SIGTSTP": (WAITS, None, (os.kill, signal.SIGTSTP)),
    "SIGTSTP to all": (WAITS, None, (os.killpg, signal.SIGTSTP)),
    "SIGSTOP to all": (WAITS, None, (os.killpg, signal.SIGSTOP)),
    "SIGSTOP to it alone": (NUMBERED, None, (ALONE, signal.SIGSTOP)),
    "SIGTSTP to it alone": (NUMBERED, None, (ALONE, signal.SIGTSTP)),
    "stops itself, continued alone": (shell("echo begun $$; kill -TTIN $$; exit 3"), None, (ALONE, 0)),
    "stopped, and killed alone": (NUMBERED, None, (ALONE, signal.SIGSTOP, signal.SIGKILL)),
    "many arguments": (shell("echo $#; exit 2", *["1234567"] * 60000), None, None),
    "a deleted directory": (shell("echo here; exit 5"), in_deleted, None),
    "killed": (shell("echo begun; kill -KILL $$"), None, None),
}


def main():
    failures = 0
    with tempfile.TemporaryDirectory() as directory:
        recorder = [TOOL, "run", "--quiet", "--store", os.path.join(directory, "store"), "--"]
        for name, (argv, before, stop) in SITUATIONS.items():
            native, recorded = run(argv, before, stop), run(recorder + argv, before, stop)
            if native != recorded:
                failures += 1
                print(f"FAILED {name}: natively {native}, recorded {recorded}")
    print(f"launch: {len(SITUATIONS)} situations, {failures} differ")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
