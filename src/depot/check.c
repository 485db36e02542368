// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * check.c - the invariants of a quiet depot, walked from end to end.
 *
 *	1. A chain holds live lines whose hash may be there.
 *	2. Every live line is on a chain, once; except one given up half way, which nobody named.
 *	3. The parent of a live line is live; a line has at least as many references as children.
 *	4. A line that was used is among the candidates, on every level, unless it is dismissed; a
 *	   dismissed line is pinned.
 *	5. No two lines that are on chains are the same run below the same parent.
 *
 * Linear in the lines: equal runs are found by a table, not by comparing the lines of a chain.
 */
#include "candidates.h"
#include "find.h"
#include "rehash.h"

struct check {
	struct stackdepot *depot;
	u32 *children; /* of each line */
	u32 *runs;     /* lines by what is in them: open addressing, twice as many as lines */
	u8 *linked;    /* how often */
	u32 runs_mask;
	bool broken;
};

static void check_that(struct check *check, bool holds)
{
	if (!holds)
		check->broken = true;
}

static u64 check_state(struct check *check, u32 number)
{
	return atomic64_read(&depot_line(check->depot, number)->state);
}

static bool check_same_run(struct stackdepot *depot, u32 a, u32 b)
{
	struct depot_line *line_a = depot_line(depot, a), *line_b = depot_line(depot, b);
	u64 state_a = atomic64_read(&line_a->state), state_b = atomic64_read(&line_b->state);
	u32 i;

	if (state_parent(state_a) != state_parent(state_b) ||
	    state_count(state_a) != state_count(state_b))
		return false;
	for (i = 0; i < state_count(state_a); i++)
		if (run_frame(line_a, state_a, i) != run_frame(line_b, state_b, i))
			return false;
	return true;
}

/* Where the search in the table begins. */
static u32 check_run_hash(struct stackdepot *depot, u32 number)
{
	struct depot_line *line = depot_line(depot, number);
	u64 state = atomic64_read(&line->state);
	u64 hash = state_parent(state);
	u32 i;

	for (i = 0; i < state_count(state); i++)
		hash = hash_advance(hash ^ hash >> 29 ^ run_frame(line, state, i) ^ depot->keys[0]);
	return (u32)(hash >> 32);
}

/* Enter a line that is on a chain, unless its run is there. */
static void check_unique(struct check *check, u32 number)
{
	u32 slot = check_run_hash(check->depot, number) & check->runs_mask;

	for (; check->runs[slot]; slot = (slot + 1) & check->runs_mask)
		if (check_same_run(check->depot, number, check->runs[slot])) {
			check->broken = true;
			return;
		}
	check->runs[slot] = number;
}

/* Is it one of the chains that a line may be on? */
static bool check_place(struct stackdepot *depot, u32 number, u32 bucket)
{
	const u64 hash =
		depot_rehash(depot, number, atomic64_read(&depot_line(depot, number)->state));
	u32 digits = index_digits(depot, hash);

	while (digits && index_bucket(depot, hash, digits) != bucket)
		digits = index_outer(digits);
	return index_bucket(depot, hash, digits) == bucket;
}

static void check_chain(struct check *check, u32 bucket)
{
	struct stackdepot *depot = check->depot;
	u64 next = atomic64_read(depot_head(depot, bucket));

	while (link_is_line(next) && !check->broken) {
		u32 number = next & LINK_NEXT;

		/* In a damaged file a chain can lead into a circle. */
		check_that(check, number <= depot->nr_lines && !check->linked[number]++);
		if (check->broken)
			return;
		check_that(check, check_state(check, number) & STATE_LIVE);
		check_that(check, check_place(depot, number, bucket));
		check_unique(check, number);
		next = atomic64_read(&depot_line(depot, number)->link);
		check_that(check, !(next & LINK_DEAD));
	}
}

static void check_candidate(struct check *check, u32 number)
{
	struct stackdepot *depot = check->depot;
	u32 level, bit = number;

	for (level = 0; level < depot->nr_levels; level++, bit /= BITS_PER_LONG)
		check_that(check, candidate_test(depot, level, bit));
}

static void check_line(struct check *check, u32 number)
{
	u64 state = check_state(check, number);

	if (state & STATE_LIVE) {
		check_that(check, check->children[number] <= state_references(state));
		check_that(check, check->linked[number] || !(state & STATE_TRACE));
	}
	if (state & STATE_DISMISSED)
		check_that(check, state & STATE_LIVE && state_pinned(state));
	else if (state)
		check_candidate(check, number);
}

static void check_parent(struct check *check, u32 number)
{
	struct stackdepot *depot = check->depot;
	u64 state = check_state(check, number);
	u32 parent = state_parent(state);

	if (!(state & STATE_LIVE))
		return;
	check_that(check, parent <= depot->nr_lines);
	if (!check->broken && parent)
		check_that(check, check_state(check, parent) & STATE_LIVE);
	if (!check->broken)
		check->children[parent]++;
}

static void check_digits(struct check *check)
{
	const u32 digits = READ_ONCE(check->depot->header->digits);
	u32 valid = check->depot->max_digits;

	while (valid && valid != digits)
		valid >>= INDEX_DIGIT_BITS;
	check_that(check, valid == digits);
}

static void check_all(struct check *check)
{
	struct stackdepot *depot = check->depot;
	u32 number, bucket;

	check_that(check, READ_ONCE(depot->header->fresh) <= depot->nr_lines);
	for (number = 1; number <= depot->nr_lines && !check->broken; number++)
		check_parent(check, number);
	check_digits(check);
	for (bucket = 0; bucket < index_buckets(depot) && !check->broken; bucket++)
		check_chain(check, bucket);
	for (number = 1; number <= depot->nr_lines && !check->broken; number++)
		check_line(check, number);
}

int depot_check(struct stackdepot *depot)
{
	struct check check = {.depot = depot, .runs_mask = 1};
	size_t bytes = (depot->nr_lines + 1ul) * (sizeof(*check.children) + 1);

	while (check.runs_mask / 2 < depot->nr_lines)
		check.runs_mask = 2 * check.runs_mask + 1;
	bytes += (check.runs_mask + 1ul) * sizeof(*check.runs);
	check.children = depot_scratch_get(bytes);
	if (!check.children)
		return -ENOMEM;
	check.runs = check.children + depot->nr_lines + 1;
	check.linked = (u8 *)(check.runs + check.runs_mask + 1);
	check_all(&check);
	depot_scratch_put(check.children, bytes);
	return check.broken ? -EBADMSG : 0;
}
