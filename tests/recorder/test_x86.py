#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The decoder agrees with objdump about each instruction of real libraries, or does not know it.

usage: test_x86.py X86_LENGTHS LIBRARY...
"""
import re
import subprocess
import sys

LINE = re.compile(r"^\s*([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*(.*)$")
BRANCH = re.compile(r"^(?:bnd |notrack )*(?:j[a-z]+|call|loop\w*)(?:,p[nt])? +([0-9a-f]+)\b")
# Not known on purpose: EVEX, the prefix that makes addresses short, and data between functions.
UNKNOWN = re.compile(r"^(?:[0-9a-f]{2} )*(?:67|62) |\(bad\)")


def instructions(library):
    text = subprocess.run(["objdump", "-d", "-w", "-M", "intel", library], capture_output=True, text=True,
                          check=True).stdout
    for line in text.splitlines():
        match = LINE.match(line)
        # fwait, and the instruction it waits for, are one line there.
        if match and not match[2].startswith("9b "):
            yield int(match[1], 16), match[2].strip(), match[3]


def main():
    seen, unknown, wrong = 0, [], []
    for library in sys.argv[2:]:
        listed = list(instructions(library))
        answer = subprocess.run([sys.argv[1]], input="\n".join(code for _, code, _ in listed) + "\n",
                                capture_output=True, text=True, check=True).stdout.splitlines()
        for (address, code, text), line in zip(listed, answer):
            length, relative = map(int, line.split())
            seen += 1
            if length == 0:
                if not UNKNOWN.search(f"{code} {text}"):
                    unknown.append((code, text))
                continue
            bytes_ = len(code.split())
            branch = BRANCH.match(text)
            if length != bytes_ or (branch and address + bytes_ + relative != int(branch[1], 16)):
                wrong.append((code, text, length, relative))
    print(f"{seen} instructions, {len(wrong)} wrong, {len(unknown)} unknown")
    if wrong or unknown or seen < 100000:
        print("FAILED", wrong[:20], unknown[:20], sep="\n")
        sys.exit(1)


main()
