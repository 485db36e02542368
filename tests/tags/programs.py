#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Programs of Debian for arm64 with tags, each in one thread, in qemu-user: they say what they say without tags, and
nothing is found. Their files are those that tests/tags/image unpacked; what is not there is left out, and without
any the test is skipped.

usage: programs.py STACKDEPOT DIRECTORY SOURCE...   as test_tags.py
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import arm64
from test_tags import DIRECTORY, HERE, SKIP, SOURCES, TOOL, LeftOut, check, report, run_all

TREE = arm64.tree()
SECONDS = 600
PYTHON = ("import json, re\n"
          "d = {str(i): [i, str(i) * 3, {'a': i}] for i in range(3000)}\n"
          "for i in range(3): d = json.loads(json.dumps(d))\n"
          "print(len(re.findall('[0-9]+', json.dumps(d))))")
PERL = "my %h; for my $i (1..20000) { $h{$i} = [$i, 'x' x ($i % 50)]; delete $h{$i - 5000} } print scalar keys %h"
SQL = ("create table t(a integer primary key, b text);"
       "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000) insert into t select i, hex(i * 7919) from n;"
       "create index x on t(b); select count(*), min(b), max(b) from t;")
NODE = ("const c = require('crypto'); let m = new Map();"
        "for (let i = 0; i < 20000; i++) m.set('k' + i, {v: Buffer.alloc(i % 64)});"
        "console.log(m.size, c.createHash('sha256').update(JSON.stringify([...m.keys()])).digest('hex'))")
# Pointers of malloc() as light userdata; and as numbers, which have too few digits for them.
LUAJIT = """package.cpath = '%s/?.so'
print(require 'light' (5000))
local ffi = require 'ffi'
ffi.cdef 'void *malloc(size_t);'
local seen, alike = {}, 0
for i = 1, 5000 do
    local key = tonumber(ffi.cast('uintptr_t', ffi.C.malloc(32)))
    alike, seen[key] = alike + (seen[key] and 1 or 0), true
end
print(alike)"""
POSTGRES = """create table t(a int primary key, b text, c numeric);
insert into t select i, md5(i::text), i / 7.0 from generate_series(1, 3000) i;
create index x on t(b);
analyze t;
select count(*), min(b), max(b), sum(c) from t;
select substr(b, 1, 1) k, count(*) from t group by 1 order by 1 limit 3;
update t set b = reverse(b) where a % 3 = 0;
delete from t where a % 5 = 0;
select md5(string_agg(a || b || c, ',' order by a)) from t;
with recursive r(n, f) as (select 1, 1::numeric union all select n + 1, f * (n + 1) from r where n < 60) select max(f) from r;
select jsonb_agg(jsonb_build_object('a', a, 'b', b)) -> 5 from t where a < 50;
vacuum t;
"""
SYNC, SAMPLED, OVERHEAD = "tags=sync", "tags=sync:mode=sample=4096", "tags=sync:overhead=5"


class Programs:
    def __init__(self, directory):
        machine = arm64.Arm64(DIRECTORY, SOURCES)
        machine.add("light.so", HERE / "light.c", "-shared", "-fPIC")
        trouble = machine.build()
        if trouble:
            sys.exit(trouble)
        # PostgreSQL is of a user who need not be able to read where this was built.
        self.directory, self.number = pathlib.Path(directory), 0
        self.directory.chmod(0o755)
        for name in (machine.preload.name, "light.so"):
            shutil.copy(machine.directory / name, directory)
        self.preload = self.directory / machine.preload.name

    def run(self, command, options=None, environment=None, place=None, **more):
        """Where it is recorded, the store too."""
        if not os.path.exists(f"{TREE}{command[0]}"):
            raise LeftOut(f"tests/tags/image unpacked no {command[0]}")
        self.number += 1
        store = (place or self.directory) / f"{self.number}.store"
        variables = {**(environment or {}), **({"LD_PRELOAD": self.preload, "STACKDEPOT_OPTIONS": f"store={store}:{options}"} if options else {})}
        words = [word for name, value in variables.items() for word in ("-E", f"{name}={value}")]
        for left in reversed(range(arm64.TRIES)):
            done = subprocess.run([arm64.EMULATOR, "-cpu", "max", "-L", str(TREE), *words, f"{TREE}{command[0]}", *command[1:]],
                                  capture_output=True, text=True, timeout=SECONDS, check=False, **more)
            if arm64.ITS_OWN not in done.stderr or not left:
                break
            store.unlink(missing_ok=True)
        return store, done

    def clean(self, store, options, least):
        found = arm64.errors(TOOL, store)
        check(not found["errors"] and not found["doubts"], options, arm64.text(TOOL, store))
        allocations = report("top", store)["allocations"]
        check(allocations >= least, options, allocations, "allocations, at least", least)

    def alike(self, command, least, modes=(SYNC,), **more):
        """As without tags, in each of the modes."""
        native = self.run(command, **more)[1]
        check(native.returncode == 0 and native.stdout, "fails by itself", native.returncode, native.stderr)
        for options in modes:
            store, done = self.run(command, options, **more)
            check((done.returncode, done.stdout) == (0, native.stdout), options, done.returncode, done.stdout, done.stderr)
            self.clean(store, options, least if options == SYNC else 1)


