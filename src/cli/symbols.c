/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * symbols.c - from frames to functions, files and lines, with elfutils.
 *
 * Each module is opened on its own, as modules of different times may have had the same addresses.
 * The file at the module's path is believed only if its build-id is the one that was recorded; else
 * the debug file of that build-id is looked for, then debuginfod is asked if DEBUGINFOD_URLS is
 * set, and without an answer module and offset have to do. A file that was stripped finds its other
 * half in the same places, by build-id or .gnu_debuglink.
 *
 * Frames are return addresses, so what is looked up is the byte before: the call.
 */
#define _GNU_SOURCE
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

extern char *__cxa_demangle(const char *name, char *buffer, size_t *length, int *ret_status);

struct symbol_module {
	uint64_t start;
	uint32_t tag;
	uint64_t bias;
	char *path;
	Dwfl *dwfl;
	Dwfl_Module *module; /* NULL: no usable file */
	struct symbol_module *next;
};

struct symbol_slot {
	uint64_t frame;
	struct symbol_frame *known;
};

struct symbols {
	struct stackdepot_store *store;
	struct symbol_module *modules;
	struct symbol_slot *slots; /* open addressing; size a power of two */
	size_t size;
	size_t used;
};

/* Where the files of the recorded machine are; and in elfutils' words, where it looks for others.
 */
static const char *symbols_root = "";
static char *symbols_debug_path;

static const Dwfl_Callbacks symbols_callbacks = {
	.debuginfo_path = &symbols_debug_path,
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.section_address = dwfl_offline_section_address,
};

void symbols_set_root(const char *directory)
{
	static const char format[] = ":.debug:%s/usr/lib/debug";
	size_t bytes = sizeof(format) + strlen(directory);

	free(symbols_debug_path);
	symbols_debug_path = cli_alloc(bytes);
	snprintf(symbols_debug_path, bytes, format, directory);
	symbols_root = directory;
}

/* A server that does not answer must not hold a report up for minutes, unless one wants that. */
static void symbols_bound_debuginfod(void)
{
	(void)setenv("DEBUGINFOD_TIMEOUT", "10", 0);
	(void)setenv("DEBUGINFOD_MAXTIME", "60", 0);
}

struct symbols *symbols_open(struct stackdepot_store *store)
{
	struct symbols *symbols = cli_alloc(sizeof(*symbols));

	symbols_bound_debuginfod();
	symbols->store = store;
	symbols->size = 1024;
	symbols->slots = cli_alloc(symbols->size * sizeof(*symbols->slots));
	return symbols;
}

static void symbols_free_frame(struct symbol_frame *frame)
{
	size_t i;

	for (i = 0; i < frame->nr; i++) {
		free(frame->lines[i].function);
		free(frame->lines[i].file);
	}
	free(frame->lines);
	free(frame->module);
	free(frame->path);
	free(frame);
}

void symbols_close(struct symbols *symbols)
{
	size_t i;

	for (i = 0; i < symbols->size; i++)
		if (symbols->slots[i].known)
			symbols_free_frame(symbols->slots[i].known);
	while (symbols->modules) {
		struct symbol_module *module = symbols->modules;

		symbols->modules = module->next;
		if (module->dwfl)
			dwfl_end(module->dwfl);
		free(module->path);
		free(module);
	}
	free(symbols->slots);
	free(symbols);
}

/* --- modules ---------------------------------------------------------------------------------- */

static bool symbols_same_build(Dwfl_Module *module, const struct stackdepot_module *recorded)
{
	const unsigned char *bits;
	GElf_Addr address;
	int length = dwfl_module_build_id(module, &bits, &address);

	if (!recorded->build_id_bytes)
		return true;
	return length == (int)recorded->build_id_bytes &&
	       !memcmp(bits, recorded->build_id, recorded->build_id_bytes);
}

static bool symbols_begin(struct symbol_module *module)
{
	module->dwfl = dwfl_begin(&symbols_callbacks);
	if (module->dwfl)
		dwfl_report_begin(module->dwfl);
	return module->dwfl;
}

