/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The unwinder: the frames of a stack, without frame pointers, in tens of nanoseconds.
 *
 * It reads the tables every Debian program carries (.eh_frame), keeps what it learned in one rule
 * cache for the process, and remembers in each thread the last walk, so that the next one walks
 * the new frames only and merely verifies the others. How, and why that is sound: docs/unwind.md.
 *
 *	struct stackdepot_unwind_start start = stackdepot_unwind_caller();
 *	struct stackdepot_unwind_trace trace;
 *	uintptr_t buffer[128];
 *
 *	stackdepot_unwind(unwinder, &start, buffer, 128, &trace);
 *	if (trace.flags & STACKDEPOT_UNWIND_NESTED)
 *		handle = stackdepot_save(depot, trace.frames, trace.nr, 0);
 *	else
 *		handle = stackdepot_save_cursor(depot, trace.frames, trace.nr, 0, cursor,
 *						trace.unchanged);
 *	stackdepot_unwind_done(unwinder, &trace);
 *
 * Unless a function says otherwise it may be called from any context, signal handlers included,
 * from any number of threads, takes no lock, allocates nothing, uses no thread-local storage and
 * leaves errno alone. Needs glibc 2.35, x86-64 or arm64. Link with -z now: binding lazily takes
 * the loader through code that is none of this.
 */
#ifndef STACKDEPOT_UNWIND_H
#define STACKDEPOT_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef STACKDEPOT_API
#define STACKDEPOT_API
#endif

#define STACKDEPOT_UNWIND_MAX_FRAMES 512      /* upper limit of the size of a walk */
#define STACKDEPOT_UNWINDER_BYTES (72u << 10) /* memory of one unwinder */

/**
 * struct stackdepot_unwinder - what one thread remembers of its last walk.
 *
 * Opaque. One thread uses it, and is the only one ever to use it.
 */
struct stackdepot_unwinder;

/**
 * stackdepot_unwind_setup() - learn which modules can never be unloaded.
 *
 * Optional, once, as early as possible. These are the program and what it was linked with; frames
 * in them need no check that their module is still the same one, and are verified where others
 * are walked. Before it every module is taken for one that may be unloaded: right, and slower.
 *
 * Context: not in signal handlers. Takes the loader's lock through dl_iterate_phdr().
 */
STACKDEPOT_API void stackdepot_unwind_setup(void);

/**
 * stackdepot_unwind_init() - make an unwinder for the calling thread.
 * @memory: zero-filled, aligned to 64 bytes; fresh mmap() memory is both, and only what deep
 *          stacks need of it is ever touched.
 * @bytes:  STACKDEPOT_UNWINDER_BYTES or more.
 *
 * Lifetime: to be used on stacks of this thread alone, while the thread lives. There is nothing to
 * undo; the memory may be reused after the thread has ended.
 * Return: the unwinder, or NULL if @bytes is too small or @memory not aligned.
 */
STACKDEPOT_API struct stackdepot_unwinder *stackdepot_unwind_init(void *memory, size_t bytes);

/**
 * struct stackdepot_unwind_start - the frame a walk of the current stack begins with.
 * @pc:   return address into it.
 * @sp:   its stack pointer after that return.
 * @fp:   its frame pointer register (rbp, x29), whatever it is used for.
 * @skip: innermost frames that are walked and not reported.
 */
struct stackdepot_unwind_start {
	uintptr_t pc;
	uintptr_t sp;
	uintptr_t fp;
	uintptr_t skip;
};

/**
 * stackdepot_unwind_caller() - a start at the caller of the function this is used in.
 *
 * That function must not be inlined elsewhere, and must not realign its stack (no variable of
 * more than 16 bytes alignment).
 */
static inline __attribute__((always_inline)) struct stackdepot_unwind_start
stackdepot_unwind_caller(void)
{
	struct stackdepot_unwind_start start;
#if defined(__x86_64__)
	const uintptr_t *record = (const uintptr_t *)__builtin_frame_address(0);

	start.pc = record[1];
	start.sp = (uintptr_t)(record + 2);
	start.fp = record[0];
	start.skip = 0;
#elif defined(__aarch64__)
	__asm__ volatile("adr %0, . + 4\n\tmov %1, sp\n\tmov %2, x29"
			 : "=&r"(start.pc), "=&r"(start.sp), "=&r"(start.fp)
			 : "r"(__builtin_frame_address(0)));
	start.skip = 1;
#else
#error "the unwinder knows x86-64 and arm64"
#endif
	return start;
}

