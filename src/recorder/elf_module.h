/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* elf_module.h - functions of the files in memory, by name. Nothing here allocates. */
#ifndef RECORDER_ELF_MODULE_H
#define RECORDER_ELF_MODULE_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is needed of a file in memory to find its functions. */
struct elf_module {
	uintptr_t base;
	const char *name;
	const ElfW(Phdr) * segments;
	size_t segments_nr;
	const ElfW(Sym) * symbols;
	const char *names;
	const uint32_t *hash; /* DT_GNU_HASH */
};

/* Fill in; false if it has no such table. */
bool elf_read(const struct dl_phdr_info *info, struct elf_module *ret_module);
/* A function that the module defines and exports, of any version; NULL if it does not. */
const ElfW(Sym) * elf_function(const struct elf_module *module, const char *name);
/* The one of that name, of several versions, which is at the address. */
const ElfW(Sym) *
	elf_function_at(const struct elf_module *module, const char *name, const void *address);
/* Does the address lie in it? */
bool elf_has(const struct elf_module *module, const void *address);
/*
 * The function of that name in the first file after us, in the order of loading: the order of
 * symbols, for what was there at the start. Files that were opened for themselves count too.
 */
void *elf_next(const char *name);

#endif
