#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Run the commands of docs/tutorial.md in order, and look at what they print and write.

usage: test_tutorial.py SOURCE-ROOT STACKDEPOT PRELOAD READERS

Its minute is seconds here. PostgreSQL refuses root, so root's commands are run as nobody. With
KEEP=DIRECTORY in the environment the commands run there, and what they write stays.
"""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT, TOOL, PRELOAD, READERS = sys.argv[1:]
POSTGRES = "/usr/lib/postgresql/15/bin"
SECONDS = 120  # a bound for what hangs
SHORTER = (("sleep 60", "sleep 5"), ("-T 120", "-T 90"))
LEAK = "set_config_by_name"


def fail(text, *details):
    print("FAILED", text)
    for detail in details:
        print(detail)
    sys.exit(1)


def check(condition, text, *details):
    if not condition:
        fail(text, *details)


# --- what each block prints ----------------------------------------------------------------------

def nothing(output):
    check(output == "", "nothing should be printed", output)


def is_top(output):
    head, _, table = output.partition("STACK, INNERMOST FIRST\n")
    rows = table.splitlines()
    check(re.search(r"^process \d+, running: .*postgres", head), "no process", output)
    check(len(rows) == 10 and all(" < " in row for row in rows),
          "not ten stacks", output)


def is_leaks(output):
    shares = [float(share) for share in re.findall(r" \((\d+\.\d) %\), allocated at:\n", output)]
    check(len(shares) == 10 and shares == sorted(shares, reverse=True), "not ten stacks", output)
    check("InitPostgres  in postgres" in output, "no caches", output)


def is_whole(output):
    check(re.search(r"^\d+ processes, \d+ of them running; the first, process \d+, running$", output,
                    re.M), "not all processes", output)
    check(len(re.findall(r"^ +[\d.]+ \w+  process \d+: .*postgres", output, re.M)) > 3,
          "not what each holds", output)
    is_leaks(output)


def is_whole_diff(output):
    check(len(re.findall(r"^[-+]{3} postgres .*, \d+ processes$", output, re.M)) == 2, "sides", output)
    is_diff(output)


def is_diff(output):
    total, _, stacks = output.partition("\n\n")
    first = stacks.partition("\n\n")[0]
    check(re.search(r"^\+[\d.]+ KiB live, from ", total, re.M), "no growth", output)
    check(first.startswith("+") and LEAK in first, "the leak is not first", output)


def is_limited_diff(output):
    is_diff(output)
    check(output.endswith("The growth is beyond the limit.\nstatus 1\n"), "no limit", output)


def is_pprof(output):
    check(output.count("File: postgres\n") == 2, "not two profiles", output)
    live, grown = output.split("File: postgres\n")[1:]
    check("InitPostgres" in live and LEAK in live, "not what is live", output)
    check(LEAK in grown and "InitPostgres" not in grown, "not what grew", output)


def is_speedscope(output):
    check("Opening file:///" in output, "speedscope opens nothing", output)


def is_end(output):
    check(re.search(r"^process \d+, exited", output, re.M) and output.count("allocated at:") == 1,
          "no report at the end", output)


# In the order of the document: words of a block, and the look at its output.
BLOCKS = (("initdb", nothing), ("stackdepot run", nothing), ("pgbench -i", nothing),
          ("report leaks --limit=10 server.store", is_whole), ("stackdepot top", is_top),
          ("report leaks", is_leaks), ("sleep 60", is_diff), ("--fail-on-increase", is_limited_diff),
          ("diff --limit=1", is_whole_diff), ("--flame=", is_diff), ("pprof -top", is_pprof),
          ("speedscope", is_speedscope), ("pg_ctl", is_end))


def blocks():
    with open(ROOT + "/docs/tutorial.md", encoding="utf-8") as file:
        found = re.findall(r"^```sh\n(.*?)^```", file.read(), flags=re.S | re.M)
    check(len(found) == len(BLOCKS), "the document has other blocks", *found)
    for block, (words, _) in zip(found, BLOCKS):
        check(words in block, f"'{words}' is not in", block)
    return found


# --- running them --------------------------------------------------------------------------------

def write_program(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n" + text)
    os.chmod(path, 0o755)


def prepare(directory):
    """The programs that the document speaks of, and a browser that notes what it should open."""
    os.chmod(directory, 0o755)
    for file, folder in ((TOOL, "bin"), (READERS + "/pprof", "bin"), (PRELOAD, "recorder")):
        os.makedirs(f"{directory}/{folder}", exist_ok=True)
        shutil.copy(file, f"{directory}/{folder}")
    shutil.copytree(READERS + "/node_modules", directory + "/node_modules", symlinks=True,
                    ignore=shutil.ignore_patterns("@microsoft"))
    write_program(directory + "/bin/speedscope",
                  f"exec node {directory}/node_modules/speedscope/bin/cli.mjs \"$@\"\n")
    write_program(directory + "/bin/browser", f"echo \"$1\" >{directory}/opened\n")
    if os.geteuid() == 0:
        shutil.chown(directory, "nobody")


def end(process, directory):
    """The server's processes leave the group of their shell, and its own file names the first."""
    for kill, number in ((os.killpg, process.pid), (os.kill, server_of(directory))):
        with contextlib.suppress(ProcessLookupError):
            if number:
                kill(number, signal.SIGTERM if kill is os.killpg else signal.SIGQUIT)


