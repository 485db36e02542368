/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * corpus.c - the traces of all events of a program, in order, for benchmarks.
 *
 *	char  magic[8]              "SDTRACE1"
 *	u32   unique, events
 *	u64   total_frames          sum of lengths
 *	u32   length[unique]        frames in each unique trace
 *	u64   frames[total_frames]  the traces one after another, innermost frame first
 *	u32   event[events]         number of the unique trace saved by each event
 *
 * Little endian, compressed with zstd. Frames are as the store has them, see stackdepot/store.h; to
 * the benchmarks they are numbers of 48 bits, as addresses are. The recorder keeps every trace and
 * notes the handle of each event.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/complain.h"
#include "base/memory.h"
#include "base/status.h"
#include "corpus.h"
#include "profile/target.h"
#include "text/number.h"
#include "text/output.h"

#define CORPUS_LEVEL 12
#define CORPUS_FRAMES 255

struct corpus {
	char *bytes;
	size_t used;
	size_t size;
};

static void corpus_add(struct corpus *corpus, const void *data, size_t bytes)
{
	if (corpus->used + bytes > corpus->size) {
		corpus->size = 2 * (corpus->used + bytes);
		corpus->bytes = memory_realloc(corpus->bytes, corpus->size);
	}
	memcpy(corpus->bytes + corpus->used, data, bytes);
	corpus->used += bytes;
}

/* Unique traces in the order they were first seen; events by their number. */
struct corpus_events {
	uint32_t *event;
	uint64_t events;
	stackdepot_ref_t *trace;
	uint32_t unique;
};

static bool corpus_collect(struct stackdepot_store *store, struct corpus_events *list)
{
	struct stackdepot *depot = stackdepot_store_depot(store);
	struct stackdepot_stats stats;
	stackdepot_handle_t handle;
	uint32_t *number_of_line;
	uint64_t i = 0;

	stackdepot_get_stats(depot, &stats);
	number_of_line = memory_alloc((stats.lines + 1) * sizeof(*number_of_line));
	list->trace = memory_alloc((stats.lines + 1) * sizeof(*list->trace));
	list->event = memory_alloc(1000000 * sizeof(*list->event));
	while (list->events < 1000000 && stackdepot_store_next_corpus(store, &i, &handle)) {
		stackdepot_ref_t ref = handle ? stackdepot_ref(depot, handle) : 0;
		uint32_t line = (uint32_t)ref;

		if (!line || line > stats.lines)
			continue;
		if (!number_of_line[line]) {
			list->trace[list->unique] = ref;
			number_of_line[line] = ++list->unique;
		}
		list->event[list->events++] = number_of_line[line] - 1;
	}
	free(number_of_line);
	return list->events > 0;
}

static void corpus_write_traces(struct stackdepot *depot, const struct corpus_events *list,
				struct corpus *corpus)
{
	uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	uint32_t *length = memory_alloc(list->unique * sizeof(*length) + 1), i, nr_events;
	uint64_t total = 0;

	for (i = 0; i < list->unique; i++) {
		int nr = stackdepot_fetch_ref(depot, list->trace[i], frames, STACKDEPOT_MAX_FRAMES);

		length[i] = nr < 1 ? 1 : nr > CORPUS_FRAMES ? CORPUS_FRAMES : (uint32_t)nr;
		total += length[i];
	}
	nr_events = (uint32_t)list->events;
	corpus_add(corpus, "SDTRACE1", 8);
	corpus_add(corpus, &list->unique, sizeof(list->unique));
	corpus_add(corpus, &nr_events, sizeof(nr_events));
	corpus_add(corpus, &total, sizeof(total));
	corpus_add(corpus, length, list->unique * sizeof(*length));
	for (i = 0; i < list->unique; i++) {
		memset(frames, 0, sizeof(frames));
		(void)stackdepot_fetch_ref(depot, list->trace[i], frames, STACKDEPOT_MAX_FRAMES);
		corpus_add(corpus, frames, length[i] * sizeof(frames[0]));
	}
	corpus_add(corpus, list->event, list->events * sizeof(*list->event));
	free(length);
}

static bool corpus_compress(const struct corpus *corpus, FILE *out)
{
	size_t room = ZSTD_compressBound(corpus->used), length;
	char *packed = memory_alloc(room);

	length = ZSTD_compress(packed, room, corpus->bytes, corpus->used, CORPUS_LEVEL);
	if (ZSTD_isError(length))
		complain("zstd: %s", ZSTD_getErrorName(length));
	else
		(void)fwrite(packed, 1, length, out);
	free(packed);
	return !ZSTD_isError(length);
}

/* False after a complaint. */
static bool corpus_write(struct stackdepot_store *store, const struct corpus_events *list,
			 struct output *output)
{
	struct corpus corpus = {0};
	bool done;

	corpus_write_traces(stackdepot_store_depot(store), list, &corpus);
	done = corpus_compress(&corpus, output->file);
	if (done)
		done = output_finish(output);
	else
		output_abandon(output);
	free(corpus.bytes);
	return done;
}

int corpus_save(const char *store_path, struct output *output)
{
	char traces[TEXT_NUMBER], events[TEXT_NUMBER];
	struct corpus_events list = {0};
	struct stackdepot_store *store;
	int error = stackdepot_store_open(store_path, &store);
	bool done = false;

	if (error) {
		output_abandon(output);
		complain("%s: %s", store_path, target_error(error));
		return STATUS_FAILED;
	}
	if (corpus_collect(store, &list)) {
		done = corpus_write(store, &list, output);
	} else {
		output_abandon(output);
		complain("nothing was recorded");
	}
	if (done)
		complain("%s: %s, %s", output->path, text_number(list.unique, "trace", traces),
			 text_number((double)list.events, "event", events));
	free(list.event);
	free(list.trace);
	stackdepot_store_close(store);
	return done ? STATUS_CLEAN : STATUS_FAILED;
}
