/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The operations of model_step(): done to the depot, expected of the model. */
#include "model.h"

#include <errno.h>
#include <string.h>

static struct stackdepot_stats stats_of(struct model *model)
{
	struct stackdepot_stats stats;

	stackdepot_get_stats(model->depot, &stats);
	return stats;
}

static uint64_t drops_of(const struct stackdepot_stats *stats)
{
	return stats->drops_pinned + stats->drops_no_evict + stats->drops_no_memory;
}

/* --- saving --------------------------------------------------------------------------------- */

struct save {
	uint32_t trace;
	unsigned int flags;
	bool cursor;
	bool stored; /* it was, before */
	struct stackdepot_stats before;
	stackdepot_handle_t handle;
};

/* A trace that could have gone before any leased one, and did not. */
static bool save_spared_unleased(struct model *model)
{
	uint32_t i;

	for (i = 0; i < model->shape.traces; i++) {
		const struct model_trace *trace = &model->traces[i];
		uint64_t age = model->tick - trace->stamp;

		if (trace->stamped && !model_held(trace) && age > model->shape.lease_ticks &&
		    age < 256 && model_stored(model, i))
			return true;
	}
	return false;
}

/* What may fail, and what must have been counted. */
static void save_expect(struct model *model, const struct save *save,
			const struct stackdepot_stats *after)
{
	uint32_t needed = model_lines_needed(model, save->trace);
	bool room = model->lines_pinned + needed <= model->shape.lines;

	if (save->flags & STACKDEPOT_NO_EVICT) {
		MODEL_CHECK(model, after->evictions == save->before.evictions);
		/* Only lines never used are free; those that are pinned are there already. */
		if (needed <= save->before.lines - save->before.lines_used)
			MODEL_CHECK(model, save->handle);
	} else {
		MODEL_CHECK(model, room == !!save->handle);
	}
	if (save->stored)
		MODEL_CHECK(model, save->handle == model->traces[save->trace].handle);
	MODEL_CHECK(model, drops_of(after) == drops_of(&save->before) + !save->handle);
	if (!save->handle && save->flags & STACKDEPOT_NO_EVICT)
		MODEL_CHECK(model, after->drops_no_evict == save->before.drops_no_evict + 1);
	MODEL_CHECK(model, after->saved == save->before.saved + (save->handle && !save->stored));
	/* Fewer candidates than the search has patience for: none is overlooked. */
	if (after->leases_broken != save->before.leases_broken && model->shape.lines <= 100)
		MODEL_CHECK(model, model->shape.lease_ticks && !save_spared_unleased(model));
}

static void save_remember(struct model *model, const struct save *save)
{
	struct model_trace *trace = &model->traces[save->trace];
	const bool leased = !(save->flags & (STACKDEPOT_GET | STACKDEPOT_KEEP));

	trace->handle = save->handle;
	trace->ref = stackdepot_ref(model->depot, save->handle);
	MODEL_CHECK(model, trace->ref);
	MODEL_CHECK(model, stackdepot_handle(model->depot, trace->ref) == save->handle);
	if (save->flags & STACKDEPOT_GET) {
		trace->references++;
		model_lines_hold(model, save->trace, 1);
	}
	if (save->flags & STACKDEPOT_KEEP && !trace->kept) {
		trace->kept = true;
		model_lines_hold(model, save->trace, 1);
	}
	/* Who does not lease it leaves its lease as it is, if it is the same life. */
	trace->stamped = leased || (trace->stamped && save->stored);
	if (leased)
		trace->stamp = model->tick;
	MODEL_CHECK(model, model_stored(model, save->trace));
}

static unsigned int save_flags(struct model *model)
{
	static const unsigned int kinds[16] = {0,
					       0,
					       0,
					       0,
					       0,
					       STACKDEPOT_GET,
					       STACKDEPOT_GET,
					       STACKDEPOT_GET,
					       STACKDEPOT_NO_EVICT,
					       STACKDEPOT_NO_EVICT | STACKDEPOT_GET,
					       0,
					       0,
					       STACKDEPOT_GET,
					       0,
					       STACKDEPOT_KEEP,
					       STACKDEPOT_KEEP | STACKDEPOT_GET};
	unsigned int flags = kinds[choose(model->choices, 16)];

	/* Seasons in which nearly everything is referenced, until the depot is full. */
	if (model->operations / 512 % 4 == 3 && !flags)
		flags = STACKDEPOT_GET;
	return flags;
}

static struct save save_begin(struct model *model)
{
	struct save save = {.trace = choose(model->choices, model->shape.traces)};

