/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * With room for every trace: ours and the peers, one pass of each after the other, round by round.
 *
 * Each round begins with empty depots: cold saves fill them, and the same depots then serve the
 * warm passes. Referenced and kept traces live in depots of their own, for what is kept once stays.
 */
#include <math.h>
#include <stdlib.h>

#include <stackdepot/stackdepot.h>

#include "measure.h"
#include "ours.h"
#include "replay.h"

/* A ring of 32768 events would tick so often. */
#define FULL_EVENTS_A_TICK 4096u

struct full {
	const struct workload *workload;
	struct peer *peers;
	uint64_t max_bytes;
	struct stackdepot *leased, *referenced, *kept;
	stackdepot_handle_t *leased_handles, *referenced_handles;
	uint32_t *peer_handles[PEER_NR];
	struct stackdepot_cursor cursor;
	uintptr_t frames[MEASURE_MAX_FRAMES];
	uintptr_t sum;
	uint64_t failed; /* saves that stored nothing; in a depot with room, none */
};

/* --- operations timed ---------------------------------------------------------------------- */

static void op_read(void *context, uint32_t i, const struct trace *trace)
{
	struct full *full = context;
	uint32_t at;

	(void)i;
	for (at = 0; at < trace->nr; at++)
		full->sum += trace->frames[at];
	/* Without this the compiler sums in wide registers over several traces. */
	__asm__ volatile("" : "+r"(full->sum));
}

static void op_cold(void *context, uint32_t i, const struct trace *trace)
{
	struct full *full = context;

	full->leased_handles[i] = stackdepot_save(full->leased, trace->frames, trace->nr, 0);
	full->failed += !full->leased_handles[i];
}

static void op_leased(void *context, uint32_t i, const struct trace *trace)
{
	struct full *full = context;

	(void)i;
	full->failed += !stackdepot_save(full->leased, trace->frames, trace->nr, 0);
}

static void op_ticking(void *context, uint32_t i, const struct trace *trace)
{
	struct full *full = context;

	if (i % FULL_EVENTS_A_TICK == 0)
		stackdepot_tick(full->leased);
	full->failed += !stackdepot_save(full->leased, trace->frames, trace->nr, 0);
}

static void op_kept(void *context, uint32_t i, const struct trace *trace)
{
	struct full *full = context;

	(void)i;
	full->failed += !stackdepot_save(full->kept, trace->frames, trace->nr, STACKDEPOT_KEEP);
}

static void op_referenced(void *context, uint32_t i, const struct trace *trace)
{
	struct full *full = context;

	(void)i;
	full->failed +=
		!stackdepot_save(full->referenced, trace->frames, trace->nr, STACKDEPOT_GET);
}

static void op_cursor(void *context, uint32_t i, const struct trace *trace)
{
	struct full *full = context;

	full->failed += !stackdepot_save_cursor(full->leased, trace->frames, trace->nr, 0,
						&full->cursor, full->workload->unchanged[i]);
}

static void op_fetch(void *context, uint32_t i, const struct trace *trace)
{
	struct full *full = context;
	stackdepot_handle_t handle = full->leased_handles[full->workload->corpus.event[i]];

	full->failed += stackdepot_fetch(full->leased, handle, full->frames, MEASURE_MAX_FRAMES) !=
			(int)trace->nr;
}

static void op_put(void *context, uint32_t i, const struct trace *trace)
{
	struct full *full = context;
	uint32_t number = full->workload->corpus.event[i];

	(void)trace;
	full->failed += stackdepot_put(full->referenced, full->referenced_handles[number]) != 0;
}

REPLAY_INLINE uint32_t peer_save(const struct peer_ops *ops, const struct trace *trace)
{
	return ops->save(trace->frames, trace->nr < ops->max_frames ? trace->nr : ops->max_frames);
}

struct peer_pass {
	const struct peer_ops *ops;
	const struct workload *workload;
	uint32_t *handles;
	uint64_t failed;
};

