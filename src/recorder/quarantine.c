/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * quarantine.c - small blocks wait before they are used again, filled with a pattern.
 *
 * Each thread has a queue of its own, so nothing is locked. When a block leaves, bytes that changed
 * were written by somebody who should not have.
 *
 * A second free does not find the block in the table of live objects, and then asks here: each
 * address that waits is noted in a small table of all threads, small enough to stay in the cache.
 * Of two addresses with one place the later is noted; a second free of the other one is looked for
 * in the thread's own queue, and in the ring.
 */
#include <string.h>

#include "recorder.h"

#define QUARANTINE_MAX_SIZE 1024u
#define FILL 0xd7
#define PLACES 4096u

static uintptr_t quarantine_waiting[PLACES];

static uintptr_t *quarantine_place(const void *pointer)
{
	return &quarantine_waiting[((uintptr_t)pointer >> 4) * 0x9e3779b97f4a7c15ull >> 52];
}

static void quarantine_leave(const void *pointer)
{
	uintptr_t *place = quarantine_place(pointer);

	live_filter_drop((uintptr_t)pointer);
	if (load_relaxed(place) == (uintptr_t)pointer)
		store_relaxed(place, 0);
}

bool quarantine_has(const void *pointer)
{
	return load_relaxed(quarantine_place(pointer)) == (uintptr_t)pointer;
}

bool quarantine_wants(size_t size)
{
	return size && size <= QUARANTINE_MAX_SIZE && size <= recorder.options.quarantine_bytes;
}

static void quarantine_report(const recorder_start *start, struct recorder_thread *thread,
			      const unsigned char *block, size_t offset,
			      const struct live_object *object)
{
	struct store_error error = {
		.kind = STACKDEPOT_WRITE_AFTER_FREE,
		.flags = STACKDEPOT_ERROR_WRITE | STACKDEPOT_ERROR_FREED,
		.thread = thread->id,
		.address = (uintptr_t)block + offset,
		.object = (uintptr_t)block,
		.object_bytes = object->size,
	};
	stackdepot_handle_t handle = stackdepot_set_extra_bits(object->handle, 0);
	size_t left = object->size - offset;

	memcpy(&error.value, block + offset, left < 8 ? left : 8);
	error.alloc_trace = stackdepot_ref(recorder.depot, handle);
	if (start)
		(void)trace_save(thread, start, STACKDEPOT_KEEP, &error.access_trace);
	error_history(&error);
	error_report(&error);
}

static void quarantine_check(struct recorder_thread *thread, const recorder_start *start,
			     const unsigned char *block, const struct live_object *object)
{
	size_t i;

	/* All equal to the first, and the first right: one pass that the library has vectors for.
	 */
	if (block[0] == FILL && !memcmp(block, block + 1, object->size - 1))
		return;
	for (i = 0; block[i] == FILL; i++)
		;
	quarantine_report(start, thread, block, i, object);
}

static struct live_object quarantine_object(const struct quarantine_slot *slot)
{
	return (struct live_object){.size = slot->size, .handle = slot->handle};
}

static void quarantine_pop(struct recorder_thread *thread, const recorder_start *start)
{
	struct quarantine *queue = &thread->quarantine;
	struct quarantine_slot slot = queue->slot[queue->first];
	struct live_object object = quarantine_object(&slot);

	queue->first = (queue->first + 1) % QUARANTINE_SLOTS;
	queue->nr--;
	queue->bytes -= slot.size;
	quarantine_check(thread, start, slot.pointer, &object);
	(void)stackdepot_put(recorder.depot, stackdepot_set_extra_bits(slot.handle, 0));
	quarantine_leave(slot.pointer);
	real.free(slot.pointer);
}

void quarantine_push(struct recorder_thread *thread, const recorder_start *start, void *pointer,
		     const struct live_object *object)
{
	struct quarantine *queue = &thread->quarantine;
	struct quarantine_slot *slot;

	while (queue->nr == QUARANTINE_SLOTS ||
	       (queue->nr && queue->bytes + object->size > recorder.options.quarantine_bytes))
		quarantine_pop(thread, start);
	memset(pointer, FILL, object->size);
	live_filter_add((uintptr_t)pointer);
	store_relaxed(quarantine_place(pointer), (uintptr_t)pointer);
	slot = &queue->slot[(queue->first + queue->nr) % QUARANTINE_SLOTS];
	slot->pointer = pointer;
	slot->size = (uint32_t)object->size;
	slot->handle = object->handle;
	queue->nr++;
	queue->bytes += object->size;
	/* The next to leave is wanted by the next free. */
	__builtin_prefetch(queue->slot[queue->first].pointer);
}

static const struct quarantine_slot *quarantine_slot(const struct quarantine *queue, uint32_t i)
{
	return &queue->slot[(queue->first + i) % QUARANTINE_SLOTS];
}

bool quarantine_find(const struct recorder_thread *thread, const void *pointer,
		     struct live_object *ret_object)
{
	uint32_t i;

	for (i = 0; thread && i < thread->quarantine.nr; i++) {
		const struct quarantine_slot *slot = quarantine_slot(&thread->quarantine, i);

		if (slot->pointer != pointer)
			continue;
		*ret_object = quarantine_object(slot);
		return true;
	}
	return false;
}

bool quarantine_nearest(const struct recorder_thread *thread, uint64_t address, uint64_t *ret_start,
			struct live_object *ret_object)
{
	uint64_t best = UINT64_MAX;
	uint32_t i;

	for (i = 0; thread && i < thread->quarantine.nr; i++) {
		const struct quarantine_slot *slot = quarantine_slot(&thread->quarantine, i);
		uint64_t distance = live_distance(address, (uintptr_t)slot->pointer, slot->size);

		if (distance >= best)
			continue;
		best = distance;
		*ret_start = (uintptr_t)slot->pointer;
		*ret_object = quarantine_object(slot);
	}
	return best != UINT64_MAX;
}

void quarantine_drain(struct recorder_thread *thread)
{
	while (thread->quarantine.nr)
		quarantine_pop(thread, NULL);
}

void quarantine_abandon(struct recorder_thread *thread)
{
	struct quarantine *queue = &thread->quarantine;

	for (; queue->nr; queue->nr--) {
		quarantine_leave(queue->slot[queue->first].pointer);
		real.free(queue->slot[queue->first].pointer);
		queue->first = (queue->first + 1) % QUARANTINE_SLOTS;
	}
	queue->bytes = 0;
}
