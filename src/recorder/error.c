/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * error.c - what is known of an error, and where it is kept.
 *
 * A free that is not of a live object is reported only if it is certain to be wrong: parts of a
 * program may allocate where we do not see it (a library opened with RTLD_DEEPBIND, the parent
 * before a fork), and their frees are passed on. Certain is: no heap has this address, it lies
 * inside a live object, or the last that was seen of it is its free.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recorder.h"

#define ERROR_CLAIMED UINT32_MAX
#define SEARCHES 256u /* of the table and the ring, for frees that turn out to be foreign */

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
		    known->alloc_trace == error->alloc_trace && known->signal == error->signal) {
			recorder_count(&known->count, 1);
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
		store_release(&record->kind, error->kind);
		return;
	}
	recorder_count(&recorder.header->counts.errors_dropped, 1);
}

/* The traces of an error are kept for good. */
static void error_keep(stackdepot_ref_t trace)
{
	if (trace)
		(void)stackdepot_get_ref(recorder.depot, trace);
}

void error_report(const struct store_error *error)
{
	recorder_count(&recorder.header->counts.errors_seen, 1);
	if (!error_repeat(error)) {
		error_keep(error->access_trace);
		error_keep(error->alloc_trace);
		error_keep(error->free_trace);
		error_store(error);
		error_say(error);
	}
	if (recorder.options.abort_on_error)
		error_end_program();
}

void error_history(struct store_error *error)
{
	struct stackdepot_event event;
	uint64_t position = 0;

	while (stackdepot_ring_find(recorder.depot, &position, error->object, ~0ull, &event)) {
		if (event.kind == STACKDEPOT_ALLOC) {
			error->alloc_thread = event.task;
			error->alloc_ns = event.time;
			if (!error->alloc_trace)
				error->alloc_trace = event.trace;
			return;
		}
		if (error->free_thread)
			continue;
		error->free_thread = event.task;
		error->free_ns = event.time;
		error->free_trace = event.trace;
	}
}

static void error_fill_access(struct store_error *error, struct recorder_thread *thread,
			      const recorder_start *start, const void *pointer)
{
	stackdepot_ref_t ref;

	(void)trace_save(thread, start, STACKDEPOT_KEEP, &ref);
	error->access_trace = ref;
	error->address = (uintptr_t)pointer;
	error->thread = thread ? thread->id : thread_id();
}

static stackdepot_ref_t error_ref(stackdepot_handle_t handle)
{
	handle = stackdepot_set_extra_bits(handle, 0);
	return handle ? stackdepot_ref(recorder.depot, handle) : 0;
}

void error_double_free(struct recorder_thread *thread, const recorder_start *start, void *pointer)
{
	struct store_error error = {
		.kind = STACKDEPOT_DOUBLE_FREE,
		.flags = STACKDEPOT_ERROR_FREED,
		.object = (uintptr_t)pointer,
	};
	struct stackdepot_event event;
	struct live_object object;

	if (quarantine_find(thread, pointer, &object)) {
		error.object_bytes = object.size;
		error.alloc_trace = error_ref(object.handle);
	} else if (error_was_freed(error.object, &event)) {
		error.object_bytes = event.size;
	}
	error_fill_access(&error, thread, start, pointer);
	error_history(&error);
	error_report(&error);
}

bool error_nearest(struct recorder_thread *thread, struct store_error *error)
{
	struct live_object live, freed, *object = &live;
	uint64_t start, freed_start;
	bool found = live_nearest(error->address, &start, &live);

	if (quarantine_nearest(thread, error->address, &freed_start, &freed) &&
	    (!found || live_distance(error->address, freed_start, freed.size) <
			       live_distance(error->address, start, live.size))) {
		start = freed_start;
		object = &freed;
		error->flags |= STACKDEPOT_ERROR_FREED;
		found = true;
	}
	if (!found)
		return false;
	error->object = start;
	error->object_bytes = object->size;
	error->alloc_trace = error_ref(object->handle);
	return true;
}

/* --- frees of what is not in the table -------------------------------------------------------- */

static bool error_on_stack(uintptr_t address)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0), end;
	pthread_attr_t attributes;
	void *low;
	size_t bytes;

	if (address < here)
		return false;
	if (getpid() == (pid_t)thread_id())
		return address < (uintptr_t)__libc_stack_end;
	if (pthread_getattr_np(pthread_self(), &attributes))
		return false;
	end = pthread_attr_getstack(&attributes, &low, &bytes) ? 0 : (uintptr_t)low + bytes;
	(void)pthread_attr_destroy(&attributes);
	return address < end;
}

static bool error_in_module(uintptr_t address)
{
	struct dl_find_object found;

	return !_dl_find_object((void *)address, &found);
}

/* An address that no allocator returns. */
static bool error_no_heap(uintptr_t address)
{
	return address < STORE_PAGE_BYTES || address % 8 || address >> 47 ||
	       error_in_module(address) || error_on_stack(address);
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

bool error_was_freed(uint64_t address, struct stackdepot_event *ret_event)
{
	uint64_t position = 0;

	return stackdepot_ring_find(recorder.depot, &position, address, ~0ull, ret_event) &&
	       ret_event->kind == STACKDEPOT_FREE;
}

/* What searching can tell; no more than SEARCHES times if nothing is found. */
static bool error_search(struct recorder_thread *thread, struct store_error *error)
{
	static uint32_t searches;
	struct stackdepot_event event;

	if (recorder.header->process.flags & STORE_FLAG_DEEPBIND ||
	    load_relaxed(&searches) >= SEARCHES)
		return false;
	if (error_was_freed(error->address, &event)) {
		error->kind = STACKDEPOT_DOUBLE_FREE;
		error->flags = STACKDEPOT_ERROR_FREED;
		error->object = error->address;
		error->object_bytes = event.size;
		return true;
	}
	if (error_inside(thread, error))
		return true;
	(void)fetch_add_relaxed(&searches, 1);
	return false;
}

bool error_bad_free(struct recorder_thread *thread, const recorder_start *start, void *pointer)
{
	struct store_error error = {.kind = STACKDEPOT_INVALID_FREE, .address = (uintptr_t)pointer};

	if (!error_no_heap((uintptr_t)pointer) && !error_search(thread, &error)) {
		recorder_count(&recorder.header->counts.foreign_frees, 1);
		return false;
	}
	/* An odd pointer may still lie in an object. */
	if (!error.object)
		(void)error_inside(thread, &error);
	error_fill_access(&error, thread, start, pointer);
	if (error.object)
		error_history(&error);
	error_report(&error);
	return true;
}
