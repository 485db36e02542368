/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include <errno.h>
#include <sys/syscall.h>

#include "arch.h"
#include "stack.h"

#define PAGE_BYTES ((uintptr_t)4096) /* or a divisor of it: then a page is probed several times */
#define REACH_MAX ((uintptr_t)128 << 20) /* what the kernel keeps free below the main stack */

/* The stack pointer the program was started with; the loader exports it. */
extern void *__libc_stack_end;

bool unwind_confined;

static uintptr_t page_of(uintptr_t address)
{
	return address & ~(PAGE_BYTES - 1);
}

/*
 * The kernel copies the new mask in before it looks at how to apply it, and there is no such way:
 * -EFAULT tells that the address cannot be read, -EINVAL that it can; anything else is somebody in
 * between. But NULL means no mask.
 */
static bool probe(uintptr_t address)
{
	if (__atomic_load_n(&unwind_confined, __ATOMIC_RELAXED))
		return false;
	return address && arch_syscall(SYS_rt_sigprocmask, -1, (long)address, 0, 8) == -EINVAL;
}

void unwind_own_init(struct unwind_own *own)
{
	own->is_main = !__atomic_load_n(&unwind_confined, __ATOMIC_RELAXED) &&
		       arch_syscall(SYS_gettid, 0, 0, 0, 0) == arch_syscall(SYS_getpid, 0, 0, 0, 0);
	own->lo = 0;
	own->hi = 0;
}

/*
 * The top: of the main stack the loader tells it, of the others the thread descriptor is there,
 * above all frames. Believed only once everything from here to there proved readable.
 */
static bool own_find_top(struct unwind_own *own, uintptr_t address)
{
	uintptr_t top = own->is_main ? (uintptr_t)__libc_stack_end : arch_thread_pointer();

	if (address >= top || top - address > REACH_MAX)
		return false;
	own->lo = top & ~(uintptr_t)7;
	own->hi = own->lo;
	return true;
}

/*
 * Without probing: the kernel keeps the room below the main stack free, so a stack pointer there is
 * that stack's, and all above it is in use.
 */
static bool own_is_main_stack(const struct unwind_own *own, uintptr_t address)
{
	const uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	return __atomic_load_n(&unwind_confined, __ATOMIC_RELAXED) && own->is_main &&
	       here <= address && own->hi - here <= REACH_MAX;
}

bool unwind_own_reach(struct unwind_own *own, uintptr_t address)
{
	uintptr_t lo;

	if (!own->hi && !own_find_top(own, address))
		return false;
	if (address >= own->hi || own->hi - address < 8)
		return false;
	lo = own->lo;
	if (address < lo && lo - address > REACH_MAX)
		return false;
	if (address < lo && own_is_main_stack(own, address)) {
		own->lo = page_of(address);
		return true;
	}
	while (address < lo) {
		uintptr_t page = page_of(lo - 1);

		if (!probe(page))
			return false;
		lo = page;
		own->lo = lo;
	}
	return true;
}

static bool reach_page(struct unwind_stack *stack, uintptr_t page)
{
	if (page >= stack->lo && page < stack->hi)
		return true;
	if (page + PAGE_BYTES < page || !probe(page))
		return false;
	if (page == stack->hi) {
		stack->hi += PAGE_BYTES;
	} else {
		stack->lo = page;
		stack->hi = page + PAGE_BYTES;
	}
	return true;
}

bool unwind_stack_reach(struct unwind_stack *stack, uintptr_t address)
{
	if (address + 8 < address)
		return false;
	if (stack->own && unwind_own_reach(stack->own, address)) {
		stack->lo = stack->own->lo;
		stack->hi = stack->own->hi;
		return true;
	}
	if (stack->own && stack->hi == stack->own->hi)
		stack->lo = stack->hi = 0; /* what follows is probed page by page */
	return reach_page(stack, page_of(address)) && reach_page(stack, page_of(address + 7)) &&
	       stack_has(stack, address);
}
