/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A trace as text to a file descriptor. */
#include <fcntl.h>
#include <signal.h>
#include <ucontext.h>

#include "user_test.h"

static void print_writes_what_snprint_says(core_test *test)
{
	static uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	static char expected[8000], written[8000];
	struct stackdepot *depot = core_depot(test, 1000, 0, 0);
	unsigned int nr;

	for (nr = 1; nr <= STACKDEPOT_MAX_FRAMES; nr += 51) {
		stackdepot_ref_t ref;
		int ends[2], length;

		frames[0] = nr;
		ref = stackdepot_ref(depot, stackdepot_save(depot, frames, nr, 0));
		length = stackdepot_snprint(depot, ref, expected, sizeof(expected), 0);
		CORE_EQ(length, TRACE_TEXT * nr);
		CORE_EQ(pipe(ends), 0);
		errno = ERANGE;
		CORE_EQ(stackdepot_print(depot, ref, ends[1]), 0);
		CORE_EQ(errno, ERANGE);
		CORE_EQ(read(ends[0], written, sizeof(written)), length);
		CORE_EQ(memcmp(written, expected, (size_t)length), 0);
		CORE_EQ(close(ends[0]) | close(ends[1]), 0);
	}
	core_finish(test, depot);
}

static void errors_are_passed_on(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 10, 0, 0);
	stackdepot_ref_t ref = stackdepot_ref(depot, core_save1(depot, 1, 0));
	int ends[2];

	errno = ERANGE;
	CORE_EQ(stackdepot_print(depot, ref, -1), -EBADF);
	CORE_EQ(errno, ERANGE);
	CORE_EQ(stackdepot_print(depot, ref + (1ull << 32), 1), -ESTALE);
	CORE_EQ(stackdepot_print(depot, 0, 1), -EINVAL);
	(void)signal(SIGPIPE, SIG_IGN);
	CORE_EQ(pipe(ends), 0);
	CORE_EQ(close(ends[0]), 0);
	CORE_EQ(stackdepot_print(depot, ref, ends[1]), -EPIPE);
	CORE_EQ(close(ends[1]), 0);
	core_finish(test, depot);
}

/* A handler may run on a stack of a few KiB. Under ASan objects in a frame lie apart. */
#ifdef __SANITIZE_ADDRESS__
enum { STACK_ALLOWED = 6000 };
#else
enum { STACK_ALLOWED = 1500 };
#endif
enum { STACK = 65536, PAINT = 0x5a };
static unsigned char small_stack[STACK] __attribute__((aligned(64)));
static ucontext_t back;
static struct stackdepot *small_depot;
static stackdepot_ref_t small_ref;
static int small_fd, small_error;

static void print_on_small_stack(void)
{
	small_error = stackdepot_print(small_depot, small_ref, small_fd);
}

static void printing_takes_little_stack(core_test *test)
{
	static uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	static ucontext_t there;
	static unsigned int unused;

	small_depot = core_depot(test, 1000, 0, 0);
	small_ref = stackdepot_ref(small_depot,
				   stackdepot_save(small_depot, frames, STACKDEPOT_MAX_FRAMES, 0));
	small_fd = open("/dev/null", O_WRONLY);
	memset(small_stack, PAINT, sizeof(small_stack));
	CORE_EQ(getcontext(&there), 0);
	there.uc_stack.ss_sp = small_stack;
	there.uc_stack.ss_size = STACK;
	there.uc_link = &back;
	makecontext(&there, print_on_small_stack, 0);
	CORE_EQ(swapcontext(&back, &there), 0);
	CORE_EQ(small_error, 0);
	while (unused < STACK && small_stack[unused] == PAINT)
		unused++;
	CORE_TRUE(STACK - unused < STACK_ALLOWED);
	CORE_EQ(close(small_fd), 0);
	core_finish(test, small_depot);
}

USER_SUITE(print, cmocka_unit_test(printing_takes_little_stack),
	   cmocka_unit_test(print_writes_what_snprint_says),
	   cmocka_unit_test(errors_are_passed_on));
