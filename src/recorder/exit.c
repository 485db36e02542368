/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * exit.c - the end of the process, while its memory is there.
 *
 * Which objects are lost is found from outside (src/lost), and at the end there is one moment for
 * it: when all handlers of exit() have run, and before the kernel takes the memory. If `stackdepot
 * run` asked for it, the process waits then until it was looked at. It asks in its slot, a word
 * that is waited for by both sides as a futex, and waits no longer than makes sense if nobody
 * answers. Other threads go on, as they do while exit() runs handlers.
 *
 * _exit() ends many programs, among them most shells, so it waits as well: that may be in a signal
 * handler, and nothing here minds.
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "exit.h"
#include "filter.h"
#include "live_table.h"
#include "recorder.h"
#include "say.h"

#define EXIT_STEP_NS 100000000l
#define EXIT_ASK_NS 5000000000ull   /* for somebody to come */
#define EXIT_LOOK_NS 60000000000ull /* and to have done */

static void exit_sleep(const uint32_t *word, uint32_t value)
{
	const struct timespec step = {.tv_nsec = EXIT_STEP_NS};

	(void)raw_call(SYS_futex, word, FUTEX_WAIT, value, &step, NULL, 0);
}

/* Nobody came, or who came was killed: whoever comes now is too late. */
static void exit_give_up(uint32_t *word, uint32_t value)
{
	if (__atomic_compare_exchange_n(word, &value, STORE_EXIT_OVER, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		say("nobody looked at what a process had lost when it ended", NULL);
}

static void exit_wait(uint32_t *word)
{
	const uint64_t begun = recorder_now_ns();
	uint32_t value;

	while ((value = load_acquire(word)) != STORE_EXIT_OVER) {
		const uint64_t limit = value == STORE_EXIT_ASKS ? EXIT_ASK_NS : EXIT_LOOK_NS;

		if (recorder_now_ns() - begun > limit)
			exit_give_up(word, value);
		else
			exit_sleep(word, value);
	}
}

void exit_look(void)
{
	uint32_t *word = &recorder.process->at_exit, none = STORE_EXIT_NONE;
	const uint64_t all = ~0ull;
	uint64_t before = 0, came = 0;

	if (!recorder.options.look_at_exit || !filter_allows(FILTER_LOOK) ||
	    load_relaxed(&recorder.header->looker) == STORE_LOOKER_GONE || recorder_is_borrowed() ||
	    !__atomic_compare_exchange_n(word, &none, STORE_EXIT_ASKS, false, __ATOMIC_RELEASE,
					 __ATOMIC_RELAXED))
		return;
	/* Without us it would be gone: no handler runs, and no signal ends it otherwise. */
	(void)raw_call(SYS_rt_sigprocmask, SIG_BLOCK, &all, &before, sizeof(all));
	/* Where Yama restricts ptrace() to ancestors; elsewhere the kernel knows no such call. */
	(void)raw_call(SYS_prctl, PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	(void)__atomic_fetch_add(&recorder.header->exits, 1, __ATOMIC_RELEASE);
	(void)raw_call(SYS_futex, &recorder.header->exits, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
	exit_wait(word);
	/* What came meanwhile stays out. Others do not: writing what is left may break a pipe. */
	(void)raw_call(SYS_rt_sigpending, &came, sizeof(came));
	before |= came;
	(void)raw_call(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof(before));
}

static __attribute__((noreturn)) void exit_at_once(int status)
{
	if (load_acquire(&recorder.ready) && load_relaxed(&recorder_life->here))
		exit_look();
	for (;;)
		(void)raw_call(SYS_exit_group, status);
}

EXPORT void _exit(int status)
{
	exit_at_once(status);
}

EXPORT void _Exit(int status)
{
	exit_at_once(status);
}
