/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* scenarios.c - processes that are killed at any step, and others that go on, come, and reap. */
#include "run.h"

#define FIRST 1u /* of the threads, as bits */
#define SECOND 2u
#define ALL 7u

/* Traces. */
enum { A = 1, B, C, D };

static void begin(void)
{
	run_begin();
}

static void begin_and_alloc(void)
{
	run_begin();
	run_alloc(0, A);
}

static void begin_alloc_end(void)
{
	run_begin();
	run_alloc(0, A);
	run_end();
}

/* The second time of a stack goes by the thread's tally. */
static void live_a_life(void)
{
	run_begin();
	run_alloc(0, A);
	run_alloc(1, A);
	run_free(0);
	run_alloc(2, B);
}

static void live_and_end(void)
{
	run_begin();
	run_alloc(0, A);
	run_alloc(1, A);
	run_free(1);
	run_end();
}

/* As the one that was begun before. */
static void alloc_again(void)
{
	run_alloc(1, A);
	run_alloc(2, B);
}

static void free_and_alloc(void)
{
	run_free(0);
	run_alloc(1, B);
}

static void end(void)
{
	run_end();
}

static void close_others(void)
{
	run_reap(false);
}

static void fold_others(void)
{
	run_reap(true);
}

/* --- what was before -------------------------------------------------------------------------- */

static void as(unsigned int actor)
{
	run_be(actor);
}

/* One is gone, and has left three objects of two stacks. */
static void prepare_dead(void)
{
	as(RUN_DEAD);
	run_begin();
	run_alloc(0, A);
	run_alloc(1, B);
	run_alloc(2, A);
	run_is_killed();
	as(0);
}

/* The same, and the first lives. */
static void prepare_dead_and_living(void)
{
	prepare_dead();
	as(0);
	run_begin();
	run_alloc(0, A);
}

static void prepare_living(void)
{
	as(0);
	run_begin();
	run_alloc(0, A);
}

/* The same, and with what the first has the table is full. */
static void prepare_table_full(void)
{
	prepare_dead_and_living();
}

/* The other way round. */
static void prepare_living_and_dead(void)
{
	prepare_living();
	prepare_dead();
}

/* Both slots are of processes that are gone. */
static void prepare_full(void)
{
	prepare_dead();
	as(2);
	run_begin();
	run_alloc(0, A);
	run_is_killed();
	as(0);
}

/* One slot is a row, the other of a process that is gone, and will be part of it. */
static void prepare_row(void)
{
	as(RUN_DEAD);
	run_begin();
	run_alloc(0, A);
	run_is_killed();
	as(RUN_LAST);
	run_reap(true);
	as(2);
	run_begin();
	run_alloc(0, A);
	run_alloc(1, B);
	run_is_killed();
	as(0);
}

