/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include "chain.h"

/* What was met gets its fp from this walk, where it did not read it itself: K2. */
static inline void adopt(struct chain_walk *c, uint32_t i, uint32_t check)
{
	struct unwind_chain *kept = &c->u->kept;
	uint32_t at;

	for (at = frame_check(kept->frame[i]); at < check; at++) {
		if (!is_module(c->u, &kept->check[at]))
			kept->check[at].slot = (const uintptr_t *)c->at.source;
	}
}

/* @pc and @frame are those of one frame kept; others follow. */
static inline uintptr_t return_differs(const uintptr_t *pc, const uint64_t *frame, uintptr_t top)
{
	uintptr_t slot = ra_slot(top, frame_sp(frame[0]), frame_save(frame[-1]));

	return arch_strip(arch_load(slot)) ^ *pc;
}

/* The first frame in [from, to) that the one before it does not return to any more, or @to. */
static inline uint32_t returns_hold(const struct unwind_chain *kept, uintptr_t top, uint32_t from,
				    uint32_t to)
{
	const uintptr_t *pc = &kept->pc[from], *end = &kept->pc[to];
	const uint64_t *frame = &kept->frame[from];

	for (; end - pc >= 4; pc += 4, frame += 4) {
		uintptr_t differ = return_differs(pc, frame, top) |
				   return_differs(pc + 1, frame + 1, top) |
				   return_differs(pc + 2, frame + 2, top) |
				   return_differs(pc + 3, frame + 3, top);

		if (differ)
			break;
	}
	for (; pc < end && !return_differs(pc, frame, top); pc++, frame++)
		;
	return (uint32_t)(pc - kept->pc);
}

/* The first check in [from, to) that does not hold, or @to. */
static inline uint32_t checks_hold(const struct chain_walk *c, uint32_t from, uint32_t to)
{
	for (; from < to; from++) {
		const struct unwind_check *check = &c->u->kept.check[from];

		if (__builtin_expect(arch_load((uintptr_t)check->slot) != check->word, 0) &&
		    !(is_module(c->u, check) && module_holds(c->u, check)))
			break;
	}
	return from;
}

/* The frame in [first, last] that check @index belongs to. */
static uint32_t frame_of(const struct unwind_chain *kept, uint32_t index, uint32_t first,
			 uint32_t last)
{
	while (first < last) {
		uint32_t middle = first + (last - first + 1) / 2;

		if (frame_check(kept->frame[middle]) <= index)
			first = middle;
		else
			last = middle - 1;
	}
	return first;
}

/*
 * The first frame in [from, limit) whose step must be taken anew, or @limit. Where a cut trace ends
 * does not depend on what its last frame leads to.
 */
static inline uint32_t verify_run(const struct chain_walk *c, uint32_t from, uint32_t limit,
				  uint32_t check)
{
	const struct unwind_chain *kept = &c->u->kept;
	uint32_t differs,
		to = limit < CHAIN_FRAMES ? frame_check(kept->frame[limit - 1]) : CHAIN_CHECKS;
	uint32_t end = returns_hold(kept, c->walk->stack.hi, from + 1, limit);

	if (end < limit)
		to = frame_check(kept->frame[end]);
	differs = check < to ? checks_hold(c, check, to) : to;
	if (__builtin_expect(differs < to, 0))
		return frame_of(kept, differs, from, end - 1);
	return end < limit ? end - 1 : limit;
}

/* To kept frame @i: the frames from @met on, where the walk is now, are verified up to there. */
static void go_to(struct chain_walk *c, uint32_t met, uint32_t i)
{
	const struct unwind_chain *kept = &c->u->kept;
	uintptr_t top = c->walk->stack.hi;
	uint32_t inner;

	for (inner = i; inner > met; inner--) {
		uint32_t save = frame_save(kept->frame[inner - 1]);

		if (save & SAVE_FP) {
			c->at.source = fp_slot(top, frame_sp(kept->frame[inner]), save);
			c->at.fp = arch_load(c->at.source);
			break;
		}
	}
	c->at.pc = kept->pc[i];
	c->at.sp = top + (intptr_t)frame_sp(kept->frame[i]) * 8;
}

