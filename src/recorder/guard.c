/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * guard.c - a few objects, chosen by chance, between pages that cannot be touched.
 *
 *	| guard | object 0 | guard | object 1 | guard | ...     a page each
 *
 * An object lies at the end of its page, or at times at its start, so the first byte beyond it
 * faults; after its free the page itself does, until the slot is needed again. A fault is reported
 * with the stack of the access, and the page is opened, so that the program goes on as it would
 * have.
 *
 * After GWP-ASan and Linux' KFENCE. Guarding costs two mprotect(), 1 in guard_interval objects.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "error_record.h"
#include "guard.h"
#include "object.h"
#include "recorder.h"
#include "thread.h"
#include "trace.h"

#define SLOTS 64u
#define PAGE ((size_t)STORE_PAGE_BYTES)
#define POOL_BYTES ((2 * SLOTS + 1) * PAGE)
#define PAD 0xd7
#define LEFT_ONE_IN 4

enum { GUARD_EMPTY, GUARD_LIVE, GUARD_FREED, GUARD_BUSY };

struct guard_slot {
	uint32_t state;
	uintptr_t start;
	size_t size;
	/* Of a freed object; its references are given back when the slot is used again. */
	stackdepot_handle_t alloc_handle;
	stackdepot_handle_t free_handle;
	uint32_t free_thread;
};

uintptr_t guard_low, guard_high;

static struct guard_slot guard_slots[SLOTS];
static uint32_t guard_next;
static uint32_t guard_held;
static uint32_t guard_closed; /* something cannot be touched */

static uintptr_t guard_page(uint32_t number)
{
	return guard_low + (2 * number + 1) * PAGE;
}

static void guard_open_all(void)
{
	if (__atomic_exchange_n(&guard_closed, 0, __ATOMIC_SEQ_CST))
		(void)mprotect((void *)guard_low, POOL_BYTES, PROT_READ | PROT_WRITE);
}

static void guard_protect(uintptr_t page, int protection)
{
	if (load_relaxed(&guard_held))
		return;
	if (protection == PROT_NONE)
		__atomic_store_n(&guard_closed, 1, __ATOMIC_SEQ_CST);
	/* Fails only for want of memory; then an error less is found. */
	(void)mprotect((void *)page, PAGE, protection);
	/* Held meanwhile: who held it may have opened all before this was closed. */
	if (unlikely(__atomic_load_n(&guard_held, __ATOMIC_SEQ_CST)))
		guard_open_all();
}

/* A thread is about to be in a state in which a fault would be its end. */
void guard_hold(void)
{
	const int saved_errno = errno;

	if (!__atomic_fetch_add(&guard_held, 1, __ATOMIC_SEQ_CST) && guard_low)
		guard_open_all();
	errno = saved_errno;
}

void guard_release(void)
{
	(void)__atomic_fetch_sub(&guard_held, 1, __ATOMIC_SEQ_CST);
}

void guard_setup(void)
{
	void *pool;

	if (!recorder.options.guard_interval || guard_low)
		return;
	pool = mmap(NULL, POOL_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		    0);
	if (pool == MAP_FAILED)
		return;
	guard_low = (uintptr_t)pool;
	guard_high = guard_low + POOL_BYTES;
	recorder_count_tool(SLOTS * PAGE);
}

/* Handles of the parent's store mean nothing in the child's. */
void guard_child(void)
{
	uint32_t i;

	for (i = 0; i < SLOTS; i++)
		guard_slots[i].alloc_handle = guard_slots[i].free_handle = 0;
}

