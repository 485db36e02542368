#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Programs that go wrong, and programs that do not, on arm64 with tags: what each does, and what is
reported of it.

usage: test_tags.py STACKDEPOT DIRECTORY SOURCE...   DIRECTORY is to build in, the sources are the library's
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import arm64

TOOL, DIRECTORY, SOURCES = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3:]
HERE = pathlib.Path(__file__).resolve().parent
BUGS = HERE.parent / "bugs"
SKIP = 77
OOB, UAF, TWICE = "slab-out-of-bounds", "slab-use-after-free", "double-free"

# tests/kinds.c: what it has to say besides OK, and the errors: kind, functions that the stacks of access,
# allocation and free begin with (None: there is no such stack), what the text says, and whether it is
# found by the access itself.
AT_ONCE, LATE = False, True
WRONG = {
    "read_freed": ([], UAF, "read_at", "allocate", "release", r"37 bytes inside of a freed 100-byte object", AT_ONCE),
    "read_freed_large": ([], UAF, "read_at", "allocate", "release", r"16000 bytes inside of a freed 20000-byte", AT_ONCE),
    "read_before": ([], OOB, "read_at", "allocate", None, r"1 byte before a 64-byte object", AT_ONCE),
    "read_behind": ([], OOB, "read_at", "allocate", None, r"0 bytes to the right of a 64-byte object", AT_ONCE),
    "write_in_granule": ([], OOB, "release", "allocate", None, r"0 bytes to the right of a 41-byte object", LATE),
    "write_at_end_of_granule": ([], OOB, "release", "allocate", None, r"14 bytes to the right of a 33-byte object", LATE),
    "read_after_realloc": ([], UAF, "read_at", "allocate", "grow", r"3 bytes inside of a freed 24-byte object", AT_ONCE),
    "read_after_realloc_in_place": ([], UAF, "read_at", "allocate", "read_after_realloc_in_place",
                                    r"3 bytes inside of a freed 1000-byte object", AT_ONCE),
    "read_stale": ([], UAF, "read_at", "allocate", "release", r"8 bytes inside of a freed 2000-byte object", AT_ONCE),
    "free_taken_again": (["read y"], TWICE, "free_again", "allocate", "release",
                         r"0 bytes inside of a freed 2000-byte object", AT_ONCE),
    "read_behind_aligned": ([], OOB, "read_at", "make_aligned", None, r"0 bytes to the right of a 512-byte object", AT_ONCE),
    "read_behind_calloc": ([], OOB, "read_at", "read_behind_calloc", None, r"0 bytes to the right of a 48-byte object", AT_ONCE),
    "read_freed_untagged": ([], UAF, "read_at", "allocate", "release", r"150000 bytes inside of a freed 200000-byte", AT_ONCE),
    "read_behind_untagged": ([], OOB, "read_at", "allocate", None, r"0 bytes to the right of a 200000-byte object", AT_ONCE),
    "read_before_untagged": ([], OOB, "read_at", "allocate", None, r"705 bytes before a 200000-byte object", AT_ONCE),
    "write_behind_untagged": ([], OOB, "release", "allocate", None, r"2 bytes to the right of a 200001-byte object", LATE),
    "write_nothing": ([], OOB, "release", "allocate", None, r"0 bytes to the right of a 0-byte object", LATE),
}
# "forks" is not for qemu-user, where memory that the kernel should clear in a child is not cleared.
RIGHT = {
    "sizes": [], "aligned": [], "aligned_anyway": [], "pages": ["read y", "read y"],
    "system_calls": ["read through a pipe"], "coroutine": ["read q"], "own_fault": ["read 1 1", "read 2 1"],
    "blocked": [], "ignored": [], "many": [], "trimmed": [], "mapped": ["read y"],
    "large": [], "large_many": ["read y"], "moves": ["read m"], "asks": ["read 0"],
}
# jemalloc's large objects are not between guard pages. Before the first one of its pages are others, which have no tags.
NOT_JEMALLOC = {"read_freed_untagged", "read_behind_untagged", "read_before_untagged", "write_behind_untagged", "read_before"}
# Programs of tests/bugs: exit status, and kinds of errors. What they say without tags test_bugs.py knows.
PROGRAMS = {
    "clean": (7, []), "leak": (None, []), "double-free": (-6, [TWICE]), "double-free-large": (-6, [TWICE]),
    "invalid-free-inside": (-6, ["invalid-free"]), "invalid-free-stack": (-6, ["invalid-free"]),
    "invalid-free-global": (-6, ["invalid-free"]), "heap-overflow": (7, [OOB]), "write-after-free": (7, [UAF]),
    "use-after-free": (7, [UAF]), "use-after-free-write": (7, [UAF]), "use-after-realloc": (7, [UAF]),
    "out-of-bounds": (7, [OOB, OOB]), "strcpy-overflow": (7, [OOB]), "calloc-overflow": (7, [OOB]),
    "aligned-overflow": (7, [OOB]), "realloc-overflow": (7, [OOB]), "overflow-large": (7, [OOB]),
    "invalid-free-aligned": (-6, ["invalid-free"]), "own-handler": (7, []), "realloc-freed": (1, [TWICE]),
    "new-overflow": (7, [OOB]), "delete-twice": (-6, [TWICE]),
}


