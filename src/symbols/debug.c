/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * debug.c - functions, files and lines of a module, with elfutils.
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

#include "base/memory.h"
#include "symbols.h"
#include "units.h"

extern char *__cxa_demangle(const char *name, char *buffer, size_t *length, int *ret_status);

struct symbol_debug {
	uint64_t bias;
	Dwfl *dwfl;
	Dwfl_Module *module; /* NULL: no usable file */
	struct units *units; /* NULL: not read yet */
	bool is_whole;	     /* the module's own file, not one with its symbols alone */
};

/* Where the files of the recorded machine are; and in elfutils' words, where it looks for others.
 */
static const char *debug_root = "";
static char *debug_path;

static const Dwfl_Callbacks debug_callbacks = {
	.debuginfo_path = &debug_path,
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.section_address = dwfl_offline_section_address,
};

void symbols_set_root(const char *directory)
{
	static const char format[] = ":.debug:%s/usr/lib/debug";
	size_t bytes = sizeof(format) + strlen(directory);

	free(debug_path);
	debug_path = memory_alloc(bytes);
	snprintf(debug_path, bytes, format, directory);
	debug_root = directory;
}

/* A server that does not answer must not hold a report up for minutes, unless one wants that. */
static void debug_bound_debuginfod(void)
{
	(void)setenv("DEBUGINFOD_TIMEOUT", "10", 0);
	(void)setenv("DEBUGINFOD_MAXTIME", "60", 0);
}

/* --- files ------------------------------------------------------------------------------------ */

static bool debug_same_build(Dwfl_Module *module, const struct symbol_module *recorded)
{
	const unsigned char *bits;
	GElf_Addr address;
	int length = dwfl_module_build_id(module, &bits, &address);

	if (!recorded->build_id_bytes)
		return true;
	return length == (int)recorded->build_id_bytes &&
	       !memcmp(bits, recorded->build_id, recorded->build_id_bytes);
}

static bool debug_begin(struct symbol_debug *debug)
{
	debug->dwfl = dwfl_begin(&debug_callbacks);
	if (debug->dwfl)
		dwfl_report_begin(debug->dwfl);
	return debug->dwfl;
}

static bool debug_end(struct symbol_debug *debug, bool usable)
{
	dwfl_report_end(debug->dwfl, NULL, NULL);
	if (usable)
		return true;
	dwfl_end(debug->dwfl);
	debug->dwfl = NULL;
	debug->module = NULL;
	return false;
}

/* PATH is of the recorded machine. */
static bool debug_report(struct symbol_debug *debug, const char *path,
			 const struct symbol_module *recorded)
{
	char *full = memory_alloc(strlen(debug_root) + strlen(path) + 1);

	strcat(strcpy(full, debug_root), path);
	if (!access(full, R_OK) && debug_begin(debug)) {
		debug->module = dwfl_report_elf(debug->dwfl, path, full, -1, recorded->bias, true);
		(void)debug_end(debug, debug->module && debug_same_build(debug->module, recorded));
	}
	free(full);
	return debug->module;
}

static bool debug_report_symbols(struct symbol_debug *debug, const struct symbol_module *recorded)
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
	return debug_report(debug, path, recorded);
}

/* Leave it to elfutils to find the file, which asks debuginfod. */
static bool debug_report_id(struct symbol_debug *debug, const struct symbol_module *recorded)
{
	GElf_Addr bias;

	if (!recorded->build_id_bytes || !getenv("DEBUGINFOD_URLS") || !debug_begin(debug))
		return false;
	debug->module =
		dwfl_report_module(debug->dwfl, recorded->path, recorded->start, recorded->end);
	if (debug->module)
		(void)dwfl_module_report_build_id(debug->module, recorded->build_id,
						  recorded->build_id_bytes, 0);
	return debug_end(debug, debug->module && dwfl_module_getelf(debug->module, &bias) &&
					bias == recorded->bias);
}

struct symbol_debug *symbol_debug_open(const struct symbol_module *module)
{
	struct symbol_debug *debug = memory_alloc(sizeof(*debug));

	debug_bound_debuginfod();
	debug->bias = module->bias;
	debug->is_whole = debug_report(debug, module->path, module);
	if (!debug->is_whole && !debug_report_symbols(debug, module))
		debug->is_whole = debug_report_id(debug, module);
	return debug;
}

void symbol_debug_close(struct symbol_debug *debug)
{
	if (!debug)
		return;
	units_close(debug->units);
	if (debug->dwfl)
		dwfl_end(debug->dwfl);
	free(debug);
}

