/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * split.c - the other halves of compilation units: .dwo files, and .dwp files that gather them.
 *
 * elfutils 0.188 knows .dwo files, but not those of clang's DWARF 4, and no .dwp files. What it
 * reads well is a program with one unit. So of the file with the other half an image is made in
 * memory that is one:
 *
 *	+------------------------------+------------------+-------------+---------+
 *	| the file, as it is           | what was         | .debug_addr | headers |
 *	| (mapped, not copied)         | compressed in it | and ranges  |         |
 *	+------------------------------+------------------+-------------+---------+
 *
 * Its section headers are new: they name the sections as those of a program, and give of each the
 * part that is this unit's, as the index of a .dwp file says. The addresses are the program's own
 * section, from where the skeleton says on, so that numbers of addresses count from its beginning;
 * likewise the ranges of DWARF 4. Nothing in the image is believed: it is read as any file is.
 */
#define _GNU_SOURCE
#include <dwarf.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "symbols/split.h"

#define MAX_PARTS 16u
#define MAX_COLUMNS 16u
#define PAGE 4096u

/* A section of the image: bytes that lie in the mapped file, or that are copied behind it. */
struct split_part {
	const char *name;
	const uint8_t *bytes;
	size_t nr;
	uint64_t offset; /* in the image */
};

/* A file that is read; open until the image is made. */
struct split_file {
	int fd;
	size_t bytes;
	uint8_t *mapped;
	Elf *elf;
};

struct split {
	struct split_file file;
	struct split_part parts[MAX_PARTS];
	size_t nr_parts;
	uint8_t *image;
	size_t image_bytes;
	Elf *elf;
	Dwarf *dwarf;
	Dwarf_Die unit;
	Dwarf_Addr base;
};

/* What identifies a unit, and where its own things begin in the sections that all share. */
struct split_skeleton {
	uint64_t number;
	unsigned int version;
	const char *file; /* name of the .dwo file */
	const char *directory;
	uint64_t addresses; /* offset in .debug_addr */
	uint64_t ranges;    /* offset in .debug_ranges, of DWARF 4 */
	Elf *elf;
};

/* Sections of a file with other halves, and their numbers in an index, of version 2 and 5. */
static const struct split_section {
	const char *name; /* as the image has it; in the file it ends with .dwo */
	uint32_t gnu;
	uint32_t five;
} split_sections[] = {
	{".debug_info", 1, 1},	      {".debug_abbrev", 3, 3},	 {".debug_line", 4, 4},
	{".debug_str_offsets", 6, 6}, {".debug_str", 0, 0},	 {".debug_loc", 5, 0},
	{".debug_loclists", 0, 5},    {".debug_rnglists", 0, 8},
};

/* --- the skeleton ----------------------------------------------------------------------------- */

static const char *split_text(Dwarf_Die *die, unsigned int name, unsigned int gnu_name)
{
	Dwarf_Attribute attribute;

	if (!dwarf_attr(die, name, &attribute) && !dwarf_attr(die, gnu_name, &attribute))
		return NULL;
	return dwarf_formstring(&attribute);
}

static uint64_t split_number(Dwarf_Die *die, unsigned int name, unsigned int gnu_name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value = 0;

	if (dwarf_attr(die, name, &attribute) || dwarf_attr(die, gnu_name, &attribute))
		(void)dwarf_formudata(&attribute, &value);
	return value;
}

bool split_is_skeleton(Dwarf_Die *unit)
{
	return split_text(unit, DW_AT_dwo_name, DW_AT_GNU_dwo_name);
}

static bool split_read_skeleton(Dwarf_Die *die, struct split_skeleton *skeleton)
{
	Dwarf_Half version;
	uint64_t number;
	uint8_t type;

	if (dwarf_cu_info(die->cu, &version, &type, NULL, NULL, &number, NULL, NULL))
		return false;
	*skeleton = (struct split_skeleton){
		.number = version >= 5 ? number
				       : split_number(die, DW_AT_GNU_dwo_id, DW_AT_GNU_dwo_id),
		.version = version,
		.file = split_text(die, DW_AT_dwo_name, DW_AT_GNU_dwo_name),
		.directory = split_text(die, DW_AT_comp_dir, DW_AT_comp_dir),
		.addresses = split_number(die, DW_AT_addr_base, DW_AT_GNU_addr_base),
		.ranges = split_number(die, DW_AT_GNU_ranges_base, DW_AT_GNU_ranges_base),
		.elf = dwarf_getelf(dwarf_cu_getdwarf(die->cu)),
	};
	return skeleton->file;
}

