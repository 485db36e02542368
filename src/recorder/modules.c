/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * modules.c - which files the frames lie in, now and in the past.
 *
 * A module is recorded when the first trace with a frame in it is stored, found by the address
 * alone
 * (_dl_find_object() takes no lock), however it came to be loaded. Those present at the start are
 * permanent. The others may be unloaded, and another may take their addresses: from the first
 * unloading on, frames in them are looked at in each trace, and where addresses are used a second
 * time the frames carry the tag of their module in the top 16 bits. So a trace stored before means
 * the old module for ever, and equal addresses in different modules are different traces.
 *
 * A module that comes back to the same place, with the same build-id, is the same one.
 *
 * Records and tags can run out. A module that gets none is known all the same, while it is loaded:
 * its frames carry a tag that no record has, so they show as addresses, and never as functions of a
 * module that was there before.
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

#include "filter.h"
#include "recorder.h"

#define MAX_KNOWN 4096u
#define MAX_UNNOTED 1024u /* at one time */
#define SPINS 2000u

struct known {
	uintptr_t start;
	uintptr_t end;
	const void *link_map;
	uint32_t tag;
	bool permanent;
	bool loaded;
};

uint32_t modules_epoch;

static struct known known[MAX_KNOWN];
static uint32_t known_nr;
static struct known unnoted[MAX_UNNOTED];
static uint32_t unnoted_nr;
static uint32_t modules_lock;

static bool modules_lock_take(void)
{
	unsigned int spins = 0;

	/* Given up by and by: the holder may be the thread this signal handler interrupted. */
	while (__atomic_exchange_n(&modules_lock, 1, __ATOMIC_ACQUIRE))
		if (++spins > SPINS)
			return false;
	return true;
}

static void modules_lock_drop(void)
{
	store_release(&modules_lock, 0);
}

/* --- what a module is called ----------------------------------------------------------------- */

static void module_note(struct store_module *module, const char *note, size_t bytes)
{
	while (bytes >= sizeof(Elf64_Nhdr)) {
		const Elf64_Nhdr *header = (const void *)note;
		size_t name = (header->n_namesz + 3) & ~(size_t)3;
		size_t whole = sizeof(*header) + name + ((header->n_descsz + 3) & ~(size_t)3);

		if (whole > bytes)
			return;
		if (header->n_type == NT_GNU_BUILD_ID && header->n_namesz == 4 &&
		    !memcmp(note + sizeof(*header), "GNU", 4) &&
		    header->n_descsz <= STORE_BUILD_ID_BYTES) {
			module->build_id_bytes = header->n_descsz;
			memcpy(module->build_id, note + sizeof(*header) + name, header->n_descsz);
			return;
		}
		note += whole;
		bytes -= whole;
	}
}

/* Of the program itself, whose ranges are several if its segments do not lie side by side. */
static const Elf64_Phdr *program_segments;
static unsigned int program_nr_segments;

/* Notes of a module that lie between `low` and `high`. */
static void module_notes(struct store_module *module, const Elf64_Phdr *segment, unsigned int nr,
			 uint64_t low, uint64_t high)
{
	unsigned int i;

	for (i = 0; i < nr && !module->build_id_bytes; i++) {
		uint64_t address = module->bias + segment[i].p_vaddr;

		if (segment[i].p_type == PT_NOTE && address >= low &&
		    address + segment[i].p_memsz <= high)
			module_note(module, (const void *)(uintptr_t)address, segment[i].p_memsz);
	}
}

/* The ELF header is at the start of a range, unless that is a later one of the program's. */
static void module_build_id(struct store_module *module, const char *name)
{
	const Elf64_Ehdr *elf = (const void *)(uintptr_t)module->start;

	if (!*name)
		module_notes(module, program_segments, program_nr_segments, 0, UINT64_MAX);
	else if (!memcmp(elf->e_ident, ELFMAG, SELFMAG) && elf->e_phoff <= STORE_PAGE_BYTES / 2)
		module_notes(module, (const void *)((const char *)elf + elf->e_phoff), elf->e_phnum,
			     module->start, module->end);
}

