/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The frame that the kernel makes for a signal handler. */
#ifndef UNWIND_SIGNAL_FRAME_H
#define UNWIND_SIGNAL_FRAME_H

#include "stack.h"

/*
 * Does the frame at @pc, @sp belong to the code the kernel has handlers return to? The first
 * looks at the stack alone and may say yes wrongly; the second knows.
 */
bool unwind_signal_maybe(struct unwind_stack *stack, uintptr_t sp);
bool unwind_signal_is(struct unwind_stack *stack, uintptr_t pc, uintptr_t sp,
		      uintptr_t *ret_context);

/* The registers in a context, read out of the handler's stack. False: it cannot be read. */
bool unwind_signal_load(struct unwind_stack *stack, uintptr_t context,
			struct unwind_registers *ret_registers);

#endif
