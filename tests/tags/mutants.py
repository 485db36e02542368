#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Break what gives tags and takes them, one place at a time: the tests of test_tags.py have to notice.

It is an error if the text is not in the file exactly once, if the mutant does not compile, or if its test
holds: then either that has a hole, or the code is not needed.

usage: mutants.py STACKDEPOT DIRECTORY SOURCE...

With QUICK in the environment one of each file is tried.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

import arm64
import test_tags
from test_tags import DIRECTORY, HERE, SKIP, SOURCES

# What is broken, what comes of it, which kind of tests/tags/kinds.c notices ("wrong NAME", "right NAME", "jemalloc METHOD
# NAME" with that allocator, or a whole test), and the change: file, text, and what replaces it.
MUTANTS = [
    ("no other tag at free", "what was freed can be read as long as it waits", "wrong read_freed",
     "quarantine.c", "		tags_change(pointer, object->size);", "		;"),
    ("the tag stays where the allocator gets the block", "a stale pointer reads what is free", "wrong read_freed_large",
     "tags_arm64.c", "	tag_store(address, *ret_bytes);\n	return address;", "	return address;"),
    ("the tag before is not left out", "a stale pointer may fit the next object there, one time in fifteen", "again read_stale",
     "tags_arm64.c", "	tagged = tags_other(pointer, load_relaxed(last));", "	tagged = tags_other(pointer, 0);"),
    ("tag 0 is not left out", "objects without a tag", "right asks",
     "tags_arm64.c", "tag_random(pointer, 1u | 1u << tag | 1u << tags_of(pointer))", "tag_random(pointer, 1u << tag)"),
    ("the granule behind has the tag, too", "a step over the edge is not found", "wrong read_behind",
     "tags_arm64.c", "	return size ? size + tags_slack(size) : TAGS_GRANULE;",
     "	return (size ? size + tags_slack(size) : TAGS_GRANULE) + TAGS_GRANULE;"),
    ("pages are not asked for with tags", "nothing is found", "wrong read_behind",
     "tags_arm64.c", "	if (pages_tag(pointer, bytes)) {", "	if (0 && pages_tag(pointer, bytes)) {"),
    ("tags are not read back", "pages that came anew have none, and frees look wrong", "wrong read_behind",
     "tags_arm64.c", "	if (likely(tags_stay(pointer, bytes)))\n		return true;", "	return true;"),
    ("nothing in what is left of a granule", "the next bytes can be written", "wrong write_in_granule",
     "redzone.c", "		return wanted ? tags_slack(size) + wanted : 0;", "		return 0;"),
    ("realloc() gets the tag", "the allocator reads with a pointer that does not fit", "right moves",
     "object.c", "	void *moved = real_realloc(below, tags_take(below, pointer, &tagged), size);",
     "	void *moved = real_realloc(below, (tagged = 0, (void *)tags_address(pointer)), size);"),
    ("the tag is not compared at free", "a stale pointer frees the next object there", "wrong free_taken_again",
     "live.c", "		if (unlikely(tags_of(pointer) && tags_of(pointer)", "		if (0 && (tags_of(pointer)"),
    ("checked while the signal is blocked", "an access is the end", "right blocked",
     "mask.c", "	tags_hold(true);", "	;"),
    ("not checked any more once it was blocked", "errors go unseen", "blocked",
     "mask.c", "	tags_hold(false);", "	;"),
    ("checked while it is ignored", "an access is the end", "right ignored",
     "disposition.c", "		tags_stop(TAGS_IGNORED, true);", "		;"),
    ("the access is let happen with tags", "the program does not go on", "wrong read_freed",
     "tags_fault.c", "	at->uc_mcontext.pstate |= FAULT_UNCHECKED;", "	at->uc_mcontext.pstate &= ~FAULT_UNCHECKED;\n	tags_resume();"),
    ("not checked again after a report", "one error hides those after it", "wild",
     "tags.h", "	if (tags_on() && !tags_held &&", "	if (0 && !tags_held &&"),
    ("candidates of any tag", "an object that was not meant is named", "wild",
     "tags_fault.c", "		    event.size >> STORE_EVENT_TAG_SHIFT == search->tag)", "		    event.size)"),
    ("a pointer without a tag is an error", "programs that take tags off are called wrong", "strips",
     "tags_fault.c", "	else if (inside)\n		error->flags |= STACKDEPOT_ERROR_DOUBTFUL;",
     "	else if (inside)\n		;"),
    ("never enough of those", "each access is a fault", "strips",
     "tags_fault.c", "	tags_stop(TAGS_LOST, true);", "	return;"),
    ("handlers see tags that they did not ask for", "the program's own handler gets another address", "right own_fault",
     "tags_fault.c", "	if (tags_on() && number == SIGSEGV && info->si_code > 0 && !(flags & FAULT_EXPOSE))",
     "	if (0 && number && info && flags)"),
    ("what is found behind is told again", "one error is two", "bugs",
     "object.c", "!(object->tag & TAGS_TOLD)", "1"),
    ("large objects have tags, too", "memory that was never touched is", "large", "tags.h",
     "#define TAGS_LARGE ((size_t)128 << 10)", "#define TAGS_LARGE ((size_t)128 << 20)"),
    ("large objects are not between guard pages", "nothing is found there", "wrong read_freed_untagged", "object.c",
     "		return thread && size >= TAGS_LARGE && below->guards;", "		return thread && !size;"),
    ("their pages are not given back", "memory of calloc() is not empty", "right large_many", "guard.c",
     "	return guard_room != PAGE && filter_allows(FILTER_MADVISE) &&\n	       !raw_call(SYS_madvise, guard_page_of(slot), guard_room, MADV_DONTNEED);",
     "	return slot && guard_room != PAGE && filter_allows(FILTER_MADVISE);"),
    ("what lies behind them is open", "a step over the edge is not found", "wrong read_behind_untagged", "guard.c",
     "	guard_close(end, page + guard_room + PAGE - end);", "	(void)mprotect((void *)end, page + guard_room + PAGE - end, PROT_READ | PROT_WRITE);"),
    ("what an allocator goes on in by a jump is outside of it", "one object is two, and the second one's tags stay", "right aligned_anyway",
     "real.h", "#define REAL_PLACE ((uintptr_t)__builtin_frame_address(0) + 1)", "#define REAL_PLACE ((uintptr_t)__builtin_frame_address(0))"),
    ("jemalloc's blocks have no tags", "nothing is found", "jemalloc wrong read_behind", "heaps.c",
     "		reals[layer].tags |= !strcmp(module_allocator(module), \"jemalloc\");", "		;"),
    ("its own functions get the tag, too", "it knows no such pointer", "jemalloc functions", "hooks_other.c",
     "		(uintptr_t)tags_take(patch->below, other_pointer(patch->row, argument), ret_tagged);",
     "		(uintptr_t)other_pointer(patch->row, argument) + 0 * (*ret_tagged = 0);"),
    ("what could not be moved has no tag any more", "its pointer does not fit", "jemalloc functions", "hooks_other.c",
     "		tags_give_back(other_pointer(patch->row, argument), tagged);", "		tagged = 0;"),
    ("xallocx() has the tag", "it knows no such pointer", "jemalloc functions", "hooks_other.c",
     "	if (tags_of(pointer))\n		return object_usable(patch->below, pointer);\n	if (other_is_plain(pointer) || !object_pass",
     "	if (other_is_plain(pointer) || !object_pass"),
    ("what lies before a page is read", "it may not be there", "jemalloc functions", "tags_arm64.c",
     "	if (!below->tight && page_of((uintptr_t)address) == (uintptr_t)address)", "	if (0 && below)"),
]
AGAIN = 40  # times, of what is left to chance


