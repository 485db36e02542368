/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * otlp.c - OTLP profiles, v1development, as of opentelemetry-proto 1.9.
 *
 * What profiles refer to by number is in a dictionary beside them, the first entry of each of whose
 * tables stands for "none". A profile has one kind of value, so there are two: objects and bytes.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/clean.h"
#include "base/intern.h"
#include "base/memory.h"
#include "export/gzip.h"
#include "export/protobuf.h"
#include "otlp.h"

/* Fields of the messages, by their numbers. */
enum { REQUEST_RESOURCES = 1, REQUEST_DICTIONARY };
enum { RESOURCE_PROFILES_RESOURCE = 1, RESOURCE_PROFILES_SCOPES };
enum { RESOURCE_ATTRIBUTES = 1 };
enum { KEY_VALUE_KEY = 1, KEY_VALUE_VALUE };
enum { ANY_VALUE_STRING = 1 };
enum { SCOPE_PROFILES_SCOPE = 1, SCOPE_PROFILES_PROFILES };
enum { SCOPE_NAME = 1, SCOPE_VERSION };
enum {
	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLES,
	PROFILE_TIME_NS,
	PROFILE_PERIOD_TYPE = 5,
	PROFILE_PERIOD,
	PROFILE_ID
};
enum { VALUE_TYPE_TYPE = 1, VALUE_TYPE_UNIT };
enum { SAMPLE_STACK = 1, SAMPLE_VALUES = 4 };
enum {
	DICTIONARY_MAPPINGS = 1,
	DICTIONARY_LOCATIONS,
	DICTIONARY_FUNCTIONS,
	DICTIONARY_LINKS,
	DICTIONARY_STRINGS,
	DICTIONARY_ATTRIBUTES,
	DICTIONARY_STACKS
};
enum { MAPPING_START = 1, MAPPING_LIMIT, MAPPING_FILE = 4, MAPPING_ATTRIBUTES };
enum { LOCATION_MAPPING = 1, LOCATION_ADDRESS, LOCATION_LINES };
enum { LINE_FUNCTION = 1, LINE_LINE };
enum { FUNCTION_NAME = 1, FUNCTION_SYSTEM_NAME, FUNCTION_FILE };
enum { ATTRIBUTE_KEY = 1, ATTRIBUTE_VALUE };
enum { STACK_LOCATIONS = 1 };

#define BUILD_ID "process.executable.build_id.gnu"
#define ID_BYTES 16

struct otlp {
	const struct export *export;
	struct intern *strings;
	struct intern *functions; /* two numbers of strings */
	struct intern *locations; /* pointers to frames; or a text, for a stack without any */
	struct intern *modules;	  /* pointers to modules */
	struct protobuf dictionary;
};

struct otlp_function {
	size_t name;
	size_t file;
};

static size_t otlp_string(struct otlp *otlp, const char *text)
{
	char *clean = text && !clean_is(text) ? clean_text(text) : NULL;
	const size_t number = intern_text(otlp->strings, clean ? clean : text ? text : "");

	free(clean);
	return number;
}

/* --- a profile -------------------------------------------------------------------------------- */

static void otlp_type(struct otlp *otlp, struct protobuf *profile, unsigned int field,
		      const char *name, const char *unit)
{
	struct protobuf type = {0};

	protobuf_integer(&type, VALUE_TYPE_TYPE, otlp_string(otlp, name));
	protobuf_integer(&type, VALUE_TYPE_UNIT, otlp_string(otlp, unit));
	protobuf_message(profile, field, &type);
}

/* Stacks are numbered as those of the profile, behind "none". */
static void otlp_samples(const struct otlp *otlp, struct protobuf *profile, enum export_value value)
{
	const struct profile *of = otlp->export->profile;
	struct protobuf sample = {0}, values = {0};
	size_t i;

	for (i = 0; i < of->nr; i++) {
		const int64_t much = export_integer(export_value_of(&of->stacks[i], value));

		if (!much)
			continue;
		protobuf_integer(&sample, SAMPLE_STACK, i + 1);
		protobuf_element(&values, (uint64_t)much);
		protobuf_message(&sample, SAMPLE_VALUES, &values);
		protobuf_message(profile, PROFILE_SAMPLES, &sample);
	}
}

/* Random, and never all zeros, which would be none. */
static void otlp_id(struct protobuf *profile)
{
	unsigned char id[ID_BYTES] = {1};

	(void)!getrandom(id, sizeof(id), 0);
	id[0] |= 1;
	protobuf_bytes(profile, PROFILE_ID, id, sizeof(id));
}

