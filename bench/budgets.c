/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * With room for a part: how fast, and how good are the choices of what to evict.
 *
 * A budget is a fraction of the bytes of the depot that holds all. Index and bookkeeping shrink
 * with it. Traces are leased for 0 ticks, so that nothing but their use keeps them; no ring. Every
 * pass starts with an empty depot, for exact LRU too: first saves count as misses for both.
 *
 * Single saves are timed in passes of their own, with the same seed, so that each pass has the
 * depot do the same: the fastest of the equal saves is what it costs, the rest are interruptions.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <stackdepot/stackdepot.h>

#include "lru.h"
#include "measure.h"
#include "ours.h"
#include "replay.h"

#define BUDGETS_SEED 0x5eedu
#define BUDGETS_LATENCY_ROUNDS 5

static const double budgets_fractions[BUDGETS_NR] = {0.5, 0.25, 0.1};

struct budget_pass {
	struct stackdepot *depot;
	uint64_t drops;
	uint32_t *ns; /* of each event, in this pass */
};

static void op_save(void *context, uint32_t i, const struct trace *trace)
{
	struct budget_pass *pass = context;

	(void)i;
	pass->drops += !stackdepot_save(pass->depot, trace->frames, trace->nr, 0);
}

static void op_save_timed(void *context, uint32_t i, const struct trace *trace)
{
	struct budget_pass *pass = context;
	uint64_t start = clock_wall_ns();

	stackdepot_save(pass->depot, trace->frames, trace->nr, 0);
	start = clock_wall_ns() - start;
	pass->ns[i] = start < UINT32_MAX ? (uint32_t)start : UINT32_MAX;
}

static int budget_throughput(const struct workload *workload, struct budget_result *result)
{
	struct budget_pass pass = {.depot = ours_create(result->max_bytes, 0, 0)};
	struct stackdepot_stats stats;

	if (!pass.depot)
		return -1;
	samples_add(&result->save_ns, replay_events(workload, op_save, &pass));
	stackdepot_get_stats(pass.depot, &stats);
	samples_add(&result->hit_ratio,
		    1.0 - (double)(stats.saved + pass.drops) / workload->events);
	samples_add(&result->evictions, (double)stats.evictions);
	result->lines = (uint32_t)stats.lines;
	result->drops = pass.drops;
	stackdepot_destroy(pass.depot);
	return 0;
}

static int budget_cold(const struct workload *workload, uint64_t full_max_bytes,
		       struct samples *samples)
{
	struct budget_pass pass = {.depot = ours_create(full_max_bytes, 0, 0)};

	if (!pass.depot)
		return -1;
	samples_add(samples, replay_unique(workload, op_save, &pass));
	stackdepot_destroy(pass.depot);
	return 0;
}

static int ns_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The 99.99th percentile and the maximum; sorts @ns. */
static void ns_tail(uint32_t *ns, uint32_t nr, double *ret_p9999, double *ret_worst)
{
	qsort(ns, nr, sizeof(*ns), ns_compare);
	*ret_p9999 = ns[(uint64_t)(nr - 1) * 9999 / 10000];
	*ret_worst = ns[nr - 1];
}

static int budget_latency_pass(const struct workload *workload, struct budget_result *result,
			       uint32_t *ns, uint32_t *fastest)
{
	struct budget_pass pass = {.ns = ns};
	double p9999, worst;
	uint32_t i;

	pass.depot = ours_create(result->max_bytes, 0, BUDGETS_SEED);
	if (!pass.depot)
		return -1;
	replay_events(workload, op_save_timed, &pass);
	stackdepot_destroy(pass.depot);
	for (i = 0; i < workload->events; i++)
		if (ns[i] < fastest[i])
			fastest[i] = ns[i];
	ns_tail(ns, workload->events, &p9999, &worst);
	samples_add(&result->p9999_ns, p9999);
	samples_add(&result->worst_ns, worst);
	return 0;
}

static int budget_latency(const struct workload *workload, const struct settings *settings,
			  struct budget_result *result)
{
	uint32_t *ns = calloc(workload->events, sizeof(*ns));
	uint32_t *fastest = malloc(workload->events * sizeof(*fastest));
	unsigned int round, rounds = BUDGETS_LATENCY_ROUNDS;
	int ret = ns && fastest ? 0 : -1;

	if (rounds > settings->rounds)
		rounds = settings->rounds;
	if (fastest)
		memset(fastest, 0xff, workload->events * sizeof(*fastest));
	for (round = 0; !ret && round < rounds; round++)
		ret = budget_latency_pass(workload, result, ns, fastest);
	if (!ret)
		ns_tail(fastest, workload->events, &result->own_p9999_ns, &result->own_worst_ns);
	free(ns);
	free(fastest);
	return ret;
}

static int budget_lru(const struct workload *workload, struct budget_result *result)
{
	struct lru_result lru;

	if (lru_simulate(workload, result->lines, &lru))
		return -1;
	result->lru_hit_ratio = (double)lru.hits / workload->events;
	return 0;
}

/* A tenth of a tiny corpus is less than any depot: such a budget is left out, its figures null. */
static bool budget_possible(const struct budget_result *result)
{
	return result->max_bytes >= stackdepot_bytes_for(1, NULL);
}

static int budgets_round(const struct workload *workload, const struct full_result *full,
			 struct budget_result *results)
{
	unsigned int i;

	for (i = 0; i < BUDGETS_NR; i++)
		if (budget_possible(&results[i]) &&
		    (budget_cold(workload, full->max_bytes, &results[i].cold_ns) ||
		     budget_throughput(workload, &results[i])))
			return -1;
	return 0;
}

int measure_budgets(const struct workload *workload, const struct settings *settings,
		    const struct full_result *full, struct budget_result *results)
{
	unsigned int i, round;
	int ret = 0;

	clock_pin(0);
	for (i = 0; i < BUDGETS_NR; i++) {
		results[i].fraction = budgets_fractions[i];
		results[i].own_p9999_ns = NAN;
		results[i].own_worst_ns = NAN;
		results[i].lru_hit_ratio = NAN;
		results[i].max_bytes = (uint64_t)((double)full->depot_bytes * budgets_fractions[i]);
	}
	for (round = 0; !ret && round < settings->rounds; round++) {
		measure_progress(workload->name, "budgets", round, settings->rounds);
		ret = budgets_round(workload, full, results);
	}
	for (i = 0; !ret && i < BUDGETS_NR; i++) {
		if (!budget_possible(&results[i]))
			continue;
		measure_progress(workload->name, "single saves", i, BUDGETS_NR);
		ret = budget_latency(workload, settings, &results[i]) ||
		      budget_lru(workload, &results[i]);
	}
	return ret ? measure_failed(workload, "a budget could not be measured") : 0;
}
