/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The yardstick itself: small cases worked out by hand, and a plain list of traces where no two
 * share a line, so that least recently used needs no tree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lru.h"

#define FRAMES_MAX 64

static struct lru_result simulate(uint32_t unique, const uint32_t *lengths, const uintptr_t *frames,
				  uint32_t events, const uint32_t *event, uint32_t lines)
{
	struct corpus corpus = {.unique = unique, .events = events};
	struct workload workload;
	struct lru_result result;
	uint32_t i;

	for (i = 0; i < unique; i++)
		corpus.total_frames += lengths[i];
	corpus.length = malloc(unique * sizeof(*lengths));
	corpus.frames = malloc(corpus.total_frames * sizeof(*frames));
	corpus.event = malloc(events * sizeof(*event));
	memcpy(corpus.length, lengths, unique * sizeof(*lengths));
	memcpy(corpus.frames, frames, corpus.total_frames * sizeof(*frames));
	memcpy(corpus.event, event, events * sizeof(*event));
	assert_int_equal(workload_init(&workload, "test", &corpus, 0), 0);
	assert_int_equal(lru_simulate(&workload, lines, &result), 0);
	workload_free(&workload);
	return result;
}

/* Two traces with eight common outermost frames: three lines, and the shared one stays. */
static void test_shared_line(void **state)
{
	static const uint32_t lengths[2] = {9, 10};
	static const uintptr_t frames[19] = {100, 1, 2, 3, 4, 5, 6, 7, 8, 200,
					     201, 1, 2, 3, 4, 5, 6, 7, 8};
	static const uint32_t event[6] = {0, 1, 0, 1, 0, 1};
	struct lru_result result = simulate(2, lengths, frames, 6, event, 3);

	(void)state;
	assert_int_equal(result.tree_lines, 3);
	assert_int_equal(result.hits, 4);
	result = simulate(2, lengths, frames, 6, event, 2);
	assert_int_equal(result.hits, 0);
	assert_int_equal(result.evictions, 5);
	assert_int_equal(result.refused, 0);
	result = simulate(2, lengths, frames, 6, event, 1);
	assert_int_equal(result.refused, 6);
}

/* Nothing in common: the whole of the one has to go for the other, its interior line too. */
static void test_interior_line_goes(void **state)
{
	static const uint32_t lengths[2] = {9, 9};
	static const uintptr_t frames[18] = {100, 1,  2,  3,  4,  5,  6,  7,  8,
					     100, 11, 12, 13, 14, 15, 16, 17, 18};
	static const uint32_t event[4] = {0, 1, 1, 0};
	struct lru_result result = simulate(2, lengths, frames, 4, event, 2);

	(void)state;
	assert_int_equal(result.tree_lines, 4);
	assert_int_equal(result.hits, 1);
	assert_int_equal(result.evictions, 2);
	assert_int_equal(result.refused, 0);
}

/* A trace that is the outer part of another: its line is there, but it has to be saved itself. */
static void test_trace_inside_trace(void **state)
{
	static const uint32_t lengths[2] = {9, 8};
	static const uintptr_t frames[17] = {100, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8};
	static const uint32_t event[4] = {0, 1, 1, 0};
	struct lru_result result = simulate(2, lengths, frames, 4, event, 2);

	(void)state;
	assert_int_equal(result.tree_lines, 2);
	assert_int_equal(result.hits, 2);
	assert_int_equal(result.evictions, 0);
}

/* The oldest goes, not the first that came. */
static void test_order_of_use(void **state)
{
	static const uint32_t lengths[3] = {1, 1, 1};
	static const uintptr_t frames[3] = {1, 2, 3};
	static const uint32_t event[6] = {0, 1, 0, 2, 0, 1};
	struct lru_result result = simulate(3, lengths, frames, 6, event, 2);

	(void)state;
	assert_int_equal(result.hits, 2);
	assert_int_equal(result.evictions, 2);
}

static uint32_t naive_hits(uint32_t events, const uint32_t *event, uint32_t lines)
{
	uint32_t kept[FRAMES_MAX], nr = 0, hits = 0, i, at;

	for (i = 0; i < events; i++) {
		for (at = 0; at < nr && kept[at] != event[i]; at++)
			;
		if (at < nr)
			hits++;
		else if (nr < lines)
			nr++;
		else
			at = nr - 1;
		memmove(kept + 1, kept, at * sizeof(*kept));
		kept[0] = event[i];
	}
	return hits;
}

static void test_against_a_list(void **state)
{
	uint32_t lengths[FRAMES_MAX], event[4000], lines, i, seed = 1;
	uintptr_t frames[FRAMES_MAX];

	(void)state;
	for (i = 0; i < FRAMES_MAX; i++) {
		lengths[i] = 1;
		frames[i] = i + 1;
	}
	for (i = 0; i < 4000; i++) {
		seed = seed * 1664525 + 1013904223;
		/* The product of two: small numbers come often. */
		event[i] = (seed >> 26) * (seed >> 20 & 63) / 64;
	}
	for (lines = 1; lines <= FRAMES_MAX; lines += 3)
		assert_int_equal(simulate(FRAMES_MAX, lengths, frames, 4000, event, lines).hits,
				 naive_hits(4000, event, lines));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shared_line),
		cmocka_unit_test(test_interior_line_goes),
		cmocka_unit_test(test_trace_inside_trace),
		cmocka_unit_test(test_order_of_use),
		cmocka_unit_test(test_against_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
