// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test_glue.c - the kernel's depot, in a kernel that is not one.
 *
 * linux/tree's files with a depot of 192 KiB: chunks come when a caller may allocate and only then,
 * the bound holds, full means evict, and the interface does what <linux/stackdepot.h> says. The
 * depot is the process's only one, so the tests run in order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stat.h"

/* As <linux/stackdepot.h> has them. */
#define CAN_ALLOC 1u
#define GET 2u
#define LEASE 4u
#define GFP 1u

unsigned int stack_depot_save_flags(unsigned long *entries, unsigned int nr, unsigned int gfp,
				    unsigned int flags);
unsigned int stack_depot_save(unsigned long *entries, unsigned int nr, unsigned int gfp);
unsigned int stack_depot_fetch_into(unsigned int handle, unsigned long *entries, unsigned int size);
int stack_depot_snprint(unsigned int handle, char *buf, size_t size, int spaces);
void stack_depot_put(unsigned int handle);
unsigned int stack_depot_set_extra_bits(unsigned int handle, unsigned int bits);
unsigned int stack_depot_get_extra_bits(unsigned int handle);
int stack_depot_count_add(unsigned int handle, long delta, unsigned int gfp);
long stack_depot_count(unsigned int handle);
void stack_depot_clock(unsigned long long tick);

/* As glue.h and memory.h have them. */
void *glue_depot(void);
void *depot_page(void *depot, unsigned int gfp);
int stack_depot_early_init(void);
void stack_depot_request_early_init(void);
int stack_depot_init(void);

#define BOUND (48 * 4096)
/* Chunks that are there before any are allocated: a quarter of what the bound has. */
#define EARLY_CHUNKS 4

/* Lines of a chunk, which has three pages. */
#define CHUNK_LINES 256

/* Frames of a trace: its own innermost 4, and a line that all share. */
#define FRAMES 12

/* A trace as kernels have them. */
static unsigned int make(unsigned long id, unsigned long *frames)
{
	unsigned int i;

	for (i = 0; i < FRAMES; i++)
		frames[i] = (unsigned long)0xffff800080000000ull + (i < 4 ? id << 4 : 0x7000000) +
			    4 * i;
	return FRAMES;
}

static unsigned int save(unsigned long id, unsigned int flags)
{
	unsigned long frames[FRAMES];

	return stack_depot_save_flags(frames, make(id, frames), GFP, flags);
}

static bool has(unsigned int handle, unsigned long id)
{
	unsigned long expected[FRAMES], frames[64];

	return stack_depot_fetch_into(handle, frames, 64) == make(id, expected) &&
	       !memcmp(frames, expected, sizeof(expected));
}

static void no_depot_no_handle(void **state)
{
	(void)state;
	assert_int_equal(save(1, CAN_ALLOC), 0);
	assert_int_equal(stack_depot_fetch_into(17, NULL, 0), 0);
}

/* What is no number of bytes is refused with a word, and changes nothing. */
static void senseless_bounds_are_refused(void **state)
{
	static const char *const texts[] = {"abc", "-1", "", "0", "64Kfoo", "12 M"};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_not_equal(fake_boot_param("stack_depot_max_bytes", texts[i]), 0);
		assert_int_equal(fake_said("is no number of bytes"), i + 1);
	}
	assert_int_equal(fake_said("stack_depot_max_bytes=abc"), 1);
}

static void an_early_depot_has_its_reserve(void **state)
{
	(void)state;
	assert_int_equal(fake_boot_param("stack_depot_max_bytes", "192K"), 0);
	stack_depot_request_early_init();
	assert_int_equal(stack_depot_early_init(), 0);
	fake_late_initcalls();
	assert_int_equal(stat("max_bytes"), BOUND);
	/* Lines, and two pages for header, index and the rest: the index is a 32nd. */
	assert_int_equal(stat("bytes"), (2 + 3 * EARLY_CHUNKS) * 4096);
	assert_in_range(stat("reserve_wanted"), (EARLY_CHUNKS - 1) * CHUNK_LINES,
			EARLY_CHUNKS * CHUNK_LINES - 1);
	assert_int_equal(stat("reserve_wanted"), stat("lines") / 4);
	assert_int_equal(fake_pages, 0);
	/* Both are kept, in lines whose counters have one page. */
	assert_true(has(save(1, 0), 1));
	assert_true(has(save(2, 0), 2));
	assert_int_equal(stack_depot_init(), 0);
	assert_true(has(save(1, 0), 1));
}

