/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * json.c - our own format, with all that a store knows; share/stackdepot-export.schema.json
 * describes it.
 *
 * Frames are numbered in the order they are met, and come behind the stacks that refer to them.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/intern.h"
#include "base/memory.h"
#include "export.h"
#include "profile/alive.h"
#include "profile/stats.h"
#include "text/json.h"
#include "text/text.h"
#include "text/writer.h"

#define JSON_FORMAT_VERSION 2

struct json_export {
	struct writer writer;
	const struct profile *profile;
	struct intern *frames; /* pointers to them */
};

static void json_frames_of(struct json_export *json, const char *key,
			   const struct profile_trace *trace)
{
	unsigned int i;

	if (!trace->nr) {
		writer_null(&json->writer, key);
		return;
	}
	writer_array(&json->writer, key);
	for (i = 0; i < trace->nr; i++)
		writer_integer(
			&json->writer, NULL,
			(int64_t)intern(json->frames, &trace->frames[i], sizeof(trace->frames[i])));
	writer_end(&json->writer);
}

static void json_process_of(struct writer *writer, const char *key,
			    const struct profile_process *process)
{
	const struct stackdepot_store_info *info = &process->info;
	uint32_t at = 0;

	writer_object(writer, key);
	writer_integer(writer, "serial", info->serial);
	writer_integer(writer, "processes", info->processes);
	writer_integer(writer, "pid", info->pid);
	writer_integer(writer, "parent", info->parent);
	writer_array(writer, "command");
	for (; at < info->command_bytes; at += (uint32_t)strlen(info->command + at) + 1)
		writer_text(writer, NULL, info->command + at);
	writer_end(writer);
	writer_text(writer, "state", text_state(info));
	if (info->state == STACKDEPOT_STORE_ENDED)
		writer_integer(writer, "wait_status", (int32_t)info->wait_status);
	else
		writer_null(writer, "wait_status");
	writer_integer(writer, "start_ns", (int64_t)info->start_ns);
	writer_bool(writer, "forked", info->flags & STACKDEPOT_STORE_CHILD);
	writer_number(writer, "sample_bytes", (double)info->sample_bytes);
	writer_bool(writer, "estimated", info->sample_bytes != 0 || info->unrecorded != 0);
	writer_bool(writer, "running", alive_is_running(info));
	json_sums(writer, &process->live);
	if (process->peak.bytes > 0)
		json_peak(writer, process);
	writer_integer(writer, "errors", (int64_t)process->errors);
	writer_end(writer);
}

static void json_processes_of(struct json_export *json)
{
	const struct profile *profile = json->profile;
	size_t i;

	json_process_of(&json->writer, "process", &profile->processes[0]);
	writer_array(&json->writer, "processes");
	for (i = 0; i < profile->nr_processes; i++)
		json_process_of(&json->writer, NULL, &profile->processes[i]);
	writer_end(&json->writer);
}

static void json_stacks(struct json_export *json)
{
	struct writer *writer = &json->writer;
	size_t i;

	writer_array(writer, "stacks");
	for (i = 0; i < json->profile->nr; i++) {
		const struct profile_stack *stack = &json->profile->stacks[i];
		uint64_t key = profile_key(&stack->trace);

		writer_object(writer, NULL);
		json_sums(writer, &stack->sums);
		writer_text(writer, "missing",
			    stack->trace.nr	   ? NULL
			    : stack->trace.evicted ? "evicted"
						   : "unknown");
		writer_address(writer, "key", key);
		json_frames_of(json, "frames", &stack->trace);
		writer_end(writer);
	}
	writer_end(writer);
}

static void json_candidates(struct json_export *json, const struct profile_error *found)
{
	struct writer *writer = &json->writer;
	unsigned int i;

	writer_array(writer, "candidates");
	for (i = 0; i < found->error.nr_candidates; i++) {
		const struct stackdepot_candidate *candidate = &found->error.candidates[i];

		writer_object(writer, NULL);
		writer_address(writer, "object", candidate->object);
		writer_number(writer, "object_bytes", (double)candidate->object_bytes);
		writer_bool(writer, "freed", candidate->flags & STACKDEPOT_ERROR_FREED);
		writer_integer(writer, "allocated_by_thread", candidate->alloc_thread);
		writer_integer(writer, "freed_by_thread", candidate->free_thread);
		json_frames_of(json, "allocated", &found->candidate_alloc[i]);
		json_frames_of(json, "freed_at", &found->candidate_free[i]);
		writer_end(writer);
	}
	writer_end(writer);
}

static void json_tags(struct json_export *json, const struct profile_error *found)
{
	const struct stackdepot_error *error = &found->error;
	struct writer *writer = &json->writer;
	unsigned int i;

	if (!(error->flags & STACKDEPOT_ERROR_TAGGED)) {
		writer_null(writer, "tags");
		return;
	}
	writer_object(writer, "tags");
	writer_integer(writer, "pointer", error->pointer_tag);
	writer_integer(writer, "memory", error->memory_tag);
	writer_address(writer, "start", error->tags_start);
	writer_array(writer, "granules");
	for (i = 0; i < error->nr_tags; i++)
		writer_integer(writer, NULL, error->tags[i]);
	writer_end(writer);
	json_candidates(json, found);
	writer_end(writer);
}

