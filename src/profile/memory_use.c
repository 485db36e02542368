/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * memory_use.c - all of the memory of a process that runs, by what it is for.
 *
 * /proc/PID/smaps has the mappings and what of each is in memory. The kernel makes one of
 * neighbours that are alike, so a mapping of no file may be of several kinds: which parts the
 * program mapped itself, and which are the recorder's, the store says; of a part the pages are
 * counted in /proc/PID/pagemap. What is left is the allocator's if small objects lie in it, and of
 * large ones their own pages. The process goes on meanwhile, so sums may differ by what it did.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/memory.h"
#include "memory_use.h"

#define LARGE_BYTES (64u << 10)
#define PAGES 512u
#define PAGE_PRESENT (UINT64_C(1) << 63)
#define PAGE_SWAPPED (UINT64_C(1) << 62)

const char *const memory_names[MEMORY_KINDS] = {
	"heap",		 "mapped by the program", "stacks",	  "code of files", "data of files",
	"shared memory", "the recorder",	  "the kernel's", "not explained"};
const char *const memory_keys[MEMORY_KINDS] = {"heap",	 "mapped",   "stacks", "code",	     "data",
					       "shared", "recorder", "kernel", "unexplained"};

struct area {
	uint64_t start;
	uint64_t end;
	char mode[8];
	uint64_t inode;
	dev_t device;
	char path[256];
	struct memory_sum sum;
};

struct piece {
	uint64_t start;
	uint64_t end;
	enum memory_kind kind;
	bool small; /* the whole of what is around it is of this kind */
};

struct look {
	struct memory_use *use;
	struct piece *pieces; /* in the order of their addresses */
	size_t nr;
	size_t room;
	struct stat store;
	int pagemap;
	struct area before; /* the last one */
};

static void sum_add(struct memory_sum *sum, const struct memory_sum *more)
{
	sum->size += more->size;
	sum->resident += more->resident;
	sum->proportional += more->proportional;
	sum->swapped += more->swapped;
}

/* --- what is known of addresses ----------------------------------------------------------------
 */

static void look_piece(struct look *look, uint64_t start, uint64_t bytes, enum memory_kind kind,
		       bool small)
{
	look->pieces = memory_room(look->pieces, look->nr, &look->room, sizeof(*look->pieces));
	look->pieces[look->nr++] = (struct piece){start, start + bytes, kind, small};
}

static int pieces_by_start(const void *a, const void *b)
{
	const struct piece *left = a, *right = b;

	return (left->start > right->start) - (left->start < right->start);
}

static void look_store(struct look *look, struct stackdepot_store *store, uint32_t process)
{
	struct stackdepot_mapping mapping;
	struct stackdepot_object object;
	uint64_t position = 0, stack;

	while (stackdepot_store_next_object(store, &position, &object))
		if (object.process == process)
			look_piece(look, object.address, object.size ? object.size : 1, MEMORY_HEAP,
				   object.size < LARGE_BYTES);
	position = 0;
	while (stackdepot_store_next_mapping(store, &position, &mapping))
		if (mapping.process == process)
			look_piece(look, mapping.address, mapping.size,
				   mapping.recorder ? MEMORY_RECORDER : MEMORY_MAPPED, false);
	position = 0;
	while (stackdepot_store_next_thread(store, &position, process, &stack))
		look_piece(look, stack, 1, MEMORY_STACK, true);
	if (look->nr)
		qsort(look->pieces, look->nr, sizeof(*look->pieces), pieces_by_start);
}

