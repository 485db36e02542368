#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""One store for a run of many processes: nothing is missing, nothing mixed, and none does otherwise than alone.

usage: test_one_store.py STACKDEPOT PRELOAD MANY [PROCESSES [STARTS]]
"""
import json
import os
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from tool import TOOL, call, check, eventually, report, run_all, tool  # noqa: E402

PRELOAD, MANY = [os.path.abspath(path) for path in sys.argv[2:4]]
PROCESSES = int(sys.argv[4]) if len(sys.argv) > 4 else 300
STARTS = int(sys.argv[5]) if len(sys.argv) > 5 else 50
ALLOCATIONS, LEFT = 43, 3 * 1000  # of a short process
CHILDREN = 20
CROWD, LIVING, LEAVES = 25, 26, 3000
AS, FSIZE = "9", "1"  # RLIMIT_...
ROOT = os.geteuid() == 0


def environment(store, options="memory=1M"):
    return dict(os.environ, LD_PRELOAD=PRELOAD, STACKDEPOT_OPTIONS=f"store={store}:{options}")


def record(store, *words, options=("--memory=4M",), says=""):
    """It behaves as by itself, and the tool says what is expected."""
    done = call(TOOL, "run", "--quiet", *options, "--store", store, "--", MANY, *words)
    check((done.returncode, done.stdout) == (0, "done\n"), f"{words}: {done.returncode}", done.stdout, done.stderr)
    check(says in done.stderr and (says or not done.stderr), f"{words}: what is said", done.stderr)
    return report("leaks", store)


def left_in(found, function, key="live_bytes"):
    return sum(stack[key] for stack in found["stacks"] if function in [frame["function"] for frame in stack["stack"] or []])


def all_are_gone(found):
    check(not any(one["running"] or one["state"] == "running" for one in found["processes"]), "who runs", found["processes"])


def stats(store):
    return json.loads(tool("stats", "--json", store).stdout)


def complete(store, processes):
    counted = stats(store)
    check((counted["processes_recorded"], counted["processes_dropped"], counted["unrecorded"], counted["thinnings"]) ==
          (processes, 0, 0, 0), "complete", counted)
    check((counted["threads"], counted["tool_bytes"]) == (0, 0), "what those have that are gone", counted)


def short_ones(store, found, number, others):
    """NUMBER of short processes, in rows and by themselves; beside OTHERS."""
    mine = [one for one in found["processes"] if one["command"][0] == "short"]  # a row has no arguments
    check(sum(one["processes"] for one in mine) == number, f"{number} short ones", mine[:3])
    for one in mine:
        check((one["allocations"], one["live_bytes"]) == (ALLOCATIONS * one["processes"], LEFT * one["processes"]),
              "figures of one, or a row", one)
    check(left_in(found, "work") == number * LEFT, "what they left", left_in(found, "work"))
    sums = sum(stack["allocations"] for stack in report("top", store)["stacks"]
               if "work" in [frame["function"] for frame in stack["stack"] or []])
    check(sums == number * ALLOCATIONS, "allocations by stack", sums)
    all_are_gone(found)
    complete(store, number + others)
    return mine


def test_script(directory):
    """Many short ones, more than there are slots for, one after the other and eight at once."""
    for memory in (1, 64):
        store = os.path.join(directory, str(memory))
        found = record(store, "in_turn", str(PROCESSES), options=(f"--memory={memory}M",))
        mine = short_ones(store, found, PROCESSES, 1)
        check(any(one["processes"] > 1 for one in mine) or memory > 1, "none is folded, so nothing is tried")
        check(len([one for one in mine if one["processes"] > 1]) <= 1, "rows", mine)
        status = os.stat(store)
        check(status.st_size == memory << 20, "size", status.st_size)
        check(status.st_blocks * 512 < (memory << 20) // 2 or memory == 1, "blocks", status.st_blocks)
        check(os.listdir(directory) == [str(memory)], "files", os.listdir(directory))
        os.unlink(store)
    store = os.path.join(directory, "at-once")
    for nr in range(1, 4):
        short_ones(store, record(store, "at_once", "8", options=("--append", "--memory=1M")), 8 * nr, nr)


def test_service(directory):
    """It is started again and again on one store; what was before becomes rows, the newest are there by themselves."""
    store = os.path.join(directory, "store")
    for nr in range(STARTS):
        if nr % 5:
            done = call(MANY, "in_turn", "1", env=environment(store))
        else:
            done = call(TOOL, "run", "--quiet", "--append", "--memory=1M", "--store", store, "--", MANY, "in_turn", "1")
        check((done.returncode, done.stdout, done.stderr) == (0, "done\n", ""), f"start {nr}", done)
    # The last of the starts is the first that is told to end by nobody: the tool closes it.
    found = record(store, "in_turn", "1", options=("--append",))
    mine = short_ones(store, found, STARTS + 1, STARTS + 1)
    check(sum(one["processes"] for one in found["processes"]) == 2 * STARTS + 2, "all of them", len(found["processes"]))
    check(any(one["processes"] > 1 for one in mine), "rows", mine)
    last = found["processes"][-2:]
    check([(one["serial"], one["processes"]) for one in last] == [(2 * STARTS + nr, 1) for nr in (1, 2)], "newest", last)
    alone = report("leaks", store, f"--process={last[1]['pid']}")
    check(alone["live_bytes"] == LEFT, "the newest alone", alone["live_bytes"])


def test_another_name(directory):
    """A copy of the library that is called otherwise is not ours to hand on; nor are the options then."""
    store, copy = os.path.join(directory, "store"), os.path.join(directory, "copy.so")
    shutil.copy(PRELOAD, copy)
    done = call(MANY, "in_turn", "3", env=dict(environment(store), LD_PRELOAD=copy))
    check((done.returncode, done.stdout, done.stderr) == (0, "done\n", ""), "as by itself", done)
    found = report("leaks", store)
    check((len(found["processes"]), left_in(found, "work")) == (4, 3 * LEFT), "all of them", found["processes"])
    check(sorted(os.listdir(directory)) == ["copy.so", "store"], "one store", os.listdir(directory))


def test_daemons(directory):
    store = os.path.join(directory, "store")
    found = record(store, "daemons")
    check(left_in(found, "in_daemon") == CHILDREN * 901, "what daemons left", left_in(found, "in_daemon"))
    # Who only forks has nothing to tell. The last daemon may be there still when the tool ends: the next run closes it.
    all_are_gone(record(store, "in_turn", "1", options=("--append",)))
    complete(store, CHILDREN + 3)


def test_chain(directory):
    store = os.path.join(directory, "store")
    found = record(store, "chain", "30")
    *before, last = found["processes"]
    check(len(before) == 30 and {one["state"] for one in before} == {"replaced"}, "replaced", before)
    check({one["pid"] for one in before} == {last["pid"]}, "one number", before)
    check((found["live_bytes"], left_in(found, "chain")) == (902, 902), "what the last one has", found)
    check(sum(one["allocations"] for one in found["processes"]) == 31, "allocations", found["processes"])
    complete(store, 31)


def test_replaced_unseen(directory):
    """By a system call of its own making: that it goes on with other memory tells."""
    store = os.path.join(directory, "store")
    process = subprocess.Popen([TOOL, "run", "--quiet", "--memory=4M", "--store", store, "--", MANY, "unseen"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    check(process.stdout.readline() == "waits\n", "first line")
    eventually(lambda: report("leaks", store)["processes"][0]["state"] == "replaced", "the first one is replaced")
    output, _ = process.communicate("\n")
    check((process.returncode, output) == (0, "done\n"), "it goes on", output)
    found = report("leaks", store)
    check((found["live_bytes"], left_in(found, "unseen")) == (0, 0), "what it had", found)


def test_chain_folded(directory):
    """More programs than there are slots, each in place of the one before: of those that made room nothing is left."""
    store = os.path.join(directory, "store")
    found = record(store, "chain", "100", options=("--memory=1M",))
    check(any(one["processes"] > 1 for one in found["processes"]), "none is folded, so nothing is tried", found["processes"])
    check((found["live_bytes"], left_in(found, "chain")) == (902, 902), "what the last one has", found)
    complete(store, 101)


def test_crowd(directory):
    """What those left that are gone makes room for those who are there, however many make it at once."""
    store = os.path.join(directory, "store")
    found = record(store, "crowd", "6", str(CROWD), options=("--memory=2M",))
    total = stats(store)
    check((total["unrecorded"], total["thinnings"]) == (0, 0), "room for all", total)
    check(total["threads_peak"] == 1, "threads of one process", total["threads_peak"])
    programs = {}
    for one in found["processes"]:
        programs.setdefault((one["command"][0] == "leaves", one["state"]), []).append(one)
    check({key for key in programs if key[0]} == {(True, "exited")}, "how the programs ended", list(programs))
    check(sum(one["processes"] for one in programs[True, "exited"]) == 6 * CROWD, "programs", programs[True, "exited"])
    check(sum(one["processes"] for one in programs[False, "replaced"]) == 6 * CROWD, "replaced", programs[False, "replaced"])
    left = sum(one["live_objects"] for one in programs[True, "exited"])
    check(left == 6 * CROWD * LEAVES, "what they left", left)
    check(not sum(one["live_objects"] for one in programs[False, "replaced"]), "what was replaced has nothing")
    # Who begins a line only forks.
    text = tool("report", "leaks", store, status=1).stdout
    check(f"{1 + 6 * CROWD} processes, 0 of them running, {6 * CROWD} programs replaced by exec" in text, "in words", text)


def test_living(directory):
    """As many objects as make 60 % of the table, of processes that are all there, at the same addresses: each finds room."""
    store = os.path.join(directory, "store")
    found = record(store, "living", str(LIVING), options=("--memory=8M",))
    total = stats(store)
    check(LIVING * LEAVES > total["live_entries"] * 0.58, "so many are tried", total["live_entries"])
    check((total["unrecorded"], total["thinnings"], found["live_objects"]) == (0, 0, LIVING * LEAVES), "room for all", total)


def test_threads(directory):
    """Forked amid events of other threads; with a thread of its own."""
    store = os.path.join(directory, "store")
    found = record(store, "threads")
    forked = [one for one in found["processes"] if one["serial"] > 1]
    check(len(forked) == CHILDREN and left_in(found, "in_fork") == CHILDREN * 903 and
          left_in(found, "nothing") == CHILDREN * 904, "children", found)
    check(not any(one["errors"] for one in found["processes"]), "errors", found["processes"])
    all_are_gone(found)
    complete(store, CHILDREN + 1)


def three_and_short(found, children, short):
    check(left_in(found, "three_objects") == children * 3 * 905, "of children", left_in(found, "three_objects"))
    check(left_in(found, "work") == short * LEFT, "of what was started", left_in(found, "work"))
    all_are_gone(found)


def test_closed(directory):
    """closefrom(3) finds nothing of ours, and changes nothing."""
    three_and_short(record(os.path.join(directory, "store"), "closed"), 1, 1)


def test_chroot(directory):
    """In a chroot there is neither the store's name nor /proc."""
    if not ROOT:
        return "root"
    jail = os.path.join(directory, "jail")
    os.mkdir(jail)
    three_and_short(record(os.path.join(directory, "store"), "chroot", jail), 1, 0)
    check(not os.listdir(jail), "files in the jail", os.listdir(jail))
    return None


