/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Code in the manner of the kernel, against the kernel's names: a little checker that remembers
 * where each object was allocated and freed, by reference count, and a filter that marks its
 * handles.
 */
#include <stackdepot/linux.h>

#include <pthread.h>

#include "user_test.h"

struct object_meta {
	depot_stack_handle_t alloc_stack;
	depot_stack_handle_t free_stack;
};

static void meta_alloc(struct object_meta *meta, unsigned long *entries, unsigned int nr, gfp_t gfp)
{
	stack_depot_put(meta->alloc_stack);
	stack_depot_put(meta->free_stack);
	meta->free_stack = 0;
	meta->alloc_stack = stack_depot_save_flags(
		entries, nr, gfp | __GFP_NOWARN, STACK_DEPOT_FLAG_CAN_ALLOC | STACK_DEPOT_FLAG_GET);
}

static void meta_free(struct object_meta *meta, unsigned long *entries, unsigned int nr)
{
	meta->free_stack = stack_depot_save_flags(entries, nr, GFP_NOWAIT, STACK_DEPOT_FLAG_GET);
}

/* Frames that tell their number and length. */
static unsigned int entries_make(unsigned long *entries, unsigned long number)
{
	return trace_make(number, 64, (uintptr_t *)entries);
}

static void before_init_there_is_nothing(core_test *test)
{
	unsigned long entries[64], *fetched = entries;

	CORE_TRUE(!stack_depot_instance());
	CORE_EQ(stack_depot_save(entries, entries_make(entries, 1), GFP_KERNEL), 0);
	CORE_EQ(stack_depot_fetch(1, &fetched), 0);
	CORE_TRUE(!fetched);
	CORE_EQ(stack_depot_snprint(1, NULL, 0, 0), 0);
	stack_depot_put(1);
	stack_depot_print(1);
	CORE_EQ(stack_depot_set_max_bytes(1), 0);
	stack_depot_request_early_init(); /* cannot succeed, and cannot say so */
	CORE_EQ(stack_depot_init(), -EINVAL);
	CORE_EQ(stack_depot_set_max_bytes(1 << 18), 0);
}

static void *init_thread(void *result)
{
	*(int *)result = stack_depot_init();
	return stack_depot_instance();
}

static void init_makes_one_depot(core_test *test)
{
	pthread_t threads[4];
	int results[4];
	unsigned int i;
	void *depot;

	for (i = 0; i < 4; i++)
		CORE_EQ(pthread_create(&threads[i], NULL, init_thread, &results[i]), 0);
	for (i = 0; i < 4; i++) {
		CORE_EQ(pthread_join(threads[i], &depot), 0);
		CORE_EQ(results[i], 0);
		CORE_TRUE(depot && depot == stack_depot_instance());
	}
	CORE_EQ(stack_depot_init(), 0);
	CORE_TRUE(stack_depot_instance() == depot);
	CORE_EQ(stack_depot_set_max_bytes(1 << 20), -EBUSY);
	CORE_EQ(core_stats(stack_depot_instance()).max_bytes, 1 << 18);
}

