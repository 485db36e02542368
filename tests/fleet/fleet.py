# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What the tests of the fleet share: pushing, asking, and the sums that a store itself has."""
import glob
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from tool import TOOL, call, check, eventually, record, tool  # noqa: E402

BUGS, HOLD = (os.path.abspath(word) for word in sys.argv[2:4])
FAKETIME = f"/usr/lib/{os.uname().machine}-linux-gnu/faketime/libfaketimeMT.so.1"
FIGURES = ("live_bytes", "live_objects", "alloc_bytes", "allocs")
# Of each store and stack the last row; what is live of those that ended was left.
LATEST = """SELECT {keys}, argMax(live_bytes + left_bytes, seq), argMax(live_objects + left_objects, seq),
 argMax(alloc_bytes, seq), argMax(allocs, seq) FROM stackdepot.samples {where} GROUP BY {keys}"""

NAMED = """#include <stdlib.h>
void *kept;
__attribute__((noinline)) static void *alpha(int n)
{
	return malloc((unsigned)n);
}
int main(int argc, char **argv)
{
	(void)argv;
	kept = alpha(1234 + argc);
	return !kept;
}
"""


def compiled(program, text):
    with open(f"{program}.c", "w", encoding="utf-8") as out:
        out.write(text)
    subprocess.run(["gcc", "-g", "-O1", "-fno-optimize-sibling-calls", "-fno-builtin-malloc", "-Wl,--build-id", "-o", program,
                    f"{program}.c"], check=True)
    return program


def small(directory, name="small"):
    store = f"{directory}/{name}.stackdepot"
    record(store, f"{BUGS}/bug-double-free", options=("--quiet", "--memory=1M"))
    return store


def push(url, spool, *words, status=0, **options):
    done = call(TOOL, "push", f"--server={url}", f"--spool={spool}", *words, **options)
    check(done.returncode == status, f"push {words}: exit status {done.returncode}, not {status}", done.stdout,
          done.stderr)
    return done


def days_ago(number):
    """An environment in which that is now, for clocks that tell the time of day."""
    return {**os.environ, "LD_PRELOAD": FAKETIME, "FAKETIME": f"-{number}d", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def ask(url, *words, status=0):
    """The answer as JSON; and as text, which must be there, too."""
    call_text = call(TOOL, "fleet", *words, f"--server={url}")
    check(call_text.returncode == status and (status > 1 or call_text.stdout), f"fleet {words}", call_text.stdout, call_text.stderr)
    done = tool("fleet", *words, "--json", f"--server={url}", status=status)
    return json.loads(done.stdout)


def figure(value):
    """To the byte; of an estimate the digits that an export has."""
    value = float(value)
    return value if value == int(value) else float(f"{value:.12g}")


def numbers(row):
    return tuple(figure(value) for value in row)


def stored(*paths):
    """Figures of each stack that stores have together, as their export has them, sorted; those of zero are none."""
    export = json.loads(tool("export", "--format=json", *paths).stdout)
    rows = [(stack["live_bytes"], stack["live_objects"], stack["allocated_bytes"], stack["allocations"])
            for stack in export["stacks"]]
    return sorted(numbers(row) for row in rows if any(row))


def told(server, where=""):
    """Figures of each stack of each store that a server was told, likewise."""
    rows = server.rows(LATEST.format(keys="source, stack", where=where))
    return sorted(row for row in (numbers(row[2:]) for row in rows) if any(row))


def total(rows):
    return tuple(sum(column) for column in zip(*rows)) if rows else (0,) * 4


def wanted_of(stores):
    """Figures of each stack of all STORES; one may be there again."""
    each = {store: stored(store) for store in set(stores)}
    return sorted(row for store in stores for row in each[store])


def check_rows(server, wanted, text, where=""):
    found = told(server, where)
    check(found == wanted, f"{text}: the server has what the stores have: {total(found)}, not {total(wanted)}",
          [row for row in found if row not in wanted][:5], [row for row in wanted if row not in found][:5])


def check_equal(server, stores, text, where=""):
    """To the byte."""
    check_rows(server, wanted_of(stores), text, where)


def init(server, *words):
    tool("fleet", "init", f"--server={server.url}", *words)


def settled(server, stores, text, where=""):
    """To the byte, in a while: replicas and pushes for ever have a pace of their own."""
    wanted = wanted_of(stores)
    eventually(lambda: told(server, where) == wanted, text)


def make_gone(server, spool):
    """Have the state of a spool, and the server, know a stack that no store has."""
    path = glob.glob(f"{spool}/*/state")[0]
    with open(path, encoding="utf-8") as text:
        lines = text.read().split("\n")
    sample = next(line for line in lines if line.startswith("R\t5\t")).split("\t")
    gone = "11111111-2222-3333-4444-555555555555"
    with open(path, "w", encoding="utf-8") as text:
        text.write("\n".join([lines[0], "\t".join([*sample[:3], gone, *sample[4:]]), *lines[1:]]))
    server.ask(f"INSERT INTO stackdepot.samples (source, stack, seq, time, live_bytes, service, host) VALUES "
               f"('{sample[2]}', '{gone}', 1, now(), 7, 'small', 'x')")
