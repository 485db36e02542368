/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include "chain.h"

const uintptr_t unwind_chain_never;

static void step_never(struct chain_step *step)
{
	check_set(&step->check[0], &unwind_chain_never, 1);
	step->checks = 1;
}

/* That the step depends on the tables of the module it was found in. */
static void step_depends(struct chain_step *step, uint64_t rule, const struct unwind_module *module)
{
	if (rule & RULE_RECHECK)
		step_never(step);
	else if (rule & RULE_UNLOADABLE)
		unwind_chain_module_check(step->u, module->identity, &step->check[step->checks++]);
}

/* What a frame remembers of @rule; false: it does not fit. */
static bool save_of(uint64_t rule, uintptr_t cfa, uintptr_t fp_address, uint32_t *ret_save)
{
	bool saved = rule & RULE_FP_SAVED;
	uintptr_t slot;

	if (!arch_slot((uintptr_t)-rule_ra_slot(rule) / 8, (cfa - fp_address) / 8, saved, &slot))
		return false;
	*ret_save = (uint32_t)(slot & SAVE_SLOT) | (saved ? SAVE_FP : 0);
	return slot - 1 < SAVE_SLOT;
}

/* With the frame's end known: read what is there. */
static enum unwind_outcome step_to(const struct unwind_walk *walk, uint64_t rule, uintptr_t cfa,
				   uintptr_t fp_address, struct chain_place *at,
				   struct chain_step *step)
{
	const struct unwind_stack *stack = &walk->stack;
	uintptr_t ra_address = cfa + rule_ra_slot(rule);

	if (cfa <= at->sp || cfa > stack->hi || !in_range(stack, ra_address) ||
	    !in_range(stack, fp_address))
		return WALK_FULL;
	/* what lies beyond the frame is not to be taken for what is read in it */
	if (fp_address < at->sp || ra_address < at->sp ||
	    !save_of(rule, cfa, fp_address, &step->save)) {
		step->save = SAVE_NOTHING;
		rule |= RULE_RECHECK;
	}
	step_depends(step, rule, &walk->module);
	if (rule & RULE_FP_SAVED) {
		at->fp = arch_load(fp_address);
		at->source = fp_address;
	}
	at->sp = cfa;
	at->pc = arch_strip(arch_load(ra_address));
	if (at->pc)
		return WALK_ON;
	if (step->checks == 2)
		step_never(step); /* no room for a third */
	return step_end(step, (const uintptr_t *)ra_address);
}

/*
 * No table covers it. What the frame pointer says depends on code as well as on words, so it is
 * asked for anew each time; records on another stack are the full walk's.
 */
static enum unwind_outcome step_guess(struct unwind_walk *walk, struct chain_place *at,
				      struct chain_step *step)
{
	struct unwind_state state = {at->pc, at->sp, at->fp};
	struct unwind_stack *stack = &walk->stack, copy = *stack;
	uintptr_t slot, record = at->fp;

	step_never(step);
	if (unwind_signal_maybe(&copy, at->sp))
		return WALK_FULL;
	if (record - at->sp > stack->hi - ARCH_RECORD_BYTES - at->sp)
		return unwind_record_elsewhere(&state) ? WALK_FULL : WALK_LOST;
	if (!unwind_record_step(walk, &state) || state.sp > stack->hi)
		return WALK_LOST;
	step->save = SAVE_NOTHING;
	if (arch_slot((state.sp - record - ARCH_RECORD_RA) / 8,
		      (state.sp - record - ARCH_RECORD_FP) / 8, true, &slot) &&
	    slot - 1 < SAVE_SLOT)
		step->save = (uint32_t)slot | SAVE_FP;
	step->save |= SAVE_GUESS;
	step->u->guesses = true;
	at->pc = state.pc;
	at->sp = state.sp;
	at->fp = state.fp;
	at->source = record + ARCH_RECORD_FP;
	return WALK_ON;
}

/* By a rule in full. */
static enum unwind_outcome step_rule(struct unwind_walk *walk, uint64_t rule,
				     struct chain_place *at, struct chain_step *step)
{
	const struct unwind_stack *stack = &walk->stack;
	uintptr_t cfa;

	step->checks = 0;
	step->save = SAVE_NOTHING;
	switch (rule_kind(rule)) {
	case RULE_SP:
		cfa = at->sp + rule_cfa(rule);
		return step_to(walk, rule, cfa, cfa + rule_fp_slot(rule), at, step);
	case RULE_FP:
		check_set(&step->check[step->checks++], (const uintptr_t *)at->source, at->fp);
		cfa = at->fp + rule_cfa(rule);
		return step_to(walk, rule, cfa, cfa + rule_fp_slot(rule), at, step);
	case RULE_REALIGNED: /* reads three words */
		rule |= RULE_RECHECK;
		cfa = at->fp + rule_cfa(rule);
		if (!in_range(stack, cfa))
			return WALK_FULL;
		return step_to(walk, rule, arch_load(cfa), at->fp, at, step);
	case RULE_END:
		step_depends(step, rule, &walk->module);
		return WALK_END;
	case RULE_NONE:
		return step_guess(walk, at, step);
	default:
		return WALK_FULL;
	}
}

enum unwind_outcome unwind_chain_step_rare(struct unwind_walk *walk, struct chain_place *at,
					   struct chain_step *step)
{
	const struct unwind_identity *identity;
	uint32_t code = unwind_chain_module_code(step->u, at->pc, &identity);
	enum unwind_outcome outcome;

	if (!code_is_plain(code))
		return step_rule(walk, rule_for(at->pc, &walk->module), at, step);
	outcome = step_plain(walk, code, at, step);
	if (outcome == WALK_FULL)
		return outcome;
	if (step->checks == 2)
		step_never(step); /* no room for a third */
	else
		unwind_chain_module_check(step->u, identity, &step->check[step->checks++]);
	return outcome;
}
