/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * frame_x86.c - what the kernel leaves on the stack for a handler, moved to another stack.
 *
 *	sp -> | return address | context | siginfo | ... | floating point state |
 *
 * The last is aligned to 64 bytes, at the top, and the context has its address. It says itself how
 * long it is: the kernel writes that into the part of it that is reserved for software.
 */
#include <string.h>

#include "handler.h"

#define FRAME_CONTEXT_BYTES 304u
#define FRAME_BYTES (8u + FRAME_CONTEXT_BYTES + 128u)
#define FRAME_STATE_LENGTH_AT 468u
#define FRAME_STATE_MAGIC_AT 464u
#define FRAME_STATE_MAGIC 0x46505853u
#define FRAME_STATE_BYTES 512u /* without what XSAVE adds */
#define FRAME_RED_ZONE 128u

static uint32_t frame_word(const void *state, unsigned int at)
{
	uint32_t word;

	memcpy(&word, (const char *)state + at, sizeof(word));
	return word;
}

static size_t frame_state_bytes(const void *state)
{
	if (!state)
		return 0;
	return frame_word(state, FRAME_STATE_MAGIC_AT) == FRAME_STATE_MAGIC
		       ? frame_word(state, FRAME_STATE_LENGTH_AT)
		       : FRAME_STATE_BYTES;
}

uintptr_t frame_sp(const ucontext_t *context)
{
	return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
}

void frame_jump_nowhere(ucontext_t *context)
{
	context->uc_mcontext.gregs[REG_RIP] = 0;
}

uintptr_t frame_top(const ucontext_t *context)
{
	return frame_sp(context) - FRAME_RED_ZONE;
}

/* As the kernel computes it. */
static uintptr_t frame_place(const ucontext_t *context, uintptr_t top, uintptr_t *ret_state)
{
	*ret_state = (top - frame_state_bytes(context->uc_mcontext.fpregs)) & ~(uintptr_t)63;
	return ((*ret_state - FRAME_BYTES) & ~(uintptr_t)15) - 8;
}

uintptr_t frame_low(const ucontext_t *context, uintptr_t own_top, uintptr_t top)
{
	uintptr_t state;

	(void)own_top;
	return frame_place(context, top, &state);
}

ucontext_t *frame_move(const ucontext_t *context, uintptr_t own_top, uintptr_t top)
{
	const void *old_state = context->uc_mcontext.fpregs;
	uintptr_t state, low = frame_place(context, top, &state);
	ucontext_t *moved = (void *)(low + 8);

	(void)own_top;
	memcpy((void *)low, (const char *)context - 8, FRAME_BYTES);
	if (old_state) {
		memcpy((void *)state, old_state, frame_state_bytes(old_state));
		moved->uc_mcontext.fpregs = (void *)state;
	}
	return moved;
}
