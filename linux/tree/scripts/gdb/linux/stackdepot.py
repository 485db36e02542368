# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# lx-stack_depot_lookup: the frames of a stack depot handle.
#
# What is read here lib/stackdepot/depot.h draws: a line holds some frames,
# innermost first, and the number of the line with the frames outside of them.
# host.h says where a line lies, and from where on its frames are counted.

import gdb
from linux import utils, constants

EXTRA_BITS = 5
MAX_FRAMES = 256
PARENT_MASK = (1 << 27) - 1
COUNT_SHIFT = 27
LIVE = 1 << 31
WIDE = 1 << 30
LINK_DEAD = 1 << 31
WORD_MASK = (1 << 64) - 1


def help():
    t = """Usage: lx-stack_depot_lookup [Hex handle value]
    Example:
        lx-stack_depot_lookup 0x00c80300\n"""
    gdb.write("Unrecognized command\n")
    raise gdb.GdbError(t)


def get_depot():
    if gdb.parse_and_eval('stack_depot_disabled'):
        raise gdb.GdbError("stack_depot_disabled\n")
    depot = gdb.parse_and_eval('stack_depot')
    if not int(depot):
        raise gdb.GdbError("there is no stack depot yet\n")
    return depot


def get_line(depot, number):
    """A line, which lies in a chunk with its neighbours."""
    page_shift = constants.LX_CONFIG_PAGE_SHIFT
    per_chunk = 256 if page_shift == 12 else (1 << page_shift) // 64
    line_type = gdb.lookup_type('struct depot_line')
    table = depot['lines'].cast(line_type.pointer().pointer())
    return table[number // per_chunk][number % per_chunk]


def frame_base():
    if utils.get_long_type().sizeof == 4:
        return 0
    return (int(gdb.parse_and_eval('(unsigned long)&_text')) - (1 << 31)) & WORD_MASK


def line_frames(line, state):
    """Whole words in a wide line; else 32 bits a frame, in the words' order."""
    count = (state >> COUNT_SHIFT & 7) + 1
    base = frame_base()
    long_bytes = utils.get_long_type().sizeof
    words = [int(line['low'][i]) & WORD_MASK for i in range(32 // long_bytes)]
    if long_bytes == 8 and not state & WIDE:
        words = [word >> shift & 0xffffffff for word in words for shift in (0, 32)]
    return [(base + word) & WORD_MASK for word in words[:count]]


def atomic64(value):
    return int(value['counter']) & ((1 << 64) - 1)


def stack_depot_fetch(handle):
    """The frames of a handle, innermost first, and how many there are."""
    depot = get_depot()
    bits = int(handle) & ((1 << (32 - EXTRA_BITS)) - 1)
    if bits == 0:
        raise gdb.GdbError("handle is 0\n")

    line_bits = int(depot['line_bits'])
    number = bits & ((1 << line_bits) - 1)
    if number > int(depot['header']['fresh']):
        gdb.write("line %d was never used, stack id 0x%08x\n" % (number, int(handle)))
        return [], 0

    generation = bits >> line_bits
    mask = (1 << (32 - EXTRA_BITS - line_bits)) - 1
    frames = []
    try:
        link = atomic64(get_line(depot, number)['link'])
        if link & LINK_DEAD or (link >> 32 ^ generation) & mask:
            gdb.write("stack id 0x%08x was evicted\n" % int(handle))
            return [], 0
        while number and len(frames) < MAX_FRAMES:
            line = get_line(depot, number)
            state = atomic64(line['state'])
            if not state & LIVE:
                break
            frames += line_frames(line, state)
            number = state & PARENT_MASK
    except gdb.error as e:
        gdb.write("%s\n" % e)
        return [], 0
    return frames, len(frames)


def stack_depot_print(handle):
    if not constants.LX_CONFIG_STACKDEPOT:
        raise gdb.GdbError("CONFIG_STACKDEPOT is not enabled")

    entries, nr_entries = stack_depot_fetch(handle)
    for entry in entries:
        try:
            gdb.execute("x /i 0x%x" % entry)
        except gdb.error as e:
            gdb.write("%s\n" % e)


class StackDepotLookup(gdb.Command):
    """Search backtrace by handle"""

    def __init__(self):
        if constants.LX_CONFIG_STACKDEPOT:
            super(StackDepotLookup, self).__init__("lx-stack_depot_lookup", gdb.COMMAND_SUPPORT)

    def invoke(self, args, from_tty):
        if not constants.LX_CONFIG_STACKDEPOT:
            raise gdb.GdbError('CONFIG_STACKDEPOT is not set')

        argv = gdb.string_to_argv(args)
        if len(argv) == 1:
            handle = int(argv[0], 16)
            stack_depot_print(gdb.Value(handle).cast(utils.get_uint_type()))
        else:
            help()


StackDepotLookup()