static void op_peer_cold(void *context, uint32_t i, const struct trace *trace)
{
	struct peer_pass *pass = context;

	pass->handles[i] = peer_save(pass->ops, trace);
	pass->failed += !pass->handles[i];
}

static void op_peer_warm(void *context, uint32_t i, const struct trace *trace)
{
	struct peer_pass *pass = context;

	(void)i;
	pass->failed += !peer_save(pass->ops, trace);
}

static void op_peer_put(void *context, uint32_t i, const struct trace *trace)
{
	struct peer_pass *pass = context;

	(void)trace;
	pass->ops->put(pass->handles[pass->workload->corpus.event[i]]);
}

/* --- passes -------------------------------------------------------------------------------- */

static double pass_read(struct full *full)
{
	return replay_events(full->workload, op_read, full);
}

static double pass_cold(struct full *full)
{
	stackdepot_destroy(full->leased);
	full->leased = ours_create(full->max_bytes, OURS_LEASE_TICKS, 0);
	if (!full->leased) {
		full->failed++;
		return NAN;
	}
	return replay_unique(full->workload, op_cold, full);
}

/* The tick before it makes each trace's first save renew its lease. */
static double pass_warm(struct full *full)
{
	stackdepot_tick(full->leased);
	return replay_events(full->workload, op_leased, full);
}

static double pass_ticking(struct full *full)
{
	return replay_events(full->workload, op_ticking, full);
}

static double pass_kept(struct full *full)
{
	return replay_events(full->workload, op_kept, full);
}

static double pass_referenced(struct full *full)
{
	return replay_events(full->workload, op_referenced, full);
}

static double pass_cursor(struct full *full)
{
	full->cursor = (struct stackdepot_cursor){0};
	stackdepot_tick(full->leased);
	return replay_events(full->workload, op_cursor, full);
}

static double pass_fetch(struct full *full)
{
	return replay_events(full->workload, op_fetch, full);
}

/* Gives back what the referenced pass before it took; the references of the filling remain. */
static double pass_put(struct full *full)
{
	return replay_events(full->workload, op_put, full);
}

static struct peer_pass peer_pass(struct full *full, enum peer_id id)
{
	return (struct peer_pass){
		.ops = full->peers[id].ops,
		.workload = full->workload,
		.handles = full->peer_handles[id],
	};
}

static double pass_peer_cold(struct full *full, enum peer_id id)
{
	struct peer_pass pass;
	double ns;

	if (!full->peers[id].ops || peer_reset(&full->peers[id]))
		return NAN;
	pass = peer_pass(full, id);
	ns = replay_unique(full->workload, op_peer_cold, &pass);
	full->failed += pass.failed;
	return ns;
}

static double pass_peer_warm(struct full *full, enum peer_id id)
{
	struct peer_pass pass = peer_pass(full, id);
	double ns;

	if (!pass.ops)
		return NAN;
	ns = replay_events(full->workload, op_peer_warm, &pass);
	full->failed += pass.failed;
	return ns;
}

static double pass_peer_put(struct full *full, enum peer_id id)
{
	struct peer_pass pass = peer_pass(full, id);

	return pass.ops ? replay_events(full->workload, op_peer_put, &pass) : NAN;
}

static double pass_linux_cold(struct full *full)
{
	return pass_peer_cold(full, PEER_LINUX);
}

static double pass_linux_warm(struct full *full)
{
	return pass_peer_warm(full, PEER_LINUX);
}

static double pass_linux_put(struct full *full)
{
	return pass_peer_put(full, PEER_LINUX);
}

static double pass_huge_cold(struct full *full)
{
	return pass_peer_cold(full, PEER_LINUX_HUGE);
}

static double pass_huge_warm(struct full *full)
{
	return pass_peer_warm(full, PEER_LINUX_HUGE);
}

static double pass_huge_put(struct full *full)
{
	return pass_peer_put(full, PEER_LINUX_HUGE);
}

static double pass_llvm_cold(struct full *full)
{
	return pass_peer_cold(full, PEER_LLVM);
}

