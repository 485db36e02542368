/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * sarif.c - SARIF 2.1.0: a result for each error, and for each stack with live objects.
 *
 * A result is known again by its fingerprint, the hash of the functions of its stacks. Names of
 * files are as the debug information has them; those that are relative lose their leading "../",
 * as builds in a directory inside the sources have, and are relative to SRCROOT.
 *
 * Processes are invocations. What suppressions cover is left out, not marked: services that
 * compare results would show it again.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/memory.h"
#include "export.h"
#include "text/number.h"
#include "text/writer.h"

#define SARIF_LEAK 0 /* its rule; the kinds of errors are the others, by their number */

struct sarif {
	struct writer writer;
	const struct profile *profile;
};

static const char *sarif_rule(unsigned int kind)
{
	return kind == SARIF_LEAK ? "leak" : stackdepot_error_name(kind);
}

/* --- places ----------------------------------------------------------------------------------- */

static void sarif_message(struct sarif *sarif, const char *text)
{
	writer_object(&sarif->writer, "message");
	writer_text(&sarif->writer, "text", text);
	writer_end(&sarif->writer);
}

/* All bytes but those that a path of a URI may have are escaped. */
static void sarif_artifact(struct sarif *sarif, const char *path)
{
	bool absolute = path[0] == '/';
	char *uri, *at;

	while (!strncmp(path, "../", 3) || !strncmp(path, "./", 2))
		path += path[1] == '.' ? 3 : 2;
	uri = memory_alloc(3 * strlen(path) + sizeof("file://"));
	at = strcpy(uri, absolute ? "file://" : "") + (absolute ? 7 : 0);
	for (; *path; path++)
		if (isascii((unsigned char)*path) &&
		    (isalnum((unsigned char)*path) || strchr("/-._~+", *path)))
			*at++ = *path;
		else
			at += sprintf(at, "%%%02X", (unsigned char)*path);
	writer_object(&sarif->writer, "artifactLocation");
	writer_text(&sarif->writer, "uri", uri);
	if (!absolute)
		writer_text(&sarif->writer, "uriBaseId", "SRCROOT");
	writer_end(&sarif->writer);
	free(uri);
}

/* A line of a file, or a place in a module. */
static void sarif_place(struct sarif *sarif, const struct symbol_frame *frame,
			const struct symbol_line *line)
{
	const char *module = frame->in ? frame->in->path : NULL;
	const char *file = line->file && line->file[0] ? line->file + line->joined : module;
	struct writer *writer = &sarif->writer;

	writer_object(writer, "physicalLocation");
	if (file && file[0])
		sarif_artifact(sarif, file);
	if (file != module && line->line > 0) {
		writer_object(writer, "region");
		writer_integer(writer, "startLine", line->line);
		writer_end(writer);
	}
	writer_object(writer, "address");
	if (frame->in)
		writer_integer(writer, "relativeAddress",
			       (int64_t)(frame->offset - 1 - frame->in->start));
	else
		writer_integer(writer, "absoluteAddress", (int64_t)frame->offset - 1);
	writer_end(writer);
	writer_end(writer);
}

static void sarif_location(struct sarif *sarif, const char *key, const struct symbol_frame *frame,
			   size_t number, const char *text)
{
	const struct symbol_line *line = &frame->lines[number];
	struct writer *writer = &sarif->writer;
	char buffer[EXPORT_NAME_BYTES];

	writer_object(writer, key);
	sarif_place(sarif, frame, line);
	writer_array(writer, "logicalLocations");
	writer_object(writer, NULL);
	writer_text(writer, "fullyQualifiedName", export_name(frame, line, buffer));
	writer_text(writer, "kind", "function");
	writer_end(writer);
	writer_end(writer);
	if (text)
		sarif_message(sarif, text);
	writer_end(writer);
}

/* The innermost frame with a line of a source file says most; without any, the innermost one. */
static void sarif_best(struct sarif *sarif, const struct profile_trace *trace, const char *text)
{
	unsigned int i;

	for (i = 0; i < trace->nr; i++)
		if (symbols_frame(trace->frames[i])->lines[0].file)
			break;
	if (trace->nr)
		sarif_location(sarif, NULL, symbols_frame(trace->frames[i < trace->nr ? i : 0]), 0,
			       text);
}

/* THREAD is 0 if it is not known. */
static void sarif_stack(struct sarif *sarif, const struct profile_trace *trace, uint32_t thread,
			const char *text)
{
	struct writer *writer = &sarif->writer;
	unsigned int i;
	size_t j;

	if (!trace->nr)
		return;
	writer_object(writer, NULL);
	sarif_message(sarif, text);
	writer_array(writer, "frames");
	for (i = 0; i < trace->nr; i++) {
		const struct symbol_frame *frame = symbols_frame(trace->frames[i]);

		for (j = 0; j < frame->nr; j++) {
			writer_object(writer, NULL);
			sarif_location(sarif, "location", frame, j, NULL);
			if (frame->in)
				writer_text(writer, "module", frame->in->name);
			if (thread)
				writer_integer(writer, "threadId", thread);
			writer_end(writer);
		}
	}
	writer_end(writer);
	writer_end(writer);
}

