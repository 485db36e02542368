/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * object.c - the life of an object: what happens between the program's call and the allocator's.
 *
 * An object enters the table after the allocator returned it and leaves before the allocator takes
 * it back, so an address is in the table at most once. errno is what the allocator left.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "recorder.h"

static void *object_plain(size_t size, size_t align, bool zero)
{
	void *pointer = NULL;

	if (unlikely(!real_resolve()))
		return real_bootstrap(size, align);
	if (zero)
		return real.calloc(1, size);
	if (!align)
		return real.malloc(size);
	if (real.memalign)
		return real.memalign(align, size);
	return real.posix_memalign(&pointer, align, size) ? NULL : pointer;
}

static void object_event(struct recorder_thread *thread, const void *pointer, size_t size,
			 stackdepot_ref_t trace, unsigned int kind)
{
	const struct stackdepot_event event = {
		.address = (uintptr_t)pointer,
		.size = size,
		.trace = trace,
		.time = recorder_now_ns(),
		.task = thread ? thread->id : thread_id(),
		.kind = kind,
	};

	(void)stackdepot_ring_record(recorder.depot, &event);
}

static void object_corpus(stackdepot_handle_t handle)
{
	uint64_t next = fetch_add_relaxed(&recorder.header->counts.corpus_next, 1);

	if (next < recorder.options.corpus_events)
		recorder.corpus[next] = handle;
}

static unsigned int object_flags(unsigned int flags)
{
	return recorder.options.corpus_events ? flags | STACKDEPOT_KEEP : flags;
}

/* The object is the program's from here on: count it, enter it. */
static void object_begin(struct recorder_thread *thread, const recorder_start *start, void *pointer,
			 size_t size)
{
	const unsigned int code = load_relaxed(&recorder.sampling)
					  ? sample_code(recorder.header->counts.sample_bytes)
					  : 0;
	stackdepot_handle_t handle;
	stackdepot_ref_t ref;

	live_prefetch(pointer);
	handle = trace_save(thread, start, object_flags(STACKDEPOT_GET), &ref);
	trace_count(ref, size, sample_weight(size, code));
	if (unlikely(
		    !live_insert(thread, pointer, size, stackdepot_set_extra_bits(handle, code)))) {
		recorder_count(&recorder.header->counts.unrecorded, 1);
		(void)stackdepot_put(recorder.depot, handle);
	}
	object_event(thread, pointer, size, ref, STACKDEPOT_ALLOC);
	if (unlikely(recorder.options.corpus_events))
		object_corpus(handle);
}

static bool object_guards(struct recorder_thread *thread)
{
	return thread && recorder.options.guard_interval && unlikely(--thread->guard_left == 0);
}

void *object_alloc(const recorder_start *start, size_t size, size_t align, bool zero)
{
	struct recorder_thread *thread;
	void *pointer;

	if (unlikely(!recorder_on()))
		return object_plain(size, align, zero);
	thread = thread_self();
	if (!sample_take(thread, size))
		return object_plain(size, align, zero);
	if (object_guards(thread)) {
		pointer = guard_alloc(thread, start, size, align);
		if (pointer) {
			object_begin(thread, start, pointer, size);
			return pointer;
		}
	}
	pointer = object_plain(redzone_request(size), align, zero);
	if (likely(pointer)) {
		redzone_arm(pointer, size);
		object_begin(thread, start, pointer, size);
	}
	return pointer;
}

static void object_check(struct recorder_thread *thread, const void *pointer,
			 const struct live_object *object, stackdepot_ref_t free_trace)
{
	struct store_error error = {.kind = STACKDEPOT_HEAP_OVERFLOW,
				    .flags = STACKDEPOT_ERROR_WRITE,
				    .object = (uintptr_t)pointer,
				    .object_bytes = object->size};
	stackdepot_handle_t handle = stackdepot_set_extra_bits(object->handle, 0);
	size_t offset;

	if (likely(redzone_intact(pointer, object->size, &offset, &error.value)))
		return;
	error.address = (uintptr_t)pointer + offset;
	error.access_trace = free_trace;
	error.alloc_trace = stackdepot_ref(recorder.depot, handle);
	error.thread = thread ? thread->id : thread_id();
	error_history(&error);
	error_report(&error);
}

/* Where something ends, and who has to know. */
struct object_where {
	stackdepot_handle_t handle;
	stackdepot_ref_t ref;
};

static struct object_where object_save_end(struct recorder_thread *thread,
					   const recorder_start *start)
{
	struct object_where where;

	where.handle = trace_save(thread, start, object_flags(0), &where.ref);
	return where;
}

/* The object was taken out of the table: what is left to record of its end. */
static void object_end(struct recorder_thread *thread, const struct object_where *where,
		       const void *pointer, const struct live_object *object, bool keep_reference)
{
	object_check(thread, pointer, object, where->ref);
	object_event(thread, pointer, object->size, where->ref, STACKDEPOT_FREE);
	if (!keep_reference)
		(void)stackdepot_put(recorder.depot, stackdepot_set_extra_bits(object->handle, 0));
	if (unlikely(recorder.options.corpus_events))
		object_corpus(where->handle);
}

