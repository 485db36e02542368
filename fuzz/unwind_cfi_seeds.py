#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Write sections that use every instruction of call frame information and of its expressions.

usage: unwind_cfi_seeds.py DIRECTORY

They are what the fuzzer of fuzz-unwind-cfi.c begins with, for x86-64. A fuzzer that has to find the
instructions by chance finds few of them in combination.
"""
import os
import struct
import sys

FP, SP, RA = 6, 7, 16


def uleb(value):
    out = bytearray()
    while True:
        byte = value & 0x7f
        value >>= 7
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)


def sleb(value):
    out = bytearray()
    while True:
        byte = value & 0x7f
        value >>= 7
        done = (value == 0 and not byte & 0x40) or (value == -1 and byte & 0x40)
        out.append(byte | (0 if done else 0x80))
        if done:
            return bytes(out)


def sized(body, wide=False):
    body += b"\0" * (-len(body) % 4)
    return b"\xff" * 4 + struct.pack("<Q", len(body)) + body if wide else struct.pack("<I", len(body)) + body


DEFAULT = bytes([0x0c, SP, 8, 0x80 | RA, 1])


def common(letters=b"zR", encoding=0, data=None, version=1, initial=DEFAULT, wide=False):
    if data is None:
        data = bytes([encoding])
    body = struct.pack("<I", 0) + bytes([version]) + letters + b"\0"
    body += b"\x08\0" if version == 4 else b""
    body += uleb(1) + sleb(-8) + (bytes([RA]) if version == 1 else uleb(RA))
    body += uleb(len(data)) + data if letters.startswith(b"z") else b""
    return sized(body + initial, wide)


def entry(at, program, start=0x1000, length=0x100, augmented=True, form="<QQ"):
    """At offset `at`, with its common part at 0."""
    body = struct.pack("<I", at + 4) + struct.pack(form, start, length) + (b"\0" if augmented else b"")
    return sized(body + program)


def section(*programs, **options):
    out = common(**options)
    augmented = options.get("letters", b"z").startswith(b"z")
    for program in programs:
        out += entry(len(out), program, augmented=augmented)
    return out + b"\0" * 4


def block(code):
    return uleb(len(code)) + code


def cfa(code):
    return b"\x0f" + block(code)


ADVANCE = [b"\x41", b"\x02\x10", b"\x03\x10\0", b"\x04\x10\0\0\0", b"\x01" + struct.pack("<Q", 0x1010)]
REGISTERS = [
    b"\x83\x02", b"\x05" + uleb(12) + uleb(3), b"\x11" + uleb(12) + sleb(-3), b"\x2f" + uleb(12) + uleb(2),
    b"\x14" + uleb(3) + uleb(2), b"\x15" + uleb(3) + sleb(-2), b"\x07" + uleb(5), b"\x08" + uleb(5),
    b"\x09" + uleb(3) + uleb(12), b"\xc3", b"\x06" + uleb(12), b"\x10" + uleb(3) + block(b"\x76\x08"),
    b"\x16" + uleb(3) + block(b"\x76\x08"), b"\x05" + uleb(40) + uleb(1),
]
FRAMES = [
    b"\x0c" + uleb(FP) + uleb(16), b"\x12" + uleb(FP) + sleb(-2), b"\x0d" + uleb(FP), b"\x0e" + uleb(32),
    b"\x13" + sleb(-4), cfa(b"\x76\x78\x06"), cfa(b"\x77\x08"), b"\x0a\x0e" + uleb(64) + b"\x41\x0b",
    b"\x2e" + uleb(16), b"\x2d", b"\0",
]
# The outermost frame; one whose stack was realigned; those only all registers lead out of.
WHOLE = [
    b"\x07" + uleb(RA), cfa(b"\x76\x78\x06") + b"\x10" + uleb(FP) + block(b"\x76\x00"), b"\x0c\x03\x10",
    b"\x0e" + uleb(33), b"\x0e" + uleb(8 << 20), b"\x86\x02\x0c\x06\x10", b"\x05\x10\x03", b"\x09\x06\x03",
    b"\x08\x10", b"\x05\x07\x02", b"\x05\x06" + uleb(100000), cfa(b"\x76\x78") + b"\x0e\x10",
]

CONSTANTS = b"".join([
    b"\x03" + bytes(8), b"\x08\xff", b"\x09\xff", b"\x0a\xff\xff", b"\x0b\xff\xff", b"\x0c" + b"\xff" * 4,
    b"\x0d" + b"\xff" * 4, b"\x0e" + b"\xff" * 8, b"\x0f" + b"\xff" * 8, b"\x10" + uleb(1 << 40),
    b"\x11" + sleb(-5), b"\x30", b"\x4f", b"\x53"])
EXPRESSIONS = [CONSTANTS]
EXPRESSIONS += [b"\x31\x32\x33" + code for code in (b"\x12", b"\x13", b"\x14", b"\x15\x02", b"\x16", b"\x17")]
EXPRESSIONS += [b"\x37\x09\xf9" + bytes([code]) for code in range(0x19, 0x2f) if code not in (0x23, 0x28)]
EXPRESSIONS += [b"\x37\x08\x46" + bytes([code]) for code in (0x24, 0x25, 0x26)]
EXPRESSIONS += [b"\x37\x09\xff\x1b", b"\x37\x30\x1b", b"\x37\x30\x1d", b"\x37\x23\x05"]
EXPRESSIONS += [b"\x70\x00\x94" + bytes([size]) for size in (1, 2, 4, 8, 3)]
EXPRESSIONS += [b"\x70\x08\x06", b"\x31\x06", b"\x90\x03", b"\x92\x03\x10", b"\x92\x40\x10", b"\x96\x50"]
EXPRESSIONS += [b"\x31\x28\x01\x00\x30\x32", b"\x30\x28\x01\x00\x30\x32", b"\x31\x2f\x01\x00\x30\x32",
                b"\x2f\xfd\xff", b"\x30\x2f\xff\x7f", b"\x13", b"\x15\x09", b"\x31" * 17, b"\xf0", b"\x0c\x01"]


def table(row_encoding=0x3b, count_encoding=3, section_encoding=0x1b, version=1):
    """A header at 27, where the second byte says it is, for addresses about those that are asked for."""
    at, rows = 27, 3
    header = bytes([version, section_encoding, count_encoding, row_encoding])
    width = {0x1b: 4, 0x3b: 4, 0x10: 8, 0xff: 0}[section_encoding]
    begin = at + 4 + width + 4 + 8 * rows
    pointer = begin - at if section_encoding == 0x3b else begin - (at + 4)
    header += {0: b"", 4: struct.pack("<i", pointer), 8: struct.pack("<q", pointer)}[width]
    header += struct.pack("<I", rows) if count_encoding == 3 else b""
    frames = common(encoding=0x1b)
    pairs = b""
    for i in range(rows):
        here = len(frames)
        start = 64 * (i + 1)
        pairs += struct.pack("<ii", start - at, begin + here - at)
        frames += entry(here, FRAMES[i], start - (begin + here + 8), 64, form="<ii")
    out = bytes([70, at]) + bytes(at - 2) + header + (pairs if row_encoding == 0x3b else b"")
    return out.ljust(begin, b"\0") + frames + bytes(4)


def seeds():
    yield "registers", section(*REGISTERS, b"".join(REGISTERS))
    yield "frames", section(*FRAMES, b"".join(ADVANCE) + b"\x0e\x20")
    yield "advance", section(*(code + b"\x0e\x20" for code in ADVANCE))
    yield "whole", section(*WHOLE)
    yield "remembered", section(b"\x0a" * 7, b"\x0b", b"\x0a\x0b\x0b", b"\x3f", b"\x83")
    yield "expressions", section(*(cfa(code) for code in EXPRESSIONS))
    yield "register-expressions", section(*(b"\x10\x03" + block(code) for code in EXPRESSIONS[:20]))
    yield "signal", section(b"\x0e\x20", letters=b"zRS")
    yield "keys", section(b"\x2d", letters=b"zRBG")
    yield "exceptions-by-hand", section(b"\x0e\x20", letters=b"zPLR", data=b"\0" + bytes(8) + b"\x1b\0")
    yield "unknown-letters", section(b"\x0e\x20", letters=b"zQR", data=b"\0\0")
    yield "no-letters", section(b"\x0e\x20", letters=b"")
    yield "letters-without-size", section(b"\x0e\x20", letters=b"R")
    for version in (3, 4, 2):
        yield f"version-{version}", section(b"\x0e\x20", version=version)
    yield "wide", section(b"\x0e\x20", wide=True)
    for name, encoding in (("absolute", 0), ("unsigned-2", 2), ("unsigned-4", 3), ("uleb", 1), ("sleb", 9),
                           ("signed-2", 0x0a), ("signed-8", 0x1c), ("indirect", 0x9b), ("none", 0x07), ("text", 0x2b)):
        yield f"pointers-{name}", section(b"\x0e\x20", b"\x01" + bytes(8), encoding=encoding)
    yield "restore-in-common", section(b"\x0e\x20", initial=DEFAULT + b"\xc3")
    yield "nothing-in-common", section(b"\x0e\x20", initial=b"")
    yield "table", table()
    yield "table-data-relative", table(section_encoding=0x3b)
    yield "table-wide", table(section_encoding=0x10)
    yield "table-missing", table(count_encoding=0xff, row_encoding=0xff)
    yield "table-other-rows", table(row_encoding=0x1b)
    yield "table-no-section", table(section_encoding=0xff)
    yield "table-version-2", table(version=2)


def main():
    for name, data in seeds():
        with open(os.path.join(sys.argv[1], name), "wb") as out:
            out.write(data)


if len(sys.argv) != 2:
    sys.exit("usage: unwind_cfi_seeds.py DIRECTORY")
main()
