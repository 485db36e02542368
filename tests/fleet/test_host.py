#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""test_host.py TOOL BUGS HOLD AGENT - a host whose stores are many, strangers', or too much, and whose spool is too small."""
import os
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import servers  # noqa: E402
from fleet import BUGS, HOLD, NAMED, ask, check_equal, compiled, init, make_gone, push, settled, small  # noqa: E402
from tool import TOOL, call, check, eventually, record, run_all  # noqa: E402

NOBODY = 65534
# A stack for each way of 15 steps to the left or the right.
WIDE = """#include <stdlib.h>
void *kept[1 << 15];
unsigned nr;
void left(unsigned path, unsigned depth);
__attribute__((noinline)) void right(unsigned path, unsigned depth)
{
	if (!depth)
		kept[nr++] = malloc(16);
	else
		(path & 1 ? right : left)(path >> 1, depth - 1);
	__asm__ volatile("");
}
__attribute__((noinline)) void left(unsigned path, unsigned depth)
{
	if (!depth)
		kept[nr++] = malloc(16);
	else
		(path & 1 ? right : left)(path >> 1, depth - 1);
	__asm__ volatile("");
}
int main(void)
{
	for (unsigned path = 0; path < 1 << 15; path++)
		left(path, 15);
	return 0;
}
"""


def test_memory(directory):
    """A store that takes more than it may is left out and named; the others are told."""
    large, spool = f"{directory}/large.stackdepot", f"{directory}/spool"
    record(large, compiled(f"{directory}/wide", WIDE), options=("--quiet", "--memory=64M"))
    other = small(directory)
    with servers.one(f"{directory}/server") as server:
        init(server)
        done = push(server.url, spool, "--store-memory=64M", large, other, status=2)
        check(f"{large}: reading it takes more memory than --store-memory allows" in done.stderr, "it is said", done.stderr)
        check_equal(server, [other], "the other one")
        push(server.url, spool, large, other)
        check_equal(server, [large, other], "with room both")


def test_rights(directory):
    """Who reads stores of others by capability does not look for symbols with it."""
    if os.geteuid():
        return "root"
    program, spool = compiled(f"{directory}/program", NAMED), f"{directory}/spool"
    stores = [f"{directory}/public.stackdepot", f"{directory}/private.stackdepot"]
    with servers.one(f"{directory}/server") as server:
        init(server)

        def functions(service):
            return {frame["function"] for stack in ask(server.url, "top", f"--service={service}", "--limit=100")["stacks"]
                    for frame in stack["stack_frames"]}

        for store, mode in zip(stores, (0o755, 0o700)):
            shutil.copy(program, f"{store}.program")
            record(store, f"{store}.program", options=("--quiet", "--memory=1M"))
            for path, bits in ((f"{store}.program", mode), (store, 0o600)):
                os.chown(path, NOBODY, NOBODY)
                os.chmod(path, bits)
        for store in stores:
            push(server.url, f"{spool}-{os.path.basename(store)}", f"--host={os.path.basename(store)}", "--symbols", store)
        check_equal(server, stores, "both stores are read")
        check("alpha" in functions("public"), "symbols of what anybody may read", functions("public"))
        server.ask("TRUNCATE TABLE stackdepot.frames")
        push(server.url, f"{spool}-again", "--host=again", "--symbols", stores[1])
        check("alpha" not in functions("private"), "and of nothing else", functions("private"))
    return None