/* Pages that saves of so many fresh traces get for the depot. */
static long pages_for(unsigned long id, unsigned int nr)
{
	long before = fake_pages;

	while (nr--)
		assert_true(has(save(id + nr, LEASE | CAN_ALLOC), id + nr));
	return fake_pages - before;
}

/* Elsewhere the page allocator takes no lock that sleeps. */
static void on_preempt_rt_only_the_preemptible_allocate(void **state)
{
	(void)state;
	fake_preemptible = false;
#ifdef CONFIG_PREEMPT_RT
	assert_int_equal(pages_for(40000, CHUNK_LINES * EARLY_CHUNKS), 0);
	assert_true(stat("evictions") > 0);
#else
	assert_true(pages_for(40000, CHUNK_LINES) > 0);
#endif
	fake_preemptible = true;
}

/* With one task there is nobody to wait for, but for what an interrupt has interrupted. */
static void before_there_are_tasks_anybody_allocates(void **state)
{
	(void)state;
	fake_preemptible = false;
	fake_booting = true;
#ifdef CONFIG_PREEMPT_RT
	fake_in_hardirq = true;
	assert_int_equal(pages_for(41000, CHUNK_LINES), 0);
	fake_in_hardirq = false;
#endif
	assert_true(pages_for(42000, CHUNK_LINES) > 0);
	fake_booting = false;
	fake_preemptible = true;
}

static void a_handle_is_the_same_for_equal_traces(void **state)
{
	unsigned int handle = save(2, CAN_ALLOC);
	unsigned long copy[FRAMES], expected[FRAMES];
	unsigned int bit;
	char text[1024];

	(void)state;
	assert_int_not_equal(handle, 0);
	assert_int_equal(save(2, GET), handle);
	stack_depot_put(handle);
	assert_int_equal(stack_depot_get_extra_bits(stack_depot_set_extra_bits(handle, 21)), 21);
	assert_true(has(stack_depot_set_extra_bits(handle, 21), 2));
	assert_int_equal(stack_depot_set_extra_bits(0, 21), 0);
	assert_int_equal(stack_depot_fetch_into(handle, copy, FRAMES), FRAMES);
	(void)memset(expected, 0, sizeof(expected));
	(void)memset(copy, 0, sizeof(copy));
	assert_int_equal(stack_depot_fetch_into(handle, copy, FRAMES - 1), 0);
	assert_memory_equal(copy, expected, sizeof(copy));
	assert_int_equal(stack_depot_fetch_into(0, copy, FRAMES), 0);
	assert_memory_equal(copy, expected, sizeof(copy));
	/* Handles that nobody was given, most of them of lines that have no memory yet. */
	for (bit = 0; bit < 27; bit++)
		assert_in_range(stack_depot_fetch_into(1u << bit, copy, FRAMES), 0, FRAMES);
	assert_true(stack_depot_snprint(handle, text, sizeof(text), 2) >
		    FRAMES * (int)(2 * sizeof(long) + 3));
	assert_memory_equal(text, sizeof(long) == 8 ? "  0xffff80008" : "  0x8000002", 11);
	assert_int_equal(stack_depot_snprint(handle, text, sizeof(text), 2), strlen(text));
	assert_true(stack_depot_snprint(handle, text, 50, 2) < 100);
	assert_int_equal(stack_depot_snprint(0, text, sizeof(text), 2), 0);
}

