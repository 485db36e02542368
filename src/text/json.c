/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* json.c - for programs. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "json.h"
#include "output.h"
#include "profile/heaps.h"
#include "text.h"

#define JSON_VERSION 1

json_t *json_name(const char *name)
{
	char *clean;
	json_t *text;

	if (!name)
		return json_null();
	if (clean_is(name))
		return json_string(name);
	clean = clean_text(name);
	text = json_string(clean);
	free(clean);
	return text;
}

static void json_frame(json_t *list, const struct symbol_frame *frame)
{
	size_t i;

	for (i = 0; i < frame->nr; i++) {
		const struct symbol_line *line = &frame->lines[i];

		json_array_append_new(list, json_pack("{s:o, s:o, s:i, s:b, s:o, s:I}", "function",
						      json_name(line->function), "file",
						      json_name(line->file), "line", line->line,
						      "inlined", line->inlined, "module",
						      json_name(frame->in ? frame->in->path : NULL),
						      "offset", (json_int_t)frame->offset));
	}
}

json_t *json_trace(const struct profile_trace *trace)
{
	json_t *list;
	unsigned int i;

	if (!trace->nr)
		return json_null();
	list = json_array();
	for (i = 0; i < trace->nr; i++)
		json_frame(list, symbols_frame(trace->frames[i]));
	return list;
}

static json_t *json_command(const struct stackdepot_store_info *info)
{
	json_t *list = json_array();
	uint32_t at = 0;

	while (at < info->command_bytes) {
		json_array_append_new(list, json_name(info->command + at));
		at += (uint32_t)strlen(info->command + at) + 1;
	}
	return list;
}

static json_t *json_process(const struct stackdepot_store_info *info)
{
	return json_pack(
		"{s:i, s:i, s:o, s:s, s:o, s:I, s:b}", "pid", info->pid, "parent", info->parent,
		"command", json_command(info), "state", text_state(info), "wait_status",
		info->state == STACKDEPOT_STORE_ENDED ? json_integer((int)info->wait_status)
						      : json_null(),
		"sample_bytes", (json_int_t)info->sample_bytes, "estimated",
		info->sample_bytes != 0 || info->unrecorded != 0);
}

/* Allocators that were not recorded. */
static json_t *json_unseen(const struct profile *profile)
{
	struct heap heaps[HEAPS_MOST];
	size_t i, nr = heaps_unseen(profile, heaps);
	json_t *list = json_array();

	for (i = 0; i < nr; i++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:b}", "allocator",
						      json_name(heaps[i].allocator), "module",
						      json_name(heaps[i].module), "hidden",
						      heaps[i].hidden));
	return list;
}

static void json_messages_of(json_t *list, struct stackdepot_store *store)
{
	struct stackdepot_note note;
	uint64_t position = 0;

	while (stackdepot_store_next_note(store, &position, &note))
		json_array_append_new(
			list, json_pack("{s:o, s:I, s:I}", "text", json_name(note.text), "pid",
					(json_int_t)note.pid, "count", (json_int_t)note.count));
}

static void json_not_recorded_of(json_t *list, struct stackdepot_store *store)
{
	struct stackdepot_start start;
	uint64_t position = 0;

	while (stackdepot_store_next_start(store, &position, &start)) {
		const char *reason = stackdepot_start_reason(start.reason);

		if (start.missing)
			json_array_append_new(list, json_pack("{s:o, s:I, s:o}", "program",
							      json_name(start.path), "count",
							      (json_int_t)start.missing, "reason",
							      json_name(*reason ? reason : NULL)));
	}
}

/* What the recorder had to say, and programs that it did not get into. */
static void json_notes(json_t *root, const struct profile *profile)
{
	json_t *messages = json_array(), *programs = json_array();
	size_t i;

	for (i = 0; i < profile->nr_processes; i++) {
		json_messages_of(messages, profile->processes[i].store);
		json_not_recorded_of(programs, profile->processes[i].store);
	}
	json_object_set_new(root, "messages", messages);
	json_object_set_new(root, "not_recorded", programs);
}

json_t *json_processes(const struct profile *profile)
{
	json_t *root = json_process(&profile->info), *list = json_array(), *list_unseen, *one;
	double beside;
	size_t i;

	for (i = 0; i < profile->nr_processes; i++) {
		const struct profile_process *process = &profile->processes[i];

		one = json_process(&process->info);
		json_object_set_new(one, "store", json_name(process->path));
		json_object_set_new(one, "live_bytes", json_real(process->live.bytes));
		json_object_set_new(one, "live_objects", json_real(process->live.objects));
		json_array_append_new(list, one);
	}
	list_unseen = json_unseen(profile);
	beside = json_array_size(list_unseen) ? heaps_beside(profile) : 0;
	json_object_set_new(root, "unseen_heaps", list_unseen);
	json_object_set_new(root, "unseen_bytes_about",
			    beside > 0 ? json_real(beside) : json_null());
	json_notes(root, profile);
	json_object_set_new(root, "version", json_integer(JSON_VERSION));
	json_object_set_new(root, "processes", list);
	return root;
}

void json_finish(json_t *root)
{
	(void)json_dumpf(root, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
	(void)puts("");
	(void)output_flush();
	json_decref(root);
}
