/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * file.c - the files that have a module's code, symbols and debugging information, with elfutils.
 *
 * Each module is opened on its own, as modules of different times may have had the same addresses.
 * The file at the module's path is believed only if it is the one that was mapped: its build-id is
 * the one that was recorded; or there was none and there is none, and size, time of modification
 * and inode are what they were. Files of another machine, below --sysroot, have other inodes, and
 * whole seconds if they came in an archive.
 *
 * Otherwise the debug file of that build-id is looked for, then debuginfod is asked if
 * DEBUGINFOD_URLS is set, and without an answer module and offset have to do. A file that was
 * stripped finds its other half in the same places, by build-id or .gnu_debuglink.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "symbols/file.h"
#include "symbols/symbols.h"

/* Where the files of the recorded machine are; and in elfutils' words, where it looks for others.
 */
static const char *file_root = "";
static char *file_debug_path;

static const Dwfl_Callbacks file_callbacks = {
	.debuginfo_path = &file_debug_path,
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.section_address = dwfl_offline_section_address,
};

void symbols_set_root(const char *directory)
{
	static const char format[] = ":.debug:%s/usr/lib/debug";
	size_t bytes = sizeof(format) + strlen(directory);

	free(file_debug_path);
	file_debug_path = memory_alloc(bytes);
	snprintf(file_debug_path, bytes, format, directory);
	file_root = directory;
}

char *file_full_path(const char *path)
{
	return memory_print("%s%s", file_root, path);
}

/* A server that does not answer must not hold a report up for minutes, unless one wants that. */
static void file_bound_debuginfod(void)
{
	(void)setenv("DEBUGINFOD_TIMEOUT", "10", 0);
	(void)setenv("DEBUGINFOD_MAXTIME", "60", 0);
}

/* --- files ------------------------------------------------------------------------------------ */

static bool file_same_build(Dwfl_Module *module, const struct symbol_module *recorded)
{
	const unsigned char *bits = NULL;
	GElf_Addr address;
	int length = dwfl_module_build_id(module, &bits, &address);

	return length == (int)recorded->build_id_bytes &&
	       (!length || !memcmp(bits, recorded->build_id, recorded->build_id_bytes));
}

/* Is it, without build-ids to compare, the file that was mapped? */
static bool file_same_times(const struct stat *st, const struct symbol_module *recorded)
{
	const uint64_t second = 1000000000, seconds = (uint64_t)st->st_mtim.tv_sec;
	uint64_t mtime = seconds * second + (uint64_t)st->st_mtim.tv_nsec;

	if ((uint64_t)st->st_size != recorded->file_bytes || !recorded->file_mtime_ns)
		return false;
	if (*file_root)
		return recorded->file_mtime_ns / second == seconds;
	return recorded->file_mtime_ns == mtime && recorded->file_inode == st->st_ino;
}

static bool file_begin(struct symbol_file *file)
{
	file->dwfl = dwfl_begin(&file_callbacks);
	if (file->dwfl)
		dwfl_report_begin(file->dwfl);
	return file->dwfl;
}

static bool file_end(struct symbol_file *file, bool usable)
{
	dwfl_report_end(file->dwfl, NULL, NULL);
	if (usable)
		return true;
	dwfl_end(file->dwfl);
	file->dwfl = NULL;
	file->module = NULL;
	return false;
}

/* Behind it is the end of a path that was longer than its place (src/recorder/ending.h). */
#define FILE_CUT "..."

/*
 * PATH is of the recorded machine. Whatever else may be there now, only plain files are opened, and
 * none by the end of a path.
 */
static bool file_report(struct symbol_file *file, const char *path,
			const struct symbol_module *recorded)
{
	char *full = file_full_path(path);
	struct stat st;

	if (strncmp(path, FILE_CUT, strlen(FILE_CUT)) && !stat(full, &st) && S_ISREG(st.st_mode) &&
	    !access(full, R_OK) && file_begin(file)) {
		file->is_changed = !recorded->build_id_bytes && !file_same_times(&st, recorded);
		file->module = file->is_changed
				       ? NULL
				       : dwfl_report_elf(file->dwfl, path, full, -1, 0, true);
		file->is_changed |= !file->module || (recorded->build_id_bytes &&
						      !file_same_build(file->module, recorded));
		(void)file_end(file, !file->is_changed);
	}
	free(full);
	return file->module;
}

static bool file_report_symbols(struct symbol_file *file, const struct symbol_module *recorded)
{
	char path[128] = "/usr/lib/debug/.build-id/";
	size_t used = strlen(path);
	uint32_t i;

	if (recorded->build_id_bytes < 2)
		return false;
	for (i = 0; i < recorded->build_id_bytes; i++)
		used += (size_t)snprintf(path + used, sizeof(path) - used,
					 i == 0 ? "%02x/" : "%02x", recorded->build_id[i]);
	snprintf(path + used, sizeof(path) - used, ".debug");
	return file_report(file, path, recorded);
}

/* Leave it to elfutils to find the file, which asks debuginfod. */
static bool file_report_id(struct symbol_file *file, const struct symbol_module *recorded)
{
	GElf_Addr bias;

	if (!recorded->build_id_bytes || !getenv("DEBUGINFOD_URLS") || !file_begin(file))
		return false;
	file->module =
		dwfl_report_module(file->dwfl, recorded->raw_path, recorded->start, recorded->end);
	if (file->module)
		(void)dwfl_module_report_build_id(file->module, recorded->build_id,
						  recorded->build_id_bytes, 0);
	return file_end(file, file->module && dwfl_module_getelf(file->module, &bias) && !bias);
}

void file_open(struct symbol_file *file, const struct symbol_module *module)
{
	bool is_changed;

	*file = (struct symbol_file){.dwfl = NULL};
	file_bound_debuginfod();
	file->is_whole = file_report(file, module->raw_path, module);
	is_changed = file->is_changed;
	if (!file->is_whole && !file_report_symbols(file, module))
		file->is_whole = file_report_id(file, module);
	file->is_changed = is_changed;
}

void file_close(struct symbol_file *file)
{
	if (file->dwfl)
		dwfl_end(file->dwfl);
}

const char *file_path(const struct symbol_file *file)
{
	const char *path = NULL;

	if (file->module)
		(void)dwfl_module_info(file->module, NULL, NULL, NULL, NULL, NULL, &path, NULL);
	return path;
}
