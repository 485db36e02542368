/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * sanitizer.c - programs that are built with AddressSanitizer and its like.
 *
 * They have an allocator of their own, and end at once where another library comes before it. So
 * what has one is started without us. gcc has them need the sanitizer's library, and clang has it
 * in them, with its functions exported. Few bytes are read, as each program that is started is
 * looked at; and read, not mapped, as somebody may be writing to the file.
 */
#define _GNU_SOURCE
#include "sanitizer.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "elf_hash.h"

#define SANITIZER_SEGMENTS 24u
#define SANITIZER_ENTRIES 64u
#define SANITIZER_NAME 24u

struct sanitizer_file {
	int fd;
	unsigned int nr_segments;
	Elf64_Phdr segments[SANITIZER_SEGMENTS];
	unsigned int nr_entries;
	Elf64_Dyn entries[SANITIZER_ENTRIES];
};

static bool file_read(const struct sanitizer_file *file, void *to, size_t bytes, uint64_t offset)
{
	return pread(file->fd, to, bytes, (off_t)offset) == (ssize_t)bytes;
}

static const Elf64_Phdr *file_dynamic(const struct sanitizer_file *file)
{
	unsigned int i;

	for (i = 0; i < file->nr_segments; i++)
		if (file->segments[i].p_type == PT_DYNAMIC)
			return &file->segments[i];
	return NULL;
}

static bool file_begin(struct sanitizer_file *file, int fd, const Elf64_Ehdr *elf)
{
	const Elf64_Phdr *dynamic;
	ssize_t bytes;

	file->fd = fd;
	file->nr_segments = elf->e_phnum < SANITIZER_SEGMENTS ? elf->e_phnum : SANITIZER_SEGMENTS;
	if (elf->e_phentsize != sizeof(Elf64_Phdr) ||
	    !file_read(file, file->segments, file->nr_segments * sizeof(Elf64_Phdr), elf->e_phoff))
		return false;
	dynamic = file_dynamic(file);
	if (!dynamic)
		return false;
	bytes = pread(fd, file->entries, sizeof(file->entries), (off_t)dynamic->p_offset);
	file->nr_entries = bytes > 0 ? (unsigned int)((size_t)bytes / sizeof(Elf64_Dyn)) : 0;
	return true;
}

/* The next entry of this kind from *AT on. */
static bool file_entry(const struct sanitizer_file *file, int64_t kind, unsigned int *at,
		       uint64_t *ret_value)
{
	for (; *at < file->nr_entries && file->entries[*at].d_tag != DT_NULL; (*at)++) {
		if (file->entries[*at].d_tag != kind)
			continue;
		*ret_value = file->entries[(*at)++].d_un.d_val;
		return true;
	}
	return false;
}

/* Where the table is in the file whose address an entry of this kind has; 0 if there is none. */
static uint64_t file_table(const struct sanitizer_file *file, int64_t kind)
{
	unsigned int at = 0, i;
	uint64_t address;

	if (!file_entry(file, kind, &at, &address))
		return 0;
	for (i = 0; i < file->nr_segments; i++) {
		const Elf64_Phdr *segment = &file->segments[i];

		if (segment->p_type == PT_LOAD && address - segment->p_vaddr < segment->p_filesz)
			return segment->p_offset + (address - segment->p_vaddr);
	}
	return 0;
}

/* --- what it needs ---------------------------------------------------------------------------- */

static bool sanitizer_is_library(const char *name)
{
	static const char *const known[] = {
		"libasan.so",	    "libtsan.so",	"libhwasan.so",	     "liblsan.so",
		"libclang_rt.asan", "libclang_rt.tsan", "libclang_rt.hwasan"};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strncmp(name, known[i], strlen(known[i])))
			return true;
	return false;
}

static bool sanitizer_is_needed(const struct sanitizer_file *file)
{
	const uint64_t names = file_table(file, DT_STRTAB);
	char name[SANITIZER_NAME + 1];
	unsigned int at = 0;
	uint64_t offset;

	while (names && file_entry(file, DT_NEEDED, &at, &offset)) {
		const ssize_t bytes =
			pread(file->fd, name, SANITIZER_NAME, (off_t)(names + offset));

		name[bytes > 0 ? bytes : 0] = '\0';
		if (sanitizer_is_library(name))
			return true;
	}
	return false;
}

/* --- what it exports -------------------------------------------------------------------------- */

/* The table of DT_GNU_HASH, by its parts; elf_find() of the recorder looks into one in memory. */
struct sanitizer_hash {
	uint32_t buckets, first_symbol, bloom_words, bloom_shift;
};

static bool hash_may_have(const struct sanitizer_file *file, const struct sanitizer_hash *hash,
			  uint64_t bloom, uint32_t value)
{
	uint64_t word;

	return file_read(file, &word, sizeof(word),
			 bloom + value / 64 % hash->bloom_words * sizeof(word)) &&
	       word >> value % 64 & word >> (value >> hash->bloom_shift) % 64 & 1;
}

/* Two names with the same 32 bits are one here. */
static bool hash_has(const struct sanitizer_file *file, const struct sanitizer_hash *hash,
		     uint64_t buckets, uint32_t value)
{
	const uint64_t chains = buckets + (uint64_t)hash->buckets * sizeof(uint32_t);
	uint32_t number, link = 0, i;

	if (!file_read(file, &number, sizeof(number),
		       buckets + value % hash->buckets * sizeof(number)) ||
	    number < hash->first_symbol)
		return false;
	number -= hash->first_symbol;
	for (i = 0; i < 1024 && !(link & 1); i++) {
		if (!file_read(file, &link, sizeof(link),
			       chains + ((uint64_t)number + i) * sizeof(link)))
			return false;
		if ((link | 1) == (value | 1))
			return true;
	}
	return false;
}

static bool sanitizer_is_exported(const struct sanitizer_file *file)
{
	static const char *const known[] = {"__asan_init", "__tsan_init", "__msan_init",
					    "__hwasan_init", "__lsan_init"};
	const uint64_t table = file_table(file, DT_GNU_HASH);
	const uint64_t bloom = table + sizeof(struct sanitizer_hash);
	struct sanitizer_hash hash;
	size_t i;

	if (!table || !file_read(file, &hash, sizeof(hash), table) || !hash.buckets ||
	    !hash.bloom_words)
		return false;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const uint32_t value = elf_hash_of(known[i]);

		if (hash_may_have(file, &hash, bloom, value) &&
		    hash_has(file, &hash, bloom + (uint64_t)hash.bloom_words * sizeof(uint64_t),
			     value))
			return true;
	}
	return false;
}

bool sanitizer_is_in(int fd, const Elf64_Ehdr *elf)
{
	struct sanitizer_file file;

	return file_begin(&file, fd, elf) &&
	       (sanitizer_is_needed(&file) || sanitizer_is_exported(&file));
}
