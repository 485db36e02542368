/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* reap.c - close the slots of processes that are gone. */
#define _GNU_SOURCE
#include <time.h>

#include "counter.h"
#include "module_table.h"
#include "reap.h"

static uint64_t reap_now_ns(void)
{
	struct timespec now = {0, 0};

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Once only: if this ends half way, what it had is lost rather than counted twice. */
static void reap_tally(struct reaper *reaper, struct store_tally *tally,
		       struct store_counts *counts)
{
	struct store_counter *counters = reap_at(reaper, reaper->layout->counters_offset);
	const struct store_tally had = *tally;
	const uint32_t line = (uint32_t)had.trace;

	if (!had.trace)
		return;
	/* Whoever has the set next knows a trace by it. Before the trace, by which this is done. */
	tally->handle = 0;
	__atomic_store_n(&tally->trace, 0, __ATOMIC_RELEASE);
	if (!line || line > reaper->layout->lines)
		return;
	if (had.allocs) {
		counter_add(&reaper->header->totals, &counters[line], had.trace, had.allocs,
			    had.bytes);
		counts->allocs += had.allocs;
		counts->bytes += had.bytes;
	}
	stackdepot_put_bulk(reaper->depot, had.trace, had.references);
}

static void reap_set(struct reaper *reaper, struct store_tally_set *set,
		     struct store_counts *counts)
{
	const int32_t delta = __atomic_exchange_n(&set->live_delta, 0, __ATOMIC_RELAXED);
	unsigned int i;

	set->live_bytes = 0;
	(void)__atomic_fetch_add(&reaper->header->totals.live_objects, (uint64_t)(int64_t)delta,
				 __ATOMIC_RELAXED);
	for (i = 0; i < STORE_TALLIES; i++)
		reap_tally(reaper, &set->tally[i], counts);
}

static void reap_slot(struct reaper *reaper, uint32_t slot)
{
	struct store_tally_set *sets = reap_at(reaper, reaper->layout->tallies_offset);
	struct store_process *process = reap_process(reaper, slot);
	const struct module_table modules = module_table_at(reaper->header, reaper->layout);
	uint16_t *owners = reaper->header->tally_owners;
	uint32_t i;

	for (i = 0; i < reaper->layout->tally_sets; i++) {
		if (__atomic_load_n(&owners[i], __ATOMIC_ACQUIRE) != slot + 1)
			continue;
		reap_set(reaper, &sets[i], &process->counts);
		__atomic_store_n(&owners[i], 0, __ATOMIC_RELEASE);
	}
	if (process->writes)
		module_table_settle(&modules, process->serial);
	process->writes = 0;
	/* Threads may have been in the middle of an event. */
	if (process->state == STORE_RUNNING || process->flags & STORE_FLAG_KILLED ||
	    process->counts.threads > 1)
		reaper->header->totals.uncertain++;
	if (process->state == STORE_RUNNING)
		process->state = reap_goes_on(reaper, process) ? STORE_REPLACED : STORE_VANISHED;
	if (!process->end_monotonic_ns)
		process->end_monotonic_ns = reap_now_ns();
	process->counts.threads = 0;
	process->counts.tool_bytes = 0;
	__atomic_store_n(&process->stage, STORE_CLOSED, __ATOMIC_RELEASE);
}

void reap_disown(struct store_process *process, uint64_t owner)
{
	(void)__atomic_compare_exchange_n(&process->owner, &owner, 0, false, __ATOMIC_RELEASE,
					  __ATOMIC_RELAXED);
}

static uint32_t reap_next(const struct reaper *reaper, uint32_t slot)
{
	return store_next_open(reaper->header, slot, reaper->layout->slots);
}

static void reap_not_open(struct reaper *reaper, uint32_t slot)
{
	(void)__atomic_fetch_and(&reaper->header->open[slot / 64], ~(1ull << slot % 64),
				 __ATOMIC_RELEASE);
}

uint32_t reap_present(const struct reaper *reaper, uint32_t enough)
{
	uint32_t slot, nr = 0;

	for (slot = reap_next(reaper, 0); slot < reaper->layout->slots && nr < enough;
	     slot = reap_next(reaper, slot + 1)) {
		const struct store_process *process = reap_process(reaper, slot);

		if (process->owner && process->stage <= STORE_OPEN)
			nr += reap_is_there(reaper, slot);
	}
	return nr;
}

uint32_t reap_close(struct reaper *reaper)
{
	uint32_t slot, nr = 0;

	for (slot = reap_next(reaper, 0); slot < reaper->layout->slots;
	     slot = reap_next(reaper, slot + 1)) {
		struct store_process *process = reap_process(reaper, slot);
		const uint64_t owner = __atomic_load_n(&process->owner, __ATOMIC_ACQUIRE);
		uint32_t stage = __atomic_load_n(&process->stage, __ATOMIC_ACQUIRE);

		if (owner && stage <= STORE_OPEN && reap_is_there(reaper, slot))
			continue;
		/* It may have become open, and been killed, since that was looked at. */
		stage = __atomic_load_n(&process->stage, __ATOMIC_ACQUIRE);
		if (stage == STORE_OPEN)
			reap_slot(reaper, slot);
		reap_not_open(reaper, slot);
		if (stage == STORE_FREE)
			reap_disown(process, owner);
		nr++;
	}
	return nr;
}