/* Far more events than the depot has room for: references given back, it never fills. */
static void references_let_go_make_room(core_test *test)
{
	enum { OBJECTS = 50 };
	static struct object_meta metas[OBJECTS];
	unsigned long entries[64], *fetched;
	unsigned int i, nr;

	for (i = 0; i < 50000; i++) {
		struct object_meta *meta = &metas[i % OBJECTS];

		nr = entries_make(entries, i);
		meta_alloc(meta, entries, nr, GFP_KERNEL);
		meta_free(meta, entries + nr / 2, nr - nr / 2);
		CORE_NE(meta->alloc_stack, 0);
		CORE_NE(meta->free_stack, 0);
		/* The oldest object's traces are there. */
		if (i < OBJECTS)
			continue;
		meta = &metas[(i + 1) % OBJECTS];
		nr = entries_make(entries, i + 1 - OBJECTS);
		CORE_EQ(stack_depot_fetch(meta->alloc_stack, &fetched), nr);
		CORE_EQ(memcmp(fetched, entries, nr * sizeof(*entries)), 0);
		CORE_EQ(stack_depot_fetch(meta->free_stack, &fetched), nr - nr / 2);
		CORE_EQ(memcmp(fetched, entries + nr / 2, (nr - nr / 2) * sizeof(*entries)), 0);
	}
	for (i = 0; i < OBJECTS; i++) {
		stack_depot_put(metas[i].alloc_stack);
		stack_depot_put(metas[i].free_stack);
	}
	CORE_TRUE(core_stats(stack_depot_instance()).evictions > 100000);
	CORE_EQ(core_stats(stack_depot_instance()).drops_pinned, 0);
	CORE_EQ(stackdepot_check(stack_depot_instance()), 0);
}

/* Without STACK_DEPOT_FLAG_GET a trace is for ever, whoever else references it. */
static void persistent_traces_stay(core_test *test)
{
	unsigned long entries[64], *fetched;
	depot_stack_handle_t handle;
	unsigned int i, nr = entries_make(entries, 1ul << 30);

	handle = stack_depot_save(entries, nr, GFP_ATOMIC);
	CORE_NE(handle, 0);
	CORE_EQ(stack_depot_save_flags(entries, nr, 0, 0), handle);
	CORE_EQ(stack_depot_save_flags(entries, nr, 0, STACK_DEPOT_FLAG_GET), handle);
	stack_depot_put(handle);
	stack_depot_put(handle); /* one too many: nothing happens */
	for (i = 0; i < 20000; i++) {
		unsigned long other[64];
		unsigned int nr_other = entries_make(other, i);

		stack_depot_put(stack_depot_save_flags(other, nr_other, 0, STACK_DEPOT_FLAGS_MASK));
	}
	CORE_EQ(stack_depot_fetch(handle, &fetched), nr);
	CORE_EQ(memcmp(fetched, entries, nr * sizeof(*entries)), 0);
}

static void extra_bits_ride_along(core_test *test)
{
	unsigned long entries[3] = {0x1234, 7, 0xffffffff81000000}, *fetched, into[3] = {0};
	depot_stack_handle_t handle = stack_depot_save(entries, 3, GFP_KERNEL);
	unsigned int bits;

	for (bits = 0; bits < 1u << STACK_DEPOT_EXTRA_BITS; bits++) {
		depot_stack_handle_t marked = stack_depot_set_extra_bits(handle, bits);

		CORE_EQ(stack_depot_get_extra_bits(marked), bits);
		CORE_EQ(stack_depot_fetch(marked, &fetched), 3);
		CORE_EQ(memcmp(fetched, entries, sizeof(entries)), 0);
	}
	CORE_EQ(stack_depot_set_extra_bits(0, 3), 0);
	/* Not a part for the whole: nothing is written. */
	CORE_EQ(stack_depot_fetch_into(handle, into, 2), 0);
	CORE_TRUE(!into[0] && !into[1] && !into[2]);
	CORE_EQ(stack_depot_fetch_into(handle, into, 3), 3);
	CORE_EQ(into[2], entries[2]);
	CORE_EQ(stack_depot_fetch_into(handle, into, 0), 0);
	CORE_EQ(stack_depot_fetch_into(0, into, 3), 0);
}

static void no_handle_without_entries_or_sense(core_test *test)
{
	unsigned long entries[64], *fetched = entries;

	CORE_EQ(stack_depot_save(entries, 0, GFP_KERNEL), 0);
	CORE_EQ(stack_depot_save_flags(entries, entries_make(entries, 1), 0, 4), 0);
	CORE_EQ(stack_depot_fetch(0, &fetched), 0);
	CORE_TRUE(!fetched);
}

