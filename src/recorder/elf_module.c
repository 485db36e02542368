/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * elf_module.c - functions of the files in memory, by name, without dlsym().
 *
 * dlsym() allocates, and keeps a message for dlerror() when it finds nothing, which it frees at the
 * next call: from inside of malloc() that comes round to malloc(), and a program that asks for the
 * message gets ours.
 */
#define _GNU_SOURCE
#include <string.h>

#include "base/elf_hash.h"
#include "elf_module.h"

static const char elf_self;

/* Where the chain of a hash begins in the symbols; 0 if there is none. */
static uint32_t elf_first(const uint32_t *table, uint32_t hash)
{
	const uint32_t buckets = table[0], bloom_words = table[2], shift = table[3];
	const uint64_t *bloom = (const void *)&table[4];
	uint64_t word;

	if (!buckets || !bloom_words)
		return 0;
	word = bloom[hash / 64 % bloom_words];
	if (!(word >> hash % 64 & word >> (hash >> shift) % 64 & 1))
		return 0;
	return ((const uint32_t *)&bloom[bloom_words])[hash % buckets];
}

/* At an address, or anywhere if that is NULL. */
static const ElfW(Sym) *
	elf_find(const struct elf_module *module, const char *name, const void *address)
{
	const uint32_t *table = module->hash, hash = elf_hash_of(name);
	const uint32_t *chain = &table[4] + 2 * (size_t)table[2] + table[0];
	uint32_t number = elf_first(table, hash), value;

	if (number < table[1])
		return NULL;
	do {
		const ElfW(Sym) *symbol = &module->symbols[number];

		value = chain[number - table[1]];
		if ((value | 1) == (hash | 1) && symbol->st_shndx != SHN_UNDEF &&
		    ELF64_ST_TYPE(symbol->st_info) == STT_FUNC &&
		    (!address || module->base + symbol->st_value == (uintptr_t)address) &&
		    !strcmp(&module->names[symbol->st_name], name))
			return symbol;
		number++;
	} while (!(value & 1));
	return NULL;
}

const ElfW(Sym) * elf_function(const struct elf_module *module, const char *name)
{
	return elf_find(module, name, NULL);
}

const ElfW(Sym) *
	elf_function_at(const struct elf_module *module, const char *name, const void *address)
{
	return elf_find(module, name, address);
}

/* The loader has made addresses of them, but for files that it may not write to. */
static const void *elf_address(uintptr_t base, uintptr_t value)
{
	return (const void *)(value < base ? base + value : value);
}

bool elf_read(const struct dl_phdr_info *info, struct elf_module *ret_module)
{
	struct elf_module module = {.base = info->dlpi_addr,
				    .name = info->dlpi_name,
				    .segments = info->dlpi_phdr,
				    .segments_nr = info->dlpi_phnum};
	const ElfW(Dyn) *entry = NULL;
	size_t i;

	for (i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			entry = (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	for (; entry && entry->d_tag != DT_NULL; entry++) {
		const void *at = elf_address(module.base, entry->d_un.d_ptr);

		if (entry->d_tag == DT_SYMTAB)
			module.symbols = at;
		else if (entry->d_tag == DT_STRTAB)
			module.names = at;
		else if (entry->d_tag == DT_GNU_HASH)
			module.hash = at;
	}
	*ret_module = module;
	return module.symbols && module.names && module.hash;
}

bool elf_has(const struct elf_module *module, const void *address)
{
	size_t i;

	for (i = 0; i < module->segments_nr; i++) {
		const ElfW(Phdr) *segment = &module->segments[i];

		if (segment->p_type == PT_LOAD &&
		    (uintptr_t)address - module->base - segment->p_vaddr < segment->p_memsz)
			return true;
	}
	return false;
}

/* --- the next after us ------------------------------------------------------------------------ */

struct elf_search {
	const char *name;
	const void *found;
	bool behind; /* we were passed */
};

static int elf_search(struct dl_phdr_info *info, size_t size, void *data)
{
	struct elf_search *search = data;
	const ElfW(Sym) * symbol;
	struct elf_module module;

	(void)size;
	if (!elf_read(info, &module))
		return 0;
	if (!search->behind) {
		search->behind = elf_has(&module, &elf_self);
		return 0;
	}
	symbol = elf_function(&module, search->name);
	if (symbol)
		search->found = (const void *)(module.base + symbol->st_value);
	return search->found != NULL;
}

void *elf_next(const char *name)
{
	struct elf_search search = {.name = name};

	(void)dl_iterate_phdr(elf_search, &search);
	return (void *)(uintptr_t)search.found;
}
