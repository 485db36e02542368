/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Traces saved by a signal handler, cut where the signal came in. */
#define _GNU_SOURCE
#include <elf.h>
#include <execinfo.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "user_test.h"

static struct stackdepot *depot;
static volatile stackdepot_handle_t cut_handle, whole_handle;
static volatile unsigned int cut_nr, whole_nr;

static void handler(int number)
{
	uintptr_t frames[64];
	int nr = backtrace((void **)frames, 64);

	(void)number;
	errno = ERANGE;
	whole_nr = (unsigned int)nr;
	cut_nr = stackdepot_cut_signal(frames, (unsigned int)nr);
	whole_handle = stackdepot_save(depot, frames, whole_nr, 0);
	cut_handle = stackdepot_save(depot, frames, cut_nr, 0);
	assert_int_equal(errno, ERANGE);
}

/* Different places for a signal to strike. */
static noinline void strike(int depth)
{
	if (!depth)
		(void)raise(SIGUSR1);
	else
		strike(depth - 1);
	/* Not a tail call: each depth has its frame. */
	__asm__ volatile("" : : : "memory");
}

static void signal_prepare(core_test *test)
{
	struct sigaction action = {.sa_handler = handler};
	void *frame;

	/* The unwinder allocates at its first use; then no more. */
	(void)backtrace(&frame, 1);
	depot = core_depot(test, 1000, 0, 0);
	CORE_EQ(sigaction(SIGUSR1, &action, NULL), 0);
}

static void handlers_save_one_trace_wherever_they_strike(core_test *test)
{
	stackdepot_handle_t cut;
	unsigned int i, nr;

#if defined(__aarch64__)
	/* Without a vDSO (as under an emulator) there is no trampoline to be found. */
	if (!getauxval(AT_SYSINFO_EHDR))
		skip();
#elif !defined(__x86_64__)
	/* Nothing is cut there: stackdepot.h says so. */
	skip();
#endif
	signal_prepare(test);
	strike(0);
	cut = cut_handle;
	nr = cut_nr;
	CORE_NE(cut, 0);
	CORE_TRUE(nr >= 2 && nr < whole_nr);
	for (i = 1; i < 10; i++) {
		stackdepot_handle_t whole = whole_handle;

		strike((int)i);
		CORE_NE(whole_handle, whole);
		CORE_EQ(cut_handle, cut);
		CORE_EQ(cut_nr, nr);
	}
	core_finish(test, depot);
}

static void outside_of_handlers_nothing_is_cut(core_test *test)
{
	uintptr_t frames[64];
	unsigned int nr = (unsigned int)backtrace((void **)frames, 64);

	CORE_EQ(stackdepot_cut_signal(frames, nr), nr);
	CORE_EQ(stackdepot_cut_signal(frames, 0), 0);
}

/* On a stack of its own, and with every signal blocked that can be. */
static void handlers_may_run_on_another_stack(core_test *test)
{
	static char alternate[64 << 10];
	stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
	uintptr_t frames[64];

	signal_prepare(test);
	(void)sigfillset(&action.sa_mask);
	CORE_EQ(sigaltstack(&stack, NULL), 0);
	CORE_EQ(sigaction(SIGUSR1, &action, NULL), 0);
	strike(3);
	CORE_EQ(stackdepot_fetch(depot, whole_handle, frames, 64), whole_nr);
	CORE_EQ(stackdepot_fetch(depot, cut_handle, frames, 64), cut_nr);
	core_finish(test, depot);
}

USER_SUITE(signal, cmocka_unit_test(handlers_save_one_trace_wherever_they_strike),
	   cmocka_unit_test(outside_of_handlers_nothing_is_cut),
	   cmocka_unit_test(handlers_may_run_on_another_stack));