class Failed(Exception):
    pass


class LeftOut(Exception):
    """What a test needs is not there."""


def check(condition, *words):
    if not condition:
        raise Failed(" ".join(str(word)[:2000] for word in words))


def report(kind, store):
    done = subprocess.run([TOOL, "report", kind, "--json", "--all", str(store)], capture_output=True, text=True, check=False)
    check(done.returncode in (0, 1), "report", kind, done.returncode, done.stderr)
    return json.loads(done.stdout)


def first_function(stack):
    names = [frame["function"] for frame in stack or []]
    return names[0] if names else None


class Tags:
    number = 0  # of stores, in whatever directory

    def __init__(self, machine, directory):
        self.machine, self.directory = machine, directory

    def record(self, program, *words, options="tags=sync", preload=True, beside=()):
        Tags.number += 1
        store = os.path.join(self.directory, f"{Tags.number}.store")
        return store, self.machine.run(program, *words, store=store, options=options, preload=preload, beside=beside)

    def kind(self, name, options="tags=sync"):
        store, done = self.record("kinds", name, options=options)
        check(done.returncode == 0 and done.stdout.endswith("OK\n"), name, "ended with", done.returncode, done.stdout, done.stderr)
        return store, done.stdout.splitlines()[:-1], arm64.errors(TOOL, store)

    def wrong(self, name):
        said, kind, access, alloc, free, line, late = WRONG[name]
        store, lines, found = self.kind(name)
        check(lines == said, name, "said", lines)
        check([error["kind"] for error in found["errors"]] == [kind] and not found["doubts"], name, "found",
              [error["kind"] for error in found["errors"] + found["doubts"]], arm64.text(TOOL, store))
        error = found["errors"][0]
        text = arm64.text(TOOL, store)
        for what, function in (("stack", access), ("allocated", alloc), ("freed_at", free)):
            check(first_function(error[what]) == function, name, what, first_function(error[what]), "should be", function, text)
        check(re.search(line, text), name, "has no line", line, text)
        check(error["found_late"] == late, name, "found late:", error["found_late"])
        if not late and not name.endswith("_untagged"):
            check(error["pointer_tag"] not in (0, error["memory_tag"]), name, "tags", text)

    def right(self, name):
        _, lines, found = self.kind(name)
        check(lines == RIGHT[name], name, "said", lines)
        check(not found["errors"] and not found["doubts"], name, "found", found["errors"] + found["doubts"])


class JemallocTags(Tags):
    """jemalloc is the program's allocator."""

    def record(self, *words, **more):
        return super().record(*words, **more, beside=[self.machine.jemalloc])

    def functions(self, options="tags=sync"):
        """It has no headers, and functions of its own, which get objects of malloc()."""
        store, done = self.record("jemalloc", options=options)
        check((done.returncode, done.stdout) == (0, "read 0 wrong\nOK\n"), options, done.returncode, done.stdout, done.stderr)
        found = arm64.errors(TOOL, store)
        check(not found["errors"] and not found["doubts"], options, arm64.text(TOOL, store))


def test_wrong(tags):
    for name in WRONG:
        tags.wrong(name)


def test_right(tags):
    for name in RIGHT:
        tags.right(name)


def test_bugs(tags):
    for name, (status, kinds) in PROGRAMS.items():
        store, done = tags.record("bug-" + name)
        check(status is None or done.returncode == status, name, "ended with", done.returncode, done.stderr)
        found = [error["kind"] for error in arm64.errors(TOOL, store)["errors"]]
        check(found == kinds, name, "found", found, arm64.text(TOOL, store))


def test_picture(tags):
    """The row of the access is marked, and so is its granule: the tag there is the memory's."""
    store, _, found = tags.kind("read_behind")
    error = found["errors"][0]
    granule = (error["address"] - error["tags_start"]) // 16
    check(error["tags"][granule] == error["memory_tag"] == 0, "tag of the memory", error)
    check(error["tags"][granule - 4:granule] == [error["pointer_tag"]] * 4, "tags of the object", error)
    check(error["tags"][granule - 5] == 0, "tag before the object", error)
    text = arm64.text(TOOL, store)
    check(re.search(rf"^Pointer tag: \[{error['pointer_tag']:x}\], memory tag: \[0\]$", text, re.M), text)
    check(re.search(r"^> 0x[0-9a-f]+:.*\[0\]", text, re.M), text)


