/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include "walk.h"

static enum unwind_outcome plain_step(struct unwind_walk *walk, struct unwind_state *state)
{
	uint64_t rule = rule_for(state->pc, &walk->module);
	struct unwind_stack *stack = &walk->stack;
	uintptr_t cfa, ra, fp_slot, fp = state->fp;

	switch (rule_kind(rule)) {
	case RULE_SP:
		cfa = state->sp + rule_cfa(rule);
		fp_slot = cfa + rule_fp_slot(rule);
		break;
	case RULE_FP:
		cfa = state->fp + rule_cfa(rule);
		fp_slot = cfa + rule_fp_slot(rule);
		break;
	case RULE_REALIGNED:
		if (!unwind_stack_read(stack, state->fp + rule_cfa(rule), &cfa))
			return WALK_FULL;
		fp_slot = state->fp;
		break;
	case RULE_END:
		return WALK_END;
	case RULE_NONE:
		if (unwind_signal_maybe(stack, state->sp))
			return WALK_FULL;
		return unwind_record_step(walk, state) ? WALK_ON : WALK_LOST;
	default:
		return WALK_FULL;
	}
	if (cfa <= state->sp || !unwind_stack_read(stack, cfa + rule_ra_slot(rule), &ra))
		return WALK_FULL;
	if ((rule & RULE_FP_SAVED) && !unwind_stack_read(stack, fp_slot, &fp))
		return WALK_FULL;
	state->pc = arch_strip(ra);
	state->sp = cfa;
	state->fp = fp;
	return state->pc ? WALK_ON : WALK_END;
}

enum unwind_outcome unwind_plain_walk(struct unwind_walk *walk,
				      const struct stackdepot_unwind_start *start,
				      uintptr_t *frames, unsigned int size,
				      struct unwind_count *ret_count)
{
	struct unwind_state state = {start->pc, start->sp, start->fp};
	enum unwind_outcome outcome = WALK_ON;
	struct unwind_count count = {0, 0};
	uintptr_t skip = start->skip;

	while (outcome == WALK_ON) {
		if (skip) {
			skip--;
		} else if (count.nr == size) {
			outcome = WALK_CUT;
		} else {
			frames[count.nr] = state.pc;
			unwind_count_frame(&count, walk);
		}
		if (outcome == WALK_ON)
			outcome = plain_step(walk, &state);
	}
	*ret_count = count;
	return outcome;
}
