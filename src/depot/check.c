/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * check.c - the invariants of a quiet depot, walked from end to end.
 *
 *	1. A chain holds live lines of its own bucket.
 *	2. Every live line is on a chain, once; except one given up half way, which nobody named.
 *	3. The parent of a live line is live; a line has at least as many references as children.
 *	4. A line that is free, or live and not pinned, is among the candidates, on every level.
 *	5. No two lines of a chain are the same run below the same parent.
 */
#include "candidates.h"
#include "find.h"

struct check {
	struct stackdepot *depot;
	u32 *children; /* of each line */
	u8 *linked;    /* how often */
	bool broken;
};

static void check_that(struct check *check, bool holds)
{
	if (!holds)
		check->broken = true;
}

static u32 check_bucket(struct stackdepot *depot, u32 number)
{
	uintptr_t frames[STACKDEPOT_MAX_FRAMES], pad[DEPOT_GROUP];
	int nr = stackdepot_fetch_ref(depot, depot_ref(number, port_line(depot, number)->link),
				      frames, STACKDEPOT_MAX_FRAMES);

	if (nr <= 0)
		return ~0u;
	return hash_bucket(
		depot, depot_hash_trace(depot, frames, (u32)nr, hash_pad(frames, (u32)nr, pad)));
}

static bool check_same_run(struct stackdepot *depot, u32 a, u32 b)
{
	u64 state_a = port_line(depot, a)->state, state_b = port_line(depot, b)->state;
	u32 i;

	if (state_parent(state_a) != state_parent(state_b) ||
	    state_count(state_a) != state_count(state_b))
		return false;
	for (i = 0; i < state_count(state_a); i++)
		if (run_frame(port_line(depot, a), state_a, i) !=
		    run_frame(port_line(depot, b), state_b, i))
			return false;
	return true;
}

static void check_unique(struct check *check, u32 number)
{
	struct stackdepot *depot = check->depot;
	u64 next = port_line(depot, number)->link;
	u32 left = depot->nr_lines;

	while (link_is_line(next) && !check->broken) {
		u32 other = next & LINK_NEXT;

		/* In a damaged file a chain can lead into a circle. */
		check_that(check, other <= depot->nr_lines && other != number && left--);
		if (check->broken)
			return;
		check_that(check, !check_same_run(depot, number, other));
		next = port_line(depot, other)->link;
	}
}

static void check_chain(struct check *check, u32 bucket)
{
	struct stackdepot *depot = check->depot;
	u64 next = depot->heads[bucket];

	while (link_is_line(next) && !check->broken) {
		u32 number = next & LINK_NEXT;

		check_that(check, number <= depot->nr_lines && !check->linked[number]++);
		if (check->broken)
			return;
		check_that(check, port_line(depot, number)->state & STATE_LIVE);
		check_that(check, check_bucket(depot, number) == bucket);
		check_unique(check, number);
		next = port_line(depot, number)->link;
		check_that(check, !(next & LINK_DEAD));
	}
}

static void check_line(struct check *check, u32 number)
{
	struct stackdepot *depot = check->depot;
	u64 state = port_line(depot, number)->state;
	u32 level, bit = number;

	if (state & STATE_LIVE) {
		u32 parent = state_parent(state);

		check_that(check, check->children[number] <= state_references(state));
		check_that(check, check->linked[number] || !(state & STATE_TRACE));
		check_that(check, !parent || port_line(depot, parent)->state & STATE_LIVE);
	}
	if (state != STATE_FREE && (!(state & STATE_LIVE) || state_pinned(state)))
		return;
	for (level = 0; level < depot->nr_levels; level++, bit /= 64)
		check_that(check, depot->candidates[level][bit / 64] >> bit % 64 & 1);
}

static void check_all(struct check *check)
{
	struct stackdepot *depot = check->depot;
	u32 number, bucket;

	check_that(check, depot->header->fresh <= depot->nr_lines);
	for (number = 1; number <= depot->nr_lines && !check->broken; number++) {
		u64 state = port_line(depot, number)->state;

		if (state & STATE_LIVE && state_parent(state) <= depot->nr_lines)
			check->children[state_parent(state)]++;
		else
			check_that(check, !(state & STATE_LIVE));
	}
	for (bucket = 0; bucket < depot->nr_buckets && !check->broken; bucket++)
		check_chain(check, bucket);
	for (number = 1; number <= depot->nr_lines && !check->broken; number++)
		check_line(check, number);
}

int stackdepot_check(struct stackdepot *depot)
{
	struct check check = {.depot = depot};
	size_t bytes = (depot->nr_lines + 1ul) * (sizeof(*check.children) + 1);

	check.children = port_scratch_get(bytes);
	if (!check.children)
		return -ENOMEM;
	check.linked = (u8 *)(check.children + depot->nr_lines + 1);
	check_all(&check);
	port_scratch_put(check.children, bytes);
	return check.broken ? -EBADMSG : 0;
}
