# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""LeakSanitizer's text: the same program under LeakSanitizer itself says the same."""
import os
import re
import subprocess
import tempfile

from common import SOURCE, bug, check, export, real_program, record, report, run


def read(text):
    """(head, {bytes, objects, functions and lines of a stack}, summary); sums of equal stacks."""
    leaks = {}
    lines = text.splitlines()
    for at, line in enumerate(lines):
        found = re.fullmatch(r"Direct leak of (\d+) byte\(s\) in (\d+) object\(s\) allocated from:", line)
        if not found:
            continue
        stack = []
        for number, frame in enumerate(lines[at + 1:lines.index("", at)]):
            shape = re.fullmatch(r"    #(\d+) 0x[0-9a-f]+ (?:in (.+?) (\S+:\d+|\(.*\))| ?\(.*\))", frame)
            check(shape and int(shape[1]) == number, f"a frame: {frame}")
            if shape[2] and "interceptor" not in shape[2] and ":" in shape[3]:
                stack.append((shape[2], os.path.basename(shape[3])))
        # The C library before main() is called otherwise there.
        stack = [entry for entry in stack if not entry[0].startswith("__libc_start")]
        old = leaks.get(tuple(stack), (0, 0))
        leaks[tuple(stack)] = (old[0] + int(found[1]), old[1] + int(found[2]))
    head = re.findall(r"^==\d+==(ERROR: .*)$", text, flags=re.M)
    return head, leaks, lines[-1] if lines else ""


def sanitizer(directory):
    """leak.c built with it, its frames walked as far as ours."""
    program = os.path.join(directory, "leak")
    run("gcc", "-g", "-O1", "-w", "-fsanitize=leak", os.path.join(SOURCE, "tests/bugs/leak.c"), "-o",
        program)
    done = subprocess.run([program], capture_output=True, text=True, check=False, env={
        **os.environ, "LSAN_OPTIONS": "fast_unwind_on_malloc=0"})
    check("SUMMARY" in done.stderr, "LeakSanitizer found nothing", done.stderr)
    return read(done.stderr)


def main():
    with tempfile.TemporaryDirectory() as directory:
        found = read(export("lsan", record(directory, "leak", bug("leak"))))
        wanted = sanitizer(directory)
        check(found == wanted, "not as LeakSanitizer has it", found, wanted)
        check(export("lsan", record(directory, "clean", bug("clean"))) == "", "leaks of clean")
        store = real_program(directory)
        _, leaks, summary = read(export("lsan", store))
        live = report("leaks", store)
        sums = [int(live["live_bytes"]), int(live["live_objects"])]
        check([sum(leak[i] for leak in leaks.values()) for i in range(2)] == sums, "sums")
        check([int(word) for word in re.findall(r"\d+", summary)] == sums, "summary", summary)


main()