	save.flags = save_flags(model);
	/* What is kept is kept for ever: not more than a third of the lines. */
	if (save.flags & STACKDEPOT_KEEP) {
		uint32_t lines = 2 * (model->shape.longest / 8 + 1);

		if (model->lines_kept + lines > model->shape.lines / 3)
			save.flags &= ~STACKDEPOT_KEEP;
		else
			model->lines_kept += lines;
	}
	save.stored = model_stored(model, save.trace);
	save.before = stats_of(model);
	return save;
}

static void save_end(struct model *model, const struct save *save)
{
	struct stackdepot_stats after = stats_of(model);

	save_expect(model, save, &after);
	if (save->handle)
		save_remember(model, save);
}

static void do_save(struct model *model)
{
	uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	struct save save = save_begin(model);
	uint32_t whole;

	(void)model_frames(model, save.trace, frames, &whole);
	save.handle = stackdepot_save(model->depot, frames, whole, save.flags);
	save_end(model, &save);
}

/* Outermost frames that two traces have in common. */
static uint32_t frames_shared(const uintptr_t *a, uint32_t nr_a, const uintptr_t *b, uint32_t nr_b)
{
	uint32_t shared = 0;

	while (shared < nr_a && shared < nr_b && a[nr_a - 1 - shared] == b[nr_b - 1 - shared])
		shared++;
	return shared;
}

static void do_save_cursor(struct model *model)
{
	struct model_cursor *cursor = &model->cursors[choose(model->choices, MODEL_CURSORS)];
	uintptr_t frames[STACKDEPOT_MAX_FRAMES], before[STACKDEPOT_MAX_FRAMES];
	struct save save = save_begin(model);
	uint32_t whole, whole_before, unchanged = 0;

	save.cursor = true;
	(void)model_frames(model, save.trace, frames, &whole);
	if (cursor->used) {
		(void)model_frames(model, cursor->trace, before, &whole_before);
		unchanged = frames_shared(frames, whole, before, whole_before);
		if (choose(model->choices, 3) == 0)
			unchanged = choose(model->choices, unchanged + 1);
	}
	save.handle = stackdepot_save_cursor(model->depot, frames, whole, save.flags,
					     &cursor->cursor, unchanged);
	cursor->used = true;
	cursor->trace = save.trace;
	save_end(model, &save);
}

/* --- holding -------------------------------------------------------------------------------- */

static void do_put(struct model *model)
{
	uint32_t i, number = choose(model->choices, model->shape.traces);

	/* The next one that is referenced. */
	for (i = 0; i < model->shape.traces; i++) {
		struct model_trace *trace = &model->traces[number];

		if (trace->references) {
			MODEL_CHECK(model, !stackdepot_put(model->depot, trace->handle));
			trace->references--;
			model_lines_hold(model, number, -1);
			MODEL_CHECK(model, model_stored(model, number));
			return;
		}
		number = (number + 1) % model->shape.traces;
	}
}

static void do_put_many(struct model *model)
{
	uint32_t i, nr = choose(model->choices, 256);

	for (i = 0; i < nr; i++)
		do_put(model);
}

static void do_get(struct model *model)
{
	uint32_t number = choose(model->choices, model->shape.traces);
	struct model_trace *trace = &model->traces[number];
	stackdepot_ref_t ref = trace->ref;
	bool by_ref = choose(model->choices, 2), stored = model_stored(model, number);
	unsigned int bits = choose(model->choices, 32);
	int result;

	if (!ref)
		return;
	result = by_ref ? stackdepot_get_ref(model->depot, ref)
			: stackdepot_get(model->depot,
					 stackdepot_set_extra_bits(trace->handle, bits));
	MODEL_CHECK(model, result == (stored ? 0 : -ESTALE));
	if (result)
		return;
	trace->references++;
	model_lines_hold(model, number, 1);
}

/* References by the dozen; the last ones are given back with a lease. */
static void do_bulk(struct model *model)
{
	uint32_t number = choose(model->choices, model->shape.traces);
	struct model_trace *trace = &model->traces[number];
	uint32_t more = choose(model->choices, 20), i, less;

	if (!trace->references)
		return;
	stackdepot_get_bulk(model->depot, trace->ref, more);
	for (i = 0; i < more; i++)
		model_lines_hold(model, number, 1);
	trace->references += more;
	less = 1 + choose(model->choices, trace->references);
	stackdepot_put_bulk(model->depot, trace->ref, less);
	for (i = 0; i < less; i++)
		model_lines_hold(model, number, -1);
	trace->references -= less;
	trace->stamped = true;
	trace->stamp = model->tick;
	MODEL_CHECK(model, model_stored(model, number));
}

