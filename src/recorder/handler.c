/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * handler.c - what the kernel enters instead of a handler of the program's.
 *
 * A guarded object is read or written, and the program has a handler for SIGSEGV; a page of the
 * store is gone, and it has one for SIGBUS; a handler is to be called once; a handler asks for an
 * alternate stack, or for its context, and the stack in force is ours. Only in these cases
 * something of ours stands in for the program's handler. In all others the kernel has what the
 * program asked for, or, where it asked for nothing, our own end of the program.
 *
 * The program's handler finds what it would have found: stack pointer, context, mask and flags.
 * The mask and the flags are the program's in the kernel as well. As to the stack there are two
 * entries.
 *
 *	direct   The frame lies where the program wants it. Our functions return before its
 *		 handler is jumped to, with the stack pointer of the kernel.
 *	moved	 The frame lies on our stack, since the kernel knows no other one. It is copied to
 *		 where the kernel would have left it: the top of the program's own alternate
 *		 stack, or below what was interrupted. Then the same.
 *
 * Between entry and jump little stack is used, and no system call is made. A signal that comes just
 * then, while we are on our stack, is handled there: its handler has less room, which is the
 * price of leaving the mask alone.
 *
 * Work on an error is long. It runs on a stack of ours, with all signals blocked.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "filter.h"
#include "handler.h"
#include "live_table.h"

/* For threads that have no stack of ours: one at a time. */
#define SPARE_BYTES (24u << 10)
static char handler_spare[SPARE_BYTES] __attribute__((aligned(64)));
static uint32_t handler_spare_taken;

struct handler_target {
	void *function; /* NULL: go back */
	void *context;
};

/* Called by entry_*.S alone. */
void *handler_direct(int number, siginfo_t *info, void *context);
struct handler_target handler_moved(int number, siginfo_t *info, void *context);
void handler_default(int number, siginfo_t *info, void *context);

static void handler_block(void)
{
	static const uint64_t all = ~0ull;

	/* The mask comes back with the return from the handler. */
	if (filter_allows(FILTER_SIGPROCMASK))
		(void)raw_call(SYS_rt_sigprocmask, SIG_BLOCK, &all, NULL, sizeof(all));
}

static bool handler_on_spare(handler_work work, int number, siginfo_t *info, void *context)
{
	bool result;

	while (__atomic_exchange_n(&handler_spare_taken, 1, __ATOMIC_ACQUIRE))
		;
	result = handler_call_on((uintptr_t)handler_spare + SPARE_BYTES, work, number, info,
				 context);
	store_release(&handler_spare_taken, 0);
	return result;
}

/* Not inlined: what it needs of the stack would be needed before every handler. */
static __attribute__((noinline)) bool handler_work_on(handler_work work, int number,
						      siginfo_t *info, void *context)
{
	const uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	const int saved_errno = errno;
	bool result;

	handler_block();
	if (altstack_has(here))
		result = work(number, info, context);
	else if (altstack_top())
		result = handler_call_on(altstack_top(), work, number, info, context);
	else
		result = handler_on_spare(work, number, info, context);
	errno = saved_errno;
	return result;
}

/* The handler, or NULL if there is nothing to be called any more. */
static void *handler_next(int number, siginfo_t *info, void *context)
{
	const __sighandler_t handler = disposition_take(number, info);

	if (handler == SIG_DFL)
		(void)handler_work_on(crash_fatal, number, info, context);
	return handler == SIG_DFL || handler == SIG_IGN ? NULL : (void *)handler;
}

static void *handler_choose(int number, siginfo_t *info, void *context)
{
	if (unlikely(crash_is_guarded(number, info)) &&
	    handler_work_on(crash_guarded, number, info, context))
		return NULL;
	return handler_next(number, info, context);
}

__attribute__((used)) void *handler_direct(int number, siginfo_t *info, void *context)
{
	void *function = handler_choose(number, info, context);

	if (function)
		altstack_show(&((ucontext_t *)context)->uc_stack);
	return function;
}

/* Can the kernel write there? Asked only where a stack may have come to its end. */
static bool handler_can_write(int number, uintptr_t address)
{
	if (number != SIGSEGV || !filter_allows(FILTER_SIGPROCMASK))
		return true;
	return !raw_call(SYS_rt_sigprocmask, SIG_BLOCK, NULL, address, sizeof(uint64_t)) ||
	       errno != EFAULT;
}

/* The context where the program's handler would have had it; NULL if there is no room for it. */
static void *handler_move(int number, ucontext_t *context)
{
	uintptr_t bottom, low, top = altstack_native_top(context, &bottom);

	if (!altstack_is_ours(&context->uc_stack) || !top)
		return context;
	low = frame_low(context, altstack_top(), top);
	if (low < bottom || low > top || !handler_can_write(number, low))
		return NULL;
	return frame_move(context, altstack_top(), top);
}

__attribute__((used)) struct handler_target handler_moved(int number, siginfo_t *info,
							  void *context)
{
	struct handler_target target = {handler_choose(number, info, context), context};
	const int saved_errno = errno;

	if (!target.function)
		return target;
	target.context = handler_move(number, context);
	/* The kernel ends a program whose handler it finds no room for with this signal. */
	if (!target.context) {
		(void)handler_work_on(crash_fatal, SIGSEGV, info, context);
		target.function = NULL;
	} else {
		altstack_show(&((ucontext_t *)target.context)->uc_stack);
	}
	errno = saved_errno;
	return target;
}

__attribute__((used)) void handler_default(int number, siginfo_t *info, void *context)
{
	void *function = handler_direct(number, info, context);

	/* Asked for just now, by another thread. */
	if (function)
		((void (*)(int, siginfo_t *, void *))function)(number, info, context);
}