/* Flags of struct stackdepot_unwind_trace. */
#define STACKDEPOT_UNWIND_CUT 0x1u    /* there were more frames than asked for */
#define STACKDEPOT_UNWIND_NESTED 0x2u /* inside another walk of the thread: keep off its cursor */
#define STACKDEPOT_UNWIND_FULL 0x4u   /* walked with all registers: signal frames, odd code */
#define STACKDEPOT_UNWIND_LOST 0x8u   /* ended at code without tables or records, at bad memory */
#define STACKDEPOT_UNWIND_OTHER 0x10u /* some frames may be of no module; portable ones only */

/**
 * struct stackdepot_unwind_trace - the result of a walk.
 * @frames:    innermost first; return addresses, but where a signal interrupted its exact place.
 *             In the unwinder or in the buffer; there until stackdepot_unwind_done().
 * @nr:        how many; 0 only if the start itself is not in readable memory.
 * @unchanged: so many outermost ones are those of the previous trace of this unwinder. What
 *             stackdepot_save_cursor() takes, if each trace that is not STACKDEPOT_UNWIND_NESTED
 *             is saved with one and the same cursor. Else see stackdepot_unwind_forget().
 * @verified:  so many were found unchanged in memory instead of being walked.
 * @certain:   so many innermost ones are, all of them mostly. Behind the last of these is code
 *             without unwind tables, whose frame pointer led to the others: a guess, which is right
 *             if that code keeps one.
 * @flags:     STACKDEPOT_UNWIND_*.
 * @owner:     the unwinder's own.
 */
struct stackdepot_unwind_trace {
	const uintptr_t *frames;
	uint32_t nr;
	uint32_t unchanged;
	uint32_t verified;
	uint32_t certain;
	uint32_t flags;
	uint64_t owner;
};

/**
 * stackdepot_unwind() - walk the current stack.
 * @unwinder:  of the calling thread; or NULL, to walk every frame and remember nothing.
 * @start:     where to begin, a frame that is active now.
 * @buffer:    room for @size frames; used when @unwinder is not, or cannot be.
 * @size:      report so many innermost frames at most, 1 to STACKDEPOT_UNWIND_MAX_FRAMES.
 * @ret_trace: the result, on the stack of the caller. The unwinder is taken until
 *             stackdepot_unwind_done(); a walk in between, from a signal handler, uses its
 *             @buffer and says STACKDEPOT_UNWIND_NESTED. Whoever is left by longjmp() before
 *             that loses nothing but time.
 *
 * A stack that is corrupt, or is no stack, ends the walk.
 *
 * Progress: wait-free: each frame costs a bounded number of steps.
 * Return: ret_trace->nr.
 */
STACKDEPOT_API unsigned int stackdepot_unwind(struct stackdepot_unwinder *unwinder,
					      const struct stackdepot_unwind_start *start,
					      uintptr_t *buffer, unsigned int size,
					      struct stackdepot_unwind_trace *ret_trace);

/* stackdepot_unwind_is_own() - can this be read, as part of the thread's own stack? */
STACKDEPOT_API bool stackdepot_unwind_is_own(struct stackdepot_unwinder *unwinder,
					     const void *address);

/**
 * stackdepot_unwind_done() - let go of the trace, and of the unwinder.
 * @unwinder: as in stackdepot_unwind(), NULL included.
 * @trace:    its result.
 */
STACKDEPOT_API void stackdepot_unwind_done(struct stackdepot_unwinder *unwinder,
					   struct stackdepot_unwind_trace *trace);

/**
 * struct stackdepot_unwind_module - code whose addresses become portable by one addition.
 * @start: it is in [@start, @end).
 * @delta: what is to be added.
 */
struct stackdepot_unwind_module {
	uintptr_t start;
	uintptr_t end;
	uintptr_t delta;
};

