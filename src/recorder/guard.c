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
 * Under hardware tags they are what finds errors in objects that are too large to have a tag: all
 * of those that find a place. A place has many pages then, of which only those that the object
 * takes can be touched; it lies at their end. What is freed is given back to the system, and not
 * only closed. One that is resized moves to the allocator, which does that without copying.
 *
 * After GWP-ASan and Linux' KFENCE. Guarding costs four mprotect(), for one object in
 * guard_interval.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "error_record.h"
#include "filter.h"
#include "guard.h"
#include "object.h"
#include "recorder.h"
#include "thread.h"
#include "trace.h"

#define SLOTS 64u
#define PAGE ((size_t)STORE_PAGE_BYTES)
#define LARGE_ROOM ((size_t)1 << 20) /* address space only, until an object is there */
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

uintptr_t guard_low, guard_bytes;

static size_t guard_room; /* that an object has; a page, or LARGE_ROOM */

static struct guard_slot guard_slots[SLOTS];
static uint64_t guard_next;
static uint32_t guard_held;
static uint32_t guard_closed; /* something cannot be touched */

static uintptr_t guard_page(uint32_t number)
{
	return guard_low + number * (guard_room + PAGE) + PAGE;
}

static uintptr_t guard_page_of(const struct guard_slot *slot)
{
	return guard_page((uint32_t)(slot - guard_slots));
}

/* Where the last page of an object ends. */
static uintptr_t guard_end_of(uintptr_t start, size_t size)
{
	return (start + (size ? size : 1) + PAGE - 1) & ~(PAGE - 1);
}

static uintptr_t guard_end(const struct guard_slot *slot)
{
	return guard_end_of(slot->start, slot->size);
}

/* Slots from this one on never had an object. */
static uint32_t guard_used(void)
{
	const uint64_t next = load_relaxed(&guard_next);

	return next < SLOTS ? (uint32_t)next : SLOTS;
}

/*
 * False: RLIMIT_DATA counts what can be written, and a process has so many mappings and no more.
 * What was closed is so still.
 */
static bool guard_open(uintptr_t from, uintptr_t to)
{
	return !mprotect((void *)from, to - from, PROT_READ | PROT_WRITE);
}

/* A place and the pages beside its object. */
static void guard_open_slot(const struct guard_slot *slot)
{
	const uintptr_t page = guard_page_of(slot), end = guard_end(slot);

	if (guard_open(page - PAGE, end + PAGE))
		return;
	/* Most of what goes wrong reads. The pages of an object in use are open, and stay so. */
	(void)mprotect((void *)(page - PAGE), PAGE, PROT_READ);
	(void)mprotect((void *)end, PAGE, PROT_READ);
	if (load_relaxed(&slot->state) == GUARD_FREED)
		(void)mprotect((void *)page, end - page, PROT_READ);
}

/* All that objects are in, at once, as one mapping takes less than several. */
static bool guard_open_used(void)
{
	return guard_room == PAGE && guard_open(guard_low, guard_page(guard_used()));
}

static void guard_open_all(void)
{
	uint32_t i;

	if (!__atomic_exchange_n(&guard_closed, 0, __ATOMIC_SEQ_CST) || guard_open_used())
		return;
	for (i = 0; i < guard_used(); i++)
		if (load_relaxed(&guard_slots[i].state) != GUARD_EMPTY)
			guard_open_slot(&guard_slots[i]);
}

