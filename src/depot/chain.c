// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * chain.c - the hash chains.
 *
 *	head[b]: version | next         link: generation | dead | next
 *	      |
 *	      v
 *	    line 7 ----> line 3 (dead) ----> line 12 ----> 0
 *
 * After Harris, "A pragmatic implementation of non-blocking linked lists" (2001), and Michael,
 * "High performance dynamic lock-free hash tables and list-based sets" (2002), with two changes:
 * lines are inserted at the head only, and generations take the place of hazard pointers.
 *
 * Invariants:
 *	(A) `next` of a dead line does not change until its next life begins. A dead line's
 *	    successor can therefore not be unlinked behind its back: it has to be unlinked first.
 *	(B) A line is linked only at the head, and every change of a head raises its version. So
 *	    while a head keeps its value nothing was inserted into the chain.
 *	(C) A linked line's `next` only ever moves towards the end: it never takes a value again
 *	    that it had before in the same life. So a CAS that finds generation and `next` as they
 *	    were read finds nothing changed in between.
 *	(D) A line is unlinked only when it is dead, and its holder begins its next life only after
 *	    depot_chain_unlink() of its hash has returned.
 *
 * Steps. A line that is filled but not yet linked looks alive, and its holder may give it up. A
 * traversal that stood before the line in its last life could step onto it. So each step is
 * confirmed: the link of the new line is read first, then the word that led there is found
 * unchanged. By induction from the head every line stepped onto was linked, in the life its link
 * tells, when the step was confirmed: the word before was the head's or belonged to a line that was
 * linked in that life, was not dead, and so, by (D), still linked. Nobody steps on from a dead
 * line; it is unlinked first.
 *
 * Uniqueness. Two threads that insert the same run both look first, then change the head they
 * looked at: by (B) the second one's CAS fails, and looking again it meets the first one's line.
 * A look-up that stepped along the chain to its end, each step confirmed, is as good as a search
 * here: what it passed dead or found to be another run is so still. While the index grows they may
 * look at two heads: index.h says why that does no harm.
 *
 * Progress: lock-free. Nobody waits for the holder of a dead line: whoever meets one unlinks it. So
 * a signal handler may do everything in the middle of anything.
 */
#include "candidates.h"
#include "chain.h"
#include "hold.h"
#include "index.h"
#include "run.h"

/* A place in a chain: a word, what it was when it was read, and the line that it leads to. */
struct chain_step {
	atomic64_t *head;
	atomic64_t *word;
	u64 value;
	struct depot_line *line;
	u64 link;  /* of the line */
	u64 first; /* what the head was, or was made here since */
	u32 left;  /* steps: a chain has no more than there are lines */
};

/* The value of the word before a line, once that line is taken out behind it. */
static u64 chain_without(const struct chain_step *step)
{
	u64 version = (step->value >> LINK_GENERATION_SHIFT) + (step->word == step->head);

	return version << LINK_GENERATION_SHIFT | (step->link & LINK_NEXT);
}

/*
 * A chain without an end is one that somebody else wrote to. It is cut off at its head, unless that
 * changed since the chain was begun. Lines that were on it are found no more; those that nobody
 * holds are evicted one day.
 */
static void chain_cut(struct stackdepot *depot, atomic64_t *head, u64 first)
{
	u64 empty = ((first >> LINK_GENERATION_SHIFT) + 1) << LINK_GENERATION_SHIFT;

	if (atomic64_try_cmpxchg(head, &first, empty))
		depot_count(depot, COUNT_CHAINS_CUT);
}

/* In front of the first line. */
static __always_inline void chain_begin(struct stackdepot *depot, atomic64_t *head,
					struct chain_step *step)
{
	step->head = head;
	step->word = head;
	step->left = depot->nr_lines;
	step->value = atomic64_read_acquire(head);
	step->first = step->value;
}

/*
 * Step onto the line behind step->value, dead ones unlinked. 1; 0 at the end; -EAGAIN: begin anew.
 */
static __always_inline int chain_enter(struct stackdepot *depot, struct chain_step *step)
{
	while (link_is_line(step->value)) {
		u64 after;

		if (!step->left--) {
			chain_cut(depot, step->head, step->first);
			return -EAGAIN;
		}
		step->line = depot_line(depot, step->value & LINK_NEXT);
		step->link = atomic64_read_acquire(&step->line->link);
		if (!(step->link & LINK_DEAD))
			return atomic64_read_acquire(step->word) == step->value ? 1 : -EAGAIN;
		after = chain_without(step);
		if (!atomic64_try_cmpxchg(step->word, &step->value, after))
			return -EAGAIN;
		step->value = after;
		if (step->word == step->head)
			step->first = after;
	}
	return 0;
}