/* Was the program started by way of its loader, which is the executable then? */
static bool module_by_loader(void)
{
	return !getauxval(AT_BASE);
}

/* The path at the end of a line of /proc/self/maps, if the line's addresses have this one. */
static bool module_mapped(char *line, uintptr_t address, struct store_module *module)
{
	char *end, *path = strchr(line, '/');
	uintptr_t low = strtoul(line, &end, 16), high = strtoul(end + 1, NULL, 16);

	if (!path || address < low || address >= high || strlen(path) >= sizeof(module->path))
		return false;
	module->path_bytes = (uint32_t)strlen(path);
	strcpy(module->path, path);
	return true;
}

/* The file that is mapped where the program is. */
static void module_path_by_address(struct store_module *module)
{
	char text[2 * sizeof(module->path)];
	int fd = filter_allows(FILTER_MAPS) ? setup_open("/proc/self/maps", O_RDONLY) : -1;
	size_t used = 0;
	bool found = false;
	ssize_t got;

	while (fd >= 0 && !found && (got = read(fd, text + used, sizeof(text) - 1 - used)) > 0) {
		char *line = text, *end;

		used += (size_t)got;
		text[used] = '\0';
		for (; !found && (end = strchr(line, '\n')); line = end + 1) {
			*end = '\0';
			found = module_mapped(line, module->start, module);
		}
		used -= (size_t)(line - text);
		memmove(text, line, used);
	}
	if (fd >= 0)
		(void)close(fd);
}

static void module_path(struct store_module *module, const char *name)
{
	size_t room = sizeof(module->path) - 1, used = 0, length = strlen(name);
	ssize_t got;

	if (!length && module_by_loader()) {
		module_path_by_address(module);
		return;
	}
	if (!length) {
		got = filter_allows(FILTER_READLINK)
			      ? readlink("/proc/self/exe", module->path, room)
			      : 0;
		module->path_bytes = got > 0 ? (uint32_t)got : 0;
		return;
	}
	if (name[0] != '/' && strchr(name, '/') && filter_allows(FILTER_GETCWD) &&
	    getcwd(module->path, room - 1)) {
		used = strlen(module->path);
		module->path[used++] = '/';
	}
	/* Of a path that is too long the end says more. */
	if (length > room - used) {
		name += length - (room - used);
		length = room - used;
	}
	memcpy(module->path + used, name, length);
	module->path_bytes = (uint32_t)(used + length);
}

/*
 * A build-id tells whether a file is still the one that was mapped. Of one without it its size,
 * time and inode are kept.
 */
