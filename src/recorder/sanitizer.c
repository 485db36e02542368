/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * sanitizer.c - programs that are built with AddressSanitizer and its like.
 *
 * They have an allocator of their own, and end at once where another library comes before it. So
 * what has one is started without us. All of them are told by a name in the table of names that the
 * loader reads, whether gcc linked a library or clang the sanitizer itself.
 */
#define _GNU_SOURCE
#include "sanitizer.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define SANITIZER_NAMES_MAX (1u << 20)
#define SANITIZER_NAME_MAX 16u
#define SANITIZER_PIECE 4096u

struct sanitizer_names {
	uint64_t address, bytes; /* in memory; 0 if there are none */
	uint64_t offset;	 /* in the file */
};

static bool sanitizer_segment(int fd, const Elf64_Ehdr *elf, unsigned int i, Elf64_Phdr *ret)
{
	return pread(fd, ret, sizeof(*ret), (off_t)(elf->e_phoff + i * sizeof(*ret))) ==
	       sizeof(*ret);
}

static void sanitizer_read_dynamic(int fd, const Elf64_Phdr *segment, struct sanitizer_names *names)
{
	Elf64_Dyn entries[64];
	const ssize_t bytes = pread(fd, entries, sizeof(entries), (off_t)segment->p_offset);
	size_t i;

	for (i = 0; bytes > 0 && i < (size_t)bytes / sizeof(entries[0]); i++) {
		if (entries[i].d_tag == DT_NULL)
			return;
		if (entries[i].d_tag == DT_STRTAB)
			names->address = entries[i].d_un.d_ptr;
		else if (entries[i].d_tag == DT_STRSZ)
			names->bytes = entries[i].d_un.d_val;
	}
}

/* Where the table of names is in the file. */
static bool sanitizer_find_names(int fd, const Elf64_Ehdr *elf, struct sanitizer_names *names)
{
	Elf64_Phdr segment;
	unsigned int i;

	for (i = 0; i < elf->e_phnum && sanitizer_segment(fd, elf, i, &segment); i++)
		if (segment.p_type == PT_DYNAMIC)
			sanitizer_read_dynamic(fd, &segment, names);
	for (i = 0; i < elf->e_phnum && sanitizer_segment(fd, elf, i, &segment); i++) {
		const uint64_t from = names->address - segment.p_vaddr;

		if (segment.p_type != PT_LOAD || from >= segment.p_filesz)
			continue;
		names->offset = segment.p_offset + from;
		return names->bytes && names->bytes <= SANITIZER_NAMES_MAX &&
		       names->bytes <= segment.p_filesz - from;
	}
	return false;
}

static bool sanitizer_is_named(const char *names, size_t bytes)
{
	static const char *const known[] = {"__asan_init", "__tsan_init", "__msan_init",
					    "__hwasan_init", "liblsan.so"};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (memmem(names, bytes, known[i], strlen(known[i])))
			return true;
	return false;
}

/* Read and not mapped: somebody may be writing to the file. */
bool sanitizer_is_in(int fd, const Elf64_Ehdr *elf)
{
	struct sanitizer_names names = {0};
	char piece[SANITIZER_PIECE];
	uint64_t at;

	if (elf->e_phentsize != sizeof(Elf64_Phdr) || !sanitizer_find_names(fd, elf, &names))
		return false;
	for (at = 0; at < names.bytes; at += sizeof(piece) - SANITIZER_NAME_MAX) {
		const uint64_t left = names.bytes - at;
		const ssize_t bytes = pread(fd, piece, left < sizeof(piece) ? left : sizeof(piece),
					    (off_t)(names.offset + at));

		if (bytes <= 0)
			return false;
		if (sanitizer_is_named(piece, (size_t)bytes))
			return true;
	}
	return false;
}