size_t symbols_segments(struct symbol_module *module, struct symbol_segment *ret_segments,
			size_t room)
{
	size_t i, nr, found = 0;
	GElf_Phdr header;
	GElf_Addr bias;
	Elf *elf;

	if (!module->debug)
		module->debug = symbol_debug_open(module);
	elf = module->debug->is_whole ? dwfl_module_getelf(module->debug->module, &bias) : NULL;
	if (!elf || elf_getphdrnum(elf, &nr))
		return 0;
	for (i = 0; i < nr && found < room; i++)
		if (gelf_getphdr(elf, (int)i, &header) && header.p_type == PT_LOAD &&
		    (header.p_flags & PF_X))
			ret_segments[found++] = (struct symbol_segment){
				.start = header.p_vaddr + module->bias,
				.end = header.p_vaddr + header.p_memsz + module->bias,
				.offset = header.p_offset,
			};
	return found;
}

/* --- one frame -------------------------------------------------------------------------------- */

static char *debug_demangle(const char *name)
{
	int status;
	char *plain =
		name[0] == '_' && name[1] == 'Z' ? __cxa_demangle(name, NULL, NULL, &status) : NULL;

	return plain ? plain : memory_strdup(name);
}

static struct symbol_line *debug_add(struct symbol_frame *frame, const char *function)
{
	struct symbol_line *line;

	frame->lines = memory_realloc(frame->lines, (frame->nr + 1) * sizeof(*frame->lines));
	line = &frame->lines[frame->nr++];
	memset(line, 0, sizeof(*line));
	if (function)
		line->function = debug_demangle(function);
	return line;
}

static const char *debug_die_name(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	const char *name = NULL;

	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute))
		name = dwarf_formstring(&attribute);
	return name ? name : dwarf_diename(die);
}

/* Where an inlined function was called: file and line of the function around it. */
static void debug_call_site(Dwarf_Die *cu, Dwarf_Die *inlined, const char **ret_file, int *ret_line)
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

/* A relative name is relative to where the compiler ran, as addr2line(1) prints it. */
static void debug_place(struct symbol_line *line, Dwarf_Die *cu, const char *file, int number)
{
	Dwarf_Attribute attribute;
	const char *directory = NULL;

	line->line = number;
	if (!file)
		return;
	if (*file != '/' && cu && dwarf_attr_integrate(cu, DW_AT_comp_dir, &attribute))
		directory = dwarf_formstring(&attribute);
	if (!directory || !*directory) {
		line->file = memory_strdup(file);
		return;
	}
	line->joined = strlen(directory) + 1;
	line->file = memory_alloc(line->joined + strlen(file) + 1);
	sprintf(line->file, "%s/%s", directory, file);
}

/* The function around the address and those inlined into it, innermost first. */
static void debug_scopes(struct symbol_frame *frame, Dwarf_Die *cu, Dwarf_Addr address,
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
		entry = debug_add(frame, debug_die_name(&scopes[i]));
		debug_place(entry, cu, file, line);
		entry->inlined = tag == DW_TAG_inlined_subroutine;
		if (!entry->inlined)
			break;
		debug_call_site(cu, &scopes[i], &file, &line);
	}
	free(innermost);
	free(scopes);
}

/* Does it end with a function that is not inlined? */
static bool debug_is_complete(const struct symbol_frame *frame)
{
	return frame->nr && !frame->lines[frame->nr - 1].inlined;
}

static Dwarf_Die *debug_unit(struct symbol_debug *debug, Dwarf_Addr address, Dwarf_Addr *ret_bias)
{
	Dwarf_Die *cu = dwfl_module_addrdie(debug->module, address, ret_bias);

	if (cu)
		return cu;
	if (!debug->units)
		debug->units = units_open(debug->module);
	return units_find(debug->units, address, ret_bias);
}

void symbol_debug_frame(struct symbol_debug *debug, struct symbol_frame *frame)
{
	uint64_t address = frame->offset + debug->bias - 1;
	const char *file = NULL, *name;
	Dwarf_Addr bias = 0;
	Dwarf_Line *at;
	Dwarf_Die *cu;
	bool inlined;
	int line = 0;

	if (!debug->module)
		return;
	name = dwfl_module_addrname(debug->module, address);
	cu = debug_unit(debug, address, &bias);
	at = cu ? dwarf_getsrc_die(cu, address - bias) : NULL;
	if (at && !dwarf_lineno(at, &line))
		file = dwarf_linesrc(at, NULL, NULL);
	if (cu)
		debug_scopes(frame, cu, address - bias, file, line);
	if (debug_is_complete(frame))
		return;
	inlined = frame->nr;
	debug_place(debug_add(frame, name), cu, inlined ? NULL : file, line);
}
