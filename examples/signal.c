/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * signal - a handler saves its own stack, cut where the signal struck.
 *
 * Shows: stackdepot_cut stackdepot_cut_signal stackdepot_save
 */
#include <execinfo.h>
#include <signal.h>
#include <stdio.h>

#include <stackdepot/stackdepot.h>

static struct stackdepot *depot;
static stackdepot_handle_t seen[2];
static unsigned int nr_seen;

static void handler(int number)
{
	uintptr_t frames[64];
	unsigned int nr = (unsigned int)backtrace((void **)frames, 64);

	(void)number;
	/* Without this, each place that a signal interrupts would make a trace of its own. */
	nr = stackdepot_cut_signal(frames, nr);
	seen[nr_seen++] = stackdepot_save(depot, frames, nr, 0);
}

static __attribute__((noinline)) void interrupted_here(void)
{
	(void)raise(SIGUSR1);
}

int main(void)
{
	struct stackdepot_options options = {.max_bytes = 1 << 20};
	const uintptr_t frames[] = {0x401000, 0x402000, 0x403000, 0x404000};
	void *first;

	/* By range, for those who know where their interrupt entry lies. */
	printf("cut to %u frames\n", stackdepot_cut(frames, 4, 0x402000, 0x402fff));

	(void)backtrace(&first, 1); /* which may allocate at its first call */
	if (stackdepot_create(&options, &depot) || signal(SIGUSR1, handler) == SIG_ERR)
		return 1;
	interrupted_here();
	(void)raise(SIGUSR1);
	printf("%u signals, %s\n", nr_seen, seen[0] == seen[1] ? "one trace" : "two traces");
	stackdepot_destroy(depot);
	return 0;
}
