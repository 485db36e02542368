/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * crash.c - the signals a memory error ends in.
 *
 * Our handler stands in for the program's: its sigaction() and signal() of these five are kept here
 * and told back when it asks. A fault in a guarded object is reported, and the program goes on. Any
 * other goes to the program's handler if it has one, which may well know what to do; if it has none
 * it is the end, and recorded as such. Then the signal takes its course, with its own exit status
 * and core file.
 *
 * A program that leaves its handler and dies of the same signal comes by here again without one.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "recorder.h"

#define NEAR_NULL STORE_PAGE_BYTES
#define NEAR_STACK (64u << 10)

static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};

#define SIGNALS (sizeof(crash_signals) / sizeof(crash_signals[0]))

typedef int (*sigaction_function)(int, const struct sigaction *, struct sigaction *);
typedef __sighandler_t (*signal_function)(int, __sighandler_t);

static sigaction_function real_sigaction;
static signal_function real_signal;
static bool crash_watching;

/* What the program asked for. Two places each, so that a handler never reads a half-written one. */
static struct {
	struct sigaction at[2];
	uint32_t current;
} crash_asked[SIGNALS];

static int crash_index(int number)
{
	int i;

	for (i = 0; i < (int)SIGNALS; i++)
		if (crash_watching && crash_signals[i] == number)
			return i;
	return -1;
}

static void crash_resolve(void)
{
	if (!real_sigaction)
		*(void **)&real_sigaction = dlsym(RTLD_NEXT, "sigaction");
}

void crash_real_sigaction(int number, const struct sigaction *action)
{
	crash_resolve();
	(void)real_sigaction(number, action, NULL);
}

/* --- the handler ------------------------------------------------------------------------------ */

#if defined(__aarch64__)
#define ESR_IS_WRITE (UINT64_C(1) << 6)

/* What the processor said, if the kernel passed it on. */
static const struct esr_context *crash_syndrome(const ucontext_t *at)
{
	const uint8_t *record = at->uc_mcontext.__reserved;
	const uint8_t *end = record + sizeof(at->uc_mcontext.__reserved);

	while ((size_t)(end - record) >= sizeof(struct esr_context)) {
		const struct _aarch64_ctx *head = (const void *)record;

		if (head->magic == ESR_MAGIC)
			return (const void *)record;
		if (!head->magic || head->size < sizeof(*head) ||
		    head->size > (size_t)(end - record))
			break;
		record += head->size;
	}
	return NULL;
}

/* Loads and stores differ by a bit; those of one general register have two, and several loads. */
static unsigned int crash_instruction_access(uint32_t word)
{
	bool load = word >> 22 & 1;

	if ((word & 0x0a000000) != 0x08000000)
		return 0;
	if ((word & 0x3b000000) == 0x18000000) /* from beside the code */
		load = true;
	else if ((word & 0x3f200c00) == 0x38200000) /* atomic: both */
		load = false;
	else if ((word & 0x3e000000) == 0x38000000)
		load = word >> 22 & 3;
	return load ? STACKDEPOT_ERROR_READ : STACKDEPOT_ERROR_WRITE;
}
#endif

static unsigned int crash_access(const void *context, uintptr_t address)
{
	const ucontext_t *at = context;

#if defined(__x86_64__)
	(void)address;
	return at->uc_mcontext.gregs[REG_ERR] & 2 ? STACKDEPOT_ERROR_WRITE : STACKDEPOT_ERROR_READ;
#else
	const struct esr_context *syndrome = crash_syndrome(at);
	const uintptr_t pc = at->uc_mcontext.pc;

	if (syndrome)
		return syndrome->esr & ESR_IS_WRITE ? STACKDEPOT_ERROR_WRITE
						    : STACKDEPOT_ERROR_READ;
	/* a jump to nowhere: there is no instruction */
	return pc == address ? 0 : crash_instruction_access(*(const uint32_t *)pc);
#endif
}

static uintptr_t crash_sp(const void *context)
{
	const ucontext_t *at = context;

#if defined(__x86_64__)
	return (uintptr_t)at->uc_mcontext.gregs[REG_RSP];
#else
	return (uintptr_t)at->uc_mcontext.sp;
#endif
}

/* Next to the stack pointer memory is missing only where the stack may not grow any more. */
static bool crash_is_overflow(uintptr_t address, uintptr_t sp)
{
	return address + NEAR_STACK >= sp && address < sp + NEAR_STACK;
}

static bool crash_is_access(int number, const siginfo_t *info)
{
	return (number == SIGSEGV || number == SIGBUS) && info->si_code > 0;
}

static void crash_nearest(struct recorder_thread *thread, struct store_error *error)
{
	if (error->address < NEAR_NULL || !error_nearest(thread, error))
		return;
	error->flags |= STACKDEPOT_ERROR_NEAREST;
	error_history(error);
}

