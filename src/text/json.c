/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* json.c - for programs. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "output.h"
#include "profile/alive.h"
#include "profile/heaps.h"
#include "text.h"

#define JSON_VERSION 1

static void json_frame(struct writer *writer, const struct symbol_frame *frame)
{
	size_t i;

	for (i = 0; i < frame->nr; i++) {
		const struct symbol_line *line = &frame->lines[i];

		writer_object(writer, NULL);
		writer_text(writer, "function", line->function);
		writer_text(writer, "file", line->file);
		writer_integer(writer, "line", line->line);
		writer_bool(writer, "inlined", line->inlined);
		writer_text(writer, "module", frame->in ? frame->in->path : NULL);
		writer_integer(writer, "offset", (int64_t)frame->offset);
		writer_end(writer);
	}
}

void json_trace(struct writer *writer, const char *key, const struct profile_trace *trace)
{
	unsigned int i;

	if (!trace->nr) {
		writer_null(writer, key);
		return;
	}
	writer_array(writer, key);
	for (i = 0; i < trace->nr; i++)
		json_frame(writer, symbols_frame(trace->frames[i]));
	writer_end(writer);
}

void json_sums(struct writer *writer, const struct profile_sums *sums)
{
	writer_number(writer, "live_bytes", sums->bytes);
	writer_number(writer, "live_objects", sums->objects);
	if (sums->bytes_variance > 0) {
		writer_number(writer, "live_bytes_error", sqrt(sums->bytes_variance));
		writer_number(writer, "live_objects_error", sqrt(sums->objects_variance));
	}
	writer_number(writer, "allocated_bytes", sums->alloc_bytes);
	writer_number(writer, "allocations", sums->allocs);
	if (sums->alloc_bytes_variance > 0)
		writer_number(writer, "allocated_bytes_error_at_most",
			      sqrt(sums->alloc_bytes_variance));
}

static void json_after(struct writer *writer, const char *key,
		       const struct profile_process *process, uint64_t ns)
{
	const uint64_t start = process->info.start_monotonic_ns;

	if (ns)
		writer_number(writer, key, ns > start ? (double)(ns - start) / 1e9 : 0);
	else
		writer_null(writer, key);
}

void json_peak(struct writer *writer, const struct profile_process *process)
{
	const struct stackdepot_peak *peak = &process->peak;

	writer_object(writer, "peak");
	writer_number(writer, "bytes", peak->bytes);
	writer_number(writer, "unseen_bytes", peak->unseen_bytes);
	json_after(writer, "after_seconds", process, peak->time_ns);
	writer_number(writer, "stacks_bytes", peak->taken_bytes);
	writer_number(writer, "stacks_objects", peak->taken_objects);
	json_after(writer, "stacks_after_seconds", process, peak->taken_ns);
	writer_number(writer, "unlisted_bytes", peak->unlisted_bytes);
	writer_number(writer, "meanwhile_bytes", peak->meanwhile_bytes);
	writer_end(writer);
}

static void json_command(struct writer *writer, const struct stackdepot_store_info *info)
{
	uint32_t at = 0;

	writer_array(writer, "command");
	while (at < info->command_bytes) {
		writer_text(writer, NULL, info->command + at);
		at += (uint32_t)strlen(info->command + at) + 1;
	}
	writer_end(writer);
}

static void json_process(struct writer *writer, const struct stackdepot_store_info *info)
{
	writer_integer(writer, "pid", info->pid);
	writer_integer(writer, "parent", info->parent);
	json_command(writer, info);
	writer_text(writer, "state", text_state(info));
	if (info->state == STACKDEPOT_STORE_ENDED)
		writer_integer(writer, "wait_status", (int)info->wait_status);
	else
		writer_null(writer, "wait_status");
	writer_text(writer, "mode", text_mode(info));
	writer_integer(writer, "sample_bytes", (int64_t)info->sample_bytes);
	writer_integer(writer, "sample_now_bytes", (int64_t)info->sample_now_bytes);
	if (info->cpu_ns)
		writer_number(writer, "overhead_percent",
			      100 * (double)info->recorder_ns / (double)info->cpu_ns);
	writer_bool(writer, "estimated", info->sample_bytes != 0 || info->unrecorded != 0);
}

