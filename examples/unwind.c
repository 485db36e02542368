/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * unwind - the stack of the caller, walked and stored, again and again.
 *
 * Shows: stackdepot_unwind_setup stackdepot_unwind_init stackdepot_unwind_caller stackdepot_unwind
 * Shows: stackdepot_unwind_done stackdepot_unwind_context stackdepot_unwind_get_stats
 */
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>

#include <stackdepot/stackdepot.h>
#include <stackdepot/unwind.h>

enum { SIZE = 64, ROUNDS = 10, DEPTH = 20 };

static struct stackdepot *depot;
static struct stackdepot_unwinder *unwinder;
static struct stackdepot_cursor cursor;
static volatile sig_atomic_t interrupted; /* frames of what the signal found */

/* What an allocator's hook would call. */
static __attribute__((noinline)) stackdepot_handle_t save_caller(unsigned int *ret_nr)
{
	struct stackdepot_unwind_start start = stackdepot_unwind_caller();
	struct stackdepot_unwind_trace trace;
	stackdepot_handle_t handle;
	uintptr_t buffer[SIZE];

	stackdepot_unwind(unwinder, &start, buffer, SIZE, &trace);
	if (trace.flags & STACKDEPOT_UNWIND_NESTED)
		handle = stackdepot_save(depot, trace.frames, trace.nr, 0);
	else
		handle = stackdepot_save_cursor(depot, trace.frames, trace.nr, 0, &cursor,
						trace.unchanged);
	*ret_nr = trace.nr;
	stackdepot_unwind_done(unwinder, &trace);
	return handle;
}

static __attribute__((noinline)) unsigned int deep(unsigned int depth)
{
	stackdepot_handle_t first = 0, handle;
	unsigned int i, nr = 0, equal = 0;

	if (depth) {
		equal = deep(depth - 1);
		__asm__ volatile("" : "+r"(equal)); /* so it is no tail call */
		return equal;
	}
	for (i = 0; i < ROUNDS; i++) {
		handle = save_caller(&nr);
		first = first ? first : handle;
		equal += handle && handle == first;
	}
	printf("%u of %u saves gave the same handle; more than %d frames: %s\n", equal, i, DEPTH,
	       nr > DEPTH ? "yes" : "no");
	return equal;
}

static void handler(int number, siginfo_t *info, void *context)
{
	uintptr_t frames[SIZE];

	(void)number;
	(void)info;
	interrupted = (int)stackdepot_unwind_context(unwinder, context, frames, SIZE, NULL);
}

int main(void)
{
	struct stackdepot_options options = {.max_bytes = 1 << 20};
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	struct stackdepot_unwind_stats stats;
	void *memory = mmap(NULL, STACKDEPOT_UNWINDER_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED || stackdepot_create(&options, &depot))
		return 1;
	stackdepot_unwind_setup();
	unwinder = stackdepot_unwind_init(memory, STACKDEPOT_UNWINDER_BYTES);
	deep(DEPTH);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	printf("what a signal interrupted was walked: %s\n", interrupted > 1 ? "yes" : "no");
	stackdepot_unwind_get_stats(&stats);
	printf("the walks left rules behind: %s\n", stats.addresses > 0 ? "yes" : "no");
	stackdepot_destroy(depot);
	return 0;
}
