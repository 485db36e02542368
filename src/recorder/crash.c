/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * crash.c - the signals a memory error ends in, and what is recorded of them.
 *
 * A fault in a guarded object is reported, and the program goes on. Any other goes to the program's
 * handler if it has one, which may well know what to do; if it has none it is the end, and
 * recorded as such. Then the signal takes its course, with its own exit status and core file.
 *
 * A program that leaves its handler and dies of the same signal comes by here again without one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach.h"
#include "crash.h"
#include "error_record.h"
#include "filter.h"
#include "guard.h"
#include "handler.h"
#include "thread.h"
#include "trace.h"

#define NEAR_NULL STORE_PAGE_BYTES
#define NEAR_STACK (64u << 10)

void crash_real_sigaction(int number, const struct sigaction *action)
{
	(void)disposition_real(number, action, NULL);
}

/* --- the access --------------------------------------------------------------------------------
 */

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

	if (error_confirm(thread, number, context))
		return;
	error.access_trace = trace_save_context(thread, context);
	if (crash_is_access(number, info)) {
		error.address = tags_address(info->si_addr);
		/* SI_KERNEL: an address that cannot be; the processor does not tell which. */
		error.kind = error.address < NEAR_NULL && info->si_code != SI_KERNEL
				     ? STACKDEPOT_NULL_DEREF
				     : STACKDEPOT_WILD_ACCESS;
		error.flags = crash_access(context, error.address);
		if (info->si_code != SI_KERNEL &&
		    crash_is_overflow(error.address, frame_sp(context)))
			error.kind = STACKDEPOT_STACK_OVERFLOW;
		else
			crash_nearest(thread, &error);
	}
	error_report(&error);
}

/* Can a signal be sent to nobody? */
static bool crash_can_send(void)
{
	return filter_allows(FILTER_SIGACTION) && filter_allows(FILTER_GETPID) &&
	       filter_allows(FILTER_GETTID) &&
	       (filter_allows(FILTER_SIGQUEUE) || filter_allows(FILTER_TGKILL));
}

/* To a fault we can return, with the signal blocked; only SIGSEGV can be made one at will. */
bool crash_can_end(int number)
{
	return filter_allows(FILTER_SIGRETURN) && (number == SIGSEGV || crash_can_send());
}

static bool crash_send(int number, siginfo_t *info)
{
	const pid_t process = getpid(), thread = (pid_t)thread_id();

	if (filter_allows(FILTER_SIGQUEUE))
		return !raw_call(SYS_rt_tgsigqueueinfo, process, thread, number, info);
	return !raw_call(SYS_tgkill, process, thread, number);
}

/*
 * The signal is sent once more, to be taken as the handler returns, by nobody: so a fault and a
 * signal that was sent, or one that only looks like a fault, end as they would have ended. Where a
 * filter denies that, the fault comes again at once, blocked, which is the end as well, and what
 * was sent becomes one.
 */
static void crash_end(int number, siginfo_t *info, ucontext_t *context)
{
	static const struct sigaction none = {.sa_handler = SIG_DFL};
	siginfo_t again = *info;

	if (info->si_signo != number) {
		memset(&again, 0, sizeof(again));
		again.si_signo = number;
		again.si_code = SI_KERNEL;
	}
	(void)sigdelset(&context->uc_sigmask, number);
	if (crash_can_send() && !disposition_real(number, &none, NULL) &&
	    crash_send(number, &again))
		return;
	if (info->si_code <= 0)
		frame_jump_nowhere(context);
	(void)sigaddset(&context->uc_sigmask, number);
}

bool crash_fatal(int number, siginfo_t *info, void *context)
{
	struct recorder_thread *thread;

	if (recorder_on()) {
		thread = thread_self();
		crash_record(thread, number, info, context);
	}
	crash_end(number, info, context);
	return true;
}

/* Ours, and no error of the program's: a page of the store is gone. */
static bool crash_is_lost(int number, const siginfo_t *info)
{
	return number == SIGBUS && info->si_code == BUS_ADRERR && attach_has(info->si_addr);
}

bool crash_is_guarded(int number, const siginfo_t *info)
{
	return crash_is_access(number, info) &&
	       (guard_owns(info->si_addr) || tags_is_fault(number, info) ||
		crash_is_lost(number, info));
}

bool crash_guarded(int number, siginfo_t *info, void *context)
{
	const uintptr_t address = (uintptr_t)info->si_addr;

	if (crash_is_lost(number, info))
		return setup_lost(info->si_addr);
	if (tags_is_fault(number, info)) {
		tags_fault(recorder_on() ? thread_self() : NULL, info, context,
			   crash_access(context, address));
		return true;
	}
	return recorder_on() &&
	       guard_fault(thread_self(), address, context, crash_access(context, address));
}

void crash_setup(void)
{
	mask_setup();
	if (recorder.options.crash_handler)
		disposition_setup();
}