static bool guard_move(struct guard_slot *slot, uint32_t from, uint32_t to)
{
	return __atomic_compare_exchange_n(&slot->state, &from, to, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

static struct guard_slot *guard_claim(void)
{
	uint32_t attempt;

	for (attempt = 0; attempt < SLOTS; attempt++) {
		struct guard_slot *slot = &guard_slots[fetch_add_relaxed(&guard_next, 1) % SLOTS];

		if (guard_move(slot, GUARD_EMPTY, GUARD_BUSY) ||
		    guard_move(slot, GUARD_FREED, GUARD_BUSY))
			return slot;
	}
	return NULL;
}

static void guard_put(stackdepot_handle_t *handle)
{
	if (*handle)
		(void)stackdepot_put(recorder.depot, *handle);
	*handle = 0;
}

void *guard_alloc(struct recorder_thread *thread, const recorder_start *start, size_t size,
		  size_t align)
{
	const int saved_errno = errno;
	struct guard_slot *slot;
	uintptr_t page;

	(void)start;
	thread->guard_left =
		1 + (uint32_t)(thread_random(thread) % (2 * recorder.options.guard_interval));
	if (!guard_low || size > PAGE || align > PAGE || load_relaxed(&guard_held))
		return NULL;
	slot = guard_claim();
	if (!slot)
		return NULL;
	guard_put(&slot->alloc_handle);
	guard_put(&slot->free_handle);
	page = guard_page((uint32_t)(slot - guard_slots));
	guard_protect(page - PAGE, PROT_NONE);
	guard_protect(page + PAGE, PROT_NONE);
	guard_protect(page, PROT_READ | PROT_WRITE);
	align = align > 16 ? align : 16;
	/* An object of no bytes has an address all the same, in its page. */
	slot->start = thread_random(thread) % LEFT_ONE_IN
			      ? (page + PAGE - (size ? size : 1)) & ~(align - 1)
			      : page;
	slot->size = size;
	memset((void *)slot->start, 0, size);
	memset((void *)(slot->start + size), PAD, page + PAGE - slot->start - size);
	recorder_count(&recorder_counts()->guarded, 1);
	store_release(&slot->state, GUARD_LIVE);
	errno = saved_errno;
	return (void *)slot->start;
}

static struct guard_slot *guard_find(uintptr_t address)
{
	uintptr_t page = (address - guard_low) / PAGE;

	return &guard_slots[page / 2 < SLOTS ? page / 2 : SLOTS - 1];
}

size_t guard_size(const void *pointer)
{
	const struct guard_slot *slot = guard_find((uintptr_t)pointer);

	return slot->start == (uintptr_t)pointer ? slot->size : 0;
}

/* --- reports ---------------------------------------------------------------------------------- */

static stackdepot_ref_t guard_ref(stackdepot_handle_t handle)
{
	handle = stackdepot_set_extra_bits(handle, 0);
	return handle ? stackdepot_ref(recorder.depot, handle) : 0;
}

static struct store_error guard_error(struct recorder_thread *thread, const struct guard_slot *slot,
				      unsigned int kind)
{
	struct store_error error = {
		.kind = kind,
		.object = slot->start,
		.object_bytes = slot->size,
		.thread = thread_number(thread),
	};
	struct live_object object;

	if (slot->state == GUARD_FREED) {
		error.flags = STACKDEPOT_ERROR_FREED;
		error.alloc_trace = guard_ref(slot->alloc_handle);
		error.free_trace = guard_ref(slot->free_handle);
	} else if (live_find((void *)slot->start, &object)) {
		error.alloc_trace = guard_ref(object.handle);
	}
	return error;
}

static void guard_report(struct recorder_thread *thread, const struct guard_slot *slot,
			 unsigned int kind, const recorder_start *start, const void *pointer)
{
	struct store_error error = guard_error(thread, slot, kind);

	(void)trace_save(NULL, start, STACKDEPOT_KEEP, &error.access_trace);
	error.address = (uintptr_t)pointer;
	error_history(&error);
	error_report(&error);
}

/* The slot an access meant: of a guard page, the neighbour on the nearer side that is in use. */
static struct guard_slot *guard_meant(uintptr_t address)
{
	uintptr_t page = (address - guard_low) / PAGE;
	uint32_t left = page ? (uint32_t)(page / 2 - 1) : 0;
	uint32_t right = page / 2 < SLOTS ? (uint32_t)(page / 2) : SLOTS - 1;
	bool use_left = (address - guard_low) % PAGE < PAGE / 2;

	if (page % 2)
		return &guard_slots[page / 2];
	if (guard_slots[use_left ? left : right].state == GUARD_EMPTY)
		use_left = !use_left;
	return &guard_slots[use_left ? left : right];
}

bool guard_fault(struct recorder_thread *thread, uintptr_t address, const void *context,
		 unsigned int flags)
{
	struct guard_slot *slot = guard_meant(address);
	struct store_error error;

	if (slot->state == GUARD_EMPTY)
		return false;
	error = guard_error(thread, slot,
			    slot->state == GUARD_FREED ? STACKDEPOT_USE_AFTER_FREE
						       : STACKDEPOT_OUT_OF_BOUNDS);
	error.flags |= flags;
	error.address = address;
	error.access_trace = trace_save_context(thread, context);
	error_history(&error);
	error_report(&error);
	guard_protect(address & ~(uintptr_t)(PAGE - 1), PROT_READ | PROT_WRITE);
	return true;
}

/* --- free ------------------------------------------------------------------------------------- */

/* Is the rest of the page as it was? The bytes between object and end are too near to fault. */
static void guard_check(struct recorder_thread *thread, const struct guard_slot *slot,
			stackdepot_ref_t trace)
{
	const unsigned char *at = (const unsigned char *)slot->start + slot->size;
	const unsigned char *end = (const unsigned char *)((slot->start & ~(PAGE - 1)) + PAGE);
	struct store_error error;

	while (at < end && *at == PAD)
		at++;
	if (at == end)
		return;
	error = guard_error(thread, slot, STACKDEPOT_HEAP_OVERFLOW);
	error.flags |= STACKDEPOT_ERROR_WRITE;
	error.address = (uintptr_t)at;
	error.value = *at;
	error.access_trace = trace;
	error_history(&error);
	error_report(&error);
}

static void guard_free_live(struct recorder_thread *thread, const recorder_start *start,
			    struct guard_slot *slot)
{
	struct live_object object = {.size = slot->size};
	stackdepot_ref_t trace;

	slot->free_handle = trace_save(NULL, start, STACKDEPOT_GET, &trace);
	guard_check(thread, slot, trace);
	if (live_take(thread, (void *)slot->start, &object))
		slot->alloc_handle = stackdepot_set_extra_bits(object.handle, 0);
	object_tell_free(thread, (void *)slot->start, &object, trace);
}

/*
 * The allocator below does not know the object, and may have ended the program for this free: do
 * the same to a block of its own, which may end it now.
 */
static void guard_carry_out(const struct real *below, const struct guard_slot *slot,
			    uintptr_t address)
{
	char *block = real_malloc(below, slot->size);

	if (!block)
		return;
	real_free(below, block);
	if (address == slot->start)
		real_free(below, block);
	else if (address - slot->start < slot->size)
		real_free(below, block + (address - slot->start));
}

static void guard_free_wrong(const struct real *below, struct recorder_thread *thread,
			     const struct guard_slot *slot, const recorder_start *start,
			     const void *pointer)
{
	bool again = slot->start == (uintptr_t)pointer;

	guard_report(thread, slot, again ? STACKDEPOT_DOUBLE_FREE : STACKDEPOT_INVALID_FREE, start,
		     pointer);
	/* A free that another thread did before is seldom noticed. */
	if (!thread || (again && slot->free_thread != thread->id))
		return;
	error_told_begin(thread, pointer);
	guard_carry_out(below, slot, (uintptr_t)pointer);
	error_told_end(thread);
}

void guard_free(const struct real *below, struct recorder_thread *thread,
		const recorder_start *start, void *pointer)
{
	struct guard_slot *slot = guard_find((uintptr_t)pointer);

	if (slot->start != (uintptr_t)pointer || !guard_move(slot, GUARD_LIVE, GUARD_BUSY)) {
		if (start)
			guard_free_wrong(below, thread, slot, start, pointer);
		return;
	}
	if (start)
		guard_free_live(thread, start, slot);
	slot->free_thread = thread ? thread->id : 0;
	guard_protect(guard_page((uint32_t)(slot - guard_slots)), PROT_NONE);
	store_release(&slot->state, GUARD_FREED);
}
