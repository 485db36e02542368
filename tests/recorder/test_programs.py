#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""A real program does under full recording what it does without: output, files and exit status.

usage: test_programs.py STACKDEPOT PROGRAM

Then the store opens, has no errors, and its stacks name a function that is known to allocate (or the program,
where it is stripped). A program
that is not installed is a failure: tools/packages programs installs them.
"""
import glob
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from tool import TOOL, check, tool  # noqa: E402

PRELOAD = "../recorder/libstackdepot-preload.so"
SECONDS = 500
# Modules of python's own test suite.
PYTHON_TESTS = ["test.test_heapq", "test.test_struct", "test.test_textwrap"]
# Of pgbench, and how many transactions that makes.
POSTGRES_WORK = (["-c", "4", "-t", "50"], 200)
# Each for a connection of its own: sorts, hashes, indices; functions, exceptions, cursors; what is told and undone.
POSTGRES_SCRIPTS = ["""create table t(a int primary key, b text, c numeric);
insert into t select i, md5(i::text), i / 7.0 from generate_series(1, 3000) i;
create index x on t(b);
analyze t;
select count(*), min(b), max(b), sum(c) from t;
update t set b = reverse(b) where a % 3 = 0;
delete from t where a % 5 = 0;
select md5(string_agg(a || b || c, ',' order by a)) from t;
with recursive r(n, f) as (select 1, 1::numeric union all select n + 1, f * (n + 1) from r where n < 60) select max(f) from r;
select jsonb_agg(jsonb_build_object('a', a, 'b', b)) -> 5 from t where a < 50;
""", """create function f(n int) returns text language plpgsql as $$
declare one record; said text := '';
begin
    for one in select a, b from t where a < n order by b loop
        begin
            said := said || 1 / (one.a % 4) || one.b;
        exception when division_by_zero then
            said := said || 'zero';
        end;
    end loop;
    return md5(said);
