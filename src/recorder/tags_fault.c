/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * tags_fault.c - an access by a pointer whose tag is not that of the memory.
 *
 * That it was wrong is certain, where the pointer has a tag: we gave it, and the object's memory
 * has another one since. Which object was meant the tag tells, but for one in fifteen others that
 * had it too. So all that had it and lie near are candidates, those in the ring and the live ones,
 * the nearest first, of equally near ones the last that was there.
 *
 * A pointer without a tag may be one that the program took its tag off, to put something else
 * there. Within the bounds of a live object that is no error for certain, but a doubt; and where it
 * happens again and again nothing is checked any more.
 *
 * The thread goes on unchecked until its next event. A fault that the processor told of later has
 * no address, and its place is not the one that is recorded.
 */
#define _GNU_SOURCE
#include <string.h>
#include <ucontext.h>

#include "error_record.h"
#include "handler.h"
#include "recorder.h"
#include "say.h"
#include "tags.h"
#include "thread.h"
#include "trace.h"

#define FAULT_ASYNC 8		     /* SEGV_MTEAERR */
#define FAULT_SYNC 9		     /* SEGV_MTESERR */
#define FAULT_EXPOSE 0x00000800ul    /* SA_EXPOSE_TAGBITS */
#define FAULT_UNCHECKED (1ull << 25) /* PSTATE.TCO */

#define FAULT_REACH ((uint64_t)64 << 10) /* an access further away means something else */
#define FAULT_LOST 16u			 /* accesses without a tag that are enough */
#define FAULT_ROW (16 * TAGS_GRANULE)

/* --- candidates ------------------------------------------------------------------------------- */

struct fault_candidate {
	uint64_t distance;
	struct store_candidate object;
	bool begun; /* its allocation was met in the ring, or it is in the table */
};

struct fault_search {
	uint64_t address;
	unsigned int tag;
	unsigned int nr;
	struct fault_candidate found[1 + STORE_CANDIDATES];
};

static uint64_t fault_distance(uint64_t address, uint64_t start, uint64_t bytes)
{
	if (address < start)
		return start - address;
	return address - start < bytes ? 0 : address - start - bytes + 1;
}

static struct fault_candidate *fault_known(struct fault_search *search, uint64_t start)
{
	unsigned int i;

	for (i = 0; i < search->nr; i++)
		if (search->found[i].object.object == start)
			return &search->found[i];
	return NULL;
}

/* In the order of distance, behind equals. */
static void fault_add(struct fault_search *search, const struct fault_candidate *candidate)
{
	const unsigned int room = sizeof(search->found) / sizeof(search->found[0]);
	unsigned int at = search->nr;

	while (at && search->found[at - 1].distance > candidate->distance)
		at--;
	if (at == room)
		return;
	if (search->nr < room)
		search->nr++;
	memmove(&search->found[at + 1], &search->found[at],
		(search->nr - at - 1) * sizeof(*candidate));
	search->found[at] = *candidate;
}

static void fault_begun(struct fault_candidate *candidate, const struct stackdepot_event *event)
{
	if (candidate->begun)
		return;
	candidate->begun = true;
	candidate->object.alloc_trace = event->trace;
	candidate->object.alloc_thread = event->task;
}

static void fault_event(struct fault_search *search, const struct stackdepot_event *event)
{
	const uint64_t start = event->address & STORE_EVENT_ADDRESS;
	const uint64_t bytes = event->size & STORE_EVENT_SIZE;
	struct fault_candidate *known = fault_known(search, start),
			       candidate = {
				       .distance = fault_distance(search->address, start, bytes),
				       .object = {.object = start, .object_bytes = (uint32_t)bytes},
			       };
	struct live_object object;

	if (known) {
		if (event->kind == STACKDEPOT_ALLOC)
			fault_begun(known, event);
		return;
	}
	if (candidate.distance > FAULT_REACH)
		return;
	if (store_event_is_free(event->kind)) {
		candidate.object.flags = STACKDEPOT_ERROR_FREED;
		candidate.object.free_trace = event->trace;
		candidate.object.free_thread = event->task;
	} else {
		fault_begun(&candidate, event);
		if (!live_find((void *)start, &object) || (object.tag & TAGS_MASK) != search->tag)
			candidate.object.flags = STACKDEPOT_ERROR_FREED;
	}
	fault_add(search, &candidate);
}

