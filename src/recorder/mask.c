/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * mask.c - threads that block SIGSEGV.
 *
 * A fault that is blocked is the end of the process, whatever handler there is. Without us an
 * access beyond an object is none, as a rule. So as long as a thread blocks the signal no object is
 * guarded: what the program sets is only looked at here, and not changed.
 *
 * A thread that is begun meanwhile blocks it as well, and says nothing when it ends that, so then
 * no object is guarded any more; nor where the process was started so. Tags are checked for each
 * thread by itself, and not for one that blocks it. What is not seen are
 * handlers whose sa_mask has it, while they run, and system calls of the program's own.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

#include "filter.h"
#include "guard.h"
#include "handler.h"

static int (*real_sigmask)(int, const sigset_t *, sigset_t *);
static int (*real_sigprocmask)(int, const sigset_t *, sigset_t *);
static int (*real_pthread_create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

/* This thread has SIGSEGV blocked, and holds the guards. */
static __thread bool mask_holds __attribute__((tls_model("initial-exec")));

static void mask_hold(void)
{
	mask_holds = true;
	guard_hold();
	tags_hold(true);
}

/* Before: the mask may be in force at once. True if the guards are held from now on. */
static bool mask_before(int how, const sigset_t *set)
{
	if (mask_holds || !set || how == SIG_UNBLOCK || !(guard_low || tags_on()) ||
	    sigismember(set, SIGSEGV) != 1)
		return false;
	mask_hold();
	return true;
}

static void mask_drop(void)
{
	mask_holds = false;
	guard_release();
	tags_hold(false);
}

/* After: what is not blocked any more. In a child of vfork() the parent's flag is not ours. */
static void mask_after(int how, const sigset_t *set)
{
	const bool has = sigismember(set, SIGSEGV) == 1;

	if (how != SIG_BLOCK && has == (how == SIG_UNBLOCK) && !recorder_is_borrowed())
		mask_drop();
}

static int mask_change(int (*change)(int, const sigset_t *, sigset_t *), int how,
		       const sigset_t *set, sigset_t *ret_old)
{
	const bool begun = mask_before(how, set);
	const int result = change(how, set, ret_old);

	if (likely(!mask_holds))
		return result;
	if (result && begun)
		mask_drop();
	else if (!result && set)
		mask_after(how, set);
	return result;
}

void mask_end(void)
{
	if (mask_holds)
		mask_drop();
}

static void mask_keep(void)
{
	static uint32_t kept;

	if (!__atomic_exchange_n(&kept, 1, __ATOMIC_RELAXED))
		guard_hold();
}

EXPORT int pthread_sigmask(int how, const sigset_t *set, sigset_t *ret_old)
{
	if (!real_sigmask)
		*(void **)&real_sigmask = dlsym(RTLD_NEXT, "pthread_sigmask");
	return mask_change(real_sigmask, how, set, ret_old);
}

EXPORT int sigprocmask(int how, const sigset_t *set, sigset_t *ret_old)
{
	if (!real_sigprocmask)
		*(void **)&real_sigprocmask = dlsym(RTLD_NEXT, "sigprocmask");
	return mask_change(real_sigprocmask, how, set, ret_old);
}

EXPORT int pthread_create(pthread_t *ret_thread, const pthread_attr_t *attributes,
			  void *(*start)(void *), void *argument)
{
	sigset_t mask;

	/* In a forked child it is this thread that has the parent's things, and lets go of them. */
	(void)recorder_on();
	if (!real_pthread_create)
		*(void **)&real_pthread_create = dlsym(RTLD_NEXT, "pthread_create");
	if (mask_holds ||
	    (guard_low && attributes && !pthread_attr_getsigmask_np(attributes, &mask) &&
	     sigismember(&mask, SIGSEGV) == 1))
		mask_keep();
	return real_pthread_create(ret_thread, attributes, start, argument);
}

static bool mask_has(void)
{
	uint64_t mask = 0;

	return filter_allows(FILTER_SIGPROCMASK) &&
	       !raw_call(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, sizeof(mask)) &&
	       mask >> (SIGSEGV - 1) & 1;
}

/* Tags are of each thread. One that was begun while they were not checked goes on so until here. */
void mask_begin(void)
{
	if (tags_on() && !mask_holds && mask_has())
		mask_hold();
}

void mask_setup(void)
{
	if (guard_low && mask_has())
		mask_keep();
}