/* A free of a pointer that is not live: a bug, reported? */
static bool object_absent_is_bug(struct recorder_thread *thread, const recorder_start *start,
				 void *pointer)
{
	if (quarantine_has(pointer)) {
		error_double_free(thread, start, pointer);
		return true;
	}
	return !load_relaxed(&recorder.sampling) && error_bad_free(thread, start, pointer);
}

/* Reported and not carried out, or none of our business. */
static __attribute__((noinline)) void object_free_absent(struct recorder_thread *thread,
							 const recorder_start *start, void *pointer)
{
	if (!object_absent_is_bug(thread, start, pointer))
		real.free(pointer);
}

static void object_free_taken(struct recorder_thread *thread, const recorder_start *start,
			      const struct object_where *where, void *pointer,
			      const struct live_object *object)
{
	bool waits = thread && thread->depth == 1 && quarantine_wants(object->size);

	object_end(thread, where, pointer, object, waits);
	if (waits)
		quarantine_push(thread, start, pointer, object);
	else
		real.free(pointer);
}

static void object_free_live(struct recorder_thread *thread, const recorder_start *start,
			     void *pointer)
{
	bool early = !load_relaxed(&recorder.sampling);
	struct object_where where;
	struct live_object object;

	if (thread)
		thread->depth++;
	/* Where nearly every free is of an object in the table, its bucket comes while we unwind.
	 */
	if (likely(early)) {
		live_prefetch(pointer);
		where = object_save_end(thread, start);
	}
	if (likely(live_take(thread, pointer, &object))) {
		if (!early)
			where = object_save_end(thread, start);
		object_free_taken(thread, start, &where, pointer, &object);
	} else {
		object_free_absent(thread, start, pointer);
	}
	if (thread)
		thread->depth--;
}

/* Not recording, and maybe not even begun. */
static __attribute__((noinline)) void object_free_plain(void *pointer)
{
	if (guard_owns(pointer))
		guard_free(NULL, NULL, pointer);
	else if (!real_is_bootstrap(pointer) && real_resolve())
		real.free(pointer);
}

void object_free(const recorder_start *start, void *pointer)
{
	const int saved_errno = errno;

	if (!pointer)
		return;
	if (unlikely(!recorder_on() || real_is_bootstrap(pointer)))
		object_free_plain(pointer);
	else if (unlikely(guard_owns(pointer)))
		guard_free(thread_self(), start, pointer);
	else
		object_free_live(thread_self(), start, pointer);
	errno = saved_errno;
}

size_t object_usable(void *pointer)
{
	struct live_object object;

	if (!pointer || real_is_bootstrap(pointer))
		return 0;
	if (guard_owns(pointer))
		return guard_size(pointer);
	if (recorder_on() && live_find(pointer, &object))
		return object.size;
	return real_resolve() && real.usable ? real.usable(pointer) : 0;
}

/* Where the allocator cannot move the object for us: a new one, and the bytes copied. */
static void *object_move(const recorder_start *start, void *pointer, size_t old_size, size_t size)
{
	void *moved = object_alloc(start, size, 0, false);

	if (moved) {
		memcpy(moved, pointer, old_size < size ? old_size : size);
		object_free(start, pointer);
	}
	return moved;
}

static void *object_realloc_live(struct recorder_thread *thread, const recorder_start *start,
				 void *pointer, const struct live_object *object, size_t size)
{
	const struct object_where where = object_save_end(thread, start);
	void *moved;

	object_end(thread, &where, pointer, object, true);
	moved = real.realloc(pointer, redzone_request(size));
	if (!moved) {
		/* It is what it was. */
		(void)live_insert(thread, pointer, object->size, object->handle);
		return NULL;
	}
	(void)stackdepot_put(recorder.depot, stackdepot_set_extra_bits(object->handle, 0));
	redzone_arm(moved, size);
	object_begin(thread, start, moved, size);
	return moved;
}

/* An object that was not recorded may become one that is. */
static void *object_realloc_absent(struct recorder_thread *thread, const recorder_start *start,
				   void *pointer, size_t size)
{
	void *moved;

	if (object_absent_is_bug(thread, start, pointer)) {
		errno = ENOMEM;
		return NULL;
	}
	if (!sample_take(thread, size))
		return real.realloc(pointer, size);
	moved = real.realloc(pointer, redzone_request(size));
	if (moved) {
		redzone_arm(moved, size);
		object_begin(thread, start, moved, size);
	}
	return moved;
}

static size_t object_bootstrap_size(const void *pointer, size_t size)
{
	/* Not known any more; what lies behind it in the buffer can be read all the same. */
	while (size && !real_is_bootstrap((const char *)pointer + size - 1))
		size--;
	return size;
}

void *object_realloc(const recorder_start *start, void *pointer, size_t size)
{
	struct recorder_thread *thread;
	struct live_object object;

	if (!pointer)
		return object_alloc(start, size, 0, false);
	if (real_is_bootstrap(pointer))
		return object_move(start, pointer, object_bootstrap_size(pointer, size), size);
	if (!size) {
		object_free(start, pointer);
		return NULL;
	}
	if (guard_owns(pointer))
		return object_move(start, pointer, guard_size(pointer), size);
	if (unlikely(!recorder_on()))
		return real.realloc(pointer, size);
	thread = thread_self();
	if (live_take(thread, pointer, &object))
		return object_realloc_live(thread, start, pointer, &object, size);
	return object_realloc_absent(thread, start, pointer, size);
}
