/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The walk that is verified rather than walked.
 *
 * A walk is a function of where it starts (pc, sp, fp), the words it reads, and the unwind tables.
 * So a thread keeps its last walk:
 *
 *	kept:   [ unused ... | top ........ i, i+1 ........ last ]
 *	                       innermost                outermost
 *
 * What a step reads is a return address, always, and a saved fp, often. But a saved fp matters only
 * if a frame further out is found by fp before yet another one is read: in most programs nearly
 * never. So fp is compared where it is used, not where it is saved. A frame that uses it has a
 * check: the word that fp was read from (its *source*), and its value.
 *
 *	K1  If frame i is on the stack now (its pc and sp), the word its step takes for the return
 *	    address is pc[i+1], and its checks hold, then i+1 is its caller. For the last frame:
 *	    then it is the outermost one.
 *	K2  The source of a check is where the frames kept say that fp was read last before; if
 *	    this was before the innermost of them, it is below that one's sp.
 *	K3  No word outside the own stack is read but `unwind_chain_never`, and the unwinder's words
 *	    for modules.
 *	K4  What K1 says does not depend on tables that may change. A frame whose step does has a
 *	    check that never holds; but one in an unloadable module that can be told from others has
 *	    a check that holds if this walk found that module loaded where it was.
 *
 * The next walk goes frame by frame until it meets a kept one: equal pc, equal sp, and equal fp if
 * that is used before one is read from a frame further out, as checks with a source below sp tell;
 * those of modules may be among them. Their source is now where this walk got its fp from. Then the
 * words of all frames from there outwards are compared. At the first that differs the step is taken
 * anew from the tables; if that meets the next kept frame, comparing goes on, else the walk is on
 * its own again. Nothing kept is believed before it is verified, so it does not matter what the
 * thread did in between: stale frames cost time, not truth.
 *
 * Kept frames are sought by sp, in a map that may be wrong: what it names is looked at.
 *
 * The new frames are collected apart and then put before those found unchanged, which stay where
 * they are: their number is what a stackdepot_cursor wants to know.
 *
 * One thread's memory, so no ordering to think of; the signal handlers of the thread are kept out
 * by stackdepot_unwind().
 */
#include "chain.h"

/* The frame added last leads to one that is not kept. */
static void fresh_cut(struct chain_walk *c)
{
	struct unwind_chain *fresh = &c->u->fresh;

	if (!c->fresh)
		return;
	c->checks = frame_check(fresh->frame[c->fresh - 1]);
	check_set(&fresh->check[c->checks++], &unwind_chain_never, 1);
}

/* Walk until a kept frame is met (WALK_ON), or there is nothing more to walk. */
static inline enum unwind_outcome walk_fresh(struct chain_walk *outer, uint32_t *ret_check)
{
	struct chain_walk c = *outer; /* a copy is kept in registers */
	struct unwind_chain *fresh = &c.u->fresh;
	enum unwind_outcome outcome = WALK_ON;
	struct chain_step step;

	step.u = c.u;
	for (;;) {
		int32_t sp = sp_words(&c.walk->stack, c.at.sp);
		uint32_t i = *map_slot(c.u, sp);

		if (chain_is_at(&c, i, ret_check)) {
			c.kept = i;
			break;
		}
		if (__builtin_expect(c.fresh == c.size, 0)) {
			outcome = WALK_CUT;
			break;
		}
		fresh->pc[c.fresh] = c.at.pc;
		step.check = &fresh->check[c.checks];
		outcome = step_take(c.walk, &c.at, &step);
		fresh->frame[c.fresh++] = frame_pack(sp, c.checks, step.save);
		c.checks += step.checks;
		if (__builtin_expect(outcome != WALK_ON, 0))
			break;
	}
	if (outcome == WALK_CUT)
		fresh_cut(&c);
	if (outcome != WALK_ON)
		c.kept = CHAIN_FRAMES;
	outer->at = c.at;
	outer->kept = c.kept;
	outer->fresh = c.fresh;
	outer->checks = c.checks;
	return outcome;
}

