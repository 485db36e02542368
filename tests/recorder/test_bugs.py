#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Run each program of tests/bugs, and compare exit status and report with what they should be.

usage: test_bugs.py STACKDEPOT BUGS_DIRECTORY
"""
import json
import os
import re
import subprocess
import sys
import tempfile

TOOL, BUGS = sys.argv[1], sys.argv[2]
GUARD = {"STACKDEPOT_OPTIONS": "guard=1"}
# How the C library ends a program depends on what lies in memory: meson test would fill it at random.

# Program, environment, exit status (negative: signal), errors. An error is its kind, the lines the text
# report must have in this order, and the functions the stacks must begin with: access, alloc, free.
CASES = [
    ("double-free", {}, -6, [("double-free", [
        r"BUG: double-free", r"Free of address 0x[0-9a-f]+ by thread \d+", r"Stack:",
        r"    free_again  .*double-free\.c:\d+", r"Allocated by thread \d+:",
        r"    allocate  .*bug\.h:\d+", r"    main  .*double-free\.c:\d+", r"Freed by thread \d+:",
        r"    free_first  .*double-free\.c:\d+",
        r"The address is 0 bytes inside of a freed 40-byte object \[0x[0-9a-f]+, 0x[0-9a-f]+\)"],
        ["free_again", "main"], ["allocate", "main"], ["free_first", "main"])]),
    ("double-free-large", {}, -6, [("double-free", [
        r"BUG: double-free", r"The address is 0 bytes inside of a freed 5000-byte object .*"],
        ["free_again", "main"], ["allocate", "main"], ["free_first", "main"])]),
    ("invalid-free-inside", {}, -6, [("invalid-free", [
        r"BUG: invalid-free", r"    free_inside  .*:\d+",
        r"The address is 16 bytes inside of a 100-byte object .*"],
        ["free_inside", "main"], ["allocate", "main"], None)]),
    ("invalid-free-stack", {}, -6, [("invalid-free", [r"BUG: invalid-free"],
        ["free_variable", "main"], None, None)]),
    ("invalid-free-global", {}, -6, [("invalid-free", [r"BUG: invalid-free"],
        ["free_variable", "main"], None, None)]),
    ("heap-overflow", {}, 7, [("slab-out-of-bounds", [
        r"BUG: slab-out-of-bounds",
        r"Write of address 0x[0-9a-f]+ by thread \d+, found when it was freed; bytes there: 0x[0-9a-f]+00",
        r"Found at:", r"    release  .*heap-overflow\.c:\d+", r"Allocated by thread \d+:",
        r"The address is 0 bytes to the right of a 20-byte object .*"],
        ["release", "main"], ["allocate", "main"], None)]),
    ("write-after-free", {}, 7, [("slab-use-after-free", [
        r"BUG: slab-use-after-free",
        r"Write of address .* found when it was to be reused; bytes there: 0xd7d7d7d7d7d7d778",
        r"The address is 9 bytes inside of a freed 32-byte object .*"],
        ["main"], ["allocate", "main"], ["release", "main"])]),
    ("use-after-free", GUARD, 7, [("slab-use-after-free", [
        r"BUG: slab-use-after-free", r"Read of address .*", r"    read_late  .*:\d+",
        r"The address is 5 bytes inside of a freed 32-byte object .*"],
        ["read_late", "main"], ["allocate", "main"], ["release", "main"])]),
    ("out-of-bounds", GUARD, 7, [("slab-out-of-bounds", [
        r"BUG: slab-out-of-bounds", r"Write of address .*", r"    write_beyond  .*:\d+"],
        ["write_beyond", "main"], ["allocate", "main"], None)]),
    ("null-deref", {}, -11, [("null-ptr-deref", [
        r"BUG: null-ptr-deref",
        r"Read of address 0x18 by thread \d+, signal 11 \(Segmentation fault\)",
        r"    read_field  .*:\d+"],
        ["read_field", "main"], None, None)]),
    ("wild-access", {}, -11, [("wild-memory-access", [
        r"BUG: wild-memory-access", r"Write of address .*", r"    write_far  .*:\d+",
        r"The nearest object there was: the address is \d+ bytes .* 100-byte object .*"],
        ["write_far", "main"], ["allocate", "main"], None)]),
    ("aborts", {}, -6, [("crash", [
        r"BUG: crash", r"Signal of address 0x0 by thread \d+, signal 6 \(Aborted\)",
        r"    give_up  .*:\d+"], None, None, None)]),
    ("realloc-freed", {}, 1, [("double-free", [r"BUG: double-free", r"    grow  .*:\d+"],
        ["grow", "main"], ["allocate", "main"], ["main"])]),
    ("stack-overflow", {}, -11, [("stack-overflow", [
        r"BUG: stack-overflow",
        r"(Write|Read) of address 0x[0-9a-f]+ by thread \d+, signal 11 \(Segmentation fault\)",
        r"The stack of the thread is used up: recursion without end, or objects too large for it",
        r"Stack:", r"    descend  .*stack-overflow\.c:\d+"],
        ["descend", "descend", "descend"], None, None)]),
    ("stack-overflow-thread", {}, -11, [("stack-overflow", [r"BUG: stack-overflow"],
        ["descend", "descend", "descend"], None, None)]),
    ("strcpy-overflow", {}, 7, [("slab-out-of-bounds", [
        r"Write of address .* found when it was freed; bytes there: 0x[0-9a-f]+00",
        r"The address is 0 bytes to the right of a 8-byte object .*"],
        ["release", "main"], ["allocate", "main"], None)]),
    ("calloc-overflow", {}, 7, [("slab-out-of-bounds", [
        r"The address is 0 bytes to the right of a 15-byte object .*"],
        ["release", "main"], ["make_array", "main"], None)]),
    ("aligned-overflow", {}, 7, [("slab-out-of-bounds", [
        r"The address is 0 bytes to the right of a 128-byte object .*"],
        ["release", "main"], ["make_aligned", "main"], None)]),
    ("realloc-overflow", {}, 7, [("slab-out-of-bounds", [
        r"The address is 0 bytes to the right of a 30-byte object .*"],
        ["grow_again", "main"], ["grow_first", "main"], None)]),
    ("overflow-large", {}, 7, [("slab-out-of-bounds", [
        r"The address is 0 bytes to the right of a 50001-byte object .*"],
        ["release", "main"], ["allocate", "main"], None)]),
    ("overflow-reused", {}, 7, [("slab-out-of-bounds", [
        r"The address is 0 bytes to the right of a 2000-byte object .*"],
        ["release", "main"], ["allocate", "main"], None)]),
    ("new-overflow", {}, 7, [("slab-out-of-bounds", [
        r"The address is 0 bytes to the right of a 10-byte object .*"],
        ["release", "main"], ["make_array", "main"], None)]),
    ("use-after-realloc", GUARD, 7, [("slab-use-after-free", [
        r"Read of address .*", r"The address is 3 bytes inside of a freed 20-byte object .*"],
        ["read_old", "main"], ["allocate", "main"], ["grow", "main"])]),
    ("use-after-free-write", GUARD, 7, [("slab-use-after-free", [
        r"Write of address .*", r"The address is 8 bytes inside of a freed 48-byte object .*"],
        ["write_late", "main"], ["allocate", "main"], ["release", "main"])]),
    ("double-free-thread", {}, 7, [("double-free", [r"BUG: double-free"],
        ["free_in_main", "main"], ["allocate", "main"], ["free_in_thread", "run"])]),
    ("realloc-fails", {}, 7, [("slab-out-of-bounds", [
        r"The address is 0 bytes to the right of a 24-byte object .*"],
        ["release", "run"], ["allocate", "run"], None)]),
    ("three-threads", {}, 7, [("double-free", [r"BUG: double-free"],
        ["free_again", "main"], ["allocate", "run_allocate"], ["run_free"])]),
    ("delete-twice", {}, -6, [("double-free", [r"The address is 0 bytes inside of a freed 48-byte object .*"],
        ["second_owner", "main"], ["make_thing", "main"], ["first_owner", "main"])]),
    ("invalid-free-aligned", {}, -6, [("invalid-free", [r"The address is 32 bytes inside of a 96-byte object .*"],
        ["free_rounded", "main"], ["make_aligned", "main"], None)]),
    ("invalid-free-small", {}, -11, [("invalid-free", [r"Free of address 0x10 by thread \d+, signal 11 .*"],
        ["free_member", "main"], None, None)]),
    ("own-handler", {}, 7, []),
    ("clean", {}, 7, []),
]


def fail(name, text, *details):
    print(f"FAILED {name}: {text}")
    for detail in details:
        print(detail)
    sys.exit(1)


def record(directory, name, environment, *options):
    store = os.path.join(directory, name + ".store")
    done = subprocess.run([TOOL, "run", "--quiet", "--store", store, *options, "--",
                           os.path.join(BUGS, "bug-" + name)],
                          env={**os.environ, "MALLOC_PERTURB_": "0", **environment},
                          capture_output=True, text=True)
    return store, done


def report(kind, store, *options):
    return subprocess.run([TOOL, "report", kind, *options, store], capture_output=True, text=True)


def check_lines(name, lines, text):
    rest = text.splitlines()
    for wanted in lines:
        while rest and not re.fullmatch(wanted, rest[0]):
            rest.pop(0)
        if not rest:
            fail(name, f"no line '{wanted}' (in this place)", text)


def check_stack(name, what, stack, functions):
    if functions is None:
        return
    names = [frame["function"] for frame in stack or []]
    # operator new has a frame where it is the library's.
    names = [name for name in names if not (name or "").startswith("operator ")]
    names = [name and name.partition("(")[0] for name in names]
    if names[:len(functions)] != functions:
        fail(name, f"{what}: {names[:4]} should begin with {functions}")


def check(directory, name, environment, status, errors):
    store, done = record(directory, name, environment)
    if done.returncode != status:
        fail(name, f"exit status {done.returncode} should be {status}", done.stderr)
    text = report("errors", store, "--all")
    if text.returncode != (1 if errors else 0):
        fail(name, f"report says {text.returncode}", text.stdout, text.stderr)
    found = json.loads(report("errors", store, "--json").stdout)["errors"]
    kinds = sorted({error["kind"] for error in found})
    if kinds != sorted({error[0] for error in errors}):
        fail(name, f"found {kinds}", text.stdout)
    for error, (_, lines, access, alloc, free) in zip(found, errors):
        check_lines(name, lines, text.stdout)
        check_stack(name, "access", error["stack"], access)
        check_stack(name, "alloc", error["allocated"], alloc)
        check_stack(name, "free", error["freed_at"], free)


def check_leaks(directory):
    store, _ = record(directory, "leak", {})
    done = report("leaks", store, "--json")
    found = json.loads(done.stdout)
    if done.returncode != 1 or found["live_bytes"] != 3000 or found["live_objects"] != 3:
        fail("leak", "not 3 objects of 1000 bytes", done.stdout)
    check_stack("leak", "alloc", found["stacks"][0]["stack"], ["allocate", "lose", "main"])
    if len(found["stacks"]) != 2 and found["stacks"][0]["live_objects"] not in (1, 3):
        fail("leak", "stacks", done.stdout)
    store, _ = record(directory, "clean", {})
    if report("leaks", store).returncode != 0:
        fail("clean", "leaks")


def check_threads(directory):
    """Who did what; of what lay there before nothing is told."""
    for name, wanted in (
            ("double-free", lambda used, allocated, freed: used == allocated == freed),
            ("use-after-free", lambda used, allocated, freed: used == allocated == freed),
            ("heap-overflow", lambda used, allocated, freed: used == allocated and not freed),
            ("overflow-reused", lambda used, allocated, freed: used == allocated and not freed),
            ("realloc-fails", lambda used, allocated, freed: allocated in (0, used) and not freed),
            ("double-free-thread", lambda used, allocated, freed: used == allocated and
             freed not in (0, used)),
            ("three-threads", lambda used, allocated, freed: len({0, used, allocated, freed}) == 4)):
        store, _ = record(directory, name, GUARD if name == "use-after-free" else {})
        error, = json.loads(report("errors", store, "--json").stdout)["errors"]
        if not wanted(error["thread"], error["allocated_by_thread"], error["freed_by_thread"]):
            fail(name, "threads", json.dumps(error, indent=1))
        if name == "overflow-reused" and error["freed_at"]:
            fail(name, "a free of what lay there before", json.dumps(error, indent=1))


def check_abort(directory):
    store, done = record(directory, "double-free", {}, "--on-error=abort")
    if done.returncode != -6 or "double-free at 0x" not in done.stderr:
        fail("on-error=abort", f"{done.returncode}", done.stderr)
    kinds = [error["kind"] for error in
             json.loads(report("errors", store, "--json").stdout)["errors"]]
    if kinds != ["double-free"]:
        fail("on-error=abort", f"errors {kinds}")


def check_exitcode(directory):
    for name, status in (("double-free", 99), ("clean", 7)):
        _, done = record(directory, name, {}, "--error-exitcode=99")
        if done.returncode != status:
            fail("error-exitcode", f"{name}: {done.returncode}")


def main():
    with tempfile.TemporaryDirectory() as directory:
        for case in CASES:
            check(directory, *case)
            print("ok", case[0])
        check_leaks(directory)
        check_threads(directory)
        check_abort(directory)
        check_exitcode(directory)
        print("ok leaks, threads, abort, exit codes")


main()
