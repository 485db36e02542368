/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * quarantine.c - small blocks wait before they are used again, filled with a pattern.
 *
 * Each thread has a queue of its own, so nothing is locked. When a block leaves, bytes that changed
 * were written by somebody who should not have.
 *
 * A block that waits has its entry in the table of live objects, as one that is held: a second free
 * from any thread finds it there. The entry is also what makes the block ours to free: if the
 * allocator gave the address out meanwhile, because somebody freed it whom we do not see, the entry
 * has become another's, and the block is forgotten.
 *
 * What a thread leaves behind as it ends waits on in a queue for all, so that a free by another
 * thread is found too.
 */
#include <string.h>

#include "error_record.h"
#include "quarantine.h"
#include "recorder.h"
#include "tally.h"

#define QUARANTINE_MAX_SIZE 1024u
#define FILL 0xd7

static struct quarantine orphans;
static uint32_t orphans_lock;

bool quarantine_wants(const struct real *below, size_t size)
{
	return below->usable && size && size <= QUARANTINE_MAX_SIZE &&
	       size <= recorder.options.quarantine_bytes;
}

static __attribute__((noinline)) void quarantine_report(const recorder_start *start,
							struct recorder_thread *thread,
							const unsigned char *block, size_t offset,
							const struct quarantine_slot *slot)
{
	struct store_error error = {
		.kind = STACKDEPOT_WRITE_AFTER_FREE,
		.flags = STACKDEPOT_ERROR_WRITE | STACKDEPOT_ERROR_FREED,
		.thread = thread->id,
		.address = (uintptr_t)block + offset,
		.object = (uintptr_t)block,
		.object_bytes = slot->object.size,
	};
	stackdepot_handle_t handle = stackdepot_set_extra_bits(slot->object.handle, 0);
	size_t left = slot->object.size - offset;

	memcpy(&error.value, block + offset, left < 8 ? left : 8);
	error.alloc_trace = stackdepot_ref(recorder.depot, handle);
	if (start)
		(void)trace_save(thread, start, STACKDEPOT_KEEP, &error.access_trace);
	error_history(&error);
	error_report(&error);
}

static void quarantine_check(struct recorder_thread *thread, const recorder_start *start,
			     const struct quarantine_slot *slot)
{
	const unsigned char *block = slot->pointer;
	size_t i;

	/* Another tag is there instead. */
	if (tags_of(block))
		return;
	/* All equal to the first, and the first right: one pass that the library has vectors for.
	 */
	if (block[0] == FILL && !memcmp(block, block + 1, slot->object.size - 1))
		return;
	for (i = 0; block[i] == FILL; i++)
		;
	quarantine_report(start, thread, block, i, slot);
}

/* The block goes back to the allocator, if it still is ours. */
static void quarantine_leave(struct recorder_thread *thread, const recorder_start *start,
			     const struct quarantine_slot *slot)
{
	quarantine_check(thread, start, slot);
	if (!live_release(slot->pointer, &slot->object))
		return;
	trace_put(thread, slot->object.handle);
	real_free(slot->below, slot->pointer);
}

static void quarantine_pop(struct recorder_thread *thread, struct quarantine *queue,
			   const recorder_start *start)
{
	/* It stays what it is until the next one is put in, which is not while this one leaves. */
	const struct quarantine_slot *slot = &queue->slot[queue->first];

	queue->first = (queue->first + 1) % QUARANTINE_SLOTS;
	queue->nr--;
	queue->bytes -= slot->object.size;
	if (likely(slot->pointer))
		quarantine_leave(thread, start, slot);
}

/* The place of one more block of so many bytes; whoever asked fills it. */
static inline struct quarantine_slot *quarantine_add(struct recorder_thread *thread,
						     struct quarantine *queue,
						     const recorder_start *start, size_t size)
{
	while (queue->nr == QUARANTINE_SLOTS ||
	       (queue->nr && queue->bytes + size > recorder.options.quarantine_bytes))
		quarantine_pop(thread, queue, start);
	queue->bytes += size;
	return &queue->slot[(queue->first + queue->nr++) % QUARANTINE_SLOTS];
}

void quarantine_push(const struct real *below, struct recorder_thread *thread,
		     const recorder_start *start, void *pointer, const struct live_object *object)
{
	struct quarantine *queue = &thread->quarantine;
	struct quarantine_slot *slot;

	if (tags_of(pointer))
		tags_change(pointer, object->size);
	else
		memset(pointer, FILL, object->size);
	slot = quarantine_add(thread, queue, start, object->size);
	slot->pointer = pointer;
	slot->below = below;
	slot->object = *object;
	/* The next to leave is wanted by the next free, and so is its entry. */
	__builtin_prefetch(queue->slot[queue->first].pointer);
	__builtin_prefetch(queue->slot[queue->first].object.entry, 1);
}

bool quarantine_give_up(struct recorder_thread *thread, void *pointer)
{
	struct quarantine *queue = &thread->quarantine;
	uint32_t i;

	for (i = 0; i < queue->nr; i++) {
		struct quarantine_slot *slot = &queue->slot[(queue->first + i) % QUARANTINE_SLOTS];
		const struct quarantine_slot old = *slot;

		if (slot->pointer != pointer)
			continue;
		slot->pointer = NULL;
		quarantine_leave(thread, NULL, &old);
		return true;
	}
	return false;
}

/* In the middle of a thread's queue a block may be missing, which was given up. */
static bool quarantine_next(struct quarantine *queue, struct quarantine_slot *ret_slot)
{
	while (queue->nr) {
		*ret_slot = queue->slot[queue->first];
		queue->first = (queue->first + 1) % QUARANTINE_SLOTS;
		queue->nr--;
		queue->bytes -= ret_slot->object.size;
		if (ret_slot->pointer)
			return true;
	}
	return false;
}

void quarantine_drain(struct recorder_thread *thread)
{
	struct quarantine_slot slot;
	struct recorder_held held;
	bool locked;

	if (!thread->quarantine.nr)
		return;
	recorder_hold(&held);
	locked = !__atomic_exchange_n(&orphans_lock, 1, __ATOMIC_ACQUIRE);
	while (quarantine_next(&thread->quarantine, &slot))
		if (locked)
			*quarantine_add(thread, &orphans, NULL, slot.object.size) = slot;
		else
			quarantine_leave(thread, NULL, &slot);
	if (locked)
		store_release(&orphans_lock, 0);
	recorder_let(&held);
}

static void quarantine_free_all(struct quarantine *queue)
{
	struct quarantine_slot slot;

	while (quarantine_next(queue, &slot))
		real_free(slot.below, slot.pointer);
}

void quarantine_abandon(struct recorder_thread *thread)
{
	quarantine_free_all(&thread->quarantine);
	/* If a thread of the parent was at it, its queue may be half written: it stays. */
	if (!load_acquire(&orphans_lock))
		quarantine_free_all(&orphans);
}
