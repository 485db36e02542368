#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""`stackdepot report memory`: mappings by stack, against programs that know; all of the memory of
real programs, against the kernel's sums.

usage: test_memory.py STACKDEPOT MAPS
"""
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from tool import PATIENCE, TOOL, call, check, eventually, report, run_all, tool  # noqa: E402

MAPS = os.path.abspath(sys.argv[2])
POSTGRES = 4  # processes at least that a server without work has
UNEXPLAINED = 0.03  # of what is in memory, at most


class Running:
    """A recorded program."""

    def __init__(self, store, *command, options=(), **more):
        self.store = store
        self.process = subprocess.Popen([TOOL, "run", "--quiet", "--store", store, *options, "--", *command],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **more)

    def lines(self):
        found = []
        for line in self.process.stdout:
            if line == "ready\n":
                return found
            found.append(line.split())
        check(False, "it ended", found)

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=PATIENCE)


def by_function(found):
    sums = {}
    for stack in found["stacks"]:
        for frame in stack["stack"] or ():
            if re.fullmatch(r"site_\d|moved|broken|raised|shared|churns", frame["function"] or ""):
                sums[frame["function"]] = sums.get(frame["function"], 0) + stack["mapped_bytes"]
                break
    return sums


def test_stacks(directory):
    """Page by page, however it was cut; and so it is when the program has ended."""
    for seed in range(8):
        store = f"{directory}/{seed}"
        program = Running(store, MAPS, str(seed), *(("3",) if seed % 2 else ()))
        known = {name: int(size) for name, size in program.lines()}
        wanted = {name: size for name, size in known.items() if size}
        found = report("memory", store, status=0)
        check(by_function(found) == wanted, f"seed {seed}", by_function(found), wanted)
        program.end()
        found = report("memory", store, status=0)
        check(by_function(found) == wanted and not found["processes_looked_at"], f"seed {seed}, ended", found)


def test_sampled(directory):
    """Mappings are all recorded, unless nothing is; objects do not count among them."""
    for mode, there in (("sample=64K", True), ("off", False)):
        store = f"{directory}/{mode[:3]}"
        program = Running(store, MAPS, "1", options=(f"--mode={mode}",))
        known = {name: int(size) for name, size in program.lines()}
        found = by_function(report("memory", store, status=0))
        check(found == (known if there else {}), mode, found, known)
        program.end()


def test_interrupted(directory):
    """What a handler unmaps while the list of mappings is being changed is not forgotten."""
    program = Running(directory + "/store", os.path.join(os.path.dirname(MAPS), "memory-interrupted"))
    program.lines()
    found = by_function(report("memory", program.store, status=0))
    check(not found, "nothing is left", found)
    program.end()


def test_forked(directory):
    """A child's mappings are its own, its parent's stay, and the recorder's are the recorder's in both."""
    program = Running(directory + "/store", os.path.join(os.path.dirname(MAPS), "memory-forked"))
    known = {name: int(size) for name, size in program.lines()}
    found = report("memory", program.store, status=0)
    check(found["processes_looked_at"] == 2 and by_function(found) == known, "each its own", found, known)
    check(found["memory"]["unexplained"]["address_bytes"] < 1 << 20, "explained", found["memory"])
    program.end()


def rollup(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
        return {key: 1024 * int(value) for key, value in re.findall(r"^(\w+): +(\d+) kB", file.read(), re.M)}


def near(memory, kernel, ours, its):
    return abs(memory["all"][ours] - kernel[its]) < max(kernel[its] / 20, 1 << 20)


def shares(store, pid, text):
    """What it shares is divided among all who have it, so whoever begins or ends changes it: the kernel is asked before and after."""
    def agree():
        before, memory, after = rollup(pid), report("memory", store, f"--process={pid}")["memory"], rollup(pid)
        return near(memory, before, "proportional_bytes", "Pss") or near(memory, after, "proportional_bytes", "Pss")

    eventually(agree, f"{text}: proportional bytes")


def sums(store, found, pid, text):
    """They are the kernel's, and little is not explained."""
    memory, kernel = found["memory"], rollup(pid)
    kinds = {key: value for key, value in memory.items() if key != "all"}
    for ours in ("resident_bytes", "proportional_bytes"):
        total = sum(kind[ours] for kind in kinds.values())
        check(abs(total - memory["all"][ours]) < 1 << 16, f"{text}: {ours} of kinds", total, memory)
    check(near(memory, kernel, "resident_bytes", "Rss"), f"{text}: resident bytes", memory, kernel)
    shares(store, pid, text)
    share = memory["unexplained"]["resident_bytes"] / memory["all"]["resident_bytes"]
    print(f"   {text}: Rss {kernel['Rss'] >> 20} MiB, heap {int(memory['heap']['resident_bytes']) >> 20}, live "
          f"{int(found['live_bytes']) >> 20}, not explained {100 * share:.2f} %")
    check(share < UNEXPLAINED, f"{text}: not explained", share, memory)


def settle(store, text):
    """The process, when it holds still."""
    def same():
        """What it holds, if that is what it held some time ago."""
        if call(TOOL, "report", "memory", "--json", store).returncode:
            return None
        before, now = report("memory", store), report("memory", store)
        return now if before["live_objects"] == now["live_objects"] > 0 else time.sleep(0.5)

    found = eventually(lambda: os.path.exists(store) and same(), f"{text}: it holds still")
    check(found["processes_looked_at"] == 1, f"{text}: one process", found)
    return found, found["pid"]