static void guard_close(uintptr_t page, size_t bytes)
{
	if (load_relaxed(&guard_held))
		return;
	__atomic_store_n(&guard_closed, 1, __ATOMIC_SEQ_CST);
	/* Fails only for want of memory; then an error less is found. */
	(void)mprotect((void *)page, bytes, PROT_NONE);
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

/* How much is an object to have? 0: none is guarded. */
static size_t guard_wanted(void)
{
	struct rlimit space;

	if (!tags_on())
		return recorder.options.guard_interval ? PAGE : 0;
	/* Where address space is counted, that much of it is the program's. */
	if (getrlimit(RLIMIT_AS, &space) || space.rlim_cur != RLIM_INFINITY)
		return 0;
	return LARGE_ROOM;
}

void guard_setup(void)
{
	const size_t room = guard_wanted(), bytes = SLOTS * (room + PAGE) + PAGE;
	void *pool;

	if (!room || guard_low)
		return;
	pool = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (pool == MAP_FAILED)
		return;
	guard_room = room;
	guard_low = (uintptr_t)pool;
	guard_bytes = bytes;
	recorder_count_tool(room == PAGE ? SLOTS * PAGE : 0);
}

/* Handles of the parent's store mean nothing in the child's. */
void guard_child(void)
{
	uint32_t i;

	for (i = 0; i < guard_used(); i++)
		guard_slots[i].alloc_handle = guard_slots[i].free_handle = 0;
}

static bool guard_move(struct guard_slot *slot, uint32_t from, uint32_t to)
{
	return __atomic_compare_exchange_n(&slot->state, &from, to, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

static struct guard_slot *guard_claim(uint32_t *ret_before)
{
	uint32_t attempt;

	for (attempt = 0; attempt < SLOTS; attempt++) {
		struct guard_slot *slot = &guard_slots[fetch_add_relaxed(&guard_next, 1) % SLOTS];

		*ret_before = load_relaxed(&slot->state);
		if ((*ret_before == GUARD_EMPTY || *ret_before == GUARD_FREED) &&
		    guard_move(slot, *ret_before, GUARD_BUSY))
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

/* At the end of its pages; a small one at times at their start. */
static uintptr_t guard_place(struct recorder_thread *thread, const struct guard_slot *slot,
			     size_t size, size_t align)
{
	const uintptr_t page = guard_page_of(slot);
	/* An object of no bytes has an address all the same, in its page. */
	const size_t bytes = size ? size : 1;
	const uintptr_t end = page + ((bytes + PAGE - 1) & ~(PAGE - 1));
	const bool left = guard_room == PAGE && !(thread_random(thread) % LEFT_ONE_IN);

	align = align > 16 ? align : 16;
	return left ? page : (end - bytes) & ~(align - 1);
}

/* The place becomes that object's: all but its pages is closed. False: it is as it was. */
static bool guard_begin(struct guard_slot *slot, uintptr_t start, size_t size)
{
	const uintptr_t page = guard_page_of(slot), end = guard_end_of(start, size);

	if (!guard_open(page, end))
		return false;
	slot->start = start;
	slot->size = size;
	guard_close(page - PAGE, PAGE);
	guard_close(end, page + guard_room + PAGE - end);
	/* Who holds it may have seen what was here before. */
	if (unlikely(__atomic_load_n(&guard_held, __ATOMIC_SEQ_CST)))
		guard_open_slot(slot);
	/* That one may have taken it for a freed one, which is open for reading alone. */
	return likely(!load_relaxed(&guard_held)) || guard_open(page, end);
}

/* Of a large one the pages go back, and are empty when they come again. */
static bool guard_give_back(const struct guard_slot *slot)
{
	return guard_room != PAGE && filter_allows(FILTER_MADVISE) &&
	       !raw_call(SYS_madvise, guard_page_of(slot), guard_room, MADV_DONTNEED);
}

void *guard_alloc(struct recorder_thread *thread, size_t size, size_t align)
{
	const int saved_errno = errno;
	struct guard_slot *slot;
	uint32_t before;

	if (recorder.options.guard_interval)
		thread->guard_left = 1 + (uint32_t)(thread_random(thread) %
						    (2 * recorder.options.guard_interval));
	if (!guard_low || size > guard_room || align > PAGE || load_relaxed(&guard_held))
		return NULL;
	slot = guard_claim(&before);
	if (!slot)
		return NULL;
	if (!guard_begin(slot, guard_place(thread, slot, size, align), size)) {
		store_release(&slot->state, before);
		errno = saved_errno;
		return NULL;
	}
	guard_put(&slot->alloc_handle);
	guard_put(&slot->free_handle);
	/* Somebody may have written there after the free. */
	if (!guard_give_back(slot))
		memset((void *)slot->start, 0, size);
	memset((void *)(slot->start + size), PAD, guard_end(slot) - slot->start - size);
	recorder_count(&recorder_counts()->guarded, 1);
	store_release(&slot->state, GUARD_LIVE);
	errno = saved_errno;
	return (void *)slot->start;
}

/* The place that an address is in, or that the guard page is before. */
static uint32_t guard_number(uintptr_t address)
{
	const uintptr_t number = (address - guard_low) / (guard_room + PAGE);

	return number < SLOTS ? (uint32_t)number : SLOTS - 1;
}

static struct guard_slot *guard_find(uintptr_t address)
{
	return &guard_slots[guard_number(address)];
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

/* From an address that is not in it. */
static uintptr_t guard_distance(const struct guard_slot *slot, uintptr_t address)
{
	if (slot->state == GUARD_EMPTY)
		return UINTPTR_MAX;
	return address < slot->start ? slot->start - address : address - slot->start - slot->size;
}

/* The slot an access meant: outside of the pages of one, the nearer of two that are in use. */
static struct guard_slot *guard_meant(uintptr_t address)
{
	const uint32_t number = guard_number(address);
	struct guard_slot *slot = &guard_slots[number], *other = slot;
	const uintptr_t page = guard_page(number);

	if (address < page && number)
		other = slot - 1;
	else if (address >= page + (slot->state == GUARD_EMPTY ? 0 : guard_end(slot) - page) &&
		 number + 1 < SLOTS)
		other = slot + 1;
	return guard_distance(other, address) < guard_distance(slot, address) ? other : slot;
}

bool guard_fault(struct recorder_thread *thread, uintptr_t address, const void *context,
		 unsigned int flags)
{
	const uintptr_t page = address & ~(uintptr_t)(PAGE - 1);
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
	/* Where one page takes a mapping too many, all of them take less. If that cannot be, the
	 * fault is the program's end, and not one without end. */
	return guard_open(page, page + PAGE) || guard_open_used() ||
	       (flags & STACKDEPOT_ERROR_READ && !mprotect((void *)page, PAGE, PROT_READ));
}

/* --- free ------------------------------------------------------------------------------------- */

/* Is the rest of the page as it was? The bytes between object and end are too near to fault. */
static void guard_check(struct recorder_thread *thread, const struct guard_slot *slot,
			stackdepot_ref_t trace)
{
	const unsigned char *at = (const unsigned char *)slot->start + slot->size;
	const unsigned char *end = (const unsigned char *)guard_end(slot);
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
	guard_close(guard_page_of(slot), guard_room);
	(void)guard_give_back(slot);
	store_release(&slot->state, GUARD_FREED);
}
