/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Several threads saving hot traces that are present: all of them the same, or each its own.
 *
 * The hot traces are the most used ones of the corpus, in the order in which the corpus uses them.
 * Threads on the same traces start at different places, as threads of a program would. In each
 * round every combination runs once; the traces of a thread that has its own change from round to
 * round, so that one thread is not compared with another's longer traces, and so do the CPUs.
 */
#include <pthread.h>
#include <stdlib.h>

#include <stackdepot/stackdepot.h>

#include "measure.h"
#include "ours.h"

#define HOT_TRACES 256u /* of a thread */
#define NOT_HOT UINT32_MAX

/* What a thread saves, over and over; lists[THREADS_MAX] is everybody's. */
struct hot_list {
	struct trace *traces;
	uint32_t nr;
};

struct threads {
	const struct workload *workload;
	const struct settings *settings;
	struct peer *peers;
	struct stackdepot *depots[2]; /* THREAD_REFERENCED, THREAD_LEASED */
	struct hot_list lists[THREADS_MAX + 1];
};

struct worker {
	pthread_t thread;
	pthread_barrier_t *start;
	unsigned int index;
	unsigned int cpu;
	enum thread_mode mode;
	struct stackdepot *depot;
	const struct peer_ops *ops;
	const struct hot_list *list;
	uint32_t saves;
	uint32_t *handles;
	uint64_t cpu_ns, wall_ns;
	uint64_t failed;
};

/* --- what each mode does ------------------------------------------------------------------- */

static void worker_save(struct worker *worker, unsigned int flags)
{
	uint32_t at = worker->index * (worker->list->nr / THREADS_MAX), i;

	for (i = 0; i < worker->saves; i++) {
		const struct trace *trace = &worker->list->traces[at];

		worker->handles[i] =
			stackdepot_save(worker->depot, trace->frames, trace->nr, flags);
		at = at + 1 < worker->list->nr ? at + 1 : 0;
	}
}

static void worker_save_peer(struct worker *worker)
{
	uint32_t at = worker->index * (worker->list->nr / THREADS_MAX), i;
	uint32_t (*save)(const uintptr_t *frames, unsigned int nr) = worker->ops->save;
	unsigned int max_frames = worker->ops->max_frames;

	for (i = 0; i < worker->saves; i++) {
		const struct trace *trace = &worker->list->traces[at];

		worker->handles[i] =
			save(trace->frames, trace->nr < max_frames ? trace->nr : max_frames);
		at = at + 1 < worker->list->nr ? at + 1 : 0;
	}
}

/* References would add up over the rounds; they are given back outside the time that counts. */
static void worker_put(struct worker *worker)
{
	uint32_t i;

	for (i = 0; i < worker->saves; i++) {
		worker->failed += !worker->handles[i];
		if (worker->mode == THREAD_REFERENCED)
			worker->failed += stackdepot_put(worker->depot, worker->handles[i]) != 0;
		else if (worker->mode == THREAD_LINUX)
			worker->ops->put(worker->handles[i]);
	}
}

static void *worker_run(void *argument)
{
	struct worker *worker = argument;
	uint64_t cpu, wall;

	clock_pin(worker->cpu);
	pthread_barrier_wait(worker->start);
	wall = clock_wall_ns();
	cpu = clock_thread_ns();
	if (worker->ops)
		worker_save_peer(worker);
	else
		worker_save(worker, worker->mode == THREAD_REFERENCED ? STACKDEPOT_GET : 0);
	worker->cpu_ns = clock_thread_ns() - cpu;
	worker->wall_ns = clock_wall_ns() - wall;
	/* Nobody gives back while another still saves. */
	pthread_barrier_wait(worker->start);
	worker_put(worker);
	return NULL;
}

/* --- one run ------------------------------------------------------------------------------- */

static const struct peer_ops *threads_ops(const struct threads *threads, enum thread_mode mode)
{
	if (mode == THREAD_LINUX)
		return threads->peers[PEER_LINUX].ops;
	return mode == THREAD_LLVM ? threads->peers[PEER_LLVM].ops : NULL;
}

static void worker_init(struct worker *worker, const struct threads *threads,
			const struct thread_result *result, unsigned int index, unsigned int round)
{
	worker->index = index;
	worker->cpu = index + round;
	worker->mode = result->mode;
	worker->ops = threads_ops(threads, result->mode);
	if (!worker->ops)
		worker->depot = threads->depots[result->mode];
	worker->list =
		&threads->lists[result->same_hot ? THREADS_MAX : (index + round) % THREADS_MAX];
	worker->saves = threads->settings->thread_saves;
	worker->handles = calloc(worker->saves, sizeof(*worker->handles));
	if (!worker->handles)
		abort();
}