def test_python(programs):
    variables = {"PYTHONHOME": f"{TREE}/usr", "PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0"}
    programs.alike(["/usr/bin/python3", "-c", PYTHON], 50000, (SYNC, "tags=async", SAMPLED, OVERHEAD), environment=variables)


def test_perl(programs):
    programs.alike(["/usr/bin/perl", "-e", PERL], 20000, environment={"PERL_HASH_SEED": "0"})


def test_sqlite3(programs):
    programs.alike(["/usr/bin/sqlite3", ":memory:", SQL], 1000, (SYNC, SAMPLED, OVERHEAD))


def test_node(programs):
    programs.alike(["/usr/bin/node", "--single-threaded", "--v8-pool-size=0", "-e", NODE], 50000)


def test_luajit(programs):
    """Light userdata is as without tags; a number made of a pointer is not, and tags=off is for such programs."""
    command = ["/usr/bin/luajit", "-e", LUAJIT % programs.directory]
    programs.alike(command, 10000, ("tags=off",))
    store, done = programs.run(command, SYNC)
    check(done.returncode == 0, done.stderr)
    wrong, alike = map(int, done.stdout.split())
    check(not wrong and alike, wrong, "came back as others", alike, "alike")
    programs.clean(store, SYNC, 10000)


def test_postgres(programs):
    """Its server in the mode for one user. The files of a cluster are the same on both processors."""
    version = max((path.name for path in (TREE / "usr/lib/postgresql").glob("*")), default=None)
    if not version:
        raise LeftOut("tests/tags/image unpacked no PostgreSQL")
    initdb, server = (f"/usr/lib/postgresql/{version}/bin/{name}" for name in ("initdb", "postgres"))
    if not os.path.exists(initdb):
        raise LeftOut(f"{initdb} is not installed")
    user, place, outputs = "nobody" if os.geteuid() == 0 else None, programs.directory / "postgres", []
    place.mkdir()
    if user:
        shutil.chown(place, user)
    # The server does not run as root, and another user may not get at the home of root.
    for path in (f"{TREE}{server}", programs.preload):
        if os.path.exists(path) and subprocess.run(["test", "-r", path], user=user, check=False).returncode:
            raise LeftOut(f"{user} cannot read {path}: STACKDEPOT_LINUX_CACHE can be elsewhere")
    for options in (None, SYNC, SAMPLED):
        data = place / f"data-{len(outputs)}"
        done = subprocess.run([initdb, "-D", data, "-U", "test", "-A", "trust", "--locale=C", "--no-sync", "--no-instructions"], cwd=place, user=user,
                              capture_output=True, text=True, timeout=SECONDS, check=False)
        check(done.returncode == 0, "initdb", done.stderr)
        with open(data / "postgresql.conf", "a", encoding="ascii") as file:
            file.write("fsync = off\ndynamic_shared_memory_type = mmap\nshared_buffers = 16MB\n")
        command = [server, "--single", "-D", str(data), "postgres"]
        store, done = programs.run(command, options, place=place, cwd=place, user=user, input=POSTGRES)
        check(done.returncode == 0, options, done.stderr)
        outputs.append(done.stdout)
        check(done.stdout == outputs[0], options, done.stdout, "without:", outputs[0])
        if options:
            programs.clean(store, options, 10000 if options == SYNC else 1)


def main():
    lacking = arm64.missing() or (not os.path.exists(TREE) and "the files of tests/tags/image")
    if lacking:
        print(f"skipped: needs {lacking}")
        arm64.end(SKIP)
    with tempfile.TemporaryDirectory() as directory:
        status = run_all(globals(), Programs(directory))
    arm64.end(status)


if __name__ == "__main__":
    main()