/* In front of the line behind. */
static __always_inline void chain_pass(struct chain_step *step)
{
	step->word = &step->line->link;
	step->value = step->link;
}

static bool chain_run_equal(struct depot_line *line, const struct chain_run *run)
{
	u64 state;

	if (likely(!run_begins(line, run->frames[0])))
		return false;
	state = atomic64_read_acquire(&line->state);
	return state & STATE_LIVE && state_parent(state) == run->parent &&
	       state_count(state) == run->nr && run_equal_slow(line, state, run->frames);
}

/*
 * Look through one chain. *ret_ref is the line with the run, pinned, or 0. 0; -EAGAIN: begin anew.
 */
static __always_inline int chain_search(struct stackdepot *depot, atomic64_t *head,
					const struct chain_run *run, u64 *ret_value, u64 *ret_ref)
{
	struct chain_step step __uninitialized;
	int more;

	*ret_ref = 0;
	for (chain_begin(depot, head, &step); (more = chain_enter(depot, &step)) > 0;
	     chain_pass(&step)) {
		const u64 ref = depot_ref((u32)(step.value & LINK_NEXT), step.link);

		if (chain_run_equal(step.line, run) && depot_pin(depot, ref, 0)) {
			*ret_ref = ref;
			return 0;
		}
	}
	*ret_value = step.first;
	return more;
}

u64 depot_chain_find(struct stackdepot *depot, u64 hash, const struct chain_run *run,
		     struct chain_place *ret_place)
{
	u64 value, ref;
	u32 digits;
	int again;

	do {
		digits = index_digits(depot, hash);
		ret_place->digits = digits;
		again = chain_search(depot, index_open_head(depot, hash, digits), run,
				     &ret_place->value, &ref);
		while (!again && !ref && digits) {
			digits = index_outer(digits);
			again = chain_search(depot, index_head(depot, hash, digits), run, &value,
					     &ref);
		}
	} while (again && !ref);
	return ref;
}

/* What the head of the innermost chain has to be for a place to be good; false if it cannot be. */
static __always_inline bool chain_reach(struct stackdepot *depot, u64 hash, u32 digits,
					const struct chain_place *place, u64 *ret_value)
{
	*ret_value = place->value;
	if (likely(place->digits == digits))
		return true;
	*ret_value = 0;
	return digits && index_outer(digits) == place->digits &&
	       index_raise(index_head(depot, hash, place->digits), place->value);
}

u64 depot_chain_insert(struct stackdepot *depot, u64 hash, const struct chain_place *place,
		       u32 number)
{
	/* Read later than the head of the place: an index that grew before is seen here. */
	const u32 digits = index_digits(depot, hash);
	struct depot_line *line = depot_line(depot, number);
	u64 generation = atomic64_read(&line->link) >> LINK_GENERATION_SHIFT, version, head;

	if (!chain_reach(depot, hash, digits, place, &head))
		return 0;
	version = (head >> LINK_GENERATION_SHIFT) + 1;
	/* Release: who reads the link in this life reads what insert_fill() wrote before. */
	atomic64_set_release(&line->link, generation << LINK_GENERATION_SHIFT | (head & LINK_NEXT));
	if (!atomic64_try_cmpxchg(index_head(depot, hash, digits), &head,
				  version << LINK_GENERATION_SHIFT | number))
		return 0;
	return generation << LINK_GENERATION_SHIFT | number;
}

void depot_chain_tidy(struct stackdepot *depot, atomic64_t *head)
{
	struct chain_step step __uninitialized;
	int more;

	do {
		chain_begin(depot, head, &step);
		while ((more = chain_enter(depot, &step)) > 0)
			chain_pass(&step);
	} while (more);
}

void depot_chain_unlink(struct stackdepot *depot, u64 hash)
{
	u32 digits = index_digits(depot, hash);

	for (; digits; digits = index_outer(digits))
		depot_chain_tidy(depot, index_head(depot, hash, digits));
	depot_chain_tidy(depot, index_head(depot, hash, 0));
}
