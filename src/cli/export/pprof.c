/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * pprof.c - Google's profile.proto, gzipped: the four values that Go's heap profiles have.
 *
 * Locations are numbered in the order the samples meet them, functions and strings likewise, and
 * each table follows what refers to it; the format does not mind. An address is that of the call,
 * one byte before the return address, as pprof looks up addresses as they are.
 *
 * A mapping whose frames all have functions says so; pprof looks for the others itself.
 */
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "gzip.h"
#include "intern.h"
#include "protobuf.h"

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

struct pprof_module {
	struct stackdepot_module module;
	size_t path; /* strings */
	size_t build_id;
	bool without_function; /* some frame in it has none; the next likewise */
	bool without_line;
};

/* What makes two functions one. */
struct pprof_function {
	size_t name;
	size_t file;
};

struct pprof {
	struct profile *profile;
	struct gzip *gzip;
	struct intern *strings;
	struct intern *locations; /* frames as stored; or a text, for a stack without frames */
	struct intern *functions; /* struct pprof_function */
	struct pprof_module *modules;
	size_t nr_modules;
	struct protobuf message; /* being written, and what lies inside of it */
	struct protobuf inner;
};

static size_t pprof_string(struct pprof *pprof, const char *text)
{
	return intern_text(pprof->strings, text ? text : "");
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

static void pprof_sample(struct pprof *pprof, const struct profile_stack *stack)
{
	const char *missing = export_missing(stack);
	unsigned int i;

	for (i = 0; i < stack->nr; i++)
		protobuf_element(&pprof->inner, 1 + intern(pprof->locations, &stack->frames[i],
							   sizeof(stack->frames[i])));
	if (!stack->nr)
		protobuf_element(&pprof->inner,
				 1 + intern(pprof->locations, missing, strlen(missing) + 1));
	protobuf_message(&pprof->message, SAMPLE_LOCATIONS, &pprof->inner);
	for (i = 0; i < EXPORT_VALUES; i++)
		protobuf_element(&pprof->inner, (uint64_t)export_integer(export_value_of(
							stack, pprof_types[i].value)));
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

/* The number of the module that a frame lies in plus 1, or 0. */
static size_t pprof_module_of(const struct pprof *pprof, uint64_t frame)
{
	uint64_t address = stackdepot_frame_address(frame);
	size_t i;

	for (i = 0; i < pprof->nr_modules; i++) {
		const struct stackdepot_module *module = &pprof->modules[i].module;

		if (address >= module->start && address < module->end && module->tag == frame >> 48)
			return i + 1;
	}
	return 0;
}

static void pprof_frame(struct pprof *pprof, uint64_t raw)
{
	const struct symbol_frame *frame = symbols_frame(pprof->profile->symbols, raw);
	size_t mapping = pprof_module_of(pprof, raw - 1), i;

	protobuf_integer(&pprof->message, LOCATION_MAPPING, mapping);
	protobuf_integer(&pprof->message, LOCATION_ADDRESS, stackdepot_frame_address(raw - 1));
	for (i = 0; i < frame->nr; i++) {
		const struct symbol_line *line = &frame->lines[i];

		if (line->function)
			pprof_line(pprof, line->function, line->file, line->line);
		if (!mapping)
			continue;
		pprof->modules[mapping - 1].without_function |= !line->function;
		pprof->modules[mapping - 1].without_line |= !line->file;
	}
}

static void pprof_locations(struct pprof *pprof)
{
	size_t i, length;

	for (i = 0; i < intern_nr(pprof->locations); i++) {
		const char *what = intern_at(pprof->locations, i, &length);
		uint64_t frame;

		protobuf_integer(&pprof->message, LOCATION_ID, i + 1);
		if (length == sizeof(frame)) {
			memcpy(&frame, what, sizeof(frame));
			pprof_frame(pprof, frame);
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

static void pprof_read_modules(struct pprof *pprof)
{
	struct stackdepot_module module;
	uint64_t position = 0;
	uint32_t i;

	while (stackdepot_store_next_module(pprof->profile->store, &position, &module)) {
		char build_id[128] = "";

		for (i = 0; i < module.build_id_bytes && i < sizeof(build_id) / 2 - 1; i++)
			snprintf(build_id + 2 * i, 3, "%02x", module.build_id[i]);
		pprof->modules =
			realloc(pprof->modules, (pprof->nr_modules + 1) * sizeof(*pprof->modules));
		if (!pprof->modules)
			abort();
		pprof->modules[pprof->nr_modules++] = (struct pprof_module){
			.module = module,
			.path = pprof_string(pprof, module.path),
			.build_id = pprof_string(pprof, build_id),
		};
	}
}

/* The range is that of the whole file, from its beginning on: its offset is 0. */
static void pprof_mappings(struct pprof *pprof)
{
	size_t i;

	for (i = 0; i < pprof->nr_modules; i++) {
		const struct pprof_module *module = &pprof->modules[i];

		protobuf_integer(&pprof->message, MAPPING_ID, i + 1);
		protobuf_integer(&pprof->message, MAPPING_START, module->module.start);
		protobuf_integer(&pprof->message, MAPPING_LIMIT, module->module.end);
		protobuf_integer(&pprof->message, MAPPING_FILE, module->path);
		protobuf_integer(&pprof->message, MAPPING_BUILD_ID, module->build_id);
		protobuf_integer(&pprof->message, MAPPING_FUNCTIONS, !module->without_function);
		protobuf_integer(&pprof->message, MAPPING_FILES, !module->without_line);
		protobuf_integer(&pprof->message, MAPPING_LINES, !module->without_line);
		protobuf_integer(&pprof->message, MAPPING_INLINED, !module->without_line);
		pprof_emit(pprof, PROFILE_MAPPING);
	}
}

/* --- the profile ------------------------------------------------------------------------------ */

static void pprof_comment(struct pprof *pprof)
{
	const struct stackdepot_store_info *info = &pprof->profile->info;
	char *text = cli_alloc((size_t)info->command_bytes + 32);
	size_t used = (size_t)sprintf(text, "process %u:", info->pid), at = 0;

	while (at < info->command_bytes) {
		used += (size_t)sprintf(text + used, "%c%s", ' ', info->command + at);
		at += strlen(info->command + at) + 1;
	}
	pprof_number(pprof, PROFILE_COMMENT, pprof_string(pprof, text));
	free(text);
}

static void pprof_head(struct pprof *pprof, enum export_value value)
{
	const struct stackdepot_store_info *info = &pprof->profile->info;
	size_t i;

	(void)pprof_string(pprof, ""); /* has to be the first */
	for (i = 0; i < EXPORT_VALUES; i++) {
		pprof_type(pprof, PROFILE_SAMPLE_TYPE, pprof_types[i].name, pprof_types[i].unit);
		if (pprof_types[i].value == value)
			pprof_number(pprof, PROFILE_DEFAULT_TYPE,
				     pprof_string(pprof, pprof_types[i].name));
	}
	pprof_type(pprof, PROFILE_PERIOD_TYPE, "space", "bytes");
	pprof_number(pprof, PROFILE_PERIOD, info->sample_bytes ? info->sample_bytes : 1);
	pprof_number(pprof, PROFILE_TIME_NS, info->start_ns);
	if (info->end_monotonic_ns > info->start_monotonic_ns)
		pprof_number(pprof, PROFILE_DURATION_NS,
			     info->end_monotonic_ns - info->start_monotonic_ns);
	pprof_comment(pprof);
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
		.gzip = gzip_open(export->out),
		.strings = intern_open(),
		.locations = intern_open(),
		.functions = intern_open(),
	};
	size_t i;

	pprof_head(&pprof, export->value);
	pprof_read_modules(&pprof);
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
	free(pprof.modules);
}
