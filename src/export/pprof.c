/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * pprof.c - Google's profile.proto, gzipped: the four values that Go's heap profiles have.
 *
 * Locations are numbered in the order the samples meet them, functions and strings likewise, and
 * each table follows what refers to it; the format does not mind. An address is that of the call,
 * one byte before the return address, as pprof looks up addresses as they are.
 *
 * A mapping whose frames all have functions says so; pprof looks for the others itself, by the
 * offset of the mapping in its file.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clean.h"
#include "base/intern.h"
#include "base/memory.h"
#include "export.h"
#include "gzip.h"
#include "protobuf.h"

#define SEGMENTS_MAX 16u /* executable ones, of a file */
#define PAGE_BYTES 4096u

/* Fields of the messages, by their numbers in profile.proto. */
enum {
	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE,
	PROFILE_MAPPING,
	PROFILE_LOCATION,
	PROFILE_FUNCTION,
	PROFILE_STRING,
	PROFILE_TIME_NS = 9,
	PROFILE_DURATION_NS,
	PROFILE_PERIOD_TYPE,
	PROFILE_PERIOD,
	PROFILE_COMMENT,
	PROFILE_DEFAULT_TYPE
};
enum { TYPE_NAME = 1, TYPE_UNIT };
enum { SAMPLE_LOCATIONS = 1, SAMPLE_VALUES };
enum {
	MAPPING_ID = 1,
	MAPPING_START,
	MAPPING_LIMIT,
	MAPPING_OFFSET,
	MAPPING_FILE,
	MAPPING_BUILD_ID,
	MAPPING_FUNCTIONS,
	MAPPING_FILES,
	MAPPING_LINES,
	MAPPING_INLINED
};
enum { LOCATION_ID = 1, LOCATION_MAPPING, LOCATION_ADDRESS, LOCATION_LINE };
enum { LINE_FUNCTION = 1, LINE_NUMBER };
enum { FUNCTION_ID = 1, FUNCTION_NAME, FUNCTION_SYSTEM_NAME, FUNCTION_FILE };

static const struct {
	const char *name;
	const char *unit;
	enum export_value value;
} pprof_types[EXPORT_VALUES] = {
	{"alloc_objects", "count", EXPORT_ALLOCS},
	{"alloc_space", "bytes", EXPORT_ALLOC_BYTES},
	{"inuse_objects", "count", EXPORT_LIVE_OBJECTS},
	{"inuse_space", "bytes", EXPORT_LIVE_BYTES},
};

/* A part of a module that is executed, or all of it if its file is not here. */
struct pprof_mapping {
	const struct symbol_module *module;
	struct symbol_segment at;
	bool without_function; /* some frame in it has none; the next likewise */
	bool without_line;
};

/* What makes two functions one. */
struct pprof_function {
	size_t name;
	size_t file;
};

struct pprof {
	const struct profile *profile;
	unsigned int seconds; /* as of struct export; the next likewise */
	bool live_only;
	struct gzip *gzip;
	struct intern *strings;
	struct intern *locations; /* pointers to frames; or a text, for a stack without any */
	struct intern *functions; /* struct pprof_function */
	struct pprof_mapping *mappings;
	size_t nr_mappings;
	struct protobuf message; /* being written, and what lies inside of it */
	struct protobuf inner;
};

static size_t pprof_string(struct pprof *pprof, const char *text)
{
	char *clean = text && !clean_is(text) ? clean_text(text) : NULL;
	size_t number = intern_text(pprof->strings, clean ? clean : text ? text : "");

	free(clean);
	return number;
}

/* The message is complete: a field of the profile. */
static void pprof_emit(struct pprof *pprof, unsigned int field)
{
	struct protobuf outer = {0};

	protobuf_message(&outer, field, &pprof->message);
	gzip_write(pprof->gzip, outer.bytes, outer.used);
	protobuf_free(&outer);
}

static void pprof_number(struct pprof *pprof, unsigned int field, uint64_t value)
{
	struct protobuf outer = {0};

	protobuf_integer(&outer, field, value);
	gzip_write(pprof->gzip, outer.bytes, outer.used);
	protobuf_free(&outer);
}

