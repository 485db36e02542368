/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * modules.c - which files the frames lie in.
 *
 * A frame of a trace says which file of the store's module table it is in, and where in that (see
 * stackdepot/store.h): so it means the same in another process, and when the file has gone and
 * another has its addresses. The unwinder asks here whenever it meets code that it does not know
 * (stackdepot_unwind_portable_by()): found by the address alone (_dl_find_object() takes no lock),
 * however it came to be loaded.
 *
 * What a file is, is read from its memory if it has a build-id; if not, the file system is asked,
 * which may know another file of that name later. So what was found out is kept (`known`), and
 * believed if what lies there now has the same link map, addresses and build-id. Files without one
 * are believed to be the same until something is unloaded, and then if they are still there. An
 * entry is guarded by a number that is odd while it is written, and whoever finds it so asks anew:
 * nobody waits, in a signal handler or for a thread that is not there any more.
 *
 * A file that finds no record has frames that are addresses, never places in another one.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "elf_module.h"
#include "ending.h"
#include "filter.h"
#include "frame.h"
#include "module_table.h"
#include "modules.h"
#include "patch.h"
#include "recorder.h"

#define KNOWN 1024u /* a power of two */
#define KNOWN_NEAR 8u
#define PRESENT 1024u
#define PAGE_OF(address) ((address) & ~(uint64_t)(STORE_PAGE_BYTES - 1))

/* What the loader says of the code that is asked for. */
struct place {
	uintptr_t start;
	uintptr_t end;
	const struct link_map *link_map;
	uint64_t headers; /* hash of its build-id, or of its program headers */
	/* of the module as a whole */
	uintptr_t low;
	uintptr_t high;
};

struct known {
	uint64_t sequence;
	uintptr_t start;
	uintptr_t end;
	const struct link_map *link_map;
	uint64_t headers;
	uintptr_t low;
	uint32_t number; /* 0: it has no record */
	bool by_file;	 /* it has no build-id */
};

static struct known known[KNOWN];
static uint64_t known_used[KNOWN / 64]; /* which of these were ever written to */
static bool known_by_file;		/* of some */

/* What was there at the start, in the order of loading: some of it holds no code that allocates. */
static uintptr_t present[PRESENT];
static uint32_t present_nr;

/* Of the program itself, whose ranges are several if its segments do not lie side by side. */
static const Elf64_Phdr *program_segments;
static unsigned int program_nr_segments;

/* --- what it is ------------------------------------------------------------------------------- */

struct build_id {
	const uint8_t *bytes;
	uint32_t nr;
};

static struct build_id note_build_id(const char *note, size_t bytes)
{
	while (bytes >= sizeof(Elf64_Nhdr)) {
		const Elf64_Nhdr *header = (const void *)note;
		size_t name = (header->n_namesz + 3) & ~(size_t)3;
		size_t whole = sizeof(*header) + name + ((header->n_descsz + 3) & ~(size_t)3);

		if (whole > bytes)
			break;
		if (header->n_type == NT_GNU_BUILD_ID && header->n_namesz == 4 &&
		    !memcmp(note + sizeof(*header), "GNU", 4) &&
		    header->n_descsz <= STORE_BUILD_ID_BYTES)
			return (struct build_id){(const void *)(note + sizeof(*header) + name),
						 header->n_descsz};
		note += whole;
		bytes -= whole;
	}
	return (struct build_id){NULL, 0};
}

struct segments {
	const Elf64_Phdr *first;
	unsigned int nr;
};

/* The ELF header is at the start of a range, unless that is a later one of the program's. */
static struct segments place_segments(const struct place *place)
{
	const Elf64_Ehdr *elf = (const void *)place->start;

	if (!*place->link_map->l_name)
		return (struct segments){program_segments, program_nr_segments};
	if (memcmp(elf->e_ident, ELFMAG, SELFMAG) || elf->e_phoff > STORE_PAGE_BYTES / 2)
		return (struct segments){NULL, 0};
	return (struct segments){(const void *)((const char *)elf + elf->e_phoff), elf->e_phnum};
}

