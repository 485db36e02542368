// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * death.c - how the life of a line ends.
 *
 * By its one holder, in this order:
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
#include "chain.h"
#include "death.h"
#include "hold.h"
#include "rehash.h"

/* Step 2. */
static void death_stale(struct depot_line *line)
{
	u64 link = atomic64_read(&line->link);
	u64 dead;

	do {
		dead = ((link >> LINK_GENERATION_SHIFT) + 1) << LINK_GENERATION_SHIFT;
		dead |= LINK_DEAD | (link & LINK_NEXT);
	} while (!atomic64_try_cmpxchg(&line->link, &link, dead));
}

bool depot_claim(struct stackdepot *depot, u32 number, u64 state)
{
	struct depot_line *line = depot_line(depot, number);
	u64 seen = state;

	if (!atomic64_try_cmpxchg(&line->state, &seen, 0))
		return false;
	if (state == STATE_FREE)
		return true;
	death_stale(line);
	depot_chain_unlink(depot, depot_rehash(depot, number, state));
	if (state_parent(state))
		depot_unpin(depot, state_parent(state));
	depot_count(depot, COUNT_EVICTIONS);
	return true;
}
