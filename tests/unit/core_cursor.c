/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A cursor changes the cost of a save and nothing else. */
#include "core_test.h"

enum { MAX = 120 };

struct stack {
	uintptr_t frames[MAX]; /* the innermost is the last one that is not used */
	unsigned int nr;
	uint64_t random;
};

static const uintptr_t *stack_trace(const struct stack *stack)
{
	return stack->frames + MAX - stack->nr;
}

/* Return from some functions and call others. Returns how many outermost frames are as before. */
static unsigned int stack_move(struct stack *stack)
{
	unsigned int unchanged = (unsigned int)(trace_random(&stack->random) % (stack->nr + 1));
	unsigned int i, nr;

	/* Mostly near the leaf, as programs do. */
	if (trace_random(&stack->random) % 8)
		unchanged = stack->nr - unchanged % 6 % (stack->nr + 1);
	nr = unchanged + (unsigned int)(trace_random(&stack->random) % 10);
	if (nr > MAX)
		nr = MAX;
	if (!nr)
		nr = 1;
	if (unchanged > nr)
		unchanged = nr;
	for (i = unchanged; i < nr; i++)
		stack->frames[MAX - 1 - i] =
			trace_random(&stack->random) % 3 +
			(trace_random(&stack->random) % 50 ? 0x400000 : TRACE_HIGH(0xabcd));
	stack->nr = nr;
	return unchanged;
}

/* A number that the caller of stackdepot_save_cursor() may truthfully give. */
static unsigned int stack_claim(struct stack *stack, unsigned int unchanged)
{
	return trace_random(&stack->random) % 3
		       ? unchanged
		       : (unsigned int)(trace_random(&stack->random) % (unchanged + 1));
}

static void cursor_agrees(core_test *test, unsigned int lines, unsigned int buckets,
			  unsigned int rounds)
{
	static struct stack stack;
	static const unsigned int flags[] = {0, 0, 0, STACKDEPOT_GET};
	struct stackdepot *depot = core_depot(test, lines, buckets, 0);
	struct stackdepot_cursor cursor = {0};
	unsigned int round, carried = 0;

	stack = (struct stack){.random = lines};
	for (round = 0; round < rounds; round++) {
		unsigned int unchanged = stack_move(&stack), flag = flags[round % 4];
		stackdepot_handle_t handle;

		/* What is unchanged since the last save with the cursor, which is not each. */
		carried = unchanged < carried || !round ? unchanged : carried;
		if (round % 16 == 5)
			continue;
		handle = stackdepot_save_cursor(depot, stack_trace(&stack), stack.nr, flag, &cursor,
						stack_claim(&stack, carried));
		carried = stack.nr;
		CORE_NE(handle, 0);
		core_expect(test, depot, handle, stack_trace(&stack), stack.nr);
		CORE_EQ(stackdepot_save(depot, stack_trace(&stack), stack.nr, 0), handle);
		if (flag)
			CORE_EQ(stackdepot_put(depot, handle), 0);
	}
	CORE_TRUE(lines > 1000 || core_stats(depot).evictions);
	CORE_EQ(stackdepot_check(depot), 0);
	CORE_EQ(core_count_free(depot, 1ul << 30), lines);
	core_finish(test, depot);
}

static void same_handles_when_all_fits(core_test *test)
{
	cursor_agrees(test, 30000, 0, 5000);
}

static void same_handles_under_eviction(core_test *test)
{
	cursor_agrees(test, 30, 0, 20000);
	cursor_agrees(test, 31, 1, 20000);
	cursor_agrees(test, 100, 2, 20000);
}

static void cursor_frames(uintptr_t *frames, unsigned int nr, uintptr_t leaf)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		frames[i] = TRACE_NEAR(0x1000 + nr - i);
	frames[0] = leaf;
}

/* Its lines are evicted and used again by others: the cursor has to notice. */
static void a_cursor_outlives_its_lines(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 6, 1, 0);
	struct stackdepot_cursor cursor = {0};
	const unsigned int nr = 5 * TRACE_LINE;
	uintptr_t frames[5 * TRACE_LINE];
	unsigned int round;

	for (round = 0; round < 1000; round++) {
		stackdepot_handle_t handle;

		cursor_frames(frames, nr, 0x9000 + round);
		handle = stackdepot_save_cursor(depot, frames, nr, 0, &cursor, round ? nr - 1 : 0);
		core_expect(test, depot, handle, frames, nr);
		/* Everything else is thrown out. */
		CORE_NE(core_save_own(depot, 77 + round, 6 * TRACE_LINE, 0), 0);
	}
	core_finish(test, depot);
}

static void cursor_pin_all(core_test *test, struct stackdepot *depot)
{
	unsigned int i;

	for (i = 0; i < 6; i++)
		CORE_NE(core_save1(depot, 0x77000 + i, STACKDEPOT_GET), 0);
}

