#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""A real program does under full recording what it does without: output, files and exit status.

usage: test_programs.py STACKDEPOT PROGRAM

Then the store opens, has no errors, and its stacks name a function that is known to allocate. A program
that is not installed is a failure: tools/packages programs installs them.
"""
import glob
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

TOOL = os.path.abspath(sys.argv[1])


def check(condition, text, *details):
    if not condition:
        print("FAILED", text, *details, sep="\n")
        sys.exit(1)


def found(program, *places):
    for place in places:
        if os.access(place, os.X_OK):
            return place
    path = shutil.which(program)
    check(path, f"{program} is not installed: tools/packages programs")
    return path


def recorded(store, command):
    return [TOOL, "run", "--quiet", "--memory=32M", "--store", store, "--", *command]


def run(command, directory, **more):
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=100, **more)


def report(kind, store):
    done = subprocess.run([TOOL, "report", kind, "--json", "--limit=60", store], capture_output=True,
                          text=True)
    check(done.returncode in (0, 1), f"report {kind} {store}: {done.returncode}", done.stderr)
    return json.loads(done.stdout)


def check_stores(store, function, least):
    """All stores of the run; the function in one of them."""
    stores = [path for path in glob.glob(store + "*") if not path.endswith((".c", ".log"))]
    check(stores, "no store")
    allocations, seen = 0, False
    for path in stores:
        errors = report("errors", path)["errors"]
        check(not errors, f"errors in {path}", json.dumps(errors, indent=1))
        top = report("top", path)
        allocations += top["allocations"]
        seen |= any(frame["function"] and frame["function"].startswith(function)
                    for stack in top["stacks"] for frame in stack["stack"] or [])
    check(allocations >= least, f"{allocations} allocations, at least {least} expected")
    check(seen, f"no stack names {function}")


def compare(directory, store, command, function, least, files=(), environment=None):
    """The same command without and with the recorder, in directories of their own."""
    results = []
    for name in ("native", "recorded"):
        place = os.path.join(directory, name)
        os.mkdir(place)
        line = command if name == "native" else recorded(store, command)
        done = run(line, place, env={**os.environ, **(environment or {})})
        digests = []
        for file in files:
            with open(os.path.join(place, file), "rb") as content:
                digests.append(hashlib.sha256(content.read()).hexdigest())
        results.append((done.returncode, done.stdout, done.stderr, digests))
    check(results[0][0] == 0, "the program fails by itself", *results[0])
    check(results[0] == results[1], "other results when recorded", *results)
    check_stores(store, function, least)


def program_gxx(directory, store):
    source = os.path.join(directory, "source.cc")
    with open(source, "w", encoding="ascii") as file:
        file.write("#include <map>\n#include <string>\n#include <cstdio>\n"
                   "int main() { std::map<std::string, int> m; m[\"a\"] = 1;\n"
                   "for (auto &p : m) printf(\"%s %d\\n\", p.first.c_str(), p.second); }\n")
    # Objects and their strings are the same, as both runs name the same source.
    compare(directory, store, [found("g++"), "-O1", "-c", source, "-o", "out.o"], "xmalloc", 10000,
            ["out.o"])


def program_sqlite3(directory, store):
    sql = ("create table t(a integer primary key, b text);"
           "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)"
           " insert into t select i, hex(i * 7919) from n;"
           "create index x on t(b); select count(*), min(b), max(b) from t;"
           "select substr(b, 1, 2), count(*) from t group by 1 order by 2 desc, 1 limit 5;")
    compare(directory, store, [found("sqlite3"), "base", sql], "sqlite3", 1000, ["base"])


def program_node(directory, store):
    code = ("const c = require('crypto'); let m = new Map();"
            "for (let i = 0; i < 20000; i++) m.set('k' + i, {v: Buffer.alloc(i % 64)});"
            "console.log(m.size, c.createHash('sha256').update(JSON.stringify([...m.keys()])).digest('hex'))")
    compare(directory, store, [found("node"), "-e", code], "node::", 1000)


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return str(listening.getsockname()[1])


def wait_until(what, command, **more):
    for _ in range(200):
        if subprocess.run(command, capture_output=True, **more).returncode == 0:
            return
        time.sleep(0.1)
    check(False, f"{what} does not answer")


def program_redis(directory, store):
    server, cli, bench = found("redis-server"), found("redis-cli"), found("redis-benchmark")
    results = []
    for record in (False, True):
        port = free_port()
        command = [server, "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", directory]
        process = subprocess.Popen(recorded(store, command) if record else command,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            wait_until("redis", [cli, "-p", port, "ping"])
            run([bench, "-p", port, "-n", "5000", "-q", "-t", "set,get,lpush,lpop,hset,zadd"], directory)
            for i in range(50):
                run([cli, "-p", port, "set", f"key{i}", "x" * i], directory)
            answer = [run([cli, "-p", port, *words], directory).stdout
                      for words in (["get", "key49"], ["strlen", "key20"], ["exists", "mylist"])]
            run([cli, "-p", port, "shutdown", "nosave"], directory)
            status = process.wait(30)
        finally:
            if process.poll() is None:
                process.terminate()
            errors = process.stderr.read()
            process.stderr.close()
        results.append((status, answer, errors))
    check(results[0][0] == 0, "redis fails by itself", *results[0])
    check(results[0] == results[1], "other results when recorded", *results)
    check_stores(store, "zmalloc", 5000) if not uses_jemalloc(server) else check_stores(store, "main", 1000)


def uses_jemalloc(program):
    return "jemalloc" in subprocess.run(["ldd", program], capture_output=True, text=True).stdout


def main():
    with tempfile.TemporaryDirectory() as directory:
        globals()["program_" + sys.argv[2]](directory, os.path.join(directory, "store"))
    print("ok", sys.argv[2])


main()