/* In notes that lie in the module. */
static struct build_id place_build_id(const struct place *place, struct segments segments)
{
	struct build_id found = {NULL, 0};
	unsigned int i;

	for (i = 0; i < segments.nr && !found.nr; i++) {
		const Elf64_Phdr *segment = &segments.first[i];
		uintptr_t address = place->link_map->l_addr + segment->p_vaddr;

		if (segment->p_type == PT_NOTE && address >= place->low &&
		    address + segment->p_memsz <= place->high)
			found = note_build_id((const void *)address, segment->p_memsz);
	}
	return found;
}

/* From the lowest to the highest address; of the program from one of its ranges to another. */
static void place_extent(struct place *place, struct segments segments)
{
	uintptr_t low = UINTPTR_MAX, high = 0;
	unsigned int i;

	place->low = place->start;
	place->high = place->end;
	if (*place->link_map->l_name)
		return;
	for (i = 0; i < segments.nr; i++) {
		uintptr_t at = place->link_map->l_addr + segments.first[i].p_vaddr;

		if (segments.first[i].p_type != PT_LOAD)
			continue;
		low = PAGE_OF(at) < low ? PAGE_OF(at) : low;
		high = at + segments.first[i].p_memsz > high ? at + segments.first[i].p_memsz
							     : high;
	}
	/* One that is spread wider than frames can say is several modules. */
	if (low > place->start || place->end - low > FRAME_OFFSETS)
		return;
	place->low = low;
	place->high = high > place->end ? high : place->end;
}

static struct build_id place_fill(struct place *place)
{
	const struct segments segments = place_segments(place);
	struct build_id build_id;

	place_extent(place, segments);
	build_id = place_build_id(place, segments);
	place->headers = build_id.nr ? hash_bytes(HASH_BASIS, build_id.bytes, build_id.nr)
				     : hash_bytes(HASH_BASIS, segments.first,
						  segments.nr * sizeof(*segments.first));
	return build_id;
}

/* --- what it is called ------------------------------------------------------------------------ */

/* Was the program started by way of its loader, which is the executable then? */
static bool module_by_loader(void)
{
	return !getauxval(AT_BASE);
}

/* A line of /proc/self/maps, as it comes: two addresses, and a path at the end. */
struct maps_line {
	uintptr_t low;
	uintptr_t high;
	enum { MAPS_LOW, MAPS_HIGH, MAPS_REST, MAPS_PATH } at;
	struct ending path;
};