static void otlp_profile(struct otlp *otlp, struct protobuf *scope, enum export_value value,
			 const char *name, const char *unit)
{
	const uint64_t period = otlp->export->profile->info.sample_bytes;
	struct protobuf profile = {0};
	struct timespec now = {0, 0};

	clock_gettime(CLOCK_REALTIME, &now);
	otlp_type(otlp, &profile, PROFILE_SAMPLE_TYPE, name, unit);
	otlp_samples(otlp, &profile, value);
	protobuf_fixed64(&profile, PROFILE_TIME_NS,
			 (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
	otlp_type(otlp, &profile, PROFILE_PERIOD_TYPE, "space", "bytes");
	protobuf_integer(&profile, PROFILE_PERIOD, period ? period : 1);
	otlp_id(&profile);
	protobuf_message(scope, SCOPE_PROFILES_PROFILES, &profile);
}

static void otlp_scope(struct otlp *otlp, struct protobuf *resource)
{
	struct protobuf scope = {0}, about = {0};

	protobuf_bytes(&about, SCOPE_NAME, "stackdepot", strlen("stackdepot"));
	protobuf_bytes(&about, SCOPE_VERSION, STACKDEPOT_VERSION, strlen(STACKDEPOT_VERSION));
	protobuf_message(&scope, SCOPE_PROFILES_SCOPE, &about);
	otlp_profile(otlp, &scope, EXPORT_LIVE_OBJECTS, "inuse_objects", "count");
	otlp_profile(otlp, &scope, EXPORT_LIVE_BYTES, "inuse_space", "bytes");
	protobuf_message(resource, RESOURCE_PROFILES_SCOPES, &scope);
}

/* --- whose it is ------------------------------------------------------------------------------ */

static void otlp_attribute(struct protobuf *resource, const char *key, const char *text)
{
	struct protobuf pair = {0}, value = {0};

	if (!*text)
		return;
	protobuf_bytes(&pair, KEY_VALUE_KEY, key, strlen(key));
	protobuf_bytes(&value, ANY_VALUE_STRING, text, strlen(text));
	protobuf_message(&pair, KEY_VALUE_VALUE, &value);
	protobuf_message(resource, RESOURCE_ATTRIBUTES, &pair);
}

static void otlp_resource(struct protobuf *profiles, const struct body_labels *labels)
{
	struct protobuf resource = {0};

	otlp_attribute(&resource, "service.name", labels->service);
	otlp_attribute(&resource, "service.version", labels->version);
	otlp_attribute(&resource, "host.name", labels->host);
	protobuf_message(profiles, RESOURCE_PROFILES_RESOURCE, &resource);
}

/* --- the dictionary --------------------------------------------------------------------------- */

/* An entry of a table; an empty one is "none". */
static void otlp_entry(struct otlp *otlp, unsigned int table, struct protobuf *entry)
{
	protobuf_message(&otlp->dictionary, table, entry);
}

static void otlp_stacks(struct otlp *otlp)
{
	const struct profile *profile = otlp->export->profile;
	struct protobuf stack = {0}, list = {0};
	unsigned int j;
	size_t i;

	otlp_entry(otlp, DICTIONARY_STACKS, &stack);
	for (i = 0; i < profile->nr; i++) {
		const struct profile_trace *trace = &profile->stacks[i].trace;
		const char *missing = export_missing(&profile->stacks[i]);

		for (j = 0; j < trace->nr; j++)
			protobuf_element(&list, 1 + intern(otlp->locations, &trace->frames[j],
							   sizeof(trace->frames[j])));
		if (!trace->nr)
			protobuf_element(&list,
					 1 + intern(otlp->locations, missing, strlen(missing) + 1));
		protobuf_message(&stack, STACK_LOCATIONS, &list);
		otlp_entry(otlp, DICTIONARY_STACKS, &stack);
	}
}

static void otlp_line(struct otlp *otlp, struct protobuf *location, const char *name,
		      const char *file, int number)
{
	const struct otlp_function function = {otlp_string(otlp, name), otlp_string(otlp, file)};
	struct protobuf line = {0};

	protobuf_integer(&line, LINE_FUNCTION,
			 1 + intern(otlp->functions, &function, sizeof(function)));
	protobuf_integer(&line, LINE_LINE, number > 0 ? (uint64_t)number : 0);
	protobuf_message(location, LOCATION_LINES, &line);
}

static void otlp_frame(struct otlp *otlp, struct protobuf *location,
		       const struct symbol_frame *frame)
{
	size_t i;

	if (frame->in)
		protobuf_integer(location, LOCATION_MAPPING,
				 1 + intern(otlp->modules, &frame->in, sizeof(frame->in)));
	protobuf_integer(location, LOCATION_ADDRESS, frame->offset - 1);
	for (i = 0; i < frame->nr; i++)
		if (frame->lines[i].function)
			otlp_line(otlp, location, frame->lines[i].function, frame->lines[i].file,
				  frame->lines[i].line);
}

static void otlp_locations(struct otlp *otlp)
{
	struct protobuf location = {0};
	size_t i, length;

	otlp_entry(otlp, DICTIONARY_LOCATIONS, &location);
	for (i = 0; i < intern_nr(otlp->locations); i++) {
		const char *what = intern_at(otlp->locations, i, &length);
		struct symbol_frame *frame;

		if (length == sizeof(frame)) {
			memcpy(&frame, what, sizeof(frame));
			otlp_frame(otlp, &location, symbols_frame(frame));
		} else {
			otlp_line(otlp, &location, what, NULL, 0);
		}
		otlp_entry(otlp, DICTIONARY_LOCATIONS, &location);
	}
}

static void otlp_functions(struct otlp *otlp)
{
	struct protobuf entry = {0};
	struct otlp_function function;
	size_t i;

	otlp_entry(otlp, DICTIONARY_FUNCTIONS, &entry);
	for (i = 0; i < intern_nr(otlp->functions); i++) {
		memcpy(&function, intern_at(otlp->functions, i, NULL), sizeof(function));
		protobuf_integer(&entry, FUNCTION_NAME, function.name);
		protobuf_integer(&entry, FUNCTION_SYSTEM_NAME, function.name);
		protobuf_integer(&entry, FUNCTION_FILE, function.file);
		otlp_entry(otlp, DICTIONARY_FUNCTIONS, &entry);
	}
}

static void otlp_build_id(struct otlp *otlp, const struct symbol_module *module)
{
	char build_id[EXPORT_BUILD_ID_BYTES];
	struct protobuf attribute = {0}, value = {0};

	export_build_id(module->build_id, module->build_id_bytes, build_id);
	protobuf_integer(&attribute, ATTRIBUTE_KEY, otlp_string(otlp, BUILD_ID));
	protobuf_bytes(&value, ANY_VALUE_STRING, build_id, strlen(build_id));
	protobuf_message(&attribute, ATTRIBUTE_VALUE, &value);
	otlp_entry(otlp, DICTIONARY_ATTRIBUTES, &attribute);
}

/* Each with its build-id, whose attribute has the same number. */
static void otlp_mappings(struct otlp *otlp)
{
	struct protobuf mapping = {0}, none = {0}, list = {0};
	const struct symbol_module *module;
	size_t i;

	otlp_entry(otlp, DICTIONARY_MAPPINGS, &mapping);
	otlp_entry(otlp, DICTIONARY_ATTRIBUTES, &none);
	for (i = 0; i < intern_nr(otlp->modules); i++) {
		memcpy(&module, intern_at(otlp->modules, i, NULL), sizeof(module));
		protobuf_integer(&mapping, MAPPING_START, module->start);
		protobuf_integer(&mapping, MAPPING_LIMIT, module->end);
		protobuf_integer(&mapping, MAPPING_FILE, otlp_string(otlp, module->path));
		protobuf_element(&list, i + 1);
		protobuf_message(&mapping, MAPPING_ATTRIBUTES, &list);
		otlp_entry(otlp, DICTIONARY_MAPPINGS, &mapping);
		otlp_build_id(otlp, module);
	}
}

static void otlp_dictionary(struct otlp *otlp)
{
	struct protobuf none = {0};
	size_t i, length;

	otlp_stacks(otlp);
	otlp_locations(otlp);
	otlp_functions(otlp);
	otlp_mappings(otlp);
	otlp_entry(otlp, DICTIONARY_LINKS, &none);
	for (i = 0; i < intern_nr(otlp->strings); i++) {
		const char *text = intern_at(otlp->strings, i, &length);

		protobuf_bytes(&otlp->dictionary, DICTIONARY_STRINGS, text, length);
	}
}

/* ---------------------------------------------------------------------------------------------- */

void otlp_write(const struct export *export, const struct body_labels *labels)
{
	struct otlp otlp = {
		.export = export,
		.strings = intern_open(),
		.functions = intern_open(),
		.locations = intern_open(),
		.modules = intern_open(),
	};
	struct protobuf request = {0}, resource = {0};
	struct gzip *gzip = gzip_open(export->out);

	(void)otlp_string(&otlp, ""); /* has to be the first */
	otlp_resource(&resource, labels);
	otlp_scope(&otlp, &resource);
	protobuf_message(&request, REQUEST_RESOURCES, &resource);
	otlp_dictionary(&otlp);
	protobuf_message(&request, REQUEST_DICTIONARY, &otlp.dictionary);
	gzip_write(gzip, request.bytes, request.used);
	gzip_close(gzip);
	protobuf_free(&request);
	intern_close(otlp.strings);
	intern_close(otlp.functions);
	intern_close(otlp.locations);
	intern_close(otlp.modules);
}
