# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The preload library and programs for arm64, built here by Debian's cross compiler, and run in
qemu-user, which has the processor's tags. Programs with threads hang there, without us too.

What is built stays, for the next time: ninja knows what it depends on.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
COMPILER, CXX, EMULATOR = "aarch64-linux-gnu-gcc", "aarch64-linux-gnu-g++", "qemu-aarch64"
CROSS_LIBC = pathlib.Path("/usr/aarch64-linux-gnu")
LOADER = "lib/ld-linux-aarch64.so.1"
INCLUDES = ["include", "src/depot", "src/port", "src/port/user", "src/store", "src", "src/recorder", "src/unwind"]
FLAGS = ["-O2", "-g", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fPIC", "-fvisibility=hidden",
         "-D_GNU_SOURCE=", "-fasynchronous-unwind-tables", "-fno-builtin-malloc", "-fno-builtin-calloc",
         "-fno-builtin-realloc", "-fno-builtin-free", "-fno-strict-aliasing", "-foptimize-sibling-calls"]
PROGRAM_FLAGS = ["-g", "-O1", "-w", "-fno-builtin-malloc", "-fno-optimize-sibling-calls"]
LINK = ["-shared", "-Wl,-z,now", "-Wl,-z,defs", "-Wl,-Bsymbolic", "-Wl,--as-needed"]
RULES = """
cc = {compiler}
cxx = {cxx}
rule object
  command = $cc {flags} {defines} {includes} -MMD -MF $out.d -c $in -o $out
  depfile = $out.d
  deps = gcc
rule library
  command = $cc {link} -Wl,--version-script={map} $in -o $out
rule c
  command = $cc {program_flags} -MMD -MF $out.d $in -o $out $more
  depfile = $out.d
  deps = gcc
rule cc
  command = $cxx {program_flags} -MMD -MF $out.d $in -o $out $more
  depfile = $out.d
  deps = gcc
"""
# Newer ones, 10.0 for one, now and then end with a fault of their own where pages with tags are given back.
WANTED = "7.2"
SECONDS = 120
# Debian's for arm64, where it is installed, or in what tests/tags/image unpacked.
JEMALLOC = "usr/lib/aarch64-linux-gnu/libjemalloc.so.2"
# An assertion of qemu-user 7.2's own, which fails now and then where tags lie among pages without any.
ITS_OWN, TRIES = "cpu_exec: assertion failed: (cpu == current_cpu)", 10


def missing():
    """What this takes and is not there; None if all is."""
    for command, package in ((COMPILER, "gcc-aarch64-linux-gnu"), (CXX, "g++-aarch64-linux-gnu"),
                             (EMULATOR, f"qemu-user {WANTED}"), ("ninja", "ninja-build")):
        if not shutil.which(command):
            return package
    if not (pathlib.Path("/") / LOADER).exists() and not (CROSS_LIBC / LOADER).exists():
        return "libc6-dev-arm64-cross"
    return None


