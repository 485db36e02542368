/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * evict.c - where a victim is chosen.
 *
 * Choice. A hand goes round the candidates (candidates.h), as in CLOCK (Corbato, 1968). A line that
 * is neither leased nor visited since the hand last came by is taken at once. Of the others the
 * hand remembers the best: one whose lease has run out before a leased one, of leased ones the
 * oldest. When it has passed EVICT_PATIENCE lines, or has been round, it takes that. So a save
 * examines a bounded number of lines, and in a depot of fewer candidates than that no lease is
 * broken while another line could go; in a larger one the hand meets lines in the order they were
 * filled, which nearly is the order of their leases.
 *
 * Death of a line, by its one holder, in this order:
 *	1. state: live, not pinned -> 0, by CAS. Nobody can pin it any more.
 *	2. link: generation + 1, dead, by CAS. Handles of it are stale, `next` is frozen.
 *	3. It is unlinked from its chain.
 *	4. Its parent is unpinned, and so may die in turn.
 *	5. insert_fill() writes it anew, behind a release fence.
 * 2 before 4: a reader on his way up validates the line he began at only. Were the parent let go
 * first, it could be recycled and read while the child still looked alive. 2 before 5: the same for
 * the line's own frames. 3 before 5: a line is on one chain at a time.
 *
 * Progress: lock-free. Nobody waits for a line between two of these steps; to others it is gone.
 */
#include "candidates.h"
#include "chain.h"
#include "evict.h"
#include "hash.h"
#include "hold.h"
#include "run.h"

#define EVICT_PATIENCE 128u

struct victim {
	u64 state;
	u32 number; /* 0: none */
	u32 rank;   /* 0: take at once; 1: visited; above: leased, the oldest lowest */
};

static u32 victim_rank(struct stackdepot *depot, u64 state)
{
	u32 age = state_age(state, depot_stamp(depot));

	if (depot->lease_ticks && age <= depot->lease_ticks)
		return 2 + depot->lease_ticks - age;
	return state & STATE_VISITED ? 1 : 0;
}

/* The next candidate, the hand moved behind it; 0 if there is none. */
static u32 evict_advance(struct stackdepot *depot)
{
	u32 hand = (u32)port_load_relaxed(&depot->header->hand);
	u32 number = depot_candidate_next(depot, hand);

	if (!number)
		number = depot_candidate_next(depot, 0);
	if (number)
		port_store_relaxed(&depot->header->hand, number + 1);
	return number;
}

/* The search met a pinned line: let it not be met again until it is unpinned. */
static void evict_dismiss(struct stackdepot *depot, u32 number)
{
	u64 state;

	depot_candidate_clear(depot, number);
	state = port_load_seq_cst(&port_line(depot, number)->state);
	if (state == STATE_FREE || (state & STATE_LIVE && !state_pinned(state)))
		depot_candidate_set(depot, number);
}

/* Put the frames of a line in front of the innermost ones known so far. */
static void evict_window(struct depot_line *line, u64 state, uintptr_t *window)
{
	u32 i, count = state_count(state);

	for (i = DEPOT_GROUP; i-- > count;)
		window[i] = window[i - count];
	for (i = 0; i < count; i++)
		window[i] = run_frame(line, state, i);
}

/*
 * The bucket of a line that this caller has claimed, from its frames and its parents'. The way up
 * is noted and the frames hashed on the way down: stacks in kernels have no room for a whole trace.
 */
static u32 evict_bucket(struct stackdepot *depot, u32 number, u64 state)
{
	u32 path[2 * DEPOT_MAX_GROUPS], depth = 0, nr = 0;
	uintptr_t window[DEPOT_GROUP] = {0};
	const u64 leaf_state = state;
	u64 hash = 0;

	do {
		path[depth++] = number;
		number = state_parent(state);
		if (number)
			state = port_load_relaxed(&port_line(depot, number)->state);
	} while (number && depth < 2 * DEPOT_MAX_GROUPS);

	while (depth--) {
		struct depot_line *line = port_line(depot, path[depth]);

		/* The leaf's state was taken away when it was claimed. */
		state = depth ? port_load_relaxed(&line->state) : leaf_state;
		evict_window(line, state, window);
		nr += state_count(state);
		if (depth && nr % DEPOT_GROUP == 0)
			hash = hash_advance(hash, hash_window(depot->keys, window));
	}
	return hash_bucket(depot, hash_finish(depot->keys, hash,
					      hash_window(depot->keys, window), nr));
}