static void pprof_type(struct pprof *pprof, unsigned int field, const char *name, const char *unit)
{
	protobuf_integer(&pprof->message, TYPE_NAME, pprof_string(pprof, name));
	protobuf_integer(&pprof->message, TYPE_UNIT, pprof_string(pprof, unit));
	pprof_emit(pprof, field);
}

/* --- samples ---------------------------------------------------------------------------------- */

static bool pprof_has(const struct pprof *pprof, enum export_value value)
{
	return !pprof->live_only || value == EXPORT_LIVE_OBJECTS || value == EXPORT_LIVE_BYTES;
}

static void pprof_sample(struct pprof *pprof, const struct profile_stack *stack)
{
	const char *missing = export_missing(stack);
	unsigned int i;

	for (i = 0; i < stack->trace.nr; i++)
		protobuf_element(&pprof->inner,
				 1 + intern(pprof->locations, &stack->trace.frames[i],
					    sizeof(stack->trace.frames[i])));
	if (!stack->trace.nr)
		protobuf_element(&pprof->inner,
				 1 + intern(pprof->locations, missing, strlen(missing) + 1));
	protobuf_message(&pprof->message, SAMPLE_LOCATIONS, &pprof->inner);
	for (i = 0; i < EXPORT_VALUES; i++) {
		double value = export_value_of(stack, pprof_types[i].value);

		if (!pprof_has(pprof, pprof_types[i].value))
			continue;
		protobuf_element(&pprof->inner, (uint64_t)(pprof->seconds ? export_difference(value)
									  : export_integer(value)));
	}
	protobuf_message(&pprof->message, SAMPLE_VALUES, &pprof->inner);
	pprof_emit(pprof, PROFILE_SAMPLE);
}

/* --- locations -------------------------------------------------------------------------------- */

static void pprof_line(struct pprof *pprof, const char *name, const char *file, int line)
{
	struct pprof_function function = {pprof_string(pprof, name), pprof_string(pprof, file)};

	protobuf_integer(&pprof->inner, LINE_FUNCTION,
			 1 + intern(pprof->functions, &function, sizeof(function)));
	protobuf_integer(&pprof->inner, LINE_NUMBER, line > 0 ? (uint64_t)line : 0);
	protobuf_message(&pprof->message, LOCATION_LINE, &pprof->inner);
}

/* NULL: none. */
static struct pprof_mapping *pprof_mapping_of(const struct pprof *pprof,
					      const struct symbol_frame *frame)
{
	size_t i;

	for (i = 0; i < pprof->nr_mappings; i++) {
		struct pprof_mapping *mapping = &pprof->mappings[i];

		if (mapping->module == frame->in && frame->offset > mapping->at.start &&
		    frame->offset <= mapping->at.end)
			return mapping;
	}
	return NULL;
}

static void pprof_frame(struct pprof *pprof, const struct symbol_frame *frame)
{
	struct pprof_mapping *mapping = pprof_mapping_of(pprof, frame);
	size_t i;

	if (mapping)
		protobuf_integer(&pprof->message, LOCATION_MAPPING,
				 (uint64_t)(mapping - pprof->mappings) + 1);
	protobuf_integer(&pprof->message, LOCATION_ADDRESS, frame->offset - 1);
	for (i = 0; i < frame->nr; i++) {
		const struct symbol_line *line = &frame->lines[i];

		if (line->function)
			pprof_line(pprof, line->function, line->file, line->line);
		if (!mapping)
			continue;
		mapping->without_function |= !line->function;
		mapping->without_line |= !line->file;
	}
}

static void pprof_locations(struct pprof *pprof)
{
	size_t i, length;

	for (i = 0; i < intern_nr(pprof->locations); i++) {
		const char *what = intern_at(pprof->locations, i, &length);
		struct symbol_frame *frame;

		protobuf_integer(&pprof->message, LOCATION_ID, i + 1);
		if (length == sizeof(frame)) {
			memcpy(&frame, what, sizeof(frame));
			pprof_frame(pprof, symbols_frame(frame));
		} else {
			pprof_line(pprof, what, NULL, 0);
		}
		pprof_emit(pprof, PROFILE_LOCATION);
	}
}