static void json_error(struct json_export *json, const struct profile_error *found)
{
	const struct stackdepot_error *error = &found->error;
	struct writer *writer = &json->writer;

	writer_object(writer, NULL);
	writer_text(writer, "kind", stackdepot_error_name(error->kind));
	writer_number(writer, "count", (double)error->count);
	writer_address(writer, "address", error->address);
	writer_address(writer, "object", error->object);
	writer_number(writer, "object_bytes", (double)error->object_bytes);
	writer_address(writer, "value", error->value);
	writer_integer(writer, "thread", error->thread);
	writer_integer(writer, "allocated_by_thread", error->alloc_thread);
	writer_integer(writer, "freed_by_thread", error->free_thread);
	writer_integer(writer, "signal", error->signal);
	writer_bool(writer, "write", error->flags & STACKDEPOT_ERROR_WRITE);
	writer_bool(writer, "read", error->flags & STACKDEPOT_ERROR_READ);
	writer_bool(writer, "nearest", error->flags & STACKDEPOT_ERROR_NEAREST);
	writer_bool(writer, "freed", error->flags & STACKDEPOT_ERROR_FREED);
	writer_integer(writer, "pid", found->error.pid);
	writer_integer(writer, "processes", found->error.processes);
	json_frames_of(json, "frames", &found->access);
	json_frames_of(json, "allocated", &found->alloc);
	json_frames_of(json, "freed_at", &found->free);
	writer_bool(writer, "asynchronous", error->flags & STACKDEPOT_ERROR_ASYNC);
	json_tags(json, found);
	writer_end(writer);
}

static void json_errors(struct json_export *json)
{
	size_t i;

	writer_array(&json->writer, "errors");
	for (i = 0; i < json->profile->nr_errors; i++)
		json_error(json, &json->profile->errors[i]);
	writer_end(&json->writer);
}

static void json_frame_of(struct writer *writer, const struct symbol_frame *frame)
{
	size_t i;

	writer_object(writer, NULL);
	writer_text(writer, "module", frame->in ? frame->in->path : NULL);
	writer_address(writer, "offset", frame->offset);
	writer_array(writer, "lines");
	for (i = 0; i < frame->nr; i++) {
		writer_object(writer, NULL);
		writer_text(writer, "function", frame->lines[i].function);
		writer_text(writer, "file", frame->lines[i].file);
		writer_integer(writer, "line", frame->lines[i].line);
		writer_bool(writer, "inlined", frame->lines[i].inlined);
		writer_end(writer);
	}
	writer_end(writer);
	writer_end(writer);
}

static void json_frames(struct json_export *json)
{
	struct symbol_frame *frame;
	size_t i;

	writer_array(&json->writer, "frames");
	for (i = 0; i < intern_nr(json->frames); i++) {
		memcpy(&frame, intern_at(json->frames, i, NULL), sizeof(frame));
		json_frame_of(&json->writer, symbols_frame(frame));
	}
	writer_end(&json->writer);
}

static void json_module(struct writer *writer, const struct stackdepot_module *module)
{
	char build_id[EXPORT_BUILD_ID_BYTES];

	export_build_id(module->build_id, module->build_id_bytes, build_id);
	writer_object(writer, NULL);
	writer_text(writer, "path", module->path);
	writer_text(writer, "build_id", build_id[0] ? build_id : NULL);
	writer_address(writer, "base", module->base);
	writer_number(writer, "bytes", (double)module->bytes);
	writer_end(writer);
}

/* In several stores, what is the same file to people is one. */
static void json_modules(struct json_export *json)
{
	struct intern *known = intern_open();
	struct stackdepot_module module;
	size_t i, nr;

	writer_array(&json->writer, "modules");
	for (i = 0; i < json->profile->nr_stores; i++) {
		uint64_t position = 0;

		while (stackdepot_store_next_module(json->profile->stores[i].store, &position,
						    &module)) {
			char build_id[EXPORT_BUILD_ID_BYTES], *text;

			export_build_id(module.build_id, module.build_id_bytes, build_id);
			text = memory_print("%s %" PRIu64 " %" PRIu64 " %s", build_id,
					    module.file_inode, module.file_mtime_ns, module.path);
			nr = intern_nr(known);
			if (intern_text(known, text) == nr)
				json_module(&json->writer, &module);
			free(text);
		}
	}
	writer_end(&json->writer);
	intern_close(known);
}

static void json_stats(struct json_export *json)
{
	struct stats_row rows[STATS_ROWS];
	size_t i, nr = stats_rows(json->profile, rows);

	writer_object(&json->writer, "stats");
	for (i = 0; i < nr; i++)
		writer_number(&json->writer, rows[i].name, (double)rows[i].value);
	writer_end(&json->writer);
}

void export_json(const struct export *export)
{
	struct json_export json = {.profile = export->profile, .frames = intern_open()};

	writer_begin(&json.writer, export->out);
	writer_object(&json.writer, NULL);
	writer_text(&json.writer, "format", "stackdepot-export");
	writer_integer(&json.writer, "version", JSON_FORMAT_VERSION);
	writer_text(&json.writer, "generator", "stackdepot " STACKDEPOT_VERSION);
	json_processes_of(&json);
	json_stacks(&json);
	json_errors(&json);
	json_frames(&json);
	json_modules(&json);
	json_missing(&json.writer, json.profile);
	json_stats(&json);
	writer_end(&json.writer);
	intern_close(json.frames);
}
