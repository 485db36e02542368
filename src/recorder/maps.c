/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * maps.c - what the program maps itself, beside what allocators do, by stack.
 *
 * A mapping is an entry of the table of live objects, with a key that no object has: with
 * STORE_MAPPING. So it is told by trace, and goes with its process, as objects do; but it has no
 * weight in sums of these. Mappings are cut, joined and replaced at any page, so what the process
 * has of them is kept here, in the order of their addresses, each with the place of its entry.
 *
 * An allocator's own mappings are its own affair: what it hands out is recorded. The recorder's are
 * entered without a trace, so that they are nobody else's. What a lock or a full list keeps out is
 * not known by stack, no more.
 *
 * mmap() and its like call the kernel first, munmap() last, as another thread may have that memory
 * at once. errno is what the kernel left.
 */
#undef _FILE_OFFSET_BITS /* it would rename mmap() */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "elf_module.h"
#include "filter.h"
#include "live.h"
#include "maps.h"
#include "recorder.h"
#include "sample.h"
#include "tally.h"

#define MAPS 16384u
#define MAPS_SPINS 1000000u /* some ten milliseconds */
#define MAPS_LATE 64u

struct map {
	uintptr_t start;
	uintptr_t end;
	struct store_entry *entry; /* NULL: found no room */
	stackdepot_handle_t handle;
	uint8_t displaced;
	bool own; /* the recorder's */
};

static struct map maps[MAPS];
static uint32_t maps_nr;
static uint32_t maps_lock;

/* What was unmapped while somebody else had the list: cut before the list is looked at again. */
enum { LATE_FREE, LATE_BUSY, LATE_VALID };
static struct {
	uint32_t state;
	uintptr_t start;
	uintptr_t end;
} late[MAPS_LATE];
static uint32_t late_nr; /* that are not free, about */

static void maps_cut(uintptr_t start, uintptr_t end);

/* The library, from the linker. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

static void late_add(uintptr_t start, uintptr_t end)
{
	unsigned int i;

	for (i = 0; i < MAPS_LATE; i++) {
		uint32_t none = LATE_FREE;

		if (!__atomic_compare_exchange_n(&late[i].state, &none, LATE_BUSY, false,
						 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			continue;
		late[i].start = start;
		late[i].end = end;
		(void)__atomic_fetch_add(&late_nr, 1, __ATOMIC_RELAXED);
		store_release(&late[i].state, LATE_VALID);
		return;
	}
}

static void late_cut(void)
{
	unsigned int i;

	for (i = 0; load_relaxed(&late_nr) && i < MAPS_LATE; i++) {
		if (load_acquire(&late[i].state) != LATE_VALID)
			continue;
		maps_cut(late[i].start, late[i].end);
		(void)__atomic_fetch_sub(&late_nr, 1, __ATOMIC_RELAXED);
		store_release(&late[i].state, LATE_FREE);
	}
}

static inline void maps_pause(void)
{
#ifdef __x86_64__
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/*
 * The list is somebody's for a microsecond, or until he has the CPU again, which is waited for. Not
 * if that is this very thread, which was interrupted in it.
 */
static bool maps_enter(void)
{
	const uint32_t self = (uint32_t)((uintptr_t)&sample_own.left >> 3) | 1;
	unsigned int spins = 0;
	uint32_t owner = 0;

	while (!__atomic_compare_exchange_n(&maps_lock, &owner, self, false, __ATOMIC_ACQUIRE,
					    __ATOMIC_RELAXED)) {
		if (owner == self || ++spins == MAPS_SPINS)
			return false;
		owner = 0;
		maps_pause();
	}
	late_cut();
	return true;
}

static void maps_leave(void)
{
	store_release(&maps_lock, 0);
}

/* --- entries of the table ----------------------------------------------------------------------
 */

static uint64_t map_place(const struct map *map)
{
	return store_place(map->start, recorder.slot) | STORE_MAPPING;
}