static void a_failed_save_leaves_a_sound_cursor(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 6, 1, 0);
	struct stackdepot_cursor cursor = {0};
	uintptr_t frames[24];
	unsigned int i;

	cursor_frames(frames, 24, 1);
	CORE_NE(stackdepot_save_cursor(depot, frames, 24, 0, &cursor, 0), 0);
	cursor_pin_all(test, depot);
	cursor_frames(frames, 24, 2);
	CORE_EQ(stackdepot_save_cursor(depot, frames, 24, 0, &cursor, 23), 0);
	for (i = 0; i < 6; i++)
		CORE_EQ(stackdepot_put(depot, core_save1(depot, 0x77000 + i, 0)), 0);
	cursor_frames(frames, 24, 3);
	core_expect(test, depot, stackdepot_save_cursor(depot, frames, 24, 0, &cursor, 23), frames,
		    24);
	core_finish(test, depot);
}

static void truncation_takes_unchanged_as_none(core_test *test)
{
	struct stackdepot_options options = {.max_bytes = 1 << 16, .max_frames = 20, .seed = 1};
	struct stackdepot_cursor cursor = {0};
	struct stackdepot *depot = NULL;
	uintptr_t frames[64];
	unsigned int nr;

	CORE_EQ(stackdepot_create(&options, &depot), 0);
	for (nr = 1; nr <= 64; nr++) {
		stackdepot_handle_t handle;

		cursor_frames(frames, nr, 0x9999);
		handle = stackdepot_save_cursor(depot, frames, nr, 0, &cursor, nr > 1 ? nr - 2 : 0);
		core_expect(test, depot, handle, frames, nr < 20 ? nr : 20);
	}
	for (nr = 64; nr; nr--) {
		stackdepot_handle_t handle;

		cursor_frames(frames, nr, 0x8888);
		handle = stackdepot_save_cursor(depot, frames, nr, 0, &cursor, nr - 1);
		core_expect(test, depot, handle, frames, nr < 20 ? nr : 20);
	}
	CORE_EQ(stackdepot_save_cursor(depot, frames, 0, 0, &cursor, 0), 0);
	core_finish(test, depot);
}

/* What is there is found, and held as by any other save. */
static void finding_with_a_cursor_stores_nothing(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 100, 0, 0);
	struct stackdepot_cursor cursor = {0};
	uintptr_t frames[30];
	unsigned int nr;

	for (nr = 1; nr <= 30; nr++)
		frames[30 - nr] = TRACE_NEAR(0x400000 + 16 * nr);
	for (nr = 30; nr; nr -= 3) {
		const uintptr_t *trace = frames + 30 - nr;
		struct stackdepot_stats before = core_stats(depot);
		stackdepot_handle_t handle;

		frames[30 - nr]++;
		CORE_EQ(stackdepot_save_cursor(depot, trace, nr, STACKDEPOT_FIND, &cursor, 0), 0);
		CORE_EQ(core_stats(depot).lines_used, before.lines_used);
		CORE_EQ(core_stats(depot).saved, before.saved);
		handle = stackdepot_save(depot, trace, nr, 0);
		CORE_EQ(stackdepot_save_cursor(depot, trace, nr, STACKDEPOT_FIND, &cursor, 0),
			handle);
	}
	core_finish(test, depot);
}

/* A trace with a wide frame; or one that is there again, in other lines than the cursor knows. */
static void a_cursor_hides_nothing(core_test *test)
{
	enum { NR = 3 * TRACE_LINE + 2 };
	struct stackdepot *depot = core_depot(test, 10, 0, 0);
	struct stackdepot_cursor cursor = {0};
	stackdepot_handle_t handle;
	uintptr_t frames[NR];
	unsigned int i;

	cursor_frames(frames, NR, 0x9000);
	CORE_NE(stackdepot_save_cursor(depot, frames, NR, 0, &cursor, 0), 0);
	/* Everything is thrown out. */
	for (i = 0; i < 40; i++)
		CORE_NE(core_save1(depot, 0x77000 + i, 0), 0);
	frames[0]++;
	handle = stackdepot_save(depot, frames, NR, 0);
	CORE_NE(handle, 0);
	CORE_EQ(stackdepot_save_cursor(depot, frames, NR, STACKDEPOT_FIND, &cursor, NR - 1),
		handle);
	frames[0] = TRACE_HIGH(0xabcd);
	handle = stackdepot_save(depot, frames, NR, 0);
	CORE_NE(handle, 0);
	CORE_EQ(stackdepot_save_cursor(depot, frames, NR, STACKDEPOT_FIND, &cursor, NR - 1),
		handle);
	core_finish(test, depot);
}

CORE_SUITE(cursor, CORE_CASE(same_handles_when_all_fits), CORE_CASE(same_handles_under_eviction),
	   CORE_CASE(a_cursor_outlives_its_lines), CORE_CASE(a_failed_save_leaves_a_sound_cursor),
	   CORE_CASE(truncation_takes_unchanged_as_none),
	   CORE_CASE(finding_with_a_cursor_stores_nothing), CORE_CASE(a_cursor_hides_nothing));