def try_test(tags, found_by):
    """True if it holds."""
    how, _, name = found_by.partition(" ")
    if how == "jemalloc":
        tags = test_tags.JemallocTags(tags.machine, tags.directory)
        how, _, name = name.partition(" ")
    try:
        if how == "again":
            for _ in range(AGAIN):
                tags.wrong(name)
        elif hasattr(tags, how):
            getattr(tags, how)(*name.split())
        else:
            getattr(test_tags, "test_" + how)(tags)
    except (test_tags.Failed, subprocess.TimeoutExpired, SystemExit):
        return False
    return True


def try_mutant(tags, build, mutant):
    name, why, found_by, file, old, new = mutant
    path = arm64.SOURCE / "src/recorder" / file
    text = path.read_text()
    if text.count(old) != 1:
        return f"{file} has the text {text.count(old)} times, not once"
    copy = build / "mutant" / file
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(text.replace(old, new))
    # A header's change concerns all that includes it, and those find it here with the other headers.
    changed, copies = {path: copy}, [copy]
    if file.endswith(".h"):
        changed = {}
        for source in tags.machine.sources:
            if source.parent == path.parent and source.suffix == ".c":
                changed[source] = build / "mutant" / source.name
        for source in {*changed, *path.parent.glob("*.h")} - {path}:
            copies.append(build / "mutant" / source.name)
            copies[-1].write_text(source.read_text())
    machine = arm64.Arm64(build / "mutant-build", SOURCES, changed)
    machine.programs = tags.machine.programs
    trouble = machine.build()
    for each in copies:
        each.unlink()
    if trouble:
        return "does not compile:\n" + trouble
    held = try_test(test_tags.Tags(machine, tags.directory), found_by)
    return f"nobody noticed ({why})" if held else None


def chosen(machine, left_out):
    only, seen = os.environ.get("TESTS", ""), set()
    for mutant in MUTANTS:
        file, found_by = mutant[3], mutant[2]
        if only not in mutant[0] or ("QUICK" in os.environ and (file in seen or found_by.startswith("again"))):
            continue
        if found_by.startswith("jemalloc") and not machine.jemalloc:
            left_out.append(f"{mutant[0]} (libjemalloc2:arm64 is not installed)")
            continue
        seen.add(file)
        yield mutant


def main():
    missing = arm64.missing()
    if missing:
        print(f"skipped: needs {missing}")
        arm64.end(SKIP)
    machine, build, failed, left_out = test_tags.make(), pathlib.Path(DIRECTORY), 0, []
    with tempfile.TemporaryDirectory() as directory:
        tags = test_tags.Tags(machine, directory)
        for mutant in chosen(machine, left_out):
            trouble = try_mutant(tags, build, mutant)
            print(f"FAILED {mutant[0]}: {trouble}" if trouble else f"ok {mutant[0]}", flush=True)
            failed += trouble is not None
    test_tags.say_left_out(left_out)
    arm64.end(int(failed != 0))


main()
