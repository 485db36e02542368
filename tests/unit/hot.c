/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What writes nothing: a depot lies in memory that is made read-only, so that a single write by
 * what should only look ends the process.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "user_test.h"

enum { BYTES = 1 << 20, BLOCK = BYTES - 4096, FRAMES = 40 };

#define WIDE ((uintptr_t)1 << (sizeof(uintptr_t) * 8 - 3)) /* a bit that narrow frames lack */

static struct stackdepot *hot_depot(void **ret_memory)
{
	const struct stackdepot_options options = {.max_bytes = BYTES, .lease_ticks = 4};
	struct stackdepot *depot = NULL;

	*ret_memory = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(*ret_memory, MAP_FAILED);
	assert_int_equal(stackdepot_create_at(&options, *ret_memory, &depot), 0);
	return depot;
}

static void hot_finish(struct stackdepot *depot, void *memory)
{
	stackdepot_destroy(depot);
	(void)munmap(memory, BLOCK);
}

static void hot_frames(uintptr_t *frames, unsigned int leaf)
{
	unsigned int i;

	for (i = 0; i < FRAMES; i++)
		frames[i] = 0x401000 + 16 * i;
	frames[0] += leaf;
}

static void a_leased_save_of_what_is_there_writes_nothing(core_test *test)
{
	stackdepot_handle_t handles[FRAMES + 1];
	uintptr_t frames[FRAMES];
	struct stackdepot *depot;
	unsigned int nr;
	void *memory;

	(void)test;
	depot = hot_depot(&memory);
	hot_frames(frames, 1);
	/* Twice: a trace is stored first, and marked as hit by the save after that. */
	for (nr = 1; nr <= FRAMES; nr++) {
		handles[nr] = stackdepot_save(depot, frames, nr, 0);
		assert_int_equal(stackdepot_save(depot, frames, nr, 0), handles[nr]);
	}
	assert_int_equal(mprotect(memory, BLOCK, PROT_READ), 0);
	for (nr = 1; nr <= FRAMES; nr++)
		assert_int_equal(stackdepot_save(depot, frames, nr, 0), handles[nr]);
	hot_finish(depot, memory);
}

static void nor_does_one_with_a_cursor(core_test *test)
{
	struct stackdepot_cursor cursor = {0};
	stackdepot_handle_t handles[8];
	uintptr_t frames[FRAMES];
	struct stackdepot *depot;
	unsigned int i;
	void *memory;

	(void)test;
	depot = hot_depot(&memory);
	for (i = 0; i < 16; i++) {
		hot_frames(frames, i % 8);
		handles[i % 8] = stackdepot_save(depot, frames, FRAMES, 0);
	}
	assert_int_equal(mprotect(memory, BLOCK, PROT_READ), 0);
	for (i = 0; i < 16; i++) {
		hot_frames(frames, i % 8);
		assert_int_equal(stackdepot_save_cursor(depot, frames, FRAMES, 0, &cursor,
							i ? FRAMES - 1 : 0),
				 handles[i % 8]);
	}
	hot_finish(depot, memory);
}

/* A frame of 64 bits, in the outermost group and then in the innermost. */
static void nor_does_one_of_wide_frames(core_test *test)
{
	struct stackdepot_cursor cursor = {0};
	stackdepot_handle_t handles[FRAMES];
	uintptr_t frames[FRAMES];
	struct stackdepot *depot;
	unsigned int i;
	void *memory;

	(void)test;
	depot = hot_depot(&memory);
	hot_frames(frames, 0);
	for (i = 0; i < 2 * FRAMES; i++) {
		frames[i % FRAMES] ^= WIDE;
		handles[i % FRAMES] = stackdepot_save(depot, frames, FRAMES, 0);
		frames[i % FRAMES] ^= WIDE;
	}
	assert_int_equal(mprotect(memory, BLOCK, PROT_READ), 0);
	for (i = 0; i < FRAMES; i++) {
		frames[i] ^= WIDE;
		assert_int_equal(stackdepot_save(depot, frames, FRAMES, 0), handles[i]);
		assert_int_equal(stackdepot_save(depot, frames, FRAMES, STACKDEPOT_FIND),
				 handles[i]);
		assert_int_equal(stackdepot_save_cursor(depot, frames, FRAMES, 0, &cursor, 0),
				 handles[i]);
		frames[i] ^= WIDE;
	}
	hot_finish(depot, memory);
}

/* The trace is there again, in other lines than the cursor knows. */
static void nor_does_one_with_a_cursor_of_the_past(core_test *test)
{
	enum { OTHERS = 40000, NR = 8 };
	struct stackdepot_cursor cursor = {0};
	uintptr_t frames[FRAMES], other[NR] = {0};
	stackdepot_handle_t first, again;
	struct stackdepot *depot;
	void *memory;

	(void)test;
	depot = hot_depot(&memory);
	hot_frames(frames, 0);
	first = stackdepot_save_cursor(depot, frames, FRAMES, 0, &cursor, 0);
	for (other[0] = 1; other[0] < OTHERS; other[0]++)
		assert_int_not_equal(stackdepot_save(depot, other, NR, 0), 0);
	again = stackdepot_save(depot, frames, FRAMES, 0);
	assert_int_not_equal(again, first);
	assert_int_equal(stackdepot_save(depot, frames, FRAMES, 0), again);
	assert_int_equal(mprotect(memory, BLOCK, PROT_READ), 0);
	assert_int_equal(stackdepot_save_cursor(depot, frames, FRAMES, 0, &cursor, FRAMES - 1),
			 again);
	hot_finish(depot, memory);
}

static void nor_does_a_kept_one(core_test *test)
{
	uintptr_t frames[FRAMES];
	stackdepot_handle_t handle;
	struct stackdepot *depot;
	void *memory;

	(void)test;
	depot = hot_depot(&memory);
	hot_frames(frames, 0);
	handle = stackdepot_save(depot, frames, FRAMES, STACKDEPOT_KEEP);
	/* However old its stamp is. */
	assert_int_equal(stackdepot_tick(depot), 0);
	assert_int_equal(mprotect(memory, BLOCK, PROT_READ), 0);
	assert_int_equal(stackdepot_save(depot, frames, FRAMES, STACKDEPOT_KEEP), handle);
	hot_finish(depot, memory);
}

static void nor_does_reading(core_test *test)
{
	struct stackdepot_trace_info info;
	uintptr_t frames[FRAMES];
	struct stackdepot_stats stats;
	struct stackdepot *depot;
	uint32_t position = 0;
	stackdepot_ref_t ref;
	void *memory;

	(void)test;
	depot = hot_depot(&memory);
	hot_frames(frames, 0);
	assert_int_not_equal(stackdepot_save(depot, frames, FRAMES, 0), 0);
	assert_int_equal(mprotect(memory, BLOCK, PROT_READ), 0);
	ref = stackdepot_next(depot, &position);
	assert_int_equal(stackdepot_fetch_ref(depot, ref, frames, FRAMES), FRAMES);
	assert_int_equal(stackdepot_info(depot, ref, &info), 0);
	stackdepot_get_stats(depot, &stats);
	assert_int_equal(stats.saved, 1);
	hot_finish(depot, memory);
}

USER_SUITE(hot, cmocka_unit_test(a_leased_save_of_what_is_there_writes_nothing),
	   cmocka_unit_test(nor_does_one_with_a_cursor),
	   cmocka_unit_test(nor_does_one_with_a_cursor_of_the_past),
	   cmocka_unit_test(nor_does_one_of_wide_frames), cmocka_unit_test(nor_does_a_kept_one),
	   cmocka_unit_test(nor_does_reading));
