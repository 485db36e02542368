/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Code without tables, by its frame pointer.
 *
 * Compilers that make no tables, those in JITs above all, often keep the old habit: the frame
 * pointer points to a *record*, the caller's frame pointer and the return address. Nothing says
 * whether a piece of code does so, and what is there instead may look like one. So what comes of
 * it is a guess and marked as such, and it is believed only if
 *
 *   R1  the record is aligned, can be read, and is above the stack pointer: not below it, nor on
 *	 another stack, but for a few changes of stacks, as coroutines make;
 *   R2  the return address is in executable memory, and where that is a module's, behind a call.
 *
 * A frame with tables is walked by these again. There the stack pointer has to be known. On some
 * processors a record ends its frame, on others it may be anywhere in it; but then compilers keep
 * the frame pointer in all frames but leaves, and a caller whose table says where it stored its own
 * is as good: there its frame pointer points.
 */
#include "walk.h"

#define LOWEST ((uintptr_t)1 << 16)	     /* nobody's stack is below it, */
#define HIGHEST ((uintptr_t)1 << 47)	     /* nor above this */
#define STACK_BYTES_MIN ((uintptr_t)1 << 20) /* so near below it is the same stack */
#define CHANGES 4			     /* of stacks in a walk */
#define STEP_BYTES_MAX \
	((uintptr_t)8 << 20) /* a larger frame is not one, on a stack of unknown end */

static bool is_own(const struct unwind_own *own, uintptr_t address)
{
	return own && address - own->lo < own->hi - own->lo;
}

/* R1, but for reading. */
static bool record_follows(struct unwind_walk *walk, const struct unwind_state *state)
{
	const struct unwind_own *own = walk->stack.own;
	bool from_own = is_own(own, state->sp), to_own = is_own(own, state->fp);

	if (state->fp % ARCH_RECORD_ALIGN)
		return false;
	if (from_own && to_own)
		return state->fp >= state->sp;
	if (from_own == to_own && state->fp >= state->sp && state->fp - state->sp <= STEP_BYTES_MAX)
		return true;
	/* below, and not far: still the same stack, where no caller can be */
	if (!to_own && state->fp < state->sp && state->sp - state->fp < STACK_BYTES_MIN)
		return false;
	return walk->changes++ < CHANGES;
}

bool unwind_record_elsewhere(const struct unwind_state *state)
{
	return state->fp % ARCH_RECORD_ALIGN == 0 && state->fp >= LOWEST && state->fp < HIGHEST;
}

/* @next->sp is a lower bound; make it exact where its table needs that. */
static bool record_ends(struct unwind_walk *walk, struct unwind_state *next)
{
	uint64_t rule;
	uintptr_t sp;

	if (ARCH_RECORD_ENDS_FRAME)
		return true;
	rule = rule_for(next->pc, &walk->module);
	if (rule_kind(rule) != RULE_SP)
		return true;
	sp = next->fp - rule_fp_slot(rule) - rule_cfa(rule);
	if (!(rule & RULE_FP_SAVED) || sp < next->sp || sp % sizeof(uintptr_t))
		return false;
	next->sp = sp;
	return true;
}

bool unwind_record_step(struct unwind_walk *walk, struct unwind_state *state)
{
	struct unwind_state next;

	if (!record_follows(walk, state) ||
	    !unwind_stack_read(&walk->stack, state->fp + ARCH_RECORD_RA, &next.pc) ||
	    !unwind_stack_read(&walk->stack, state->fp + ARCH_RECORD_FP, &next.fp))
		return false;
	next.pc = arch_strip(next.pc);
	next.sp = state->fp + ARCH_RECORD_BYTES;
	if (!unwind_code_returns(next.pc, &walk->text) || !record_ends(walk, &next))
		return false;
	*state = next;
	walk->guessed = true;
	return true;
}
