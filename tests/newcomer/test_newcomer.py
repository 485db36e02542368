#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Run the commands of docs/newcomer/*.md word for word, and compare what they print with what is printed there.

usage: test_newcomer.py SOURCE-ROOT STACKDEPOT PRELOAD

A block ```console has commands behind "$ ", which go on up to the next one or to what they print. Of that numbers may differ, "..." is any
text, and a line "..." any lines. All blocks of a page run in one shell, in a directory of their own. PAGES="leak" runs these alone;
KEEP=DIRECTORY leaves the directory.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT, TOOL, PRELOAD = sys.argv[1:4]
PAGES = os.environ.get("PAGES", "").split()
MARK = "=== command %d ==="
SECONDS = 120


def fail(text, *details):
    print("FAILED", text)
    for detail in details:
        print(detail)
    sys.exit(1)


def commands_of(path):
    """Pairs of a command and the lines that it prints."""
    found = []
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for block in re.findall(r"^```console\n(.*?)^```$", text, flags=re.S | re.M):
        end = None # of a text that a command is given
        for line in block.splitlines():
            if line.startswith("$ ") and not end:
                found.append([line[2:], []])
            elif end:
                found[-1][0] += "\n" + line
            else:
                found[-1][1].append(line)
            here = re.search(r"<<'(\w+)'", line) if line.startswith("$ ") else None
            end = here[1] if here else None if line == end else end
    return found


# As re.escape() leaves them: addresses; numbers, with the unit if they are bytes.
NUMBER = re.compile(r"0x[0-9a-f]+|(?<![\w\[])\d[\d,]*(?:\\\.\d+)?( \+(?:[KMG]iB|bytes))?")


def number_pattern(match):
    if match[0].startswith("0x"):
        return "0x[0-9a-f]+"
    return r"[\d.,]+" + (r" +(?:[KMG]iB|bytes)" if match[1] else "")


def pattern_of(lines):
    """What is printed has to match."""
    parts = []
    for line in lines:
        if line.strip() == "...":
            parts.append(r"(?:.*\n)*?")
            continue
        part = re.escape(line).replace(re.escape("..."), ".*")
        part = re.sub(r"(?:\\ )+", r" +", part)
        part = NUMBER.sub(number_pattern, part)
        parts.append(part + r" *\n")
    return re.compile("".join(parts) + r"\Z")


def run(commands, directory):
    script = ["set +m", "exec 2>&1"]
    for number, (command, _) in enumerate(commands):
        script += [f"echo '{MARK % number}'", command]
    environment = {**os.environ, "PATH": f"{directory}/tool/bin:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
    os.mkdir(directory + "/here")
    done = subprocess.run(["bash", "-c", "\n".join(script)], cwd=directory + "/here", env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True, timeout=SECONDS, check=False)
    parts = re.split(r"^=== command \d+ ===\n", done.stdout, flags=re.M)[1:]
    if len(parts) != len(commands):
        fail("the commands did not run to the end", done.stdout)
    return parts


def install(directory):
    """So that "stackdepot" is in PATH, and finds its library."""
    for file, folder in ((TOOL, "bin"), (PRELOAD, "recorder")):
        os.makedirs(f"{directory}/tool/{folder}")
        shutil.copy(file, f"{directory}/tool/{folder}")


def test(path, directory):
    commands = commands_of(path)
    if len(commands) < 4:
        fail(f"{path} has {len(commands)} commands")
    install(directory)
    for (command, lines), printed in zip(commands, run(commands, directory)):
        if not pattern_of(lines).match(printed):
            fail(f"{os.path.basename(path)}: $ {command}", "--- the page has", "\n".join(lines), "--- and it prints", printed)
    print(f"{os.path.basename(path)}: {len(commands)} commands")


def main():
    ran = 0
    for path in sorted(glob.glob(ROOT + "/docs/newcomer/*.md")):
        name = os.path.basename(path)[:-3]
        if name == "container" or (PAGES and name not in PAGES):
            continue
        ran += 1
        if "KEEP" in os.environ:
            os.makedirs(os.environ["KEEP"] + "/" + name)
            test(path, os.environ["KEEP"] + "/" + name)
            continue
        with tempfile.TemporaryDirectory() as directory:
            test(path, directory)
    if not ran:
        fail("no such page", PAGES)


main()
