/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * trace.c - from a place in the program to a handle.
 *
 * What is done once for each stored trace rather than once for each event hangs on the counter of
 * its line: the first to find another life there knows that the trace is new.
 */
#include <string.h>

#include "recorder.h"

static struct store_counter *trace_counter(stackdepot_ref_t ref)
{
	uint32_t line = (uint32_t)ref;

	return ref && line <= recorder.layout.lines ? &recorder.counters[line] : NULL;
}

static uint64_t trace_life(stackdepot_ref_t ref)
{
	return 1ull << 32 | ref >> 32;
}

/* The counter was an evicted trace's: its counts go to the sum of such. */
static void trace_retire(struct store_counter *counter)
{
	struct store_counts *counts = &recorder.header->counts;
	uint64_t allocs = __atomic_exchange_n(&counter->allocs, 0, __ATOMIC_RELAXED);
	uint64_t bytes = __atomic_exchange_n(&counter->bytes, 0, __ATOMIC_RELAXED);

	if (!allocs)
		return;
	recorder_count(&counts->evicted_allocs, allocs);
	recorder_count(&counts->evicted_bytes, bytes);
}

/* False: another thread did it. */
static bool trace_begin(struct store_counter *counter, uint64_t old, uint64_t life)
{
	if (!__atomic_compare_exchange_n(&counter->life, &old, life, false, __ATOMIC_RELAXED,
					 __ATOMIC_RELAXED))
		return false;
	trace_retire(counter);
	return true;
}

static __attribute__((noinline)) void trace_new(struct store_counter *counter, uint64_t old,
						uint64_t life, const uintptr_t *frames,
						unsigned int nr)
{
	if (trace_begin(counter, old, life))
		modules_see(frames, nr);
}

static void trace_see(stackdepot_ref_t ref, const uintptr_t *frames, unsigned int nr)
{
	struct store_counter *counter = trace_counter(ref);
	uint64_t old;

	if (unlikely(!counter)) {
		recorder_count(&recorder.header->counts.stackless, 1);
		return;
	}
	old = load_relaxed(&counter->life);
	if (unlikely(old != trace_life(ref)))
		trace_new(counter, old, trace_life(ref), frames, nr);
}

/*
 * Frames of a module whose addresses were another's before are saved with its tag. They are put
 * into `buffer`, where the trace's own may be: for more the program's stack may have no room.
 */
static __attribute__((noinline)) bool trace_save_tagged(struct recorder_thread *thread,
							const struct stackdepot_unwind_trace *trace,
							unsigned int flags, uintptr_t *buffer,
							stackdepot_handle_t *ret_handle)
{
	if (!modules_tag(trace->frames, trace->nr, buffer))
		return false;
	if (thread && !(trace->flags & STACKDEPOT_UNWIND_NESTED))
		thread->cursor_broken = true;
	*ret_handle = stackdepot_save(recorder.depot, buffer, trace->nr, flags);
	return true;
}

/* What a handle of this very moment refers to; mostly the cursor knows. */
static stackdepot_ref_t trace_ref(const struct recorder_thread *thread,
				  const struct stackdepot_unwind_trace *trace,
				  stackdepot_handle_t handle)
{
	if (!handle)
		return 0;
	if (likely(thread && !(trace->flags & STACKDEPOT_UNWIND_NESTED) && thread->cursor.nr &&
		   !thread->cursor_broken))
		return thread->cursor.ref;
	return stackdepot_ref(recorder.depot, handle);
}

static stackdepot_handle_t trace_save_plain(struct recorder_thread *thread,
					    const struct stackdepot_unwind_trace *trace,
					    unsigned int flags)
{
	unsigned int unchanged = trace->unchanged;

	if (!thread || trace->flags & STACKDEPOT_UNWIND_NESTED)
		return stackdepot_save(recorder.depot, trace->frames, trace->nr, flags);
	if (unlikely(thread->cursor_broken)) {
		thread->cursor_broken = false;
		unchanged = 0;
	}
	return stackdepot_save_cursor(recorder.depot, trace->frames, trace->nr, flags,
				      &thread->cursor, unchanged);
}

/*
 * A mark goes before the frames that are a guess. What was unchanged of the trace before is so if
 * the mark of that was not among it: which frames are a guess does not change while they are kept,
 * so the mark is there or further in.
 */
static __attribute__((noinline)) void
trace_mark(struct recorder_thread *thread, struct stackdepot_unwind_trace *trace, uintptr_t *buffer)
{
	uint32_t certain = trace->certain, room = (uint32_t)recorder.options.max_frames - 1;
	uint32_t guesses = (trace->nr < room ? trace->nr : room) - certain;
	bool is_cut = certain + guesses < trace->nr;

	memmove(buffer + certain + 1, trace->frames + certain, guesses * sizeof(*buffer));
	memmove(buffer, trace->frames, certain * sizeof(*buffer));
	buffer[certain] = STACKDEPOT_FRAME_GUESS;
	trace->frames = buffer;
	trace->nr = certain + 1 + guesses;
	if (!thread || trace->flags & STACKDEPOT_UNWIND_NESTED)
		return;
	if (is_cut || trace->unchanged > guesses)
		trace->unchanged = is_cut ? 0 : guesses;
	if (trace->unchanged > thread->guesses)
		trace->unchanged = thread->guesses;
	thread->guesses = is_cut ? 0 : guesses;
}