/* A task may have been interrupted by the exception that it is in. */
static void what_was_interrupted_is_left_out(void **state)
{
	unsigned long frames[FRAMES], expected[FRAMES];
	unsigned int nr, handle;

	(void)state;
	for (nr = 3; nr <= FRAMES; nr++) {
		(void)make(3, frames);
		frames[nr - 2] = FAKE_IRQ_FRAME;
		(void)memcpy(expected, frames, sizeof(frames));
		handle = stack_depot_save(frames, nr, GFP);
		frames[nr - 1] += 4;
		assert_int_equal(stack_depot_save(frames, nr, GFP), handle);
		fake_in_nmi = true;
		assert_int_equal(stack_depot_save(frames, nr, GFP), handle);
		fake_in_nmi = false;
		assert_int_equal(stack_depot_fetch_into(handle, frames, FRAMES), nr - 1);
		assert_memory_equal(frames, expected, (nr - 1) * sizeof(*frames));
	}
}

/* What may not allocate uses what is there, in an NMI too, then evicts. */
static void without_allocation_lines_run_out(void **state)
{
	long pages = fake_pages;
	unsigned long i;

	(void)state;
	fake_in_nmi = true;
	for (i = 0; i < 1000 + CHUNK_LINES * EARLY_CHUNKS; i++)
		assert_true(has(save(1000 + i, LEASE | (i & CAN_ALLOC)), 1000 + i));
	fake_in_nmi = false;
	assert_int_equal(fake_pages, pages);
	assert_true(stat("evictions") > 500);
	fake_pages_allowed = 0;
	for (i = 0; i < 1000; i++)
		assert_true(has(save(1000 + i, LEASE | CAN_ALLOC), 1000 + i));
	fake_pages_allowed = -1;
	assert_int_equal(fake_pages, pages);
}

static void the_bound_holds_under_churn(void **state)
{
	unsigned long i, claims, rest = 0;

	(void)state;
	for (i = 0; i < 20000; i++) {
		unsigned int handle = save(5000 + i, CAN_ALLOC | GET);

		assert_true(has(handle, 5000 + i));
		stack_depot_put(handle);
		if (i % 64 == 0)
			stack_depot_clock(i / 64);
	}
	assert_true(stat("bytes") <= BOUND);
	/* Two pages are left, and no chunk: nobody writes to find that out. */
	claims = fake_claims;
	for (i = 0; i < 300; i++)
		assert_true(has(save(26000 + i, CAN_ALLOC | LEASE), 26000 + i));
	assert_int_equal(fake_claims, claims);
	/* But for the block in front and 4 pages of counters, all of it is lines, and used. */
	assert_int_equal(stat("lines_used"), stat("lines") - 2 * CHUNK_LINES);
	while (depot_page(glue_depot(), GFP))
		rest++;
	assert_int_equal(rest, 2);
	assert_true(stat("lines") * 48 > BOUND * 3 / 4);
	assert_int_equal(stat("drops_pinned") + stat("drops_no_memory"), 0);
	assert_int_equal(fake_warnings, 0);
}

/* Spares are missing, and the bound has room for them. */
static void who_may_not_allocate_looks_for_no_spares(unsigned int handle)
{
	unsigned long claims = fake_claims;

	assert_int_equal(stack_depot_count_add(handle, 1, 0), 0);
	assert_int_equal(stack_depot_count_add(handle, -1, GFP), 0);
	fake_in_nmi = true;
	assert_int_equal(stack_depot_count_add(handle, 0, GFP), 0);
	fake_in_nmi = false;
	assert_int_equal(fake_claims, claims);
}

static void counters_count(void **state)
{
	unsigned int a = save(1, 0), b = save(2, 0);
	long pages;

	(void)state;
	assert_int_equal(stack_depot_count(a), 0);
	/* Nobody brought a page for counters yet, and this one may not. */
	fake_in_nmi = true;
	assert_int_equal(stack_depot_count_add(a, 1, GFP), -12); /* ENOMEM */
	fake_in_nmi = false;
	assert_int_equal(stack_depot_count(a), 0);
	assert_int_equal(stat("drops_counters"), 1);
	assert_int_equal(stack_depot_count_add(a, 5, 0), -12); /* ENOMEM */
	assert_int_equal(stat("drops_counters"), 2);
	/* Pages for this counter, and none for spares. */
	fake_pages_allowed = 2;
	assert_int_equal(stack_depot_count_add(a, 5, GFP), 1);
	assert_int_equal(fake_pages_allowed, 0);
	fake_pages_allowed = -1;
	who_may_not_allocate_looks_for_no_spares(a);
	pages = fake_pages;
	assert_int_equal(stack_depot_count_add(a, -2, GFP), 0);
	assert_int_equal(fake_pages, pages);
	assert_int_equal(stack_depot_count(a), 3);
	assert_int_equal(stack_depot_count_add(a, 0, GFP), 0);
	assert_int_equal(fake_pages, pages + 2);
	assert_int_equal(stack_depot_count_add(b, -1, GFP), -12); /* never counted */
	assert_int_equal(stack_depot_count_add(b, 0, GFP), 1);
	assert_int_equal(stack_depot_count(b), 0);
	assert_true(has(a, 1));
}

