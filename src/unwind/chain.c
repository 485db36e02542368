/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The walk that is verified rather than walked.
 *
 * A walk is a function of the state it starts with (pc, sp, fp), the words it reads, and the unwind
 * tables. So a thread keeps its last walk, each frame with its state and the words its step read:
 *
 *	kept:   [ unused ... | top ........ i, i+1 ........ last ]
 *	                       innermost                outermost
 *
 *	K1  If frame i's state is that of a frame on the stack now, and the words of its checks are
 *	    in memory now, then i+1's state is that of its caller now. For the last frame: then it
 *	    is the outermost one.
 *	K2  No check reads outside the own stack.
 *	K3  What K1 says does not depend on tables that may change. A frame whose step does, or
 *	    reads more than two words, has a check that never holds.
 *
 * The next walk goes frame by frame until its state equals that of a kept frame, then compares the
 * words of all frames from there outwards. At the first that differs it takes the step anew from
 * the tables; if that leads where it led before, comparing goes on, else the walk is on its own
 * again, until it meets another kept frame. Nothing kept is believed before it is verified, so it
 * does not matter what the thread did in between: stale frames cost time, not truth.
 *
 * The new frames are collected apart and then put before those found unchanged, which stay where
 * they are: their number is what a stackdepot_cursor wants to know.
 *
 * One thread's memory, so no ordering to think of; the signal handlers of the thread are kept out
 * by stackdepot_unwind().
 */
#include "walk.h"

/* One walk. */
struct chase {
	struct unwind_walk *walk;
	struct unwind_state at;
	struct stackdepot_unwinder *u;
	uint32_t kept; /* no kept frame before this one can be met any more */
	uint32_t fresh; /* frames collected */
	uint32_t checks; /* of these */
	uint32_t size;
	uint32_t stepped; /* kept frames whose step was taken anew and was the same */
};

/* What a step read. */
struct step {
	uint64_t rule; /* of the rare ones */
	uint32_t checks; /* 2: both, 1: the first; 0: the step is to be taken anew in each walk */
	bool ended; /* no check either, as there is nothing to check */
	struct unwind_check *check; /* room for two: of the return address, of the frame pointer */
};

/*
 * Words are moved one by one. Vectors are no gain for so few, and to read as one what was just
 * written as two takes the processor as long as the rest of a step.
 */
static inline uintptr_t one_word(uintptr_t word)
{
	__asm__("" : "+r"(word));
	return word;
}

static inline void check_set(struct unwind_check *check, const uintptr_t *slot, uintptr_t word)
{
	check->slot = (const uintptr_t *)one_word((uintptr_t)slot);
	check->word = one_word(word);
}

static inline void frame_set(struct unwind_frame *frame, uintptr_t sp, uintptr_t fp, uint32_t check)
{
	frame->sp = one_word(sp);
	frame->fp = one_word(fp);
	frame->check = check;
}

static const uintptr_t never; /* a check that wants 1 here does not hold */

static bool state_is(const struct unwind_chain *chain, uint32_t i, const struct unwind_state *state)
{
	return chain->frame[i].sp == state->sp && chain->pc[i] == state->pc &&
	       chain->frame[i].fp == state->fp;
}

static uint32_t checks_begin(const struct unwind_chain *chain, uint32_t i)
{
	return i < CHAIN_FRAMES ? chain->frame[i].check : CHAIN_CHECKS;
}

static inline bool in_range(const struct unwind_stack *stack, uintptr_t address)
{
	return address - stack->lo <= stack->hi - stack->lo - 8;
}

/* With the frame's end known: read what is there. */
static enum unwind_outcome step_to(const struct unwind_stack *stack, uintptr_t cfa,
				   uintptr_t fp_slot, struct unwind_state *state, struct step *step)
{
	uintptr_t ra_slot = cfa + rule_ra_slot(step->rule), ra, fp;

	if (cfa <= state->sp || !in_range(stack, ra_slot) || !in_range(stack, fp_slot))
		return WALK_FULL;
	ra = arch_load(ra_slot);
	fp = arch_load(fp_slot);
	check_set(&step->check[0], (const uintptr_t *)ra_slot, ra);
	check_set(&step->check[1], (const uintptr_t *)fp_slot, fp);
	step->checks = step->rule & RULE_RECHECK ? 0 : step->rule & RULE_FP_SAVED ? 2 : 1;
	if (step->rule & RULE_FP_SAVED)
		state->fp = fp;
	state->sp = cfa;
	state->pc = arch_strip(ra);
	return state->pc ? WALK_ON : WALK_END;
}