static void result_add(struct thread_result *result, const struct worker *workers)
{
	double cpu = 0, wall = 0, saves = (double)workers[0].saves * result->nr;
	unsigned int i;

	for (i = 0; i < result->nr; i++) {
		cpu += (double)workers[i].cpu_ns;
		wall += (double)workers[i].wall_ns;
	}
	samples_add(&result->cpu_ns, cpu / saves);
	samples_add(&result->wall_ns, wall / saves);
}

static int threads_run(const struct threads *threads, struct thread_result *result,
		       unsigned int round)
{
	struct worker workers[THREADS_MAX] = {0};
	pthread_barrier_t start;
	uint64_t failed = 0;
	unsigned int i;

	pthread_barrier_init(&start, NULL, result->nr);
	for (i = 0; i < result->nr; i++) {
		worker_init(&workers[i], threads, result, i, round);
		workers[i].start = &start;
		/* Half a set of threads would wait for the other half for ever. */
		if (pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]))
			abort();
	}
	for (i = 0; i < result->nr; i++) {
		pthread_join(workers[i].thread, NULL);
		failed += workers[i].failed;
		free(workers[i].handles);
	}
	pthread_barrier_destroy(&start);
	result_add(result, workers);
	return failed ? -1 : 0;
}

/* --- what is hot --------------------------------------------------------------------------- */

/* The events of traces whose rank in use is below @below and equals @rest modulo @modulus. */
static int hot_list_init(struct hot_list *list, const struct workload *workload,
			 const uint32_t *rank, uint32_t below, uint32_t modulus, uint32_t rest)
{
	uint32_t i, number;

	list->traces = calloc(workload->events, sizeof(*list->traces));
	if (!list->traces)
		return -1;
	for (i = 0; i < workload->events; i++) {
		number = workload->corpus.event[i];
		if (rank[number] < below && rank[number] % modulus == rest)
			list->traces[list->nr++] = workload->traces[number];
	}
	return 0;
}

static int threads_lists(struct threads *threads)
{
	const struct workload *workload = threads->workload;
	uint32_t *rank = calloc(workload->corpus.unique, sizeof(*rank));
	uint32_t i;
	int ret = rank ? 0 : -1;

	for (i = 0; !ret && i < workload->corpus.unique; i++)
		rank[workload->hottest[i]] = i;
	for (i = 0; !ret && i < THREADS_MAX; i++)
		ret = hot_list_init(&threads->lists[i], workload, rank, THREADS_MAX * HOT_TRACES,
				    THREADS_MAX, i);
	if (!ret)
		ret = hot_list_init(&threads->lists[THREADS_MAX], workload, rank, HOT_TRACES, 1, 0);
	free(rank);
	return ret;
}

/* --- the whole ----------------------------------------------------------------------------- */

static int threads_depots(struct threads *threads, const struct full_result *full)
{
	static const unsigned int flags[2] = {STACKDEPOT_GET, 0};
	unsigned int mode;

	for (mode = 0; mode < 2; mode++) {
		threads->depots[mode] = ours_create(full->max_bytes, OURS_LEASE_TICKS, 0);
		if (!threads->depots[mode] ||
		    ours_fill(threads->depots[mode], threads->workload, flags[mode], NULL))
			return -1;
	}
	return 0;
}

static void threads_plan(struct threads *threads, struct corpus_result *result)
{
	unsigned int mode, same, nr;

	for (mode = 0; mode < THREAD_MODE_NR; mode++) {
		if (mode >= THREAD_LINUX && !threads_ops(threads, mode))
			continue;
		for (same = 0; same < 2; same++) {
			/* With fewer traces than threads there are none for each. */
			if (!same && !threads->lists[THREADS_MAX - 1].nr)
				continue;
			for (nr = 1; nr <= THREADS_MAX; nr *= 2)
				result->threads[result->threads_nr++] = (struct thread_result){
					.nr = nr, .mode = mode, .same_hot = same};
		}
	}
}

int measure_threads(const struct workload *workload, const struct settings *settings,
		    const struct full_result *full, struct peer *peers,
		    struct corpus_result *result)
{
	struct threads threads = {.workload = workload, .settings = settings, .peers = peers};
	unsigned int round, i;
	int ret = threads_depots(&threads, full) || threads_lists(&threads);

	if (!ret)
		threads_plan(&threads, result);
	for (round = 0; !ret && round < settings->thread_rounds; round++) {
		measure_progress(workload->name, "threads", round, settings->thread_rounds);
		for (i = 0; !ret && i < result->threads_nr; i++)
			ret = threads_run(&threads, &result->threads[i], round);
	}
	for (i = 0; i < 2; i++)
		stackdepot_destroy(threads.depots[i]);
	for (i = 0; i <= THREADS_MAX; i++)
		free(threads.lists[i].traces);
	return ret ? measure_failed(workload, "threads could not be measured") : 0;
}