/**
 * struct stackdepot_unwind_portable - what portable frames are, which the user knows.
 *
 * Addresses tell nothing to another process, nor to this one when a library has taken the place of
 * another. Who keeps frames longer gives modules numbers, say, and has frames say which module and
 * where in it.
 *
 * @module: the one that has the byte at @code; false: none has. True of it as long as it is loaded.
 * @other:  what becomes of the return address @address, whose call is in no module.
 *
 * Both are called from wherever stackdepot_unwind_portable() is: for each module that can never be
 * unloaded once in each thread; for one that can, when a thread first meets it; and each time for
 * what cannot be told from others: see docs/unwind.md.
 */
struct stackdepot_unwind_portable {
	bool (*module)(uintptr_t code, struct stackdepot_unwind_module *ret_module);
	uintptr_t (*other)(uintptr_t address);
};

/**
 * stackdepot_unwind_portable_by() - say what portable frames are.
 * @portable: kept, not copied. Given again, it makes whatever any unwinder knew of portable frames
 *            be forgotten; but stacks that are remembered stay, see stackdepot_unwind_memory().
 */
STACKDEPOT_API void
stackdepot_unwind_portable_by(const struct stackdepot_unwind_portable *portable);

/**
 * stackdepot_unwind_portable() - make the frames of a trace portable ones.
 * @unwinder: as in stackdepot_unwind(), NULL included.
 * @trace:    its result, before stackdepot_unwind_done(). Its frames are portable then, and
 *            @unchanged is about these, if it was called for the trace before too.
 *
 * Frames that the unwinder keeps keep this form as well, so it costs an addition for each new one.
 */
STACKDEPOT_API void stackdepot_unwind_portable(struct stackdepot_unwinder *unwinder,
					       struct stackdepot_unwind_trace *trace);

/**
 * stackdepot_unwind_portable_frames() - make others portable, such as those of a context.
 * @exact: the first is the very place, not a return address.
 *
 * Return: are some of no module?
 */
STACKDEPOT_API bool stackdepot_unwind_portable_frames(uintptr_t *frames, unsigned int nr,
						      bool exact);

/**
 * stackdepot_unwind_changes_by() - have the loader asked only after it changed something.
 * @changes: a number, not 0, that is raised before the loader maps or unmaps a module, and again
 *           when that is done, as whoever has the function at r_brk (<link.h>) can; kept, not
 *           copied. NULL, as in the beginning: it is asked in each walk, once for each module that
 *           can be unloaded and has frames in that stack.
 */
STACKDEPOT_API void stackdepot_unwind_changes_by(const unsigned int *changes);

/**
 * stackdepot_unwind_memory() - memory to remember whole stacks in.
 * @memory: aligned to 64 bytes; private to the unwinder while that is in use, or until there is
 * other.
 * @bytes:  4096 or more. Stacks take about 100 bytes each.
 *
 * What was remembered before is forgotten, so a call with the same memory makes room.
 *
 * Context: the thread of the unwinder, and, if its signal handlers use that too, only between
 * stackdepot_unwind() and stackdepot_unwind_done().
 * Return: false if @bytes is too small or @memory not aligned.
 */
STACKDEPOT_API bool stackdepot_unwind_memory(struct stackdepot_unwinder *unwinder, void *memory,
					     size_t bytes);

/**
 * stackdepot_unwind_recall() - is this a stack that was remembered?
 * @ret_user: what the user said of it then. Unchanged if it is not.
 *
 * To be asked before stackdepot_unwind(), which it makes needless nearly always: the frames are
 * those of the trace that was remembered. Each word that they were found by is compared.
 *
 * Context: not in a signal handler that may have interrupted a call with this unwinder.
 */
STACKDEPOT_API bool stackdepot_unwind_recall(struct stackdepot_unwinder *unwinder,
					     const struct stackdepot_unwind_start *start,
					     uint64_t *ret_user);

/**
 * stackdepot_unwind_remember() - remember the stack that was walked.
 * @trace: of stackdepot_unwind() before stackdepot_unwind_done(); all with the same size.
 * @user:  what to say of it when it is recalled.
 *
 * It is done when this is called the second time for a stack. One that was walked with all
 * registers, or on another stack than the thread's own, is not remembered.
 * Return: false if there is no more room in the memory.
 */