static inline __attribute__((always_inline)) stackdepot_handle_t
trace_save_in(struct recorder_thread *thread, const recorder_start *start, unsigned int flags,
	      stackdepot_ref_t *ret_ref, uintptr_t *buffer)
{
	struct stackdepot_unwinder *unwinder = thread ? thread->unwinder : NULL;
	struct stackdepot_unwind_trace trace;
	stackdepot_handle_t handle = 0;
	stackdepot_ref_t ref = 0;

	(void)stackdepot_unwind(unwinder, start, buffer, (unsigned int)recorder.options.max_frames,
				&trace);
	if (unlikely(trace.certain < trace.nr))
		trace_mark(thread, &trace, buffer);
	if (likely(trace.nr)) {
		if (likely(!load_relaxed(&modules_epoch)) ||
		    !trace_save_tagged(thread, &trace, flags, buffer, &handle))
			handle = trace_save_plain(thread, &trace, flags);
		ref = trace_ref(thread, &trace, handle);
	}
	/*
	 * The counter is one more place in memory: touched for what is counted, not for frees. What
	 * has tags now was looked at for them, and is in no module any more as it stands here.
	 */
	if (flags & STACKDEPOT_GET || unlikely(!ref))
		trace_see(ref, trace.frames, trace.nr);
	else
		modules_see_few(trace.frames, trace.nr - trace.unchanged);
	if (ref && !stackdepot_unwind_remember(unwinder, &trace, ref))
		thread_memo_full(thread);
	stackdepot_unwind_done(unwinder, &trace);
	*ret_ref = ref;
	return handle;
}

/* The handle of a stack that the thread had before, if its trace is still there. */
static inline stackdepot_handle_t trace_save_again(struct recorder_thread *thread,
						   const recorder_start *start, unsigned int flags,
						   stackdepot_ref_t *ret_ref)
{
	stackdepot_handle_t handle;
	struct store_tally *tally;

	if (unlikely(thread->memo_epoch != load_relaxed(&modules_epoch)))
		thread_memo_forget(thread); /* frames may be saved with other tags now */
	if (unlikely(!thread->tallies || flags & STACKDEPOT_KEEP) ||
	    !stackdepot_unwind_recall(thread->unwinder, start, ret_ref))
		return 0;
	handle = stackdepot_handle(recorder.depot, *ret_ref);
	tally = tally_place(thread, handle);
	if (unlikely(tally->trace != *ret_ref) && !tally_enter(tally, *ret_ref))
		return 0;
	if (flags & STACKDEPOT_GET) {
		if (unlikely(tally->references == 1))
			tally_refill(tally);
		tally->references--;
	}
	return handle;
}

/* Inside another event of the thread, or with no thread. */
static __attribute__((noinline)) stackdepot_handle_t
trace_save_nested(const recorder_start *start, unsigned int flags, stackdepot_ref_t *ret_ref)
{
	uintptr_t buffer[STACKDEPOT_MAX_FRAMES];

	return trace_save_in(NULL, start, flags, ret_ref, buffer);
}

static __attribute__((noinline)) stackdepot_handle_t trace_save_walk(struct recorder_thread *thread,
								     const recorder_start *start,
								     unsigned int flags,
								     stackdepot_ref_t *ret_ref)
{
	return trace_save_in(thread, start, flags, ret_ref, thread->frames);
}

/*
 * The frames are the thread's, so as to need little of its stack, which may be small. What is done
 * for a stack that is recalled is all in here, but the comparison.
 */
__attribute__((flatten)) stackdepot_handle_t trace_save(struct recorder_thread *thread,
							const recorder_start *start,
							unsigned int flags,
							stackdepot_ref_t *ret_ref)
{
	stackdepot_handle_t handle;

	if (unlikely(!thread))
		return trace_save_nested(start, flags, ret_ref);
	handle = trace_save_again(thread, start, flags, ret_ref);
	return likely(handle) ? handle : trace_save_walk(thread, start, flags, ret_ref);
}

stackdepot_ref_t trace_save_context(struct recorder_thread *thread, const void *context)
{
	uintptr_t frames[STACKDEPOT_MAX_FRAMES], tagged[STACKDEPOT_MAX_FRAMES];
	struct stackdepot_unwind_trace trace = {.frames = frames};
	unsigned int nr = stackdepot_unwind_context(
		thread ? thread->unwinder : NULL, context, frames,
		(unsigned int)recorder.options.max_frames, &trace.certain);
	stackdepot_handle_t handle;
	stackdepot_ref_t ref;
	bool is_tagged;

	/* Readers look up the byte before a frame, as the others are return addresses. */
	frames[0]++;
	trace.nr = nr;
	if (trace.certain < nr)
		trace_mark(NULL, &trace, frames);
	nr = trace.nr;
	is_tagged = load_relaxed(&modules_epoch) && modules_tag(frames, nr, tagged);
	handle = stackdepot_save(recorder.depot, is_tagged ? tagged : frames, nr, STACKDEPOT_KEEP);
	ref = handle ? stackdepot_ref(recorder.depot, handle) : 0;
	trace_see(ref, frames, nr);
	return ref;
}

void trace_add(stackdepot_ref_t ref, uint64_t allocs, uint64_t bytes)
{
	struct store_counter *counter = trace_counter(ref);
	uint64_t old;

	if (!counter)
		return;
	old = load_relaxed(&counter->life);
	if (unlikely(old != trace_life(ref)))
		(void)trace_begin(counter, old, trace_life(ref));
	(void)fetch_add_relaxed(&counter->allocs, allocs);
	(void)fetch_add_relaxed(&counter->bytes, bytes);
}