static bool symbols_end(struct symbol_module *module, bool usable)
{
	dwfl_report_end(module->dwfl, NULL, NULL);
	if (usable)
		return true;
	dwfl_end(module->dwfl);
	module->dwfl = NULL;
	module->module = NULL;
	return false;
}

/* `path` is of the recorded machine. */
static bool symbols_report(struct symbol_module *module, const char *path,
			   const struct stackdepot_module *recorded)
{
	char *full = cli_alloc(strlen(symbols_root) + strlen(path) + 1);

	strcat(strcpy(full, symbols_root), path);
	if (!access(full, R_OK) && symbols_begin(module)) {
		module->module =
			dwfl_report_elf(module->dwfl, path, full, -1, recorded->bias, true);
		(void)symbols_end(module,
				  module->module && symbols_same_build(module->module, recorded));
	}
	free(full);
	return module->module;
}

static bool symbols_report_debug(struct symbol_module *module,
				 const struct stackdepot_module *recorded)
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
	return symbols_report(module, path, recorded);
}

/* Leave it to elfutils to find the file, which asks debuginfod. */
static bool symbols_report_id(struct symbol_module *module,
			      const struct stackdepot_module *recorded)
{
	GElf_Addr bias;

	if (!recorded->build_id_bytes || !getenv("DEBUGINFOD_URLS") || !symbols_begin(module))
		return false;
	module->module =
		dwfl_report_module(module->dwfl, recorded->path, recorded->start, recorded->end);
	if (module->module)
		(void)dwfl_module_report_build_id(module->module, recorded->build_id,
						  recorded->build_id_bytes, 0);
	return symbols_end(module, module->module && dwfl_module_getelf(module->module, &bias) &&
					   bias == recorded->bias);
}

static struct symbol_module *symbols_module(struct symbols *symbols, uint64_t frame)
{
	struct stackdepot_module recorded;
	struct symbol_module *module;

	if (!stackdepot_store_module(symbols->store, frame, &recorded))
		return NULL;
	for (module = symbols->modules; module; module = module->next)
		if (module->start == recorded.start && module->tag == recorded.tag)
			return module;
	module = cli_alloc(sizeof(*module));
	module->start = recorded.start;
	module->tag = recorded.tag;
	module->bias = recorded.bias;
	module->path = cli_strdup(recorded.path);
	module->next = symbols->modules;
	symbols->modules = module;
	if (!symbols_report(module, recorded.path, &recorded) &&
	    !symbols_report_debug(module, &recorded))
		(void)symbols_report_id(module, &recorded);
	return module;
}

/* --- one frame -------------------------------------------------------------------------------- */

static char *symbols_demangle(const char *name)
{
	int status;
	char *plain =
		name[0] == '_' && name[1] == 'Z' ? __cxa_demangle(name, NULL, NULL, &status) : NULL;

	return plain ? plain : cli_strdup(name);
}

static struct symbol_line *symbols_add(struct symbol_frame *frame, const char *function)
{
	struct symbol_line *line;

	frame->lines = realloc(frame->lines, (frame->nr + 1) * sizeof(*frame->lines));
	if (!frame->lines)
		abort();
	line = &frame->lines[frame->nr++];
	memset(line, 0, sizeof(*line));
	if (function)
		line->function = symbols_demangle(function);
	return line;
}

static const char *symbols_die_name(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	const char *name = NULL;

	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute))
		name = dwarf_formstring(&attribute);
	return name ? name : dwarf_diename(die);
}

/* Where an inlined function was called: file and line of the function around it. */
static void symbols_call_site(Dwarf_Die *cu, Dwarf_Die *inlined, const char **ret_file,
			      int *ret_line)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;
	Dwarf_Files *files;
	size_t nr;

	*ret_file = NULL;
	*ret_line = 0;
	if (dwarf_attr(inlined, DW_AT_call_line, &attribute) &&
	    !dwarf_formudata(&attribute, &value))
		*ret_line = (int)value;
	if (dwarf_attr(inlined, DW_AT_call_file, &attribute) &&
	    !dwarf_formudata(&attribute, &value) && !dwarf_getsrcfiles(cu, &files, &nr) &&
	    value < nr)
		*ret_file = dwarf_filesrc(files, value, NULL, NULL);
}