def test_estimate_folded(directory):
    """A row of some that were recorded in full and some that were sampled is an estimate."""
    store = os.path.join(directory, "store")
    for number, more in ((1, ""), (5, ":mode=sample=4K"), (PROCESSES, "")):
        done = call(MANY, "in_turn", str(number), env=environment(store, "memory=1M" + more))
        check((done.returncode, done.stderr) == (0, ""), f"{number} processes", done)
    found = report("leaks", store)
    row = max(found["processes"], key=lambda one: one["processes"] if one["command"][0] == "short" else 0)
    check(row["processes"] > 6, "none is folded, so nothing is tried", found["processes"])
    check(row["estimated"] and row["sample_bytes"] >= 4096, "a row with estimates", row)
    check(found["estimated"], "all of them", found["estimated"])


def test_drop(directory):
    """Who gives up root goes on; so do children; what it starts then is named."""
    if not ROOT:
        return "root"
    found = record(os.path.join(directory, "store"), "drop")
    three_and_short(found, 2, 0)
    missing = sum(one["count"] for one in found["not_recorded"]) + len(found["messages"])
    check(missing == 1, "not recorded, and named", found["not_recorded"], found["messages"])
    return None


def test_limits(directory):
    """A child's limits are its own: what is mapped stays; a program that has no room for a store says so."""
    store = os.path.join(directory, "store")
    for which, value in ((AS, "200000000"), (FSIZE, "0"), (FSIZE, "100000")):
        three_and_short(record(store, "limited", which, value), 2, 1)
    found = record(store, "limited", AS, "20000000", says="RLIMIT_AS")
    three_and_short(found, 2, 0)
    check(["short: not recorded: its address space is limited" in one["text"] for one in found["messages"]] == [True],
          "named", found["messages"])


