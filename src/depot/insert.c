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
	unsigned int flags;
	u64 ref;    /* the innermost of these lines, pinned; 0 if none */
	u64 linked; /* what its state was when it was linked here; or 0 */
	/* For each whole group, the hash's state in front of it ^ the window over it. */
	u64 *mixed;
	struct chain_place *whole; /* where all of it belongs; or NULL */
	struct chain_place prefix; /* where its outermost `prefix_nr` do, which were missed */
	u32 prefix_nr;
};

static void insert_hash_groups(struct insertion *in)
{
	const uintptr_t *group = in->frames + in->nr;
	u32 i, groups = in->nr / DEPOT_GROUP;
	u64 state = 0;

	for (i = 0; i < groups; i++) {
		group -= DEPOT_GROUP;
		in->mixed[i] = state ^ hash_window(in->depot->keys, group);
		state = hash_advance(in->mixed[i]);
	}
}

/* The hash with the next run, which `window` begins with. */
static u64 insert_hash(const struct insertion *in, u32 nr, const uintptr_t *window)
{
	const u64 *keys = in->depot->keys;
	const u32 groups = nr / DEPOT_GROUP;
	u64 state = 0;

	if (nr % DEPOT_GROUP == 0)
		return hash_finish(keys, in->mixed[groups - 1], nr);
	if (groups)
		state = hash_advance(in->mixed[groups - 1]);
	return hash_finish(keys, state ^ hash_window(keys, window), nr);
}

/* Pin the longest prefix of whole groups that is stored, the whole trace left out. */
static void insert_find_prefix(struct insertion *in)
{
	u32 nr;

	for (nr = hash_outer(in->nr); nr; nr -= DEPOT_GROUP) {
		const uintptr_t *frames = in->frames + in->nr - nr;
		const struct find_trace prefix = {.frames = frames, .window = frames, .nr = nr};
		const u64 mixed = in->mixed[nr / DEPOT_GROUP - 1];
		const u64 hash = hash_finish(in->depot->keys, mixed, nr);
		struct chain_place place __uninitialized;
		struct depot_found found = find_line(in->depot, &prefix, hash, &place);

		if (found.ref && depot_pin(in->depot, found.ref, 0)) {
			in->ref = found.ref;
			in->done = nr;
			return;
		}
		if (find_noted(&place)) {
			in->prefix = place;
			in->prefix_nr = nr;
		}
	}
}

/*
 * Fill a line, and return its state. Its holder alone writes it, yet late readers of its last life
 * may read: by the fence whoever reads one of these frames, and then passes the fence in
 * hold_valid(), sees that life over. Nobody has leased it so far, and an outer part nobody will.
 */