static uintptr_t maps_digit(uintptr_t number, char c)
{
	return number << 4 | (uintptr_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void maps_character(struct maps_line *line, char c)
{
	if (line->at == MAPS_LOW && c != '-')
		line->low = maps_digit(line->low, c);
	else if (line->at == MAPS_HIGH && c != ' ')
		line->high = maps_digit(line->high, c);
	else if (line->at < MAPS_REST)
		line->at++;
	else if (line->at == MAPS_REST && c == '/')
		line->at = MAPS_PATH;
	if (line->at == MAPS_PATH)
		ending_add(&line->path, &c, 1);
}

/* True if the line ends, and its addresses have this one. */
static bool maps_line_has(struct maps_line *line, char c, uintptr_t address)
{
	if (c != '\n') {
		maps_character(line, c);
		return false;
	}
	if (line->path.used && address >= line->low && address < line->high)
		return true;
	line->low = line->high = 0;
	line->at = MAPS_LOW;
	line->path.used = 0;
	line->path.cut = false;
	return false;
}

/* The file that is mapped where the program is. */
static void module_path_by_address(struct store_module *module, uintptr_t address)
{
	struct maps_line line = {.path = {module->path, sizeof(module->path) - 1, 0, false}};
	int fd = filter_allows(FILTER_MAPS) ? recorder_open("/proc/self/maps", O_RDONLY) : -1;
	char text[STORE_PATH_BYTES];
	bool found = false;
	ssize_t i, got;

	while (fd >= 0 && !found && (got = read(fd, text, sizeof(text))) > 0)
		for (i = 0; i < got && !found; i++)
			found = maps_line_has(&line, text[i], address);
	if (fd >= 0)
		(void)close(fd);
	module->path_bytes = found ? ending_finish(&line.path) : 0;
	module->path[module->path_bytes] = '\0';
}

/* The kernel says of a path that is too long the beginning, without a word. */
static void module_program_path(struct store_module *module, uintptr_t address)
{
	const size_t room = sizeof(module->path) - 1, mark = sizeof(ENDING_MARK) - 1;
	ssize_t got = room;

	if (!module_by_loader())
		got = filter_allows(FILTER_READLINK)
			      ? readlink("/proc/self/exe", module->path, room)
			      : 0;
	module->path_bytes = got > 0 ? (uint32_t)got : 0;
	if (module->path_bytes < room)
		return;
	module_path_by_address(module, address);
	if (module->path_bytes || module_by_loader())
		return;
	got = readlink("/proc/self/exe", module->path, room);
	if (got < (ssize_t)mark)
		return;
	module->path_bytes = (uint32_t)got;
	memcpy(module->path + got - mark, ENDING_MARK, mark);
}

static void module_directory(struct ending *path)
{
	char text[STORE_PATH_BYTES];

	if (!filter_allows(FILTER_GETCWD))
		return;
	if (getcwd(text, sizeof(text)))
		ending_add(path, text, strlen(text));
	else
		ending_add(path, ENDING_MARK, sizeof(ENDING_MARK) - 1);
	ending_add(path, "/", 1);
}

static void module_path(struct store_module *module, const struct place *place)
{
	const char *name = place->link_map->l_name;
	struct ending path = {module->path, sizeof(module->path) - 1, 0, false};

	if (!*name) {
		module_program_path(module, place->start);
		return;
	}
	if (name[0] != '/' && strchr(name, '/'))
		module_directory(&path);
	ending_add(&path, name, strlen(name));
	module->path_bytes = ending_finish(&path);
}

/* What the file system is asked for. */
static const char *module_file_path(const struct store_module *module, const struct place *place)
{
	const char *name = place->link_map->l_name;

	if (*name)
		return name;
	return module_by_loader() ? module->path : "/proc/self/exe";
}

/*
 * A build-id tells whether a file is still the one that was mapped. Of one without it its size,
 * time and inode are kept. If they cannot be had, nobody else's file is taken for the same.
 */
static void module_file(struct store_module *module, const struct place *place)
{
	struct store_identity *identity = &module->identity;
	struct stat st;

	identity->headers = place->headers;
	if (!filter_allows(FILTER_STAT) || stat(module_file_path(module, place), &st)) {
		identity->process =
			(uint64_t)recorder.serial << 32 | 1 |
			(uint32_t)hash_bytes(HASH_BASIS, module->path, module->path_bytes);
		return;
	}
	identity->file_bytes = (uint64_t)st.st_size;
	identity->file_mtime_ns =
		(uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
	identity->file_inode = st.st_ino;
	identity->file_device = st.st_dev;
}

/* --- its number ------------------------------------------------------------------------------- */

static uint32_t module_without_room(const struct store_identity *identity)
{
	if (module_table_drop(&recorder.modules, identity))
		recorder_count(&recorder.header->totals.modules_dropped, 1);
	return 0;
}

static uint32_t module_number(const struct place *place, struct build_id build_id)
{
	struct store_module module;
	struct store_identity *identity = &module.identity;
	uint32_t number;

	memset(&module, 0, sizeof(module));
	identity->base = place->low - place->link_map->l_addr;
	identity->bytes = PAGE_OF(place->high - place->low + STORE_PAGE_BYTES - 1);
	identity->build_id_bytes = build_id.nr;
	if (build_id.nr)
		memcpy(identity->build_id, build_id.bytes, build_id.nr);
	number = build_id.nr ? module_table_find(&recorder.modules, identity) : 0;
	if (number)
		return number;
	module_path(&module, place);
	if (!build_id.nr)
		module_file(&module, place);
	(void)fetch_add_relaxed(&recorder.process->writes, 1);
	number = module_table_add(&recorder.modules, recorder.serial, &module);
	(void)fetch_add_relaxed(&recorder.process->writes, -1u);
	return number ? number : module_without_room(identity);
}

/* --- what is known ---------------------------------------------------------------------------- */

static struct known *known_at(uintptr_t start, uint32_t i)
{
	return &known[((uint32_t)(start / STORE_PAGE_BYTES * 0x9e3779b1u) + i) % KNOWN];
}

/* Its number, if it is known. */
static bool known_find(const struct place *place, uint32_t *ret_number)
{
	uint32_t i;

	for (i = 0; i < KNOWN_NEAR; i++) {
		const struct known *at = known_at(place->start, i);
		uint64_t before = load_acquire(&at->sequence);
		bool found = load_relaxed(&at->start) == place->start &&
			     load_relaxed(&at->end) == place->end &&
			     load_relaxed(&at->link_map) == place->link_map &&
			     load_relaxed(&at->headers) == place->headers &&
			     load_relaxed(&at->low) == place->low;
		uint32_t number = load_relaxed(&at->number);

		__atomic_thread_fence(__ATOMIC_ACQUIRE); /* what was read is older than this */
		if (!found || before & 1 || load_relaxed(&at->sequence) != before)
			continue;
		*ret_number = number;
		return true;
	}
	return false;
}

/* In an empty place, or over the same addresses, or over what is at home. */
static struct known *known_place(uintptr_t start)
{
	uint32_t i;

	for (i = 0; i < KNOWN_NEAR; i++) {
		uintptr_t there = load_relaxed(&known_at(start, i)->start);

		if (!there || there == start)
			return known_at(start, i);
	}
	return known_at(start, 0);
}

static bool known_begin(struct known *at, uint64_t *ret_before)
{
	*ret_before = load_relaxed(&at->sequence);
	if (*ret_before & 1 ||
	    !__atomic_compare_exchange_n(&at->sequence, ret_before, *ret_before + 1, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	__atomic_thread_fence(__ATOMIC_RELEASE); /* who reads what follows sees it odd, or later */
	return true;
}

static void known_use(const struct known *at)
{
	const size_t number = (size_t)(at - known);

	(void)__atomic_fetch_or(&known_used[number / 64], 1ull << number % 64, __ATOMIC_RELAXED);
}

static void known_add(const struct place *place, uint32_t number, bool by_file)
{
	struct known *at = known_place(place->start);
	uint64_t before;

	known_use(at);
	if (!known_begin(at, &before))
		return;
	store_relaxed(&at->start, place->start);
	store_relaxed(&at->end, place->end);
	store_relaxed(&at->link_map, place->link_map);
	store_relaxed(&at->headers, place->headers);
	store_relaxed(&at->low, place->low);
	store_relaxed(&at->number, number);
	store_relaxed(&at->by_file, by_file);
	store_release(&at->sequence, before + 2);
	if (by_file)
		store_relaxed(&known_by_file, true);
}

/* If it is not there any more. */
static void known_remove(struct known *at)
{
	struct dl_find_object found;
	uint64_t before;

	if (!load_relaxed(&at->by_file) ||
	    (!_dl_find_object((void *)load_relaxed(&at->start), &found) &&
	     found.dlfo_link_map == load_relaxed(&at->link_map)) ||
	    !known_begin(at, &before))
		return;
	store_relaxed(&at->start, 0);
	store_relaxed(&at->by_file, false);
	store_release(&at->sequence, before + 2);
}

void modules_unloaded(void)
{
	uint32_t i;

	for (i = 0; i < KNOWN && load_relaxed(&known_by_file); i++)
		known_remove(&known[i]);
}

static bool module_of(uintptr_t code, struct stackdepot_unwind_module *ret_module)
{
	struct dl_find_object found;
	struct build_id build_id;
	struct place place;
	uint32_t number;

	if (_dl_find_object((void *)code, &found))
		return false;
	place.start = (uintptr_t)found.dlfo_map_start;
	place.end = (uintptr_t)found.dlfo_map_end;
	place.link_map = found.dlfo_link_map;
	build_id = place_fill(&place);
	if (!known_find(&place, &number)) {
		struct recorder_held held;

		recorder_hold(&held);
		number = module_number(&place, build_id);
		recorder_let(&held);
		known_add(&place, number, !build_id.nr);
	}
	if (!number || place.end - place.low > FRAME_OFFSETS)
		return false;
	ret_module->start = place.start;
	ret_module->end = place.end;
	ret_module->delta = (uintptr_t)frame_of_module(number, 0) - place.low;
	return true;
}

static bool modules_module(uintptr_t code, struct stackdepot_unwind_module *ret_module)
{
	const int saved_errno = errno;
	bool found = module_of(code, ret_module);

	errno = saved_errno;
	return found;
}

static uintptr_t modules_other(uintptr_t address)
{
	return (uintptr_t)frame_of_address(address);
}

static const struct stackdepot_unwind_portable modules_portable = {modules_module, modules_other};

/* --- beginning -------------------------------------------------------------------------------- */

static int modules_present(struct dl_phdr_info *info, size_t size, void *data)
{
	struct dl_find_object found;
	const void *last = NULL;
	unsigned int i;

	(void)size;
	(void)data;
	if (!*info->dlpi_name) {
		program_segments = info->dlpi_phdr;
		program_nr_segments = info->dlpi_phnum;
	}
	for (i = 0; i < info->dlpi_phnum && present_nr < PRESENT; i++) {
		uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

		if (info->dlpi_phdr[i].p_type != PT_LOAD ||
		    _dl_find_object((void *)start, &found) || found.dlfo_map_start == last)
			continue;
		last = found.dlfo_map_start;
		present[present_nr++] = (uintptr_t)last;
	}
	return 0;
}

/* So that the table has them in the order of loading, and a report knows of all. */
static void modules_note(void)
{
	struct stackdepot_unwind_module module;
	uint32_t i;

	for (i = 0; i < present_nr; i++)
		(void)modules_module(present[i], &module);
	stackdepot_unwind_portable_by(&modules_portable);
}

/* --- what the loader does ------------------------------------------------------------------------
 *
 * For debuggers it calls a function of its own, which does nothing, before it maps or unmaps
 * anything and after it has. Where that can be patched, the loader need not be asked at each event
 * whether a module is still there.
 */
static uint32_t modules_changes = 1;

static void modules_changed(void)
{
	(void)__atomic_fetch_add(&modules_changes, 1, __ATOMIC_RELEASE);
}

static int modules_loader(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	return elf_read(info, data) && elf_has(data, (const void *)_r_debug.r_brk);
}

static void modules_watch(void)
{
	const void *function = (const void *)_r_debug.r_brk;
	struct elf_module loader;

	if (function && dl_iterate_phdr(modules_loader, &loader) &&
	    patch_function(&loader, "_dl_debug_state", function, (const void *)modules_changed))
		stackdepot_unwind_changes_by(&modules_changes);
}

void modules_setup(void)
{
	(void)dl_iterate_phdr(modules_present, NULL);
	modules_watch();
	modules_note();
}

/* In a forked child: another thread of the parent may have been at one. */
static void known_forget(void)
{
	uint32_t i;

	for (i = 0; i < KNOWN; i++)
		if (load_relaxed(&known_used[i / 64]) >> i % 64 & 1)
			memset(&known[i], 0, sizeof(known[i]));
	memset(known_used, 0, sizeof(known_used));
}

/* Not through dl_iterate_phdr(): another thread of the parent may have held its lock. */
void modules_child(void)
{
	known_forget();
	modules_note();
}
