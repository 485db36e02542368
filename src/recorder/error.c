/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * error.c - what is known of an error, and where it is kept.
 *
 * An error is called one if it is certain. A second free is, where we keep the block: in a
 * quarantine, between guard pages. Any other free of what is not live may be right, as parts of a
 * program may allocate where we do not see it, and is carried out. If the allocator ends the
 * program in that very free, it was wrong, and is recorded as an error. Else it is a doubt, if
 * something speaks for one: the last that was seen of the address is its free, it lies inside of a
 * live object, or where no heap is. Doubts are shown apart from errors and have a bound of their
 * own.
 *
 * What was found behind an object rests on its entry in the table being about the object that is
 * there now. It is not sure of that once memory was seen to change hands unseen, and then it is a
 * doubt too.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crash.h"
#include "error_record.h"
#include "guard.h"
#include "recorder.h"
#include "sample.h"
#include "say.h"
#include "thread.h"
#include "trace.h"

#define ERROR_CLAIMED UINT32_MAX
#define SEARCHES 256u /* of the table and the ring, for frees that are passed on */
#define DOUBTS 32u    /* records of doubts */
#define ERROR_MET_WORDS 4u
#define ERROR_HEAD_BYTES 64u /* in front of a block, at most */

extern void *__libc_stack_end;

static void error_say(const struct store_error *error)
{
	char address[SAY_NUMBER_BYTES], thread[SAY_NUMBER_BYTES];

	if (!recorder.options.verbose && !recorder.options.abort_on_error)
		return;
	say(stackdepot_error_name(error->kind), " at 0x", say_hex(error->address, address),
	    " in thread ", say_number(error->thread, thread), NULL);
}

static void error_end_program(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};

	say("ending the program, as asked for by on-error=abort", NULL);
	crash_real_sigaction(SIGABRT, &action);
	abort();
}

/* Count this process, once, among those that met it. */
static void error_met(struct store_error *known, uint32_t number)
{
	static uint64_t met[ERROR_MET_WORDS];
	static uint32_t of; /* serial number: a forked child begins anew */
	const uint32_t serial = recorder.process->serial;
	uint64_t bit = 1ull << number % 64;

	if (known->process == serial || number / 64 >= ERROR_MET_WORDS)
		return;
	if (__atomic_exchange_n(&of, serial, __ATOMIC_RELAXED) != serial)
		memset(met, 0, sizeof(met));
	if (!(__atomic_fetch_or(&met[number / 64], bit, __ATOMIC_RELAXED) & bit))
		(void)fetch_add_relaxed(&known->processes, 1);
}

/* Is it the same as one that is known? Then that is counted. */
static bool error_repeat(const struct store_error *error)
{
	uint32_t i;

	for (i = 0; i < recorder.layout.errors; i++) {
		struct store_error *known = &recorder.errors[i];
		uint32_t kind = load_acquire(&known->kind);

		if (!kind)
			return false;
		if (kind == error->kind && known->access_trace == error->access_trace &&
		    known->alloc_trace == error->alloc_trace && known->signal == error->signal &&
		    !((known->flags ^ error->flags) & STACKDEPOT_ERROR_DOUBTFUL)) {
			recorder_count(&known->count, 1);
			error_met(known, i);
			return true;
		}
	}
	return false;
}