/* Steps 1 to 4 above. False if the line is no longer in that state. */
static bool evict_claim(struct stackdepot *depot, const struct victim *victim)
{
	struct depot_line *line = port_line(depot, victim->number);
	u64 state = victim->state;
	u64 link, dead;

	if (!port_cas(&line->state, &state, 0))
		return false;
	if (victim->state == STATE_FREE)
		return true;
	link = port_load_relaxed(&line->link);
	do {
		dead = ((link >> LINK_GENERATION_SHIFT) + 1) << LINK_GENERATION_SHIFT;
		dead |= LINK_DEAD | (link & LINK_NEXT);
	} while (!port_cas(&line->link, &link, dead));
	depot_chain_unlink(depot, evict_bucket(depot, victim->number, victim->state));
	if (state_parent(victim->state))
		(void)depot_unpin(depot, state_parent(victim->state));
	depot_count(depot, COUNT_EVICTIONS);
	if (victim->rank > 1)
		depot_count(depot, COUNT_LEASES_BROKEN);
	return true;
}

/* Look at a candidate: taken, or else remembered if it is the best so far. */
static bool evict_consider(struct stackdepot *depot, u32 number, struct victim *best)
{
	struct depot_line *line = port_line(depot, number);
	struct victim victim = {.state = port_load_seq_cst(&line->state), .number = number};

	if (victim.state == STATE_FREE)
		return evict_claim(depot, &victim) && (*best = victim, true);
	if (!(victim.state & STATE_LIVE) || state_pinned(victim.state)) {
		evict_dismiss(depot, number);
		return false;
	}
	victim.rank = victim_rank(depot, victim.state);
	if (!victim.rank)
		return evict_claim(depot, &victim) && (*best = victim, true);
	if (victim.rank == 1) {
		u64 visited = victim.state;

		victim.state &= ~STATE_VISITED;
		if (!port_cas(&line->state, &visited, victim.state))
			return false;
	}
	if (!best->number || victim.rank < best->rank)
		*best = victim;
	return false;
}

/* A line by eviction; 0 if all are pinned. */
static u32 evict(struct stackdepot *depot)
{
	for (;;) {
		struct victim best = {.number = 0};
		u32 first = 0, passed;

		for (passed = 0; passed < EVICT_PATIENCE; passed++) {
			u32 number = evict_advance(depot);

			if (!number || (number == first && best.number))
				break;
			if (evict_consider(depot, number, &best))
				return best.number;
			if (!first)
				first = number;
		}
		if (best.number && evict_claim(depot, &best))
			return best.number;
		if (!best.number && !depot_candidate_next(depot, 0))
			return 0;
	}
}

/* A line never used before; 0 if there is none, -ENOMEM if the port has no memory for it. */
static int take_fresh(struct stackdepot *depot, unsigned int flags, u32 *ret_number)
{
	u64 fresh = port_load_relaxed(&depot->header->fresh);

	(void)flags;
	do {
		if (fresh >= depot->nr_lines)
			return 0;
		if (!port_populate(depot, (u32)fresh + 1, flags))
			return -ENOMEM;
	} while (!port_cas(&depot->header->fresh, &fresh, fresh + 1));
	*ret_number = (u32)fresh + 1;
	return 0;
}

u32 depot_take(struct stackdepot *depot, unsigned int flags)
{
	u32 number = 0;
	int error = take_fresh(depot, flags, &number);

	if (number)
		return number;
	if (flags & STACKDEPOT_NO_EVICT) {
		depot_count(depot, error ? COUNT_DROPS_NO_MEMORY : COUNT_DROPS_NO_EVICT);
		return 0;
	}
	number = evict(depot);
	if (!number)
		depot_count(depot, error ? COUNT_DROPS_NO_MEMORY : COUNT_DROPS_PINNED);
	return number;
}

void depot_release(struct stackdepot *depot, u32 number)
{
	u64 state = 0;

	/*
	 * By CAS, for the total order that candidates.h asks for: a plain store would not be in it.
	 */
	(void)port_cas(&port_line(depot, number)->state, &state, STATE_FREE);
	depot_candidate_set(depot, number);
}