static void pprof_functions(struct pprof *pprof)
{
	struct pprof_function function;
	size_t i;

	for (i = 0; i < intern_nr(pprof->functions); i++) {
		memcpy(&function, intern_at(pprof->functions, i, NULL), sizeof(function));
		protobuf_integer(&pprof->message, FUNCTION_ID, i + 1);
		protobuf_integer(&pprof->message, FUNCTION_NAME, function.name);
		protobuf_integer(&pprof->message, FUNCTION_SYSTEM_NAME, function.name);
		protobuf_integer(&pprof->message, FUNCTION_FILE, function.file);
		pprof_emit(pprof, PROFILE_FUNCTION);
	}
}

/* --- mappings --------------------------------------------------------------------------------- */

/* Modules that frames are in, by number: the files of others are not opened. To be freed. */
static bool *pprof_modules_used(const struct profile *profile)
{
	bool *used = memory_alloc(symbols_modules(profile->symbols) * sizeof(*used));
	unsigned int j;
	size_t i;

	for (i = 0; i < profile->nr; i++) {
		const struct profile_trace *trace = &profile->stacks[i].trace;

		for (j = 0; j < trace->nr; j++)
			if (trace->frames[j]->in)
				used[trace->frames[j]->in->number] = true;
	}
	return used;
}

static void pprof_add_mapping(struct pprof *pprof, const struct symbol_module *module,
			      struct symbol_segment at)
{
	uint64_t before = at.start % PAGE_BYTES;

	at.start -= before;
	at.offset -= before;
	at.end += (PAGE_BYTES - at.end % PAGE_BYTES) % PAGE_BYTES;
	pprof->mappings = memory_realloc(pprof->mappings,
					 (pprof->nr_mappings + 1) * sizeof(*pprof->mappings));
	pprof->mappings[pprof->nr_mappings++] = (struct pprof_mapping){module, at, false, false};
}

/*
 * As the kernel would list the executable mappings of a file that lies where its own addresses say,
 * whichever process it is in: addresses are those in the file then. Readers tell so from the offset
 * of a mapping. Without the file, all of it is taken to lie there from offset 0.
 */
static void pprof_find_mappings(struct pprof *pprof)
{
	const struct symbols *symbols = pprof->profile->symbols;
	bool *used = pprof_modules_used(pprof->profile);
	struct symbol_segment segments[SEGMENTS_MAX];
	size_t i, j, nr;

	for (i = 0; i < symbols_modules(symbols); i++) {
		struct symbol_module *module = symbols_module(symbols, i);

		nr = used[i] ? symbols_segments(module, segments, SEGMENTS_MAX) : 0;
		if (!nr)
			segments[nr++] = (struct symbol_segment){module->start, module->end, 0};
		for (j = 0; j < nr; j++)
			pprof_add_mapping(pprof, module, segments[j]);
	}
	free(used);
}

static void pprof_mapping(struct pprof *pprof, const struct pprof_mapping *mapping)
{
	const struct symbol_module *module = mapping->module;
	char build_id[EXPORT_BUILD_ID_BYTES];
	struct protobuf *message = &pprof->message;

	export_build_id(module->build_id, module->build_id_bytes, build_id);
	protobuf_integer(message, MAPPING_START, mapping->at.start);
	protobuf_integer(message, MAPPING_LIMIT, mapping->at.end);
	protobuf_integer(message, MAPPING_OFFSET, mapping->at.offset);
	protobuf_integer(message, MAPPING_FILE, pprof_string(pprof, module->path));
	protobuf_integer(message, MAPPING_BUILD_ID, pprof_string(pprof, build_id));
	protobuf_integer(message, MAPPING_FUNCTIONS, !mapping->without_function);
	protobuf_integer(message, MAPPING_FILES, !mapping->without_line);
	protobuf_integer(message, MAPPING_LINES, !mapping->without_line);
	protobuf_integer(message, MAPPING_INLINED, !mapping->without_line);
}

