#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Programs that make life hard for a recorder, and stores whose process was killed.

usage: test_run.py STACKDEPOT PROGRAMS_DIRECTORY [KILLS]
"""
import json
import os
import platform
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from tool import TOOL, check, report  # noqa: E402

FIELD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "field")
PROGRAMS = sys.argv[2]
KILLS = int(sys.argv[3]) if len(sys.argv) > 3 else 20


def program(name):
    return os.path.join(PROGRAMS, "recorder-" + name)


def run(store, command, *options, **environment):
    return subprocess.run([TOOL, "run", "--store", store, *options, "--", *command],
                          env={**os.environ, **environment}, capture_output=True, text=True)


def functions(stack):
    return [frame["function"] for frame in stack["stack"] or []]


def bytes_of(store, function, *options):
    return sum(stack["live_bytes"] for stack in report("leaks", store, *options)["stacks"]
               if function in functions(stack))


def processes(store):
    return report("leaks", store)["processes"]


def no_errors(store):
    found = report("errors", store)["errors"]
    check(not found, f"{store}: errors", json.dumps(found, indent=1))


def test_families(store):
    for options in ({}, {"STACKDEPOT_OPTIONS": "guard=1"}, {"STACKDEPOT_OPTIONS": "redzone=0"}):
        done = run(store, [program("families")], **options)
        check(done.returncode == 0 and done.stdout == "done\n", "families", done.stdout, done.stderr)
        no_errors(store)
    done = run(store, [program("families")], "--mode=sample=1K")
    check(done.returncode == 0 and done.stdout == "done\n", "families, sampled", done.stdout)
    no_errors(store)


def test_exact(store):
    done = run(store, [program("fill"), "10000"])
    check(done.returncode == 0, "fill", done.stderr)
    for function, wanted in (("small", 8000 * 32), ("medium", 1900 * 200), ("large", 100 * 3000)):
        check(bytes_of(store, function) == wanted, f"{function}: {bytes_of(store, function)}")
    top = report("top", store)["stacks"]
    check(sum(s["allocations"] for s in top if "small" in functions(s)) == 18000, "allocations", top)


def near(value, wanted, share):
    return abs(value - wanted) <= share * wanted


def test_no_tags(store):
    """Where the processor has no tags a line says so, once, and all else is as ever."""
    if platform.machine() != "x86_64":
        return
    done = run(store, [program("ends"), "0"], "--tags=sync")
    plain = run(store + ".plain", [program("ends"), "0"])
    check(done.returncode == plain.returncode and done.stdout == plain.stdout, "tags=sync", done.returncode, done.stdout)
    check(done.stderr.count("no tags: ") == 1 and "no tags" not in plain.stderr, "tags=sync", done.stderr, plain.stderr)


def test_sampled(store):
    """Estimates: standard errors are 2 to 4 % here; each is asserted at about five of them."""
    run(store, [program("fill"), "200000"], "--mode=sample=4K")
    for function, wanted in (("small", 160000 * 32), ("medium", 38000 * 200), ("large", 2000 * 3000)):
        value = bytes_of(store, function)
        check(near(value, wanted, 0.18), f"sampled {function}: {value} for {wanted}")


def test_full_table(store):
    """With 2 MiB of store a few ten thousand objects fit: it goes over to sampling, and stays right."""
    done = run(store, [program("fill"), "400000"], "--memory=2M")
    check(done.returncode == 0 and done.stdout == "done\n", "fill", done.stderr)
    check(os.path.getsize(store) == 2 << 20, "the store grew")
    found = report("leaks", store)
    check(found["estimated"] and found["sample_bytes"] > 0, "not sampled")
    for function, wanted in (("small", 320000 * 32), ("medium", 76000 * 200), ("large", 4000 * 3000)):
        value = bytes_of(store, function)
        check(near(value, wanted, 0.12), f"thinned {function}: {value} for {wanted}")
    no_errors(store)


def test_python(store):
    """A real program, and one linked to a fixed address that takes the address of malloc()."""
    command = ["/usr/bin/python3", "-c", "import json; print(json.dumps(list(range(5))))"]
    done = run(store, command, PYTHONMALLOC="malloc")
    check(done.returncode == 0 and done.stdout == "[0, 1, 2, 3, 4]\n", "python", done.stderr)
    no_errors(store)
    check(report("top", store)["allocations"] > 10000, "python's objects")


def test_own(store):
    """Allocators in the program itself: sent to the hooks, or left alone with a line."""
    done = run(store, [program("own")], "--quiet")
    check((done.returncode, done.stdout, done.stderr) == (4, "done\n", ""), "own", done.stdout, done.stderr)
    for function, wanted in (("by_malloc", 100), ("by_calloc", 200), ("by_realloc", 300)):
        check(bytes_of(store, function) == wanted, f"{function}: {bytes_of(store, function)}")
    stacks = [functions(stack) for stack in report("top", store)["stacks"]]
    check(not any("own_" in name for names in stacks for name in names if name),
          "what the allocator called of itself was recorded", stacks)
    no_errors(store)
    os.unlink(store)
    done = run(store, [program("own-refused")], "--quiet")
    check(done.returncode == 4 and done.stdout == "done\n" and
          "malloc() of its own that cannot be redirected (malloc)" in done.stderr, "own, refused",
          done.stdout, done.stderr)
    check(report("stats", store)["events"] == 0, "events of a program that is not recorded")


def test_forks(store):
    done = run(store, [program("forks")])
    check(done.returncode == 6 and done.stdout == "done\n", f"forks: {done.returncode}", done.stdout,
          done.stderr)
    check(os.listdir(os.path.dirname(store)) == ["store"], "one file", os.listdir(os.path.dirname(store)))
    no_errors(store)
    first, *others = processes(store)
    child, = [entry for entry in others if entry["command"] == first["command"]]
    check([entry["command"] for entry in others if entry != child] == 20 * [["true"]] + [["sh", "-c", "exit 6"]],
          "what ran", others)
    check((child["parent"], child["pid"] != first["pid"]) == (first["pid"], True), "the child", child, first)
    check((first["state"], others[-1]["pid"]) == ("replaced", first["pid"]), "the first became a shell", first, others)
    for options, wanted in (([], 777), ([f"--process={child['pid']}"], 777), (["--process=recorder-forks"], 777),
                            ([f"--process={first['pid']}"], 0), (["--process=sh"], 0)):
        check(bytes_of(store, "in_child", *options) == wanted, f"the child's object: {options}")
    run(store, [program("forks")], "--follow-children=no")
    check("in_child" not in json.dumps(report("top", store)), "follow-children=no")
    check([entry["command"][0] for entry in processes(store)] == [program("forks"), "sh"], "follow-children=no",
          processes(store))


def stats(store):
    done = subprocess.run([TOOL, "stats", "--json", store], capture_output=True, text=True)
    check(done.returncode == 0, f"stats {store}", done.stderr)
    return json.loads(done.stdout)


def test_children(store):
    """Of many short programs each is counted, whatever the store's size, and they find room one after the other."""
    script = ["/bin/sh", "-c", "for i in 1 2 3 4 5 6 7 8; do /bin/echo $i; done; exit 5"]
    output = "".join(f"{i}\n" for i in range(1, 9))
    done = run(store, script, "--memory=1M")
    check(done.returncode == 5 and done.stdout == output, "children", done.stdout, done.stderr)
    counted = stats(store)
    check((counted["processes_recorded"], counted["processes_dropped"]) == (9, 0), "counted", counted)
    check([entry["command"] for entry in processes(store)[1:]] == [["/bin/echo", str(i)] for i in range(1, 9)],
          "which", processes(store))
    # Without children there is still the program that the first process becomes.
    for script, programs in (("/bin/echo; exit 5", 1), ("exec /bin/echo", 2)):
        run(store, ["/bin/sh", "-c", script], "--memory=1M", "--follow-children=no")
        found = processes(store)
        check(len(found) == programs, f"follow-children=no, {script}: {programs} programs", found)