def test_container(directory):
    """Who runs in a container, in a store without locks that last, runs still when who pushes has given up his rights."""
    if os.geteuid():
        return "root"
    for name in ("lower", "upper", "work", "root"):
        os.mkdir(f"{directory}/{name}")
    if call("mount", "-t", "overlay", "-o", f"lowerdir={directory}/lower,upperdir={directory}/upper,workdir={directory}/work", "overlay",
            f"{directory}/root").returncode:
        return "overlayfs"
    store = f"{directory}/root/web.stackdepot"
    states = "SELECT argMax(state, seq) FROM stackdepot.processes GROUP BY source, serial"
    try:
        process = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", TOOL, "run", "--quiet", "--memory=4M",
                                    f"--store={store}", "--", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True)
        check(process.stdout.readline() == "ready\n", "it begins", process.poll())
        with servers.one(f"{directory}/server") as server:
            init(server)
            push(server.url, f"{directory}/spool", store)
            check_equal(server, [store], "while it runs")
            top = ask(server.url, "top")["stacks"][0]
            check(top["live_bytes"] == 100000 and top["left_bytes"] == 0, "it runs: what it holds is live", top)
            running = server.rows("SELECT argMax(running, seq) FROM stackdepot.sources GROUP BY source")
            check(running == [["1"]], "and one runs", running, server.rows(states))
            process.communicate("")
            push(server.url, f"{directory}/spool", store)
            top = ask(server.url, "top")["stacks"][0]
            check(top["live_bytes"] == 0 and top["left_bytes"] == 100000, "it has ended: it is left", top)
    finally:
        call("umount", "-l", f"{directory}/root")
    return None


def test_places(directory):
    """Stores are looked for anew each time; links are not followed, and strangers' files not read."""
    place = f"{directory}/stores"
    os.mkdir(place)
    stores = [small(place, "one")]
    os.symlink(small(directory, "elsewhere"), f"{place}/link.stackdepot")
    with servers.one(f"{directory}/server") as server:
        init(server)
        process = subprocess.Popen([TOOL, "push", f"--server={server.url}", f"--spool={directory}/spool", "--every=1", "--stores=stores"],
                                   cwd=directory, stderr=subprocess.PIPE, text=True)
        settled(server, stores, "what is there")
        stores.append(small(place, "two"))
        settled(server, stores, "what came later")
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=60)[1]
        check(process.returncode == 0 and not said, "it ends in peace", said)
        if not os.geteuid():
            os.chown(place, 1, 1)
            os.chown(stores[1], NOBODY, NOBODY)
            done = push(server.url, f"{directory}/spool", f"--stores={place}/*.stackdepot")
            check("should not have stores there" in done.stderr, "a stranger's file", done.stderr)


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def stop_reader(pid):
    """The process that reads a store, stopped; None: it has just ended."""
    for child in children(pid):
        try:
            os.kill(child, signal.SIGSTOP)
            with open(f"/proc/{child}/stat", encoding="ascii") as file:
                if file.read().rpartition(")")[2].split()[0] in "tT":
                    return child
        except (FileNotFoundError, ProcessLookupError):
            pass
    return None


def test_ended(directory):
    """A signal for all of them, as of systemd or a terminal, while a store is read: that is an end, and no complaint."""
    store = f"{directory}/wide.stackdepot"
    record(store, compiled(f"{directory}/wide", WIDE), options=("--quiet", "--memory=64M"))
    for words in ((), ("--format=pprof",)):
        server = "http://127.0.0.1:1/ingest"
        with subprocess.Popen([TOOL, "push", f"--server={server}", f"--spool={directory}/spool", "--every=1", *words, store],
                              stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
            child = eventually(lambda: stop_reader(process.pid), "it reads")
            os.killpg(process.pid, signal.SIGTERM)
            os.kill(child, signal.SIGCONT)
            said = process.communicate(timeout=120)[1]
        check("came to an end" not in said and process.returncode in (0, 2), "it ends", process.returncode, said)


def test_shed_gone(directory):
    """A batch that is more than the spool: that a stack holds nothing any more is said all the same, as it is said once."""
    store, spool = small(directory), f"{directory}/spool"
    server = servers.one(f"{directory}/server")
    with server:
        init(server)
        push(server.url, spool, store)
        make_gone(server, spool)
        server.kill()
        record(store, f"{BUGS}/bug-clean", options=("--quiet", "--append"))
        done = call(TOOL, "push", f"--server={server.url}", f"--spool={spool}", "--spool-size=1", store)
        check(done.returncode == 2 and "left out" in done.stderr, "more than the spool", done.stderr)
        server.begin().wait()
        push(server.url, spool, store)
        check_equal(server, [store], "what is gone holds nothing")


if __name__ == "__main__":
    if servers.missing():
        print("skipped: needs", servers.missing())
        sys.exit(77)
    run_all(globals())
