/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * trace.c - from a place in the program to a handle.
 *
 * What is done once for each stored trace rather than once for each event hangs on the counter of
 * its line: the first to find another life there knows that the trace is new.
 */
#include <string.h>

#include "counter.h"
#include "frame.h"
#include "recorder.h"
#include "slot.h"
#include "tally.h"
#include "trace.h"

static struct store_counter *trace_counter(stackdepot_ref_t ref)
{
	uint32_t line = (uint32_t)ref;

	return ref && line <= recorder.layout.lines ? &recorder.counters[line] : NULL;
}

static void trace_see(stackdepot_ref_t ref)
{
	struct store_counter *counter = trace_counter(ref);
	uint64_t old;

	if (unlikely(!counter)) {
		recorder_count(&recorder_counts()->stackless, 1);
		return;
	}
	old = load_relaxed(&counter->life);
	if (unlikely(old != counter_life(ref)))
		(void)counter_begin(&recorder.header->totals, counter, old, ref);
}

/* What a handle of this very moment refers to; mostly the cursor knows. */
static stackdepot_ref_t trace_ref(const struct recorder_thread *thread,
				  const struct stackdepot_unwind_trace *trace,
				  stackdepot_handle_t handle)
{
	if (!handle)
		return 0;
	if (likely(thread && !(trace->flags & STACKDEPOT_UNWIND_NESTED) && thread->cursor.nr))
		return thread->cursor.ref;
	return stackdepot_ref(recorder.depot, handle);
}

static stackdepot_handle_t trace_save_once(struct recorder_thread *thread,
					   const struct stackdepot_unwind_trace *trace,
					   unsigned int flags)
{
	if (!thread || trace->flags & STACKDEPOT_UNWIND_NESTED)
		return stackdepot_save(recorder.depot, trace->frames, trace->nr, flags);
	return stackdepot_save_cursor(recorder.depot, trace->frames, trace->nr, flags,
				      &thread->cursor, trace->unchanged);
}

/* All lines may be held for processes that are gone. */
static stackdepot_handle_t trace_save_plain(struct recorder_thread *thread,
					    const struct stackdepot_unwind_trace *trace,
					    unsigned int flags)
{
	stackdepot_handle_t handle = trace_save_once(thread, trace, flags);

	if (unlikely(!handle) && slot_make_traces())
		handle = trace_save_once(thread, trace, flags);
	return handle;
}

/* --- frames that are ours -----------------------------------------------------------------------
 *
 * A mark goes before the frames that are a guess, and behind all of them the process, if addresses
 * are among them: they mean something in its memory only. For these, outermost frames give way.
 */
struct dress {
	uint32_t kept;	  /* frames of the walk that are left */
	uint32_t guesses; /* of these */
	enum trace_tail tail;
	bool process;
};

static bool trace_has_address(const uintptr_t *frames, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr && !stackdepot_frame_is_address(frames[i]); i++)
		;
	return i < nr;
}

static struct dress trace_measure(const struct stackdepot_unwind_trace *trace)
{
	const uint32_t room = (uint32_t)recorder.options.max_frames;
	struct dress dress = {.kept = trace->nr};
	bool has_guess = trace->certain < trace->nr;

	dress.process = trace->flags & STACKDEPOT_UNWIND_OTHER &&
			trace_has_address(trace->frames, trace->nr);
	dress.tail = dress.process ? TRACE_PROCESS : TRACE_PLAIN;
	if (dress.kept + dress.process + has_guess > room) {
		dress.kept = room - dress.process - has_guess;
		dress.tail = TRACE_CUT;
	}
	dress.guesses = trace->certain < dress.kept ? dress.kept - trace->certain : 0;
	return dress;
}

/*
 * What was unchanged of the trace before is so if the mark of that was not among it: which frames
 * are a guess does not change while they are kept, so the mark is there or further in. And if that
 * one ended alike.
 */
static void trace_unchanged(struct recorder_thread *thread, const struct dress *dress,
			    struct stackdepot_unwind_trace *trace)
{
	if (dress->tail == TRACE_CUT || thread->tail != dress->tail)
		trace->unchanged = 0;
	if (dress->guesses && trace->unchanged > dress->guesses)
		trace->unchanged = dress->guesses;
	if (dress->guesses && trace->unchanged > thread->guesses)
		trace->unchanged = thread->guesses;
	if (dress->guesses)
		thread->guesses = dress->tail == TRACE_CUT ? 0 : dress->guesses;
	if (trace->unchanged)
		trace->unchanged += dress->process;
	thread->tail = dress->tail;
}

