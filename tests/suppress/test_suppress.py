#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Suppressions: what they cover and what not, what is left, and those that are generated.

usage: test_suppress.py STACKDEPOT PROGRAMS_DIRECTORY KEEPS PLUGIN BUILTIN POOL BUILTIN_SOURCE
"""
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from tool import TOOL, check, report, tool  # noqa: E402

PROGRAMS, KEEPS, PLUGIN, BUILTIN, POOL, SOURCE = map(os.path.abspath, sys.argv[2:8])
PYTHON = ["/usr/bin/python3", "-c", "import json; print(len(json.dumps([1] * 5000)))"]

# Each with the name of its error, and functions of the access, of the allocation, of the free.
ERRORS = {"double-free": "double-free", "invalid-free-inside": "invalid-free",
          "heap-overflow": "slab-out-of-bounds", "write-after-free": "slab-use-after-free",
          "null-deref": "null-ptr-deref", "wild-access": "wild-memory-access",
          "stack-overflow": "stack-overflow", "aborts": "crash"}

# Does a pattern cover the leak of bug-leak, whose stack is allocate < lose < main?
PATTERNS = {"lose": True, "os": True, "^lose$": True, "^los": True, "ose$": True, "l*e": True,
            "^l*s*e$": True, "*": True, "^allocate$": True, "^*ose$": True, "los*$": True,
            "^ose": False, "los$": False, "^los$": False, "^lose$x": False, "^l*s$": False,
            "e*l*o*s*e*x": False, "^*ose$*x": False, "nothing": False, "LOSE": False,
            "lo*ose": False, "leak.c$": True, "^leak.c": False, "^bug-leak$": True,
            "/bug-leak$": True, "^g-leak": False}

# Of builtin: each case with its rule, and the function whose leak is not to be covered.
CASES = {"stdio": ("stdio", "of_IO_file_doallocate"), "setlocale": ("setlocale", "my_setlocale"),
         "gettext": ("gettext", "my_dcigettext"), "textdomain": ("text domains", "my_textdomain"),
         "localtime": ("time zone", "my_tz_convert"), "tzset": ("time zone", "my_tzset"),
         "users": ("users", "getpw_of_mine"), "groups": ("groups", "getgr_of_mine"),
         "dlopen": ("dlopen", "my_dlopen"), "libstdc++": ("libstdc++ at dlopen", "my_libstdcxx_dlopen"),
         "atexit": ("exit handlers", "my_atexit")}

BAD_LINES = ["lose", "leak", "leak:", "nothing:lose", "Leak:lose", ":lose", "double_free:x",
             "leaks:lose", "unknown:x", "leak :lose", "leak:a\0b", "leak:" + "x" * 70000]


class Place:
    """Of stores and suppressions."""

    def __init__(self, directory):
        self.directory = directory

    def path(self, name):
        return os.path.join(self.directory, name)

    def record(self, name, *command, options=(), **environment):
        store = self.path(name + ".store")
        done = subprocess.run([TOOL, "run", "--store", store, *options, "--", *command],
                              capture_output=True, text=True, check=False,
                              env={**os.environ, **environment})
        check(os.path.exists(store), f"{command} was not recorded", done.stderr)
        return store, done

    def bug(self, name):
        return self.record(name, os.path.join(PROGRAMS, "bugs", "bug-" + name))[0]

    def rules(self, *lines, name="rules"):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        return path


def left(store, rule, place, kind="leaks"):
    """Is anything left with this rule? Text, JSON and exit status say the same."""
    path = place.rules(rule)
    root = report(kind, store, "--suppressions=" + path, "--no-default-suppressions")
    found = root["live_objects"] > 0 if kind == "leaks" else bool(root["errors"])
    text = tool("report", kind, "--suppressions=" + path, "--no-default-suppressions", store,
                status=int(found)).stdout
    unused = found and rule.startswith("leak:") == (kind == "leaks")
    check(bool(root["unused_suppressions"]) == ("\nNot used: " in text) == unused, rule, text, root)
    check(bool(root["suppressed"]) == ("\nSuppressed: " in text) != found, rule, text, root)
    return found


def functions(root):
    return sorted({frame["function"] for stack in root["stacks"] for frame in stack["stack"] or []
                   if (frame["function"] or "").startswith("leak_")})


def test_builtin(place):
    store, _ = place.record("keeps", KEEPS, PLUGIN)
    root = report("leaks", store, status=1)
    own = ["leak_before_main", "leak_in_dlopen", "leak_in_main", "leak_when_called"]
    check(functions(root) == own, "the program's own leaks are shown", functions(root), root)
    check(root["live_bytes"] == 777 + 321 + 555 + 333, "and nothing else", root)
    names = {entry["rule"] for entry in root["suppressed"]}
    check({"stdio", "setlocale", "users", "dlopen", "exit handlers"} <= names, "built-in", names)
    check(all(entry["reason"] for entry in root["suppressed"]), "reasons", root["suppressed"])
    raw = report("leaks", store, "--no-default-suppressions", status=1)
    check(not raw["suppressed"], "none by default", raw["suppressed"])
    for key in ("live_bytes", "live_objects"):
        covered = sum(entry[key] for entry in root["suppressed"])
        check(covered > 0 and root[key] + covered == raw[key], key, root[key], covered, raw[key])
    check(root["allocated_bytes"] == raw["allocated_bytes"], "what was allocated stays", root)


def catalogue(directory):
    """A translation of "yes", in the format of msgfmt, for the language xx."""
    folder = os.path.join(directory, "xx", "LC_MESSAGES")
    os.makedirs(folder)
    texts = (b"", b"yes"), (b"Content-Type: text/plain; charset=UTF-8\n", b"ja")
    head, places, strings = 7 * 4, [], b""
    for table in texts:
        for text in table:
            places.append((len(text), head + 4 * 2 * 4 + len(strings)))
            strings += text + b"\0"
    with open(os.path.join(folder, "builtin.mo"), "wb") as file:
        file.write(struct.pack("<7I", 0x950412de, 0, 2, head, head + 2 * 8, 0, 0))
        file.write(b"".join(struct.pack("<2I", *one) for one in places) + strings)
    return directory


def library(name):
    """Where the loader finds it: this tool needs it, or else the C++ compiler knows."""
    text = subprocess.run(["ldd", TOOL], capture_output=True, text=True, check=True).stdout
    found = re.search(rf"^\s*{re.escape(name)}\S* => (\S+)", text, re.M)
    if found:
        return found[1]
    text = subprocess.run(["gcc", "-print-file-name=" + name], capture_output=True, text=True,
                          check=True).stdout
    return os.path.realpath(text.strip())


def is_covered(store, rule):
    """Is there something that this rule alone covers? What is left, by function."""
    root, raw = report("leaks", store), report("leaks", store, "--no-default-suppressions")
    entries = [entry for entry in root["suppressed"] if entry["rule"] == rule]
    check(len(entries) == 1 and entries[0]["live_bytes"] > 0, f"{rule} covers nothing", root)
    others = {"gettext": {"setlocale", "text domains"}, "libstdc++ at dlopen": {"dlopen"}}
    check({entry["rule"] for entry in root["suppressed"]} == {rule} | others.get(rule, set()),
          f"others than {rule}", root["suppressed"])
    check(root["live_bytes"] < raw["live_bytes"], rule, root, raw)
    found = {}
    for stack in root["stacks"]:
        name = stack["stack"][0]["function"]
        found[name] = found.get(name, 0) + stack["live_bytes"]
    return found


def test_each_builtin(place):
    """Each covers what the library keeps, and not a function of the program of such a name."""
    arguments = {"gettext": catalogue(place.path("catalogues")), "dlopen": PLUGIN,
                 "libstdc++": library("libstdc++.so")}
    for number, (case, (rule, own)) in enumerate(CASES.items()):
        store, done = place.record("builtin", BUILTIN, case, arguments.get(case, ""),
                                   TZ="Europe/Berlin", LANGUAGE="xx")
        check(done.returncode == 0, case, done)
        found = is_covered(store, rule)
        found.pop("leak_in_dlopen", None)
        check(found == {own: 1000 + number}, f"left with {rule}", found)
    if os.path.exists(POOL):
        store, _ = place.record("pool", POOL)
        left_over = is_covered(store, "libstdc++ at start")
        check(1234 <= sum(left_over.values()) < 2000, "the program's own, through libstdc++", left_over)
    else:
        print("no C++ compiler: 'libstdc++ at start' is not tested")
    with open(SOURCE, encoding="utf-8") as file:
        rules = re.findall(r'^\t\{"(.*?)", ', file.read(), re.M)
    check(sorted(rules) == sorted([rule for rule, _ in CASES.values()] + ["libstdc++ at start"]),
          "a case for each rule", rules)


def test_patterns(place):
    store = place.bug("leak")
    for pattern, covers in PATTERNS.items():
        check(left(store, "leak:" + pattern, place) != covers, f"leak:{pattern}, {covers} wanted")
    check(left(store, "error:*", place), "error: is not about leaks")
    root = report("leaks", store, "--suppressions", place.rules("  # one", "", "leak:lose \r"))
    entry, = root["suppressed"]
    check((entry["rule"], entry["line"], entry["stacks"], entry["live_bytes"],
           entry["live_objects"]) == ("leak:lose", 3, 3, 3000, 3), "what was suppressed", root)


def test_kinds(place):
    for bug, kind in ERRORS.items():
        store = place.bug(bug)
        check(not left(store, f"{kind}:^bug-{bug}$", place, "errors"), f"{kind} covers {bug}")
        check(not left(store, f"error:^bug-{bug}$", place, "errors"), f"error: covers {bug}")
        check(left(store, "leak:*", place, "errors"), f"leak: does not cover {bug}")
        for other in set(ERRORS.values()) - {kind}:
            check(left(store, other + ":*", place, "errors"), f"{other} does not cover {bug}")


def test_stacks_of_errors(place):
    store = place.bug("double-free")
    error, = report("errors", store, status=1)["errors"]
    for stack, name in (("stack", "free_again"), ("freed_at", "free_first")):
        check(name in [frame["function"] for frame in error[stack]], stack, error)
        check(not left(store, f"double-free:^{name}$", place, "errors"), f"its {stack}")
    check(not left(store, "double-free:^allocate$", place, "errors"), "its allocation")
    tool("report", "--suppressions", place.rules("double-free:free_again"), store)


def test_run(place):
    program = os.path.join(PROGRAMS, "bugs", "bug-double-free")
    for rule, status, text in (("double-free:free_again", -6, ": 0 errors"),
                               ("double-free:nothing", 9, ": 1 error,")):
        options = ["--error-exitcode=9", "--suppressions=" + place.rules(rule)]
        _, done = place.record("run", program, options=options)
        check(done.returncode == status and text in done.stderr, rule, done.returncode, done.stderr)
        check(("Not used: " in done.stderr) == (status == 9), "unused", done.stderr)
    done = tool("run", "--suppressions", place.rules("x"), "--", "/bin/false", status=2)
    check("rules:1: " in done.stderr and done.stderr.count("\n") == 1, "bad line", done.stderr)


def test_bad_lines(place):
    store = place.bug("leak")
    for line in BAD_LINES:
        path = place.rules("# good", "leak:lose", line)
        for command in (["report"], ["suppress", "--gen"], ["export", "--format=lsan"]):
            done = tool(*command, "--suppressions", path, store, status=2)
            check(done.stderr.count("\n") == 1 and f"{path}:3: " in done.stderr, line[:20],
                  done.stderr)
            check(not done.stdout, "no report", done.stdout)
    for path in (place.path("missing"), place.directory, "/dev/zero"):
        done = tool("report", "--suppressions", path, store, status=2)
        check(done.stderr.count("\n") == 1 and path in done.stderr, path, done.stderr)


def test_unused(place):
    store = place.bug("leak")
    one = place.rules("leak:gone", "leak:lose", "leak:^lose$", "error:gone", name="one")
    two = place.rules("leak:\x1b[31m", name="two")
    text = tool("report", "leaks", "--suppressions", one, "--suppressions", two, store).stdout
    line, = [line for line in text.split("\n") if line.startswith("Not used: ")]
    check(line == f"Not used: leak:gone ({one}:1), leak:\\x1b[31m ({two}:1)", "unused", line)


def hostile(place):
    """The program bug-leak, with a name that has lines of its own."""
    program = place.path("hostile")
    shutil.copy(os.path.join(PROGRAMS, "bugs", "bug-leak"), program)
    subprocess.run(["objcopy", "--strip-debug", "--redefine-sym", "lose=lo\nleak:*\n#se", program],
                   check=True)
    return place.record("hostile", program)[0]


def stripped(place):
    program = place.path("stripped")
    subprocess.run(["strip", "-o", program, os.path.join(PROGRAMS, "bugs", "bug-leak")], check=True)
    return place.record("stripped", program)[0]


def test_generated(place):
    stores = [place.bug(bug) for bug in [*ERRORS, "leak", "five-bugs"]]
    stores += [place.record("python", *PYTHON, PYTHONMALLOC="malloc")[0], hostile(place),
               stripped(place), place.path("keeps.store")]
    for store in stores:
        tool("report", store, status=1)
        for options in ([], ["--no-default-suppressions"]):
            text = tool("suppress", "--gen", *options, store).stdout
            path = place.rules(text, name="generated")
            done = tool("report", *options, "--suppressions", path, store)
            check("Not used: " not in done.stdout, f"{store}: unused", text, done.stdout)
            lines = text.split("\n")
            for before, line in zip(lines, lines[1:]):
                check(not line or line[0] == "#" or before.startswith("# "), "comments", text)
            again = tool("suppress", "--gen", *options, "--suppressions", path, store).stdout
            check(all(not line or line[0] == "#" for line in again.split("\n")), store, again)


def test_narrow(place):
    """What is chosen is what fewest others go through."""
    text = tool("suppress", "--gen", place.path("leak.store")).stdout
    check([line for line in text.split("\n") if line and line[0] != "#"] == ["leak:^lose$"],
          "neither allocate() nor main()", text)
    check("2.9 KiB in 3 objects from 3 stacks, of 3 that " in text, "what it covers", text)


def test_exports(place):
    store = place.bug("five-bugs")
    raw = tool("export", "--format=json", store).stdout
    check(raw == tool("export", "--format=json", "--suppressions", place.rules("# none"),
                      store).stdout, "none, nothing changes")
    check("double-free" in raw and "leak_a_page" in raw, "raw", raw)
    path = place.rules("leak:*", "double-free:free_twice", "leak:gone")
    done = tool("export", "--format=json", "--suppressions", path, store)
    kinds = [error["kind"] for error in json.loads(done.stdout)["errors"]]
    check(len(kinds) == 3 and "double-free" not in kinds, "errors", kinds)
    check("Suppressed: 8.4 KiB in 4 objects from 4 stacks, and 1 error, seen 1 time\n"
          in done.stderr and "Not used: leak:gone (" in done.stderr, "said", done.stderr)
    check(not tool("export", "--format=lsan", "--suppressions", path, store).stdout, "lsan")
    sarif = tool("export", "--format=sarif", "--suppressions", path, store).stdout
    check("free_twice" not in sarif and "free_the_middle" in sarif, "sarif", sarif)
    both = [tool("export", "--format=folded", "--value=allocs", *options, store).stdout
            for options in ([], ["--suppressions", path])]
    check(sorted(both[0].split("\n")) == sorted(both[1].split("\n")) and both[0], "allocations")


def test_flame(place):
    store, page = place.bug("five-bugs"), place.path("page.html")
    done = subprocess.run([TOOL, "flame", "--suppressions", place.rules("error:main", "leak:gone"),
                           store, "-o", page], capture_output=True, text=True, check=False)
    if "was not built" in done.stderr:
        print("no page was built in: not tested")
        return
    check(done.returncode == 0 and "Suppressed: 4 errors" in done.stderr and
          "Not used: leak:gone" in done.stderr, "flame", done.stderr)
    with open(page, encoding="utf-8") as file:
        check('"errors":[]' in file.read(), "errors of the page")


def test_usage(place):
    tool("suppress", status=2)
    tool("suppress", "--gen", status=2)
    tool("suppress", place.path("leak.store"), status=2)
    tool("suppress", "--gen", place.path("none"), status=2)


def main():
    with tempfile.TemporaryDirectory() as directory:
        place = Place(directory)
        chosen = os.environ.get("TESTS", "").split()
        for name, test in list(globals().items()):
            if name.startswith("test_") and (not chosen or name[5:] in chosen):
                test(place)
                print("ok", name)


main()
