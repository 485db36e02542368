// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * insert.c - where a trace is put in.
 *
 * The longest stored prefix that ends at a group is found and pinned; then the missing runs are
 * linked below it, one after the other, each pinned until its child holds it. A run that somebody
 * else linked meanwhile is taken instead. So at every moment what is linked is whole from the root
 * on, and an insertion that stops half way, for want of lines or because its process was killed,
 * leaves prefixes that are true, that nobody named yet, and that are evicted in their turn.
 */
#include "candidates.h"
#include "chain.h"
#include "take.h"
#include "find.h"
#include "insert.h"

struct insertion {
	struct stackdepot *depot;
	const uintptr_t *frames;
	u32 nr;
	u32 done; /* frames in lines, from the root */
	u32 line; /* the innermost of these, pinned; 0 if none */
	unsigned int flags;
	u64 states[DEPOT_MAX_GROUPS]; /* of the hash, after so many whole groups */
};

/* The hash of the outermost `nr` frames. */
static u64 insert_hash(const struct insertion *in, u32 nr)
{
	uintptr_t pad[DEPOT_GROUP];
	const uintptr_t *frames = in->frames + in->nr - nr;
	const u64 *keys = in->depot->keys;

	return hash_finish(keys, in->states[hash_outer(nr) / DEPOT_GROUP],
			   hash_window(keys, hash_pad(frames, nr, pad)), nr);
}

static void insert_hash_groups(struct insertion *in)
{
	const uintptr_t *group = in->frames + in->nr;
	u32 i, groups = hash_outer(in->nr) / DEPOT_GROUP;

	in->states[0] = 0;
	for (i = 0; i < groups; i++) {
		group -= DEPOT_GROUP;
		in->states[i + 1] =
			hash_advance(in->states[i], hash_window(in->depot->keys, group));
	}
}

/* Pin the longest prefix of whole groups that is stored, the whole trace left out. */
static void insert_find_prefix(struct insertion *in)
{
	u32 nr;

	for (nr = hash_outer(in->nr); nr; nr -= DEPOT_GROUP) {
		struct depot_found found =
			depot_find(in->depot, in->frames + in->nr - nr, nr, insert_hash(in, nr));

		if (found.ref && depot_pin(in->depot, found.ref, 0)) {
			in->line = (u32)found.ref;
			in->done = nr;
			return;
		}
	}
}

/*
 * Fill a line. Its holder alone writes it, yet late readers of its last life may read: by the fence
 * whoever reads one of these frames, and then passes the fence in hold_valid(), sees that life
 * over.
 */
static void insert_fill(struct insertion *in, u32 number, const struct chain_run *run)
{
	struct depot_line *line = depot_line(in->depot, number);
	u64 state = STATE_LIVE | STATE_REFERENCE | depot_stamp(in->depot) | run->parent;
	u32 window = in->done + run->nr;

	smp_wmb(); /* pairs with the barrier in hold_valid() */
	state |= run_store(line, run->frames, run->nr, window);
	state |= (u64)(run->nr - 1) << STATE_COUNT_SHIFT;
	atomic64_set_release(&line->state, state);
}

/*
 * Somebody was first: give a filled line back that was never linked. If somebody with a stale
 * handle has it pinned for a moment, leave it to be evicted. Return: was its parent let go?
 */
static bool insert_discard(struct insertion *in, u32 number)
{
	struct depot_line *line = depot_line(in->depot, number);
	u64 state = atomic64_read(&line->state);

	depot_count(in->depot, COUNT_DUPLICATES);
	while (state_references(state) == 1)
		if (atomic64_try_cmpxchg(&line->state, &state, 0)) {
			u64 link = atomic64_read(&line->link);

			atomic64_set(&line->link, link | LINK_DEAD);
			depot_release(in->depot, number);
			return false;
		}
	depot_unpin(in->depot, number);
	return true;
}

/* Link the next run, or pin the one that is there. False if there is no line to be had. */
static bool insert_run(struct insertion *in)
{
	struct stackdepot *depot = in->depot;
	const u32 nr = depot_run(in->frames, in->nr, in->done);
	const struct chain_run run = {in->frames + in->nr - in->done - nr, nr, in->line};
	const u64 hash = insert_hash(in, in->done + nr);
	u32 number, filled = 0;
	bool parent_held = in->line != 0;
	struct chain_place place;

	while (!(number = depot_chain_find(depot, hash, &run, &place))) {
		if (!filled) {
			filled = depot_take(depot, in->flags);
			if (!filled)
				return false;
			insert_fill(in, filled, &run);
		}
		if (depot_chain_insert(depot, &place, filled)) {
			depot_count(depot, COUNT_LINES_ADDED);
			number = filled;
			filled = 0;
			parent_held = false; /* by us: the new line holds it */
			break;
		}
	}
	if (filled)
		parent_held &= !insert_discard(in, filled);
	if (parent_held)
		depot_unpin(depot, in->line);
	in->line = number;
	in->done += nr;
	return true;
}

u64 depot_insert(struct stackdepot *depot, const uintptr_t *frames, u32 nr, unsigned int flags,
		 bool truncated)
{
	struct insertion in = {.depot = depot, .frames = frames, .nr = nr, .flags = flags};
	u64 state, ref;

	if (flags & STACKDEPOT_FIND)
		return 0;
	insert_hash_groups(&in);
	insert_find_prefix(&in);
	while (in.done < nr)
		if (!insert_run(&in)) {
			if (in.line)
				depot_unpin(depot, in.line);
			return 0;
		}
	/* Pinned, so state and link are of one life. Acquire: see depot_renew(). */
	state = atomic64_read_acquire(&depot_line(depot, in.line)->state);
	ref = depot_ref(in.line, atomic64_read(&depot_line(depot, in.line)->link));
	if (truncated && !(state & STATE_TRACE))
		depot_count(depot, COUNT_TRUNCATED);
	depot_mark(depot, in.line, STATE_TRACE | (flags & STACKDEPOT_KEEP ? STATE_KEPT : 0));
	if (state_age(state, depot_stamp(depot)))
		depot_renew(depot, in.line, state);
	if (!(flags & STACKDEPOT_GET))
		depot_unpin(depot, in.line);
	return ref;
}