static void pprof_mappings(struct pprof *pprof)
{
	size_t i;

	for (i = 0; i < pprof->nr_mappings; i++) {
		protobuf_integer(&pprof->message, MAPPING_ID, i + 1);
		pprof_mapping(pprof, &pprof->mappings[i]);
		pprof_emit(pprof, PROFILE_MAPPING);
	}
}

/* --- the profile ------------------------------------------------------------------------------ */

static void pprof_comments(struct pprof *pprof)
{
	size_t i;

	for (i = 0; i < pprof->profile->nr_processes; i++) {
		char *text = export_process(&pprof->profile->processes[i]);

		pprof_number(pprof, PROFILE_COMMENT, pprof_string(pprof, text));
		free(text);
	}
}

/* When it began, and how long it took; of a difference, its own seconds, which end now; or now. */
static void pprof_times(struct pprof *pprof, const struct stackdepot_store_info *info)
{
	const uint64_t lasted = pprof->seconds * 1000000000ull;
	struct timespec now = {0, 0};

	if ((lasted || pprof->live_only) && !clock_gettime(CLOCK_REALTIME, &now)) {
		pprof_number(pprof, PROFILE_TIME_NS,
			     (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec - lasted);
		if (lasted)
			pprof_number(pprof, PROFILE_DURATION_NS, lasted);
		return;
	}
	pprof_number(pprof, PROFILE_TIME_NS, info->start_ns);
	if (info->end_monotonic_ns > info->start_monotonic_ns)
		pprof_number(pprof, PROFILE_DURATION_NS,
			     info->end_monotonic_ns - info->start_monotonic_ns);
}

static void pprof_head(struct pprof *pprof, enum export_value value)
{
	const struct stackdepot_store_info *info = &pprof->profile->info;
	size_t i;

	(void)pprof_string(pprof, ""); /* has to be the first */
	for (i = 0; i < EXPORT_VALUES; i++) {
		if (!pprof_has(pprof, pprof_types[i].value))
			continue;
		pprof_type(pprof, PROFILE_SAMPLE_TYPE, pprof_types[i].name, pprof_types[i].unit);
		if (pprof_types[i].value == value)
			pprof_number(pprof, PROFILE_DEFAULT_TYPE,
				     pprof_string(pprof, pprof_types[i].name));
	}
	pprof_type(pprof, PROFILE_PERIOD_TYPE, "space", "bytes");
	pprof_number(pprof, PROFILE_PERIOD, info->sample_bytes ? info->sample_bytes : 1);
	pprof_times(pprof, info);
	pprof_comments(pprof);
}

static void pprof_strings(struct pprof *pprof)
{
	size_t i, length;

	for (i = 0; i < intern_nr(pprof->strings); i++) {
		const char *text = intern_at(pprof->strings, i, &length);
		struct protobuf field = {0};

		protobuf_bytes(&field, PROFILE_STRING, text, length);
		gzip_write(pprof->gzip, field.bytes, field.used);
		protobuf_free(&field);
	}
}

void export_pprof(const struct export *export)
{
	struct pprof pprof = {
		.profile = export->profile,
		.seconds = export->seconds,
		.live_only = export->live_only,
		.gzip = gzip_open(export->out),
		.strings = intern_open(),
		.locations = intern_open(),
		.functions = intern_open(),
	};
	size_t i;

	pprof_head(&pprof, export->value);
	pprof_find_mappings(&pprof);
	for (i = 0; i < pprof.profile->nr; i++)
		pprof_sample(&pprof, &pprof.profile->stacks[i]);
	pprof_locations(&pprof);
	pprof_functions(&pprof);
	pprof_mappings(&pprof);
	pprof_strings(&pprof);
	gzip_close(pprof.gzip);
	protobuf_free(&pprof.message);
	protobuf_free(&pprof.inner);
	intern_close(pprof.strings);
	intern_close(pprof.locations);
	intern_close(pprof.functions);
	free(pprof.mappings);
}