static void text_is_indented_as_the_kernel_does(core_test *test)
{
	unsigned long entries[2] = {0x1234, 0x81000000};
	depot_stack_handle_t handle = stack_depot_save(entries, 2, GFP_KERNEL);
#if __SIZEOF_POINTER__ == 8
	static const char expected[] = "   0x0000000000001234\n   0x0000000081000000\n";
#else
	static const char expected[] = "   0x00001234\n   0x81000000\n";
#endif
	char text[100];

	CORE_EQ(stack_depot_snprint(handle, text, sizeof(text), 2), sizeof(expected) - 1);
	CORE_EQ(strcmp(text, expected), 0);
	CORE_TRUE(stack_depot_snprint(handle, text, 10, 2) >= 10);
	CORE_EQ(strlen(text), 9);
	CORE_EQ(stack_depot_snprint(0, text, sizeof(text), 0), 0);
}

/* What stack_depot_print() writes to standard error. */
static void print_goes_to_standard_error(core_test *test)
{
	unsigned long entries[1] = {0x1234};
	depot_stack_handle_t handle = stack_depot_save(entries, 1, GFP_KERNEL);
	int ends[2], saved = dup(2);
	char text[100] = "";

	CORE_EQ(pipe(ends), 0);
	CORE_EQ(dup2(ends[1], 2), 2);
	stack_depot_print(handle);
	CORE_EQ(dup2(saved, 2), 2);
	CORE_EQ(read(ends[0], text, sizeof(text) - 1), TRACE_TEXT);
	CORE_EQ(strcmp(text + TRACE_TEXT - 5, "1234\n"), 0);
	CORE_EQ(close(ends[0]) | close(ends[1]) | close(saved), 0);
}

/* The exact types of the kernel: assigned to pointers to them, a mismatch would not compile. */
static void signatures_are_the_kernels(core_test *test)
{
	int (*init)(void) = stack_depot_init;
	void (*early)(void) = stack_depot_request_early_init;
	depot_stack_handle_t (*save_flags)(unsigned long *, unsigned int, gfp_t, depot_flags_t) =
		stack_depot_save_flags;
	depot_stack_handle_t (*save)(unsigned long *, unsigned int, gfp_t) = stack_depot_save;
	unsigned int (*fetch)(depot_stack_handle_t, unsigned long **) = stack_depot_fetch;
	void (*print)(depot_stack_handle_t) = stack_depot_print;
	int (*snprint)(depot_stack_handle_t, char *, size_t, int) = stack_depot_snprint;
	void (*put)(depot_stack_handle_t) = stack_depot_put;
	depot_stack_handle_t (*set)(depot_stack_handle_t, unsigned int) =
		stack_depot_set_extra_bits;
	unsigned int (*get)(depot_stack_handle_t) = stack_depot_get_extra_bits;

	CORE_TRUE(init && early && save_flags && save && fetch && print && snprint && put && set &&
		  get);
	CORE_EQ(STACK_DEPOT_FLAG_CAN_ALLOC, 1);
	CORE_EQ(STACK_DEPOT_FLAG_GET, 2);
	CORE_EQ(STACK_DEPOT_FLAGS_MASK, 3);
	CORE_EQ(STACK_DEPOT_EXTRA_BITS, 5);
	CORE_EQ(sizeof(depot_stack_handle_t), 4);
	CORE_EQ(sizeof(depot_flags_t), 4);
}

/* In this order: there is one depot, made once. */
USER_SUITE(linux_names, cmocka_unit_test(before_init_there_is_nothing),
	   cmocka_unit_test(init_makes_one_depot), cmocka_unit_test(references_let_go_make_room),
	   cmocka_unit_test(persistent_traces_stay), cmocka_unit_test(extra_bits_ride_along),
	   cmocka_unit_test(no_handle_without_entries_or_sense),
	   cmocka_unit_test(text_is_indented_as_the_kernel_does),
	   cmocka_unit_test(print_goes_to_standard_error),
	   cmocka_unit_test(signatures_are_the_kernels));
