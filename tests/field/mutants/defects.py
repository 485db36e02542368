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
        "the allocator's own verdict is not asked for",
        "the program is ended for a free, and the report has no error",
        "allocators/freed_variable full, allocators/freed_late full",
        ("recorder/error.c", "	if (!thread || !load_relaxed(&thread->doubted))\n		return false;\n	if (thread->doubt_told)",
         "	if (thread)\n		return false;\n	if (thread->doubt_told)")),
    mutant(
        "a guarded object's second free is not carried out",
        "a program goes on that the C library would have ended",
        "allocators/freed_twice_guarded guard",
        ("recorder/guard.c", "	guard_carry_out(below, slot, (uintptr_t)pointer);\n", "")),
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
        "mimalloc's own functions are not ours",
        "objects of mi_zalloc() are missing",
        "allocators/mimalloc_own full",
        ("recorder/hooks_table.c", '	ALLOC("mi_zalloc", 1), ALLOC("mi_malloc_small", 1),',
         '	ALLOC("mi_malloc_small", 1),')),
    mutant(
        "a heap of a name space is not named",
        "nothing says that a heap is not seen",
        "allocators/name_space full",
        ("recorder/heaps.c", '	unseen_add("glibc", "libraries opened by dlmopen()");\n', "")),
    mutant(
        "a heap of the program itself is not named",
        "nothing says that a heap is not seen",
        "allocators/jemalloc_hidden full",
        ("symbols/allocators.c", "	return look_result(&look);\n",
         "	return look_result(&look) ? NULL : NULL;\n")),
    mutant(
        "a heap that cannot be seen is not named",
        "nothing says that it is missing",
        "allocators/refused full",
        ("recorder/heaps.c", "	if (own || layer >= REAL_OTHER)\n		unseen_add(module_allocator(module), module->name);\n",
         "	(void)own;\n")),
    mutant(
        "heaps without room for a name are not counted",
        "nothing says that there are more",
        "allocators/many_heaps full",
        ("recorder/heaps.c", "	bool more = nr > UNSEEN;\n", "	bool more = false;\n")),
    mutant(
        "a program's own malloc() gets more than it was asked for",
        "a program that uses what its allocator rounds up to overwrites what is behind",
        "allocators/own_rounding full",
        ("recorder/heaps.c", "	if (bytes && (layer == REAL_LIBC || layer == REAL_NEXT))\n", "	if (bytes)\n")),

    # --- programs with a malloc() of their own
    mutant(
        "an allocator that calls itself is not noticed",
        "objects recorded twice",
        "ownmalloc/library full",
        ("recorder/real.h", "	if (real_inside > sp)\n		return true;\n",
         "	(void)sp;\n")),
    mutant(
        "an allocator in the program that calls itself is not noticed",
        "objects recorded twice",
        "ownmalloc/goes_round full",
        ("recorder/patch_x86.c", "	static const uint8_t over[] = {0x77, 24};",
         "	static const uint8_t over[] = {0x77, 0};")),
    mutant(
        "guarded objects reach a program's own free()",
        "a program that looks in front of its blocks finds none of its own",
        "ownmalloc/libc_inlined guard",
        ("recorder/heaps.c", "		reals[layer].guards = reals[layer].tags = false;\n}\n\nbool",
         "		(void)0;\n}\n\nbool")),

    # --- signals
    mutant(
        "handlers run while a forked child gives blocks back",
        "a handler that ends the process finds the allocator in the middle of a free that was not the program's",
        "signals/bulk_frees full",
        ("recorder/recorder.c", """		!raw_call(SYS_rt_sigprocmask, SIG_BLOCK, &all,""", """		!raw_call(SYS_rt_sigprocmask, SIG_BLOCK, NULL,""")),
    mutant(
        "handlers run while an ended thread's blocks are handed on",
        "the same, as a thread ends",
        "signals/bulk_frees full",
        ("recorder/quarantine.c", """	recorder_hold(&held);
""", """	held = (struct recorder_held){.masked = false};
""")),
    mutant(
        "an event that a fork interrupted ends in the parent's memory",
        "false double frees, in the parent or in the child",
        "signals/fork_anywhere full",
        ("recorder/setup.c", """		attach_part(recorder.options.store);
""", """		(void)0;
""")),
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
        "a thread that blocks faults meets guarded objects",
        "an access that does no harm natively ends the process",
        "signals/guarded guard",
        ("recorder/mask.c", "	mask_holds = true;\n	guard_hold();\n", "	mask_holds = true;\n")),
    mutant(
        "a program that ignores faults meets guarded objects",
        "an access that does no harm natively ends the process",
        "signals/guarded guard",
        ("recorder/disposition.c", "		if (number == SIGSEGV)\n			disposition_hold_guards(&now);\n",
         "		(void)disposition_hold_guards;\n")),
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
    mutant(
        "a signal that is the end is not sent again",
        "a process that was sent a signal goes on, or ends by another",
        "signals/ends full",
        ("recorder/crash.c", "	    crash_send(number, &again))\n",
         "	    (crash_send(0, &again), true))\n")),

    # --- files, descriptors, limits
    mutant(
        "messages go to standard error",
        "a parent that reads its child's standard error, or a file behind number 2, gets our words",
        "files/message_and_pipe full, files/data_at_two full",
        ("recorder/say.c", "	if (recorder.head)\n		say_note",
         "	if (recorder.head)\n		say_at_start(line, used), say_note")),
    mutant(
        "the store stays open",
        "the program's descriptors get other numbers",
        "files/lowest_number full, start/descriptors full",
        ("recorder/setup.c", "		attach_reserved(fd);\n	}\n	(void)close(fd);\n", "		attach_reserved(fd);\n	}\n")),
    mutant(
        "the size that files may have is not asked for",
        "SIGXFSZ ends a process that would have gone on",
        "recorder/test_one_store limits_by_hand",
        ("recorder/limits.c", "	if (!getrlimit(RLIMIT_FSIZE, &size) && size.rlim_cur < bytes)",
         "	if (!getrlimit(RLIMIT_FSIZE, &size) && !bytes)")),
    mutant(
        "a limited address space is taken from",
        "the program's own allocations fail",
        "limits/address_space full",
        ("recorder/limits.c", "	    space.rlim_cur < used + LIMITS_SHARE * (bytes + LIMITS_OTHERS))",
         "	    space.rlim_cur < LIMITS_SHARE)")),
    mutant(
        "limited data are taken from",
        "the program's own allocations fail",
        "limits/data_size full",
        ("recorder/limits.c", "data.rlim_cur < used_data + LIMITS_DATA)", "data.rlim_cur < LIMITS_SHARE)")),
    mutant(
        "that a guarded object has no memory is not noticed",
        "a program that may not have more data dies of it",
        "limits/guarded_data guard",
        ("recorder/guard.c", "	if (!guard_open(page, end))\n		return false;\n",
         "	(void)guard_open(page, end);\n")),
    mutant(
        "a program is started that cannot open our library",
        "the loader complains to its standard error",
        "limits/no_descriptors full",
        ("recorder/exec.c", "				target->reason = STACKDEPOT_START_LIBRARY;\n			return true;",
         "				target->unseen = false;\n			return true;")),

    # --- processes
    mutant(
        "an image that was replaced is still running",
        "its objects are shown as leaks",
        "processes/static full",
        ("recorder/exec.c", "	store_release(&process->state, STORE_REPLACED);\n",
         "")),
    mutant(
        "an exec() that fails is taken for one that did not",
        "a process that goes on is said to be replaced, or a program not to be recorded",
        "processes/failed_exec full",
        ("recorder/exec.c", "	if (failed)\n		exec_undo(start->note);\n	if (start->marked) {",
         "	if (failed && result == -1)\n		return result;\n	if (start->marked) {")),
    mutant(
        "programs that are started are not listed",
        "nothing says that a static or a set-user-ID program is not recorded",
        "processes/static full, processes/set_user_id full, processes/environment_seen full",
        ("recorder/exec.c", "		start->note = target.unseen ? NULL : exec_note(path, &target);\n",
         "		start->note = target.unseen ? exec_note(path, &target) : NULL;\n")),
    mutant(
        "a program that arrives is not struck out",
        "recorded programs are said not to be",
        "processes/vfork_retries full",
        ("recorder/exec.c", "		(void)fetch_add_relaxed(&found->arrived, 1);\n", "		(void)0;\n")),
    mutant(
        "another C library's program gets our library",
        "its loader stops, and it does not run",
        "processes/musl full",
        ("recorder/exec.c", "	if (!exec_loader_takes_us(path))\n",
         "	if (!exec_loader_takes_us(path) && !*path)\n")),
    mutant(
        "the user's own entry of LD_PRELOAD goes with ours",
        "a program runs without a library that its user wants",
        "processes/own_preload full",
        ("recorder/environment.c", "	if (preload && *preload) {\n",
         "	if (preload && !*preload) {\n")),
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
    mutant(
        "a number of another name space is taken for one of ours",
        "a process that runs is said to have ended, and its store is treated so",
        "processes/name_space full",
        ("profile/alive.c", "	if (!alive_is_near(info))\n		return alive_elsewhere(info);\n",
         "	(void)alive_elsewhere;\n")),
    mutant(
        "a zombie is running",
        "objects of a process that ended are shown as live",
        "processes/killed full",
        ("profile/alive.c", """strchr("ZXx", at[2])""", """strchr("-", at[2])""")),

    # --- room
    mutant(
        "an object whose part of the table is full has no place",
        "an exact count becomes an estimate long before the table is full",
        "room/dense full",
        ("recorder/live.c", "live_claim_behind(home, place, object) ||\n	    live_claim_anywhere(home, place, object)) {",
         "live_claim_behind(home, place, object) ||\n	    (!place && live_claim_anywhere(home, place, object))) {")),
    mutant(
        "a full table is not said to be one",
        "objects are missing, and the figures are said to be exact",
        "room/dense_much full",
        ("store/reader.c", "	info->sample_bytes = info->sample_now_bytes = header->sample_bytes;\n",
         "	info->sample_bytes = info->sample_now_bytes = 0;\n")),

    # --- modules
    mutant(
        "the loader's changes are not noticed",
        "a library that took another's place has the other's frames",
        "modules/replaced full",
        ("recorder/modules.c", "	(void)__atomic_fetch_add(&modules_changes, 1, __ATOMIC_RELEASE);\n", "	(void)0;\n")),
    mutant(
        "what was said of a module holds where it was",
        "code that was made in its place has the names of its functions",
        "modules/code_in_place full",
        ("unwind/portable.c", "		if (modules->holds[i] != unwind_identity_id(identity) ||\n		    !unwind_identity_has",
         "		if (!unwind_identity_has")),
    mutant(
        "a module at another place is another module",
        "a plugin that comes again and again takes all records, and then frames have no names",
        "modules/same_again full",
        ("store/module_table.c", "	if (memcmp(&record->identity, identity, sizeof(*identity)))\n		return false;\n",
         "	if (record->identity.bytes == identity->bytes)\n		return false;\n")),
    mutant(
        "modules without a record are not counted",
        "nothing says why frames show as addresses",
        "modules/many_at_once full",
        ("recorder/modules.c", "		recorder_count(&recorder.header->totals.modules_dropped, 1);\n", "		(void)0;\n")),

    # --- names
    mutant(
        "a name that is cut does not say so",
        "a wrong name",
        "names/long_path full",
        ("recorder/ending.c", "	if (!ending->cut || ", "	if (ending->room || ")),
    mutant(
        "the kernel's part of the program's path is taken for all of it",
        "the name of a directory, or a part of one, is the program's",
        "names/long_path full",
        ("recorder/modules.c", "	if (module->path_bytes < room)\n", "	if (room)\n")),
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
    mutant(
        "an address after a symbol is the symbol's",
        "a stripped program's functions all have the name of what it exports",
        "names/stripped full",
        ("symbols/symtab.c", "		end = address + symbol.st_size;\n", "		(void)0;\n")),

    # --- frames without tables
    mutant(
        "guesses are not marked",
        "frames found by the frame pointer look as good as any",
        "unwind/tableless full",
        ("unwind/record.c", "	walk->guessed = true;\n", "")),
    mutant(
        "frame pointers are not followed",
        "stacks of one frame",
        "unwind/tableless full, unwind/go_calls_c full",
        ("unwind/record.c", "	if (!record_follows(walk, state) ||", "	if (state->fp || !record_follows(walk, state) ||")),
    mutant(
        "a frame pointer stays on its stack",
        "stacks end where code went over to another one",
        "unwind/other_stack full",
        ("unwind/record.c", "	return walk->changes++ < CHANGES;", "	return CHANGES && walk->changes++;")),
    mutant(
        "anything is a return address",
        "frames that are none",
        "unwind/wild_frame_pointer full",
        ("unwind/record.c", "!unwind_code_returns(next.pc, &walk->text) || ", "")),

    # --- made code
    mutant(
        "perf maps are not read",
        "made code has no names",
        "jit/two_frames full",
        ("symbols/code_names.c", "			names_add(names, start, size, at,",
         "			names_add(names, 0, size, at,")),
    mutant(
        "jitdumps are not read",
        "made code has no names",
        "jit/dump full",
        ("symbols/code_files.c", "		names_read(names, path, owner, since, code_names_dump);\n", "		(void)owner, (void)since, (void)names;\n")),
    mutant(
        "names of made code are not kept",
        "they go with the process",
        "jit/two_frames full",
        ("symbols/code_files.c", "	if (!good || rename(fresh, kept))", "	if (good || rename(fresh, kept))")),
    mutant(
        "the first name of an address holds",
        "code that was replaced has the name of what was there before",
        "jit/replaced_code full",
        ("symbols/code_names.c", "	for (; nr && heap[(nr - 1) / 2] < entry;",
         "	for (; nr && heap[(nr - 1) / 2] > entry;"),
        ("symbols/code_names.c", "		below += below + 1 < nr && heap[below + 1] > heap[below];\n		if (heap[below] <= entry)",
         "		below += below + 1 < nr && heap[below + 1] < heap[below];\n		if (heap[below] >= entry)")),
    mutant(
        "code that is made writable is no code",
        "stacks end at frames of a compiler that is compiling",
        "jit/write_xor_execute full",
        ("recorder/jit.c", """	int result = jit_next.mprotect ? jit_next.mprotect(memory, bytes, protection)
				       : (int)raw_call(SYS_mprotect, memory, bytes, protection);

	if (!result && protection & PROT_EXEC)
		stackdepot_unwind_code(memory, bytes, 1);
""", """	int result = jit_next.mprotect ? jit_next.mprotect(memory, bytes, protection)
				       : (int)raw_call(SYS_mprotect, memory, bytes, protection);

	if (!result)
		stackdepot_unwind_code(memory, bytes, protection & PROT_EXEC);
""")),

    # --- suppressions
    mutant(
        "a built-in rule covers what a program can leak",
        "leaks are hidden",
        "suppress/by_library full",
        ("suppress/builtin.c", '	{"exit handlers", "atexit$", {LIBC},',
         '	{"streams", "fopen", {LIBC}, "streams"},\n	{"exit handlers", "atexit$", {LIBC},')),
    mutant(
        "a library's rule asks for no whole stack",
        "leaks whose innermost frames are a library's are hidden",
        "suppress/by_library full",
        ("suppress/match.c", """match_module(builtin->modules[0], trace->frames[0]) &&
		    match_module(builtin->modules[1], trace->frames[trace->nr - 1]))""",
         """match_module(builtin->modules[0], trace->frames[0]))"""),
        ("suppress/match.c", "	return whole & inside;", "	return inside ? whole : whole;")),

    # --- filters of system calls
    mutant(
        "filters of system calls are not looked at",
        "a process is killed for a call that the program does not make",
        "seccomp/worker full, seccomp/thread full, seccomp/deep full",
        ("recorder/filter.c", "			denied |= 1u << filter_calls[i].call;\n", "			denied |= 0;\n")),
    mutant(
        "a filter that answers an error lets the call through",
        "calls fail that the recorder counts on",
        "seccomp/errno full",
        ("recorder/filter.c", "action != SECCOMP_RET_ALLOW && action != SECCOMP_RET_LOG",
         "action == SECCOMP_RET_KILL_THREAD || action == SECCOMP_RET_KILL_PROCESS")),
    mutant(
        "strict mode is not known for a filter",
        "a process is killed for a call that the program does not make",
        "seccomp/strict full",
        ("recorder/filter.c", "	if (mode == SECCOMP_MODE_STRICT)\n", "	if (mode == SECCOMP_MODE_STRICT && !program && errno < 0)\n")),
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

    # --- threads
    mutant(
        "what a thread leaves is not used again",
        "memory and mappings grow with each thread that ends",
        "threads/ended full",
        ("recorder/thread.c", "	(void)__atomic_fetch_and(&slabs[slab].used, ~bit, __ATOMIC_RELEASE);",
         "	(void)(bit + slab);")),
]