def other_version():
    """The version of the emulator here, if it is not the one that the tests want; None too if there is none."""
    try:
        said = subprocess.run([EMULATOR, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return None
    found = re.search(r"version (\d+\.\d+)(\.\d+)?", said)
    if found and found[1] == WANTED:
        return None
    return found[0].removeprefix("version ") if found else "unknown"


def end(status):
    """Exits, and says what may be why it is not well if that is the emulator's version."""
    version = other_version() if status else None
    if version:
        print(f"{EMULATOR} is {version}: these tests want qemu-user {WANTED}, others may end with faults of their own", flush=True)
    sys.exit(status)


def tree():
    """Files of Debian for arm64, which tests/tags/image unpacked; or not."""
    cache = os.environ.get("STACKDEPOT_LINUX_CACHE")
    if not cache:
        cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "stackdepot-linux"
    return pathlib.Path(cache) / "tags/tree"


def jemalloc():
    """Another allocator that objects with tags may have; None, if there is none for the processor."""
    places = [pathlib.Path("/") / JEMALLOC, tree() / JEMALLOC]
    return next((str(place) for place in places if place.exists()), None)


def emulator():
    """Programs find the C library where it is that they were built for."""
    more = [] if (pathlib.Path("/") / LOADER).exists() else ["-L", str(CROSS_LIBC)]
    return [EMULATOR, "-cpu", "max", *more]


def probes():
    """sys/sdt.h is the same file for each processor."""
    for place in sorted(pathlib.Path("/usr/include").glob("*-linux-gnu*/sys/sdt.h")):
        return ["-idirafter", str(place.parent.parent)]
    return []


class Arm64:
    """A directory to build in, of the sources that meson lists. A mutant has some of them elsewhere."""

    def __init__(self, directory, sources, changed=None):
        self.directory = pathlib.Path(directory)
        self.sources = [pathlib.Path(source).resolve() for source in sources]
        self.changed = changed or {}
        self.jemalloc = jemalloc()
        self.preload = self.directory / "libstackdepot-preload.so"
        self.programs = {}

    def add(self, name, path, *more):
        self.programs[name] = (pathlib.Path(path), more)
        return self.directory / name

    def lines(self):
        includes = [f"-I{SOURCE / place}" for place in INCLUDES] + probes()
        yield RULES.format(compiler=COMPILER, cxx=CXX, flags=" ".join(FLAGS), includes=" ".join(includes),
                           defines="'-DSTACKDEPOT_API=__attribute__((visibility(\"default\")))'",
                           link=" ".join(LINK), map=SOURCE / "src/recorder/preload.map",
                           program_flags=" ".join(PROGRAM_FLAGS))
        objects = []
        for source in self.sources:
            name = "-".join(source.relative_to(SOURCE).parts) + ".o"
            if source in self.changed:
                name = "changed-" + name
            objects.append(name)
            yield f"build {name}: object {self.changed.get(source, source)}"
        yield f"build {self.preload.name}: library {' '.join(objects)}"
        for name, (path, more) in self.programs.items():
            yield f"build {name}: {'cc' if path.suffix == '.cc' else 'c'} {path}"
            yield f"  more = {' '.join(more)}"

    def build(self):
        """None, or what the compiler says."""
        self.directory.mkdir(parents=True, exist_ok=True)
        rules = self.directory / "build.ninja"
        text = "\n".join(self.lines()) + "\n"
        if not rules.exists() or rules.read_text() != text:
            rules.write_text(text)
        done = subprocess.run(["ninja", "--quiet", "-C", str(self.directory), "-j", "2"], capture_output=True, text=True, check=False)
        return done.stdout + done.stderr if done.returncode else None

    def run(self, program, *words, store, options="", preload=True, environment=None, beside=()):
        """How the program ends, recorded into STORE. What else is preloaded comes after the recorder."""
        libraries, more = [*([self.preload] if preload else []), *beside], []
        if libraries:
            more += ["-E", "LD_PRELOAD=" + ":".join(map(str, libraries))]
        if preload:
            more += ["-E", f"STACKDEPOT_OPTIONS=store={store}:{options}"]
        for left in reversed(range(TRIES)):
            done = subprocess.run([*emulator(), *more, str(self.directory / program), *words], capture_output=True, text=True,
                                  timeout=SECONDS, check=False, env={**os.environ, "MALLOC_PERTURB_": "0", **(environment or {})})
            if ITS_OWN not in done.stderr or not left:
                break
            pathlib.Path(store).unlink(missing_ok=True)
        return done


def errors(tool, store):
    """The report of a store, made by the tool of this machine."""
    done = subprocess.run([tool, "report", "errors", "--json", "--all", str(store)], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"report errors: {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def text(tool, store):
    return subprocess.run([tool, "report", "errors", "--all", str(store)], capture_output=True, text=True, check=False).stdout
