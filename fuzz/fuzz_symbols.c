/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A file whose functions and lines are asked for, and another one beside it, which its references
 * lead to: the name of a debug file, a build-id, a file that dwz shared, a .dwo and a .dwp file.
 *
 *	mode, length of the first (3 bytes), the first, the other
 *
 * Mode 1 has the first found by its build-id, which is SYMBOL_BUILD_ID of symbol_seeds.py; 0 by its
 * size and time. Addresses all over its code are asked for. Names are clean, whatever is in them.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clean.h"
#include "base/complain.h"
#include "files.h"
#include "fuzz.h"
#include "symbols/allocators.h"
#include "symbols/names.h"
#include "symbols/symbols.h"

#define BUILD_ID_BYTES 20u
#define SEGMENTS 8u
#define PLACES 160u /* that are looked at in a segment */

/* A fuzzer's output is its own. */
void complain(const char *format, ...)
{
	(void)format;
}

static const char *const others[] = {
	"m.debug", "m.dwz", "m.dwo", "m.dwp",
	"usr/lib/debug/.build-id/5a/5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a.debug"};

static void prepare(void)
{
	static bool prepared;
	size_t i;

	if (prepared)
		return;
	prepared = true;
	(void)unsetenv("DEBUGINFOD_URLS");
	symbols_set_root(files_directory());
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		files_link(others[i], "other");
}

static void look_at(struct symbol_module *module, uint64_t offset)
{
	struct symbol_frame frame = {.in = module, .offset = offset};
	size_t i;

	(void)symbols_frame(&frame);
	if (!frame.nr)
		abort();
	for (i = 0; i < frame.nr; i++) {
		const struct symbol_line *line = &frame.lines[i];

		if (line->function && !clean_is(line->function))
			abort();
		if (line->file && (!clean_is(line->file) || line->joined > strlen(line->file)))
			abort();
	}
	free(frame.lines);
}

static void look(struct symbol_module *module)
{
	struct symbol_segment segments[SEGMENTS];
	size_t i, nr = symbols_segments(module, segments, SEGMENTS);
	uint64_t at, step;

	for (i = 0; i < nr; i++) {
		step = (segments[i].end - segments[i].start) / PLACES + 1;
		for (at = 0; at < PLACES; at++)
			look_at(module, segments[i].start + at * step);
	}
	for (at = 0; at < 16; at++) {
		look_at(module, at);
		look_at(module, 0x1000 + at);
		look_at(module, 0 - at);
	}
}

static void record(struct symbol_module *module, bool by_build_id)
{
	char *path = files_path(module->raw_path + 1);
	struct stat st;

	if (by_build_id) {
		module->build_id_bytes = BUILD_ID_BYTES;
		memset(module->build_id, 0x5a, BUILD_ID_BYTES);
	} else if (!stat(path, &st)) {
		module->file_bytes = (uint64_t)st.st_size;
		module->file_mtime_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000;
	}
	free(path);
}

static void try_module(bool by_build_id)
{
	char path[] = "/m", name[] = "m";
	uint8_t build_id[BUILD_ID_BYTES];
	struct symbol_module module = {.raw_path = path,
				       .path = path,
				       .name = name,
				       .label = strdup(name),
				       .build_id = build_id,
				       .end = 0x100000,
				       .names = names_open()};

	record(&module, by_build_id);
	look(&module);
	symbol_debug_close(module.debug);
	names_close(module.names);
	free(module.label);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t first;

	prepare();
	if (size < 4)
		return 0;
	first = data[1] | (size_t)data[2] << 8 | (size_t)data[3] << 16;
	if (first > size - 4)
		first = size - 4;
	files_write("m", data + 4, first);
	files_write("other", data + 4 + first, size - 4 - first);
	try_module(data[0] & 1);
	(void)allocators_hidden("/m");
	return 0;
}
