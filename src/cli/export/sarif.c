/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * sarif.c - SARIF 2.1.0: a result for each error, and for each stack with live objects.
 *
 * A result is known again by its fingerprint, the hash of the functions of its stacks. Names of
 * files are as the debug information has them; those that are relative lose their leading "../",
 * as builds in a directory inside the sources have, and are relative to SRCROOT.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "writer.h"

#define SARIF_LEAK 0 /* its rule; the kinds of errors are the others, by their number */

struct sarif {
	struct writer writer;
	struct profile *profile;
};

struct sarif_stack {
	uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	unsigned int nr;
};

static const char *sarif_rule(unsigned int kind)
{
	return kind == SARIF_LEAK ? "leak" : stackdepot_error_name(kind);
}

static void sarif_fetch(struct sarif *sarif, stackdepot_ref_t trace, struct sarif_stack *stack)
{
	int nr = trace ? stackdepot_fetch_ref(stackdepot_store_depot(sarif->profile->store), trace,
					      stack->frames, STACKDEPOT_MAX_FRAMES)
		       : 0;

	stack->nr = nr > 0 ? (unsigned int)nr : 0;
}

static uint64_t sarif_key(struct sarif *sarif, const struct sarif_stack *stack)
{
	return profile_key(sarif->profile, (const uint64_t *)stack->frames, stack->nr);
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
	uri = cli_alloc(3 * strlen(path) + sizeof("file://"));
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
			const struct symbol_line *line, uint64_t address)
{
	struct writer *writer = &sarif->writer;
	const char *file = line->file && line->file[0] ? line->file : frame->path;

	writer_object(writer, "physicalLocation");
	if (file && file[0])
		sarif_artifact(sarif, file);
	if (file == line->file && file && line->line > 0) {
		writer_object(writer, "region");
		writer_integer(writer, "startLine", line->line);
		writer_end(writer);
	}
	writer_object(writer, "address");
	writer_integer(writer, "absoluteAddress", (int64_t)address);
	writer_end(writer);
	writer_end(writer);
}

static void sarif_location(struct sarif *sarif, const char *key, uint64_t raw, size_t number,
			   const char *text)
{
	const struct symbol_frame *frame = symbols_frame(sarif->profile->symbols, raw);
	const struct symbol_line *line = &frame->lines[number];
	struct writer *writer = &sarif->writer;
	char buffer[EXPORT_NAME_BYTES];

	writer_object(writer, key);
	sarif_place(sarif, frame, line, stackdepot_frame_address(raw - 1));
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
static void sarif_best(struct sarif *sarif, const struct sarif_stack *stack, const char *text)
{
	unsigned int i;

	for (i = 0; i < stack->nr; i++)
		if (symbols_frame(sarif->profile->symbols, stack->frames[i])->lines[0].file)
			break;
	if (stack->nr)
		sarif_location(sarif, NULL, stack->frames[i < stack->nr ? i : 0], 0, text);
}

static void sarif_stack(struct sarif *sarif, const struct sarif_stack *stack, const char *text)
{
	struct writer *writer = &sarif->writer;
	unsigned int i;
	size_t j;

	if (!stack->nr)
		return;
	writer_object(writer, NULL);
	sarif_message(sarif, text);
	writer_array(writer, "frames");
	for (i = 0; i < stack->nr; i++) {
		const struct symbol_frame *frame =
			symbols_frame(sarif->profile->symbols, stack->frames[i]);

		for (j = 0; j < frame->nr; j++) {
			writer_object(writer, NULL);
			sarif_location(sarif, "location", stack->frames[i], j, NULL);
			if (frame->module)
				writer_text(writer, "module", frame->module);
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

static void sarif_leak(struct sarif *sarif, const struct profile_stack *leak)
{
	struct sarif_stack stack;
	char text[128];

	snprintf(text, sizeof(text), "%lld bytes in %lld objects were not freed.",
		 (long long)export_integer(leak->sums.bytes),
		 (long long)export_integer(leak->sums.objects));
	sarif_fetch(sarif, leak->sums.trace, &stack);
	sarif_begin(sarif, SARIF_LEAK, text);
	writer_array(&sarif->writer, "locations");
	sarif_best(sarif, &stack, NULL);
	writer_end(&sarif->writer);
	writer_array(&sarif->writer, "stacks");
	sarif_stack(sarif, &stack, "Allocated at");
	writer_end(&sarif->writer);
	sarif_fingerprint(sarif, sarif_key(sarif, &stack));
	writer_end(&sarif->writer);
}

static void sarif_error(struct sarif *sarif, const struct stackdepot_error *error)
{
	struct sarif_stack access, alloc, freed;
	struct writer *writer = &sarif->writer;
	char text[160];

	snprintf(text, sizeof(text), "%s at address 0x%" PRIx64 ", seen %" PRIu64 " times.",
		 stackdepot_error_name(error->kind), error->address, error->count);
	sarif_fetch(sarif, error->access_trace, &access);
	sarif_fetch(sarif, error->alloc_trace, &alloc);
	sarif_fetch(sarif, error->free_trace, &freed);
	sarif_begin(sarif, error->kind, text);
	writer_array(writer, "locations");
	sarif_best(sarif, &access, NULL);
	writer_end(writer);
	writer_array(writer, "relatedLocations");
	sarif_best(sarif, &alloc, "The object was allocated here.");
	sarif_best(sarif, &freed, "It was freed here.");
	writer_end(writer);
	writer_array(writer, "stacks");
	sarif_stack(sarif, &access, "Done or found at");
	sarif_stack(sarif, &alloc, "Allocated at");
	sarif_stack(sarif, &freed, "Freed at");
	writer_end(writer);
	sarif_fingerprint(sarif, sarif_key(sarif, &access) ^ sarif_key(sarif, &alloc) * 3 ^
					 sarif_key(sarif, &freed) * 5);
	writer_end(writer);
}

static void sarif_results(struct sarif *sarif)
{
	struct stackdepot_error error;
	uint64_t position = 0;
	size_t i;

	writer_array(&sarif->writer, "results");
	while (profile_next_error(sarif->profile, &position, &error))
		sarif_error(sarif, &error);
	for (i = 0; i < sarif->profile->nr; i++)
		if (sarif->profile->stacks[i].sums.objects > 0)
			sarif_leak(sarif, &sarif->profile->stacks[i]);
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

static void sarif_invocation(struct sarif *sarif)
{
	const struct stackdepot_store_info *info = &sarif->profile->info;
	struct writer *writer = &sarif->writer;
	size_t at = 0;

	writer_array(writer, "invocations");
	writer_object(writer, NULL);
	writer_bool(writer, "executionSuccessful", true);
	writer_integer(writer, "processId", info->pid);
	writer_array(writer, "arguments");
	for (; at < info->command_bytes; at += strlen(info->command + at) + 1)
		writer_text(writer, NULL, info->command + at);
	writer_end(writer);
	writer_end(writer);
	writer_end(writer);
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
	sarif_invocation(&sarif);
	writer_text(writer, "columnKind", "utf16CodeUnits");
	sarif_results(&sarif);
	writer_end(writer);
	writer_end(writer);
	writer_end(writer);
}
