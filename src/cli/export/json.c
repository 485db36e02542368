/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * json.c - our own format, with all that a store knows; share/stackdepot-export.schema.json
 * describes it.
 *
 * Frames are numbered in the order they are met, and come behind the stacks that refer to them.
 */
#include <string.h>

#include "export.h"
#include "intern.h"
#include "writer.h"

#define JSON_FORMAT_VERSION 1

struct json_export {
	struct writer writer;
	struct profile *profile;
	struct intern *frames; /* as stored */
};

static void json_stack_of(struct json_export *json, const char *key, const uint64_t *frames,
			  unsigned int nr)
{
	unsigned int i;

	if (!nr) {
		writer_null(&json->writer, key);
		return;
	}
	writer_array(&json->writer, key);
	for (i = 0; i < nr; i++)
		writer_integer(&json->writer, NULL,
			       (int64_t)intern(json->frames, &frames[i], sizeof(frames[i])));
	writer_end(&json->writer);
}

static void json_trace(struct json_export *json, const char *key, stackdepot_ref_t trace)
{
	uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	int nr = trace ? stackdepot_fetch_ref(stackdepot_store_depot(json->profile->store), trace,
					      frames, STACKDEPOT_MAX_FRAMES)
		       : 0;

	json_stack_of(json, key, (const uint64_t *)frames, nr > 0 ? (unsigned int)nr : 0);
}

static void json_process_of(struct json_export *json)
{
	static const char *const states[] = {"unknown", "running", "exited", "ended"};
	const struct stackdepot_store_info *info = &json->profile->info;
	uint32_t state = info->state <= STACKDEPOT_STORE_ENDED ? info->state : 0, at = 0;
	struct writer *writer = &json->writer;

	writer_object(writer, "process");
	writer_integer(writer, "pid", info->pid);
	writer_integer(writer, "parent", info->parent);
	writer_array(writer, "command");
	for (; at < info->command_bytes; at += (uint32_t)strlen(info->command + at) + 1)
		writer_text(writer, NULL, info->command + at);
	writer_end(writer);
	writer_text(writer, "state", states[state]);
	if (state == STACKDEPOT_STORE_ENDED)
		writer_integer(writer, "wait_status", (int32_t)info->wait_status);
	else
		writer_null(writer, "wait_status");
	writer_integer(writer, "start_ns", (int64_t)info->start_ns);
	writer_bool(writer, "forked", info->flags & STACKDEPOT_STORE_CHILD);
	writer_number(writer, "sample_bytes", (double)info->sample_bytes);
	writer_bool(writer, "estimated", info->sample_bytes != 0);
	writer_end(writer);
}

static void json_stacks(struct json_export *json)
{
	struct writer *writer = &json->writer;
	size_t i;

	writer_array(writer, "stacks");
	for (i = 0; i < json->profile->nr; i++) {
		const struct profile_stack *stack = &json->profile->stacks[i];
		uint64_t key = profile_key(json->profile, stack->frames, stack->nr);

		writer_object(writer, NULL);
		writer_number(writer, "live_bytes", stack->sums.bytes);
		writer_number(writer, "live_objects", stack->sums.objects);
		writer_number(writer, "allocated_bytes", stack->sums.alloc_bytes);
		writer_number(writer, "allocations", stack->sums.allocs);
		writer_text(writer, "missing",
			    stack->nr		? NULL
			    : stack->sums.trace ? "evicted"
						: "unknown");
		writer_address(writer, "key", key);
		json_stack_of(json, "frames", stack->frames, stack->nr);
		writer_end(writer);
	}
	writer_end(writer);
}

static void json_error(struct json_export *json, const struct stackdepot_error *error)
{
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
	json_trace(json, "frames", error->access_trace);
	json_trace(json, "allocated", error->alloc_trace);
	json_trace(json, "freed_at", error->free_trace);
	writer_end(writer);
}

static void json_errors(struct json_export *json)
{
	struct stackdepot_error error;
	uint64_t position = 0;

	writer_array(&json->writer, "errors");
	while (profile_next_error(json->profile, &position, &error))
		json_error(json, &error);
	writer_end(&json->writer);
}

static void json_frame_of(struct json_export *json, uint64_t raw)
{
	const struct symbol_frame *frame = symbols_frame(json->profile->symbols, raw);
	struct writer *writer = &json->writer;
	size_t i;

	writer_object(writer, NULL);
	writer_address(writer, "address", stackdepot_frame_address(raw));
	writer_text(writer, "module", frame->path);
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
	uint64_t frame;
	size_t i;

	writer_array(&json->writer, "frames");
	for (i = 0; i < intern_nr(json->frames); i++) {
		memcpy(&frame, intern_at(json->frames, i, NULL), sizeof(frame));
		json_frame_of(json, frame);
	}
	writer_end(&json->writer);
}

static void json_modules(struct json_export *json)
{
	struct writer *writer = &json->writer;
	struct stackdepot_module module;
	char build_id[128];
	uint64_t position = 0;
	uint32_t i;

	writer_array(writer, "modules");
	while (stackdepot_store_next_module(json->profile->store, &position, &module)) {
		build_id[0] = '\0';
		for (i = 0; i < module.build_id_bytes && i < sizeof(build_id) / 2 - 1; i++)
			snprintf(build_id + 2 * i, 3, "%02x", module.build_id[i]);
		writer_object(writer, NULL);
		writer_text(writer, "path", module.path);
		writer_text(writer, "build_id", build_id[0] ? build_id : NULL);
		writer_address(writer, "start", module.start);
		writer_address(writer, "end", module.end);
		writer_address(writer, "bias", module.bias);
		writer_bool(writer, "unloaded", module.unload_ns != 0);
		writer_end(writer);
	}
	writer_end(writer);
}

static void json_stats(struct json_export *json)
{
	struct stats_row rows[STATS_ROWS];
	size_t i, nr = stats_rows(json->profile->store, rows);

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
	json_process_of(&json);
	json_stacks(&json);
	json_errors(&json);
	json_frames(&json);
	json_modules(&json);
	json_stats(&json);
	writer_end(&json.writer);
	intern_close(json.frames);
}