/* The steps that are not a matter of two additions. */
static __attribute__((noinline)) enum unwind_outcome
step_rare(struct unwind_walk *walk, struct unwind_state *state, struct step *step)
{
	const struct unwind_stack *stack = &walk->stack;
	struct unwind_stack copy = *stack;
	uintptr_t cfa;

	step->rule = rule_for(state->pc, &walk->module);
	step->checks = 0;
	switch (rule_kind(step->rule)) {
	case RULE_SP:
		cfa = state->sp + rule_cfa(step->rule);
		return step_to(stack, cfa, cfa + rule_fp_slot(step->rule), state, step);
	case RULE_FP:
		cfa = state->fp + rule_cfa(step->rule);
		return step_to(stack, cfa, cfa + rule_fp_slot(step->rule), state, step);
	case RULE_REALIGNED: /* reads three words */
		step->rule |= RULE_RECHECK;
		cfa = state->fp + rule_cfa(step->rule);
		if (!in_range(stack, cfa))
			return WALK_FULL;
		return step_to(stack, arch_load(cfa), state->fp, state, step);
	case RULE_END:
		step->ended = !(step->rule & RULE_RECHECK);
		return WALK_END;
	case RULE_NONE:
		return unwind_arch_maybe_signal(&copy, state->sp) ? WALK_FULL : WALK_LOST;
	default:
		return WALK_FULL;
	}
}

/* @state becomes the caller's. Both words are read in any case: a branch would cost more. */
static inline __attribute__((always_inline)) enum unwind_outcome
step_take(struct unwind_walk *walk, struct unwind_state *state, struct step *step)
{
	const struct unwind_stack *stack = &walk->stack;
	uint32_t code = rule_find(state->pc);
	const uintptr_t *cfa, *ra, *fp;
	uintptr_t ra_word, fp_word;

	step->ended = false;
	if (__builtin_expect(!code_is_plain(code), 0)) {
		/* copies, so that what escapes is not what should stay in registers */
		struct unwind_state rare_state = *state;
		struct step rare_step = *step;
		enum unwind_outcome outcome = step_rare(walk, &rare_state, &rare_step);

		*state = rare_state;
		*step = rare_step;
		return outcome;
	}
	cfa = (const uintptr_t *)(code & CODE_FP ? state->fp : state->sp) + code_cfa(code);
#if defined(__x86_64__)
	ra = cfa - 1;
	fp = cfa - code_slot(code);
#else
	ra = cfa - code_slot(code);
	fp = ra - !!(code & CODE_FP_SAVED);
#endif
	if (__builtin_expect((uintptr_t)cfa <= state->sp || !in_range(stack, (uintptr_t)ra) ||
				     !in_range(stack, (uintptr_t)fp),
			     0))
		return WALK_FULL;
	ra_word = arch_load((uintptr_t)ra);
	fp_word = arch_load((uintptr_t)fp);
	check_set(&step->check[0], ra, ra_word);
	check_set(&step->check[1], fp, fp_word);
	step->checks = code & CODE_FP_SAVED ? 2 : 1;
	state->fp = code & CODE_FP_SAVED ? fp_word : state->fp;
	state->sp = (uintptr_t)cfa;
	state->pc = arch_strip(ra_word);
	return __builtin_expect(!state->pc, 0) ? WALK_END : WALK_ON;
}

static void fresh_never(struct chase *c)
{
	check_set(&c->u->fresh.check[c->checks++], &never, 1);
}

/* The step from the frame added last was taken, its checks put behind the others. */
static inline void fresh_checks(struct chase *c, const struct step *step)
{
	if (__builtin_expect(step->checks != 0, 1))
		c->checks += step->checks;
	else if (!step->ended)
		fresh_never(c);
}

/* The frame added last leads to one that is not kept. */
static void fresh_cut(struct chase *c)
{
	if (!c->fresh)
		return;
	c->checks = c->u->fresh.frame[c->fresh - 1].check;
	fresh_never(c);
}