def server_of(directory):
    try:
        with open(directory + "/data/postmaster.pid", encoding="utf-8") as file:
            return int(file.readline())
    except (OSError, ValueError):
        return 0


def run(directory):
    """What each block printed. Files take it: a pipe would stay open as long as the server."""
    script = []
    for number, block in enumerate(blocks()):
        for long, short in SHORTER:
            block = block.replace(long, short)
        script += [f"exec >out.{number} 2>&1", block]
    command = ["sh", "-c", "\n".join(script)]
    if os.geteuid() == 0:
        command = ["setpriv", "--reuid=nobody", "--clear-groups", *command]
    environment = {**os.environ, "PATH": f"{directory}/bin:{os.environ['PATH']}", "HOME": directory,
                   "TMPDIR": directory, "BROWSER": directory + "/bin/browser"}
    with subprocess.Popen(command, cwd=directory, start_new_session=True, env=environment,
                          stdin=subprocess.DEVNULL) as process:
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            print(f"not done after {SECONDS} seconds; what was printed until then:")
        finally:
            end(process, directory)
    return [output_of(f"{directory}/out.{number}") for number in range(len(BLOCKS))]


def output_of(path):
    if not os.path.exists(path):
        return "(did not run)"
    with open(path, encoding="utf-8") as file:
        return file.read()


# --- what they wrote -----------------------------------------------------------------------------

def document(directory, url):
    """What a browser makes of it."""
    done = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
         f"--user-data-dir={directory}/chromium", "--virtual-time-budget=5000", "--dump-dom", url],
        capture_output=True, text=True, timeout=SECONDS)
    return re.sub(r"<script.*?</script>", "", done.stdout, flags=re.S)


def look(directory):
    for page in ("live.html", "grown.html"):
        text = document(directory, f"file://{directory}/{page}")
        check(LEAK in text, f"{page} does not show the leak", text[-2000:])
    text = document(directory, f"file://{directory}/server.html")
    check(re.search(r"\d+ processes, \d+ of them running", text), "not the whole server", text[-2000:])
    with open(directory + "/opened", encoding="utf-8") as file:
        text = document(directory, file.read().strip())
    check("live-bytes" in text, "speedscope does not show the profile", text[-2000:])


def test(directory):
    prepare(directory)
    outputs = run(directory)
    for output, (words, is_right) in zip(outputs, BLOCKS):
        is_right(output)
        print("ok", words, flush=True)
    look(directory)
    print("ok pages")


def main():
    if not os.path.exists(POSTGRES + "/pgbench"):
        fail("PostgreSQL 15 is not installed: tools/packages tutorial")
    subprocess.run([ROOT + "/tests/export/readers", READERS], check=True)
    if "KEEP" in os.environ:
        os.makedirs(os.environ["KEEP"])
        test(os.environ["KEEP"])
        return
    with tempfile.TemporaryDirectory() as directory:
        test(directory)


main()