/* Put the fresh frames before the kept ones from c->kept on; @limit: as far as these are needed. */
static inline void settle(struct chain_walk *c, uint32_t limit)
{
	struct unwind_chain *kept = &c->u->kept, *fresh = &c->u->fresh;
	uint32_t i, checks = checks_begin(kept, c->kept);

	if (__builtin_expect(c->fresh > c->kept || c->checks > checks, 0)) {
		/* no room: move, dropping the outermost */
		unwind_chain_copy(c, c->kept, limit - 1);
		if (limit < CHAIN_FRAMES)
			fresh_cut(c);
		c->kept = CHAIN_FRAMES;
		checks = CHAIN_CHECKS;
	}
	/* a step that was taken anew may have other checks */
	memo_unchanged(&c->u->memo, c->stepped ? 0 : CHAIN_FRAMES - c->kept);
	if (c->u->portable_from < c->kept)
		c->u->portable_from = c->kept;
	c->kept -= c->fresh;
	checks -= c->checks;
	for (i = 0; i < c->fresh; i++) {
		uint64_t frame = fresh->frame[i];

		word_set(&kept->pc[c->kept + i], fresh->pc[i]);
		word_set(&kept->frame[c->kept + i], frame_shift(frame, checks));
		*map_slot(c->u, frame_sp(frame)) = (uint16_t)(c->kept + i);
	}
	for (i = 0; i < c->checks; i++)
		check_set(&kept->check[checks + i], fresh->check[i].slot, fresh->check[i].word);
	c->u->top = c->kept;
}

static enum unwind_outcome chain_run(struct chain_walk *c, uintptr_t skip, uint32_t *ret_limit)
{
	struct unwind_check check[2];
	enum unwind_outcome outcome;
	uint32_t from;
	struct chain_step step;

	*ret_limit = CHAIN_FRAMES;
	step.check = check;
	step.u = c->u;
	for (; skip; skip--) {
		if (step_take(c->walk, &c->at, &step) != WALK_ON)
			return WALK_FULL;
	}
	for (;;) {
		outcome = walk_fresh(c, &from);
		if (outcome != WALK_ON)
			return outcome;
		outcome = unwind_chain_verify(c, from, ret_limit);
		if (outcome != WALK_ON)
			return outcome;
	}
}

/* How many of the innermost frames are certain: those up to the first that leads on by a guess. */
static uint32_t chain_certain(struct stackdepot_unwinder *u)
{
	uint32_t i;

	for (i = u->top; u->guesses && i < CHAIN_FRAMES; i++) {
		if (frame_save(u->kept.frame[i]) & SAVE_GUESS)
			return i + 1 - u->top;
	}
	u->guesses = false;
	return CHAIN_FRAMES;
}

enum unwind_outcome unwind_chain_walk(struct stackdepot_unwinder *u,
				      const struct stackdepot_unwind_start *start,
				      unsigned int size, struct stackdepot_unwind_trace *ret_trace)
{
	struct chain_walk c;
	struct unwind_walk walk;
	enum unwind_outcome outcome;
	uint32_t limit, unchanged, verified;
	bool complete;

	unwind_walk_begin(&walk, &u->own);
	walk.stack.lo = u->own.lo;
	walk.stack.hi = u->own.hi;
	c.walk = &walk;
	/* a source below every frame: the register itself */
	c.at = (struct chain_place){start->pc, start->sp, start->fp, start->sp - 8};
	c.u = u;
	c.kept = u->top;
	c.fresh = c.checks = c.stepped = 0;
	c.size = size;
	modules_begin(&u->modules);
	outcome = start->sp & 7 ? WALK_FULL : chain_run(&c, start->skip, &limit);
	if (outcome == WALK_FULL) {
		u->top = CHAIN_FRAMES; /* some checks have sources in frames not kept */
		return outcome;
	}
	unchanged = CHAIN_FRAMES - c.kept;
	verified = limit > c.kept ? limit - c.kept - c.stepped : 0;
	complete = outcome != WALK_CUT;
	settle(&c, limit);
	ret_trace->frames = &u->kept.pc[u->top];
	ret_trace->nr = complete ? CHAIN_FRAMES - u->top : size;
	ret_trace->unchanged = complete && u->complete ? unchanged : 0;
	ret_trace->verified = verified;
	ret_trace->certain = ret_trace->nr;
	if (__builtin_expect(u->guesses, 0)) {
		uint32_t certain = chain_certain(u);

		if (certain < ret_trace->nr)
			ret_trace->certain = certain;
	}
	u->complete = complete;
	return outcome;
}
