/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * symtab.c - the functions in the symbol tables of a module, sorted.
 *
 * Of several symbols for one address the one is taken that addr2line(1) takes: the one that begins
 * last; of equal ones a function before a mere label, a short one before a long one, then whichever
 * comes first in the file. What an assembler wrote may have no size; it reaches to the next symbol
 * or the end of its section. A symbol that ends before the address does not name it, however near
 * it is: in a stripped file the nearest one may be another function altogether.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/search.h"
#include "symbols/symtab.h"

struct symtab_entry {
	Dwarf_Addr start;
	Dwarf_Addr end;
	Dwarf_Addr reach; /* the highest end so far, of entries with a size */
	const char *name;
	uint32_t number;
	bool is_function;
	bool is_sized;
};

struct symtab {
	struct symtab_entry *entries; /* in the order of their starts, the best of equals last */
	size_t nr;
	size_t room;
};

/* The end of the section that has the address, if it is one that is executed; else 0. */
static Dwarf_Addr symtab_section_end(Elf *elf, GElf_Word section, Dwarf_Addr address)
{
	Elf_Scn *scn = elf && section ? elf_getscn(elf, section) : NULL;
	GElf_Shdr header;

	if (!scn || !gelf_getshdr(scn, &header) || !(header.sh_flags & SHF_EXECINSTR))
		return 0;
	return address >= header.sh_addr && address - header.sh_addr < header.sh_size
		       ? header.sh_addr + header.sh_size
		       : 0;
}

static bool symtab_is_code(const GElf_Sym *symbol, const char *name)
{
	switch (GELF_ST_TYPE(symbol->st_info)) {
	case STT_FUNC:
	case STT_GNU_IFUNC:
		return true;
	case STT_NOTYPE: /* a label; `$x` and the like say what follows, on arm64 */
		return name[0] != '$' && (name[0] != '.' || name[1] != 'L');
	default:
		return false;
	}
}

static void symtab_read(struct symtab *symtab, Dwfl_Module *module, int number)
{
	GElf_Sym symbol;
	GElf_Addr address, bias, end;
	GElf_Word section;
	Elf *elf;
	const char *name =
		dwfl_module_getsym_info(module, number, &symbol, &address, &section, &elf, &bias);

	if (!name || !*name || section == SHN_UNDEF || !symtab_is_code(&symbol, name))
		return;
	end = symtab_section_end(elf, section, address - bias) + bias;
	if (end == bias)
		return;
	if (symbol.st_size && symbol.st_size < end - address)
		end = address + symbol.st_size;
	symtab->entries =
		memory_room(symtab->entries, symtab->nr, &symtab->room, sizeof(*symtab->entries));
	symtab->entries[symtab->nr++] = (struct symtab_entry){
		.start = address,
		.end = end,
		.name = name,
		.number = (uint32_t)number,
		.is_function = GELF_ST_TYPE(symbol.st_info) != STT_NOTYPE,
		.is_sized = symbol.st_size,
	};
}

static int symtab_compare(const void *a, const void *b)
{
	const struct symtab_entry *left = a, *right = b;

	if (left->start != right->start)
		return left->start < right->start ? -1 : 1;
	if (left->is_function != right->is_function)
		return left->is_function ? 1 : -1;
	if (left->end != right->end)
		return left->end > right->end ? -1 : 1;
	return left->number > right->number ? -1 : left->number < right->number;
}

struct symtab *symtab_open(Dwfl_Module *module)
{
	struct symtab *symtab = memory_alloc(sizeof(*symtab));
	int i, nr = dwfl_module_getsymtab(module);
	Dwarf_Addr reach = 0;
	size_t at;

	for (i = 1; i < nr; i++)
		symtab_read(symtab, module, i);
	if (symtab->nr)
		qsort(symtab->entries, symtab->nr, sizeof(*symtab->entries), symtab_compare);
	for (at = 0; at < symtab->nr; at++) {
		if (symtab->entries[at].is_sized && symtab->entries[at].end > reach)
			reach = symtab->entries[at].end;
		symtab->entries[at].reach = reach;
	}
	return symtab;
}

void symtab_close(struct symtab *symtab)
{
	if (!symtab)
		return;
	free(symtab->entries);
	free(symtab);
}

const char *symtab_find(const struct symtab *symtab, Dwarf_Addr address)
{
	size_t before = search_up_to(symtab->entries, symtab->nr, start, address), at;
	const struct symtab_entry *last;

	for (at = before; at && symtab->entries[at - 1].reach > address; at--)
		if (symtab->entries[at - 1].is_sized && symtab->entries[at - 1].end > address)
			return symtab->entries[at - 1].name;
	if (!before)
		return NULL;
	/* The last label, if nothing with a size came to its end in between. */
	last = &symtab->entries[before - 1];
	return !last->is_sized && last->end > address && last->reach <= last->start ? last->name
										    : NULL;
}
