/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * lost.c - which of a process's live objects nothing points to any more.
 *
 * Roots are what the program can reach without a pointer: registers, each thread's stack from its
 * stack pointer on, and every page that was written and is not the heap: data of modules,
 * thread-local storage, mappings of the program's own.
 *
 * The heap is brk()'s, and the mappings that live objects lie in. Of these only the objects are
 * looked at: what was freed, and the allocator's lists of it, would keep alive what it once pointed
 * to. But a large object has memory of its own, which may be one mapping with what is beside it,
 * the variables of a thread for one; so it does not make that heap. Where the
 * table does not have every object, one that is not in it may hold the only pointer; then the heap
 * is a root, all but the objects in the table.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "image.h"
#include "lost.h"
#include "mark.h"
#include "stop.h"

#define LARGE_BYTES (64u << 10)
#define RED_ZONE_BYTES 128u /* below the stack pointer, x86-64's; arm64 has none */

enum region_kind { REGION_ROOT, REGION_HEAP, REGION_STACK };

struct region {
	uint64_t start;
	uint64_t end;
	enum region_kind kind;
	uint64_t first; /* of a stack, the first address in use */
};

struct search {
	uint32_t process; /* serial number in the store */
	struct lost lost;
	size_t room;
	struct stat store;
	bool maps_store;
	uint64_t recorder_end;	/* of the preload library's variables */
	uint64_t file_end;	/* of the last mapping of its file that was met */
	struct region *regions; /* in the order of their addresses */
	size_t nr_regions;
	size_t room_regions;
	struct stop stop;
	struct image image;
	struct mark mark;
	const struct lost_copied *copied; /* NULL if it was told */
	int error;
};

static uint64_t lost_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int lost_grow(struct search *search, size_t room)
{
	struct lost_object *objects = reallocarray(search->lost.objects, room, sizeof(*objects));

	if (!objects)
		return -ENOMEM;
	search->lost.objects = objects;
	search->room = room;
	return 0;
}

/* Memory for what will be read while the process is stopped, there and touched. */
static int lost_prepare(struct search *search, struct stackdepot_store *store, pid_t pid)
{
	struct stackdepot_object object;
	uint64_t position = 0;
	size_t nr = 0;
	int error;

	while (stackdepot_store_next_object(store, &position, &object))
		nr += object.process == search->process;
	error = lost_grow(search, nr + nr / 16 + 1024);
	if (error)
		return error;
	memset(search->lost.objects, 0xff, search->room * sizeof(*search->lost.objects));
	image_prepare(pid, &search->image);
	return 0;
}

/* --- while it is stopped ------------------------------------------------------------------------
 */

static int lost_read_objects(struct search *search, struct stackdepot_store *store)
{
	struct stackdepot_object object;
	uint64_t position = 0;

	while (stackdepot_store_next_object(store, &position, &object)) {
		if (object.process != search->process)
			continue;
		if (search->lost.nr == search->room && lost_grow(search, 2 * search->room))
			return -ENOMEM;
		search->lost.objects[search->lost.nr++] = (struct lost_object){.object = object};
	}
	return 0;
}

/*
 * What the recorder keeps has the addresses of all objects, and of freed ones. Its zeroed data is
 * anonymous memory behind that of its file, and may be one mapping with what comes next, which is
 * the program's.
 */
static bool lost_is_recorders(struct search *search, struct image_mapping *mapping)
{
	const char *name = strrchr(mapping->path, '/');
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	if (mapping->inode == search->store.st_ino && mapping->device == search->store.st_dev) {
		search->maps_store = true;
		return true;
	}
	if (name && !strncmp(name, "/libstackdepot-preload.so", 25)) {
		search->file_end = mapping->end;
		return true;
	}
	if (mapping->inode || mapping->start != search->file_end)
		return false;
	if (mapping->start < search->recorder_end)
		mapping->start = (search->recorder_end + page - 1) & ~(page - 1);
	return mapping->start >= mapping->end;
}

static bool lost_notes_region(void *context, struct image_mapping *mapping)
{
	struct search *search = context;

	if (search->error || lost_is_recorders(search, mapping))
		return false;
	if (search->nr_regions == search->room_regions) {
		size_t room = search->room_regions ? 2 * search->room_regions : 256;
		struct region *regions = reallocarray(search->regions, room, sizeof(*regions));

		if (!regions) {
			search->error = -ENOMEM;
			return false;
		}
		search->regions = regions;
		search->room_regions = room;
	}
	search->regions[search->nr_regions++] = (struct region){
		.start = mapping->start,
		.end = mapping->end,
		.kind = strcmp(mapping->path, "[heap]") ? REGION_ROOT : REGION_HEAP,
	};
	return true;
}

/* Once. */
static void lost_tell(struct search *search)
{
	const struct lost_copied *copied = search->copied;

	search->copied = NULL;
	if (copied)
		copied->call(copied->context);
}

