/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * allocators.c - allocators that are inside of a file, and of which nothing shows outside.
 *
 * Looked for are functions that only they have, in the symbols of the file; of a file without
 * symbols, sections that they make, and the beginnings of their messages among its constants. A
 * file that exports the functions is left out.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbols/allocators.h"
#include "symbols/file.h"

/* The message is kept apart from its last letter, so that it is not found in this program. */
static const struct sign {
	const char *allocator;
	const char *function;
	const char *exported; /* NULL: it never is */
	const char *section;
	const char *message;
	char last;
} signs[] = {
	{"jemalloc", "mallocx", "mallocx", "", "<jemalloc>", ':'},
	{"jemalloc", "je_mallocx", "je_mallocx", "", "<jemalloc>", ':'},
	{"jemalloc", "_rjem_mallocx", "_rjem_mallocx", "", "<jemalloc>", ':'},
	{"mimalloc", "_mi_malloc_generic", "mi_malloc", "", "mimalloc:", ' '},
	{"tcmalloc", "tc_malloc", "tc_malloc", "google_malloc", "tcmalloc: large allo", 'c'},
	{"PartitionAlloc", "_ZN15partition_alloc13PartitionRoot4InitENS_16PartitionOptionsE", NULL,
	 "", "partition_alloc/partition", 's'},
	{"rpmalloc", "rpmalloc", "rpmalloc", "", NULL, 0},
	{"hardened_malloc", "h_malloc", "h_malloc", "", NULL, 0},
};

#define SIGNS (sizeof(signs) / sizeof(signs[0]))

struct look {
	bool inside[SIGNS];
	bool exported[SIGNS];
	bool has_symbols;
};

static void look_symbols(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, struct look *look)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t nr = data && header->sh_entsize ? data->d_size / header->sh_entsize : 0, i, j;
	bool dynamic = header->sh_type == SHT_DYNSYM;

	look->has_symbols |= !dynamic && nr;
	for (i = 0; i < nr; i++) {
		GElf_Sym symbol;
		const char *name;

		if (!gelf_getsym(data, (int)i, &symbol) || symbol.st_shndx == SHN_UNDEF ||
		    GELF_ST_TYPE(symbol.st_info) != STT_FUNC)
			continue;
		name = elf_strptr(elf, header->sh_link, symbol.st_name);
		for (j = 0; name && j < SIGNS; j++) {
			look->inside[j] |= !strcmp(name, signs[j].function);
			look->exported[j] |=
				dynamic && signs[j].exported && !strcmp(name, signs[j].exported);
		}
	}
}

static bool look_has_message(const Elf_Data *data, const struct sign *sign)
{
	const char *at = data->d_buf, *end = at + data->d_size;
	size_t length = sign->message ? strlen(sign->message) : 0;

	while (length && at && (at = memmem(at, (size_t)(end - at), sign->message, length))) {
		at += length;
		if (at < end && *at == sign->last)
			return true;
	}
	return false;
}

static void look_constants(Elf_Scn *section, struct look *look)
{
	const Elf_Data *data = elf_rawdata(section, NULL);
	size_t i;

	for (i = 0; data && data->d_buf && i < SIGNS; i++)
		look->inside[i] |= look_has_message(data, &signs[i]);
}

static void look_section(Elf *elf, Elf_Scn *section, struct look *look, bool constants)
{
	GElf_Shdr header;
	const char *name;
	size_t names, i;

	if (!gelf_getshdr(section, &header) || elf_getshdrstrndx(elf, &names))
		return;
	name = elf_strptr(elf, names, header.sh_name);
	if (constants) {
		if (name && !strcmp(name, ".rodata"))
			look_constants(section, look);
		return;
	}
	for (i = 0; name && i < SIGNS; i++)
		look->inside[i] |= *signs[i].section && !strcmp(name, signs[i].section);
	if (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM)
		look_symbols(elf, section, &header, look);
}

static void look_sections(Elf *elf, struct look *look, bool constants)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section)))
		look_section(elf, section, look, constants);
}

static const char *look_result(const struct look *look)
{
	const char *found = NULL;
	size_t i;

	/* One name may have several signs: any that is exported tells that it is not hidden. */
	for (i = SIGNS; i-- > 0;)
		if (look->inside[i])
			found = signs[i].allocator;
	for (i = 0; found && i < SIGNS; i++)
		if (look->exported[i] && !strcmp(signs[i].allocator, found))
			return NULL;
	return found;
}

const char *allocators_hidden(const char *path)
{
	char *full = file_full_path(path);
	int fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct look look = {0};
	struct stat st;
	Elf *elf;

	free(full);
	if (fd < 0)
		return NULL;
	(void)elf_version(EV_CURRENT);
	/* A store may name anything, and waiting for a pipe would take for ever. */
	elf = !fstat(fd, &st) && S_ISREG(st.st_mode) ? elf_begin(fd, ELF_C_READ_MMAP, NULL) : NULL;
	if (elf && elf_kind(elf) == ELF_K_ELF) {
		look_sections(elf, &look, false);
		if (!look.has_symbols)
			look_sections(elf, &look, true);
	}
	(void)elf_end(elf);
	(void)close(fd);
	return look_result(&look);
}