static double pass_llvm_warm(struct full *full)
{
	return pass_peer_warm(full, PEER_LLVM);
}

/* In the order of enum quantity; the warm passes of those that are compared stand together. */
static const struct {
	enum quantity quantity;
	double (*pass)(struct full *full);
} full_passes[] = {
	{COLD, pass_cold},
	{LINUX_COLD, pass_linux_cold},
	{LINUX_HUGE_COLD, pass_huge_cold},
	{LLVM_COLD, pass_llvm_cold},
	{WARM, pass_warm},
	{LLVM_WARM, pass_llvm_warm},
	{LINUX_WARM, pass_linux_warm},
	{WARM_REFERENCED, pass_referenced},
	{LINUX_HUGE_WARM, pass_huge_warm},
	{CURSOR, pass_cursor},
	{WARM_TICKING, pass_ticking},
	{WARM_KEPT, pass_kept},
	{READ, pass_read},
	{FETCH, pass_fetch},
	{PUT, pass_put},
	{LINUX_PUT, pass_linux_put},
	{LINUX_HUGE_PUT, pass_huge_put},
};

/* --- the whole ----------------------------------------------------------------------------- */

static int full_init(struct full *full)
{
	uint32_t unique = full->workload->corpus.unique;
	unsigned int id;

	full->leased_handles = calloc(unique, sizeof(*full->leased_handles));
	full->referenced_handles = calloc(unique, sizeof(*full->referenced_handles));
	if (!full->leased_handles || !full->referenced_handles)
		return -1;
	for (id = 0; id < PEER_NR; id++) {
		full->peer_handles[id] = calloc(unique, sizeof(uint32_t));
		if (!full->peer_handles[id])
			return -1;
	}
	full->referenced = ours_create(full->max_bytes, 0, 0);
	full->kept = ours_create(full->max_bytes, 0, 0);
	if (!full->referenced || !full->kept)
		return -1;
	return ours_fill(full->referenced, full->workload, STACKDEPOT_GET,
			 full->referenced_handles) ||
	       ours_fill(full->kept, full->workload, STACKDEPOT_KEEP, NULL);
}

static void full_release(struct full *full)
{
	unsigned int id;

	stackdepot_destroy(full->leased);
	stackdepot_destroy(full->referenced);
	stackdepot_destroy(full->kept);
	free(full->leased_handles);
	free(full->referenced_handles);
	for (id = 0; id < PEER_NR; id++)
		free(full->peer_handles[id]);
}

static void full_round(struct full *full, struct full_result *result)
{
	unsigned int i;

	for (i = 0; i < sizeof(full_passes) / sizeof(full_passes[0]); i++)
		samples_add(&result->ns[full_passes[i].quantity], full_passes[i].pass(full));
}

static void full_peer_bytes(struct full *full, struct full_result *result)
{
	unsigned int id;

	for (id = 0; id < PEER_NR; id++)
		if (full->peers[id].ops && full->peers[id].ops->bytes)
			result->peer_bytes[id] =
				full->peers[id].ops->bytes(&result->peer_table[id]);
}

int measure_full(const struct workload *workload, const struct settings *settings,
		 struct peer *peers, struct full_result *result)
{
	struct full full = {.workload = workload, .peers = peers};
	unsigned int round;
	int ret;

	if (ours_fit(workload, &result->lines, &result->depot_bytes))
		return -1;
	result->max_bytes = stackdepot_bytes_for(result->lines, NULL);
	full.max_bytes = result->max_bytes;
	clock_pin(0);
	ret = full_init(&full);
	for (round = 0; !ret && round < settings->rounds; round++) {
		measure_progress(workload->name, "room for all", round, settings->rounds);
		full_round(&full, result);
		ret = full.failed ? -1 : 0;
	}
	full_peer_bytes(&full, result);
	full_release(&full);
	return ret ? measure_failed(workload, "a save or fetch failed with room for all") : 0;
}
