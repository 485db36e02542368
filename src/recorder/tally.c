/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * tally.c - what a thread counts of a trace before others see it.
 *
 * Most events of a thread are of few traces. Of these it keeps what would be an atomic change of a
 * shared word at each event: allocations and their bytes, which the trace's counter gets later, and
 * references that it holds in advance.
 *
 *	A tally in use has a reference for itself, so its trace lives, and an equal handle is
 *	the same trace. Its other references are for objects to come, and from objects gone.
 *
 * A place is found by the handle. If another trace needs it, counts and references are given back,
 * and a lease begins that lasts as long as the events of that trace which the ring has.
 *
 * Tallies lie in the store, where readers add them up, and reapers when the process is gone: who is
 * killed loses none. There are so many that a small part of the lines is held by them; threads
 * beyond do without.
 */
#include "height.h"
#include "recorder.h"
#include "slot.h"
#include "tally.h"
#include "thread.h"
#include "trace.h"

#define AHEAD 8u	  /* references taken at once */
#define TALLY_AGAIN 4096u /* events of a thread without tallies from try to try */

static void tally_give_back(struct store_tally *tally)
{
	const stackdepot_ref_t trace = tally->trace;

	if (!trace)
		return;
	/* Killed in the middle of it: some are lost, none counts twice. */
	store_relaxed(&tally->trace, 0);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (tally->allocs)
		trace_add(trace, tally->allocs, tally->bytes);
	tally->handle = 0;
	stackdepot_put_bulk(recorder.depot, trace, tally->references);
}

__attribute__((noinline)) bool tally_enter(struct store_tally *tally, stackdepot_ref_t trace)
{
	const stackdepot_handle_t handle =
		stackdepot_save_again(recorder.depot, trace, STACKDEPOT_GET);

	if (!handle)
		return false;
	tally_give_back(tally);
	store_relaxed(&tally->allocs, 0);
	store_relaxed(&tally->bytes, 0);
	tally->references = 1;
	tally->handle = handle;
	store_release(&tally->trace, trace);
	return true;
}

__attribute__((noinline)) void tally_refill(struct store_tally *tally)
{
	stackdepot_get_bulk(recorder.depot, tally->trace, AHEAD);
	tally->references += AHEAD;
}

__attribute__((noinline)) void tally_spare(struct store_tally *tally)
{
	stackdepot_put_bulk(recorder.depot, tally->trace, TALLY_MAX / 2);
	tally->references -= TALLY_MAX / 2;
}

static bool tally_take(struct recorder_thread *thread)
{
	uint32_t set;

	for (set = 0; set < recorder.layout.tally_sets; set++) {
		uint16_t *owner = &recorder.header->tally_owners[set], none = 0;

		if (load_relaxed(owner) ||
		    !__atomic_compare_exchange_n(owner, &none, (uint16_t)(recorder.slot + 1), false,
						 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			continue;
		thread->tallies = &recorder.tally_sets[set];
		thread->tallies->thread = thread->id;
		thread->tallies->live_bytes = 0;
		thread->tallies->stack = (uintptr_t)__builtin_frame_address(0);
		return true;
	}
	return false;
}

/* Processes that are gone may have all of them. */
void tally_begin(struct recorder_thread *thread)
{
	thread->tallies = NULL;
	if (!tally_take(thread) && slot_close_others())
		(void)tally_take(thread);
}

/* Others end, or are found to have ended. */
void tally_again(struct recorder_thread *thread)
{
	if (!(++thread->without % TALLY_AGAIN))
		tally_begin(thread);
}

void tally_end(struct recorder_thread *thread)
{
	struct store_tally_set *tallies = thread->tallies;
	uint32_t i;

	if (!tallies)
		return;
	thread->tallies = NULL;
	for (i = 0; i < STORE_TALLIES; i++)
		tally_give_back(&tallies->tally[i]);
	(void)fetch_add_relaxed(&recorder.header->totals.live_objects,
				(uint64_t)(int64_t)tallies->live_delta);
	tallies->live_delta = 0;
	height_tell(tallies->live_bytes, NULL);
	tallies->live_bytes = 0;
	store_release(&recorder.header->tally_owners[tallies - recorder.tally_sets], 0);
}