def test_limits_by_hand(directory):
    """Preloaded without the tool, which would have seen it: the first of a run may not have files as large as a store."""
    store = os.path.join(directory, "store")
    for limit in ("0", "100"):
        # Not the shell: it would be the first.
        done = call("sh", "-c", f'ulimit -f {limit}; exec "$@"', "sh", "env", f"LD_PRELOAD={PRELOAD}",
                    f"STACKDEPOT_OPTIONS=store={store}:memory=1M:stderr=yes", MANY, "in_turn", "2")
        check((done.returncode, done.stdout) == (0, "done\n"), "as by itself", done)
        check(done.stderr.count("larger than files may be here (RLIMIT_FSIZE)") == 3, "what is said", done.stderr)
        check(not os.path.exists(store), "a store")


def test_same(directory):
    """Children have objects at the same addresses, and one frees twice: what is told is of the right one."""
    store = os.path.join(directory, "store")
    done = call(TOOL, "run", "--quiet", "--memory=4M", "--store", store, "--", MANY, "same")
    check((done.returncode, done.stdout) == (0, "done\n"), "same", done.stdout, done.stderr)
    found = report("leaks", store)
    first, *others = found["processes"]
    check([one["live_bytes"] for one in found["processes"]] and first["live_bytes"] == 0, "the parent's", first)
    check(sorted(one["live_bytes"] for one in others) == [0, 49 * 700, 50 * 700], "the children's", others)
    check((left_in(found, "first_child"), left_in(found, "second_child"), left_in(found, "third_child")) ==
          (50 * 700, 49 * 700, 0), "by stack", found["stacks"])
    root = report("errors", store)
    error, = root["errors"]
    guilty, = [one for one in others if one["errors"]]
    check((error["kind"], error["pid"], guilty["live_bytes"]) == ("double-free", guilty["pid"], 49 * 700), "whose", error)
    for key, value in error.items():
        if isinstance(value, dict) and value.get("stack"):
            names = [frame["function"] for frame in value["stack"]]
            check("second_child" in names, f"{key} is of another", names)
    text = tool("report", "errors", store, status=None).stdout
    check("first_child" not in text and "third_child" not in text and text.count("second_child") >= 3, "histories", text)


