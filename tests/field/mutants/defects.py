# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The mutants of recorder and tool: what is broken, what a user would see of it, and the situations that
have to fail, each with its mode. Files are below src/."""
import collections

Change = collections.namedtuple("Change", "file old new")
Mutant = collections.namedtuple("Mutant", "name why found_by changes")


def mutant(name, why, found_by, *changes):
    wanted = [tuple(each.rsplit(" ", 1)) for each in found_by.split(", ")]
    return Mutant(name, why, wanted, [Change(*change) for change in changes])


MUTANTS = [
    # --- allocators
    mutant(
        "a held block is not known to be freed",
        "a second free by another thread is no error, but at most a doubt",
        "allocators/freed_by_two full",
        ("recorder/live.c", """		if (key & ENTRY_HELD)
			return LIVE_HELD;
""", """		if (key & ENTRY_HELD)
			return LIVE_NONE;
""")),
    mutant(
        "what looks wrong is an error",
        "a free that the allocator took is called an error, without proof",
        "allocators/forged full",
        ("recorder/error.c", """	error.flags |= STACKDEPOT_ERROR_DOUBTFUL;
	error_doubt(&error);
}

void error_told_begin""", """	error_report(&error);
}

void error_told_begin""")),
    mutant(
        "entries of allocators are not changed",
        "what libraries bound deeply allocate is not seen",
        "allocators/deepbind full, allocators/dlsym_handle full",
        ("recorder/patch.c", "	if (refused || !plan.nr)\n		return 0;\n", """	if (plan.nr)
		return 0;
""")),
    mutant(
        "jemalloc's own functions are not ours",
        "objects of mallocx() are missing",
        "allocators/jemalloc_x full",
        ("recorder/hooks_table.c", '	JEMALLOC(""), JEMALLOC("je_"),', '	JEMALLOC("je_"),')),
    mutant(
        "a heap of a name space is not named",
        "nothing says that a heap is not seen",
        "allocators/name_space full",
        ("recorder/heaps.c", '	unseen_add("glibc", "libraries opened by dlmopen()");\n', "")),
    mutant(
        "a program's own malloc() gets more than it was asked for",
        "a program that uses what its allocator rounds up to overwrites what is behind",
        "allocators/own_rounding full",
        ("recorder/heaps.c", "	if (bytes && layer == REAL_NEXT)\n		reals[layer].extends = true;\n",
         "	if (bytes)\n		reals[layer].extends = true;\n")),

    # --- signals
    mutant(
        "a program that ignores faults meets guarded objects",
        "an access that does no harm natively ends the process",
        "signals/guarded guard",
        ("recorder/disposition.c", "		if (number == SIGSEGV)\n			disposition_hold_guards(&now);\n",
         "		(void)disposition_hold_guards;\n")),
    mutant(
        "a thread that blocks faults meets guarded objects",
        "an access that does no harm natively ends the process",
        "signals/guarded guard",
        ("recorder/mask.c", "	mask_holds = true;\n	guard_hold();\n", "	mask_holds = true;\n")),
    mutant(
        "handlers run on our alternate stack",
        "a handler finds another stack than the program asked for",
        "signals/altstack full",
        ("recorder/disposition.c", "		return asked->flags & SA_ONSTACK ? handler_enter_moved : handler_enter_direct;\n",
         "		return handler_enter_direct;\n")),
    mutant(
        "a handler runs with all signals blocked",
        "signals come late, or a fault in a handler is the end",
        "signals/masks full",
        ("recorder/disposition.c", "	ours.flags |= SA_SIGINFO | tags_signal_flags(number);\n",
         "	ours.flags |= SA_SIGINFO | tags_signal_flags(number);\n	ours.mask = ~0ull;\n")),
    mutant(
        "the old action is ours",
        "a program that asks what its handler is, or chains, gets an address of ours",
        "signals/interfaces full",
        ("recorder/disposition.c", """	if (ret_old && handler_is_ours(ret_old->sa_handler))
		disposition_tell(number, ret_old);
""", "	(void)disposition_tell;\n")),
    mutant(
        "the old handler is ours",
        "signal() returns an address of ours",
        "signals/interfaces full",
        ("recorder/disposition.c", """	if (handler_is_ours(old))
		old = disposition_kept(number)->handler;
""", "")),
    mutant(
        "the old alternate stack is not told",
        "sigaltstack() leaves what it was to fill in as it was",
        "signals/altstack full",
        ("recorder/altstack.c", "	if (ret_old)\n		*ret_old = old;\n", "	(void)old;\n	(void)ret_old;\n")),
    mutant(
        "an alternate stack that is to be disarmed is not",
        "coroutine libraries find another stack armed while they switch",
        "signals/autodisarm full",
        ("recorder/altstack.c", """		if (!(altstack_asked.ss_flags & SS_AUTODISARM))
			altstack_install();
	}
""", """		altstack_install();
	}
""")),
    mutant(
        "Go's handlers are moved",
        "Go's runtime dies, as its handler is not on the stack that the kernel tells",
        "signals/go_preempted full",
        ("recorder/disposition.c", "asked->flags & SEES_STACK && !handler_is_go(asked->handler)",
         "asked->flags & SEES_STACK && (true || !handler_is_go(asked->handler))")),
    mutant(
        "a child of vfork() is taken for its parent",
        "the parent's record of its handlers is changed by its child",
        "signals/vfork-signal full",
        ("recorder/recorder.c", """					    __ATOMIC_RELAXED) &&
	       none != process;
