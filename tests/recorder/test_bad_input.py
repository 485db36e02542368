#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Bad input: one clear line on standard error, the right exit status, and nothing lost.

usage: test_bad_input.py STACKDEPOT PRELOAD_LIBRARY STATIC_PROGRAM COMPLETION

What needs root (another user, a file system that is full) is said to be skipped without.
"""
import json
import os
import re
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from tool import TOOL, call, check, run_all  # noqa: E402

PRELOAD, STATIC, SHORTER = map(os.path.abspath, sys.argv[2:5])
SANITIZED, COMPLETION = sys.argv[5:7]
ROOT = os.geteuid() == 0
MIB = 1 << 20
COMMAND_BYTES = 224  # that a store has for a command; how long it is stands so many before it
COMMAND_BYTES_BEFORE = 184


def for_others(directory):
    """Copies of tool and recorder that another user can run, wherever this was built."""
    copies = []
    for source, place in ((TOOL, "cli"), (PRELOAD, "recorder")):
        os.makedirs(os.path.join(directory, place))
        copies.append(shutil.copy(source, os.path.join(directory, place)))
    os.chmod(directory, 0o755)
    return copies


def one_line(done, status, line, output=""):
    check(done.returncode == status, f"exit status {done.returncode} should be {status}", done.args, done.stderr)
    check(done.stderr == f"stackdepot: {line}\n", f"should say '{line}' and no more", done.args, done.stderr)
    check(done.stdout == output, "standard output", done.stdout)


def file(directory, name, data=b"", mode=0o644):
    path = os.path.join(directory, name)
    with open(path, "wb") as out:
        out.write(data)
    os.chmod(path, mode)
    return path


def run(directory, *command, options=(), **more):
    return call(TOOL, "run", "--quiet", "--store", os.path.join(directory, "store"), *options, "--", *command,
                **more)


def recorded(directory):
    """The bytes of a sound store."""
    done = run(directory, "/bin/true", options=["--memory=1M"])
    check(done.returncode == 0, "a sound store", done.stderr)
    with open(os.path.join(directory, "store"), "rb") as store:
        return store.read()


# --- programs ---------------------------------------------------------------------------------------


def test_missing_program(directory):
    one_line(run(directory, "no-such-program"), 127, "no-such-program: No such file or directory")
    one_line(run(directory, "/no/such/program"), 127, "/no/such/program: No such file or directory")
    check(not os.listdir(directory), "something was left behind", os.listdir(directory))


def test_not_executable(directory):
    path = file(directory, "plain", b"#!/bin/sh\n")
    one_line(run(directory, path), 126, f"{path}: Permission denied")
    one_line(run(directory, directory), 126, f"{directory}: Is a directory")


def test_not_a_program(directory):
    path = file(directory, "noise", b"\0\1\2\3" * 100, 0o755)
    done = run(directory, path)
    check(done.returncode == 126, "status", done.returncode)
    check(done.stderr == f"stackdepot: {path}: Exec format error\n", "line", done.stderr)


def test_sanitized_program(directory):
    if not SANITIZED:
        return "a compiler with AddressSanitizer"
    one_line(run(directory, SANITIZED), 126,
             f"{SANITIZED} has a sanitizer in it, with an allocator that must be the only one")
    return None


def test_static_program(directory):
    one_line(run(directory, STATIC), 126,
             f"{STATIC} is statically linked: there is nothing a library could be preloaded into")


def test_setuid_program(directory):
    if not ROOT:
        return "root"
    path = os.path.join(directory, "true")
    shutil.copy("/bin/true", path)
    os.chown(path, 65534, 65534)
    os.chmod(path, 0o4755)
    one_line(run(directory, path), 126, f"{path} is setuid or setgid: the loader preloads nothing into it")
    return None


# --- stores -----------------------------------------------------------------------------------------


COMMANDS = [["report"], ["report", "leaks"], ["report", "errors", "--json"], ["report", "top"],
            ["report", "growth", "--times=1", "--interval=0.1"], ["stats"], ["top", "--batch"],
            ["suppress", "--gen"], ["export", "--format=json"], ["export", "--format=sarif"],
            ["export", "--format=lsan"], ["export", "--format=folded"],
            ["export", "--format=speedscope"], ["export", "--format=pprof"]]


def unreadable(directory, data, line):
    path, out = file(directory, "bad", data), os.path.join(directory, "out")
    for command in COMMANDS:
        one_line(call(TOOL, *command, path), 2, f"{path}: {line}")
    one_line(call(TOOL, "export", "--format=pprof", "-o", out, path), 2, f"{path}: {line}")
    one_line(call(TOOL, "flame", path, "-o", out), 2, f"{path}: {line}")
    check(not os.path.exists(out), "something was written")
    store = os.path.join(directory, "store")
    for names in ([path, store], [store, path]):
        if not os.path.exists(store):
            break
        one_line(call(TOOL, "diff", *names), 2, f"{path}: {line}")
        one_line(call(TOOL, "flame", *names, "-o", out), 2, f"{path}: {line}")
        one_line(call(TOOL, "report", "growth", *names), 2, f"{path}: {line}")


def test_missing_store(directory):
    path = os.path.join(directory, "none")
    for command in COMMANDS:
        one_line(call(TOOL, *command, path), 2, f"{path}: No such file or directory")
        one_line(call(TOOL, *command, "99999999"), 2,
                 "99999999: no file of this name, and no process (No such file or directory)")
        one_line(call(TOOL, *command, directory), 2, f"{directory}: not a store, or damaged")


def test_foreign_store(directory):
    unreadable(directory, b"A letter to a friend.\n" * 1000, "not a store, or damaged")
    unreadable(directory, b"short", "not a store, or damaged")


def test_truncated_store(directory):
    data = recorded(directory)
    for size in (100, 4096, len(data) // 2, len(data) - 1):
        unreadable(directory, data[:size], "not a store, or damaged")


def test_damaged_store(directory):
    data = bytearray(recorded(directory))
    data[16:24] = struct.pack("<Q", 7)
    unreadable(directory, data, "not a store, or damaged")


def test_other_version(directory):
    data = bytearray(recorded(directory))
    data[8:12] = struct.pack("<I", 99)
    unreadable(directory, data, "a store of another version")


def test_command_without_end(directory):
    """Arguments that are ended by nothing: what is told of them ends where they do."""
    data = bytearray(recorded(directory))
    at = data.index(b"/bin/true\0")
    count, = struct.unpack("<I", data[at - COMMAND_BYTES_BEFORE:at - COMMAND_BYTES_BEFORE + 4])
    check(count == len(b"/bin/true\0"), "where the length is", count)
    data[at:at + COMMAND_BYTES] = b"A" * COMMAND_BYTES
    store = os.path.join(directory, "store")
    for length in (1, count, COMMAND_BYTES - 1, COMMAND_BYTES, COMMAND_BYTES + 1, 1 << 31):
        data[at - COMMAND_BYTES_BEFORE:at - COMMAND_BYTES_BEFORE + 4] = struct.pack("<I", length)
        with open(store, "wb") as file:
            file.write(data)
        wanted = "A" * min(length, COMMAND_BYTES)
        found = json.loads(call(TOOL, "export", "--format=json", store).stdout)["processes"][0]["command"]
        check(found == [wanted], f"length {length}", found)
        log = json.loads(call(TOOL, "export", "--format=sarif", store).stdout)
        found = log["runs"][0]["invocations"][0]["arguments"]
        check(found == [wanted], f"sarif, length {length}", found)


def test_being_written(directory):
    """The magic number comes last, the size of the file before anything else."""
    data = bytearray(recorded(directory))
    data[0:8] = bytes(8)
    unreadable(directory, data, "recording has not begun")
    unreadable(directory, b"", "recording has not begun")


def test_unreadable_store(directory):
    if not ROOT:
        return "root"
    recorded(directory)
    tool, _ = for_others(directory)
    path = os.path.join(directory, "store")
    one_line(call(tool, "report", path, user="nobody"), 2, f"{path}: Permission denied")
    return None


def test_foreign_file_is_kept(directory):
    """Neither the tool nor the recorder alone writes over what is not a store."""
    path = file(directory, "store", b"precious")
    one_line(run(directory, "/bin/true"), 125, f"{path}: exists, and is not a store; it is left alone")
    done = call("/bin/echo", "done", env={"LD_PRELOAD": PRELOAD, "STACKDEPOT_OPTIONS": f"store={path}"})
    one_line(done, 0, f"/bin/echo: not recorded: {path}: exists, and is not a store", "done\n")
    with open(path, "rb") as kept:
        check(kept.read() == b"precious", "the file was written to")
    # There is nothing to be kept of an empty one; and none is left where nothing was recorded.
    path = file(directory, "empty", b"")
    for options in ([], ["--append"]):
        done = call(TOOL, "run", "--quiet", *options, "--store", path, "--", "/bin/true")
        check(done.returncode == 0 and os.path.getsize(path), options, done.stderr)
        os.truncate(path, 0)
    done = call(TOOL, "run", "--quiet", "--store", path, "--", "/usr/bin/env", "-u", "LD_PRELOAD", "false")
    check(done.returncode == 1 and os.path.getsize(path), "env was recorded", done.stderr)
    os.truncate(path, 0)
    broken = file(directory, "broken", b"#!/no/such/interpreter\n")
    os.chmod(broken, 0o755)
    done = call(TOOL, "run", "--quiet", "--store", path, "--", broken)
    check(done.returncode in (126, 127) and not os.path.exists(path), "an empty file is left", done.stderr)


# --- places -----------------------------------------------------------------------------------------


def test_no_directory(directory):
    path = os.path.join(directory, "none", "store")
    one_line(call(TOOL, "run", "--store", path, "--", "/bin/echo"), 125,
             f"{path}: No such file or directory; nothing was run")


def test_no_permission(directory):
    if not ROOT:
        return "root"
    tool, preload = for_others(directory)
    path = os.path.join(directory, "store")
    done = call(tool, "run", "--quiet", "--store", path, "--", "/bin/echo", user="nobody")
    one_line(done, 125, f"{path}: Permission denied; nothing was run")
    done = call("/bin/echo", "done", user="nobody",
                env={"LD_PRELOAD": preload, "STACKDEPOT_OPTIONS": f"store={path}"})
    one_line(done, 0, f"/bin/echo: not recorded: {path}: Permission denied", "done\n")
    return None


def on_small_disk(directory, script, *arguments):
    """In a mount namespace of its own, which ends with the shell."""
    mount = 'mount -t tmpfs -o size=3m none "$1" || exit 77; shift; '
    return call("unshare", "--mount", "--map-root-user", "sh", "-c", mount + script, "sh", directory, *arguments)


def test_no_space(directory):
    path = os.path.join(directory, "store")
    done = on_small_disk(directory, '"$@"', TOOL, "run", "--store", path, "--", "/bin/echo")
    if done.returncode == 77 or "unshare:" in done.stderr:
        return "a mount: " + done.stderr.strip()
    one_line(done, 125, f"{path}: No space left on device; nothing was run")
    done = on_small_disk(directory, 'LD_PRELOAD=$1 STACKDEPOT_OPTIONS=store=$2 /bin/echo done; ls "${2%/*}"', PRELOAD,
                         path)
    one_line(done, 0, f"/bin/echo: not recorded: {path}: No space left on device", "done\n")
    # A child needs no room besides; a run that goes on has its blocks again, or is not recorded and harms nothing.
    script = '"$@"; echo $?; dd if=/dev/zero of="${7%/*}/fill" 2>/dev/null; "$@"; echo $?; "$1" report leaks --json "$7"'
    done = on_small_disk(directory, script, TOOL, "run", "--quiet", "--append", "--memory=2M", "--store", path, "--",
                         "/bin/sh", "-c", "/bin/echo child; exit 5")
    check(done.stdout.startswith("child\n5\nchild\n5\n{"), "status and output", done.stdout, done.stderr)
    check(done.stderr == "".join(f"stackdepot: {name}: not recorded: {path}: No space left on device\n"
                                 for name in ("/bin/sh", "/bin/echo")), "lines", done.stderr)
    found = json.loads(done.stdout[len("child\n5\n") * 2:])["processes"]
    check([entry["command"][0] for entry in found if entry["allocations"]] == ["/bin/sh", "/bin/echo"], "recorded", found)
    return None


def test_store_made_shorter(directory):
    """While the program runs: it goes on as if nobody had recorded it."""
    path = os.path.join(directory, "store")
    for handler in ("plain", "handler"):
        for length in (0, 100 << 10, 20 << 20, 50 << 20):
            if os.path.exists(path):
                os.unlink(path)
            done = call(TOOL, "run", "--quiet", "--store", path, "--", SHORTER, path, str(length), handler)
            check(done.returncode == 7 and done.stdout == "done\n", handler, length, done.returncode, done.stderr)
            check(os.path.exists(path) == bool(length), "what is left")
    return None


def test_pages_gone(directory):
    """A disk that has no page for the table of live objects, as a full btrfs: the store says so."""
    path, fill, size = os.path.join(directory, "store"), os.path.join(directory, "fill"), 2 << 20
    script = '"$@"; echo $?; rm "${6%/*}/fill"; "$1" report leaks "$6" >&2; "$1" report errors --json "$6"'
    for handler in ("plain", "handler"):
        done = on_small_disk(directory, script, TOOL, "run", "--quiet", f"--memory={size}", "--store", path, "--",
                             SHORTER, path, str(size // 32 * 5), handler, str(size // 32 * 11), fill)
        if done.returncode == 77 or "unshare:" in done.stderr:
            return "a mount: " + done.stderr.strip()
        check(done.stdout.startswith("done\n7\n{"), handler, done.stdout, done.stderr)
        check("shorter: not recorded any more" in done.stderr, handler, done.stderr)
        check(not json.loads(done.stdout[len("done\n7\n"):])["errors"], "an error of nobody's", done.stdout)
    return None


# --- options ----------------------------------------------------------------------------------------


def test_options(directory):
    for option, line in (("--memory=1", "--memory cannot be '1'"), ("--memory=x", "--memory cannot be 'x'"),
                         ("--mode=some", "--mode cannot be 'some'"),
                         ("--error-exitcode=256", "--error-exitcode cannot be '256'")):
        done = run(directory, "/bin/true", options=[option])
        check(done.returncode == 2 and done.stderr.splitlines()[0].startswith(f"stackdepot: run: {line}"), option,
              done.returncode, done.stderr)
    done = call(TOOL, "run", "--store", os.path.join(directory, "a:b"), "--", "/bin/true")
    one_line(done, 125, f"{directory}/a:b: the name of a store has no colon")
    deep = os.path.join(directory, *["d" * 200] * 5)
    os.makedirs(deep)
    for name in (os.path.join(deep, "store"), "store"):
        done = call(TOOL, "run", "--store", name, "--", "/bin/true", cwd=deep)
        one_line(done, 125, f"{name}: the path of a store has at most 1023 bytes")
        check(not os.listdir(deep), "a store was made", os.listdir(deep))
    done = call("/bin/echo", "done", env={"LD_PRELOAD": PRELOAD, "STACKDEPOT_OPTIONS": f"store={deep}/store"})
    check(done.returncode == 0 and done.stdout == "done\n" and "ddd...'; help=1 lists" in done.stderr, done.stderr)


def test_environment(directory):
    for text, line in (("nonsense=1", "cannot make sense of 'nonsense=1'; help=1 lists the options"),
                       ("memory=lots", "cannot make sense of 'memory=lots'; help=1 lists the options"),
                       ("memory=1", "a value is out of range")):
        done = call("/bin/echo", "done", cwd=directory, env={"LD_PRELOAD": PRELOAD, "STACKDEPOT_OPTIONS": text})
        one_line(done, 0, f"/bin/echo: not recorded: STACKDEPOT_OPTIONS: {line}", "done\n")
    check(not os.listdir(directory), "something was left behind", os.listdir(directory))


# --- every sub-command ------------------------------------------------------------------------------


# What each takes besides options; STORE stands for a store, OUT for a file to write.
WORDS = {"run": ["--", "/bin/true"], "report": ["STORE"], "stats": ["STORE"], "flame": ["-o", "OUT", "STORE"],
         "export": ["--format=json", "STORE"], "top": ["--batch", "--times=1", "STORE"], "diff": ["STORE", "STORE"],
         "suppress": ["--gen", "STORE"], "agent": ["word"], "corpus": ["-o", "OUT", "--", "/bin/true"],
         "set": ["STORE", "mode=full"],
         "service": ["status"],
         "push": ["--server=http://127.0.0.1:9", "--spool=OUT", "STORE"], "fleet": ["--server=http://127.0.0.1:9", "top"]}
HUGE = ["99999999999999999999999", "1e400", "18446744073709551616", "-1", "-18446744073709551615", "", " ", "x", "0x",
        "nan", "inf", "1,5", "--", "1K K", "\u0661"]
# Options with a number; those not named here take any text, or a name of a list.
NUMBERS = {"run": ["memory", "error-exitcode", "overhead"], "report": ["limit", "interval", "times"],
           "flame": ["nodes"], "top": ["limit", "interval", "times"], "diff": ["limit", "fail-on-increase"],
           "service": ["memory", "overhead"]}
CHOICES = {"run": ["mode", "on-error", "follow-children", "tags"], "export": ["format", "value"], "top": ["sort"], "service": ["mode"]}


def help_of(command):
    done = call(TOOL, command, "--help")
    check(done.returncode == 0 and not done.stderr and done.stdout.startswith(f"usage: stackdepot {command} "),
          f"{command} --help", done.stdout, done.stderr)
    return done.stdout


def options_of(command):
    """Names of options, and whether each takes a value."""
    text = help_of(command)
    found = dict(re.findall(r"^  (?:-\w, )?--([\w-]+)(=?)", text, flags=re.M))
    check(found or command in ("corpus", "set"), f"{command} has no options", text)
    return found


def words_of(command, directory):
    store, out = os.path.join(directory, "store"), os.path.join(directory, "out")
    return [{"STORE": store, "OUT": out}.get(word, word) for word in WORDS[command]]


def complains(command, words, directory, *parts):
    """One line that names the sub-command and PARTS; status 2; nothing written."""
    before = sorted(os.listdir(directory))
    done = call(TOOL, command, *words, cwd=directory, timeout=300)
    check(done.returncode == 2 and not done.stdout, f"{command} {words}", done.returncode, done.stdout, done.stderr)
    check(done.stderr.count("\n") == 1 and done.stderr.startswith(f"stackdepot: {command}: "), f"{command} {words}",
          done.stderr)
    for part in (*parts, f"; stackdepot {command} --help says more"):
        check(part in done.stderr, f"{command} {words} should say '{part}'", done.stderr)
    check(sorted(os.listdir(directory)) == before, f"{command} {words}: left behind", os.listdir(directory))


def test_commands_are_known(directory):
    """All of the usage text are tried here, and completed by the shell with the options they have."""
    done = call(TOOL, "--help")
    named = set(re.findall(r"^(?:usage: |       )stackdepot (\w+) ", done.stdout, flags=re.M))
    check(named == set(WORDS), "sub-commands", named)
    with open(COMPLETION, encoding="ascii") as file:
        completion = file.read()
    for command in WORDS:
        part = re.search(rf"^\t{command}\)(.*?);;$", completion, flags=re.M | re.S)
        check(part, f"{command} is not completed")
        completed = set(re.findall(r"--([\w-]+)", part[1])) | ({"output"} if " -o" in part[1] or '"-o' in part[1] else set())
        check(completed == set(options_of(command)), f"{command}: completion and --help", completed ^
              set(options_of(command)))
    for words in ([], ["nonsense"], ["--nonsense"], [""], ["Report"]):
        done = call(TOOL, *words)
        check(done.returncode == 2 and done.stderr.count("\n") == 1 and done.stderr.endswith("--help says more\n"),
              f"{words}", done.stderr)


def test_unknown_options(directory):
    recorded(directory)
    for command in WORDS:
        words = words_of(command, directory)
        for bad in ("--nonsense", "--nonsense=1", "-Z"):
            complains(command, [bad, *words], directory, f"there is no option '{bad}'")
        for name, value in options_of(command).items():
            if value:
                complains(command, [f"--{name}"], directory, f"--{name} has no value")
            else:
                complains(command, [f"--{name}=1", *words], directory, f"--{name} takes no value")


def test_values(directory):
    recorded(directory)
    for command, names in [*NUMBERS.items(), *CHOICES.items()]:
        for name in names:
            check(name in options_of(command), f"{command} has no --{name}")
            for value in HUGE:
                complains(command, [f"--{name}={value}", *words_of(command, directory)], directory,
                          f"--{name} cannot be '{value}'")
    for command in WORDS:
        if "suppressions" in options_of(command):
            done = call(TOOL, command, "--suppressions=", *words_of(command, directory), cwd=directory)
            one_line(done, 2, ": No such file or directory")


def test_nothing_named(directory):
    for command in set(WORDS) - {"agent"}: # it finds its stores itself
        for words in ([], ["--format=json"], ["--gen"], ["-o", "out"]):
            if command == "suppress" or words != ["--gen"]:
                if not (command != "export" and words == ["--format=json"]) and not (
                        command not in ("flame", "corpus", "export") and words == ["-o", "out"]):
                    complains(command, words, directory)


def test_odd_stores(directory):
    """Directories, FIFOs, devices and what is empty are no stores, and nobody waits for them."""
    recorded(directory)
    store, out = os.path.join(directory, "store"), os.path.join(directory, "out")
    fifo = os.path.join(directory, "fifo")
    os.mkfifo(fifo)
    for odd in (fifo, directory, "/dev/null", "/dev/zero"):
        for command in COMMANDS:
            one_line(call(TOOL, *command, odd, timeout=300), 2, f"{odd}: not a store, or damaged")
        for words in (["diff", store, odd], ["flame", "-o", out, odd], ["report", "growth", store, odd]):
            one_line(call(TOOL, *words, timeout=300), 2, f"{odd}: not a store, or damaged")
        one_line(call(TOOL, "run", "--store", odd, "--", "/bin/echo", timeout=300), 125,
                 f"{odd}: exists, and is not a store; it is left alone")
    for command in COMMANDS:
        one_line(call(TOOL, *command, ""), 2, "'': an empty name is neither FILE nor PID")
    check(not os.path.exists(out), "something was written")


def test_odd_outputs(directory):
    """What cannot be written is said, and what is there stays."""
    recorded(directory)
    store, missing = os.path.join(directory, "store"), os.path.join(directory, "none", "out")
    before = sorted(os.listdir(directory))
    page = call(TOOL, "flame", "-o", "/dev/null", store).returncode == 0
    for words, status in ((["export", "--format=json", store, "-o"], 2), (["export", "--format=pprof", store, "-o"], 2),
                          (["flame", store, "-o"], 2), (["corpus", "-o"], 125)):
        if words[0] == "flame" and not page:
            continue
        rest = ["--", "/bin/sh", "-c", ":"] if words[0] == "corpus" else []
        one_line(call(TOOL, *words, missing, *rest), status, f"{missing}: No such file or directory")
        one_line(call(TOOL, *words, directory, *rest), status, f"{directory}: Is a directory")
        done = call(TOOL, *words, "/dev/full", *rest)
        check(done.returncode == status and not done.stdout and done.stderr.count("\n") == 1 and
              done.stderr.startswith("stackdepot: /dev/full: "), f"{words} to a full disk", done.returncode,
              done.stderr)
    with open("/dev/full", "w", encoding="ascii") as full:
        for command in COMMANDS:
            if not subprocess.run([TOOL, *command, store], capture_output=True, check=False).stdout:
                continue  # nothing to write
            done = subprocess.run([TOOL, *command, store], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
            check(done.returncode == 2 and done.stderr.splitlines()[-1].startswith("stackdepot: standard output: "),
                  f"{command} to a full disk", done.returncode, done.stderr)
    check(sorted(os.listdir(directory)) == before, "left behind", os.listdir(directory))


def test_odd_suppressions(directory):
    recorded(directory)
    store = os.path.join(directory, "store")
    for name, data, line in (("kind", b"nothing:x\n", "kind:1: no such kind; there are leak, error and the names of errors"),
                             ("nul", b"leak:a\0b\n", "nul:1: a NUL in it, or too long"),
                             ("long", b"leak:" + b"x" * 70000, "long:1: a NUL in it, or too long")):
        path = file(directory, name, data)
        for command in ("report", "diff", "export", "flame", "suppress", "run"):
            words = words_of(command, directory)
            if command == "run":
                words = ["--store", store, *words]
            one_line(call(TOOL, command, f"--suppressions={path}", *words), 2, f"{directory}/{line}")
    for command in ("report", "run"):
        one_line(call(TOOL, command, f"--suppressions={directory}", *words_of(command, directory)), 2,
                 f"{directory}: Is a directory")


run_all(globals())
