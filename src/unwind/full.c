/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include "walk.h"

#define FRAMES_BELOW 4096 /* frames that may lie between a walk and its start */

static bool apply_register(struct unwind_walk *walk, const struct unwind_bytes *bytes,
			   const struct unwind_row *row, unsigned int reg, uintptr_t cfa,
			   const struct unwind_registers *from, uintptr_t *ret_value)
{
	int32_t value = row->value[reg];
	uintptr_t address;

	switch (row->how[reg]) {
	case HOW_OFFSET:
		return unwind_stack_read(&walk->stack, cfa + (intptr_t)value, ret_value);
	case HOW_VALUE_OFFSET:
		*ret_value = cfa + (intptr_t)value;
		return true;
	case HOW_REGISTER:
		if (value < 0 || value >= ARCH_REGISTERS)
			return false;
		*ret_value = from->r[value];
		return true;
	case HOW_EXPRESSION:
	case HOW_VALUE_EXPRESSION:
		if (unwind_evaluate(unwind_cfi_expression(bytes, value), from, &walk->stack, &cfa,
				    &address))
			return false;
		*ret_value = address;
		return row->how[reg] == HOW_VALUE_EXPRESSION ||
		       unwind_stack_read(&walk->stack, address, ret_value);
	default:
		*ret_value = reg == ARCH_SP ? cfa : from->r[reg];
		return true;
	}
}

static enum unwind_outcome apply_row(struct unwind_walk *walk, const struct unwind_bytes *bytes,
				     const struct unwind_row *row, bool is_signal,
				     struct unwind_registers *registers)
{
	struct unwind_registers next;
	unsigned int reg;
	uintptr_t cfa;

	if (row->how[ARCH_RA] == HOW_UNDEFINED)
		return WALK_END;
	if (!row->cfa_is_expression)
		cfa = registers->r[row->cfa_register] + (intptr_t)row->cfa_offset;
	else if (unwind_evaluate(unwind_cfi_expression(bytes, row->cfa_offset), registers,
				 &walk->stack, NULL, &cfa))
		return WALK_LOST;
	for (reg = 0; reg < ARCH_REGISTERS; reg++) {
		if (!apply_register(walk, bytes, row, reg, cfa, registers, &next.r[reg]))
			return WALK_LOST;
	}
	next.pc = arch_strip(next.r[ARCH_RA]);
	next.exact = is_signal;
	if (!next.pc)
		return WALK_END;
	*registers = next;
	return WALK_ON;
}

/* By the frame pointer: of the other registers nothing is known, so they stay what they are. */
static enum unwind_outcome full_guess(struct unwind_walk *walk, struct unwind_registers *registers)
{
	struct unwind_state state = {registers->pc, registers->r[ARCH_SP], registers->r[ARCH_FP]};

	if (!unwind_record_step(walk, &state))
		return WALK_LOST;
	registers->pc = state.pc;
	registers->r[ARCH_SP] = state.sp;
	registers->r[ARCH_FP] = state.fp;
	registers->exact = false;
	return WALK_ON;
}

static enum unwind_outcome full_step(struct unwind_walk *walk, struct unwind_registers *registers)
{
	struct unwind_module *module = &walk->module;
	uintptr_t context, pc = registers->pc - !registers->exact;
	struct unwind_row row;
	bool is_signal;

	if (unwind_signal_maybe(&walk->stack, registers->r[ARCH_SP]) &&
	    unwind_signal_is(&walk->stack, registers->pc, registers->r[ARCH_SP], &context))
		return unwind_signal_load(&walk->stack, context, registers) ? WALK_ON : WALK_LOST;
	if (pc < module->start || pc >= module->end) {
		module->end = 0;
		if (!unwind_module_find(pc, module))
			return full_guess(walk, registers);
	}
	if (unwind_module_row(module, pc, &row, &is_signal))
		return full_guess(walk, registers);
	return apply_row(walk, &module->bytes, &row, is_signal, registers);
}

enum unwind_outcome unwind_full_walk(struct unwind_walk *walk, struct unwind_registers *registers,
				     uintptr_t from_sp, unsigned int skip, uintptr_t *frames,
				     unsigned int size, struct unwind_count *ret_count)
{
	enum unwind_outcome outcome = WALK_ON;
	struct unwind_count count = {0, 0};
	unsigned int below = 0;

	while (registers->r[ARCH_SP] < from_sp && outcome == WALK_ON) {
		if (++below > FRAMES_BELOW)
			outcome = WALK_LOST;
		else
			outcome = full_step(walk, registers);
	}
	for (; skip && outcome == WALK_ON; skip--)
		outcome = full_step(walk, registers);
	while (outcome == WALK_ON) {
		if (count.nr == size) {
			outcome = WALK_CUT;
			break;
		}
		frames[count.nr] = registers->pc;
		unwind_count_frame(&count, walk);
		outcome = full_step(walk, registers);
	}
	*ret_count = count;
	return outcome;
}