/* --- results ---------------------------------------------------------------------------------- */

static void sarif_begin(struct sarif *sarif, unsigned int kind, const char *text)
{
	struct writer *writer = &sarif->writer;

	writer_object(writer, NULL);
	writer_text(writer, "ruleId", sarif_rule(kind));
	writer_text(writer, "level", kind == SARIF_LEAK ? "warning" : "error");
	sarif_message(sarif, text);
}

static void sarif_fingerprint(struct sarif *sarif, uint64_t key)
{
	char text[32];

	snprintf(text, sizeof(text), "%016" PRIx64, key);
	writer_object(&sarif->writer, "partialFingerprints");
	writer_text(&sarif->writer, "functions/v1", text);
	writer_end(&sarif->writer);
}

/* Which process it was found in: the number of an invocation. */
static void sarif_provenance(struct sarif *sarif, size_t process)
{
	writer_object(&sarif->writer, "provenance");
	writer_integer(&sarif->writer, "invocationIndex", (int64_t)process);
	writer_end(&sarif->writer);
}

static void sarif_leak(struct sarif *sarif, const struct profile_stack *leak)
{
	char text[3 * TEXT_NUMBER], bytes[TEXT_NUMBER], objects[TEXT_NUMBER];

	snprintf(text, sizeof(text), "%s in %s not freed.",
		 text_number(leak->sums.bytes, "byte", bytes),
		 text_number(leak->sums.objects, "object", objects));
	sarif_begin(sarif, SARIF_LEAK, text);
	writer_array(&sarif->writer, "locations");
	sarif_best(sarif, &leak->trace, NULL);
	writer_end(&sarif->writer);
	writer_array(&sarif->writer, "stacks");
	sarif_stack(sarif, &leak->trace, 0, "Allocated at");
	writer_end(&sarif->writer);
	sarif_fingerprint(sarif, profile_key(&leak->trace));
	writer_end(&sarif->writer);
}

static void sarif_error_text(const struct profile_error *found, char *text, size_t bytes)
{
	const struct stackdepot_error *error = &found->error;
	char times[TEXT_NUMBER];

	if (error->flags & STACKDEPOT_ERROR_ASYNC) {
		snprintf(text, bytes,
			 "%s before this place, told of later by the processor, seen %s.",
			 stackdepot_error_name(error->kind),
			 text_number((double)error->count, "time", times));
		return;
	}
	snprintf(text, bytes, "%s at address 0x%" PRIx64 ", seen %s.",
		 stackdepot_error_name(error->kind), error->address,
		 text_number((double)error->count, "time", times));
}

/* Objects that had the tag of the pointer, and are not the one that was most likely meant. */
static void sarif_candidates(struct sarif *sarif, const struct profile_error *found)
{
	unsigned int i;

	for (i = 0; i < found->error.nr_candidates; i++) {
		sarif_best(sarif, &found->candidate_alloc[i],
			   "Less likely: an object with the same tag was allocated here.");
		sarif_best(sarif, &found->candidate_free[i], "That one was freed here.");
	}
}

/* Of hardware tags, if those found it: the pointer's, the memory's, and those around. */
static void sarif_tags(struct sarif *sarif, const struct stackdepot_error *error)
{
	struct writer *writer = &sarif->writer;
	char address[TEXT_NUMBER];
	unsigned int i;

	if (!(error->flags & STACKDEPOT_ERROR_TAGGED))
		return;
	snprintf(address, sizeof(address), "0x%" PRIx64, error->tags_start);
	writer_object(writer, "properties");
	writer_integer(writer, "pointerTag", error->pointer_tag);
	writer_integer(writer, "memoryTag", error->memory_tag);
	writer_text(writer, "tagsStart", address);
	writer_array(writer, "memoryTags");
	for (i = 0; i < error->nr_tags; i++)
		writer_integer(writer, NULL, error->tags[i]);
	writer_end(writer);
	writer_end(writer);
}

static void sarif_error(struct sarif *sarif, const struct profile_error *error)
{
	struct writer *writer = &sarif->writer;
	char text[160];
	size_t process;

	sarif_error_text(error, text, sizeof(text));
	sarif_begin(sarif, error->error.kind, text);
	writer_array(writer, "locations");
	sarif_best(sarif, &error->access, NULL);
	writer_end(writer);
	writer_array(writer, "relatedLocations");
	sarif_best(sarif, &error->alloc, "The object was allocated here.");
	sarif_best(sarif, &error->free, "It was freed here.");
	sarif_candidates(sarif, error);
	writer_end(writer);
	writer_array(writer, "stacks");
	sarif_stack(sarif, &error->access, error->error.thread, "Done or found at");
	sarif_stack(sarif, &error->alloc, error->error.alloc_thread, "Allocated at");
	sarif_stack(sarif, &error->free, error->error.free_thread, "Freed at");
	writer_end(writer);
	sarif_fingerprint(sarif, profile_key(&error->access) ^ profile_key(&error->alloc) * 3 ^
					 profile_key(&error->free) * 5);
	process = profile_find(sarif->profile, error->store, error->error.process);
	if (process < sarif->profile->nr_processes)
		sarif_provenance(sarif, process);
	sarif_tags(sarif, &error->error);
	writer_end(writer);
}