/* --- looking -------------------------------------------------------------------------------- */

static void do_fetch(struct model *model)
{
	uint32_t number = choose(model->choices, model->shape.traces);
	struct model_trace *trace = &model->traces[number];
	uintptr_t frames[STACKDEPOT_MAX_FRAMES], fetched[STACKDEPOT_MAX_FRAMES];
	uint32_t size = choose(model->choices, 40), nr = model_frames(model, number, frames, NULL);
	stackdepot_handle_t handle = trace->handle;
	bool stored = model_stored(model, number);
	int result;

	if (!handle)
		return;
	result = stackdepot_fetch(model->depot, handle, fetched, size);
	MODEL_CHECK(model, result == (stored ? (int)nr : -ESTALE));
	if (stored)
		MODEL_CHECK(model,
			    !memcmp(frames, fetched, (size < nr ? size : nr) * sizeof(*frames)));
}

static void do_info(struct model *model)
{
	uint32_t number = choose(model->choices, model->shape.traces);
	struct model_trace *trace = &model->traces[number];
	uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	struct stackdepot_trace_info info;
	uint32_t nr = model_frames(model, number, frames, NULL);
	uint64_t age = model->tick - trace->stamp;
	int length = (TRACE_TEXT + 2) * (int)nr;

	if (!model_stored(model, number))
		return;
	MODEL_CHECK(model, !stackdepot_info(model->depot, trace->ref, &info));
	MODEL_CHECK(model, info.frames == nr);
	MODEL_CHECK(model, info.references >= trace->references);
	MODEL_CHECK(model, info.kept == trace->kept);
	if (trace->stamped && age < 256)
		MODEL_CHECK(model, info.leased == (model->shape.lease_ticks &&
						   age <= model->shape.lease_ticks));
	MODEL_CHECK(model, stackdepot_snprint(model->depot, trace->ref, NULL, 0, 2) == length);
}

/* What is gone is gone, whatever lives in its line by now. */
static void do_fetch_gone(struct model *model)
{
	uint32_t i, nr = model->nr_gone < MODEL_GONE ? model->nr_gone : MODEL_GONE;
	uintptr_t frames[STACKDEPOT_MAX_FRAMES];

	for (i = 0; i < nr; i++) {
		stackdepot_ref_t ref = model->gone[i];
		stackdepot_handle_t handle = model->gone_handles[i];

		MODEL_CHECK(model, stackdepot_fetch_ref(model->depot, ref, frames, 8) == -ESTALE);
		MODEL_CHECK(model, stackdepot_get_ref(model->depot, ref) == -ESTALE);
		MODEL_CHECK(model, stackdepot_fetch(model->depot, handle, frames, 8) == -ESTALE);
		MODEL_CHECK(model, stackdepot_put(model->depot, handle) == -ESTALE);
	}
}

/* Every trace that is there comes once, and nothing else comes. */
static void do_iterate(struct model *model)
{
	static bool seen[1 << 16];
	uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	uint32_t i, found = 0, position = 0;
	stackdepot_ref_t ref;

	memset(seen, 0, model->shape.traces);
	while ((ref = stackdepot_next(model->depot, &position))) {
		uint64_t id;

		MODEL_CHECK(model, stackdepot_fetch_ref(model->depot, ref, frames, 256) > 0);
		id = trace_id(frames[0]);
		MODEL_CHECK(model, id < model->shape.traces && !seen[id]);
		MODEL_CHECK(model, model->traces[id].ref == ref);
		seen[id] = true;
		found++;
	}
	for (i = 0; i < model->shape.traces; i++)
		found -= model_stored(model, i);
	MODEL_CHECK(model, !found);
}

static void do_check(struct model *model)
{
	struct stackdepot_stats stats = stats_of(model);

	MODEL_CHECK(model, !stackdepot_check(model->depot));
	MODEL_CHECK(model, stats.mapped_bytes <= stats.max_bytes);
	MODEL_CHECK(model, stats.lines_used <= model->shape.lines);
	MODEL_CHECK(model, model->lines_pinned <= stats.lines_used);
	MODEL_CHECK(model, stats.lines_added - stats.evictions <= stats.lines_used);
}

/* --- the clock and the ring ----------------------------------------------------------------- */

static void do_tick(struct model *model)
{
	int expected = model->shape.ring_entries ? -EBUSY : 0;

	MODEL_CHECK(model, stackdepot_tick(model->depot) == expected);
	model->tick += !expected;
	MODEL_CHECK(model, stackdepot_now(model->depot) == model->tick);
}

