/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What is measured. Each file measures one thing: full.c, budgets.c, threads.c. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "peer.h"
#include "workload.h"

/* Of the depots measured; long enough not to cut any trace of a corpus. */
#define MEASURE_MAX_FRAMES 256u

struct settings {
	unsigned int rounds;	    /* of the passes over all events */
	unsigned int thread_rounds; /* of the runs with several threads */
	uint32_t thread_saves;	    /* of each thread in each run */
	uint32_t max_events;	    /* 0: all */
};

enum peer_id {
	PEER_LINUX,
	PEER_LINUX_HUGE, /* the same, in huge pages */
	PEER_LLVM,
	PEER_NR,
};

/* What the passes over all events measure, in ns per save, fetch or put. */
enum quantity {
	READ, /* the frames only: what any depot has to do */
	COLD,
	WARM, /* leased */
	WARM_TICKING,
	WARM_KEPT,
	WARM_REFERENCED,
	CURSOR,
	FETCH,
	PUT,
	LINUX_COLD,
	LINUX_WARM,
	LINUX_PUT,
	LINUX_HUGE_COLD,
	LINUX_HUGE_WARM,
	LINUX_HUGE_PUT,
	LLVM_COLD,
	LLVM_WARM,
	QUANTITY_NR,
};

/**
 * struct full_result - with room for every trace.
 * @lines:       that the traces need, and the depot has.
 * @max_bytes:   to create a depot of so many lines with.
 * @depot_bytes: of that depot: lines, index, bookkeeping; it has no ring.
 * @peer_bytes:  of each peer with all traces, 0 if it was not measured.
 * @peer_table:  of these, its hash table, where it is known.
 */
struct full_result {
	struct samples ns[QUANTITY_NR];
	uint32_t lines;
	uint64_t max_bytes;
	uint64_t depot_bytes;
	uint64_t peer_bytes[PEER_NR];
	uint64_t peer_table[PEER_NR];
};

#define BUDGETS_NR 3

/**
 * struct budget_result - with room for a part of the traces.
 * @save_ns:      mean of all events, the depot empty at first.
 * @cold_ns:      the cold save of full.c measured again beside it, for the ratio.
 * @p9999_ns:     99.99th percentile of the single saves of a pass.
 * @worst_ns:     longest of them.
 * @own_p9999_ns: the same percentile, each save represented by the fastest of its equals in all
 *                passes, for the depot does the same work in each: interruptions are struck out.
 * @own_worst_ns: longest of these.
 */
struct budget_result {
	double fraction;
	uint64_t max_bytes;
	uint32_t lines;
	struct samples save_ns;
	struct samples cold_ns;
	struct samples p9999_ns;
	struct samples worst_ns;
	struct samples hit_ratio;
	struct samples evictions;
	double own_p9999_ns;
	double own_worst_ns;
	double lru_hit_ratio;
	uint64_t drops;
};

enum thread_mode {
	THREAD_REFERENCED,
	THREAD_LEASED,
	THREAD_LINUX,
	THREAD_LLVM,
	THREAD_MODE_NR,
};

#define THREADS_MAX 4
#define THREAD_RUNS_MAX (3 * 2 * THREAD_MODE_NR)

/**
 * struct thread_result - several threads saving what is present.
 * @nr:       threads.
 * @same_hot: all of them save the same traces; else each its own.
 * @cpu_ns:   CPU time of a thread per save of its own, mean of the threads.
 * @wall_ns:  the same by the clock on the wall; beyond the CPUs there are, it counts waiting.
 */
struct thread_result {
	unsigned int nr;
	enum thread_mode mode;
	bool same_hot;
	struct samples cpu_ns;
	struct samples wall_ns;
};

struct corpus_result {
	struct full_result full;
	struct budget_result budgets[BUDGETS_NR];
	struct thread_result threads[THREAD_RUNS_MAX];
	unsigned int threads_nr;
};

/* Each of these: 0, or -1 after a line on standard error. */
int measure_full(const struct workload *workload, const struct settings *settings,
		 struct peer *peers, struct full_result *result);
int measure_budgets(const struct workload *workload, const struct settings *settings,
		    const struct full_result *full, struct budget_result *results);
int measure_threads(const struct workload *workload, const struct settings *settings,
		    const struct full_result *full, struct peer *peers,
		    struct corpus_result *result);

/*
 * measure_growth() - bytes a fresh process grows by when a peer stores all traces; 0 if unknown.
 *
 * The peer must not be loaded in this process yet.
 */
uint64_t measure_growth(const char *peer_file, const struct workload *workload);

/* measure_progress() - say on standard error what is going on. */
void measure_progress(const char *name, const char *what, unsigned int done, unsigned int all);

/* measure_failed() - say what went wrong; returns -1. */
int measure_failed(const struct workload *workload, const char *what);

#endif
