/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * chain.c - the hash chains.
 *
 *	head[b]: version | next         link: generation | dead | next
 *	      |
 *	      v
 *	    line 7 ----> line 3 (dead) ----> line 12 ----> end, bucket b
 *
 * After Harris, "A pragmatic implementation of non-blocking linked lists" (2001), and Michael,
 * "High performance dynamic lock-free hash tables and list-based sets" (2002), with two changes: lines
 * are inserted at the head only, and generations take the place of hazard pointers.
 *
 * Invariants:
 *	(A) `next` of a dead line does not change until its next life is linked. A dead line's
 *	    successor can therefore not be unlinked behind its back.
 *	(B) A line is linked only at the head, and every change of a head raises its version. So while
 *	    a head keeps its value nothing was inserted.
 *	(C) A live line's `next` only ever moves towards the end: it never takes a value again that it
 *	    had before in the same life. So a CAS that finds generation and `next` as they were read
 *	    finds nothing changed in between.
 *	(D) Only the holder of a dead line ends its being dead, and only after depot_chain_unlink() of
 *	    its bucket has returned.
 *
 * Traversal. Who holds a pointer to a line cannot tell by the line whether it still is on the chain:
 * in its next life it looks linked from the moment its link is stored, and may yet be given back
 * because the same trace was linked first. So every traversal confirms each step: after the link of
 * a line was read, the word that led there still has its value. If that word is the head, or the link
 * of a live line itself confirmed, then by (B) and (C) the line was behind it all the while: it was
 * linked, and the link that was read leads to its successor. Nobody steps over a dead line, since
 * the successor of one that is unlinked already may be anywhere; it is unlinked first.
 *
 * Uniqueness. Two threads that insert the same run both look first, then change the head they looked
 * at: by (B) the second one's CAS fails, and looking again it meets the first one's line.
 *
 * Progress: lock-free; a traversal begins again only if somebody changed the chain. Nobody waits for
 * the holder of a dead line: whoever meets one unlinks it. So a signal handler may do everything in
 * the middle of anything.
 */
#include "candidates.h"
#include "chain.h"
#include "hold.h"
#include "run.h"

static bool chain_run_equal(struct depot_line *line, u64 state, const struct chain_run *run)
{
	return state & STATE_LIVE && state_parent(state) == run->parent &&
	       state_count(state) == run->nr && run_equal_slow(line, state, run->frames);
}

u32 depot_chain_find(struct stackdepot *depot, u32 bucket, const struct chain_run *run,
		     u64 *ret_head)
{
	u64 *word = &depot->heads[bucket];
	u64 next, head = port_load_acquire(word);

	next = head;
	while (link_is_line(next)) {
		u32 number = next & LINK_VALUE;
		struct depot_line *line = port_line(depot, number);
		u64 link = port_load_acquire(&line->link);
		u64 state = port_load_relaxed(&line->state);

		if (!chain_reached(word, next, link)) {
			depot_chain_unlink(depot, bucket);
			word = &depot->heads[bucket];
			next = head = port_load_acquire(word);
			continue;
		}
		if (chain_run_equal(line, state, run) && depot_pin(depot, depot_ref(number, link)))
			return number;
		word = &line->link;
		next = link;
	}
	*ret_head = head;
	return 0;
}

bool depot_chain_insert(struct stackdepot *depot, u32 bucket, u32 number, u64 head)
{
	struct depot_line *line = port_line(depot, number);
	u64 link = port_load_relaxed(&line->link) >> LINK_GENERATION_SHIFT << LINK_GENERATION_SHIFT;
	u64 version = (head >> LINK_GENERATION_SHIFT) + 1;

	link |= link_is_line(head) ? head & LINK_NEXT : LINK_END | bucket;
	/* Release: who reads the link in this life reads what depot_fill() wrote before. */
	port_store_release(&line->link, link);
	return port_cas(&depot->heads[bucket], &head, version << LINK_GENERATION_SHIFT | number);
}

/* The value of the word before a line, once that line is taken out behind it. */
static u64 chain_without(u64 before, u64 link, bool is_head)
{
	u64 version = before >> LINK_GENERATION_SHIFT;

	return (version + is_head) << LINK_GENERATION_SHIFT | (link & LINK_NEXT);
}

/* One pass from the head; false if it has to be done again. */
static bool chain_unlink_pass(struct stackdepot *depot, u32 bucket)
{
	u64 *word = &depot->heads[bucket];
	u64 before = port_load_acquire(word);

	while (link_is_line(before)) {
		struct depot_line *line = port_line(depot, before & LINK_VALUE);
		u64 link = port_load_acquire(&line->link);

		if (link & LINK_DEAD) {
			u64 after = chain_without(before, link, word == &depot->heads[bucket]);

			if (!port_cas(word, &before, after))
				return false;
			before = after;
			continue;
		}
		/* By (C) the line was linked here, and `link` its, if `word` still points to it. */
		if (port_load_acquire(word) != before)
			return false;
		word = &line->link;
		before = link;
	}
	return true;
}

void depot_chain_unlink(struct stackdepot *depot, u32 bucket)
{
	while (!chain_unlink_pass(depot, bucket))
		;
}