void unwind_chain_copy(struct chain_walk *c, uint32_t first, uint32_t last)
{
	const struct unwind_chain *kept = &c->u->kept;
	struct unwind_chain *fresh = &c->u->fresh;
	uint32_t i, from = frame_check(kept->frame[first]), to = checks_begin(kept, last + 1);
	int64_t shift = (int64_t)c->checks - from;

	for (i = first; i <= last; i++, c->fresh++) {
		fresh->pc[c->fresh] = kept->pc[i];
		fresh->frame[c->fresh] = frame_shift(kept->frame[i], shift);
	}
	for (i = from; i < to; i++)
		check_set(&fresh->check[c->checks++], kept->check[i].slot, kept->check[i].word);
}

/* Kept frame @last, with the frames from @first before it, now leads elsewhere. */
static void diverge(struct chain_walk *c, uint32_t first, uint32_t last,
		    const struct chain_step *step)
{
	struct unwind_chain *fresh = &c->u->fresh;
	uint64_t *frame;
	uint32_t i;

	unwind_chain_copy(c, first, last);
	frame = &fresh->frame[c->fresh - 1];
	c->checks = frame_check(*frame);
	*frame = frame_pack(frame_sp(*frame), c->checks, step->save);
	for (i = 0; i < step->checks; i++)
		check_set(&fresh->check[c->checks++], step->check[i].slot, step->check[i].word);
	c->kept = last + 1;
	c->stepped = 0;
}

/*
 * The step of kept frame @i came to the same, by what may be other checks: K1 holds by these. It
 * may be a guess now, its code having lost its tables.
 */
static void renew(struct unwind_chain *kept, uint32_t i, const struct chain_step *step)
{
	uint32_t j, from = frame_check(kept->frame[i]);

	kept->frame[i] |= (uint64_t)(step->save & SAVE_GUESS) << 48;
	if (checks_begin(kept, i + 1) - from != step->checks)
		return;
	for (j = 0; j < step->checks; j++)
		check_set(&kept->check[from + j], step->check[j].slot, step->check[j].word);
}

enum unwind_outcome unwind_chain_verify(struct chain_walk *c, uint32_t check, uint32_t *ret_limit)
{
	uint32_t first = c->kept, met = first, limit = CHAIN_FRAMES, i;
	struct unwind_check room[2] = {{NULL, 0}, {NULL, 0}};
	enum unwind_outcome outcome;
	struct chain_step step;

	step.check = room;
	step.u = c->u;
	if (limit - first > c->size - c->fresh)
		limit = first + (c->size - c->fresh);
	*ret_limit = limit;
	while (met < limit) {
		adopt(c, met, check);
		i = verify_run(c, met, limit, check);
		if (i == limit)
			break;
		go_to(c, met, i);
		if (c->u->portable_from <= i)
			c->u->portable_from = i + 1;
		outcome = step_take(c->walk, &c->at, &step);
		if (outcome == WALK_FULL)
			return outcome; /* what is in step was not filled in */
		if (i + 1 == CHAIN_FRAMES && (outcome == WALK_END || outcome == WALK_LOST))
			return outcome;
		if (outcome != WALK_ON || i + 1 == CHAIN_FRAMES || !chain_is_at(c, i + 1, &check)) {
			diverge(c, first, i, &step);
			if (outcome != WALK_ON)
				c->kept = CHAIN_FRAMES;
			return outcome;
		}
		renew(&c->u->kept, i, &step);
		c->stepped++;
		met = i + 1;
	}
	return limit < CHAIN_FRAMES ? WALK_CUT : WALK_END;
}