def test_deleted(directory):
    """Whoever has the store goes on with it; what begins then makes one of that name."""
    store = os.path.join(directory, "store")
    process = subprocess.Popen([TOOL, "run", "--quiet", "--memory=1M", "--store", store, "--", MANY, "lines", "2"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    check(process.stdout.readline() == "line\n", "first line")
    process.stdin.write("\n")
    process.stdin.flush()
    check(process.stdout.readline() == "line\n", "second line")
    kept = os.path.join(directory, "kept")
    os.link(store, kept)
    os.unlink(store)
    output, errors = process.communicate("\n")
    check((process.returncode, output) == (0, "done\n"), "it goes on", output, errors)
    found = report("leaks", kept)
    check(left_in(found, "lines") >= 906 + 2 * 3 * 905, "what the first one has", found["processes"])
    if os.path.exists(store):
        check(left_in(report("leaks", store), "lines") < 906 + 2 * 3 * 905, "twice", report("leaks", store))


def make_other(store, version):
    """Of another version, that is."""
    with open(store, "r+b") as file:
        file.seek(8)
        file.write(struct.pack("<I", version))
    with open(store, "rb") as file:
        return file.read()


def test_other_version(directory):
    """As after an upgrade: it goes aside once nobody is at it, and that is said; one is kept, the last."""
    store, aside = (os.path.join(directory, name) for name in ("store", "store.old"))
    said = f"{store} is of another version; it is .old now"
    for version in (6, 99):
        call(MANY, "in_turn", "1", env=environment(store))
        old = make_other(store, version)
        done = call(TOOL, "run", "--append", "--store", store, "--", MANY, "in_turn", "1")
        check(done.returncode == 125 and "a store of another version" in done.stderr, "the tool leaves it", done)
        for _ in range(2):
            done = call(MANY, "in_turn", "1", env=environment(store, "memory=1M:stderr=yes"))
            check((done.returncode, done.stdout) == (0, "done\n"), "as by itself", done)
            check(done.stderr.count(said) == (1 if _ == 0 else 0), "said once", done.stderr)
        with open(aside, "rb") as file:
            check(file.read() == old, "the old one, as it was")
        found = report("leaks", store)
        check(left_in(found, "work") == 2 * LEFT and [said in one["text"] for one in found["messages"]] == [True],
              "the new one", found)
        check(sorted(os.listdir(directory)) == ["store", "store.old"], "one is kept", os.listdir(directory))


def test_other_version_at_once(directory):
    """Many begin: one of them sets it aside, and they share what comes then."""
    store, aside = (os.path.join(directory, name) for name in ("store", "store.old"))
    for _ in range(5):
        call(MANY, "in_turn", "1", env=environment(store))
        old = make_other(store, 99)
        together = [subprocess.Popen([MANY, "in_turn", "1"], env=environment(store),
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                    for _ in range(8)]
        check(not any(process.wait() for process in together), "all as by themselves")
        with open(aside, "rb") as file:
            check(file.read() == old, "the old one, as it was")
        found = report("leaks", store)
        check(left_in(found, "work") == 8 * LEFT and len(found["messages"]) == 1, "all in the new one", found)
        os.unlink(store)


def test_other_version_in_use(directory):
    """Whoever has it goes on with it, and nobody else is recorded meanwhile; then it goes aside."""
    store = os.path.join(directory, "store")
    process = subprocess.Popen([MANY, "lines", "2"], env=environment(store), stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    check(process.stdout.readline() == "line\n", "first line")
    make_other(store, 99)
    done = call(MANY, "in_turn", "1", env=environment(store, "memory=1M:stderr=yes"))
    check((done.returncode, done.stdout) == (0, "done\n") and "not recorded" in done.stderr, "told", done)
    check(os.listdir(directory) == ["store"], "it stays", os.listdir(directory))
    output, _ = process.communicate("\n\n")
    check(process.returncode == 0 and output.endswith("done\n"), "it goes on", output)
    done = call(MANY, "in_turn", "1", env=environment(store))
    check(done.returncode == 0 and sorted(os.listdir(directory)) == ["store", "store.old"], "aside", done)


def test_other_version_beside(directory):
    """What is called as the old one would be, and is no store or is another's, stays as it is; and nothing is recorded."""
    store, aside = (os.path.join(directory, name) for name in ("store", "store.old"))
    call(MANY, "in_turn", "1", env=environment(store))
    old = make_other(store, 99)

    def refused(what):
        done = call(MANY, "in_turn", "1", env=environment(store, "memory=1M:stderr=yes"))
        check((done.returncode, done.stdout) == (0, "done\n"), f"{what}: as by itself", done)
        check("not recorded" in done.stderr and "with .old is no store, or in use" in done.stderr, f"{what}: told", done.stderr)
        with open(store, "rb") as file:
            check(file.read() == old, f"{what}: the store is where it was")

    for text in (b"", b"of the administrator's\n", bytes(1 << 20)):
        with open(aside, "wb") as file:
            file.write(text)
        os.chmod(aside, 0o600)
        refused(text[:20])
        with open(aside, "rb") as file:
            check(file.read() == text, "it stays", text[:20])
    os.unlink(aside)
    for make, remove in ((os.mkdir, os.rmdir), (os.mkfifo, os.unlink), (lambda path: os.symlink(store, path), os.unlink)):
        make(aside)
        refused(make)
        remove(aside)
    with subprocess.Popen([MANY, "lines", "1"], env=environment(aside), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process:
        check(process.stdout.readline() == "line\n", "one is recorded there")
        refused("a store that somebody is at")
        process.communicate("\n")
    done = call(MANY, "in_turn", "1", env=environment(store))
    check(done.returncode == 0 and left_in(report("leaks", store), "work") == LEFT, "a store gives way when nobody is at it", done)


def test_two_users(directory):
    """A store of another user's is nobody else's, whoever comes second."""
    if not ROOT:
        return "root"
    os.chmod(directory, 0o1777)
    theirs = {}
    for path in (PRELOAD, MANY):  # where others can read them
        theirs[path] = shutil.copy(path, directory)
        os.chmod(theirs[path], 0o755)
    for users in (("root", "nobody"), ("nobody", "root")):
        store = os.path.join(directory, users[0])
        for user in users:
            done = call(theirs[MANY], "in_turn", "2", user=user, cwd="/",
                        env=dict(environment(store), LD_PRELOAD=theirs[PRELOAD]))
            check((done.returncode, done.stdout) == (0, "done\n"), f"{user} second to {users}", done.stdout, done.stderr)
            check(("not recorded" in done.stderr) == (user == users[1]), f"{user} of {users}: said", done.stderr)
        found = report("leaks", store)
        check(sum(one["processes"] for one in found["processes"]) == 3 and left_in(found, "work") == 2 * LEFT,
              f"{users}: of the first only", found["processes"])
        check(os.stat(store).st_uid == (0 if users[0] == "root" else 65534), "whose it is")
    return None


def test_read_only(directory):
    """A store on a file system that cannot be written is left as it is."""
    mount = 'mount -t tmpfs -o size=8m none "$1" || exit 77; shift; '
    script = mount + '"$@" || exit; mount -o remount,ro "${7%/*}" || exit 77; "$@"; echo $?; "$1" report leaks --json "$7"'
    store = os.path.join(directory, "store")
    done = call("unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh", directory, TOOL, "run", "--quiet",
                "--append", "--memory=1M", "--store", store, "--", MANY, "in_turn", "2")
    if done.returncode == 77 or "unshare:" in done.stderr:
        return "a mount: " + done.stderr.strip()
    check(done.stderr == f"stackdepot: {store}: Read-only file system; nothing was run\n", "said", done.stderr)
    output, brace, text = done.stdout.partition("{")
    check(output == "done\n125\n", "status and output", done.stdout)
    check(len(json.loads(brace + text)["processes"]) == 3, "what was recorded", text)
    return None


run_all(dict(globals()))
