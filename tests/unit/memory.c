/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Depots in the caller's memory, and what a damaged one may not do. */
#include "examine.h"
#include "user_test.h"

enum { BYTES = 1 << 16 };

static unsigned char memory[BYTES] __attribute__((aligned(64)));
static unsigned char copy[BYTES] __attribute__((aligned(64)));

static struct stackdepot *memory_depot(unsigned int ring)
{
	struct stackdepot_options options = {
		.max_bytes = BYTES + 4096, .ring_entries = ring, .seed = 1};
	struct stackdepot *depot = NULL;

	memset(memory, 0, sizeof(memory));
	assert_int_equal(stackdepot_create_at(&options, memory, &depot), 0);
	return depot;
}

static void memory_fill(struct stackdepot *depot, unsigned int traces)
{
	struct stackdepot_event event = {.address = 0x1000};
	uintptr_t frames[60];
	unsigned int i;

	for (i = 0; i < traces; i++) {
		event.trace = stackdepot_ref(
			depot, stackdepot_save(depot, frames, trace_make(i, 60, frames), 0));
		event.address += 16;
		(void)stackdepot_ring_record(depot, &event);
	}
}

static void memory_of_the_callers(core_test *test)
{
	struct stackdepot *depot = memory_depot(16), *reader = NULL;
	unsigned int nr;

	memory_fill(depot, 1000);
	CORE_EQ(core_stats(depot).max_bytes, BYTES + 4096);
	CORE_EQ(stackdepot_attach_at(memory, BYTES, &reader), 0);
	nr = examine(reader);
	CORE_TRUE(nr > 50);
	CORE_EQ(examine(depot), nr);
	core_finish(test, reader);
	core_finish(test, depot);
	/* The memory outlives the depot. */
	CORE_EQ(stackdepot_attach_at(memory, BYTES, &reader), 0);
	CORE_EQ(examine(reader), nr);
	core_finish(test, reader);
}

static void crooked_memory_is_refused(core_test *test)
{
	struct stackdepot_options options = {.max_bytes = BYTES};
	struct stackdepot *depot = NULL;

	CORE_EQ(stackdepot_create_at(&options, memory + 8, &depot), -EINVAL);
	CORE_EQ(stackdepot_attach_at(memory + 8, BYTES - 8, &depot), -EINVAL);
	memset(memory, 0, sizeof(memory));
	CORE_EQ(stackdepot_attach_at(memory, BYTES, &depot), -EBADMSG);
	CORE_EQ(stackdepot_attach_at(memory, 64, &depot), -EBADMSG);
	CORE_TRUE(!depot);
}

/* The image is the same wherever it lies: copied elsewhere, it reads the same. */
static void a_depot_is_position_independent(core_test *test)
{
	struct stackdepot *depot = memory_depot(16), *reader = NULL;
	unsigned int nr;

	memory_fill(depot, 1000);
	nr = examine(depot);
	stackdepot_destroy(depot);
	memcpy(copy, memory, BYTES);
	memset(memory, 0xff, BYTES);
	CORE_EQ(stackdepot_attach_at(copy, BYTES, &reader), 0);
	CORE_EQ(examine(reader), nr);
	core_finish(test, reader);
}

/* Some bytes of the image are changed at random: errors are fine, crashes and loops are not. */
static void damage_is_survived(core_test *test)
{
	struct stackdepot *depot = memory_depot(16);
	uint64_t random = 99;
	unsigned int round, attached = 0;

	memory_fill(depot, 1000);
	stackdepot_destroy(depot);
	for (round = 0; round < 3000; round++) {
		unsigned int changes = 1 + (unsigned int)(trace_random(&random) % 200);

		memcpy(copy, memory, BYTES);
		while (changes--) {
			uint64_t r = trace_random(&random);
			/* Mostly behind the header, which is soon found out. */
			size_t at = r % 16 ? 1024 + (r >> 8) % (BYTES - 1024) : (r >> 8) % BYTES;

			copy[at] = (unsigned char)(r >> 40);
		}
		if (stackdepot_attach_at(copy, BYTES, &depot))
			continue;
		(void)examine(depot);
		stackdepot_destroy(depot);
		attached++;
	}
	CORE_TRUE(attached > 500);
}

USER_SUITE(memory, cmocka_unit_test(memory_of_the_callers),
	   cmocka_unit_test(crooked_memory_is_refused),
	   cmocka_unit_test(a_depot_is_position_independent), cmocka_unit_test(damage_is_survived));