const struct run_scenario run_scenarios[] = {
	{.name = "killed as it begins/another begins",
	 .slots = 2,
	 .buckets = 2,
	 .lines = 8,
	 .bound = 2,
	 .kills = 1,
	 .mortal = FIRST,
	 .threads = {begin, begin}},
	{.name = "killed as it records/another begins",
	 .slots = 3,
	 .buckets = 2,
	 .lines = 8,
	 .bound = 1,
	 .kills = 1,
	 .mortal = FIRST,
	 .threads = {live_a_life, begin_and_alloc}},
	{.name = "both killed as they record",
	 .slots = 3,
	 .buckets = 2,
	 .lines = 8,
	 .bound = 0,
	 .kills = 2,
	 .mortal = FIRST | SECOND,
	 .threads = {live_a_life, begin_alloc_end}},
	{.name = "killed as it records/close",
	 .slots = 2,
	 .buckets = 2,
	 .lines = 8,
	 .bound = 2,
	 .kills = 1,
	 .mortal = FIRST,
	 .prepare = prepare_living,
	 .threads = {alloc_again, close_others}},
	{.name = "killed as it frees/fold",
	 .slots = 2,
	 .buckets = 2,
	 .lines = 8,
	 .bound = 2,
	 .kills = 1,
	 .mortal = FIRST,
	 .prepare = prepare_living,
	 .threads = {free_and_alloc, fold_others}},
	{.name = "killed as it ends/fold",
	 .slots = 2,
	 .buckets = 2,
	 .lines = 8,
	 .bound = 2,
	 .kills = 1,
	 .mortal = FIRST,
	 .prepare = prepare_living,
	 .threads = {end, fold_others}},
	{.name = "a life, killed/close/fold",
	 .slots = 3,
	 .buckets = 2,
	 .lines = 8,
	 .bound = 1,
	 .kills = 1,
	 .mortal = FIRST,
	 .threads = {live_and_end, close_others, fold_others}},
	{.name = "fold, killed/fold",
	 .slots = 2,
	 .buckets = 2,
	 .lines = 8,
	 .bound = 1,
	 .kills = 1,
	 .mortal = FIRST,
	 .prepare = prepare_dead,
	 .threads = {fold_others, fold_others}},
	{.name = "fold, killed/fold, killed",
	 .slots = 2,
	 .buckets = 2,
	 .lines = 8,
	 .bound = 0,
	 .kills = 2,
	 .mortal = FIRST | SECOND,
	 .prepare = prepare_dead,
	 .threads = {fold_others, fold_others}},
	{.name = "fold of what others share, killed/alloc",
	 .slots = 3,
	 .buckets = 2,
	 .lines = 8,
	 .bound = 1,
	 .kills = 1,
	 .mortal = SECOND,
	 .prepare = prepare_dead_and_living,
	 .threads = {free_and_alloc, fold_others}},
	{.name = "dead beside living/another begins",
	 .slots = 4,
	 .buckets = 2,
	 .lines = 8,
	 .bound = 1,
	 .kills = 1,
	 .mortal = FIRST,
	 .prepare = prepare_living_and_dead,
	 .threads = {alloc_again, begin}},
	{.name = "fold, killed/begin/fold",
	 .slots = 2,
	 .buckets = 2,
	 .lines = 8,
	 .bound = 0,
	 .kills = 1,
	 .mortal = FIRST,
	 .prepare = prepare_row,
	 .threads = {fold_others, begin, close_others}},
	{.name = "count anew/another begins",
	 .slots = 3,
	 .buckets = 2,
	 .lines = 8,
	 .bound = 2,
	 .prepare = prepare_dead,
	 .threads = {begin, begin_and_alloc}},
	{.name = "no slot is free/begin, killed",
	 .slots = 2,
	 .buckets = 2,
	 .lines = 8,
	 .bound = 0,
	 .kills = 1,
	 .mortal = FIRST,
	 .prepare = prepare_full,
	 .threads = {begin, fold_others}},
	{.name = "no room in the table/alloc, killed",
	 .slots = 3,
	 .buckets = 1,
	 .lines = 8,
	 .bound = 1,
	 .kills = 1,
	 .mortal = FIRST,
	 .prepare = prepare_table_full,
	 .threads = {alloc_again, close_others}},
	{.name = "no room in the table/fold",
	 .slots = 3,
	 .buckets = 1,
	 .lines = 8,
	 .bound = 2,
	 .prepare = prepare_table_full,
	 .threads = {alloc_again, fold_others}},
	{.name = "no set of tallies/alloc, killed",
	 .slots = 4,
	 .buckets = 3,
	 .lines = 8,
	 .bound = 0,
	 .kills = 1,
	 .mortal = ALL,
	 .prepare = prepare_dead_and_living,
	 .threads = {alloc_again, live_a_life, begin_and_alloc}},
	{.name = "three processes, two killed",
	 .slots = 4,
	 .buckets = 2,
	 .lines = 8,
	 .bound = 0,
	 .kills = 2,
	 .mortal = ALL,
	 .threads = {begin_and_alloc, begin_alloc_end, fold_others}},
	{.name = NULL},
};