static void fault_ring(struct fault_search *search)
{
	const uint64_t process = recorder_event_address(0);
	struct stackdepot_event event;
	uint64_t position = 0;

	while (stackdepot_ring_next(recorder.depot, &position, &event))
		if ((event.address & ~STORE_EVENT_ADDRESS) == process &&
		    event.size >> STORE_EVENT_TAG_SHIFT == search->tag)
			fault_event(search, &event);
}

/* One that is older than the ring. */
static void fault_table(struct fault_search *search)
{
	struct fault_candidate candidate = {.begun = true};
	struct live_object object;
	bool held;

	if (!live_nearest(search->address, search->tag, &candidate.object.object, &object, &held) ||
	    fault_known(search, candidate.object.object))
		return;
	candidate.distance = fault_distance(search->address, candidate.object.object, object.size);
	candidate.object.object_bytes = (uint32_t)object.size;
	candidate.object.flags = held ? STACKDEPOT_ERROR_FREED : 0;
	candidate.object.alloc_trace =
		stackdepot_ref(recorder.depot, stackdepot_set_extra_bits(object.handle, 0));
	if (candidate.distance <= FAULT_REACH)
		fault_add(search, &candidate);
}

/* --- the report ------------------------------------------------------------------------------- */

/* The tags of the row of the address and of those beside it, as far as they are in its page. */
static void fault_picture(struct store_error *error)
{
	const uint64_t page = error->address & ~(uint64_t)(STORE_PAGE_BYTES - 1);
	const uint64_t row = error->address & ~(uint64_t)(FAULT_ROW - 1);
	const uint64_t start = row > page ? row - FAULT_ROW : row;
	const uint64_t end = row + 2 * FAULT_ROW <= page + STORE_PAGE_BYTES
				     ? row + 2 * FAULT_ROW
				     : page + STORE_PAGE_BYTES;
	const unsigned int word = 64 / STORE_TAG_BITS;
	unsigned int i;

	error->tags_start = start;
	error->nr_tags = (uint8_t)((end - start) / TAGS_GRANULE);
	for (i = 0; i < error->nr_tags; i++)
		error->tags[i / word] |= (uint64_t)tags_memory((void *)(start + i * TAGS_GRANULE))
					 << i % word * STORE_TAG_BITS;
}

/* What it leaves behind the object is not reported once more, when that is freed. */
static void fault_tell(const struct store_error *error)
{
	struct live_object object;

	if (error->kind == STACKDEPOT_OUT_OF_BOUNDS && error->address > error->object &&
	    live_find((void *)error->object, &object))
		live_tell(&object);
}

static void fault_take(struct store_error *error, const struct store_candidate *object)
{
	const bool freed = object->flags & STACKDEPOT_ERROR_FREED;

	error->kind = freed ? STACKDEPOT_USE_AFTER_FREE : STACKDEPOT_OUT_OF_BOUNDS;
	error->flags |= object->flags;
	error->object = object->object;
	error->object_bytes = object->object_bytes;
	error->alloc_trace = object->alloc_trace;
	error->free_trace = object->free_trace;
	error->alloc_thread = object->alloc_thread;
	error->free_thread = object->free_thread;
	error_history_tagged(error, error->pointer_tag);
	fault_tell(error);
}

