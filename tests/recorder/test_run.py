#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Programs that make life hard for a recorder, and stores whose process was killed.

usage: test_run.py STACKDEPOT PROGRAMS_DIRECTORY [KILLS]
"""
import glob
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

TOOL, PROGRAMS = sys.argv[1], sys.argv[2]
KILLS = int(sys.argv[3]) if len(sys.argv) > 3 else 10


def check(condition, text, *details):
    if condition:
        return
    print("FAILED", text)
    for detail in details:
        print(detail)
    sys.exit(1)


def program(name):
    return os.path.join(PROGRAMS, "recorder-" + name)


def run(store, command, *options, **environment):
    return subprocess.run([TOOL, "run", "--store", store, *options, "--", *command],
                          env={**os.environ, **environment}, capture_output=True, text=True)


def report(kind, store):
    done = subprocess.run([TOOL, "report", kind, "--json", "--all", store], capture_output=True,
                          text=True)
    check(done.returncode in (0, 1), f"report {kind} {store}: {done.returncode}", done.stderr)
    return json.loads(done.stdout)


def functions(stack):
    return [frame["function"] for frame in stack["stack"] or []]


def bytes_of(store, function, key="live_bytes"):
    return sum(stack[key] for stack in report("leaks", store)["stacks"]
               if function in functions(stack))


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
    check(not os.path.exists(store), "a store without a record")


def test_forks(store):
    done = run(store, [program("forks")])
    check(done.returncode == 6 and done.stdout == "done\n", f"forks: {done.returncode}", done.stdout,
          done.stderr)
    stores = glob.glob(store + "*")
    for one in stores:
        no_errors(one)
    check(sum(bytes_of(one, "in_child") == 777 for one in stores) == 1, "the child's object", stores)
    check(bytes_of(store, "in_child") == 0, "the child's object in the parent's store")
    for one in stores:
        os.unlink(one)
    run(store, [program("forks")], "--follow-children=no")
    check(all("in_child" not in json.dumps(report("top", one)) for one in glob.glob(store + "*")),
          "follow-children=no")


def test_reload(store):
    libraries = [os.path.join(PROGRAMS, name) for name in ("plugin-first.so", "plugin-second.so")]
    done = run(store, [program("reload"), *libraries])
    check(done.returncode == 0, "reload", done.stderr)
    for function, wanted in (("plugin_first", 1111), ("plugin_second", 1111)):
        check(bytes_of(store, function) == wanted,
              f"{function}: {bytes_of(store, function)} ({done.stdout.strip()})",
              json.dumps(report("leaks", store), indent=1))
    print("   reload:", done.stdout.strip())


def test_deepbind(store):
    done = run(store, [program("deepbind"), os.path.join(PROGRAMS, "plugin-first.so")])
    check(done.returncode == 0 and done.stdout == "done\n", "deepbind", done.stdout, done.stderr)
    no_errors(store)
    stats = json.loads(subprocess.run([TOOL, "stats", "--json", store], capture_output=True,
                                      text=True).stdout)
    check(stats["foreign_frees"] >= 2000, "the plugin's objects were seen after all", stats)


def test_fixed(store):
    """The size does not change, whatever the program does; nor does what stays in memory grow."""
    done = run(store, [program("churn"), "3"], "--memory=4M")
    check(done.returncode == 0 and done.stdout == "done\n", "churn", done.stderr)
    check(os.path.getsize(store) == 4 << 20, "the store grew")
    stats = json.loads(subprocess.run([TOOL, "stats", "--json", store], capture_output=True,
                                      text=True).stdout)
    check(stats["evictions"] > 0, "nothing was evicted: the test is too weak", stats)
    check("drops" not in stats or stats["drops"] == 0, "drops", stats)
    no_errors(store)


def test_kill(store):
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
        begun = "recording has not begun" not in done.stderr
        check(done.returncode in (0, 1) or not begun, f"kill {i}: {done.returncode}", done.stderr)
        if begun:
            no_errors(store)


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
    chosen = os.environ.get("TESTS", "families exact sampled full_table python own forks reload deepbind fixed kill damage")
    for name in chosen.split():
        with tempfile.TemporaryDirectory() as directory:
            globals()["test_" + name](os.path.join(directory, "store"))
        print("ok", name, flush=True)


main()
