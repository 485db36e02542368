# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What a program did: natively, or recorded. Two outcomes are compared word for word, after the
names of scratch directories and of processes, which differ from run to run, are made equal."""
import hashlib
import os
import re
import shlex
import stat
import subprocess

# These are the recorder's to catch, so that it may be told of a fault in a guarded object.
CRASHES = sum(1 << (number - 1) for number in (4, 6, 7, 8, 11))
SHELL = re.compile(r"[|&;<>()$`\\\"'*?\[\]#~=%{}\n]|^\s*\w+=")
OURS = re.compile(r"^stackdepot: .*\n?", re.M)
TIMEOUT_SECONDS = 300
# Unnamed mappings merge with their neighbours or not, by where the kernel placed them.
MERGED_BY_CHANCE = 8


class Outcome:
    """status: as of subprocess; processes: one dictionary for each, from watch.c."""

    def __init__(self, status, stdout, stderr, files, processes):
        self.status, self.stdout, self.stderr = status, stdout, stderr
        self.files, self.processes = files, processes
        self.ours = "".join(OURS.findall(stderr))


def words(command):
    return ["sh", "-c", command] if SHELL.search(command) else shlex.split(command)


def run(situation, build, scratch, watch, recorder=(), environment=None):
    """In a fresh directory `scratch`, with a copy of nothing: programs are found through PATH."""
    os.makedirs(scratch)
    command = words(situation.run_command())
    if command[0].startswith("./"):
        command[0] = os.path.join(build, command[0][2:])
    endings = scratch + ".endings"
    traced = [] if situation.first("watch") == "no" else [watch, endings]
    env = {**os.environ, "BIN": build, "SRC": os.path.dirname(os.path.abspath(situation.path)),
           "PATH": build + ":" + os.environ["PATH"], "LC_ALL": "C.UTF-8", **(environment or {})}
    try:
        done = subprocess.run([*traced, *recorder, *command], cwd=scratch, env=env,
                              input=situation.first("stdin"), capture_output=True, text=True,
                              errors="backslashreplace", timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired as late:
        return Outcome("timeout", str(late.stdout), str(late.stderr), {}, [])
    return Outcome(done.returncode, done.stdout, done.stderr, files_of(scratch),
                   processes_of(endings, scratch))


def files_of(scratch):
    found = {}
    for directory, _, names in os.walk(scratch):
        for name in names:
            path = os.path.join(directory, name)
            info = os.lstat(path)
            text = oct(stat.S_IMODE(info.st_mode))
            if stat.S_ISREG(info.st_mode):
                with open(path, "rb") as file:
                    text += f" {info.st_size} bytes {hashlib.sha256(file.read()).hexdigest()[:16]}"
            elif stat.S_ISLNK(info.st_mode):
                text = "-> " + os.readlink(path)
            found[os.path.relpath(path, scratch)] = text
    return found


def processes_of(endings, scratch):
    """One dictionary a process: what does not depend on who else ran. The tool's own are left out."""
    processes = []
    try:
        with open(endings, encoding="utf-8", errors="backslashreplace") as file:
            blocks = file.read().split("process\n")[1:]
    except OSError:
        return []
    for block in blocks:
        process = {"maps": (0, 0)}
        for line in block.splitlines():
            key, value = (re.split(r"\s+", line, maxsplit=1) + [""])[:2]
            if key in ("fd", "exe"):
                number, _, target = value.partition(" ") if key == "fd" else ("", "", value)
                process[f"{key} {number}".strip()] = plain(target, scratch)
            elif key == "maps":
                process["maps"] = tuple(map(int, value.split()))
            elif key.startswith("SigCgt"):
                process["SigCgt"] = hex(int(value, 16) & ~CRASHES)
            elif key in ("SigQ:", "SigPnd:"):
                continue
            elif key == "Max":
                name = re.split(r"\s{2,}", line)
                process[name[0]] = " ".join(name[1:3])
            else:
                process[key] = value
        if os.path.basename(process.get("exe", "")) != "stackdepot":
            processes.append(process)
    return processes


def plain(target, scratch):
    target = target.replace(scratch, "SCRATCH")
    return re.sub(r"^(pipe|socket|anon_inode):.*", r"\1", target)


def key_of(process):
    return sorted((k, str(v)) for k, v in process.items() if k != "maps")


def differences(native, recorded, more_maps):
    """Lines that say in what `recorded` is not as `native`."""
    lines = []
    for name, a, b in (("status", native.status, recorded.status),
                       ("stdout", native.stdout, recorded.stdout),
                       ("stderr", OURS.sub("", native.stderr), OURS.sub("", recorded.stderr)),
                       ("files", native.files, recorded.files)):
        if a != b:
            lines.append(f"{name}: natively {brief(a)}, recorded {brief(b)}")
    return lines + process_differences(native.processes, recorded.processes, more_maps)


def process_differences(native, recorded, more_maps):
    native, recorded = sorted(native, key=key_of), sorted(recorded, key=key_of)
    if len(native) != len(recorded):
        return [f"processes: natively {[p.get('exe') for p in native]}, "
                f"recorded {[p.get('exe') for p in recorded]}"]
    lines = []
    for a, b in zip(native, recorded):
        for key in sorted(set(a) | set(b)):
            if key == "maps":
                more = [x - y for x, y in zip(b["maps"], a["maps"])]
                if more[0] > more_maps or sum(more) > more_maps + MERGED_BY_CHANCE:
                    lines.append(f"{a.get('exe')}: (named, unnamed) mappings {b['maps']}, "
                                 f"natively {a['maps']}")
            elif a.get(key) != b.get(key):
                lines.append(f"{a.get('exe')}: {key}: natively {a.get(key)}, recorded {b.get(key)}")
    return lines


def brief(value):
    text = repr(value)
    return text if len(text) < 1500 else text[:700] + " ... " + text[-700:]