""", """					    __ATOMIC_RELAXED) &&
	       none != process && false;
""")),
    mutant(
        "the end of a stack is any wild access",
        "the report calls an overflow of the stack something else",
        "signals/overflow full",
        ("recorder/crash.c", "	return address + NEAR_STACK >= sp && address < sp + NEAR_STACK;",
         "	return address + NEAR_STACK < sp && address == sp;")),
    mutant(
        "handlers from before the start are not looked at",
        "a handler set by a constructor runs on our stack, or on none",
        "signals/early full",
        ("recorder/disposition.c", "		disposition_early |= 1ull << (number - 1);\n", "		return;\n")),

    # --- files, descriptors, limits
    mutant(
        "limited data are taken from",
        "the program's own allocations fail",
        "limits/data_size full",
        ("recorder/limits.c", "data.rlim_cur < used_data + LIMITS_DATA)", "data.rlim_cur < LIMITS_SHARE)")),
    mutant(
        "messages go to standard error",
        "a parent that reads its child's standard error, or a file behind number 2, gets our words",
        "files/message_and_pipe full",
        ("recorder/say.c", "	if (recorder.head)\n		say_note", "	if (recorder.head)\n		say_at_start(line, used), say_note")),
    mutant(
        "the store stays open",
        "the program's descriptors get other numbers",
        "files/lowest_number full, start/descriptors full",
        ("recorder/setup.c", "		attach_reserved(fd);\n	}\n	(void)close(fd);\n", "		attach_reserved(fd);\n	}\n")),

    # --- processes
    mutant(
        "a program that arrives is not struck out",
        "recorded programs are said not to be",
        "processes/vfork_retries full",
        ("recorder/exec.c", "		(void)fetch_add_relaxed(&found->arrived, 1);\n", "		(void)0;\n")),
    mutant(
        "more rights than the parent has are not noticed",
        "nothing says why a set-user-ID program is not recorded",
        "processes/set_user_id full",
        ("recorder/exec.c", "	if (st->st_mode & S_ISUID && st->st_uid != geteuid())\n		return true;\n", "")),
    mutant(
        "a program started by its loader is the loader",
        "names are looked for in the wrong file",
        "processes/by_loader full, suppress/through_loader full",
        ("recorder/modules.c", "	return !getauxval(AT_BASE);", "	return false;")),

    # --- names
    mutant(
        "split debugging information is not opened",
        "inlined functions are missing",
        "names/split-gcc-5 full, names/split-clang-4 full",
        ("symbols/split.c", "	return split_text(unit, DW_AT_dwo_name, DW_AT_GNU_dwo_name);",
         "	return unit == NULL;")),
    mutant(
        "units in a package are not found",
        "inlined functions are missing",
        "names/package-gcc-4 full, names/package-clang-5 full",
        ("symbols/split.c", "		if (hash == number)\n", "		if (!number)\n")),
    mutant(
        "names come from a unit's own entries alone",
        "inlined functions have no names after -flto",
        "names/lto-gcc full",
        ("symbols/debug.c", "	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute) ||\n"
         "	    dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute))",
         "	if (dwarf_attr(die, DW_AT_linkage_name, &attribute))"),
        ("symbols/debug.c", "name ? name : dwarf_diename(&functions[i]));",
         "name ? name : (dwarf_attr(&functions[i], DW_AT_name, &(Dwarf_Attribute){0}) ? dwarf_diename(&functions[i]) : NULL));")),
    mutant(
        "a file that changed is believed",
        "wrong names",
        "names/changed full",
        ("symbols/file.c", "		file->is_changed = !recorded->build_id_bytes && !file_same_times(&st, recorded);\n",
         "		file->is_changed = false;\n		(void)file_same_times;\n")),
    mutant(
        "Rust's names are not known",
        "mangled names, or hashes behind them",
        "names/rust full, names/rust-v0 full",
        ("symbols/demangle.c", "	plain = demangle_by(rust_demangle_callback, name);\n", "	plain = NULL;\n")),
    mutant(
        "D's names are not known",
        "mangled names",
        "names/dlang full",
        ("symbols/demangle.c", "	if (name[1] == 'D')\n		return demangle_d(name);\n", "	(void)demangle_d;\n")),

    # --- filters of system calls
    mutant(
        "filters of system calls are not looked at",
        "a process is killed for a call that the program does not make",
        "seccomp/worker full, seccomp/thread full, seccomp/deep full",
        ("recorder/filter.c", "			denied |= 1u << filter_calls[i].call;\n", "			denied |= 0;\n")),
    mutant(
        "guarded objects stay under a filter",
        "a fault in one cannot be handled any more",
        "seccomp/guarded guard",
        ("recorder/filter.c", "	if (unguarded)\n		guard_hold();\n", "	(void)guard_hold;\n")),
    mutant(
        "memory is probed under a filter",
        "a process is killed when its stack grows",
        "seccomp/deep full",
        ("recorder/filter.c", "	if (probing)\n		stackdepot_unwind_confine(true);\n", "")),
]
