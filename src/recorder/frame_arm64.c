/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * frame_arm64.c - what the kernel leaves on the stack for a handler, moved to another stack.
 *
 *	sp -> | siginfo | context with its records | more records | ... | frame record |
 *
 * All of it is aligned to 16 bytes. Two pointers lead into it: the frame register, and that of a
 * record which says where the others go on.
 */
#include <string.h>

#include "handler.h"

#define FRAME_CONTEXT_AT 128u
#define FRAME_EXTRA_MAGIC 0x45585401u

uintptr_t frame_sp(const ucontext_t *context)
{
	return (uintptr_t)context->uc_mcontext.sp;
}

void frame_jump_nowhere(ucontext_t *context)
{
	context->uc_mcontext.pc = 0;
}

uintptr_t frame_top(const ucontext_t *context)
{
	return frame_sp(context);
}

uintptr_t frame_low(const ucontext_t *context, uintptr_t own_top, uintptr_t top)
{
	return (top & ~(uintptr_t)15) - (own_top - ((uintptr_t)context - FRAME_CONTEXT_AT));
}

/* The address in the record that leads to more of them moves along. */
static void frame_relocate(ucontext_t *moved, uintptr_t distance)
{
	uint8_t *record = moved->uc_mcontext.__reserved;
	const uint8_t *end = record + sizeof(moved->uc_mcontext.__reserved);

	while (end - record >= (ptrdiff_t)sizeof(struct _aarch64_ctx)) {
		const struct _aarch64_ctx *head = (const void *)record;

		if (head->magic == FRAME_EXTRA_MAGIC) {
			*(uint64_t *)(void *)(record + sizeof(*head)) += distance;
			return;
		}
		if (!head->magic || head->size < sizeof(*head))
			return;
		record += head->size;
	}
}

ucontext_t *frame_move(const ucontext_t *context, uintptr_t own_top, uintptr_t top)
{
	const uintptr_t old = (uintptr_t)context - FRAME_CONTEXT_AT;
	const uintptr_t low = frame_low(context, own_top, top);
	ucontext_t *moved = (void *)(low + FRAME_CONTEXT_AT);

	memcpy((void *)low, (const void *)old, own_top - old);
	frame_relocate(moved, low - old);
	return moved;
}
