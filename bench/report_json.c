/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include <math.h>
#include <stdio.h>

#include "json.h"
#include "ratios.h"
#include "report.h"

static void json_median(struct json *json, const char *key, const struct samples *samples)
{
	json_number(json, key, samples_median(samples));
}

/* The median, and how far apart the rounds are. */
static void json_samples(struct json *json, const char *key, const char *spread_key,
			 const struct samples *samples)
{
	json_median(json, key, samples);
	json_number(json, spread_key, samples_spread(samples));
}

static double bytes_per_unique(uint64_t bytes, const struct workload *workload)
{
	return bytes ? (double)bytes / workload->corpus.unique : NAN;
}

static void json_modes(struct json *json, const struct samples *ns)
{
	json_open(json, "modes", '{');
	json_samples(json, "leased_warm_ns", "leased_spread", &ns[WARM]);
	json_samples(json, "leased_ticking_warm_ns", "leased_ticking_spread", &ns[WARM_TICKING]);
	json_samples(json, "referenced_warm_ns", "referenced_spread", &ns[WARM_REFERENCED]);
	json_samples(json, "kept_warm_ns", "kept_spread", &ns[WARM_KEPT]);
	json_close(json, '}');
}

static void json_full(struct json *json, const struct workload *workload,
		      const struct full_result *full)
{
	json_open(json, "full", '{');
	json_samples(json, "cold_ns", "cold_spread", &full->ns[COLD]);
	json_samples(json, "warm_ns", "warm_spread", &full->ns[WARM]);
	json_samples(json, "cursor_warm_ns", "cursor_warm_spread", &full->ns[CURSOR]);
	json_samples(json, "fetch_ns", "fetch_spread", &full->ns[FETCH]);
	json_samples(json, "put_ns", "put_spread", &full->ns[PUT]);
	json_number(json, "bytes_per_unique", bytes_per_unique(full->depot_bytes, workload));
	json_integer(json, "bytes", full->depot_bytes);
	json_integer(json, "lines", full->lines);
	json_median(json, "read_ns", &full->ns[READ]);
	json_modes(json, full->ns);
	json_close(json, '}');
}

static void json_budget(struct json *json, const struct budget_result *budget)
{
	json_open(json, NULL, '{');
	json_number(json, "fraction", budget->fraction);
	json_samples(json, "save_ns", "save_spread", &budget->save_ns);
	json_median(json, "p9999_ns", &budget->p9999_ns);
	json_median(json, "worst_ns", &budget->worst_ns);
	json_number(json, "own_p9999_ns", budget->own_p9999_ns);
	json_number(json, "own_worst_ns", budget->own_worst_ns);
	json_median(json, "hit_ratio", &budget->hit_ratio);
	json_number(json, "lru_hit_ratio", budget->lru_hit_ratio);
	json_median(json, "evictions", &budget->evictions);
	json_integer(json, "drops", budget->drops);
	json_integer(json, "max_bytes", budget->max_bytes);
	json_integer(json, "lines", budget->lines);
	json_median(json, "cold_ns", &budget->cold_ns);
	json_close(json, '}');
}

static const char *const thread_mode_names[THREAD_MODE_NR] = {"referenced", "leased", "linux",
							      "llvm"};