static bool map_claim(struct map *map, uint32_t bucket, uint8_t way)
{
	const uint64_t place = map_place(map), size = map->end - map->start;
	struct store_entry *entry = recorder.buckets[bucket].entry;
	uint64_t none = 0;
	unsigned int i;

	live_mark_mapping(bucket);
	for (i = 0; i < STORE_BUCKET_ENTRIES; i++, entry++, none = 0) {
		if (load_relaxed(&entry->key))
			continue;
		if (!__atomic_compare_exchange_n(&entry->key, &none, place | ENTRY_BUSY, false,
						 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			continue;
		map->entry = entry;
		map->displaced = way;
		store_relaxed(&entry->value, store_entry_value(size, map->handle));
		store_release(&entry->key, place | (map->own ? ENTRY_BARE : 0));
		return true;
	}
	return false;
}

/* At home, or anywhere: what is behind home is for objects. */
static void map_put(struct map *map)
{
	const uint64_t place = map_place(map), size = map->end - map->start;
	const uint32_t buckets = recorder.layout.buckets, home = store_home_of_any(place, buckets);
	unsigned int i;

	map->entry = NULL;
	if (!load_acquire(&recorder.ready) ||
	    (size >= ENTRY_LARGE && !store_large_put(recorder.larges, place, size)))
		return;
	if (map_claim(map, home, 0))
		return;
	live_displaced(&recorder.overflow[home], LIVE_ANYWHERE, true);
	for (i = 0; i < STORE_SPILLS; i++) {
		const uint32_t bucket = store_spill(place, i, buckets);

		if (!live_is_behind(home, bucket, buckets) && map_claim(map, bucket, LIVE_ANYWHERE))
			return;
	}
	live_displaced(&recorder.overflow[home], LIVE_ANYWHERE, false);
	if (size >= ENTRY_LARGE)
		store_large_drop(recorder.larges, place);
}

/* Its handle goes on to be the map's. */
static void map_take(struct map *map)
{
	const uint64_t place = map_place(map);

	if (!map->entry)
		return;
	if (map->end - map->start >= ENTRY_LARGE)
		store_large_drop(recorder.larges, place);
	store_release(&map->entry->key, 0);
	if (map->displaced)
		live_displaced(
			&recorder.overflow[store_home_of_any(place, recorder.layout.buckets)],
			map->displaced, false);
	map->entry = NULL;
}

/* --- the list ----------------------------------------------------------------------------------
 */

/* The first that ends behind an address. */
static uint32_t maps_find(uintptr_t address)
{
	uint32_t low = 0, high = maps_nr;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (maps[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Of the recorder's there is none, maybe before there is a depot. */
static void maps_put(stackdepot_handle_t handle)
{
	if (handle)
		trace_put(NULL, handle);
}

static struct map *maps_insert(uint32_t at)
{
	if (maps_nr == MAPS)
		return NULL;
	memmove(&maps[at + 1], &maps[at], (maps_nr - at) * sizeof(maps[0]));
	maps_nr++;
	return &maps[at];
}

static void maps_delete(uint32_t at)
{
	maps_put(maps[at].handle);
	maps_nr--;
	memmove(&maps[at], &maps[at + 1], (maps_nr - at) * sizeof(maps[0]));
}

/* The part behind END is a mapping of its own. */
static void maps_split(uint32_t at, uintptr_t end)
{
	struct map *rest = maps_insert(at + 1);

	if (!rest)
		return;
	*rest = maps[at];
	rest->start = end;
	if (rest->handle)
		stackdepot_get_bulk(recorder.depot, stackdepot_ref(recorder.depot, rest->handle),
				    1);
	map_put(rest);
}

static void maps_cut(uintptr_t start, uintptr_t end)
{
	uint32_t at = maps_find(start);

	while (at < maps_nr && maps[at].start < end) {
		const uintptr_t from = maps[at].start, to = maps[at].end;

		map_take(&maps[at]);
		if (to > end)
			maps_split(at, end);
		if (from < start) {
			maps[at].end = start;
			map_put(&maps[at++]);
		} else {
			maps_delete(at);
		}
		at += to > end;
	}
}

static void maps_add(uintptr_t start, uintptr_t end, stackdepot_handle_t handle, bool own)
{
	struct map *map;

	maps_cut(start, end);
	map = maps_insert(maps_find(start));
	if (!map) {
		maps_put(handle);
		return;
	}
	*map = (struct map){.start = start, .end = end, .handle = handle, .own = own};
	map_put(map);
}

/* --- what is mapped ----------------------------------------------------------------------------
 */

static bool maps_are_on(void)
{
	return load_acquire(&recorder.ready) && load_relaxed(&recorder_life->here);
}

static bool maps_is_own(const recorder_start *start)
{
	return start->pc - (uintptr_t)__ehdr_start < (uintptr_t)(_end - __ehdr_start);
}

static stackdepot_handle_t maps_trace(const recorder_start *start)
{
	struct recorder_event event;
	struct recorder_thread *thread = thread_take(thread_self(), &event);
	stackdepot_handle_t handle;
	stackdepot_ref_t ref;

	handle = trace_save(thread, start, STACKDEPOT_GET, &ref);
	thread_let(thread, &event);
	return handle;
}

void maps_begins(const recorder_start *start, const void *memory, size_t bytes)
{
	const uintptr_t from = (uintptr_t)memory;
	const bool own = maps_is_own(start);
	const int saved_errno = errno;
	stackdepot_handle_t handle = 0;

	if (!load_relaxed(&recorder_life->here))
		return;
	if (!own && (!maps_are_on() || real_is_inside(start->sp) ||
		     recorder_rate() & STORE_RATE_OFF || recorder_is_borrowed())) {
		if (maps_are_on())
			maps_ends(memory, bytes);
		return;
	}
	if (!own)
		handle = maps_trace(start);
	if (maps_enter()) {
		maps_add(from, from + bytes, handle, own);
		maps_leave();
	} else {
		late_add(from, from + bytes);
		maps_put(handle);
	}
	errno = saved_errno;
}

void maps_ends(const void *memory, size_t bytes)
{
	const uintptr_t from = (uintptr_t)memory;

	/* A forked child that has not been noticed has the parent's list. */
	if (!load_relaxed(&maps_nr) || !load_relaxed(&recorder_life->here))
		return;
	if (!maps_enter()) {
		late_add(from, from + bytes);
		return;
	}
	maps_cut(from, from + bytes);
	maps_leave();
}

void maps_setup(void)
{
	uint32_t i;

	if (!maps_enter())
		return;
	for (i = 0; i < maps_nr; i++)
		if (!maps[i].entry)
			map_put(&maps[i]);
	maps_leave();
}

/*
 * What there was is the parent's, as its objects are, and so are the entries; but the recorder's
 * mappings are here, too. Of a list that a thread of the parent was changing nothing is known.
 */
void maps_child(void)
{
	const uint32_t before = load_relaxed(&maps_lock) ? 0 : load_relaxed(&maps_nr);
	uint32_t i, nr = 0;

	for (i = 0; i < before; i++) {
		if (!maps[i].own)
			continue;
		maps[nr] = maps[i];
		maps[nr++].entry = NULL;
	}
	store_relaxed(&maps_nr, nr);
	store_relaxed(&maps_lock, 0);
}

/* --- the functions beside mmap() ----------------------------------------------------------------
 */

EXPORT void *mremap(void *old, size_t old_bytes, size_t bytes, int flags, ...)
{
	const recorder_start start = stackdepot_unwind_caller();
	void *memory, *wish = NULL;
	va_list list;

	va_start(list, flags);
	if (flags & MREMAP_FIXED)
		wish = va_arg(list, void *);
	va_end(list);
	memory = (void *)raw_call(SYS_mremap, old, old_bytes, bytes, flags, wish);
	if (memory == MAP_FAILED)
		return memory;
	if (!(flags & MREMAP_DONTUNMAP))
		maps_ends(old, maps_whole(old_bytes));
	maps_begins(&start, memory, maps_whole(bytes));
	return memory;
}

EXPORT void *sbrk(intptr_t increment)
{
	static void *(*next)(intptr_t);
	const recorder_start start = stackdepot_unwind_caller();
	void *old;

	if (!next)
		*(void **)&next = elf_next("sbrk");
	old = next(increment);
	if (old == (void *)-1)
		return old;
	if (increment > 0)
		maps_begins(&start, old, (size_t)increment);
	else if (increment < 0)
		maps_ends((char *)old + increment, (size_t)-increment);
	return old;
}

EXPORT int brk(void *end)
{
	static int (*next)(void *);
	const recorder_start start = stackdepot_unwind_caller();
	char *new, *old = sbrk(0);

	if (!next)
		*(void **)&next = elf_next("brk");
	if (next(end))
		return -1;
	/* Below where it began nothing changes. */
	new = sbrk(0);
	if (new > old)
		maps_begins(&start, old, (size_t)(new - old));
	else if (new < old)
		maps_ends(new, (size_t)(old - new));
	return 0;
}

static size_t maps_shared_bytes(int id)
{
	const int saved_errno = errno;
	struct shmid_ds segment;
	size_t bytes = 1;

	if (filter_allows(FILTER_SHARED) && !raw_call(SYS_shmctl, id, IPC_STAT, &segment))
		bytes = segment.shm_segsz;
	errno = saved_errno;
	return maps_whole(bytes);
}

/* All of what begins there. */
static void maps_ends_at(const void *memory)
{
	const uintptr_t from = (uintptr_t)memory;
	uintptr_t end = 0;
	uint32_t at;

	if (!load_relaxed(&maps_nr) || !load_relaxed(&recorder_life->here) || !maps_enter())
		return;
	at = maps_find(from);
	if (at < maps_nr && maps[at].start == from)
		end = maps[at].end;
	if (end)
		maps_cut(from, end);
	maps_leave();
}

EXPORT void *shmat(int id, const void *wish, int flags)
{
	const recorder_start start = stackdepot_unwind_caller();
	void *memory = (void *)raw_call(SYS_shmat, id, wish, flags);

	if (memory != (void *)-1)
		maps_begins(&start, memory, maps_shared_bytes(id));
	return memory;
}

EXPORT int shmdt(const void *memory)
{
	maps_ends_at(memory);
	return (int)raw_call(SYS_shmdt, memory);
}