/* A counter that is about to be too large for 32 bits stays where it is, and large. */
static void counters_stay_at_their_most(void **state)
{
	const long most = 0x60000000;
	unsigned int handle = save(2, 0);
	unsigned int i;

	(void)state;
	assert_int_equal(stack_depot_count_add(handle, most, GFP), 0);
	assert_int_equal(stack_depot_count(handle), most);
	assert_int_equal(stack_depot_count_add(handle, -1, GFP), 0);
	assert_int_equal(stack_depot_count(handle), most - 1);
	for (i = 0; i < 100; i++)
		assert_int_equal(stack_depot_count_add(handle, 1 << 20, GFP), 0);
	assert_true(stack_depot_count(handle) > most);
	for (i = 0; i < 10000; i++)
		assert_int_equal(stack_depot_count_add(handle, -(1 << 20), GFP), 0);
	assert_true(stack_depot_count(handle) > most);
}

/* A trace whose counter has no page yet; its id is *next_id - 1 then. */
static unsigned int save_uncounted(unsigned long *next_id, unsigned int page)
{
	const unsigned int counters = 4096 / sizeof(int);
	unsigned int handle;

	do
		handle = save((*next_id)++, GET);
	while (handle && handle % 4096 / counters != page); /* the number of its line */
	assert_int_not_equal(handle, 0);
	return handle;
}

/*
 * A page of counters that nobody may allocate, as gfp flags are 0 or the bound has none left, is a
 * spare. Who adds nothing takes none.
 */
static void counters_have_pages_at_hand(void **state)
{
	unsigned long id = 90000, claims;
	unsigned int handle;

	(void)state;
	assert_null(depot_page(glue_depot(), GFP));
	handle = save_uncounted(&id, 1);
	assert_int_equal(stack_depot_count(handle), 0);
	assert_int_equal(stack_depot_count_add(handle, -5, 0), -12);   /* ENOMEM */
	assert_int_equal(stack_depot_count_add(handle, -5, GFP), -12); /* ENOMEM */
	assert_int_equal(stat("drops_counters"), 5);
	claims = fake_claims;
	assert_int_equal(stack_depot_count_add(handle, 5, 0), 1);
	assert_int_equal(stack_depot_count(handle), 5);
	/* A spare is missing now, and the bound has no page for it: nobody writes to find out. */
	assert_int_equal(stack_depot_count_add(handle, -1, GFP), 0);
	assert_int_equal(stack_depot_count_add(handle, 1, GFP), 0);
	assert_int_not_equal(save(id++, GET | CAN_ALLOC), 0);
	assert_int_equal(fake_claims, claims);
	if (sizeof(long) == 8) {
		handle = save_uncounted(&id, 2);
		assert_int_equal(stack_depot_count_add(handle, 6, GFP), 1);
		assert_int_equal(stack_depot_count(handle), 6);
	}
	assert_int_equal(fake_claims, claims);
	assert_int_equal(stat("drops_counters"), 5);
	assert_int_equal(stack_depot_count(save(1, 0)), 3);
	while (id-- > 90000)
		stack_depot_put(save(id, LEASE));
}

