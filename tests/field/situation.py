# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""A situation: a small program whose opening comment says how to build it, how to run it, and what
a report of it has to say. CONTRIBUTING lists the keys."""
import os
import re
import shutil
import subprocess

KEYS = {"field", "build", "run", "needs", "modes", "expect", "maps", "slow", "watch", "stdin"}
MODES = {"full": [], "sampled": ["--mode=sample=1K"], "guard": []}
COMPILERS = {".c": "$CC", ".cc": "$CXX"}
LINE = re.compile(r"^\s*(?:/?\*+|//|#|--)?\s*([a-z]+): (.*?)(?:\s*\*/)?$")
HEADER_LINES = 60


class Situation:
    """`name` is kind/program; `lines` the values of each key, in order."""

    def __init__(self, path, root):
        self.path = path
        self.kind = os.path.relpath(os.path.dirname(path), root)
        self.program, self.suffix = os.path.splitext(os.path.basename(path))
        self.name = f"{self.kind}/{self.program}"
        self.lines = {}
        with open(path, encoding="utf-8", errors="replace") as source:
            for _, line in zip(range(HEADER_LINES), source):
                found = LINE.match(line.rstrip())
                if found and found.group(1) in KEYS:
                    self.lines.setdefault(found.group(1), []).append(found.group(2).strip())

    def first(self, key, default=""):
        return self.lines.get(key, [default])[0]

    @property
    def is_one(self):
        return "field" in self.lines

    @property
    def slow(self):
        return self.first("slow") == "yes"

    def modes(self):
        return self.first("modes", " ".join(MODES)).split()

    def run_command(self):
        return self.first("run", f"./{self.program}")

    def not_found(self, build):
        """What a shell would look for in the fresh directory, and is in that of the build."""
        named = re.findall(r"(?:^|[\s(`;&|])\./([\w.-]+)", self.first("run"))
        if self.first("run") in [f"./{name}" for name in named]:
            return []
        return [name for name in named if os.path.exists(os.path.join(build, name))]

    def missing(self):
        """Why it cannot be run here, or an empty string."""
        for need in " ".join(self.lines.get("needs", [])).replace(",", " ").split():
            if need == "root":
                if os.geteuid():
                    return "root"
            elif not package_is_there(need):
                return need
        return ""

    def build(self, directory):
        """Builds into `directory`; the output of the failing command, or an empty string."""
        source = os.path.dirname(os.path.abspath(self.path))
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
        for command in self.lines.get("build", [self.default_build()]):
            if not command:
                continue
            done = subprocess.run(["sh", "-ec", command], cwd=directory, capture_output=True,
                                  text=True, errors="replace", timeout=300,
                                  env={**os.environ, **compilers(), "SRC": source,
                                       "BIN": directory})
            if done.returncode:
                return f"{command}\n{done.stdout}{done.stderr}"
        return ""

    def default_build(self):
        if self.suffix in COMPILERS:
            return f"{COMPILERS[self.suffix]} -g -O1 -o {self.program} $SRC/{self.program}{self.suffix}"
        if self.suffix == ".sh":
            return f"install -m 755 $SRC/{self.program}{self.suffix} {self.program}"
        return ""


def compilers():
    """What is allocated only to be freed is allocated: compilers leave out both."""
    return {"CC": (os.environ.get("CC") or "gcc") + " -fno-builtin-malloc -fno-builtin-free",
            "CXX": os.environ.get("CXX", "g++") + " -fno-builtin-malloc -fno-builtin-free"}


def package_is_there(name):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Abbrev}", name],
                          capture_output=True, text=True)
    return done.stdout.startswith("ii")


def situations(root):
    found = []
    for directory, names, files in os.walk(root):
        names.sort()
        if directory == root:
            continue
        found += [Situation(os.path.join(directory, name), root) for name in sorted(files)]
    return [situation for situation in found if situation.is_one]