/* Walk until a kept frame is met (WALK_ON), or there is nothing more to walk. */
static enum unwind_outcome walk_fresh(struct chase *outer)
{
	struct chase c = *outer; /* a copy is kept in registers */
	struct unwind_chain *fresh = &c.u->fresh;
	const struct unwind_chain *kept = &c.u->kept;
	enum unwind_outcome outcome = WALK_ON;
	struct step step;

	for (;;) {
		while (c.kept < CHAIN_FRAMES && kept->frame[c.kept].sp < c.at.sp)
			c.kept++;
		if (c.kept < CHAIN_FRAMES && state_is(kept, c.kept, &c.at))
			break;
		if (c.fresh == c.size) {
			outcome = WALK_CUT;
			break;
		}
		fresh->pc[c.fresh] = c.at.pc;
		frame_set(&fresh->frame[c.fresh++], c.at.sp, c.at.fp, c.checks);
		step.check = &fresh->check[c.checks];
		outcome = step_take(c.walk, &c.at, &step);
		fresh_checks(&c, &step);
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

static inline uintptr_t check_differs(const struct unwind_check *check)
{
	return arch_load((uintptr_t)check->slot) ^ check->word;
}

/* The first check in [from, to) that does not hold, or @to. */
static uint32_t checks_hold(const struct unwind_chain *kept, uint32_t from, uint32_t to)
{
	const struct unwind_check *check = kept->check;
	uint32_t i = from;

	for (; to - i >= 4; i += 4) {
		uintptr_t differ = check_differs(&check[i]) | check_differs(&check[i + 1]) |
				   check_differs(&check[i + 2]) | check_differs(&check[i + 3]);

		if (differ)
			break;
	}
	while (i < to && !check_differs(&check[i]))
		i++;
	return i;
}

/* The frame in [first, last] that check @index belongs to. */
static uint32_t frame_of(const struct unwind_chain *kept, uint32_t index, uint32_t first,
			 uint32_t last)
{
	while (first < last) {
		uint32_t middle = first + (last - first + 1) / 2;

		if (kept->frame[middle].check <= index)
			first = middle;
		else
			last = middle - 1;
	}
	return first;
}

/* Kept frames [first, last] become fresh ones: those outside of them will change. */
static void copy_to_fresh(struct chase *c, uint32_t first, uint32_t last)
{
	const struct unwind_chain *kept = &c->u->kept;
	struct unwind_chain *fresh = &c->u->fresh;
	uint32_t i, from = kept->frame[first].check, to = checks_begin(kept, last + 1);
	uint32_t shift = c->checks - from;

	for (i = first; i <= last; i++, c->fresh++) {
		const struct unwind_frame *frame = &kept->frame[i];

		fresh->pc[c->fresh] = kept->pc[i];
		frame_set(&fresh->frame[c->fresh], frame->sp, frame->fp, frame->check + shift);
	}
	for (i = from; i < to; i++)
		check_set(&fresh->check[c->checks++], kept->check[i].slot, kept->check[i].word);
}

/* Kept frame @last, with the frames from @first before it, now leads elsewhere. */
static void diverge(struct chase *c, uint32_t first, uint32_t last, const struct step *step)
{
	struct unwind_check *check;

	copy_to_fresh(c, first, last);
	c->checks = c->u->fresh.frame[c->fresh - 1].check;
	check = &c->u->fresh.check[c->checks];
	check_set(&check[0], step->check[0].slot, step->check[0].word);
	check_set(&check[1], step->check[1].slot, step->check[1].word);
	fresh_checks(c, step);
	c->kept = last + 1;
	c->stepped = 0;
}

/*
 * Verify from the kept frame that was met outwards. WALK_ON: the stack parted from what is kept,
 * and c->at is where. WALK_CUT and WALK_END, WALK_LOST: frames from c->kept on are unchanged as
 * far as they are asked for, or, if that is the end of the array, none are.
 */
static enum unwind_outcome verify(struct chase *c, uint32_t *ret_limit)
{
	const struct unwind_chain *kept = &c->u->kept;
	uint32_t first = c->kept, i = first, limit = CHAIN_FRAMES;
	struct unwind_check check[2] = {{NULL, 0}, {NULL, 0}};
	enum unwind_outcome outcome;
	struct step step;

	step.check = check;
	if (limit - first > c->size - c->fresh)
		limit = first + (c->size - c->fresh);
	*ret_limit = limit;
	while (i < limit) {
		/* where a cut trace ends does not depend on what its last frame leads to */
		uint32_t to = limit < CHAIN_FRAMES ? kept->frame[limit - 1].check : CHAIN_CHECKS;
		uint32_t differs = checks_hold(kept, kept->frame[i].check, to);

		if (differs == to)
			break;
		i = frame_of(kept, differs, i, limit - 1);
		c->at = (struct unwind_state){kept->pc[i], kept->frame[i].sp, kept->frame[i].fp};
		outcome = step_take(c->walk, &c->at, &step);
		if (i + 1 == CHAIN_FRAMES && (outcome == WALK_END || outcome == WALK_LOST))
			return outcome;
		if (outcome != WALK_ON || i + 1 == CHAIN_FRAMES || !state_is(kept, i + 1, &c->at)) {
			diverge(c, first, i, &step);
			if (outcome != WALK_ON)
				c->kept = CHAIN_FRAMES;
			return outcome;
		}
		c->stepped++;
		i++;
	}
	return limit < CHAIN_FRAMES ? WALK_CUT : WALK_END;
}

/* Put the fresh frames before the kept ones from c->kept on; @limit: as far as these are needed. */
static void settle(struct chase *c, uint32_t limit)
{
	struct unwind_chain *kept = &c->u->kept, *fresh = &c->u->fresh;
	uint32_t i, checks = checks_begin(kept, c->kept);

	if (c->fresh > c->kept || c->checks > checks) { /* no room: move, dropping the outermost */
		copy_to_fresh(c, c->kept, limit - 1);
		if (limit < CHAIN_FRAMES)
			fresh_cut(c);
		c->kept = CHAIN_FRAMES;
		checks = CHAIN_CHECKS;
	}
	c->kept -= c->fresh;
	checks -= c->checks;
	for (i = 0; i < c->fresh; i++) {
		const struct unwind_frame *frame = &fresh->frame[i];

		kept->pc[c->kept + i] = one_word(fresh->pc[i]);
		frame_set(&kept->frame[c->kept + i], frame->sp, frame->fp, frame->check + checks);
	}
	for (i = 0; i < c->checks; i++)
		check_set(&kept->check[checks + i], fresh->check[i].slot, fresh->check[i].word);
	c->u->top = c->kept;
}

static enum unwind_outcome chase_run(struct chase *c, uintptr_t skip, uint32_t *ret_limit)
{
	struct unwind_check check[2];
	enum unwind_outcome outcome;
	struct step step;

	*ret_limit = CHAIN_FRAMES;
	step.check = check;
	for (; skip; skip--) {
		if (step_take(c->walk, &c->at, &step) != WALK_ON)
			return WALK_FULL;
	}
	for (;;) {
		outcome = walk_fresh(c);
		if (outcome != WALK_ON)
			return outcome;
		outcome = verify(c, ret_limit);
		if (outcome != WALK_ON)
			return outcome;
	}
}

enum unwind_outcome unwind_chain_walk(struct stackdepot_unwinder *u,
				      const struct stackdepot_unwind_start *start,
				      unsigned int size, struct stackdepot_unwind_trace *ret_trace)
{
	struct chase c;
	struct unwind_walk walk;
	enum unwind_outcome outcome;
	uint32_t limit, unchanged, verified;
	bool complete;

	walk.stack = (struct unwind_stack){u->own.lo, u->own.hi, &u->own};
	walk.module.start = walk.module.end = 0;
	c.walk = &walk;
	c.at = (struct unwind_state){start->pc, start->sp, start->fp};
	c.u = u;
	c.kept = u->top;
	c.fresh = c.checks = c.stepped = 0;
	c.size = size;
	outcome = chase_run(&c, start->skip, &limit);
	if (outcome == WALK_FULL)
		return outcome;
	unchanged = CHAIN_FRAMES - c.kept;
	verified = limit > c.kept ? limit - c.kept - c.stepped : 0;
	complete = outcome != WALK_CUT;
	settle(&c, limit);
	ret_trace->frames = &u->kept.pc[u->top];
	ret_trace->nr = complete ? CHAIN_FRAMES - u->top : size;
	ret_trace->unchanged = complete && u->complete ? unchanged : 0;
	ret_trace->verified = verified;
	u->complete = complete;
	return outcome;
}
