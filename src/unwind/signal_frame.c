/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include <string.h>

#include "signal_frame.h"

bool unwind_signal_load(struct unwind_stack *stack, uintptr_t context,
			struct unwind_registers *ret_registers)
{
	const struct unwind_signal_frame *frame = &unwind_signal_frame;
	struct unwind_registers registers;
	unsigned int i;

	for (i = 0; i < ARCH_REGISTERS; i++) {
		if (!unwind_stack_read(stack, context + frame->registers[i], &registers.r[i]))
			return false;
	}
	if (!unwind_stack_read(stack, context + frame->pc, &registers.pc))
		return false;
	registers.exact = true;
	*ret_registers = registers;
	return true;
}

bool unwind_signal_maybe(struct unwind_stack *stack, uintptr_t sp)
{
	const struct unwind_signal_frame *frame = &unwind_signal_frame;
	uintptr_t mark;

	return unwind_stack_read(stack, sp + frame->mark, &mark) &&
	       (mark & frame->mark_mask) == frame->mark_value;
}

/* The code is somewhat longer than a word, or is one: its first 8 bytes and its last. */
bool unwind_signal_is(struct unwind_stack *stack, uintptr_t pc, uintptr_t sp,
		      uintptr_t *ret_context)
{
	const struct unwind_signal_frame *frame = &unwind_signal_frame;
	size_t last = frame->trampoline_bytes - sizeof(uintptr_t);
	uintptr_t code;

	if (!unwind_stack_read(stack, pc, &code) ||
	    memcmp(&code, frame->trampoline, sizeof(code)) ||
	    !unwind_stack_read(stack, pc + last, &code) ||
	    memcmp(&code, frame->trampoline + last, sizeof(code)))
		return false;
	*ret_context = sp + frame->context;
	return true;
}
