/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the benchmark relies on: that it measures depots that work. A depot fast because it mixes up
 * traces would show here.
 */
#include "verify.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "ours.h"

struct verify {
	const struct workload *workload;
	const char *who;
	unsigned int max_frames;
	uint32_t (*save)(struct verify *verify, const uintptr_t *frames, unsigned int nr);
	/* Copies the trace out; its length, or less than 1 if there is none. */
	int (*fetch)(struct verify *verify, uint32_t handle, uintptr_t *frames);
	struct stackdepot *depot;
	const struct peer_ops *ops;
	uint32_t *handles;
};

static uint32_t ours_verify_save(struct verify *verify, const uintptr_t *frames, unsigned int nr)
{
	return stackdepot_save(verify->depot, frames, nr, 0);
}

static int ours_verify_fetch(struct verify *verify, uint32_t handle, uintptr_t *frames)
{
	return stackdepot_fetch(verify->depot, handle, frames, MEASURE_MAX_FRAMES);
}

static uint32_t peer_verify_save(struct verify *verify, const uintptr_t *frames, unsigned int nr)
{
	return verify->ops->save(frames, nr);
}

static int peer_verify_fetch(struct verify *verify, uint32_t handle, uintptr_t *frames)
{
	const uintptr_t *stored;
	unsigned int nr = verify->ops->fetch(handle, &stored);

	if (nr > MEASURE_MAX_FRAMES)
		return -1;
	memcpy(frames, stored, nr * sizeof(*frames));
	return (int)nr;
}

static int verify_fail(const struct verify *verify, const char *what, uint32_t trace)
{
	fprintf(stderr, "stackdepot-bench: %s: %s: %s (trace %u)\n", verify->workload->name,
		verify->who, what, trace);
	return -1;
}

static unsigned int verify_length(const struct verify *verify, uint32_t trace)
{
	uint32_t nr = verify->workload->traces[trace].nr;

	return nr < verify->max_frames ? nr : verify->max_frames;
}

/* Every event gets the handle that the first event of its trace got. */
static int verify_equal(struct verify *verify)
{
	const struct workload *workload = verify->workload;
	uint32_t i, trace, handle;

	for (i = 0; i < workload->events; i++) {
		trace = workload->corpus.event[i];
		handle = verify->save(verify, workload->traces[trace].frames,
				      verify_length(verify, trace));
		if (!handle)
			return verify_fail(verify, "could not be saved", trace);
		if (!verify->handles[trace])
			verify->handles[trace] = handle;
		else if (verify->handles[trace] != handle)
			return verify_fail(verify, "got a second handle", trace);
	}
	return 0;
}

/* Comes back frame by frame. Two different traces under one handle cannot both do that. */
static int verify_content(struct verify *verify)
{
	uintptr_t frames[MEASURE_MAX_FRAMES];
	const struct trace *trace;
	unsigned int length;
	uint32_t i;

	for (i = 0; i < verify->workload->corpus.unique; i++) {
		if (!verify->handles[i])
			continue;
		trace = &verify->workload->traces[i];
		length = verify_length(verify, i);
		if (verify->fetch(verify, verify->handles[i], frames) != (int)length ||
		    memcmp(frames, trace->frames, length * sizeof(*frames)))
			return verify_fail(verify, "came back as another", i);
	}
	return 0;
}

static int handle_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Traces that differ beyond what is stored have one handle; those of no event have none. */
static uint32_t verify_distinct(struct verify *verify)
{
	uint32_t i, last = 0, nr = 0;

	qsort(verify->handles, verify->workload->corpus.unique, sizeof(*verify->handles),
	      handle_compare);
	for (i = 0; i < verify->workload->corpus.unique; i++) {
		nr += verify->handles[i] != last;
		last = verify->handles[i];
	}
	return nr;
}

/* The peer's own account of its traces and its memory. */
static int verify_account(struct verify *verify)
{
	if (!verify->ops || !verify->ops->check || !verify->ops->check(verify_distinct(verify)))
		return 0;
	return verify_fail(verify, "its own figures do not explain its memory", 0);
}

static int verify_one(struct verify *verify)
{
	int ret;

	verify->handles = calloc(verify->workload->corpus.unique, sizeof(*verify->handles));
	if (!verify->handles)
		return verify_fail(verify, "no memory", 0);
	ret = verify_equal(verify) || verify_content(verify) || verify_account(verify);
	free(verify->handles);
	return ret ? -1 : 0;
}

static int verify_ours(const struct workload *workload)
{
	struct verify verify = {
		.workload = workload,
		.who = "stackdepot",
		.max_frames = MEASURE_MAX_FRAMES,
		.save = ours_verify_save,
		.fetch = ours_verify_fetch,
	};
	uint64_t bytes;
	uint32_t lines;
	int ret;

	if (ours_fit(workload, &lines, &bytes))
		return -1;
	verify.depot = ours_create(stackdepot_bytes_for(lines, NULL), 0, 0);
	if (!verify.depot)
		return -1;
	ret = verify_one(&verify);
	if (!ret && stackdepot_check(verify.depot))
		ret = verify_fail(&verify, "its invariants are broken", 0);
	stackdepot_destroy(verify.depot);
	return ret;
}

static int verify_peer(const struct workload *workload, struct peer *peer)
{
	struct verify verify = {
		.workload = workload,
		.who = peer->file,
		.save = peer_verify_save,
		.fetch = peer_verify_fetch,
	};

	if (!peer->ops)
		return 0;
	if (peer_reset(peer))
		return -1;
	verify.ops = peer->ops;
	verify.max_frames = peer->ops->max_frames;
	return verify_one(&verify);
}

int verify_corpus(const struct workload *workload, struct peer *peers)
{
	unsigned int id;
	int ret = verify_ours(workload);

	for (id = 0; !ret && id < PEER_NR; id++)
		ret = verify_peer(workload, &peers[id]);
	return ret;
}