def test_python(directory):
    code = ("import mmap, threading, time\n"
            "a = [bytearray(1000 + i) for i in range(20000)]; b = bytearray(50 << 20)\n"
            "m = mmap.mmap(-1, 32 << 20); m[:8 << 20] = b'x' * (8 << 20); d = {i: str(i) for i in range(200000)}\n"
            "[threading.Thread(target=time.sleep, args=(6000,), daemon=True).start() for i in range(4)]\n"
            "print('ready', flush=True); import sys; sys.stdin.read()")
    program = Running(directory + "/store", "/usr/bin/python3", "-c", code)
    program.lines()
    found, pid = settle(program.store, "python")
    sums(program.store, found, pid, "python")
    memory = found["memory"]
    check(memory["shared"]["resident_bytes"] >= 8 << 20 and memory["mapped"]["resident_bytes"] > 10 << 20,
          "python: its arenas, and what it shares", memory)
    text = tool("report", "memory", program.store).stdout
    check(re.search(r"^not explained +[\d.]+ ", text, re.M) and "Of the heap" in text and "mapped at:" in text, "text", text)
    program.end()


def test_redis(directory):
    server = shutil.which("redis-server")
    if not server:
        return "redis-server"
    program = Running(directory + "/store", server, "--port", "0", "--unixsocket", directory + "/socket",
                      "--dir", directory, "--save", "")
    _, pid = settle(program.store, "redis")
    call("redis-cli", "-s", directory + "/socket", "eval",
         "for i = 1, 100000 do redis.call('set', 'key:' .. i, string.rep('x', 100)) end", "0")
    sums(program.store, settle(program.store, "redis")[0], pid, "redis")
    call("redis-cli", "-s", directory + "/socket", "shutdown", "nosave")
    program.end()
    return None


def test_node(directory):
    node = shutil.which("node")
    if not node:
        return "node"
    program = Running(directory + "/store", node, "-e",
                      "a = []; for (i = 0; i < 1e5; i++) a.push({i, b: Buffer.alloc(100)}); process.stdin.resume(); "
                      "process.stdin.on('end', () => process.exit(0)); console.log('ready')")
    program.lines()
    found, pid = settle(program.store, "node")
    sums(program.store, found, pid, "node")
    program.end()
    return None


def copies_for(user, directory):
    """Where that user can read them, wherever this was built."""
    for source, place in ((TOOL, "cli"), (os.path.join(os.path.dirname(TOOL), "../recorder/libstackdepot-preload.so"), "recorder")):
        os.makedirs(f"{directory}/bin/{place}")
        shutil.copy(source, f"{directory}/bin/{place}")
    os.chmod(directory, 0o755)
    os.mkdir(f"{directory}/data")
    if user:
        shutil.chown(f"{directory}/data", user)
    return f"{directory}/bin/cli/{os.path.basename(TOOL)}"


def begin_postgres(directory, tools, user):
    tool_of_theirs, data = copies_for(user, directory), f"{directory}/data/base"
    options = {"user": user, "cwd": f"{directory}/data"}
    done = call(f"{tools}/initdb", "-D", data, "-U", "test", "-A", "trust", "--locale=C", "--no-sync", **options)
    check(done.returncode == 0, "initdb", done.stdout, done.stderr)
    command = [tool_of_theirs, "run", "--quiet", "--memory=16M", "--store", f"{directory}/data/store", "--", f"{tools}/postgres", "-D",
               data, "-c", "listen_addresses=", "-c", f"unix_socket_directories={directory}/data", "-c", "fsync=off", "-c", "autovacuum=off"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    where = ["-h", f"{directory}/data", "-U", "test"]
    eventually(lambda: call(f"{tools}/pg_isready", *where, "-d", "postgres", **options).returncode == 0, "postgres begins")
    done = call(f"{tools}/pgbench", *where, "-i", "-q", "-s", "1", "postgres", **options)
    check(done.returncode == 0, "pgbench", done.stderr)
    return process


def test_postgres(directory):
    """Its server and each of the processes that it forks, which share a good part."""
    tools = max(glob.glob("/usr/lib/postgresql/*/bin"), default=None)
    if not tools:
        return "PostgreSQL"
    process, store = begin_postgres(directory, tools, "nobody" if os.geteuid() == 0 else None), f"{directory}/data/store"
    try:
        def those_that_stay():
            """The server and some more; who has served a client may still be about to end."""
            found = report("memory", store)
            running = [one["pid"] for one in found["processes"] if one["running"]]
            time.sleep(0.5)
            again = [one["pid"] for one in report("memory", store)["processes"] if one["running"]]
            return running if found["processes_looked_at"] == len(running) >= POSTGRES and running == again else None

        running = eventually(those_that_stay, "the processes that stay")
        with open(f"{directory}/data/base/postmaster.pid", encoding="ascii") as file:
            server = int(file.readline())
        check(server in running, "the server", server, running)
        for pid in running:
            sums(store, report("memory", store, f"--process={pid}"), pid, "postgres" if pid == server else f"postgres' {pid}")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=PATIENCE)
    return None


def test_none(directory):
    done = call(TOOL, "report", "memory", directory + "/none")
    check(done.returncode == 2, "of nothing", done)


run_all(globals())
