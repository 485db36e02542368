/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * repair.c - what threads that are gone left half done, when nobody else uses the depot.
 *
 * That is so in the child of a fork(), of the other threads, and in a file whose processes have all
 * ended, of those that were killed.
 */
#include "candidates.h"
#include "chain.h"
#include "index.h"
#include "ring.h"

/* End the life of a line whose holder is gone, as he may have begun to. */
static void repair_end_life(struct depot_line *line)
{
	u64 link = atomic64_read(&line->link);
	u64 generation = (link >> LINK_GENERATION_SHIFT) + 1;

	if (!(link & LINK_DEAD))
		atomic64_set(&line->link,
			     generation << LINK_GENERATION_SHIFT | LINK_DEAD | (link & LINK_NEXT));
}

/*
 * A used line whose state is 0 is one that somebody was filling or clearing. All of them are
 * unlinked before the first is given back: a line that is free is on no chain. Somebody may also
 * have been dismissing a line, or about to take it back, or in the middle of an event.
 */
static unsigned int repair_lines(struct stackdepot *depot)
{
	const u32 fresh = READ_ONCE(depot->header->fresh);
	const u32 used = fresh < depot->nr_lines ? fresh : depot->nr_lines;
	u32 number, bucket, given_back = 0;

	for (number = 1; number <= used; number++)
		if (!atomic64_read(&depot_line(depot, number)->state))
			repair_end_life(depot_line(depot, number));
	for (bucket = 0; bucket < index_buckets(depot); bucket++)
		depot_chain_tidy(depot, depot_head(depot, bucket));
	for (number = 1; number <= used; number++) {
		struct depot_line *line = depot_line(depot, number);

		if (!atomic64_read(&line->state)) {
			atomic64_set(&line->state, STATE_FREE);
			given_back++;
		}
		if (!(atomic64_read(&line->state) & STATE_DISMISSED))
			depot_candidate_set(depot, number);
	}
	depot_candidate_reset(depot);
	(void)depot_ring_reset(depot);
	return given_back;
}

/*
 * A file may say anything: that a line follows which is none, or lines without end. Then its chains
 * are left as they are. Two of them that share an end do no harm.
 */
static bool repair_chains_are_sound(struct stackdepot *depot)
{
	u32 bucket, left = depot->nr_lines;

	for (bucket = 0; bucket < index_buckets(depot); bucket++) {
		u64 next = atomic64_read(depot_head(depot, bucket));

		for (; link_is_line(next); left--) {
			const u64 number = next & LINK_NEXT;

			if (!left || number > depot->nr_lines)
				return false;
			next = atomic64_read(&depot_line(depot, number)->link);
		}
	}
	return true;
}

unsigned int stackdepot_fork_child(struct stackdepot *depot)
{
	return depot->shared || depot->read_only ? 0 : repair_lines(depot);
}

/* Add the children of lines to what is held of them. */
static void repair_count_children(struct stackdepot *depot, u32 *held)
{
	u32 number;

	for (number = 1; number <= depot->nr_lines; number++) {
		const u64 state = atomic64_read(&depot_line(depot, number)->state);
		const u32 parent = state_parent(state);

		if (state & STATE_LIVE && parent && parent <= depot->nr_lines)
			held[parent]++;
	}
}

/* One that has references more than that is let go; a candidate again, if it has none. */
static bool repair_references(struct stackdepot *depot, u32 number, u32 held)
{
	struct depot_line *line = depot_line(depot, number);
	const u64 state = atomic64_read(&line->state);
	u64 right = state & ((1ull << STATE_REFERENCE_SHIFT) - 1);

	if (!(state & STATE_LIVE))
		return false;
	right |= (held < STATE_SATURATED ? (u64)held : STATE_SATURATED) << STATE_REFERENCE_SHIFT;
	if (!state_pinned(right))
		right &= ~STATE_DISMISSED;
	if (right == state)
		return false;
	atomic64_set(&line->state, right);
	if (!state_pinned(right))
		depot_candidate_set(depot, number);
	return true;
}

unsigned int stackdepot_recount(struct stackdepot *depot, uint32_t *held)
{
	unsigned int nr;
	u32 number;

	if (depot->read_only || !repair_chains_are_sound(depot))
		return 0;
	nr = repair_lines(depot);
	repair_count_children(depot, held);
	for (number = 1; number <= depot->nr_lines; number++)
		nr += repair_references(depot, number, held[number]);
	return nr;
}