/* Recording the trace of a former life renews, for nothing, whoever lives in its line now. */
static void record_stale(struct model *model, stackdepot_ref_t ref)
{
	uint32_t i;

	for (i = 0; i < model->shape.traces; i++)
		if ((uint32_t)model->traces[i].ref == (uint32_t)ref)
			model->traces[i].stamped = false;
}

static void do_save_again(struct model *model)
{
	uint32_t number = choose(model->choices, model->shape.traces);
	struct model_trace *trace = &model->traces[number];
	bool get = choose(model->choices, 2), stored = model_stored(model, number);
	stackdepot_handle_t handle =
		stackdepot_save_again(model->depot, trace->ref, get ? STACKDEPOT_GET : 0);

	MODEL_CHECK(model, handle == (stored ? stackdepot_set_extra_bits(trace->handle, 0) : 0));
	if (!stored && trace->ref && !get)
		record_stale(model, trace->ref);
	if (!stored)
		return;
	if (get) {
		trace->references++;
		model_lines_hold(model, number, 1);
	} else {
		trace->stamped = true;
		trace->stamp = model->tick;
	}
}

static void do_record(struct model *model)
{
	uint32_t number = choose(model->choices, model->shape.traces);
	struct model_trace *trace = &model->traces[number];
	struct stackdepot_event event = {.address = choose(model->choices, 256)};
	uint32_t entries = model->shape.ring_entries;

	event.trace = trace->ref;
	event.size = number;
	event.time = model->nr_events;
	event.order = model->nr_events + 1; /* no pens */
	if (!entries) {
		MODEL_CHECK(model, stackdepot_ring_record(model->depot, &event) == -ENOENT);
		return;
	}
	MODEL_CHECK(model, !stackdepot_ring_record(model->depot, &event));
	model->tick = model->nr_events / (entries / STACKDEPOT_RING_LEASE_TICKS);
	model->events[model->nr_events++ % entries] = event;
	if (model_stored(model, number)) {
		trace->stamped = true;
		trace->stamp = model->tick;
	} else if (event.trace) {
		record_stale(model, event.trace);
	}
}

/* But for the bytes between its members, which are nobody's. */
static bool same_event(const struct stackdepot_event *a, const struct stackdepot_event *b)
{
	return a->address == b->address && a->size == b->size && a->trace == b->trace &&
	       a->origin == b->origin && a->time == b->time && a->task == b->task &&
	       a->kind == b->kind && a->order == b->order;
}

/* Search for an address: the events that the model has, in its order. */
static void do_find(struct model *model)
{
	uint64_t i, position = 0, address = choose(model->choices, 256);
	uint64_t mask = choose(model->choices, 256), entries = model->shape.ring_entries;
	uint64_t oldest = model->nr_events > entries ? model->nr_events - entries : 0;
	struct stackdepot_event event;

	for (i = model->nr_events; entries && i-- > oldest;) {
		const struct stackdepot_event *expected = &model->events[i % entries];

		if ((expected->address ^ address) & mask)
			continue;
		MODEL_CHECK(model,
			    stackdepot_ring_find(model->depot, &position, address, mask, &event));
		MODEL_CHECK(model, same_event(&event, expected));
	}
	MODEL_CHECK(model, !stackdepot_ring_find(model->depot, &position, address, mask, &event));
}

void model_step(struct model *model)
{
	static void (*const operations[64])(struct model *) = {
		do_save,	do_save,	do_save,	do_save,	do_save,
		do_save,	do_save,	do_save,	do_save,	do_save,
		do_save,	do_save,	do_save,	do_save,	do_save,
		do_save,	do_save_cursor, do_save_cursor, do_save_cursor, do_save_cursor,
		do_save_cursor, do_save_cursor, do_save_cursor, do_save_cursor, do_save_cursor,
		do_put,		do_put,		do_put,		do_put,		do_put,
		do_put,		do_put,		do_put,		do_get,		do_get,
		do_get,		do_fetch,	do_fetch,	do_fetch,	do_fetch,
		do_fetch,	do_info,	do_info,	do_info,	do_record,
		do_record,	do_record,	do_record,	do_record,	do_record,
		do_find,	do_find,	do_tick,	do_tick,	do_tick,
		do_bulk,	do_save_again,	do_save_again,
	};
	uint32_t choice = choose(model->choices, 64);

	model->operations++;
	if (operations[choice])
		operations[choice](model);
	else if (choice == 63)
		do_put_many(model);
	else if (choice == 62)
		do_fetch_gone(model);
	else if (choice == 61 && !choose(model->choices, 8))
		do_iterate(model);
	else if (choice == 60 && !choose(model->choices, 8))
		do_check(model);
}
