#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What recording costs a whole program, next to other heap profilers.

usage: bench_recorder.py STACKDEPOT PRELOAD_LIBRARY OUTPUT.md [ROUNDS]

CPU time (user and system, all threads) and peak memory of four programs, natively and under each tool; the
median of ROUNDS rounds, in which the tools take turns. CPU time, as others may use the machine meanwhile.
Wants the packages g++, sqlite3, redis-server, redis-tools, heaptrack, libjemalloc2, libgoogle-perftools4.
"""
import glob
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TOOL, PRELOAD, OUTPUT = sys.argv[1], os.path.abspath(sys.argv[2]), sys.argv[3]
ROUNDS = int(sys.argv[4]) if len(sys.argv) > 4 else 5
LIBRARIES = "/usr/lib/x86_64-linux-gnu/"
SOURCE = """#include <map>
#include <string>
#include <vector>
#include <algorithm>
#include <regex>
std::map<std::string, std::vector<int>> all;
bool find(const std::string &s) { return std::regex_match(s, std::regex("a(b|c)+d*")); }
int main() { all["a"].push_back(1); std::sort(all["a"].begin(), all["a"].end()); return find("abc"); }
"""
SQL = """create table t(a, b);
with recursive c(x) as (select 1 union all select x + 1 from c where x < 300000)
insert into t select x, hex(randomblob(8)) from c;
create index i on t(b); select count(*), count(distinct substr(b, 1, 3)) from t;
select sum(r) from (select row_number() over (order by b) r from t);
"""
PYTHON = """import ast, json, re
for i in range(12):
    data = [{'id': n, 'text': 'x' * (n % 50), 'list': list(range(n % 20))} for n in range(8000)]
    again = json.loads(json.dumps(data))
    tree = ast.dump(ast.parse('a = [' + ','.join(map(str, range(3000))) + ']'))
    words = re.findall(r'[a-z]+', tree)
"""


def environment(tool, directory):
    out = os.path.join(directory, "out")
    return {
        "native": {},
        "stackdepot": {"LD_PRELOAD": PRELOAD, "STACKDEPOT_OPTIONS": f"store={out}.store"},
        "stackdepot, sample=512K": {"LD_PRELOAD": PRELOAD,
                                    "STACKDEPOT_OPTIONS": f"store={out}.store:mode=sample=512K"},
        "heaptrack": {"LD_PRELOAD": "/usr/lib/heaptrack/libheaptrack_preload.so",
                      "DUMP_HEAPTRACK_OUTPUT": out + ".heaptrack"},
        "jemalloc, every allocation": {"LD_PRELOAD": LIBRARIES + "libjemalloc.so.2",
                                       "MALLOC_CONF": "prof:true,lg_prof_sample:0"},
        "gperftools heap profiler": {"LD_PRELOAD": LIBRARIES + "libtcmalloc.so.4",
                                     "HEAPPROFILE": out + ".hprof"},
    }[tool]


TOOLS = ["native", "stackdepot", "stackdepot, sample=512K", "heaptrack",
         "jemalloc, every allocation", "gperftools heap profiler"]


def prepare(directory):
    with open(os.path.join(directory, "a.cc"), "w", encoding="ascii") as file:
        file.write(SOURCE)
    with open(os.path.join(directory, "q.sql"), "w", encoding="ascii") as file:
        file.write(SQL)
    subprocess.run(["g++", "-E", "-o", "a.ii", "a.cc"], cwd=directory, check=True)
    return subprocess.run(["g++", "-print-prog-name=cc1plus"], capture_output=True, text=True,
                          check=True).stdout.strip()


def commands(directory):
    compiler = prepare(directory)
    return {
        "cc1plus": [compiler, "-quiet", "-O2", "a.ii", "-o", "a.s"],
        "python": ["/usr/bin/python3", "-c", PYTHON],
        "sqlite": ["sqlite3", ":memory:", ".read q.sql"],
        "redis": ["redis-server", "--port", "7799", "--save", "", "--appendonly", "no"],
    }


def load_redis():
    for _ in range(200):
        if subprocess.run(["redis-cli", "-p", "7799", "ping"], capture_output=True).returncode == 0:
            break
        time.sleep(0.1)
    subprocess.run(["redis-benchmark", "-p", "7799", "-n", "60000", "-q", "-P", "8", "-t",
                    "set,get,lpush,hset,sadd,zadd"], stdout=subprocess.DEVNULL, check=True)
    subprocess.run(["redis-cli", "-p", "7799", "shutdown", "nosave"], capture_output=True)


def measure(name, command, tool, directory):
    variables = {**os.environ, "PYTHONMALLOC": "malloc", **environment(tool, directory)}
    process = subprocess.Popen(command, cwd=directory, env=variables, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    if name == "redis":
        load_redis()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{name} under {tool}: status {status}")
    disk = sum(os.path.getsize(path) for path in glob.glob(os.path.join(directory, "out*")))
    for path in glob.glob(os.path.join(directory, "out*")):
        os.unlink(path)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, disk / (1 << 20)


def collect(directory):
    results = {}
    programs = commands(directory)
    for _ in range(ROUNDS):
        for name, command in programs.items():
            for tool in TOOLS:
                results.setdefault((name, tool), []).append(measure(name, command, tool, directory))
    return list(programs), results


def median(results, key, field):
    return statistics.median(run[field] for run in results[key])


def write(programs, results):
    lines = ["# What recording costs a whole program", "",
             f"`tools/bench_recorder.py`, median of {ROUNDS} rounds in turns, "
             f"{os.cpu_count()} shared cores. CPU seconds (user and system), times native, peak "
             "memory, file written. heaptrack, jemalloc and gperftools as Debian 12 has them; "
             "jemalloc and gperftools bring their own allocator, so part of their difference is its.", ""]
    for name in programs:
        base = median(results, (name, "native"), 0)
        lines += [f"## {name}", "", "| | CPU s | × native | peak MiB | file MiB |",
                  "|---|---|---|---|---|"]
        for tool in TOOLS:
            cpu, peak, disk = (median(results, (name, tool), field) for field in range(3))
            lines.append(f"| {tool} | {cpu:.2f} | {cpu / base:.2f} | {peak:.0f} | {disk:.1f} |")
        lines.append("")
    with open(OUTPUT, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


def main():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    directory = tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    try:
        write(*collect(directory))
    finally:
        shutil.rmtree(directory)


main()