static void module_file(struct store_module *module, const char *name)
{
	struct stat st;

	if (module->build_id_bytes || !filter_allows(FILTER_STAT) ||
	    stat(*name || module_by_loader() ? module->path : "/proc/self/exe", &st))
		return;
	module->file_bytes = (uint64_t)st.st_size;
	module->file_mtime_ns =
		(uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
	module->file_inode = st.st_ino;
}

/* --- the list --------------------------------------------------------------------------------- */

static struct store_module *module_record(uint32_t number)
{
	return number < recorder.layout.modules ? &recorder.modules[number] : NULL;
}

/* Is what is loaded there the module of this record? */
static bool module_same(uint32_t number, const struct dl_find_object *found)
{
	const struct store_module *record = module_record(number);
	struct store_module now = {.start = (uintptr_t)found->dlfo_map_start,
				   .end = (uintptr_t)found->dlfo_map_end,
				   .bias = found->dlfo_link_map->l_addr};

	if (!record || record->start != now.start || record->end != now.end)
		return false;
	module_build_id(&now, found->dlfo_link_map->l_name);
	return now.build_id_bytes && now.build_id_bytes == record->build_id_bytes &&
	       !memcmp(now.build_id, record->build_id, now.build_id_bytes);
}

static uint32_t module_next_tag(const struct dl_find_object *found)
{
	uint32_t i, tag = 0;

	for (i = 0; i < known_nr; i++)
		if (known[i].start < (uintptr_t)found->dlfo_map_end &&
		    known[i].end > (uintptr_t)found->dlfo_map_start && known[i].tag >= tag)
			tag = known[i].tag + 1;
	return tag;
}

static void module_write(uint32_t number, const struct dl_find_object *found)
{
	struct store_module *record = module_record(number);

	record->start = known[number].start;
	record->end = known[number].end;
	record->bias = found->dlfo_link_map->l_addr;
	record->tag = known[number].tag;
	record->load_ns = recorder_now_ns();
	module_build_id(record, found->dlfo_link_map->l_name);
	module_path(record, found->dlfo_link_map->l_name);
	module_file(record, found->dlfo_link_map->l_name);
	store_release(&record->state, 1);
}

/* Both under the lock. */
static struct known *module_again(const struct dl_find_object *found)
{
	uint32_t i;

	for (i = 0; i < known_nr; i++) {
		if (known[i].start != (uintptr_t)found->dlfo_map_start || !module_same(i, found))
			continue;
		known[i].link_map = found->dlfo_link_map;
		store_release(&known[i].loaded, true);
		recorder.modules[i].unload_ns = 0;
		return &known[i];
	}
	return NULL;
}

static void module_fill(struct known *module, const struct dl_find_object *found, uint32_t tag)
{
	module->start = (uintptr_t)found->dlfo_map_start;
	module->end = (uintptr_t)found->dlfo_map_end;
	module->link_map = found->dlfo_link_map;
	module->tag = tag;
}

/* A place among those without a record; NULL if all are in use. */
static struct known *module_add_unnoted(const struct dl_find_object *found)
{
	uint32_t i;

	for (i = 0; i < unnoted_nr && unnoted[i].loaded; i++)
		;
	if (i == MAX_UNNOTED)
		return NULL;
	recorder_count(&recorder.header->counts.modules_dropped, 1);
	module_fill(&unnoted[i], found, STORE_TAG_UNNOTED);
	store_release(&unnoted[i].loaded, true);
	if (i == unnoted_nr)
		store_release(&unnoted_nr, i + 1);
	return &unnoted[i];
}

static struct known *module_add(const struct dl_find_object *found, bool permanent)
{
	struct known *module = module_again(found);
	uint32_t tag = module_next_tag(found);

	if (module)
		return module;
	if (known_nr == MAX_KNOWN || known_nr >= recorder.layout.modules ||
	    tag >= STORE_TAG_UNNOTED)
		return module_add_unnoted(found);
	module = &known[known_nr];
	module_fill(module, found, tag);
	module->permanent = permanent;
	module->loaded = true;
	module_write(known_nr, found);
	store_release(&known_nr, known_nr + 1);
	return module;
}

static void module_unload(struct known *module)
{
	if (module->tag != STORE_TAG_UNNOTED)
		module_record((uint32_t)(module - known))->unload_ns = recorder_now_ns();
	store_release(&module->loaded, false);
	(void)fetch_add_relaxed(&modules_epoch, 1);
}

/* --- look-up ---------------------------------------------------------------------------------- */

static bool module_has(const struct known *module, uintptr_t pc)
{
	return pc >= module->start && pc < module->end && load_relaxed(&module->loaded);
}

static struct known *module_search(uintptr_t pc)
{
	uint32_t i, nr = load_acquire(&known_nr);

	for (i = 0; i < nr; i++)
		if (module_has(&known[i], pc))
			return &known[i];
	for (i = 0, nr = load_acquire(&unnoted_nr); i < nr; i++)
		if (module_has(&unnoted[i], pc))
			return &unnoted[i];
	return NULL;
}

/* The module of an address in code, known or to be made known; NULL for code of no module. */
static struct known *module_find(uintptr_t pc)
{
	struct known *module = module_search(pc);
	struct dl_find_object found;

	if (module && module->permanent)
		return module;
	if (_dl_find_object((void *)pc, &found))
		return NULL;
	if (module && module->link_map == found.dlfo_link_map &&
	    module->start == (uintptr_t)found.dlfo_map_start)
		return module;
	if (!modules_lock_take())
		return module;
	if (module)
		module_unload(module);
	module = module_add(&found, false);
	modules_lock_drop();
	return module;
}

void modules_see(const uintptr_t *frames, unsigned int nr)
{
	const int saved_errno = errno;
	const struct known *last = NULL;
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (!last || !module_has(last, frames[i] - 1))
			last = module_find(frames[i] - 1);
	errno = saved_errno;
}

void modules_see_few(const uintptr_t *frames, unsigned int nr)
{
	static uint32_t last[2];
	unsigned int i;

	for (i = 0; i < nr; i++) {
		uint32_t first = load_relaxed(&last[0]), second = load_relaxed(&last[1]);
		struct known *module;

		if (likely(module_has(&known[first], frames[i] - 1) ||
			   module_has(&known[second], frames[i] - 1)))
			continue;
		modules_see(&frames[i], 1);
		module = module_search(frames[i] - 1);
		if (module && module->tag != STORE_TAG_UNNOTED) {
			store_relaxed(&last[1], first);
			store_relaxed(&last[0], (uint32_t)(module - known));
		}
	}
}

/* Of code that is in no module that could be noted: where one was before, its name would be taken.
 */
static uint32_t module_tag_of_none(uintptr_t pc)
{
	uint32_t i, nr = load_acquire(&known_nr);

	for (i = 0; i < nr; i++)
		if (pc >= known[i].start && pc < known[i].end)
			return STORE_TAG_UNNOTED;
	return 0;
}

bool modules_tag(const uintptr_t *frames, unsigned int nr, uintptr_t *ret_frames)
{
	const int saved_errno = errno;
	const struct known *last = NULL;
	bool tagged = false;
	unsigned int i;
	uint32_t tag;

	for (i = 0; i < nr; i++) {
		if (!last || !module_has(last, frames[i] - 1))
			last = module_find(frames[i] - 1);
		tag = last ? last->tag : module_tag_of_none(frames[i] - 1);
		ret_frames[i] = frames[i] | (uintptr_t)tag << 48;
		tagged |= tag != 0;
	}
	errno = saved_errno;
	return tagged;
}

static void module_look(struct known *module)
{
	struct dl_find_object found;

	if (module->permanent || !module->loaded)
		return;
	if (_dl_find_object((void *)module->start, &found) ||
	    found.dlfo_link_map != module->link_map)
		module_unload(module);
}

void modules_unloaded(void)
{
	uint32_t i;

	if (!modules_lock_take())
		return;
	for (i = 0; i < known_nr; i++)
		module_look(&known[i]);
	for (i = 0; i < unnoted_nr; i++)
		module_look(&unnoted[i]);
	modules_lock_drop();
}

static int module_permanent(struct dl_phdr_info *info, size_t size, void *data)
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
	for (i = 0; i < info->dlpi_phnum; i++) {
		uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

		if (info->dlpi_phdr[i].p_type != PT_LOAD ||
		    _dl_find_object((void *)start, &found) || found.dlfo_map_start == last)
			continue;
		(void)module_add(&found, true);
		last = found.dlfo_map_start;
	}
	return 0;
}

void modules_setup(void)
{
	(void)dl_iterate_phdr(module_permanent, NULL);
}

/* Not through dl_iterate_phdr(): another thread of the parent may have held its lock. */
void modules_child(void)
{
	uint32_t i, nr = known_nr;

	modules_lock = 0;
	modules_epoch = 0;
	known_nr = unnoted_nr = 0;
	for (i = 0; i < nr; i++) {
		bool permanent = known[i].permanent;
		struct dl_find_object found;

		/* known_nr never overtakes i, so this writes to entries already read. */
		if (known[i].loaded && !_dl_find_object((void *)known[i].start, &found))
			(void)module_add(&found, permanent);
	}
}