static int lost_copy(struct search *search, struct stackdepot_store *store, pid_t pid)
{
	uint64_t begun;
	int error;

	/* A store may name anybody's process: one that does not map it, or may not be looked at, is
	 * not even stopped. */
	error = image_maps(pid, search->store.st_dev, search->store.st_ino);
	if (error <= 0)
		return error == -EACCES ? -EPERM : error == -ENOMEM ? error : -ESRCH;
	error = lost_prepare(search, store, pid);
	if (error)
		return error;
	begun = lost_now_ns();
	error = stop_all(pid, &search->stop);
	if (error)
		return error;
	error = lost_read_objects(search, store);
	if (!error)
		error = image_copy(pid, lost_notes_region, search, &search->image);
	/* Then it has not to wait when it goes on: what comes meanwhile goes to other threads. */
	if (search->copied)
		stop_keep_out(&search->stop, pid);
	lost_tell(search);
	stop_resume(&search->stop);
	search->lost.stopped_ns = lost_now_ns() - begun;
	search->lost.threads = (unsigned int)search->stop.nr;
	search->lost.copied_bytes = search->image.bytes;
	if (!error)
		error = search->error;
	return error || search->maps_store ? error : -ESRCH;
}

/* --- afterwards ---------------------------------------------------------------------------------
 */

static struct region *lost_region(const struct search *search, uint64_t address)
{
	size_t low = 0, high = search->nr_regions;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (search->regions[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == search->nr_regions || address < search->regions[low].start)
		return NULL;
	return &search->regions[low];
}

/* Objects make their mappings heap; stack pointers make theirs stacks, whatever else is there. */
static void lost_classify(struct search *search)
{
	size_t i;

	for (i = 0; i < search->lost.nr; i++) {
		const struct stackdepot_object *object = &search->lost.objects[i].object;
		struct region *region = lost_region(search, object->address);

		if (region && object->size < LARGE_BYTES)
			region->kind = REGION_HEAP;
	}
	for (i = 0; i < search->stop.nr; i++) {
		uint64_t sp = search->stop.threads[i].sp - RED_ZONE_BYTES;
		struct region *region = lost_region(search, sp);

		if (!region || (region->kind == REGION_STACK && region->first <= sp))
			continue;
		/* A coroutine's stack is an object, perhaps: the register leads to it, and all of
		 * it counts. */
		if (region->kind == REGION_HEAP)
			continue;
		region->kind = REGION_STACK;
		region->first = sp;
	}
}

/* Of a mapping, what is not an object in the table; *AT is the first that ends in it or behind. */
static void lost_mark_gaps(struct search *search, const struct region *region, size_t *at)
{
	uint64_t from = region->start;

	for (; *at < search->lost.nr; ++*at) {
		const struct stackdepot_object *object = &search->lost.objects[*at].object;

		if (object->address >= region->end)
			break;
		if (object->address > from)
			mark_range(&search->mark, from, object->address);
		if (object->address + object->size > from)
			from = object->address + object->size;
		if (from > region->end)
			break;
	}
	if (from < region->end)
		mark_range(&search->mark, from, region->end);
}

static void lost_mark_roots(struct search *search)
{
	size_t i, object = 0;

	for (i = 0; i < search->nr_regions; i++) {
		const struct region *region = &search->regions[i];

		if (region->kind == REGION_STACK)
			mark_range(&search->mark, region->first & ~7ull, region->end);
		else if (region->kind == REGION_ROOT || search->lost.heap_is_roots)
			lost_mark_gaps(search, region, &object);
	}
	for (i = 0; i < search->stop.nr; i++)
		mark_words(&search->mark,
			   (const uint64_t *)(const void *)search->stop.threads[i].registers,
			   search->stop.threads[i].register_bytes / 8);
}

static int lost_search(struct search *search)
{
	int error =
		mark_begin(&search->mark, &search->image, search->lost.objects, search->lost.nr);

	if (error)
		return error;
	lost_classify(search);
	lost_mark_roots(search);
	mark_follow(&search->mark);
	mark_judge(&search->mark);
	mark_end(&search->mark);
	return 0;
}

static bool lost_sees_all(const struct stackdepot_store_info *info)
{
	return !info->sample_bytes && !info->unrecorded && !info->foreign_frees &&
	       !(info->flags &
		 (STACKDEPOT_STORE_CHILD | STACKDEPOT_STORE_UNSEEN | STACKDEPOT_STORE_OFF));
}

int lost_find(struct stackdepot_store *store, const struct stackdepot_store_info *process,
	      const char *store_path, const struct lost_copied *copied, struct lost *ret_lost)
{
	struct search search = {.process = process->serial, .copied = copied};
	int error;

	if (stat(store_path, &search.store))
		return -errno;
	search.recorder_end = process->recorder_end;
	search.lost.heap_is_roots = !lost_sees_all(process);
	error = lost_copy(&search, store, (pid_t)process->pid);
	lost_tell(&search);
	if (!error)
		error = lost_search(&search);
	if (!error)
		*ret_lost = search.lost;
	else
		lost_release(&search.lost);
	image_release(&search.image);
	stop_release(&search.stop);
	free(search.regions);
	return error;
}

void lost_release(struct lost *lost)
{
	free(lost->objects);
	lost->objects = NULL;
	lost->nr = 0;
}