/* Ours or the peers', which have an array of their own. */
static void json_threads(struct json *json, const char *key, const struct corpus_result *result,
			 bool ours)
{
	const struct thread_result *run;
	unsigned int i;

	json_open(json, key, '[');
	for (i = 0; i < result->threads_nr; i++) {
		run = &result->threads[i];
		if ((run->mode == THREAD_LEASED || run->mode == THREAD_REFERENCED) != ours)
			continue;
		json_open(json, NULL, '{');
		json_integer(json, "threads", run->nr);
		json_string(json, "mode", thread_mode_names[run->mode]);
		json_bool(json, "same_hot", run->same_hot);
		json_samples(json, "save_ns", "save_spread", &run->cpu_ns);
		json_median(json, "wall_ns", &run->wall_ns);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void json_peer_linux(struct json *json, const struct workload *workload,
			    const struct full_result *full)
{
	const struct samples *ns = full->ns;
	uint64_t bytes = full->peer_bytes[PEER_LINUX];

	if (!bytes) {
		json_null(json, "linux");
		return;
	}
	json_open(json, "linux", '{');
	json_samples(json, "cold_ns", "cold_spread", &ns[LINUX_COLD]);
	json_samples(json, "warm_ns", "warm_spread", &ns[LINUX_WARM]);
	json_samples(json, "put_ns", "put_spread", &ns[LINUX_PUT]);
	json_number(json, "bytes_per_unique", bytes_per_unique(bytes, workload));
	json_number(json, "bytes_per_unique_without_table",
		    bytes_per_unique(bytes - full->peer_table[PEER_LINUX], workload));
	json_median(json, "huge_pages_cold_ns", &ns[LINUX_HUGE_COLD]);
	json_median(json, "huge_pages_warm_ns", &ns[LINUX_HUGE_WARM]);
	json_median(json, "huge_pages_put_ns", &ns[LINUX_HUGE_PUT]);
	json_close(json, '}');
}

static void json_peer_llvm(struct json *json, const struct workload *workload,
			   const struct full_result *full)
{
	if (!full->peer_bytes[PEER_LLVM]) {
		json_null(json, "llvm");
		return;
	}
	json_open(json, "llvm", '{');
	json_samples(json, "cold_ns", "cold_spread", &full->ns[LLVM_COLD]);
	json_samples(json, "warm_ns", "warm_spread", &full->ns[LLVM_WARM]);
	json_number(json, "bytes_per_unique",
		    bytes_per_unique(full->peer_bytes[PEER_LLVM], workload));
	json_close(json, '}');
}

static void json_ratios(struct json *json, const char *key, const struct corpus_result *results,
			unsigned int nr)
{
	unsigned int i;

	json_open(json, key, '{');
	for (i = 0; i < ratios_nr; i++)
		json_number(json, ratios[i].name, ratios_mean(&ratios[i], results, nr));
	json_close(json, '}');
}

static void json_corpus(struct json *json, const struct workload *workload,
			const struct corpus_result *result)
{
	unsigned int i;

	json_open(json, NULL, '{');
	json_string(json, "name", workload->name);
	json_integer(json, "unique", workload->corpus.unique);
	json_integer(json, "events", workload->events);
	json_number(json, "frames_per_unique",
		    (double)workload->corpus.total_frames / workload->corpus.unique);
	json_full(json, workload, &result->full);
	json_open(json, "budgets", '[');
	for (i = 0; i < BUDGETS_NR; i++)
		json_budget(json, &result->budgets[i]);
	json_close(json, ']');
	json_threads(json, "threads", result, true);
	json_open(json, "peers", '{');
	json_peer_linux(json, workload, &result->full);
	json_peer_llvm(json, workload, &result->full);
	json_close(json, '}');
	json_threads(json, "peer_threads", result, false);
	json_ratios(json, "ratios", result, 1);
	json_close(json, '}');
}

static void json_peer_name(struct json *json, const char *key, const struct peer *peer)
{
	if (peer->ops)
		json_string(json, key, peer->ops->name);
	else
		json_null(json, key);
}

static void json_run(struct json *json, const struct report *report)
{
	json_open(json, "run", '{');
	json_bool(json, "quick", report->quick);
#ifdef __OPTIMIZE__
	json_bool(json, "optimized", true);
#else
	json_bool(json, "optimized", false);
#endif
	json_integer(json, "rounds", report->settings->rounds);
	json_integer(json, "thread_rounds", report->settings->thread_rounds);
	json_integer(json, "cpus", clock_cpus());
	json_peer_name(json, "linux", &report->peers[PEER_LINUX]);
	json_peer_name(json, "llvm", &report->peers[PEER_LLVM]);
	json_close(json, '}');
}

void report_json(const struct report *report)
{
	struct json json = {.file = stdout};
	unsigned int i;

	json_open(&json, NULL, '{');
	json_open(&json, "corpora", '[');
	for (i = 0; i < report->nr; i++)
		json_corpus(&json, &report->workloads[i], &report->results[i]);
	json_close(&json, ']');
	json_ratios(&json, "geometric_means", report->results, report->nr);
	json_run(&json, report);
	json_close(&json, '}');
}
