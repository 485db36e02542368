/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * hooks.h - the one table of functions that come to us, and how.
 *
 * A row is a function by its name. If `exported` is set we define it too, so that a program that is
 * linked against it calls ours; where an allocator defines it, its entry branches to `entry`. That
 * is called as the function is, with the patch as sixth argument, so functions have five at most.
 *
 * Functions of an allocator's own interface are not exported: a program that looks for them to
 * learn which allocator it has must find what it would find without us.
 */
#ifndef RECORDER_HOOKS_H
#define RECORDER_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "patch.h"

struct hook {
	const char *name;
	const void *exported;
	const void *entry;
	/* Of a function of an allocator's own: which argument is what, from 1; 0 is none. */
	uint8_t pointer_at;
	uint8_t size_at;
	uint8_t count_at; /* so many times the size */
	bool sized;	  /* is told the size of what it frees */
	bool looks;	  /* whether the thread is in an allocator: patch.h */
};

/*
 * What allocators call the standard functions if they leave malloc() to others. The functions of a
 * name here come to us, and what is below them is found by it. je_ is jemalloc's own, the next ones
 * are what Rust, Arrow and DuckDB configure it with.
 */
#define HOOK_PREFIXES(each)                                                                    \
	each("je_", "jemalloc") each("_rjem_", "jemalloc") each("je_arrow_", "jemalloc")       \
		each("duckdb_je_", "jemalloc") each("tc_", "tcmalloc") each("mi_", "mimalloc") \
			each("scalable_", "tbbmalloc") each("rp", "rpmalloc")                  \
				each("dl", "dlmalloc") each("ned", "nedmalloc")

struct hook_prefix {
	const char *prefix;
	const char *allocator;
};

#define HOOK_PREFIX_BYTES 16u

extern const struct hook_prefix hook_prefixes[];
extern const size_t hook_prefixes_nr;

extern const struct hook hooks[];
extern const size_t hooks_nr;

/* --- the functions that all allocators have -----------------------------------------------------
 */

#define HOOK_UNUSED __attribute__((unused))
#define PATCHED(name)                                                                   \
	name(HOOK_UNUSED uintptr_t a, HOOK_UNUSED uintptr_t b, HOOK_UNUSED uintptr_t c, \
	     HOOK_UNUSED uintptr_t d, HOOK_UNUSED uintptr_t e, const struct patch *patch)

/*
 * Who calls a function of the own file may leave the stack less aligned than the rules ask for, if
 * the compiler saw that the function does not mind (gcc does so on x86-64). So what is called notes
 * where it comes from without instructions that mind, and what it calls aligns the stack.
 */
#ifdef __x86_64__
#define HOOK_ANY_STACK __attribute__((noinline, target("general-regs-only")))
#define HOOK_ALIGNS __attribute__((noinline, force_align_arg_pointer))
/* stackdepot_unwind_caller(), which cannot be inlined where instructions are missing */
#define HOOK_START                                                                   \
	{                                                                            \
		.pc = ((const uintptr_t *)__builtin_frame_address(0))[1],            \
		.sp = (uintptr_t)__builtin_frame_address(0) + 2 * sizeof(uintptr_t), \
		.fp = *(const uintptr_t *)__builtin_frame_address(0)                 \
	}
#else
#define HOOK_ANY_STACK __attribute__((noinline))
#define HOOK_ALIGNS __attribute__((noinline))
#define HOOK_START stackdepot_unwind_caller()
#endif

#define HOOK_ARGUMENTS                                                                             \
	HOOK_UNUSED const recorder_start *start, HOOK_UNUSED uintptr_t a, HOOK_UNUSED uintptr_t b, \
		HOOK_UNUSED uintptr_t c, HOOK_UNUSED uintptr_t d, HOOK_UNUSED uintptr_t e,         \
		const struct patch *patch

#define DEFINE_PATCHED_FIRST(name, first)                            \
	static HOOK_ALIGNS uintptr_t name##_aligned(HOOK_ARGUMENTS); \
	HOOK_ANY_STACK uintptr_t PATCHED(name)                       \
	{                                                            \
		const recorder_start start = HOOK_START;             \
                                                                     \
		first;                                               \
		return name##_aligned(&start, a, b, c, d, e, patch); \
	}                                                            \
	static uintptr_t name##_aligned(HOOK_ARGUMENTS)
/* The slot has looked: the thread is in no allocator. */
#define DEFINE_PATCHED(name) DEFINE_PATCHED_FIRST(name, real_inside = 0)
/* Of a row that looks. In an allocator is also who left one by exit() in a signal handler. */
#define DEFINE_PATCHED_LOOKING(name) DEFINE_PATCHED_FIRST(name, (void)0)

uintptr_t PATCHED(patched_malloc);
uintptr_t PATCHED(patched_free);
uintptr_t PATCHED(patched_calloc);
uintptr_t PATCHED(patched_realloc);
uintptr_t PATCHED(patched_reallocarray);
uintptr_t PATCHED(patched_memalign);
uintptr_t PATCHED(patched_posix_memalign);
uintptr_t PATCHED(patched_valloc);
uintptr_t PATCHED(patched_pvalloc);
uintptr_t PATCHED(patched_usable);

/* --- hooks_other.c: those that are its own, by their shape ---------------------------------------
 */

uintptr_t PATCHED(other_alloc);	   /* returns the object */
uintptr_t PATCHED(other_alloc_to); /* writes it where the pointer says, and returns 0 */
uintptr_t PATCHED(other_copy);	   /* returns a string, its length is the size */
uintptr_t PATCHED(other_free);
uintptr_t PATCHED(other_realloc); /* NULL: the object is what it was */
uintptr_t PATCHED(other_resize);  /* returns the size that it has now */
uintptr_t PATCHED(other_usable);

#endif
