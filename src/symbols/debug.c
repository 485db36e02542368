/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * debug.c - functions, files and lines of a module's addresses.
 *
 * Frames are return addresses, so what is looked up is the byte before: the call. What is said of
 * it is what addr2line(1) says: of the unit that has the address the function and all that is
 * inlined into it there, each with the line where it calls the one before. A function's name is the
 * one it is linked by, which tells its parameters; where the unit has none or does not know it,
 * that of the symbol table.
 */
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "base/complain.h"
#include "base/memory.h"
#include "symbols/file.h"
#include "symbols/names.h"
#include "symbols/symbols.h"
#include "symbols/symtab.h"
#include "symbols/units.h"

struct symbol_debug {
	const struct symbol_module *of;
	struct symbol_file file;
	struct symtab *symtab; /* NULL: not read yet, as the next */
	struct units *units;
	bool missed; /* halves of units, and it was said */
};

struct symbol_debug *symbol_debug_open(const struct symbol_module *module)
{
	struct symbol_debug *debug = memory_alloc(sizeof(*debug));

	debug->of = module;
	file_open(&debug->file, module);
	return debug;
}

void symbol_debug_close(struct symbol_debug *debug)
{
	if (!debug)
		return;
	units_close(debug->units);
	symtab_close(debug->symtab);
	file_close(&debug->file);
	free(debug);
}

bool symbol_debug_changed(const struct symbol_debug *debug)
{
	return debug->file.is_changed && !debug->file.module;
}

size_t symbols_segments(struct symbol_module *module, struct symbol_segment *ret_segments,
			size_t room)
{
	const struct symbol_file *file = &symbols_debug(module)->file;
	size_t i, nr, found = 0;
	GElf_Phdr header;
	GElf_Addr bias;
	Elf *elf;

	elf = file->is_whole ? dwfl_module_getelf(file->module, &bias) : NULL;
	if (!elf || elf_getphdrnum(elf, &nr))
		return 0;
	for (i = 0; i < nr && found < room; i++)
		if (gelf_getphdr(elf, (int)i, &header) && header.p_type == PT_LOAD &&
		    (header.p_flags & PF_X))
			ret_segments[found++] = (struct symbol_segment){
				.start = header.p_vaddr,
				.end = header.p_vaddr + header.p_memsz,
				.offset = header.p_offset,
			};
	return found;
}

/* --- one frame -------------------------------------------------------------------------------- */

static const char *debug_symbol(struct symbol_debug *debug, Dwarf_Addr address)
{
	if (!debug->symtab)
		debug->symtab = symtab_open(debug->file.module);
	return symtab_find(debug->symtab, address);
}

static const char *debug_linkage_name(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;

	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute) ||
	    dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute))
		return dwarf_formstring(&attribute);
	return NULL;
}

/* Is a function's name what it is linked by, as in C? Elsewhere names are mangled, or made so. */
static bool debug_is_plain(Dwarf_Die *function)
{
	Dwarf_Die unit;

	if (!dwarf_diecu(function, &unit, NULL, NULL))
		return false;
	switch (dwarf_srclang(&unit)) {
	case DW_LANG_C:
	case DW_LANG_C89:
	case DW_LANG_C99:
	case DW_LANG_C11:
	case DW_LANG_Mips_Assembler:
		return true;
	default:
		return false;
	}
}

/* Where an inlined function was called: file and line of the function around it. */
static void debug_call_site(Dwarf_Die *unit, Dwarf_Die *inlined, const char **ret_file,
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
	    !dwarf_formudata(&attribute, &value) && !dwarf_getsrcfiles(unit, &files, &nr) &&
	    value < nr)
		*ret_file = dwarf_filesrc(files, value, NULL, NULL);
}

/* A relative name is relative to where the compiler ran, as addr2line(1) prints it. */
static void debug_place(struct symbol_debug *debug, struct symbol_line *line, Dwarf_Die *unit,
			const char *file, int number)
{
	Dwarf_Attribute attribute;
	const char *directory = NULL;

	line->line = number;
	if (!file)
		return;
	if (*file != '/' && unit && dwarf_attr(unit, DW_AT_comp_dir, &attribute))
		directory = dwarf_formstring(&attribute);
	line->file = names_file(debug->of->names, directory && *directory ? directory : NULL, file,
				&line->joined);
}

static struct symbol_line *debug_add(struct symbol_debug *debug, struct symbol_frame *frame,
				     const char *function)
{
	struct symbol_line *line;

	frame->lines = memory_realloc(frame->lines, (frame->nr + 1) * sizeof(*frame->lines));
	line = &frame->lines[frame->nr++];
	memset(line, 0, sizeof(*line));
	if (function)
		line->function = names_function(debug->of->names, function);
	return line;
}

/* The function around the address and those inlined into it, innermost first. */
static void debug_functions(struct symbol_debug *debug, struct symbol_frame *frame,
			    struct unit *unit, Dwarf_Addr address, const char *symbol)
{
	Dwarf_Die *die = unit_die(unit), *functions;
	Dwarf_Line *at = dwarf_getsrc_die(die, address);
	const char *file = NULL, *name;
	struct symbol_line *entry;
	int line = 0;
	size_t i, nr;

	if (at && !dwarf_lineno(at, &line))
		file = dwarf_linesrc(at, NULL, NULL);
	functions = unit_functions_at(debug->units, unit, address, &nr);
	for (i = 0; i < nr; i++) {
		name = debug_linkage_name(&functions[i]);
		if (!name && i + 1 == nr && !debug_is_plain(&functions[i]))
			name = symbol;
		entry = debug_add(debug, frame, name ? name : dwarf_diename(&functions[i]));
		debug_place(debug, entry, die, file, line);
		entry->inlined = i + 1 < nr;
		if (entry->inlined)
			debug_call_site(die, &functions[i], &file, &line);
	}
	if (!nr)
		debug_place(debug, debug_add(debug, frame, symbol), die, file, line);
}

/* Without its other half a unit tells the line of whatever is inlined, and the name of what is not.
 */
static void debug_say_missed(struct symbol_debug *debug)
{
	if (debug->missed || !units_miss_halves(debug->units))
		return;
	debug->missed = true;
	complain("%s: .dwo files of it are not here: functions inlined there are not shown",
		 debug->of->path);
}

void symbol_debug_frame(struct symbol_debug *debug, struct symbol_frame *frame)
{
	uint64_t address = frame->offset - 1;
	Dwarf_Addr in_file;
	const char *symbol;
	struct unit *unit;

	if (!debug->file.module)
		return;
	if (!debug->units)
		debug->units = units_open(debug->file.module, file_path(&debug->file));
	symbol = debug_symbol(debug, address);
	unit = units_find(debug->units, address, &in_file);
	if (unit)
		debug_functions(debug, frame, unit, in_file, symbol);
	else
		debug_add(debug, frame, symbol);
	debug_say_missed(debug);
}