static void crash_record(struct recorder_thread *thread, int number, const siginfo_t *info,
			 const void *context)
{
	struct store_error error = {.kind = STACKDEPOT_CRASH,
				    .signal = (uint32_t)number,
				    .thread = thread ? thread->id : thread_id()};

	error.access_trace = trace_save_context(thread, context);
	if (crash_is_access(number, info)) {
		error.address = (uintptr_t)info->si_addr;
		/* SI_KERNEL: an address that cannot be; the processor does not tell which. */
		error.kind = error.address < NEAR_NULL && info->si_code != SI_KERNEL
				     ? STACKDEPOT_NULL_DEREF
				     : STACKDEPOT_WILD_ACCESS;
		error.flags = crash_access(context, error.address);
		if (info->si_code != SI_KERNEL &&
		    crash_is_overflow(error.address, crash_sp(context)))
			error.kind = STACKDEPOT_STACK_OVERFLOW;
		else
			crash_nearest(thread, &error);
	}
	error_report(&error);
}

/* Let it end as it would have ended. */
static void crash_default(int number, const siginfo_t *info)
{
	const struct sigaction action = {.sa_handler = SIG_DFL};

	crash_real_sigaction(number, &action);
	/* A fault comes again when the instruction does; a signal that was sent has to be sent
	 * again. */
	if (info->si_code <= 0)
		(void)syscall(SYS_tgkill, getpid(), (pid_t)thread_id(), number);
}

static void crash_call(const struct sigaction *asked, int number, siginfo_t *info, void *context)
{
	if (asked->sa_flags & SA_SIGINFO)
		asked->sa_sigaction(number, info, context);
	else
		asked->sa_handler(number);
}

static void crash_handler(int number, siginfo_t *info, void *context)
{
	const int saved_errno = errno;
	int i = crash_index(number);
	struct sigaction asked = crash_asked[i].at[load_acquire(&crash_asked[i].current)];
	bool recording = recorder_on();
	struct recorder_thread *thread = recording ? thread_self() : NULL;

	if (recording && crash_is_access(number, info) && guard_owns(info->si_addr) &&
	    guard_fault(thread, (uintptr_t)info->si_addr, context,
			crash_access(context, (uintptr_t)info->si_addr))) {
		errno = saved_errno;
		return;
	}
	if (asked.sa_handler == SIG_DFL) {
		if (recording)
			crash_record(thread, number, info, context);
		crash_default(number, info);
		errno = saved_errno;
		return;
	}
	if (asked.sa_flags & SA_RESETHAND)
		crash_asked[i].at[crash_asked[i].current].sa_handler = SIG_DFL;
	errno = saved_errno;
	crash_call(&asked, number, info, context);
}

/* --- what the program calls ------------------------------------------------------------------- */

/* Our handler with the program's wishes for mask and stack; ignoring stays the kernel's business.
 */
static int crash_install(int number, const struct sigaction *asked)
{
	struct sigaction ours = *asked;

	if (asked->sa_handler != SIG_IGN) {
		ours.sa_sigaction = crash_handler;
		ours.sa_flags = (ours.sa_flags & ~SA_RESETHAND) | SA_SIGINFO;
		if (asked->sa_handler == SIG_DFL)
			ours.sa_flags |= SA_ONSTACK;
	}
	return real_sigaction(number, &ours, NULL);
}

static int crash_sigaction(int i, const struct sigaction *action, struct sigaction *ret_old)
{
	uint32_t current = load_acquire(&crash_asked[i].current);
	struct sigaction old = crash_asked[i].at[current];

	if (action) {
		crash_asked[i].at[!current] = *action;
		if (crash_install(crash_signals[i], action))
			return -1;
		store_release(&crash_asked[i].current, !current);
	}
	if (ret_old)
		*ret_old = old;
	return 0;
}

EXPORT int sigaction(int number, const struct sigaction *action, struct sigaction *ret_old)
{
	int i = crash_index(number);

	if (i >= 0)
		return crash_sigaction(i, action, ret_old);
	crash_resolve();
	return real_sigaction(number, action, ret_old);
}

EXPORT __sighandler_t signal(int number, __sighandler_t handler)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, old;
	int i = crash_index(number);

	if (i >= 0)
		return crash_sigaction(i, &action, &old) ? SIG_ERR : old.sa_handler;
	if (!real_signal)
		*(void **)&real_signal = dlsym(RTLD_NEXT, "signal");
	return real_signal(number, handler);
}

void crash_setup(void)
{
	unsigned int i;

	if (!recorder.options.crash_handler)
		return;
	crash_resolve();
	for (i = 0; i < SIGNALS; i++) {
		struct sigaction *asked = &crash_asked[i].at[0];

		if (!real_sigaction(crash_signals[i], NULL, asked))
			(void)crash_install(crash_signals[i], asked);
	}
	crash_watching = true;
}
