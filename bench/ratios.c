/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include "ratios.h"

#include <math.h>

static double full_ratio(const struct corpus_result *result, enum quantity above,
			 enum quantity below)
{
	return samples_ratio(&result->full.ns[above], &result->full.ns[below]);
}

#define FULL_RATIO(name, above, below)                         \
	static double name(const struct corpus_result *result) \
	{                                                      \
		return full_ratio(result, above, below);       \
	}

FULL_RATIO(warm_to_linux, WARM, LINUX_WARM)
FULL_RATIO(warm_to_linux_huge, WARM, LINUX_HUGE_WARM)
FULL_RATIO(warm_to_llvm, WARM, LLVM_WARM)
FULL_RATIO(referenced_to_linux, WARM_REFERENCED, LINUX_WARM)
FULL_RATIO(referenced_to_linux_huge, WARM_REFERENCED, LINUX_HUGE_WARM)
FULL_RATIO(kept_to_llvm, WARM_KEPT, LLVM_WARM)
FULL_RATIO(cursor_to_warm, CURSOR, WARM)
FULL_RATIO(put_to_linux, PUT, LINUX_PUT)
FULL_RATIO(cold_to_linux, COLD, LINUX_COLD)
FULL_RATIO(cold_to_llvm, COLD, LLVM_COLD)

static double bytes_ratio(const struct corpus_result *result, enum peer_id peer)
{
	if (!result->full.peer_bytes[peer])
		return NAN;
	return (double)result->full.depot_bytes / (double)result->full.peer_bytes[peer];
}

static double bytes_to_linux(const struct corpus_result *result)
{
	return bytes_ratio(result, PEER_LINUX);
}

static double bytes_to_llvm(const struct corpus_result *result)
{
	return bytes_ratio(result, PEER_LLVM);
}

static double threads_ratio(const struct corpus_result *result, enum thread_mode mode,
			    bool same_hot)
{
	const struct thread_result *one = NULL, *two = NULL, *run;
	unsigned int i;

	for (i = 0; i < result->threads_nr; i++) {
		run = &result->threads[i];
		if (run->mode != mode || run->same_hot != same_hot)
			continue;
		if (run->nr == 1)
			one = run;
		else if (run->nr == 2)
			two = run;
	}
	return one && two ? samples_ratio(&two->cpu_ns, &one->cpu_ns) : NAN;
}

static double two_threads_leased_same(const struct corpus_result *result)
{
	return threads_ratio(result, THREAD_LEASED, true);
}

static double two_threads_leased_different(const struct corpus_result *result)
{
	return threads_ratio(result, THREAD_LEASED, false);
}

static double two_threads_referenced_same(const struct corpus_result *result)
{
	return threads_ratio(result, THREAD_REFERENCED, true);
}

static double two_threads_linux_same(const struct corpus_result *result)
{
	return threads_ratio(result, THREAD_LINUX, true);
}

static double hits_ratio(const struct corpus_result *result, unsigned int budget)
{
	return samples_median(&result->budgets[budget].hit_ratio) /
	       result->budgets[budget].lru_hit_ratio;
}

static double budget_ratio(const struct corpus_result *result, unsigned int budget)
{
	return samples_ratio(&result->budgets[budget].save_ns, &result->budgets[budget].cold_ns);
}

static double hits_at_50(const struct corpus_result *result)
{
	return hits_ratio(result, 0);
}

static double hits_at_25(const struct corpus_result *result)
{
	return hits_ratio(result, 1);
}

static double hits_at_10(const struct corpus_result *result)
{
	return hits_ratio(result, 2);
}

static double save_at_50_to_cold(const struct corpus_result *result)
{
	return budget_ratio(result, 0);
}

static double save_at_25_to_cold(const struct corpus_result *result)
{
	return budget_ratio(result, 1);
}

static double save_at_10_to_cold(const struct corpus_result *result)
{
	return budget_ratio(result, 2);
}

const struct ratio ratios[] = {
	{"warm_to_linux", warm_to_linux},
	{"warm_to_linux_huge_pages", warm_to_linux_huge},
	{"warm_to_llvm", warm_to_llvm},
	{"referenced_to_linux", referenced_to_linux},
	{"referenced_to_linux_huge_pages", referenced_to_linux_huge},
	{"kept_to_llvm", kept_to_llvm},
	{"cursor_to_warm", cursor_to_warm},
	{"put_to_linux", put_to_linux},
	{"cold_to_linux", cold_to_linux},
	{"cold_to_llvm", cold_to_llvm},
	{"bytes_to_linux", bytes_to_linux},
	{"bytes_to_llvm", bytes_to_llvm},
	{"two_threads_leased_same_hot", two_threads_leased_same},
	{"two_threads_leased_different", two_threads_leased_different},
	{"two_threads_referenced_same_hot", two_threads_referenced_same},
	{"two_threads_linux_same_hot", two_threads_linux_same},
	{"hits_to_lru_at_50", hits_at_50},
	{"hits_to_lru_at_25", hits_at_25},
	{"hits_to_lru_at_10", hits_at_10},
	{"save_at_50_to_cold", save_at_50_to_cold},
	{"save_at_25_to_cold", save_at_25_to_cold},
	{"save_at_10_to_cold", save_at_10_to_cold},
};

const unsigned int ratios_nr = sizeof(ratios) / sizeof(ratios[0]);

double ratios_mean(const struct ratio *ratio, const struct corpus_result *results, unsigned int nr)
{
	unsigned int i, counted = 0;
	double sum = 0, value;

	for (i = 0; i < nr; i++) {
		value = ratio->of(&results[i]);
		if (isnan(value))
			continue;
		sum += log(value);
		counted++;
	}
	return counted ? exp(sum / counted) : NAN;
}