STACKDEPOT_API bool stackdepot_unwind_remember(struct stackdepot_unwinder *unwinder,
					       const struct stackdepot_unwind_trace *trace,
					       uint64_t user);

/**
 * stackdepot_unwind_context() - walk the stack a signal interrupted.
 * @unwinder: of the calling thread, for the limits of its stack; or NULL. What it remembers is
 *            neither used nor changed.
 * @context:  third argument of a handler installed with SA_SIGINFO, a ucontext_t.
 * @buffer:   room for @size frames, 1 or more; the frames go there.
 * @ret_certain: so many innermost ones are, as in struct stackdepot_unwind_trace; or NULL.
 *
 * frames[0] is the interrupted instruction itself.
 * Return: frames, at least 1.
 */
STACKDEPOT_API unsigned int stackdepot_unwind_context(struct stackdepot_unwinder *unwinder,
						      const void *context, uintptr_t *buffer,
						      unsigned int size, unsigned int *ret_certain);

/**
 * stackdepot_unwind_forget() - have the next walk report no unchanged frames.
 *
 * For one who did not save the last trace with his cursor.
 */
STACKDEPOT_API void stackdepot_unwind_forget(struct stackdepot_unwinder *unwinder);

/**
 * stackdepot_unwind_confine() - make no system calls, or make them again.
 * @confined: none. Memory that no walk has read before is then not read either, except the main
 *            stack; so walks may end early.
 *
 * For a process under a seccomp filter that does not allow rt_sigprocmask(), getpid() or gettid().
 *
 * Context: any. Counts for all threads.
 */
STACKDEPOT_API void stackdepot_unwind_confine(bool confined);

/**
 * stackdepot_unwind_register() - know the frames of code that no module contains.
 * @eh_frame: a section as __register_frame() takes it: entries, ended by a zero length.
 *
 * To be called where the program calls __register_frame(), __register_frame_info() and the like.
 *
 * Context: not in signal handlers. Linear in the section, which is copied.
 * Lifetime: the code must stay until stackdepot_unwind_deregister().
 * Return: bytes of memory that were mapped for the copy, 0 if there was room, or -EINVAL (nothing
 *         in it can be used), -ENOSPC (1024 are registered, or there is no memory for the copy, or
 *         none may be asked for: stackdepot_unwind_confine()).
 */
STACKDEPOT_API int stackdepot_unwind_register(const void *eh_frame);

/**
 * stackdepot_unwind_deregister() - forget what was registered.
 *
 * Progress: waits for nobody.
 * Context: not in signal handlers.
 * Return: 0, -ENOENT.
 */
STACKDEPOT_API int stackdepot_unwind_deregister(const void *eh_frame);

/**
 * stackdepot_unwind_code() - know where code is that no module contains.
 * @memory:     was made executable, or was unmapped; whole pages.
 * @executable: which of them.
 *
 * Code without tables is walked by its frame pointer, and a frame believed only if its return
 * address is in code. To be called where the program calls mmap(), mprotect(), munmap(). Code that
 * is not told ends a walk that comes to it so.
 *
 * Progress: lock-free. 1024 ranges are known at most, those that touch count as one.
 */
STACKDEPOT_API void stackdepot_unwind_code(const void *memory, size_t bytes, int executable);

/**
 * struct stackdepot_unwind_stats - what the process-wide tables hold.
 * @table_bytes:  reserved for them.
 * @used_bytes:   of these, in entries that are in use.
 * @addresses:    return addresses whose rule is known.
 * @rules:        different rules among them.
 * @modules:      modules met that may be unloaded, past ones included.
 * @interpreted:  frames whose table entry had to be interpreted.
 */
struct stackdepot_unwind_stats {
	uint64_t table_bytes;
	uint64_t used_bytes;
	uint64_t addresses;
	uint64_t rules;
	uint64_t modules;
	uint64_t interpreted;
};

/* stackdepot_unwind_get_stats() - fill @ret_stats; linear in the tables. */
STACKDEPOT_API void stackdepot_unwind_get_stats(struct stackdepot_unwind_stats *ret_stats);

#ifdef __cplusplus
}
#endif

#endif