/* Each trace has its own, wherever its line lies; some have no page, as the bound has none left. */
static void counters_are_of_one_trace(void **state)
{
	enum { NR = 1500 };
	unsigned int handles[NR], counted[NR], i;

	(void)state;
	for (i = 0; i < NR; i++) {
		handles[i] = save(300000 + i, GET);
		assert_int_not_equal(handles[i], 0);
		counted[i] = stack_depot_count_add(handles[i], i + 1, 0) < 0
				     ? 0
				     : (unsigned int)stack_depot_count(handles[i]);
	}
	for (i = 0; i < NR; i++) {
		assert_int_equal(stack_depot_count(handles[i]), counted[i]);
		stack_depot_put(handles[i]);
	}
}

/* Kept for ever means what it says: full of kept traces the depot refuses, and counts. */
static void kept_traces_stay(void **state)
{
	static unsigned int handles[5000];
	unsigned long i, nr = 0;

	(void)state;
	for (i = 0; i < 5000; i++) {
		handles[i] = save(100000 + i, CAN_ALLOC);
		nr += !handles[i];
	}
	assert_true(nr > 500);
	assert_true(stat("drops_pinned") + stat("drops_no_memory") >= nr);
	for (i = 0; i < 5000; i++)
		assert_true(!handles[i] || has(handles[i], 100000 + i));
	assert_int_equal(fake_warnings, 0);
	/* Said once, with what helps and who fills it. */
	assert_int_equal(fake_said("stackdepot: full"), 1);
	assert_int_equal(fake_said("stack_depot_max_bytes= gives it more"), 1);
	assert_true(fake_said("traces looked at are by") >= 1);
}

/* All of make()'s traces have the same outermost line. */
static void statistics_name_who_fills_it(void **state)
{
	unsigned long frames[FRAMES];
	char text[4096], outer[64];

	(void)state;
	(void)make(1, frames);
	fake_read_stats(text, sizeof(text));
	(void)snprintf(outer, sizeof(outer), "lines below\n    0x%lx", frames[4]);
	assert_non_null(strstr(text, outer));
	(void)snprintf(outer, sizeof(outer), "0x%lx", frames[FRAMES - 1]);
	assert_non_null(strstr(text, outer));
}

/* Lines of the last early chunk lead to themselves: chains with these have no end. */
static void cut_chains_are_shown(void **state)
{
	const unsigned long first = CHUNK_LINES * (EARLY_CHUNKS - 1);
	uint64_t *lines = fake_early;
	unsigned long i;

	(void)state;
	assert_int_equal(stat("chains_cut"), 0);
	for (i = 0; i < CHUNK_LINES; i++)
		lines[6 * i] = (lines[6 * i] & ~(uint64_t)UINT32_MAX) | (first + i);
	for (i = 0; i < 2000; i++)
		(void)save(200000 + i, LEASE);
	/* Each at most once. */
	assert_in_range(stat("chains_cut"), 1, CHUNK_LINES);
}

static void an_unbalanced_put_warns(void **state)
{
	(void)state;
	stack_depot_put(save(1, 0));
	assert_int_equal(fake_warnings, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_depot_no_handle),
		cmocka_unit_test(senseless_bounds_are_refused),
		cmocka_unit_test(an_early_depot_has_its_reserve),
		cmocka_unit_test(on_preempt_rt_only_the_preemptible_allocate),
		cmocka_unit_test(before_there_are_tasks_anybody_allocates),
		cmocka_unit_test(counters_count),
		cmocka_unit_test(counters_stay_at_their_most),
		cmocka_unit_test(a_handle_is_the_same_for_equal_traces),
		cmocka_unit_test(what_was_interrupted_is_left_out),
		cmocka_unit_test(without_allocation_lines_run_out),
		cmocka_unit_test(the_bound_holds_under_churn),
		cmocka_unit_test(counters_have_pages_at_hand),
		cmocka_unit_test(counters_are_of_one_trace),
		cmocka_unit_test(kept_traces_stay),
		cmocka_unit_test(statistics_name_who_fills_it),
		cmocka_unit_test(an_unbalanced_put_warns),
		cmocka_unit_test(cut_chains_are_shown),
	};

	return cmocka_run_group_tests_name("linux_glue", tests, NULL, NULL);
}