end $$;
select f(400);
prepare p as select count(*) from t one join t two on one.a = two.a + $1;
execute p(1); execute p(7);
select regexp_replace(b, '[0-9]+', '#', 'g') from t order by a limit 3;
""", """begin;
declare c cursor for select a, c from t order by c desc;
fetch 5 from c;
savepoint s;
delete from t;
rollback to s;
fetch 2 from c;
commit;
copy (select a, b from t order by a limit 4) to stdout;
vacuum full t;
select count(*), count(distinct left(b, 2)) from t;
"""]
HELLO = "31e066137a962676e89f69d1b65382de95a7ef7d914b8cb956f41ea72e0f516b"  # GNU hello 2.10


def found(program, *places):
    for place in places:
        if os.access(place, os.X_OK):
            return place
    path = shutil.which(program)
    check(path, f"{program} is not installed: tools/packages programs")
    return path


def recorded(store, command, memory="32M", by=TOOL):
    return [by, "run", "--quiet", f"--memory={memory}", "--store", store, "--", *command]


def for_everybody(directory):
    """A copy of tool and library that each user can read; the tool."""
    for source, to in ((TOOL, "cli"), (os.path.join(os.path.dirname(TOOL), PRELOAD), "recorder")):
        os.makedirs(os.path.join(directory, to))
        shutil.copy(source, os.path.join(directory, to))
    return os.path.join(directory, "cli", os.path.basename(TOOL))


def run(command, directory, **more):
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=SECONDS, **more)


def report(kind, store):
    done = subprocess.run([TOOL, "report", kind, "--json", "--all", store], capture_output=True,
                          text=True)
    check(done.returncode in (0, 1), f"report {kind} {store}: {done.returncode}", done.stderr)
    return json.loads(done.stdout)


def names(frame, wanted):
    return (frame["function"] or "").startswith(wanted) or os.path.basename(frame["module"] or "") == wanted


def check_stores(store, function, least):
    """All stores of the run; the function, or module, in one of them."""
    stores = [path for path in glob.glob(store + "*") if not path.endswith((".c", ".log"))]
    check(stores, "no store")
    allocations, seen = 0, False
    for path in stores:
        errors = report("errors", path)["errors"]
        check(not errors, f"errors in {path}", json.dumps(errors, indent=1))
        top = report("top", path)
        allocations += top["allocations"]
        seen |= any(names(frame, function) for stack in top["stacks"] for frame in stack["stack"] or [])
    check(allocations >= least, f"{allocations} allocations, at least {least} expected")
    check(seen, f"no stack names {function}")


def compare(directory, store, command, function, least, files=(), environment=None, memory="32M",
            clean=lambda text: text):
    """The same command without and with the recorder, in directories of their own."""
    results = []
    for name in ("native", "recorded"):
        place = os.path.join(directory, name)
        os.mkdir(place)
        line = command if name == "native" else recorded(store, command, memory)
        done = run(line, place, env={**os.environ, **(environment or {})})
        digests = []
        for file in files:
            with open(os.path.join(place, file), "rb") as content:
                digests.append(hashlib.sha256(content.read()).hexdigest())
        results.append((done.returncode, clean(done.stdout), clean(done.stderr), digests))
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
    """Its own threads, and three of JavaScript that are sent copies of objects."""
    code = ("const c = require('crypto'); let m = new Map();"
            "for (let i = 0; i < 20000; i++) m.set('k' + i, {v: Buffer.alloc(i % 64)});"
            "console.log(m.size, c.createHash('sha256').update(JSON.stringify([...m.keys()])).digest('hex'));"
            "const {Worker} = require('worker_threads'), work = `const w = require('worker_threads');"
            " const h = require('crypto').createHash('sha256'), z = require('zlib');"
            " for (let i = 0; i < 200; i++) h.update(z.inflateSync(z.deflateSync(Buffer.alloc(i * 50, w.workerData.text + i))));"
            " w.parentPort.postMessage({digest: h.digest('hex'), back: w.workerData})`;"
            "Promise.all([1, 2, 3].map(n => new Promise((done, failed) => new Worker(work, {eval: true, workerData: {n, text: 'x'.repeat(n * 1000)}})"
            ".on('message', done).on('error', failed)))).then(all => all.forEach(one => console.log(one.digest, one.back.n, one.back.text.length)))")
    compare(directory, store, [found("node"), "-e", code], "node::", 1000)


def wait_until(what, command, **more):
    for _ in range(1200):
        if subprocess.run(command, capture_output=True, **more).returncode == 0:
            return
        time.sleep(0.1)
    check(False, f"{what} does not answer")


def program_redis(directory, store):
    server, cli, bench = found("redis-server"), found("redis-cli"), found("redis-benchmark")
    results = []
    for record in (False, True):
        place = ["-s", os.path.join(directory, "socket")]
        command = [server, "--port", "0", "--unixsocket", place[1], "--save", "", "--dir", directory]
        process = subprocess.Popen(recorded(store, command) if record else command,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            wait_until("redis", [cli, *place, "ping"])
            run([bench, *place, "-n", "5000", "-q", "-t", "set,get,lpush,lpop,hset,zadd"], directory)
            for i in range(50):
                run([cli, *place, "set", f"key{i}", "x" * i], directory)
            answer = [run([cli, *place, *words], directory).stdout
                      for words in (["get", "key49"], ["strlen", "key20"], ["exists", "mylist"])]
            run([cli, *place, "shutdown", "nosave"], directory)
            status = process.wait(SECONDS)
        finally:
            if process.poll() is None:
                process.terminate()
            errors = process.stderr.read()
            process.stderr.close()
        results.append((status, answer, errors))
    check(results[0][0] == 0, "redis fails by itself", *results[0])
    check(results[0] == results[1], "other results when recorded", *results)
    check_stores(store, "zmalloc", 5000) if not uses_jemalloc(server) else check_stores(store, "main", 1000)


def program_python(directory, store):
    """Python allocates by malloc() alone."""
    command = ["/usr/bin/python3", "-m", "unittest", "-q", *PYTHON_TESTS]
    compare(directory, store, command, "PyEval_EvalCode", 50000, environment={"PYTHONMALLOC": "malloc"},
            clean=lambda text: re.sub(r"in [0-9.]+s", "in TIME", text))


def program_git(directory, store):
    """A history, its objects packed: the same bytes, as the dates are given. Each git is a process of its own."""
    script = """set -e
        git init -q -b main .
        for i in 1 2 3 4; do
            for j in 1 2 3 4 5; do seq $i $((i * j * 100)) > file$j; done
            git add . && git commit -q -m "commit $i"
        done
        git checkout -q -b other HEAD~1 && git mv file1 moved && git commit -q -m moved
        git merge -q -m merge main 2>&1
        git log --stat --format='%H %s' && git diff HEAD~2 --shortstat && git grep -c 99
        git repack -q -a -d && git fsck --full && git rev-parse HEAD && git status --short"""
    fixed = {name: value for person in ("AUTHOR", "COMMITTER") for name, value in (
        (f"GIT_{person}_NAME", "A"), (f"GIT_{person}_EMAIL", "a@example.org"),
        (f"GIT_{person}_DATE", "2026-01-01T00:00:00Z"))}
    compare(directory, store, [found("sh"), "-c", script], "git", 10000, [".git/refs/heads/main"], memory="8M",
            environment={**fixed, "GIT_CONFIG_NOSYSTEM": "1", "HOME": directory})


def postgres_clients(tools, place, user, transactions):
    """Fill, run transactions, and ask for sums that do not depend on their order; what each script says."""
    where = ["-h", place, "-U", "test"]
    for command in (["pgbench", *where, "-i", "-q", "-s", "1", "postgres"], ["pgbench", *where, "-n", *transactions, "postgres"]):
        done = run([os.path.join(tools, command[0]), *command[1:]], place, user=user)
        check(done.returncode == 0, command, done.stdout, done.stderr)
    query = ("select (select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history),"
             " (select sum(bbalance) from pgbench_branches) = (select sum(delta) from pgbench_history),"
             " (select count(*) from pgbench_history), (select count(*) from pgbench_accounts)")
    said = [run([os.path.join(tools, "psql"), *where, "-At", "-c", query, "postgres"], place, user=user).stdout]
    for script in POSTGRES_SCRIPTS:
        done = run([os.path.join(tools, "psql"), *where, "-At", "-v", "ON_ERROR_STOP=1", "postgres"], place, user=user, input=script)
        check(done.returncode == 0, script, done.stdout, done.stderr)
        said.append(done.stdout)
    return said


def postgres(tools, place, user, record, transactions):
    """initdb, a server, clients; results, and what the server wrote. No TCP, no shared memory with a name."""
    command = [os.path.join(tools, "initdb"), "-D", f"{place}/data", "-U", "test", "-A", "trust", "--locale=C",
               "--no-sync", "--no-instructions"]
    done = run(record("initdb", command), place, user=user)
    check(done.returncode == 0, "initdb", done.stdout, done.stderr)
    with open(f"{place}/data/postgresql.conf", "a", encoding="ascii") as file:
        file.write(f"listen_addresses = ''\nunix_socket_directories = '{place}'\nfsync = off\n"
                   "dynamic_shared_memory_type = mmap\n")
    command = [os.path.join(tools, "postgres"), "-D", f"{place}/data"]
    with open(os.path.join(place, "log"), "w", encoding="utf-8") as log:
        process = subprocess.Popen(record("server", command), cwd=place, user=user, stdout=log, stderr=log)
    try:
        wait_until("postgres", [os.path.join(tools, "pg_isready"), "-h", place, "-U", "test", "-d", "postgres"])
        answer = postgres_clients(tools, place, user, transactions)
    finally:
        process.send_signal(signal.SIGINT)
        status = process.wait(SECONDS)
    with open(os.path.join(place, "log"), encoding="utf-8") as log:
        # Whether somebody asked before it was ready, or was still connected at the end, is a matter of time.
        lines = [line for line in log if not re.search(
            "LOG:|is starting up|terminating connection due to administrator command", line)]
    return status, answer, lines


def postgres_compared(directory, transactions, expected):
    tools = max(glob.glob("/usr/lib/postgresql/*/bin"), default=None)
    check(tools, "PostgreSQL is not installed: tools/packages programs")
    # It does not run as root, and who it runs as need not be able to read where this was built.
    user = "nobody" if os.geteuid() == 0 else None
    os.chmod(directory, 0o755)
    by, results = for_everybody(os.path.join(directory, "bin")), []
    for name in ("native", "recorded"):
        place = os.path.join(directory, name)
        os.mkdir(place)
        if user:
            shutil.chown(place, user)

        def record(what, command, place=place, native=name == "native"):
            return command if native else recorded(f"{place}/{what}", command, "8M", by)
        results.append(postgres(tools, place, user, record, transactions))
    check((results[0][0], results[0][1][0], results[0][2]) == (0, expected, []), "postgres fails by itself", *results[0])
    check(results[0] == results[1], "other results when recorded", *results)
    check_stores(f"{directory}/recorded/initdb", "initdb", 1000)
    check_stores(f"{directory}/recorded/server", "postgres", 10000)


def program_postgres(directory, store):
    words, transactions = POSTGRES_WORK
    postgres_compared(directory, words, f"t|t|{transactions}|100000\n")


def all_recorded(store, least):
    """Each process is there, none of its objects is missing, and the store is what it was; its rows."""
    total = json.loads(tool("stats", "--json", store).stdout)
    check((total["processes_dropped"], total["unrecorded"], total["thinnings"]) == (0, 0, 0), "all of them", total)
    check(total["processes_recorded"] >= least, f"{total['processes_recorded']} processes", total)
    check(os.stat(store).st_size == total["store_bytes"], "size", os.stat(store))
    rows = report("leaks", store)["processes"]
    check(not [one for one in rows if one["running"]], "who runs", rows)
    check(sum(one["processes"] for one in rows) == total["processes_recorded"], "rows", len(rows))
    return rows


def program_connections(directory, store):
    """A process for each of 10,000 connections, in a store of 8 MiB."""
    connections = 10000
    postgres_compared(directory, ["-C", "-S", "-c", "4", "-t", str(connections // 4)], "||0|100000\n")
    rows = all_recorded(f"{directory}/recorded/server", connections)
    check(sum(one["processes"] for one in rows if one["command"][0].endswith("postgres")) >= connections, "connections", rows[:3])


def program_make(directory, store):
    """A package is configured and built by two processes at once: as many processes are there as there were."""
    url = "http://deb.debian.org/debian/pool/main/h/hello/hello_2.10.orig.tar.gz"
    archive, place = os.path.join(directory, "archive"), os.path.join(directory, "place")
    try:
        with urllib.request.urlopen(url, timeout=30) as answer, open(archive, "wb") as file:
            shutil.copyfileobj(answer, file)
    except OSError as error:
        print(f"{url}: {error}")
        sys.exit(77)
    with open(archive, "rb") as file:
        check(hashlib.sha256(file.read()).hexdigest() == HELLO, "another archive", url)
    script = """set -e
        tar --strip-components=1 -xf ../archive
        ./configure --quiet --disable-nls && make -j2 --silent
        ./hello --version && sha256sum hello && cat /proc/sys/kernel/ns_last_pid"""
    results = []
    for record in (False, True):
        os.mkdir(place)
        command = ["sh", "-c", script]
        done = run(["unshare", "--pid", "--fork", "--mount-proc", *(recorded(store, command, "64M") if record else command)], place)
        *lines, last = done.stdout.splitlines()
        results.append((done.returncode, lines, int(last) - 1))  # the tool is the first
        shutil.rmtree(place)
    check(results[0][0] == 0, "it fails by itself", *results[0])
    check(results[0][:2] == results[1][:2], "other results when recorded", *results)
    rows = all_recorded(store, results[0][2])
    processes = sum(one["processes"] for one in rows if one["state"] != "replaced")
    check(0 <= results[0][2] - processes <= 5, f"{processes} of {results[0][2]} processes; who only forks is not there")
    compiled = sum(one["processes"] for one in rows if one["command"][0].endswith("cc1"))
    assembled = sum(one["processes"] for one in rows if one["command"][0] == "as")
    check(compiled >= assembled > 100, f"{compiled} compiled, {assembled} assembled")


def uses_jemalloc(program):
    return "jemalloc" in subprocess.run(["ldd", program], capture_output=True, text=True).stdout


def main():
    with tempfile.TemporaryDirectory() as directory:
        globals()["program_" + sys.argv[2]](directory, os.path.join(directory, "store"))
    print("ok", sys.argv[2])


if __name__ == "__main__":
    main()