static u64 insert_fill(struct stackdepot *depot, u32 number, const struct chain_run *run,
		       const uintptr_t *window)
{
	struct depot_line *line = depot_line(depot, number);
	u64 state =
		depot_stamp(depot) ^ (STATE_HALF_TURN | STATE_LIVE | STATE_REFERENCE | run->parent);

	smp_wmb(); /* pairs with the barrier in hold_valid() */
	state |= run_store(line, window, run->nr);
	if (unlikely(state & STATE_WIDE && !READ_ONCE(depot->header->wide)))
		WRITE_ONCE(depot->header->wide, 1);
	state |= (u64)(run->nr - 1) << STATE_COUNT_SHIFT;
	atomic64_set_release(&line->state, state);
	return state;
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

/* Where so many outermost frames belong, if they were looked for before. */
static struct chain_place insert_place(const struct insertion *in, u32 nr)
{
	if (in->whole && nr == in->nr)
		return *in->whole;
	if (nr == in->prefix_nr)
		return in->prefix;
	return (struct chain_place){.digits = CHAIN_NOWHERE};
}

/* Link the next run, or pin the one that is there. False if there is no line to be had. */
static bool insert_run(struct insertion *in)
{
	struct stackdepot *depot = in->depot;
	const u32 nr = depot_run(in->frames, in->nr, in->done), parent = (u32)in->ref;
	const struct chain_run run = {in->frames + in->nr - in->done - nr, nr, parent};
	uintptr_t pad[DEPOT_GROUP] __uninitialized;
	const uintptr_t *window = hash_pad(run.frames, in->done + nr, pad);
	const u64 hash = insert_hash(in, in->done + nr, window);
	u64 ref, state = 0;
	u32 filled = 0;
	bool parent_held = parent != 0;
	struct chain_place place = insert_place(in, in->done + nr);

	in->linked = 0;
	for (;;) {
		if (place.digits == CHAIN_NOWHERE) {
			ref = depot_chain_find(depot, hash, &run, &place);
			if (ref)
				break;
		}
		if (!filled) {
			filled = depot_take(depot, in->flags);
			if (!filled)
				return false;
			state = insert_fill(depot, filled, &run, window);
		}
		ref = depot_chain_insert(depot, hash, &place, filled);
		if (ref) {
			depot_count(depot, COUNT_LINES_ADDED);
			in->linked = state;
			filled = 0;
			parent_held = false; /* by us: the new line holds it */
			break;
		}
		place.digits = CHAIN_NOWHERE;
	}
	if (filled)
		parent_held &= !insert_discard(in, filled);
	if (parent_held)
		depot_unpin(depot, parent);
	in->ref = ref;
	in->done += nr;
	return true;
}

/* What the state of a line that was just filled is to have else. */
static u64 insert_marks(unsigned int flags)
{
	if (flags & STACKDEPOT_KEEP)
		return STATE_TRACE | STATE_KEPT;
	return flags & STACKDEPOT_GET ? STATE_TRACE : STATE_TRACE | STATE_HALF_TURN;
}

/*
 * Hold the trace as the flags say, and not by our pin any more: at once if the line is as it was
 * linked here.
 */
static void insert_settle(const struct insertion *in, bool truncated)
{
	struct stackdepot *depot = in->depot;
	struct depot_line *line = depot_line(depot, (u32)in->ref);
	const u64 marks = insert_marks(in->flags);
	const bool get = in->flags & STACKDEPOT_GET; /* our pin becomes the caller's reference */
	u64 state = in->linked, held = (get ? state : state - STATE_REFERENCE) ^ marks;

	if (likely(state && atomic64_try_cmpxchg(&line->state, &state, held))) {
		depot_count(depot, COUNT_SAVED);
		if (truncated)
			depot_count(depot, COUNT_TRUNCATED);
		return;
	}
	/* Acquire: see depot_renew(). */
	state = atomic64_read_acquire(&line->state);
	if (truncated && !(state & STATE_TRACE))
		depot_count(depot, COUNT_TRUNCATED);
	depot_mark(depot, (u32)in->ref, marks & ~STATE_HALF_TURN);
	if (marks & STATE_HALF_TURN && state_age(state, depot_stamp(depot)))
		depot_renew(depot, (u32)in->ref, state);
	if (!get)
		depot_unpin(depot, (u32)in->ref);
}

u64 depot_insert(struct stackdepot *depot, const uintptr_t *frames, u32 nr, unsigned int flags,
		 struct chain_place *place)
{
	const bool truncated = nr > depot->max_frames;
	u64 mixed[DEPOT_MAX_GROUPS] __uninitialized;
	struct insertion in = {.depot = depot,
			       .frames = frames,
			       .nr = truncated ? depot->max_frames : nr,
			       .flags = flags,
			       .mixed = mixed,
			       .whole = place};

	if (flags & STACKDEPOT_FIND)
		return 0;
	insert_hash_groups(&in);
	insert_find_prefix(&in);
	while (in.done < in.nr)
		if (!insert_run(&in)) {
			if (in.ref)
				depot_unpin(depot, (u32)in.ref);
			return 0;
		}
	insert_settle(&in, truncated);
	return in.ref;
}