static void error_store(const struct store_error *error)
{
	uint32_t i;

	for (i = 0; i < recorder.layout.errors; i++) {
		struct store_error *record = &recorder.errors[i];
		uint32_t none = 0;

		if (!__atomic_compare_exchange_n(&record->kind, &none, ERROR_CLAIMED, false,
						 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			continue;
		memcpy(&record->signal, &error->signal,
		       sizeof(*record) - offsetof(struct store_error, signal));
		record->time_ns = recorder_now_ns();
		record->count = 1;
		record->process = recorder.process->serial;
		record->processes = 1;
		record->pid = recorder.process->pid;
		store_release(&record->kind, error->kind);
		return;
	}
	recorder_count(&recorder_counts()->errors_dropped, 1);
}

/* The traces of an error are kept for good. */
static void error_keep(stackdepot_ref_t trace)
{
	if (trace)
		(void)stackdepot_get_ref(recorder.depot, trace);
}

static void error_record(const struct store_error *error)
{
	unsigned int i;

	if (error_repeat(error))
		return;
	error_keep(error->access_trace);
	error_keep(error->alloc_trace);
	error_keep(error->free_trace);
	for (i = 0; i < error->nr_candidates; i++) {
		error_keep(error->candidates[i].alloc_trace);
		error_keep(error->candidates[i].free_trace);
	}
	error_store(error);
	error_say(error);
}

/* Not an error, as far as is known; one of many alike, and of few that are kept. */
static void error_doubt(const struct store_error *error)
{
	static uint32_t doubts;

	recorder_count(&recorder_counts()->doubts, 1);
	if (load_relaxed(&doubts) >= DOUBTS)
		return;
	if (!error_repeat(error)) {
		(void)fetch_add_relaxed(&doubts, 1);
		error_record(error);
	}
}

/* --- what passes us by ------------------------------------------------------------------------ */

/* Allocations that the table does not have, each good for one free. */
static uint64_t error_expected;

void error_expect_foreign(void)
{
	(void)fetch_add_relaxed(&error_expected, 1);
}

static bool error_expects_foreign(void)
{
	return !sample_is_full() || recorder.process->flags & STORE_FLAG_CHILD ||
	       load_relaxed(&recorder_counts()->unrecorded);
}

/* Is memory of this allocator known to change hands unseen? */
static bool error_passes_us_by(void)
{
	return recorder.process->flags & STORE_FLAG_UNSEEN ||
	       load_relaxed(&recorder_counts()->ended_unseen) ||
	       (!error_expects_foreign() &&
		load_relaxed(&recorder_counts()->foreign_frees) > load_relaxed(&error_expected));
}

void error_report(const struct store_error *error)
{
	struct store_error doubtful = *error;

	if (error->flags & STACKDEPOT_ERROR_DOUBTFUL ||
	    (error->kind == STACKDEPOT_HEAP_OVERFLOW && !guard_owns((void *)error->object) &&
	     error_passes_us_by())) {
		doubtful.flags |= STACKDEPOT_ERROR_DOUBTFUL;
		error_doubt(&doubtful);
		return;
	}
	recorder_count(&recorder_counts()->errors_seen, 1);
	error_record(error);
	if (recorder.options.abort_on_error)
		error_end_program();
}

/* As stackdepot_ring_find(), of this process, and of pointers with this tag if it is not 0. */
static int error_find_event(uint64_t *position, uint64_t address, unsigned int tag,
			    struct stackdepot_event *ret_event)
{
	while (stackdepot_ring_find(recorder.depot, position, recorder_event_address(address),
				    ~0ull, ret_event))
		if (!tag || ret_event->size >> STORE_EVENT_TAG_SHIFT == tag)
			return 1;
	return 0;
}

static void error_add_free(struct store_error *error, const struct stackdepot_event *event)
{
	error->free_thread = event->task;
	error->free_ns = event->time;
	error->free_trace = event->trace;
	if (!error->alloc_trace)
		error->alloc_trace = event->origin;
	if (!error->object_bytes)
		error->object_bytes = event->size & STORE_EVENT_SIZE;
	/* A forked child's is not, of what the parent left. */
	if (event->kind == STORE_EVENT_FREE_OWN && event->origin)
		error->alloc_thread = event->task;
}

static void error_add_alloc(struct store_error *error, const struct stackdepot_event *event)
{
	error->alloc_thread = event->task;
	error->alloc_ns = event->time;
	if (!error->alloc_trace)
		error->alloc_trace = event->trace;
	if (!error->object_bytes)
		error->object_bytes = event->size & STORE_EVENT_SIZE;
}

/*
 * Of two events of different threads within a few of each other it may not be known which came
 * first. What is free now was freed after it was allocated.
 */
static void error_add_tied_free(struct store_error *error, const struct stackdepot_event *alloc,
				uint64_t *position, unsigned int tag)
{
	struct stackdepot_event event;

	if (error->flags & STACKDEPOT_ERROR_FREED && !error->free_thread &&
	    error_find_event(position, error->object, tag, &event) && event.order == alloc->order &&
	    store_event_is_free(event.kind))
		error_add_free(error, &event);
}

/* What was freed. Its allocation may be the event before, if it was told. */
static void error_add_freed(struct store_error *error, const struct stackdepot_event *free,
			    uint64_t *position, unsigned int tag)
{
	struct stackdepot_event event;

	error_add_free(error, free);
	if (error_find_event(position, error->object, tag, &event) &&
	    event.kind == STACKDEPOT_ALLOC &&
	    (!error->alloc_trace || event.trace == error->alloc_trace))
		error_add_alloc(error, &event);
	else if (!error->alloc_thread && error->alloc_trace)
		error->alloc_thread = thread_untold();
}

/*
 * The last that was seen of the object. If it is live, its allocation; that is told where threads
 * are several (object.c), and if the last event is a free, that was of what lay there before, or
 * of a realloc() that failed.
 */
void error_history_tagged(struct store_error *error, unsigned int tag)
{
	const bool freed = error->flags & STACKDEPOT_ERROR_FREED;
	struct stackdepot_event event;
	uint64_t position = 0;
	const bool found = error_find_event(&position, error->object, tag, &event);

	if (found && event.kind == STACKDEPOT_ALLOC) {
		error_add_alloc(error, &event);
		error_add_tied_free(error, &event, &position, tag);
	} else if (found && freed) {
		error_add_freed(error, &event, &position, tag);
	} else if (!freed && error->alloc_trace && !(found && event.kind == STACKDEPOT_FREE)) {
		error->alloc_thread = thread_untold();
	}
}

void error_history(struct store_error *error)
{
	error_history_tagged(error, 0);
}

static stackdepot_ref_t error_ref(stackdepot_handle_t handle)
{
	handle = stackdepot_set_extra_bits(handle, 0);
	return handle ? stackdepot_ref(recorder.depot, handle) : 0;
}

void error_double_free(struct recorder_thread *thread, stackdepot_ref_t trace, const void *pointer,
		       const struct live_object *object)
{
	struct store_error error = {
		.kind = STACKDEPOT_DOUBLE_FREE,
		.flags = STACKDEPOT_ERROR_FREED,
		.address = tags_address(pointer),
		.object = tags_address(pointer),
		.object_bytes = object->size,
		.access_trace = trace,
		.alloc_trace = error_ref(object->handle),
		.thread = thread_number(thread),
	};

	error_history(&error);
	error_report(&error);
}

void error_free_by_tag(struct recorder_thread *thread, stackdepot_ref_t trace, const void *pointer)
{
	struct store_error error = {
		.kind = STACKDEPOT_DOUBLE_FREE,
		.flags = STACKDEPOT_ERROR_FREED | STACKDEPOT_ERROR_TAGGED,
		.address = tags_address(pointer),
		.object = tags_address(pointer),
		.access_trace = trace,
		.thread = thread_number(thread),
		.pointer_tag = (uint8_t)tags_of(pointer),
		.memory_tag = (uint8_t)tags_memory(pointer),
	};

	error_history_tagged(&error, error.pointer_tag);
	error_report(&error);
}

bool error_nearest(struct recorder_thread *thread, struct store_error *error)
{
	struct live_object object;
	uint64_t start;
	bool held;

	(void)thread;
	if (!live_nearest(error->address, 0, &start, &object, &held))
		return false;
	if (held)
		error->flags |= STACKDEPOT_ERROR_FREED;
	error->object = start;
	error->object_bytes = object.size;
	error->alloc_trace = error_ref(object.handle);
	return true;
}

/* --- frees of what is not in the table -------------------------------------------------------- */

/*
 * Without a system call, which a filter may forbid: a thread's own data lies at the end of its
 * stack, and below the main stack nothing is mapped for 128 MiB. On a stack that the program made
 * (a coroutine's) neither end is near.
 */
#define ERROR_STACK_BYTES (8u << 20)

static bool error_on_stack(uintptr_t address)
{
	const uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	const uintptr_t main_end = (uintptr_t)__libc_stack_end;
	uintptr_t end = (uintptr_t)pthread_self();

	if (here < main_end && main_end - here < ERROR_STACK_BYTES)
		end = main_end;
	return here < end && end - here < ERROR_STACK_BYTES && address >= here && address < end;
}

static bool error_in_module(uintptr_t address)
{
	struct dl_find_object found;

	return !_dl_find_object((void *)address, &found);
}

/* An address that no allocator returns; one in the program may have its memory there. */
static bool error_no_heap(uintptr_t address)
{
	return address < STORE_PAGE_BYTES || address % 8 || address >> 47 ||
	       (!reals[REAL_OWN].patched && error_in_module(address)) || error_on_stack(address);
}

static bool error_inside(struct recorder_thread *thread, struct store_error *error)
{
	struct store_error near = *error;

	if (!error_nearest(thread, &near) || near.address <= near.object ||
	    near.address - near.object >= near.object_bytes)
		return false;
	*error = near;
	return true;
}

/* The newest free of `address` in the ring, if that is its newest event. */
static bool error_was_freed(uint64_t address, struct stackdepot_event *ret_event)
{
	uint64_t position = 0;

	return error_find_event(&position, address, 0, ret_event) &&
	       store_event_is_free(ret_event->kind);
}

/* What is known of the place that was freed. False if nothing speaks for an error. */
static bool error_look_at(struct recorder_thread *thread, struct store_error *error)
{
	struct stackdepot_event event;

	error->kind = STACKDEPOT_INVALID_FREE;
	if (error_was_freed(error->address, &event)) {
		error->kind = STACKDEPOT_DOUBLE_FREE;
		error->flags |= STACKDEPOT_ERROR_FREED;
		error->object = error->address;
		error->object_bytes = event.size & STORE_EVENT_SIZE;
	} else if (!error_inside(thread, error)) {
		return error_no_heap(error->address);
	}
	error_history(error);
	return true;
}

static struct store_error error_of_doubt(const struct recorder_thread *thread)
{
	return (struct store_error){
		.address = tags_address(thread->doubted),
		.access_trace = thread->doubt_trace,
		.thread = thread->id,
	};
}

/*
 * An allocator that keeps a head in front of its blocks, which come from one below, may have been
 * put into who calls it (LTO). Then a block is allocated in one of the two ways and freed in the
 * other: what is freed is the block of a live object's head, or lies behind a live object's.
 */
static bool error_has_head(const struct real *below, char *pointer)
{
	const struct real *lowest = reals[REAL_LIBC].patched ? &reals[REAL_LIBC] : real_next;
	struct live_object object;
	size_t at;

	for (at = 8; at <= ERROR_HEAD_BYTES; at += 8) {
		/* In the block, not its neighbour; that one is asked only of what has one. */
		if (below == lowest && live_find(pointer + at, &object))
			return below->usable && at < real_usable(below, pointer);
		if (below != lowest && live_find(pointer - at, &object) && object.size > at)
			return true;
	}
	return false;
}

static void error_look_for_head(const struct real *below, const void *pointer)
{
	uint32_t *flags = &recorder.process->flags;

	if (!(reals[REAL_OWN].patched || reals[REAL_LIBC].patched) ||
	    load_relaxed(flags) & STORE_FLAG_UNSEEN ||
	    !error_has_head(below, (char *)(uintptr_t)pointer))
		return;
	(void)__atomic_fetch_or(flags, STORE_FLAG_UNSEEN, __ATOMIC_RELAXED);
}

void error_doubt_begin(const struct real *below, struct recorder_thread *thread,
		       stackdepot_ref_t trace, const void *pointer)
{
	error_look_for_head(below, pointer);
	if (!thread)
		return;
	thread->doubt_trace = trace;
	store_relaxed(&thread->doubted, pointer);
}

void error_doubt_end(struct recorder_thread *thread)
{
	static uint32_t searches;
	struct store_error error;
	bool told;

	recorder_count(&recorder_counts()->foreign_frees, 1);
	if (!thread)
		return;
	error = error_of_doubt(thread);
	told = thread->doubt_told;
	store_relaxed(&thread->doubted, NULL);
	thread->doubt_told = false;
	if (told || error_expects_foreign() || load_relaxed(&searches) >= SEARCHES)
		return;
	(void)fetch_add_relaxed(&searches, 1);
	if (!error_look_at(thread, &error))
		return;
	error.flags |= STACKDEPOT_ERROR_DOUBTFUL;
	error_doubt(&error);
}

void error_told_begin(struct recorder_thread *thread, const void *pointer)
{
	thread->doubt_told = true;
	store_relaxed(&thread->doubted, pointer);
}

void error_told_end(struct recorder_thread *thread)
{
	store_relaxed(&thread->doubted, NULL);
	thread->doubt_told = false;
}

bool error_confirm(struct recorder_thread *thread, int number, const void *context)
{
	struct store_error error;

	if (!thread || !load_relaxed(&thread->doubted))
		return false;
	if (thread->doubt_told)
		return true;
	thread->doubt_told = true;
	error = error_of_doubt(thread);
	error.signal = (uint32_t)number;
	if (!error.access_trace)
		error.access_trace = trace_save_context(thread, context);
	(void)error_look_at(thread, &error);
	error_report(&error);
	return true;
}
