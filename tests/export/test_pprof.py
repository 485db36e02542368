# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""profile.proto: Google's pprof, protoc with the profile.proto of Debian, and npm's pprof-format."""
import gzip
import json
import os
import re
import tempfile

from common import PROGRAMS, READERS, SOURCE, bug, check, export, real_program, record, report, run

PPROF = os.path.join(READERS, "pprof")
PROTO = "/usr/share/gocode/src/github.com/google/pprof/proto"
KEYS = ("allocations", "allocated_bytes", "live_objects", "live_bytes")
TYPES = ["alloc_objects/count", "alloc_space/bytes", "inuse_objects/count", "inuse_space/bytes"]


def by_pprof(path, top):
    """Values of its raw listing, and what it says of the largest stack."""
    raw = run(PPROF, "-raw", "-symbolize=none", path).stdout
    check("inuse_space/bytes[dflt]" in raw, "default type", raw)
    rows = re.findall(r"^ +(\d+) +(\d+) +(\d+) +(\d+): [\d ]+$", raw, flags=re.M)
    check([sum(int(row[i]) for row in rows) for i in range(4)] == [top[key] for key in KEYS],
          "pprof's totals", raw)
    check(re.search(r"^1: 0x[0-9a-f]+/0x[0-9a-f]+/0x[0-9a-f]+ \S+ [0-9a-f]{40}", raw, flags=re.M),
          "mappings", raw[-1000:])


def protoc(direction, data):
    return run("protoc", f"--{direction}=perftools.profiles.Profile", "-I", PROTO, "profile.proto",
               input=data, text=False).stdout


def decode(path):
    with gzip.open(path) as file:
        return protoc("decode", file.read()).decode("utf-8")


def by_protoc(path, top):
    text = decode(path)
    check(not re.search(r"^ *\d+: ", text, flags=re.M), "a field that profile.proto has not")
    values = [int(value) for value in re.findall(r"^  value: (\d+)$", text, flags=re.M)]
    check([sum(values[i::4]) for i in range(4)] == [top[key] for key in KEYS], "protoc's totals")
    for what in ("mapping", "location", "function"):
        check(f"\n{what} {{" in text, f"no {what}")


def by_pprof_format(path, top):
    script = os.path.join(SOURCE, "tests", "export", "pprof-format.js")
    found = json.loads(run("node", script, READERS, path).stdout)
    check(found["types"] == TYPES and found["default"] == "inuse_space", "types", found["types"])
    check(any(" ".join(top["command"]) in comment for comment in found["comments"]), "comments")
    # Frames without a function are compared by the report's word for them: none.
    known = [([name for name in stack if " 0x" not in name], values)
             for stack, values in found["samples"]]
    wanted = [([frame["function"] for frame in stack["stack"] if frame["function"]],
               [stack[key] for key in KEYS]) for stack in top["stacks"]]
    check(sorted(known) == sorted(wanted), "stacks differ")
    lengths = sorted(len(stack) for stack, _ in found["samples"])
    check(lengths == sorted(len(stack["stack"]) for stack in top["stacks"]), "frames were dropped")


def symbolised(path):
    """All our names thrown away, pprof finds the functions by mapping and address alone."""
    text = re.sub(r"^function \{\n(?:  .*\n)*\}\n|^  line \{\n(?:    .*\n)*  \}\n|^  has_.*\n", "",
                  decode(path), flags=re.M)
    path += ".bare"
    with open(path, "wb") as file:
        file.write(protoc("encode", text.encode("utf-8")))
    bare = run(PPROF, "-raw", "-symbolize=none", path).stdout
    check("M=1" in bare and "leak.c" not in bare, "names are left", bare)
    text = run(PPROF, "-symbolize=local", "-traces", path)
    check(re.search(r"1000B +allocate\n +lose\n +main\n", text.stdout), "symbolised by pprof",
          text.stdout, text.stderr)
    lines = run(PPROF, "-symbolize=local", "-lines", "-traces", path).stdout
    check("leak.c:12" in lines and "leak.c:14" in lines, "lines of the calls", lines)


def linked(directory):
    """lld leaves code at another offset in the file than in memory; the other linkers do not."""
    source = os.path.join(SOURCE, "tests", "bugs", "leak.c")
    for name, options in (("lld", ["-fuse-ld=lld"]), ("lld-fixed", ["-fuse-ld=lld", "-no-pie"]),
                          ("bfd", ["-fuse-ld=bfd"])):
        program = os.path.join(directory, name)
        run("clang", "-g", "-O1", "-w", "-fno-optimize-sibling-calls", *options, "-o", program, source)
        headers = run("readelf", "-lW", program).stdout
        offset, address = re.search(r"LOAD +(\S+) +(\S+) .* R E ", headers).groups()
        check((int(offset, 16) != int(address, 16)) == name.startswith("lld"), "layout", headers)
        path = record(directory, name, [program]) + ".pb.gz"
        export("pprof", path[:-6], "-o", path)
        symbolised(path)


def main():
    with tempfile.TemporaryDirectory() as directory:
        stores = [record(directory, "leak", bug("leak")), real_program(directory)]
        for store in stores:
            path, top = store + ".pb.gz", report("top", store)
            export("pprof", store, "-o", path)
            by_pprof(path, top)
            by_protoc(path, top)
            by_pprof_format(path, top)
        family = record(directory, "family", [os.path.join(PROGRAMS, "report", "report-family"), "1000"])
        export("pprof", family, "-o", family + ".pb.gz")
        whole = report("top", family)
        by_pprof(family + ".pb.gz", whole)
        by_protoc(family + ".pb.gz", whole)
        by_pprof_format(family + ".pb.gz", whole)
        symbolised(stores[0] + ".pb.gz")
        linked(directory)
        export("pprof", stores[0], "--value", "allocs", "-o", stores[0] + ".pb.gz")
        raw = run(PPROF, "-raw", "-symbolize=none", stores[0] + ".pb.gz").stdout
        check("alloc_objects/count[dflt]" in raw, "--value", raw)


main()
