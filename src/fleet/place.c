/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* place.c - names of frames and stacks that hold on every host. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "export/export.h"
#include "place.h"

static char *place_file(const struct symbol_module *module)
{
	const uint64_t about[] = {module->file_bytes, module->file_mtime_ns};
	char id[EXPORT_BUILD_ID_BYTES];

	if (module->build_id_bytes) {
		export_build_id(module->build_id, module->build_id_bytes, id);
		return memory_strdup(id);
	}
	return memory_print("file:%016" PRIx64, hash_bytes(hash_text(HASH_BASIS, module->raw_path),
							   about, sizeof(about)));
}

struct place place_of(const struct symbol_frame *frame)
{
	const char *made;

	if (frame->in)
		return (struct place){place_file(frame->in), frame->offset};
	made = symbols_frame((struct symbol_frame *)(uintptr_t)frame)->lines[0].function;
	return (struct place){memory_print("code:%s", made ? made : ""), 0};
}

/* What is not known has an id of its own, and so has what was evicted. */
struct fleet_id place_stack(const struct profile_trace *trace)
{
	struct fleet_id id = fleet_id_begin();
	unsigned int i;

	if (!trace->nr)
		fleet_id_text(&id, trace->evicted ? "evicted" : "unknown");
	for (i = 0; i < trace->nr; i++) {
		struct place place = place_of(trace->frames[i]);

		fleet_id_text(&id, place.build);
		fleet_id_number(&id, place.offset);
		free(place.build);
	}
	return id;
}

struct fleet_id place_error(const struct profile_error *error)
{
	const struct profile_trace *traces[] = {&error->access, &error->alloc, &error->free};
	struct fleet_id id = fleet_id_begin();
	size_t i;

	fleet_id_number(&id, error->error.kind);
	fleet_id_number(&id, error->error.signal);
	fleet_id_number(&id, error->error.flags & STACKDEPOT_ERROR_DOUBTFUL);
	for (i = 0; i < sizeof(traces) / sizeof(traces[0]); i++) {
		const struct fleet_id stack = place_stack(traces[i]);

		fleet_id_number(&id, stack.high);
		fleet_id_number(&id, stack.low);
	}
	return id;
}

unsigned int place_resolved(const struct symbol_frame *frame)
{
	unsigned int nr = 0;
	size_t i;

	for (i = 0; i < frame->nr; i++)
		nr += frame->lines[i].function != NULL;
	return nr;
}

/* Functions, files and lines; none of any if no function is known. */
static void place_lists(struct rows *rows, const struct symbol_frame *frame)
{
	const size_t nr = place_resolved(frame) ? frame->nr : 0;
	size_t i;

	rows_list(rows, '[');
	for (i = 0; i < nr; i++)
		rows_item(rows, frame->lines[i].function ? frame->lines[i].function : "");
	rows_list(rows, ']');
	rows_list(rows, '[');
	for (i = 0; i < nr; i++)
		rows_item(rows, frame->lines[i].file ? frame->lines[i].file : "");
	rows_list(rows, ']');
	rows_list(rows, '[');
	for (i = 0; i < nr; i++)
		rows_item_integer(rows, (uint64_t)frame->lines[i].line);
	rows_list(rows, ']');
}

void place_row(struct rows *rows, const struct symbol_frame *frame, const struct place *place)
{
	rows_column(rows, place->build);
	rows_integer(rows, place->offset);
	rows_integer(rows, place_resolved(frame));
	rows_column(rows, frame->in ? frame->in->name : "");
	place_lists(rows, frame);
	rows_end(rows);
}
