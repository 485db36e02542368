/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* overview.c - the state as src/flame/page/agent.js reads it. */
#define _GNU_SOURCE
#include <math.h>

#include "clock.h"
#include "overview.h"
#include "profile/target.h"
#include "text/writer.h"

static void overview_count(struct writer *writer, const char *key, double value)
{
	writer_integer(writer, key, value < 9e15 ? llround(value) : (int64_t)9e15);
}

static void overview_sums(struct writer *writer, const struct record_sums *sums)
{
	overview_count(writer, "live_bytes", sums->live_bytes);
	overview_count(writer, "live_objects", sums->live_objects);
	overview_count(writer, "allocations", sums->allocations);
	overview_count(writer, "allocated_bytes", sums->allocated_bytes);
	overview_count(writer, "recorder_bytes", sums->recorder_bytes);
}

static void overview_history(struct writer *writer, const struct state_history *history)
{
	uint32_t i;

	writer_array(writer, "history");
	for (i = 0; i < history->nr; i++)
		overview_count(writer, NULL, history->points[i]);
	writer_end(writer);
}

static void overview_process(struct writer *writer, const struct state_process *process)
{
	writer_object(writer, NULL);
	writer_integer(writer, "pid", process->record.pid);
	writer_integer(writer, "serial", process->record.serial);
	writer_text(writer, "command", process->record.command);
	overview_sums(writer, &process->record.sums);
	overview_history(writer, &process->history);
	writer_end(writer);
}

static void overview_errors(struct writer *writer, const struct record_store *record)
{
	unsigned int kind;

	writer_object(writer, "kinds");
	for (kind = 1; kind < STACKDEPOT_ERROR_KINDS; kind++)
		if (record->errors[kind])
			overview_count(writer, stackdepot_error_name(kind),
				       (double)record->errors[kind]);
	writer_end(writer);
	overview_count(writer, "doubts", record->doubts);
	overview_count(writer, "errors_dropped", record->errors_dropped);
}

static void overview_store(struct writer *writer, const struct state_store *store)
{
	const struct record_store *record = &store->record;
	size_t i;

	writer_object(writer, NULL);
	writer_text(writer, "service", store->service);
	writer_text(writer, "path", record->path);
	writer_text(writer, "problem", record->error ? target_error(record->error) : NULL);
	writer_integer(writer, "running", record->running);
	writer_integer(writer, "ended", record->ended);
	overview_count(writer, "store_bytes", record->store_bytes);
	overview_count(writer, "sample_bytes", record->sample_bytes);
	overview_count(writer, "unrecorded", record->unrecorded);
	overview_sums(writer, &record->sums);
	overview_errors(writer, record);
	overview_history(writer, &store->history);
	writer_array(writer, "processes");
	for (i = 0; i < store->nr; i++)
		overview_process(writer, &store->processes[i]);
	writer_end(writer);
	writer_end(writer);
}

void overview_write(FILE *out, const struct state *state, const struct agent_options *options)
{
	struct writer writer;
	size_t i;

	writer_begin_page(&writer, out);
	writer_object(&writer, NULL);
	writer_text(&writer, "tool", STACKDEPOT_VERSION);
	writer_number(&writer, "interval", (double)options->interval_ns / 1e9);
	writer_bool(&writer, "lost", options->allow_lost);
	writer_bool(&writer, "fleet", options->push_server);
	writer_number(&writer, "age",
		      state->time_ns ? (double)(clock_now_ns() - state->time_ns) / 1e9 : -1);
	overview_count(&writer, "foreign", (double)state->counts.foreign);
	overview_count(&writer, "links", (double)state->counts.links);
	overview_count(&writer, "unreadable", (double)state->counts.unreadable);
	overview_count(&writer, "left_out", (double)state->counts.left_out);
	writer_array(&writer, "services");
	for (i = 0; i < state->nr; i++)
		overview_store(&writer, &state->stores[i]);
	writer_end(&writer);
	writer_end(&writer);
}
