/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include "workload.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

static_assert(CORPUS_MAX_FRAMES <= UINT8_MAX, "unchanged[] holds bytes");

static void workload_cut(struct workload *workload)
{
	const uintptr_t *frames = workload->corpus.frames;
	uint32_t i;

	for (i = 0; i < workload->corpus.unique; i++) {
		workload->traces[i] = (struct trace){frames, workload->corpus.length[i]};
		frames += workload->corpus.length[i];
	}
}

static uint8_t workload_shared(const struct trace *a, const struct trace *b)
{
	uint32_t nr = 0;

	while (nr < a->nr && nr < b->nr && a->frames[a->nr - 1 - nr] == b->frames[b->nr - 1 - nr])
		nr++;
	return (uint8_t)nr;
}

static void workload_compare(struct workload *workload)
{
	uint32_t i;

	for (i = 1; i < workload->events; i++)
		workload->unchanged[i] = workload_shared(workload_event(workload, i - 1),
							 workload_event(workload, i));
}

struct usage {
	uint32_t trace;
	uint32_t count;
};

static int usage_compare(const void *a, const void *b)
{
	const struct usage *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->trace < y->trace ? -1 : x->trace > y->trace;
}

/* Fills order and hottest. */
static int workload_sort(struct workload *workload)
{
	uint32_t unique = workload->corpus.unique, i, nr = 0;
	struct usage *usage = calloc(unique, sizeof(*usage));

	if (!usage)
		return -1;
	for (i = 0; i < unique; i++)
		usage[i].trace = i;
	for (i = 0; i < workload->events; i++)
		if (!usage[workload->corpus.event[i]].count++)
			workload->order[nr++] = workload->corpus.event[i];
	for (i = 0; i < unique; i++)
		if (!usage[i].count)
			workload->order[nr++] = i;
	qsort(usage, unique, sizeof(*usage), usage_compare);
	for (i = 0; i < unique; i++)
		workload->hottest[i] = usage[i].trace;
	free(usage);
	return 0;
}

int workload_init(struct workload *workload, const char *path, struct corpus *corpus,
		  uint32_t max_events)
{
	uint32_t unique = corpus->unique;

	*workload = (struct workload){.corpus = *corpus};
	*corpus = (struct corpus){0};
	corpus_name(path, workload->name, sizeof(workload->name));
	workload->events = workload->corpus.events;
	if (max_events && workload->events > max_events)
		workload->events = max_events;
	workload->traces = calloc(unique, sizeof(*workload->traces));
	workload->order = calloc(unique, sizeof(*workload->order));
	workload->hottest = calloc(unique, sizeof(*workload->hottest));
	workload->unchanged = calloc(workload->events, 1);
	if (!workload->traces || !workload->order || !workload->hottest || !workload->unchanged)
		return -1;
	workload_cut(workload);
	workload_compare(workload);
	return workload_sort(workload);
}

void workload_free(struct workload *workload)
{
	corpus_free(&workload->corpus);
	free(workload->traces);
	free(workload->order);
	free(workload->hottest);
	free(workload->unchanged);
}