def exported(store, form):
    done = subprocess.run([TOOL, "export", f"--format={form}", str(store)], capture_output=True, text=True, check=False)
    check(done.returncode == 0, "export", form, done.stderr)
    return json.loads(done.stdout)


def test_exports(tags):
    """The formats that have errors say of tags what the report does; schema and services are tests/export's."""
    store, _, found = tags.kind("read_wild")
    reported = [error for error in found["errors"] if "pointer_tag" in error]
    listed = {int(error["address"], 16): error for error in exported(store, "json")["errors"]}
    results = [result for result in exported(store, "sarif")["runs"][0]["results"] if result["ruleId"] != "leak"]
    check(reported and len(reported) == len(listed) == len(results), "errors", len(reported), len(listed), len(results))
    for error in reported:
        result, = [one for one in results if f"address {error['address']:#x}," in one["message"]["text"]]
        ours, theirs = listed[error["address"]]["tags"], result["properties"]
        check([error["pointer_tag"], error["memory_tag"]] == [ours["pointer"], ours["memory"]] == [theirs["pointerTag"], theirs["memoryTag"]],
              "tags", error, ours, theirs)
        check(error["tags_start"] == int(ours["start"], 16) == int(theirs["tagsStart"], 16), "start", ours, theirs)
        check(error["tags"] == ours["granules"] == theirs["memoryTags"], "granules", ours, theirs)
        check([one["object"] for one in error["candidates"]] == [int(one["object"], 16) for one in ours["candidates"]], "candidates")
        check(all(one["allocated"] for one in ours["candidates"]), "stacks of candidates", ours)
        less = [place for place in result["relatedLocations"] if place["message"]["text"].startswith("Less likely")]
        check(len(less) == len(error["candidates"]), "candidates in SARIF", less)
    store = tags.kind("read_freed", options="tags=async")[0]
    check(exported(store, "json")["errors"][0]["asynchronous"], "json does not say async")
    result = exported(store, "sarif")["runs"][0]["results"][0]
    check("told of later" in result["message"]["text"] and "address" not in result["message"]["text"], "SARIF", result["message"])


def test_wild(tags):
    """Another object's memory: found unless it has the tag by chance, and the object that was meant is shown."""
    found = tags.kind("read_wild")[2]["errors"]
    check(found and all(error["kind"] == OOB for error in found), "wild", found)
    # Of eight, between which the thread allocates: each report is not the last.
    check(sum(error["count"] for error in found) >= 4, "wild: so few", found)
    for error in found:
        check(error["object_bytes"] == 160, "wild", error)


def test_candidates(tags):
    """With few tags and many objects several had the same: all that are near are shown, none twice."""
    store, _, found = tags.kind("read_wild")
    listed = [error for error in found["errors"] if error["candidates"]]
    check(listed, "no candidates in", arm64.text(TOOL, store))
    for error in listed:
        places = [error["object"], *(candidate["object"] for candidate in error["candidates"])]
        distances = [abs(place - error["address"]) for place in places]
        check(len(set(places)) == len(places) <= 3, "candidates", places)
        check(distances[0] - 160 <= min(distances), "the nearest is not the first", distances)
        check(all(first_function(candidate["allocated"]) == "allocate" for candidate in error["candidates"]), "stacks")


def test_strips(tags):
    """A program that takes tags off goes on, is told of as a doubt, and checked no more."""
    store, lines, found = tags.kind("strips")
    check(lines == ["read without a tag"], lines)
    check(not found["errors"] and found["doubts"], "errors", found["errors"])
    check({error["kind"] for error in found["doubts"]} == {"invalid-access"}, "doubts", found["doubts"])
    check(sum(error["count"] for error in found["doubts"]) == 16, "checked all the same", found["doubts"])
    check("tags are not checked any more" in arm64.text(TOOL, store), "no line says so")


def test_blocked(tags):
    """Once the signal can be taken again, so are errors."""
    _, _, found = tags.kind("blocked_before")
    check([error["kind"] for error in found["errors"]] == [OOB], "unblocked", found["errors"])
    check(first_function(found["errors"][0]["stack"]) == "read_at", found["errors"])