/* True if there was one. */
static bool fault_candidates(struct store_error *error)
{
	struct fault_search search = {.address = error->address, .tag = error->pointer_tag};
	unsigned int i;

	if (!search.tag)
		return false;
	fault_ring(&search);
	fault_table(&search);
	if (!search.nr)
		return false;
	fault_take(error, &search.found[0].object);
	for (i = 1; i < search.nr; i++)
		error->candidates[i - 1] = search.found[i].object;
	error->nr_candidates = (uint8_t)(search.nr - 1);
	return true;
}

/* What is there now. Has the program taken the tag off the pointer, or never had one? */
static void fault_nearest(struct recorder_thread *thread, struct store_error *error)
{
	bool inside;

	error->kind = STACKDEPOT_INVALID_ACCESS;
	if (!error_nearest(thread, error)) {
		error->flags |= error->pointer_tag ? 0 : STACKDEPOT_ERROR_DOUBTFUL;
		return;
	}
	inside = error->address - error->object < error->object_bytes;
	error_history(error);
	if (error->pointer_tag)
		error->flags |= STACKDEPOT_ERROR_NEAREST;
	else if (inside && error->flags & STACKDEPOT_ERROR_FREED)
		error->kind = STACKDEPOT_USE_AFTER_FREE;
	else if (inside)
		error->flags |= STACKDEPOT_ERROR_DOUBTFUL;
	else
		error->flags |= STACKDEPOT_ERROR_NEAREST;
}

static void fault_count_lost(const struct store_error *error)
{
	static uint32_t lost;

	if (!(error->flags & STACKDEPOT_ERROR_DOUBTFUL) ||
	    fetch_add_relaxed(&lost, 1) + 1 != FAULT_LOST)
		return;
	say("tags are not checked any more: the program takes them off its pointers, as it seems; "
	    "tags=off is for such programs",
	    NULL);
	tags_stop(TAGS_LOST, true);
}

static void fault_report(struct recorder_thread *thread, const siginfo_t *info, const void *context,
			 unsigned int access)
{
	struct store_error error = {
		.kind = STACKDEPOT_INVALID_ACCESS,
		.flags = STACKDEPOT_ERROR_TAGGED | access,
		.address = (uintptr_t)info->si_addr & TAGS_ADDRESS,
		.pointer_tag = (uint8_t)tags_of(info->si_addr),
		.thread = thread_number(thread),
		.access_trace = trace_save_context(thread, context),
	};

	error.memory_tag = (uint8_t)tags_memory(info->si_addr);
	fault_picture(&error);
	if (!fault_candidates(&error))
		fault_nearest(thread, &error);
	fault_count_lost(&error);
	error_report(&error);
}

static void fault_report_late(struct recorder_thread *thread, const void *context)
{
	const struct store_error error = {
		.kind = STACKDEPOT_INVALID_ACCESS,
		.flags = STACKDEPOT_ERROR_ASYNC,
		.thread = thread_number(thread),
		.access_trace = trace_save_context(thread, context),
	};

	error_report(&error);
}

void tags_fault(struct recorder_thread *thread, const siginfo_t *info, void *context,
		unsigned int access)
{
	ucontext_t *at = context;

	tags_pause();
	if (info->si_code == FAULT_ASYNC) {
		if (thread)
			fault_report_late(thread, context);
		return;
	}
	if (thread)
		fault_report(thread, info, context, access);
	at->uc_mcontext.pstate |= FAULT_UNCHECKED;
}

/* --- signals ---------------------------------------------------------------------------------- */

bool tags_is_fault(int number, const siginfo_t *info)
{
	return tags_on() && number == SIGSEGV &&
	       (info->si_code == FAULT_SYNC || info->si_code == FAULT_ASYNC);
}

unsigned long tags_signal_flags(int number)
{
	return tags_on() && number == SIGSEGV ? FAULT_EXPOSE : 0;
}

void tags_hide(int number, siginfo_t *info, unsigned long flags)
{
	if (tags_on() && number == SIGSEGV && info->si_code > 0 && !(flags & FAULT_EXPOSE))
		info->si_addr = (void *)((uintptr_t)info->si_addr & TAGS_ADDRESS);
}