def disk_bytes(path):
    return os.stat(path).st_blocks * 512


def test_trim(store):
    """Whoever runs is sure of its blocks; when the last is gone, be it by kill -9, what is not used is given back."""
    script = "/bin/ls; /bin/sh -c '/bin/ls; kill -9 $$'; read line; exit 5"
    process = subprocess.Popen([TOOL, "run", "--quiet", "--memory=16M", "--store", store, "--", "/bin/sh", "-c",
                                script], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    until = time.monotonic() + 60
    found = []
    while time.monotonic() < until and not (len(found) == 4 and found[2]["state"] == "vanished"):
        time.sleep(0.1)
        found = processes(store) if os.path.exists(store) else []
    check([entry["state"] for entry in found] == ["running", "exited", "vanished", "exited"], "states", found)
    check((os.path.getsize(store), disk_bytes(store) >= 16 << 20) == (16 << 20, True), "the blocks of who runs",
          disk_bytes(store))
    process.communicate(b"\n")
    check(process.returncode == 5, "status", process.returncode)
    check(disk_bytes(store) < 4 << 20, "the store is not trimmed at the end", disk_bytes(store))
    check(all(entry["allocations"] > 0 for entry in processes(store)), "who is empty", processes(store))
    # A store that goes on has its blocks again, as long as somebody runs.
    process = subprocess.Popen([TOOL, "run", "--quiet", "--append", "--store", store, "--", "/bin/sh", "-c",
                                "echo; read line"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    check(process.stdout.readline() == b"\n" and disk_bytes(store) >= 16 << 20, "blocks again", disk_bytes(store))
    process.communicate(b"\n")
    check(disk_bytes(store) < 4 << 20, "and trimmed again", disk_bytes(store))


def test_ends(store):
    """However a program ends, what it did last is in the store, and how it ended."""
    ways = ("return", "_exit", "quick_exit", "abort", "kill", "atexit", "thread", "main-thread-first", "vfork",
            "destructor", "fork-exec")
    signals = {"abort": 6, "kill": 9}
    for how in ways:
        done = run(store, [program("ends"), how], "--memory=2M")
        check(done.returncode == -signals[how] if how in signals else done.returncode == 8, how, done.returncode,
              done.stderr)
        check(bytes_of(store, "last_words") == 777, f"{how}: {bytes_of(store, 'last_words')} bytes are left",
              json.dumps(report("leaks", store), indent=1))
        kinds = [error["kind"] for error in report("errors", store)["errors"]]
        check(kinds == (["crash"] if how == "abort" else []), f"{how}: {kinds}")
        text = subprocess.run([TOOL, "report", "leaks", store], capture_output=True, text=True).stdout
        said = f"killed by signal {signals[how]}" if how in signals else "exited with status 8"
        check(said in text, f"{how}: not '{said}'", text)
        commands = sorted(entry["command"][0] for entry in processes(store))
        check(commands == [program("ends")] + (["sh"] if how == "fork-exec" else []), how, commands)


def growth(*arguments):
    done = subprocess.run([TOOL, "report", "growth", "--json", "--all", *arguments], capture_output=True, text=True)
    check(done.returncode in (0, 1), f"growth {arguments}: {done.returncode}", done.stderr)
    found = json.loads(done.stdout)["growth"]
    check(done.returncode == (1 if found else 0), "the status says whether something grew")
    return {functions(stack)[0]: stack for stack in found}


def rounds(process, nr):
    process.stdin.write(b"." * nr)
    process.stdin.flush()
    check(process.stdout.read(nr) == b"." * nr, "grow does not answer")


def test_growth(store):
    """Exact between two copies; of a running process, what grows at every look and nothing else."""
    process = subprocess.Popen([TOOL, "run", "--quiet", "--memory=2M", "--store", store, "--", program("grow")],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    rounds(process, 3)
    shutil.copy(store, store + "-before")
    rounds(process, 7)
    shutil.copy(store, store + "-after")
    found = growth(store + "-before", store + "-after")
    check(list(found) == ["grows"], "what grew", found)
    numbers = [found["grows"][key] for key in ("grown_bytes", "grown_objects", "from_bytes", "to_bytes")]
    check(numbers == [70 * 24, 70, 30 * 24, 100 * 24], "figures", numbers)
    check(growth(store + "-after", store + "-after") == {}, "nothing grew")
    check(list(growth(store + "-after", store + "-before")) == ["shrinks"], "the other way round")
    process.stdin.write(b"f")
    process.stdin.flush()
    found = growth("--interval=1", "--times=3", str(report("top", store)["pid"]))
    check(list(found) == ["grows"], "what grew while it ran", found)
    stack = found["grows"]
    bytes_each = stack["grown_bytes"] / stack["grown_objects"]
    check(stack["grown_objects"] > 0 and abs(bytes_each - 24) < 1e-6, "figures", stack)
    process.communicate()
    check(process.returncode == 0, "grow", process.returncode)


def test_jit(store):
    """A stack through code that no file contains, announced; unannounced it ends there."""
    if platform.machine() != "x86_64":
        print("   skipped: the code is for x86-64")
        return
    for how, wanted in (("register", ["called_back", None, "calls_code", "main"]), ("silent", ["called_back", None])):
        done = run(store, [program("jit"), how], "--memory=2M")
        check(done.returncode == 8, "jit", done.returncode, done.stderr)
        stacks = [functions(stack) for stack in report("leaks", store)["stacks"]]
        found = [names for names in stacks if "called_back" in names]
        check(len(found) == 1 and found[0][:len(wanted)] == wanted, f"jit {how}", stacks)
        check(("calls_code" in found[0]) == (how == "register"), f"jit {how}: the frames after it", stacks)


def test_reload(store):
    libraries = [os.path.join(PROGRAMS, name) for name in ("plugin-first.so", "plugin-second.so")]
    done = run(store, [program("reload"), *libraries])
    check(done.returncode == 0, "reload", done.stderr)
    for function, wanted in (("plugin_first", 1111), ("plugin_second", 1111)):
        check(bytes_of(store, function) == wanted,
              f"{function}: {bytes_of(store, function)} ({done.stdout.strip()})",
              json.dumps(report("leaks", store), indent=1))
    print("   reload:", done.stdout.strip())


def test_table_full(store):
    """A store of 1 MiB has records for 64 files. Others are never taken for these."""
    sources = os.path.join(FIELD, "modules")
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(["sh", os.path.join(sources, "plugins.sh"), "different", "100"], cwd=directory, check=True)
        subprocess.run(["cc", "-g", "-O1", "-DPLUGINS=100", "-o", "many", os.path.join(sources, "many_in_turn.c")],
                       cwd=directory, check=True)
        done = run(store, [os.path.join(directory, "many")], "--memory=1M")
        check(done.returncode == 0, "many", done.stdout, done.stderr)
        named, unnamed, unnamed_bytes = {}, 0, 0
        for stack in report("leaks", store)["stacks"]:
            where = functions(stack)
            plugin = next((name for name in where if name and name.startswith("plugin_")), None)
            if plugin:
                named[plugin] = stack["live_bytes"]
            elif stack["stack"][0]["module"] is None:
                unnamed += stack["live_objects"]
                unnamed_bytes += stack["live_bytes"]
        check(40 < len(named) < 64 and len(named) + unnamed == 100, f"{len(named)} named, {unnamed} are addresses")
        for plugin, live in named.items():
            check(live == 1000 + int(plugin[7:]), f"{plugin} has {live} bytes")
        check(unnamed_bytes == sum(range(1000, 1100)) - sum(named.values()), f"{unnamed_bytes} bytes at addresses")
        text = subprocess.run([TOOL, "report", "leaks", store], capture_output=True, text=True).stdout
        dropped = re.search(r"At least (\d+) loaded files were not noted", text)
        check(dropped and unnamed - 5 <= int(dropped[1]) <= unnamed, f"{unnamed} were not noted", text)


def traces_of(*command):
    """The frames of all traces, as they are stored, and how often each was met."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "corpus.zst")
        subprocess.run([TOOL, "corpus", "-o", path, "--", *command], capture_output=True)
        data = subprocess.run(["zstd", "-dcq", path], capture_output=True, check=True).stdout
    unique, events, total = struct.unpack_from("<IIQ", data, 8)
    lengths = struct.unpack_from(f"<{unique}I", data, 24)
    frames, at, traces = struct.unpack_from(f"<{total}Q", data, 24 + 4 * unique), 0, []
    for length in lengths:
        traces.append(frames[at:at + length])
        at += length
    met = struct.unpack_from(f"<{events}I", data, 24 + 4 * unique + 8 * total)
    return {trace: met.count(number) for number, trace in enumerate(traces)}


def test_portable(store):
    """Where a process has its files makes no difference to a trace; addresses come with the process."""
    first, second = (set(traces_of(program("fill"), "1000")) for _ in range(2))
    check(first and first == second, "traces of two processes differ", first ^ second)
    check(all(1 <= frame >> 33 < 64 for trace in first for frame in trace), "frames", first)
    with tempfile.TemporaryDirectory() as directory:
        twice = os.path.join(directory, "twice")
        source = os.path.join(FIELD, "modules", "twice.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-DPLUGIN", "-o", twice[:-5] + "a.so", source], check=True)
        shutil.copy(twice[:-5] + "a.so", twice[:-5] + "copy.so")
        subprocess.run(["cc", "-o", twice, source], check=True)
        met = traces_of(twice)
        check([trace for trace, times in met.items() if times == 3 and len(trace) < 8],
              "three places of a library make more than one trace", met)
    if platform.machine() != "x86_64":
        return
    traces = traces_of(program("jit"), "turns")
    made = [trace for trace in traces if any(frame >> 47 & 1 for frame in trace)]
    check(made and all(frame >> 47 in (0, (1 << 17) - 1) for trace in traces for frame in trace), "addresses", traces)
    check(sum(traces[trace] == 5 and len(trace) > 30 for trace in traces) == 2, "with and without", traces)
    for trace in traces:
        check((trace[-1] == 1 << 32 | 1) == (trace in made), "the process", trace)
        check(all(frame >> 47 & 1 or frame >> 33 for frame in trace[:-1]), "frames", trace)


def test_deepbind(store):
    done = run(store, [program("deepbind"), os.path.join(PROGRAMS, "plugin-first.so")])
    check(done.returncode == 0 and done.stdout == "done\n", "deepbind", done.stdout, done.stderr)
    no_errors(store)
    counted = stats(store)
    check(counted["foreign_frees"] == 0, "objects of the plugin were not seen", counted)
    check(report("top", store)["allocations"] >= 4000, "the plugin's objects")


def test_fixed(store):
    """The size does not change, whatever the program does; nor does what stays in memory grow."""
    done = run(store, [program("churn"), "3"], "--memory=4M")
    check(done.returncode == 0 and done.stdout == "done\n", "churn", done.stderr)
    check(os.path.getsize(store) == 4 << 20, "the store grew")
    counted = stats(store)
    check(counted["evictions"] > 0, "nothing was evicted: the test is too weak", counted)
    check("drops" not in counted or counted["drops"] == 0, "drops", counted)
    no_errors(store)


def test_kill(store):
    """At any moment; on a busy machine, some before there is anything to report."""
    nr_begun = 0
    for i in range(KILLS):
        process = subprocess.Popen([TOOL, "run", "--quiet", "--memory=4M", "--store", store, "--",
                                    program("churn"), "0"], stderr=subprocess.PIPE,
                                   start_new_session=True)
        time.sleep(random.uniform(0.05, 0.5))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stderr.close()
        if not os.path.exists(store):
            continue
        done = subprocess.run([TOOL, "report", "leaks", store], capture_output=True, text=True)
        begun = "recording has not begun" not in done.stderr and "no process in it was recorded" not in done.stderr
        nr_begun += begun
        check(done.returncode in (0, 1) or not begun, f"kill {i}: {done.returncode}", done.stderr)
        if begun:
            no_errors(store)
    check(nr_begun, "killed before they began, all of them")


def test_damage(store):
    """A store with random damage gives an error or a report, never a crash."""
    run(store, [program("churn"), "1"], "--memory=1M")
    with open(store, "rb") as file:
        good = file.read()
    dice = random.Random(1)
    for i in range(60):
        data = bytearray(good)
        for _ in range(dice.choice((1, 10, 1000))):
            data[dice.randrange(len(data) if i % 2 else 8192)] = dice.randrange(256)
        if i % 10 == 9:
            del data[dice.randrange(len(data)):]
        with open(store, "wb") as file:
            file.write(data)
        for kind in ("leaks", "errors", "top", "stats"):
            done = subprocess.run([TOOL, "report", kind, store], capture_output=True)
            check(done.returncode in (0, 1, 2), f"damage {i}: {kind}: {done.returncode}", done.stderr)


def main():
    chosen = os.environ.get("TESTS", "families exact sampled full_table python own forks children trim ends growth jit reload table_full portable deepbind fixed kill damage")
    for name in chosen.split():
        with tempfile.TemporaryDirectory() as directory:
            globals()["test_" + name](os.path.join(directory, "store"))
        print("ok", name, flush=True)


main()