static void sarif_results(struct sarif *sarif)
{
	const struct profile *profile = sarif->profile;
	size_t i;

	writer_array(&sarif->writer, "results");
	for (i = 0; i < profile->nr_errors; i++)
		sarif_error(sarif, &profile->errors[i]);
	for (i = 0; i < profile->nr; i++)
		if (profile->stacks[i].sums.objects > 0)
			sarif_leak(sarif, &profile->stacks[i]);
	writer_end(&sarif->writer);
}

/* --- the run ---------------------------------------------------------------------------------- */

/* Is this the first kind of its name? Two may share one. */
static bool sarif_is_first(unsigned int kind)
{
	unsigned int i;

	for (i = 0; i < kind; i++)
		if (!strcmp(sarif_rule(i), sarif_rule(kind)))
			return false;
	return true;
}

static void sarif_tool(struct sarif *sarif)
{
	struct writer *writer = &sarif->writer;
	unsigned int kind;

	writer_object(writer, "tool");
	writer_object(writer, "driver");
	writer_text(writer, "name", "stackdepot");
	writer_text(writer, "version", STACKDEPOT_VERSION);
	writer_text(writer, "semanticVersion", STACKDEPOT_VERSION);
	writer_array(writer, "rules");
	for (kind = 0; kind < STACKDEPOT_ERROR_KINDS; kind++) {
		if (!sarif_is_first(kind))
			continue;
		writer_object(writer, NULL);
		writer_text(writer, "id", sarif_rule(kind));
		writer_end(writer);
	}
	writer_end(writer);
	writer_end(writer);
	writer_end(writer);
}

/* How the process ended, as far as that is known; one that was killed was not successful. */
static void sarif_end(struct writer *writer, const struct stackdepot_store_info *info)
{
	int status = (int)info->wait_status;
	bool known = info->state == STACKDEPOT_STORE_ENDED;

	writer_bool(writer, "executionSuccessful", !known || !WIFSIGNALED(status));
	if (known && WIFEXITED(status))
		writer_integer(writer, "exitCode", WEXITSTATUS(status));
	if (!known || !WIFSIGNALED(status))
		return;
	writer_integer(writer, "exitSignalNumber", WTERMSIG(status));
	writer_text(writer, "exitSignalName", strsignal(WTERMSIG(status)));
}

static void sarif_time(struct writer *writer, const char *key, uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000u);
	char text[64];
	struct tm utc;

	if (ns && gmtime_r(&seconds, &utc) &&
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc))
		writer_text(writer, key, text);
}

/* The end is known by another clock, which is no matter for the time between. */
static void sarif_times(struct writer *writer, const struct stackdepot_store_info *info)
{
	sarif_time(writer, "startTimeUtc", info->start_ns);
	if (info->end_monotonic_ns >= info->start_monotonic_ns)
		sarif_time(writer, "endTimeUtc",
			   info->start_ns + info->end_monotonic_ns - info->start_monotonic_ns);
}

static void sarif_invocation(struct writer *writer, const struct stackdepot_store_info *info)
{
	size_t at = 0;

	writer_object(writer, NULL);
	sarif_end(writer, info);
	sarif_times(writer, info);
	writer_integer(writer, "processId", info->pid);
	writer_array(writer, "arguments");
	for (; at < info->command_bytes; at += strlen(info->command + at) + 1)
		writer_text(writer, NULL, info->command + at);
	writer_end(writer);
	writer_end(writer);
}

static void sarif_invocations(struct sarif *sarif)
{
	size_t i;

	writer_array(&sarif->writer, "invocations");
	for (i = 0; i < sarif->profile->nr_processes; i++)
		sarif_invocation(&sarif->writer, &sarif->profile->processes[i].info);
	writer_end(&sarif->writer);
}

void export_sarif(const struct export *export)
{
	struct sarif sarif = {.profile = export->profile};
	struct writer *writer = &sarif.writer;

	writer_begin(writer, export->out);
	writer_object(writer, NULL);
	writer_text(writer, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
	writer_text(writer, "version", "2.1.0");
	writer_array(writer, "runs");
	writer_object(writer, NULL);
	sarif_tool(&sarif);
	sarif_invocations(&sarif);
	writer_text(writer, "columnKind", "utf16CodeUnits");
	sarif_results(&sarif);
	writer_end(writer);
	writer_end(writer);
	writer_end(writer);
}
