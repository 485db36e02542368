/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * altstack.c - a stack for signals in each thread.
 *
 * When a stack overflows there is no room on it to find that out, and an alternate stack of the
 * program's may be full of its own handler. So the kernel is given a stack of ours, and the
 * program's, if it sets one, is kept here: what it asks is answered as if ours were not there, and
 * its handlers are moved to where they would have run (handler.c).
 *
 * The kernel is always asked which stack is in force. It is another than ours if the program set it
 * by a system call of its own, or wants it disarmed while a handler runs, which only the kernel
 * knows how to do; then everything is as the kernel has it. A child of vfork() shares our memory,
 * but not the kernel's.
 *
 * A handler finds in its context which stack was in force, and the kernel puts that one back when
 * the handler returns. The handler is shown the program's (altstack_show()), in such a form that
 * the kernel refuses it, and so leaves ours: one of no size is refused as it is, any other for a
 * flag that no kernel knows.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "altstack.h"
#include "filter.h"
#include "handler.h"
#include "thread.h"

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif

#define ALTSTACK_SHOWN (1 << 30) /* ours among flags: not to be put back */

static const stack_t altstack_none = {.ss_flags = SS_DISABLE};

/* Of this thread: ours, NULL without; the program's, as the kernel would tell it; and with which
 * flags it was set. */
static __thread char *altstack __attribute__((tls_model("initial-exec")));
static __thread stack_t altstack_asked __attribute__((tls_model("initial-exec")));
static __thread int altstack_flags __attribute__((tls_model("initial-exec")));

static bool kernel_altstack(const stack_t *stack, stack_t *ret_old)
{
	return !raw_call(SYS_sigaltstack, stack, ret_old);
}

static char *altstack_end_of(void)
{
	return altstack + RECORDER_ALTSTACK_BYTES;
}

bool altstack_has(uintptr_t address)
{
	return altstack && address - (uintptr_t)altstack < RECORDER_ALTSTACK_BYTES;
}

uintptr_t altstack_top(void)
{
	return altstack ? (uintptr_t)altstack_end_of() : 0;
}

bool altstack_is_ours(const stack_t *stack)
{
	return altstack && stack->ss_sp == altstack && stack->ss_size == RECORDER_ALTSTACK_BYTES;
}

static void altstack_install(void)
{
	const stack_t ours = {.ss_sp = altstack, .ss_size = RECORDER_ALTSTACK_BYTES};

	(void)kernel_altstack(&ours, NULL);
}

static bool altstack_is_first_thread(void)
{
	return filter_allows(FILTER_GETPID) && (pid_t)thread_id() == getpid();
}

void altstack_begin(void *memory)
{
	stack_t now;

	if (!recorder.options.crash_handler || !filter_allows(FILTER_SIGALTSTACK) ||
	    !kernel_altstack(NULL, &now))
		return;
	altstack = memory;
	altstack_asked = altstack_none;
	/* The kernel begins threads so, but not processes. */
	altstack_flags = altstack_is_first_thread() ? 0 : SS_DISABLE;
	/* One that was set before we came stays with the kernel. */
	if (now.ss_flags & SS_DISABLE)
		altstack_install();
}

void altstack_end(void)
{
	stack_t now;

	if (!altstack)
		return;
	if (filter_allows(FILTER_SIGALTSTACK) && kernel_altstack(NULL, &now) &&
	    altstack_is_ours(&now))
		(void)kernel_altstack(&altstack_none, NULL);
	altstack = NULL;
}

/* As the kernel has it: the lowest address is not on the stack, the one behind the last is. */
static bool altstack_asked_has(uintptr_t sp)
{
	const uintptr_t low = (uintptr_t)altstack_asked.ss_sp;

	return sp > low && sp - low <= altstack_asked.ss_size;
}

uintptr_t altstack_native_top(const ucontext_t *context, uintptr_t *ret_bottom)
{
	const uintptr_t sp = frame_sp(context);

	*ret_bottom = 0;
	if (altstack_has(sp))
		return 0;
	if (altstack_asked.ss_flags & SS_DISABLE)
		return frame_top(context);
	*ret_bottom = (uintptr_t)altstack_asked.ss_sp + 1;
	if (altstack_asked_has(sp))
		return frame_top(context);
	return (uintptr_t)altstack_asked.ss_sp + altstack_asked.ss_size;
}

void altstack_show(stack_t *shown)
{
	if (!altstack_is_ours(shown))
		return;
	shown->ss_sp = altstack_asked.ss_sp;
	shown->ss_size = altstack_asked.ss_size;
	shown->ss_flags = altstack_flags;
	if (shown->ss_size || shown->ss_flags)
		shown->ss_flags |= ALTSTACK_SHOWN;
}

/* The kernel lets pass what changes nothing, be it any good or not. */
static bool altstack_is_asked(const stack_t *stack)
{
	return stack->ss_sp == altstack_asked.ss_sp && stack->ss_size == altstack_asked.ss_size &&
	       stack->ss_flags == altstack_flags;
}

/* The kernel has ours: answer for the program's. */
static int altstack_set(const stack_t *asked, stack_t *ret_old, uintptr_t sp)
{
	const bool used = altstack_asked_has(sp);
	stack_t old = altstack_asked;

	if (used)
		old.ss_flags |= SS_ONSTACK;
	if (asked && used) {
		errno = EPERM;
		return -1;
	}
	if (asked && !altstack_is_asked(asked)) {
		/* Whether it is any good the kernel knows. */
		if (!kernel_altstack(asked, NULL))
			return -1;
		if (!kernel_altstack(NULL, &altstack_asked))
			altstack_asked = altstack_none;
		altstack_flags = asked->ss_flags;
		if (!(altstack_asked.ss_flags & SS_AUTODISARM))
			altstack_install();
	}
	if (ret_old)
		*ret_old = old;
	return 0;
}

static int altstack_change_known(const stack_t *asked, stack_t *ret_old, uintptr_t sp)
{
	stack_t now;
	int result;

	if (!altstack || recorder_is_borrowed() || !kernel_altstack(NULL, &now))
		return kernel_altstack(asked, ret_old) ? 0 : -1;
	if (altstack_is_ours(&now))
		return altstack_set(asked, ret_old, sp);
	result = kernel_altstack(asked, ret_old) ? 0 : -1;
	if (result || !asked || !kernel_altstack(NULL, &now))
		return result;
	altstack_asked = now;
	altstack_asked.ss_flags &= ~SS_ONSTACK;
	altstack_flags = asked->ss_flags;
	if (!(now.ss_flags & SS_AUTODISARM))
		altstack_install();
	return 0;
}

/* What a handler was shown may be set, as it may be without us. */
static int altstack_change(const stack_t *asked, stack_t *ret_old, uintptr_t sp)
{
	stack_t known;

	if (!asked || !(asked->ss_flags & ALTSTACK_SHOWN))
		return altstack_change_known(asked, ret_old, sp);
	known = *asked;
	known.ss_flags &= ~ALTSTACK_SHOWN;
	return altstack_change_known(&known, ret_old, sp);
}

EXPORT int sigaltstack(const stack_t *asked, stack_t *ret_old)
{
	return altstack_change(asked, ret_old, (uintptr_t)__builtin_frame_address(0));
}

long raw_sigaltstack(long call, const stack_t *asked, stack_t *ret_old);

__attribute__((used)) long raw_sigaltstack(long call, const stack_t *asked, stack_t *ret_old)
{
	(void)call;
	return altstack_change(asked, ret_old, (uintptr_t)__builtin_frame_address(0));
}
