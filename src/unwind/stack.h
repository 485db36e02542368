/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Which memory may be read. A walk reads words at addresses it computed from words it read, so on
 * a corrupt stack it may ask for anything; here is decided what it gets.
 *
 *   own      the stack the thread was started on. Its pages from the deepest one ever seen in use
 *            up to its top stay mapped while the thread lives, so each is probed once in a life.
 *   foreign  all else: sigaltstack, makecontext, coroutines. May be unmapped once the thread has
 *            left it, so each page is probed anew in each walk that reads it.
 *
 * Probing is a system call that reads a word and does nothing.
 */
#ifndef UNWIND_STACK_H
#define UNWIND_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "arch.h"

/* What an unwinder knows of its thread's own stack: readable in [lo, hi), if hi is not 0. */
struct unwind_own {
	uintptr_t lo;
	uintptr_t hi;
	bool is_main;
};

/* What a walk may read: [lo, hi). */
struct unwind_stack {
	uintptr_t lo;
	uintptr_t hi;
	struct unwind_own *own; /* or NULL */
};

/* No system calls: what was not probed yet cannot be read, but the main stack. */
extern bool unwind_confined;

void unwind_own_init(struct unwind_own *own);

/* Is [address, address + 8) part of the own stack? Probes pages seen for the first time. */
bool unwind_own_reach(struct unwind_own *own, uintptr_t address);

static inline bool own_reach(struct unwind_own *own, uintptr_t address)
{
	if (__builtin_expect(address - own->lo < own->hi - own->lo && own->hi - address >= 8, 1))
		return true;
	return unwind_own_reach(own, address);
}

/* Make [lo, hi) contain [address, address + 8), or return false. */
bool unwind_stack_reach(struct unwind_stack *stack, uintptr_t address);

static inline bool stack_has(const struct unwind_stack *stack, uintptr_t address)
{
	return address >= stack->lo && address < stack->hi && stack->hi - address >= 8;
}

static inline bool unwind_stack_read(struct unwind_stack *stack, uintptr_t address,
				     uintptr_t *ret_value)
{
	if (!stack_has(stack, address) && !unwind_stack_reach(stack, address))
		return false;
	*ret_value = arch_load(address);
	return true;
}

#endif