/* --- files ------------------------------------------------------------------------------------ */

static void split_close_file(struct split_file *file)
{
	if (file->elf)
		(void)elf_end(file->elf);
	if (file->mapped)
		(void)munmap(file->mapped, file->bytes);
	if (file->fd >= 0)
		(void)close(file->fd);
}

/* An ELF file of 64 bits of this machine's byte order. */
static bool split_open_file(struct split_file *file, const char *path)
{
	const char *identity;
	struct stat st;
	void *memory;

	*file = (struct split_file){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
	if (file->fd < 0 || fstat(file->fd, &st) || !S_ISREG(st.st_mode) || !st.st_size)
		goto bad;
	file->bytes = (size_t)st.st_size;
	memory = mmap(NULL, file->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, file->fd, 0);
	if (memory == MAP_FAILED)
		goto bad;
	file->mapped = memory;
	file->elf = elf_memory((char *)file->mapped, file->bytes);
	identity = file->elf ? elf_getident(file->elf, NULL) : NULL;
	if (identity && elf_kind(file->elf) == ELF_K_ELF && identity[EI_CLASS] == ELFCLASS64 &&
	    identity[EI_DATA] == (__BYTE_ORDER == __LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB))
		return true;
bad:
	split_close_file(file);
	*file = (struct split_file){.fd = -1};
	return false;
}

/* The bytes of a section, no more compressed; false if there is none of that name. */
static bool split_section(Elf *elf, const char *name, const char *suffix, struct split_part *ret)
{
	char *wanted = memory_print("%s%s", name, suffix);
	size_t names;
	Elf_Scn *scn = NULL;
	bool found = false;

	while (!elf_getshdrstrndx(elf, &names) && !found && (scn = elf_nextscn(elf, scn))) {
		GElf_Shdr header; /* a copy: in the file they need not be aligned */
		const char *is =
			gelf_getshdr(scn, &header) ? elf_strptr(elf, names, header.sh_name) : NULL;
		Elf_Data *data;

		if (!is || strcmp(is, wanted) ||
		    ((header.sh_flags & SHF_COMPRESSED) && elf_compress(scn, 0, 0) < 0))
			continue;
		data = elf_getdata(scn, NULL);
		found = data && data->d_buf && data->d_size;
		if (found)
			*ret = (struct split_part){
				.name = name, .bytes = data->d_buf, .nr = data->d_size};
	}
	free(wanted);
	return found;
}

/* --- the index of a .dwp file ----------------------------------------------------------------- */

/* Of one unit: what is its own, by the numbers of sections. */
struct split_index {
	bool is_known[MAX_COLUMNS];
	uint32_t offset[MAX_COLUMNS];
	uint32_t bytes[MAX_COLUMNS];
};

static uint32_t split_word(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

static uint32_t split_hashed(const uint8_t *hashes, uint32_t slots, uint64_t number)
{
	uint32_t slot = (uint32_t)number & (slots - 1);
	uint32_t step = ((uint32_t)(number >> 32) & (slots - 1)) | 1, tries;
	uint64_t hash;

	for (tries = 0; tries < slots; tries++, slot = (slot + step) & (slots - 1)) {
		memcpy(&hash, hashes + 8ull * slot, sizeof(hash));
		if (hash == number)
			return split_word(hashes + 8ull * slots + 4ull * slot);
		if (!hash)
			break;
	}
	return 0;
}

/* The row of a unit, or false. A row is found by the unit's number, in a hash table in front. */
static bool split_lookup(const struct split_part *index, uint64_t number, struct split_index *ret)
{
	const uint8_t *at = index->bytes, *table;
	uint32_t columns, units, slots, row, i;

	if (index->nr < 16)
		return false;
	columns = split_word(at + 4);
	units = split_word(at + 8);
	slots = split_word(at + 12);
	if (!slots || (slots & (slots - 1)) || slots > index->nr || units > index->nr ||
	    columns > MAX_COLUMNS ||
	    16 + 12ull * slots + 4ull * columns * (1 + 2ull * units) > index->nr)
		return false;
	row = split_hashed(at + 16, slots, number);
	if (!row || row > units)
		return false;
	table = at + 16 + 12ull * slots;
	for (i = 0; i < columns; i++) {
		uint32_t section = split_word(table + 4ull * i);
		const uint8_t *cell = table + 4ull * ((uint64_t)columns * row + i);

		if (section >= MAX_COLUMNS)
			continue;
		ret->is_known[section] = true;
		ret->offset[section] = split_word(cell);
		ret->bytes[section] = split_word(cell + 4ull * columns * units);
	}
	return true;
}

/* Make the part of a section this unit's alone. */
static bool split_cut(struct split_part *part, uint64_t offset, uint64_t bytes)
{
	if (offset > part->nr || bytes > part->nr - offset)
		return false;
	part->bytes += offset;
	part->nr = bytes;
	return true;
}

/* --- the image -------------------------------------------------------------------------------- */

static void split_add_from(struct split *split, Elf *elf, const char *name, uint64_t offset)
{
	struct split_part part;

	if (split_section(elf, name, "", &part) && offset < part.nr &&
	    split_cut(&part, offset, part.nr - offset))
		split->parts[split->nr_parts++] = part;
}

/* All parts of the image; INDEX is NULL for a .dwo file, whose sections are all its unit's. */
static bool split_gather(struct split *split, const struct split_skeleton *skeleton,
			 const struct split_index *index)
{
	struct split_part part;
	size_t i;

	for (i = 0; i < sizeof(split_sections) / sizeof(split_sections[0]); i++) {
		const struct split_section *section = &split_sections[i];
		uint32_t column = skeleton->version >= 5 ? section->five : section->gnu;

		if (!split_section(split->file.elf, section->name, ".dwo", &part))
			continue;
		if (index && column) {
			if (!index->is_known[column])
				continue;
			if (!split_cut(&part, index->offset[column], index->bytes[column]))
				return false;
		}
		split->parts[split->nr_parts++] = part;
	}
	split_add_from(split, skeleton->elf, ".debug_addr", skeleton->addresses);
	if (skeleton->version < 5)
		split_add_from(split, skeleton->elf, ".debug_ranges", skeleton->ranges);
	return split->nr_parts;
}

static bool split_is_mapped(const struct split *split, const struct split_part *part)
{
	return part->bytes >= split->file.mapped &&
	       part->bytes < split->file.mapped + split->file.bytes;
}

/* Where each part goes; returns the bytes of all of them, and *RET_NAMES of their names. */
static size_t split_place(struct split *split, size_t *ret_names)
{
	size_t at = (split->file.bytes + PAGE - 1) / PAGE * PAGE, i;

	*ret_names = 1 + sizeof(".shstrtab");
	for (i = 0; i < split->nr_parts; i++) {
		struct split_part *part = &split->parts[i];

		*ret_names += strlen(part->name) + 1;
		if (split_is_mapped(split, part)) {
			part->offset = (uint64_t)(part->bytes - split->file.mapped);
			continue;
		}
		part->offset = at;
		at += (part->nr + 15) / 16 * 16;
	}
	return at;
}

static void split_headers(struct split *split, size_t names_at, size_t names_bytes)
{
	Elf64_Ehdr *header = (void *)split->image;
	size_t table = (names_at + names_bytes + 15) / 16 * 16, name = 1, i;
	Elf64_Shdr *sections = (void *)(split->image + table);
	char *names = (char *)split->image + names_at;

	header->e_phoff = 0;
	header->e_phnum = 0;
	header->e_shoff = table;
	header->e_shentsize = sizeof(*sections);
	header->e_shnum = (Elf64_Half)(split->nr_parts + 2);
	header->e_shstrndx = (Elf64_Half)(split->nr_parts + 1);
	for (i = 1; i <= split->nr_parts + 1; i++) {
		const struct split_part *part = &split->parts[i - 1];
		const char *text = i > split->nr_parts ? ".shstrtab" : part->name;

		sections[i].sh_name = (Elf64_Word)name;
		sections[i].sh_type = i > split->nr_parts ? SHT_STRTAB : SHT_PROGBITS;
		sections[i].sh_offset = i > split->nr_parts ? names_at : part->offset;
		sections[i].sh_size = i > split->nr_parts ? names_bytes : part->nr;
		sections[i].sh_addralign = 1;
		strcpy(names + name, text);
		name += strlen(text) + 1;
	}
}

static bool split_build(struct split *split)
{
	size_t names, names_at = split_place(split, &names), i;
	void *memory;

	split->image_bytes = names_at + names + 16 + (split->nr_parts + 2) * sizeof(Elf64_Shdr);
	memory = mmap(NULL, split->image_bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return false;
	split->image = memory;
	if (mmap(memory, split->file.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
		 split->file.fd, 0) == MAP_FAILED)
		return false;
	for (i = 0; i < split->nr_parts; i++)
		if (!split_is_mapped(split, &split->parts[i]))
			memcpy(split->image + split->parts[i].offset, split->parts[i].bytes,
			       split->parts[i].nr);
	split_headers(split, names_at, names);
	split->elf = elf_memory((char *)split->image, split->image_bytes);
	split->dwarf = split->elf ? dwarf_begin_elf(split->elf, DWARF_C_READ, NULL) : NULL;
	return split->dwarf;
}

/* The unit of this number; with -flto a .dwo file has several. */
static bool split_find(struct split *split, const struct split_skeleton *skeleton)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Half version;
	uint64_t number;
	uint8_t type;

	while (!dwarf_get_units(split->dwarf, cu, &cu, &version, &type, &split->unit, NULL)) {
		if (version != skeleton->version)
			continue;
		if (dwarf_cu_info(cu, NULL, NULL, NULL, NULL, &number, NULL, NULL))
			continue;
		if (version < 5)
			number = split_number(&split->unit, DW_AT_GNU_dwo_id, DW_AT_GNU_dwo_id);
		if (number == skeleton->number)
			return true;
	}
	return false;
}

static struct split *split_try(const struct split_skeleton *skeleton, const char *path,
			       bool is_package)
{
	struct split *split = memory_alloc(sizeof(*split));
	struct split_index index = {{false}, {0}, {0}};
	struct split_part part;

	if (split_open_file(&split->file, path) &&
	    (!is_package || (split_section(split->file.elf, ".debug_cu_index", "", &part) &&
			     split_lookup(&part, skeleton->number, &index))) &&
	    split_gather(split, skeleton, is_package ? &index : NULL) && split_build(split) &&
	    split_find(split, skeleton)) {
		split_close_file(&split->file);
		return split;
	}
	split_close_file(&split->file);
	split_close(split);
	return NULL;
}

/* --- where it is ------------------------------------------------------------------------------ */

/* In DIRECTORY, with or without its own directories. */
static struct split *split_try_in(const struct split_skeleton *skeleton, const char *directory,
				  int length, const char *name)
{
	char *path = memory_print("%.*s/%s", length, directory, name);
	struct split *split = split_try(skeleton, path, false);

	free(path);
	return split;
}

struct split *split_open(Dwarf_Die *die, const char *program)
{
	const char *slash = program ? strrchr(program, '/') : NULL, *name;
	struct split_skeleton skeleton;
	struct split *split = NULL;
	char *package;

	if (!split_read_skeleton(die, &skeleton))
		return NULL;
	if (program) {
		package = memory_print("%s.dwp", program);
		split = split_try(&skeleton, package, true);
		free(package);
	}
	name = strrchr(skeleton.file, '/');
	name = name ? name + 1 : skeleton.file;
	if (!split && *skeleton.file == '/')
		split = split_try(&skeleton, skeleton.file, false);
	else if (!split && skeleton.directory)
		split = split_try_in(&skeleton, skeleton.directory, (int)strlen(skeleton.directory),
				     skeleton.file);
	if (!split && slash)
		split = split_try_in(&skeleton, program, (int)(slash - program), skeleton.file);
	if (!split && slash)
		split = split_try_in(&skeleton, program, (int)(slash - program), name);
	if (split && dwarf_lowpc(die, &split->base))
		split->base = 0;
	return split;
}

void split_close(struct split *split)
{
	if (!split)
		return;
	if (split->dwarf)
		(void)dwarf_end(split->dwarf);
	if (split->elf)
		(void)elf_end(split->elf);
	if (split->image)
		(void)munmap(split->image, split->image_bytes);
	free(split);
}

Dwarf_Die *split_unit(struct split *split, Dwarf_Addr *ret_base)
{
	*ret_base = split->base;
	return &split->unit;
}