def test_modes(tags):
    """Without tags nothing of it is there; a late fault has no address; auto is one of the two."""
    check(not tags.kind("read_behind", options="tags=off")[2]["errors"], "off")
    check(not tags.kind("read_behind", options="guard=0")[2]["errors"], "off is not the default")
    found = tags.kind("read_freed", options="tags=async")[2]["errors"]
    check([error["kind"] for error in found] == ["invalid-access"], "async", found)
    check(found[0]["asynchronous"] and not found[0]["address"], "async", found)
    found = tags.kind("read_freed", options="tags=auto")[2]["errors"]
    check(len(found) == 1, "auto", found)
    store, done = tags.record("kinds", "sizes", options="tags=sometimes")
    check(done.returncode == 0, done.returncode)


def test_abort(tags):
    store, done = tags.record("kinds", "read_freed", options="tags=sync:on-error=abort")
    check(done.returncode == -6 and "OK" not in done.stdout, "on-error=abort", done.returncode, done.stdout)
    check([error["kind"] for error in arm64.errors(TOOL, store)["errors"]] == [UAF], "on-error=abort")


def test_sampled(tags):
    """What is sampled has a tag, what is not has none; neither is found wrong."""
    for name in ("many", "sizes", "aligned"):
        _, _, found = tags.kind(name, options="tags=sync:mode=sample=2048")
        check(not found["errors"] and not found["doubts"], name, found["errors"] + found["doubts"])
    _, _, found = tags.kind("read_freed_large", options="tags=sync:mode=sample=1024")
    check([error["kind"] for error in found["errors"]] == [UAF], "sampled", found["errors"])
    _, _, found = tags.kind("many", options="tags=sync:overhead=5")
    check(not found["errors"] and not found["doubts"], "overhead", found["errors"] + found["doubts"])


def test_full_table(tags):
    """Objects that found no room in the table are freed as they were given, tags and all."""
    _, _, found = tags.kind("many", options="tags=sync:memory=1M")
    check(not found["errors"] and not found["doubts"], found["errors"] + found["doubts"])


def test_large(tags):
    """What is large has no tag, so memory that nobody touched stays untouched."""
    tags.right("large")
    # The C library may end the program for it, or fault: how that looks is the emulator's affair.
    store, _ = tags.record("kinds", "free_twice_untagged")
    check([error["kind"] for error in arm64.errors(TOOL, store)["errors"]] == [TWICE], "large", arm64.text(TOOL, store))


def test_jemalloc(tags):
    if not tags.machine.jemalloc:
        raise LeftOut("libjemalloc2:arm64 is not installed")
    other = JemallocTags(tags.machine, tags.directory)
    for options in ("tags=off", "tags=sync", "tags=sync:mode=sample=2048"):
        other.functions(options)
    for name in WRONG:
        if name not in NOT_JEMALLOC:
            other.wrong(name)


def make(more=()):
    machine = arm64.Arm64(DIRECTORY, SOURCES)
    machine.add("kinds", HERE / "kinds.c")
    machine.add("jemalloc", HERE / "jemalloc.c")
    for name, words in dict(more).items():
        machine.add(name, *words)
    for name in PROGRAMS:
        path = BUGS / (name + ".c")
        machine.add("bug-" + name, path if path.exists() else path.with_suffix(".cc"))
    trouble = machine.build()
    if trouble:
        sys.exit(trouble)
    return machine


def say_left_out(names):
    """The last line."""
    if names:
        print("left out:", "; ".join(names), flush=True)


def run_all(module, *words):
    """Runs the tests of a module, those of TESTS in the environment if there is that. The exit status."""
    chosen, right, wrong, left_out = os.environ.get("TESTS", "").split(), 0, 0, []
    for name, test in list(module.items()):
        if not name.startswith("test_") or not callable(test) or (chosen and name[5:] not in chosen):
            continue
        begun = time.monotonic()
        try:
            test(*words)
            right += 1
            print(f"ok {name[5:]}: {time.monotonic() - begun:.0f} seconds", flush=True)
        except (Failed, subprocess.TimeoutExpired) as trouble:
            wrong += 1
            print("FAILED", name[5:], trouble, flush=True)
        except LeftOut as trouble:
            left_out.append(f"{name[5:]} ({trouble})")
            print("left out", left_out[-1], flush=True)
    say_left_out(left_out)
    if wrong:
        return 1
    return 0 if right else SKIP


def main():
    missing = arm64.missing()
    if missing:
        print(f"skipped: needs {missing}")
        arm64.end(SKIP)
    machine = make()
    with tempfile.TemporaryDirectory() as directory:
        status = run_all(globals(), Tags(machine, directory))
    arm64.end(status)


if __name__ == "__main__":
    main()