/* Are there any? */
static bool json_unseen(struct writer *writer, const struct profile *profile)
{
	struct heaps heaps;
	size_t i;

	heaps_unseen(profile, &heaps);
	writer_array(writer, "unseen_heaps");
	for (i = 0; i < heaps.nr; i++) {
		writer_object(writer, NULL);
		writer_text(writer, "allocator", heaps.heap[i].allocator);
		writer_text(writer, "module", heaps.heap[i].module);
		writer_bool(writer, "hidden", heaps.heap[i].hidden);
		writer_end(writer);
	}
	writer_end(writer);
	return heaps.nr;
}

/* With about how much they have. */
static void json_unseen_bytes(struct writer *writer, const struct profile *profile)
{
	double beside = json_unseen(writer, profile) ? heaps_beside(profile) : 0;

	if (beside > 0)
		writer_number(writer, "unseen_bytes_about", beside);
	else
		writer_null(writer, "unseen_bytes_about");
}

static void json_messages_of(struct writer *writer, struct stackdepot_store *store)
{
	struct stackdepot_note note;
	uint64_t position = 0;

	while (stackdepot_store_next_note(store, &position, &note)) {
		writer_object(writer, NULL);
		writer_text(writer, "text", note.text);
		writer_integer(writer, "pid", note.pid);
		writer_integer(writer, "count", note.count);
		writer_end(writer);
	}
}

static void json_not_recorded_of(struct writer *writer, struct stackdepot_store *store)
{
	struct stackdepot_start start;
	uint64_t position = 0;

	while (stackdepot_store_next_start(store, &position, &start)) {
		const char *reason = stackdepot_start_reason(start.reason);

		if (!start.missing)
			continue;
		writer_object(writer, NULL);
		writer_text(writer, "program", start.path);
		writer_integer(writer, "count", start.missing);
		writer_text(writer, "reason", *reason ? reason : NULL);
		writer_end(writer);
	}
}

/* NAME, a list of what EACH of the stores has. */
static void json_of_stores(struct writer *writer, const struct profile *profile, const char *name,
			   void (*each)(struct writer *writer, struct stackdepot_store *store))
{
	size_t i;

	writer_array(writer, name);
	for (i = 0; i < profile->nr_stores; i++)
		each(writer, profile->stores[i].store);
	writer_end(writer);
}

/* What the recorder had to say, and programs that it did not get into. */
static void json_notes(struct writer *writer, const struct profile *profile)
{
	json_of_stores(writer, profile, "messages", json_messages_of);
	json_of_stores(writer, profile, "not_recorded", json_not_recorded_of);
}

void json_missing(struct writer *writer, const struct profile *profile)
{
	(void)json_unseen(writer, profile);
	json_notes(writer, profile);
}

void json_processes(struct writer *writer, const struct profile *profile)
{
	size_t i;

	json_process(writer, &profile->info);
	json_unseen_bytes(writer, profile);
	json_notes(writer, profile);
	writer_integer(writer, "version", JSON_VERSION);
	writer_array(writer, "processes");
	for (i = 0; i < profile->nr_processes; i++) {
		const struct profile_process *process = &profile->processes[i];

		writer_object(writer, NULL);
		json_process(writer, &process->info);
		writer_text(writer, "store", profile_store_of(profile, process)->path);
		writer_integer(writer, "serial", process->info.serial);
		writer_integer(writer, "processes", process->info.processes);
		writer_bool(writer, "running", alive_is_running(&process->info));
		writer_integer(writer, "start_ns", (int64_t)process->info.start_ns);
		json_sums(writer, &process->live);
		writer_integer(writer, "errors", (int64_t)process->errors);
		writer_end(writer);
	}
	writer_end(writer);
}

void json_begin(struct writer *writer, const struct profile *profile)
{
	writer_begin_lines(writer, stdout);
	writer_object(writer, NULL);
	json_processes(writer, profile);
}

void json_finish(struct writer *writer)
{
	writer_end(writer);
	(void)output_flush();
}