/* The first piece that ends behind an address; they do not overlap, but for small ones. */
static size_t look_find(const struct look *look, uint64_t address)
{
	size_t low = 0, high = look->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (look->pieces[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* --- pages ------------------------------------------------------------------------------------ */

static void pages_count(const struct look *look, uint64_t start, uint64_t end,
			struct memory_sum *sum)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t entries[PAGES], at = start;

	while (at < end) {
		const uint64_t left = (end - at) / page;
		const size_t want = (left < PAGES ? left : PAGES) * sizeof(*entries);
		ssize_t i, got = pread(look->pagemap, entries, want,
				       (off_t)(at / page * sizeof(*entries)));

		if (got <= 0)
			return;
		for (i = 0; i < got / (ssize_t)sizeof(*entries); i++, at += page) {
			sum->resident += entries[i] & PAGE_PRESENT ? (double)page : 0;
			sum->swapped += entries[i] & PAGE_SWAPPED ? (double)page : 0;
		}
	}
}

/* Of an area, the pages from START to END. */
static void part_add(struct look *look, const struct area *area, uint64_t start, uint64_t end,
		     enum memory_kind kind)
{
	struct memory_sum sum = {.size = (double)(end - start)};

	if (start >= end)
		return;
	if (start == area->start && end == area->end) {
		sum_add(&look->use->kinds[kind], &area->sum);
		return;
	}
	pages_count(look, start, end, &sum);
	if (area->sum.resident > 0)
		sum.proportional = area->sum.proportional * sum.resident / area->sum.resident;
	sum_add(&look->use->kinds[kind], &sum);
}

/* --- which kind ------------------------------------------------------------------------------- */

static bool path_begins(const char *path, const char *with)
{
	return !strncmp(path, with, strlen(with));
}

static bool area_is_shared_memory(const struct area *area)
{
	return path_begins(area->path, "/dev/shm/") || path_begins(area->path, "/memfd:") ||
	       path_begins(area->path, "/SYSV") || path_begins(area->path, "/dev/zero") ||
	       (area->mode[3] == 's' && path_begins(area->path, "/anon"));
}

static bool area_is_recorders(const struct look *look, const struct area *area)
{
	return (area->inode == look->store.st_ino && area->device == look->store.st_dev) ||
	       strstr(area->path, "/libstackdepot-preload.so");
}

/* Zeroed data of a file is memory of no file, right behind it. */
static bool area_is_behind_file(const struct look *look, const struct area *area)
{
	return look->before.inode && look->before.end == area->start &&
	       look->before.mode[1] == 'w' && look->before.mode[3] == 'p';
}

static enum memory_kind area_of_file(const struct look *look, const struct area *area)
{
	if (area_is_recorders(look, area))
		return MEMORY_RECORDER;
	if (area_is_shared_memory(area))
		return MEMORY_SHARED;
	return area->mode[2] == 'x' ? MEMORY_CODE : MEMORY_DATA;
}

/* What an area is where nothing else is known; small objects and stacks say so of all of it. */
static enum memory_kind area_rest(const struct look *look, const struct area *area)
{
	size_t i;

	if (!strcmp(area->path, "[heap]"))
		return MEMORY_HEAP;
	if (path_begins(area->path, "[stack"))
		return MEMORY_STACK;
	if (path_begins(area->path, "[v"))
		return MEMORY_KERNEL;
	for (i = look_find(look, area->start); i < look->nr && look->pieces[i].start < area->end;
	     i++)
		if (look->pieces[i].small)
			return look->pieces[i].kind;
	if (area_is_behind_file(look, area))
		return strstr(look->before.path, "/libstackdepot-preload.so") ? MEMORY_RECORDER
									      : MEMORY_DATA;
	return MEMORY_OTHER;
}

/* Pages that are partly of one piece and partly of another are the first's. */
static void area_split(struct look *look, const struct area *area)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	const enum memory_kind rest = area_rest(look, area);
	uint64_t at = area->start;
	size_t i;

	for (i = look_find(look, area->start); i < look->nr && look->pieces[i].start < area->end;
	     i++) {
		const struct piece *piece = &look->pieces[i];
		uint64_t from = piece->start & ~(page - 1);
		uint64_t to = (piece->end + page - 1) & ~(page - 1);

		if (piece->small || piece->kind == rest)
			continue;
		from = from < at ? at : from;
		to = to > area->end ? area->end : to;
		if (from >= to)
			continue;
		part_add(look, area, at, from, rest);
		part_add(look, area, from, to, piece->kind);
		at = to;
	}
	part_add(look, area, at, area->end, rest);
}

static void area_end(struct look *look, const struct area *area)
{
	if (area->inode)
		sum_add(&look->use->kinds[area_of_file(look, area)], &area->sum);
	else
		area_split(look, area);
	sum_add(&look->use->all, &area->sum);
	/* What follows zeroed data is not behind the file. */
	look->before = *area;
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool smaps_begins(const char *line, struct area *area)
{
	unsigned int major, minor;
	struct area found = {0};

	if (sscanf(line, "%lx-%lx %7s %*s %x:%x %lu %255[^\n]", &found.start, &found.end,
		   found.mode, &major, &minor, &found.inode, found.path) < 6)
		return false;
	found.device = makedev(major, minor);
	*area = found;
	return true;
}

static void smaps_figure(const char *line, struct area *area)
{
	const char *colon = strchr(line, ':');
	const double bytes = colon ? 1024 * strtod(colon + 1, NULL) : 0;

	if (path_begins(line, "Size:"))
		area->sum.size = bytes;
	else if (path_begins(line, "Rss:"))
		area->sum.resident = bytes;
	else if (path_begins(line, "Pss:"))
		area->sum.proportional = bytes;
	else if (path_begins(line, "Swap:"))
		area->sum.swapped = bytes;
}

static void smaps_read(struct look *look, FILE *smaps)
{
	char line[PATH_MAX + 256];
	struct area area = {0}, next;

	while (fgets(line, sizeof(line), smaps)) {
		if (!smaps_begins(line, &next)) {
			smaps_figure(line, &area);
			continue;
		}
		if (area.end)
			area_end(look, &area);
		area = next;
	}
	if (area.end)
		area_end(look, &area);
}

int memory_look(const struct profile *profile, const struct profile_process *process,
		struct memory_use *ret_use)
{
	const struct profile_store *store = profile_store_of(profile, process);
	struct look look = {.use = ret_use};
	char path[64];
	FILE *smaps;

	*ret_use = (struct memory_use){0};
	snprintf(path, sizeof(path), "/proc/%u/smaps", process->info.pid);
	smaps = fopen(path, "re");
	if (!smaps)
		return -errno;
	snprintf(path, sizeof(path), "/proc/%u/pagemap", process->info.pid);
	look.pagemap = open(path, O_RDONLY | O_CLOEXEC);
	if (look.pagemap < 0 || stat(store->path, &look.store)) {
		(void)fclose(smaps);
		return -errno;
	}
	look_store(&look, store->store, process->info.serial);
	smaps_read(&look, smaps);
	(void)close(look.pagemap);
	(void)fclose(smaps);
	free(look.pieces);
	return 0;
}
