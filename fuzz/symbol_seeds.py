#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Write what the fuzzer of fuzz_symbols.c begins with: small libraries, and files beside them.

usage: symbol_seeds.py DIRECTORY

Each is built as distributions build them: with its debugging information inside, compressed, in a
file of its own, shared by dwz, in .dwo and .dwp files, of DWARF 4 and 5, in C and C++, with
symbols alone and without any. It takes gcc, g++, objcopy, strip, dwz and dwp.
"""
import os
import struct
import subprocess
import sys
import tempfile

BUILD_ID = "5a" * 20  # as fuzz_symbols.c has it
E_SHOFF = 40  # in a header of ELF
LINK = ["-Wl,-z,norelro", "-Wl,-z,noseparate-code", "-Wl,--hash-style=gnu"]
C = """
static inline __attribute__((always_inline)) int twice(int x) { return x * 2 + 1; }
int shown(int x) { { int y = twice(x); return y + twice(y); } }
static __attribute__((noinline)) int hidden(int x) { return x ? hidden(x - 1) + 3 : 0; }
int other(int x) { return hidden(x); }
asm(".text\\nlabel: nop\\n");
"""
CXX = """
namespace space { struct thing { int value; int get(int) const; };
template <typename T> __attribute__((noinline)) T made(T x) { return x + 1; }
int thing::get(int x) const { auto f = [&](int y) { return y + value; }; return f(made(x)); } }
"""


def run(directory, *command):
    subprocess.run(command, cwd=directory, check=True)


def build(directory, *options, text=C, language="c", identity=True):
    with open(os.path.join(directory, "m." + language), "w", encoding="ascii") as source:
        source.write(text)
    run(directory, "gcc" if language == "c" else "g++", "-shared", "-fPIC", "-nostdlib", "-O2", *LINK, f"-ffile-prefix-map={directory}=.",
        "-Wl,--build-id=" + ("0x" + BUILD_ID if identity else "none"), *options, "-o", "m", "m." + language)


def read(directory, name):
    with open(os.path.join(directory, name), "rb") as file:
        return file.read()


def inside(directory, *options, **more):
    build(directory, *options, **more)
    return read(directory, "m"), b""


def beside(directory):
    build(directory, "-g", identity=False)
    run(directory, "objcopy", "--only-keep-debug", "m", "m.debug")
    run(directory, "strip", "m")
    run(directory, "objcopy", "--add-gnu-debuglink=m.debug", "m")
    return read(directory, "m"), read(directory, "m.debug")


def by_build_id(directory):
    build(directory, "-g")
    run(directory, "objcopy", "--only-keep-debug", "m", "m.debug")
    run(directory, "strip", "m")
    return read(directory, "m"), read(directory, "m.debug")


def shared(directory):
    build(directory, "-g")
    os.rename(os.path.join(directory, "m"), os.path.join(directory, "n"))
    build(directory, "-g")
    run(directory, "dwz", "-m", "m.dwz", "-M", "m.dwz", "m", "n")
    found = os.path.exists(os.path.join(directory, "m.dwz"))
    return read(directory, "m"), read(directory, "m.dwz") if found else b""


def split(directory, version, package):
    build(directory, "-g", f"-gdwarf-{version}", "-gsplit-dwarf", "-c", identity=False)
    os.rename(os.path.join(directory, "m"), os.path.join(directory, "m.o"))
    run(directory, "gcc", "-shared", "-nostdlib", *LINK, "-Wl,--build-id=none", "-o", "m", "m.o")
    half = next(name for name in os.listdir(directory) if name.endswith(".dwo"))
    if package:
        run(directory, "dwp", "-o", "m.dwp", half)
        half = "m.dwp"
    return read(directory, "m"), read(directory, half)


def unaligned(directory):
    """The section headers of the other half at an odd place."""
    first, half = split(directory, 4, False)
    at, = struct.unpack_from("<Q", half, E_SHOFF)
    half = bytearray(half[:at] + bytes(4) + half[at:])
    struct.pack_into("<Q", half, E_SHOFF, at + 4)
    return first, bytes(half)


def led_into(directory):
    """Entries whose siblings are said to be what is inside of them, 100 deep."""
    entries = "".join(f".uleb128 2; .long .Lin{number} - .Lunit; .Lin{number}:\n" for number in range(100))
    with open(os.path.join(directory, "m.s"), "w", encoding="ascii") as source:
        source.write(f"""
        .text; .globl shown; .type shown,@function; shown: nop; ret; .Lend: .size shown, .Lend - shown
        .section .debug_abbrev,"",@progbits
        .uleb128 1,0x11; .byte 1; .uleb128 0x11,1, 0,0
        .uleb128 2,0x0b; .byte 1; .uleb128 0x01,0x13, 0,0
        .byte 0
        .section .debug_info,"",@progbits
        .Lunit: .long .Lunit_end - .Lunit_begin
        .Lunit_begin: .value 4; .long 0; .byte 8
        .uleb128 1; .quad shown
        {entries} .fill 101
        .Lunit_end:
        """)
    run(directory, "gcc", "-shared", "-nostdlib", *LINK, "-Wl,--build-id=0x" + BUILD_ID, "-o", "m", "m.s")
    return read(directory, "m"), b""


SEEDS = {
    "c": lambda d: inside(d, "-g"),
    "c-dwarf4": lambda d: inside(d, "-gdwarf-4"),
    "c-dwarf3": lambda d: inside(d, "-gdwarf-3"),
    "c-compressed": lambda d: inside(d, "-g", "-gz"),
    "c-no-identity": lambda d: inside(d, "-g", identity=False),
    "cxx": lambda d: inside(d, "-g", text=CXX, language="cc"),
    "cxx-types": lambda d: inside(d, "-g", "-fdebug-types-section", text=CXX, language="cc"),
    "symbols": lambda d: inside(d),
    "bare": lambda d: inside(d, "-s"),
    "debuglink": beside,
    "build-id": by_build_id,
    "dwz": shared,
    "dwo": lambda d: split(d, 4, False),
    "dwo-unaligned": unaligned,
    "led-into": led_into,
    "dwo-dwarf5": lambda d: split(d, 5, False),
    "dwp": lambda d: split(d, 4, True),
    "dwp-dwarf5": lambda d: split(d, 5, True),
}


def main():
    for name, make in SEEDS.items():
        with tempfile.TemporaryDirectory() as directory:
            first, other = make(directory)
        has_identity = bytes.fromhex(BUILD_ID) in first
        with open(os.path.join(sys.argv[1], name), "wb") as file:
            file.write(bytes([has_identity]) + len(first).to_bytes(3, "little") + first + other)


main()