static void trace_put_on(const struct dress *dress, struct stackdepot_unwind_trace *trace,
			 uintptr_t *buffer)
{
	const uint32_t certain = dress->kept - dress->guesses;
	uint32_t nr = certain;

	memmove(buffer + certain + !!dress->guesses, trace->frames + certain,
		dress->guesses * sizeof(*buffer));
	memmove(buffer, trace->frames, certain * sizeof(*buffer));
	if (dress->guesses)
		buffer[nr++] = STACKDEPOT_FRAME_GUESS;
	nr += dress->guesses;
	if (dress->process)
		buffer[nr++] = (uintptr_t)frame_of_process(recorder.serial);
	trace->frames = buffer;
	trace->nr = nr;
}

static __attribute__((noinline)) void trace_dress(struct recorder_thread *thread,
						  struct stackdepot_unwind_trace *trace,
						  uintptr_t *buffer)
{
	const struct dress dress = trace_measure(trace);

	if (dress.guesses || dress.process)
		trace_put_on(&dress, trace, buffer);
	if (thread && !(trace->flags & STACKDEPOT_UNWIND_NESTED))
		trace_unchanged(thread, &dress, trace);
}

/* --- saving ----------------------------------------------------------------------------------- */

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
	stackdepot_unwind_portable(unwinder, &trace);
	if (likely(trace.nr)) {
		if (unlikely(trace.certain < trace.nr || trace.flags & STACKDEPOT_UNWIND_OTHER ||
			     (thread && thread->tail != TRACE_PLAIN)))
			trace_dress(thread, &trace, buffer);
		handle = trace_save_plain(thread, &trace, flags);
		ref = trace_ref(thread, &trace, handle);
	}
	/*
	 * The counter is one more place in memory: touched for what is counted, not for frees. It
	 * comes while the stack is taken in.
	 */
	if (flags & STACKDEPOT_GET)
		__builtin_prefetch(trace_counter(ref), 1);
	if (ref && !stackdepot_unwind_remember(unwinder, &trace, ref))
		thread_memo_full(thread);
	stackdepot_unwind_done(unwinder, &trace);
	if (flags & STACKDEPOT_GET || unlikely(!ref))
		trace_see(ref);
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

	if (unlikely(!thread->tallies || flags & STACKDEPOT_KEEP) ||
	    !stackdepot_unwind_recall(thread->unwinder, start, ret_ref))
		return 0;
	handle = stackdepot_handle(recorder.depot, *ret_ref);
	tally = tally_place(thread, handle);
	if (unlikely(tally->trace != *ret_ref)) {
		if (thread->strangers++ % TALLY_STRANGERS)
			return stackdepot_save_again(recorder.depot, *ret_ref, flags);
		if (!tally_enter(tally, *ret_ref))
			return 0;
	}
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
	if (unlikely(!thread->tallies))
		tally_again(thread);
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
	uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	struct stackdepot_unwind_trace trace = {.frames = frames};
	stackdepot_handle_t handle;
	stackdepot_ref_t ref;

	trace.nr = stackdepot_unwind_context(thread ? thread->unwinder : NULL, context, frames,
					     (unsigned int)recorder.options.max_frames,
					     &trace.certain);
	if (stackdepot_unwind_portable_frames(frames, trace.nr, true))
		trace.flags = STACKDEPOT_UNWIND_OTHER;
	/* Readers look up the byte before a frame, as the others are return addresses. */
	frames[0]++;
	trace_dress(NULL, &trace, frames);
	handle = stackdepot_save(recorder.depot, trace.frames, trace.nr, STACKDEPOT_KEEP);
	ref = handle ? stackdepot_ref(recorder.depot, handle) : 0;
	trace_see(ref);
	return ref;
}

__attribute__((noinline)) void trace_add(stackdepot_ref_t ref, uint64_t allocs, uint64_t bytes)
{
	struct store_counter *counter = trace_counter(ref);

	recorder_count(&recorder_counts()->allocs, allocs);
	recorder_count(&recorder_counts()->bytes, bytes);
	if (counter)
		counter_add(&recorder.header->totals, counter, ref, allocs, bytes);
}
