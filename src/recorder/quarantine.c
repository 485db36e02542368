/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * quarantine.c - small blocks wait before they are used again, filled with a pattern.
 *
 * Each thread has a queue of its own, so nothing is locked. While a block waits it stays in the
 * table of live objects, marked: a second free finds it there. When it leaves, bytes that changed
 * were written by somebody who should not have.
 */
#include <string.h>

#include "recorder.h"

#define QUARANTINE_MAX_SIZE 1024u
#define FILL 0xd7

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

static void quarantine_pop(struct recorder_thread *thread, const recorder_start *start)
{
	struct quarantine *queue = &thread->quarantine;
	struct quarantine_slot slot = queue->slot[queue->first];
	struct live_object object;

	queue->first = (queue->first + 1) % QUARANTINE_SLOTS;
	queue->nr--;
	queue->bytes -= slot.size;
	/* Not there any more if the table was thinned meanwhile. */
	if (live_release(thread, slot.pointer, &object)) {
		quarantine_check(thread, start, slot.pointer, &object);
		(void)stackdepot_put(recorder.depot, stackdepot_set_extra_bits(object.handle, 0));
	}
	real.free(slot.pointer);
}

void quarantine_push(struct recorder_thread *thread, const recorder_start *start, void *pointer,
		     size_t size)
{
	struct quarantine *queue = &thread->quarantine;
	struct quarantine_slot *slot;

	while (queue->nr == QUARANTINE_SLOTS ||
	       (queue->nr && queue->bytes + size > recorder.options.quarantine_bytes))
		quarantine_pop(thread, start);
	memset(pointer, FILL, size);
	slot = &queue->slot[(queue->first + queue->nr) % QUARANTINE_SLOTS];
	slot->pointer = pointer;
	slot->size = (uint32_t)size;
	queue->nr++;
	queue->bytes += size;
	/* The next to leave: its block and its entry are wanted by the next free. */
	slot = &queue->slot[queue->first];
	__builtin_prefetch(slot->pointer);
	live_prefetch(slot->pointer);
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
		real.free(queue->slot[queue->first].pointer);
		queue->first = (queue->first + 1) % QUARANTINE_SLOTS;
	}
	queue->bytes = 0;
}