static void symbols_place(struct symbol_line *line, const char *file, int number)
{
	line->file = file ? cli_strdup(file) : NULL;
	line->line = number;
}

/* The function around the address and those inlined into it, innermost first. */
static void symbols_scopes(struct symbol_frame *frame, Dwarf_Die *cu, Dwarf_Addr address,
			   const char *file, int line)
{
	Dwarf_Die *innermost = NULL, *scopes = NULL;
	int i, nr = dwarf_getscopes(cu, address, &innermost);

	/* The first answer leaves an inlined function for where it is written, not where it is
	 * called. */
	nr = nr > 0 ? dwarf_getscopes_die(&innermost[0], &scopes) : 0;

	for (i = 0; i < nr; i++) {
		int tag = dwarf_tag(&scopes[i]);
		struct symbol_line *entry;

		if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_subprogram)
			continue;
		entry = symbols_add(frame, symbols_die_name(&scopes[i]));
		symbols_place(entry, file, line);
		entry->inlined = tag == DW_TAG_inlined_subroutine;
		if (!entry->inlined)
			break;
		symbols_call_site(cu, &scopes[i], &file, &line);
	}
	free(innermost);
	free(scopes);
}

/* Does it end with a function that is not inlined? */
static bool symbols_complete(const struct symbol_frame *frame)
{
	return frame->nr && !frame->lines[frame->nr - 1].inlined;
}

static void symbols_dwarf(struct symbol_frame *frame, Dwfl_Module *module, uint64_t address)
{
	const char *file = NULL, *name = dwfl_module_addrname(module, address);
	Dwfl_Line *at = dwfl_module_getsrc(module, address);
	Dwarf_Addr bias;
	Dwarf_Die *cu = dwfl_module_addrdie(module, address, &bias);
	int line = 0;

	if (at)
		file = dwfl_lineinfo(at, NULL, &line, NULL, NULL, NULL);
	if (cu)
		symbols_scopes(frame, cu, address - bias, file, line);
	if (symbols_complete(frame))
		return;
	symbols_place(symbols_add(frame, name), frame->nr > 1 ? NULL : file, line);
}

static struct symbol_frame *symbols_resolve(struct symbols *symbols, uint64_t raw)
{
	struct symbol_frame *frame = cli_alloc(sizeof(*frame));
	uint64_t address = stackdepot_frame_address(raw);
	struct symbol_module *module;

	frame->offset = address;
	module = symbols_module(symbols, raw - 1);
	if (module) {
		const char *slash = strrchr(module->path, '/');

		frame->offset = address - module->bias;
		frame->path = cli_strdup(module->path);
		frame->module = cli_strdup(slash ? slash + 1 : module->path);
		if (module->module)
			symbols_dwarf(frame, module->module, address - 1);
	}
	if (!frame->nr)
		(void)symbols_add(frame, NULL);
	return frame;
}

/* --- what was resolved already ---------------------------------------------------------------- */

static struct symbol_slot *symbols_slot(struct symbol_slot *slots, size_t size, uint64_t frame)
{
	size_t at = (size_t)(frame * 0x9e3779b97f4a7c15ull >> 20) & (size - 1);

	while (slots[at].known && slots[at].frame != frame)
		at = (at + 1) & (size - 1);
	return &slots[at];
}

static void symbols_grow(struct symbols *symbols)
{
	size_t i, size = symbols->size * 2;
	struct symbol_slot *slots = cli_alloc(size * sizeof(*slots));

	for (i = 0; i < symbols->size; i++)
		if (symbols->slots[i].known)
			*symbols_slot(slots, size, symbols->slots[i].frame) = symbols->slots[i];
	free(symbols->slots);
	symbols->slots = slots;
	symbols->size = size;
}

const struct symbol_frame *symbols_frame(struct symbols *symbols, uint64_t frame)
{
	struct symbol_slot *slot = symbols_slot(symbols->slots, symbols->size, frame);

	if (slot->known)
		return slot->known;
	if (symbols->used * 2 >= symbols->size) {
		symbols_grow(symbols);
		slot = symbols_slot(symbols->slots, symbols->size, frame);
	}
	slot->frame = frame;
	slot->known = symbols_resolve(symbols, frame);
	symbols->used++;
	return slot->known;
}
