/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * object.c - the life of an object: what happens between the program's call and the allocator's.
 *
 * An object enters the table after the allocator returned it and leaves before the allocator takes
 * it back, so an address is in the table at most once. errno is what the allocator left.
 *
 * What is freed and not in the table goes on to the allocator, whatever it is: we do not see all
 * allocations. What is in the table is believed only if the allocator has room for it there.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "attach.h"
#include "error_record.h"
#include "guard.h"
#include "object.h"
#include "overhead.h"
#include "recorder.h"
#include "redzone.h"
#include "sample.h"
#include "tally.h"
#include "weight.h"

#define OBJECT_OFTEN 16u
#define OBJECT_TELLS 64u /* allocations of the only thread from event to event */

static __attribute__((noinline)) void *object_plain(const struct real *below, size_t size,
						    size_t align, bool zero)
{
	void *pointer = NULL;

	if (unlikely(!real_resolve()))
		return real_bootstrap(size, align);
	if (zero)
		return real_calloc(below, 1, size);
	if (!align)
		return real_malloc(below, size);
	if (below->memalign)
		return real_memalign(below, align, size);
	return real_posix_memalign(below, &pointer, align, size) ? NULL : pointer;
}

/* It has many events if its pen takes many at once. */
static __attribute__((noinline)) void object_ring_ahead(const struct stackdepot_pen *pen)
{
	if (pen->size >= OBJECT_OFTEN && !recorder_rate())
		attach_populate_ring(pen->end);
}

/* What an event says of an object, whoever writes it. */
#define OBJECT_EVENT(pointer, bytes, by, ...)                                           \
	{                                                                               \
		.address = recorder_event_address((uintptr_t)(pointer)),                \
		.size = recorder_event_size(pointer, bytes), .time = recorder_now_ns(), \
		.task = by, __VA_ARGS__                                                 \
	}

/* Inside another event of the thread, or with no thread. */
static __attribute__((noinline)) void object_event_nested(const void *pointer, size_t size,
							  stackdepot_ref_t trace,
							  stackdepot_ref_t origin, uint16_t kind)
{
	const struct stackdepot_event event = OBJECT_EVENT(
		pointer, size, thread_number(NULL), .trace = trace, .origin = origin, .kind = kind);

	(void)stackdepot_ring_record(recorder.depot, &event);
}

static inline void object_event(struct recorder_thread *thread, const void *pointer, size_t size,
				stackdepot_ref_t trace, stackdepot_ref_t origin, uint16_t kind)
{
	if (likely(thread)) {
		const struct stackdepot_event event = OBJECT_EVENT(
			pointer, size, thread->id, .trace = trace, .origin = origin, .kind = kind);

		(void)stackdepot_ring_write(recorder.depot, &thread->pen, &event);
		if (unlikely(thread->pen.next == thread->pen.end))
			object_ring_ahead(&thread->pen);
		return;
	}
	object_event_nested(pointer, size, trace, origin, kind);
}

static inline uint16_t object_free_kind(const struct recorder_thread *thread)
{
	return thread && thread_is_sole(thread) ? STORE_EVENT_FREE_OWN : STACKDEPOT_FREE;
}

static inline void object_event_free(struct recorder_thread *thread, const void *pointer,
				     const struct live_object *object, stackdepot_ref_t trace)
{
	object_event(thread, pointer, object->size, trace,
		     trace_of(thread, stackdepot_set_extra_bits(object->handle, 0)),
		     object_free_kind(thread));
}

void object_tell_free(const struct recorder_thread *thread, const void *pointer,
		      const struct live_object *object, stackdepot_ref_t trace)
{
	object_event_nested(pointer, object->size, trace,
			    trace_of(NULL, stackdepot_set_extra_bits(object->handle, 0)),
			    object_free_kind(thread));
}

/*
 * Where an object was allocated is told when it is freed, or by its entry in the table; who did it
 * goes without saying while one thread does all. With several, the allocation has an event of its
 * own; and now and then it has one for the time, or the last event of who only allocates would be
 * an old one.
 */
static inline bool object_is_told(struct recorder_thread *thread)
{
	return unlikely(!thread) || unlikely(tags_on()) || unlikely(!thread_is_sole(thread)) ||
	       unlikely(!(++thread->untold % OBJECT_TELLS));
}

static void object_corpus(stackdepot_handle_t handle)
{
	uint64_t next = fetch_add_relaxed(&recorder.header->totals.corpus_next, 1);

	if (next < recorder.options.corpus_events)
		recorder.corpus[next] = handle;
}

static unsigned int object_flags(unsigned int flags)
{
	return recorder.options.corpus_events ? flags | STACKDEPOT_KEEP : flags;
}

/* No room: sample, until the object has room or is none of the samples. */
static __attribute__((noinline)) void object_crowded(struct recorder_thread *thread, void *pointer,
						     struct live_object *object)
{
	unsigned int step;

	for (step = 0; step < ENTRY_MAX_RATE_CODE; step++) {
		bool kept = live_make_room(thread, live_home(pointer), object);

		if (kept && live_insert(thread, pointer, live_home(pointer), object))
			return;
		if (!kept)
			break;
	}
	if (step == ENTRY_MAX_RATE_CODE)
		recorder_count(&recorder_counts()->unrecorded, 1);
	trace_put(thread, object->handle);
}

/* The object is the program's from here on: count it, enter it. */
static inline __attribute__((always_inline)) void object_begin_in(struct recorder_thread *thread,
								  const recorder_start *start,
								  void *pointer, size_t size,
								  bool bare, unsigned int code)
{
	const uint32_t home = live_home(pointer);
	struct live_object object = {.size = size, .bare = bare, .tag = (uint8_t)tags_of(pointer)};
	stackdepot_handle_t handle;
	stackdepot_ref_t ref;

	live_prefetch(home);
	handle = trace_save(thread, start, object_flags(STACKDEPOT_GET), &ref);
	trace_count(thread, handle, ref, size, weight_of(size, code));
	if (unlikely(load_relaxed(&overhead_on)))
		overhead_sample(size);
	object.handle = stackdepot_set_extra_bits(handle, code);
	if (unlikely(!live_insert(thread, pointer, home, &object)))
		object_crowded(thread, pointer, &object);
	if (object_is_told(thread))
		object_event(thread, pointer, size, ref, 0, STACKDEPOT_ALLOC);
	if (unlikely(recorder.options.corpus_events))
		object_corpus(handle);
}

/* Inside another event of the thread, or with no thread. */
static __attribute__((noinline)) void object_begin_nested(const recorder_start *start,
							  void *pointer, size_t size, bool bare,
							  unsigned int code)
{
	object_begin_in(NULL, start, pointer, size, bare, code);
}

/*
 * What is done at each event is all in here, but the comparison of stacks, and what is done for
 * NULL instead of a thread.
 */
static inline __attribute__((always_inline)) void object_begin_here(struct recorder_thread *self,
								    const recorder_start *start,
								    void *pointer, size_t size,
								    bool bare, unsigned int code)
{
	struct recorder_event event;
	struct recorder_thread *thread = thread_take(self, &event);

	if (unlikely(!thread)) {
		object_begin_nested(start, pointer, size, bare, code);
		return;
	}
	object_begin_in(thread, start, pointer, size, bare, code);
	thread_let(thread, &event);
}

/* What is asked for nearly always is done here. */
static inline void *object_ask(const struct real *below, size_t size, size_t align, bool zero)
{
	if (likely(!align && !zero) && real_is_known())
		return real_malloc(below, size);
	return object_plain(below, size, align, zero);
}

static __attribute__((noinline, flatten)) void object_begin(struct recorder_thread *self,
							    const recorder_start *start,
							    void *pointer, size_t size, bool bare,
							    unsigned int code)
{
	object_begin_here(self, start, pointer, size, bare, code);
}

/* One of so many, by chance; under tags those that are too large to have any. */
static inline bool object_guards(const struct real *below, struct recorder_thread *thread,
				 size_t size)
{
	if (tags_on())
		return thread && size >= TAGS_LARGE && below->guards;
	if (!thread || !recorder.options.guard_interval || likely(--thread->guard_left))
		return false;
	/* Else it is the turn of the next one. */
	if (!below->guards)
		thread->guard_left = 1;
	return below->guards;
}

/* Not recorded, and perhaps not even the program's own wish. */
static __attribute__((noinline)) void *object_alloc_plain(const struct real *below, size_t size,
							  size_t align, bool zero)
{
	if (!real_inside) {
		error_expect_foreign();
		sample_never();
	}
	return object_plain(below, size, align, zero);
}

static inline __attribute__((always_inline)) void *
object_alloc_recorded(const struct real *below, struct recorder_thread *thread,
		      const recorder_start *start, size_t size, size_t align, bool zero,
		      bool guarded, unsigned int code)
{
	const size_t asked = redzone_request(below, size);
	void *pointer = NULL;

	if (guarded && object_guards(below, thread, size))
		pointer = guard_alloc(thread, size, align);
	if (likely(!pointer)) {
		pointer = object_ask(below, asked, align, zero);
		if (unlikely(!pointer))
			return NULL;
		redzone_arm(below, pointer, size, asked);
		pointer = tags_give(below, pointer, size);
	}
	object_begin_here(thread, start, pointer, size, !below->extends, code);
	return pointer;
}

static __attribute__((noinline)) void *object_alloc_sampled(const struct real *below,
							    const recorder_start *start,
							    size_t size, size_t align, bool zero)
{
	struct recorder_thread *thread;
	int code;

	if (recorder_rate() & STORE_RATE_OFF && sample_is_off())
		return object_plain(below, size, align, zero);
	thread = thread_self();
	code = sample_take(thread, size);
	if (code == SAMPLE_NOT)
		return object_plain(below, size, align, zero);
	return object_alloc_recorded(below, thread, start, size, align, zero, true,
				     (unsigned int)code);
}

__attribute__((flatten)) void *object_alloc(const struct real *below, const recorder_start *start,
					    size_t size, size_t align, bool zero)
{
	struct recorder_thread *thread;

	if (unlikely(real_is_inside(start->sp) || !recorder_on()))
		return object_alloc_plain(below, size, align, zero);
	thread = recorder_thread;
	if (unlikely((uintptr_t)thread <= 1 || !sample_takes_all(thread)))
		return object_alloc_sampled(below, start, size, align, zero);
	return object_alloc_recorded(below, thread, start, size, align, zero, true, 0);
}

void object_adopt(const recorder_start *start, void *pointer, size_t size)
{
	struct recorder_thread *thread;
	int code;

	if (!pointer || !recorder_on())
		return;
	thread = thread_self();
	code = sample_take(thread, size);
	if (code != SAMPLE_NOT)
		object_begin(thread, start, pointer, size, true, (unsigned int)code);
}

static __attribute__((noinline)) void object_overflow(struct recorder_thread *thread,
						      const void *pointer,
						      const struct live_object *object,
						      stackdepot_ref_t free_trace, size_t offset,
						      uint64_t value)
{
	struct store_error error = {
		.kind = STACKDEPOT_HEAP_OVERFLOW,
		.flags = STACKDEPOT_ERROR_WRITE,
		.object = tags_address(pointer),
		.object_bytes = object->size,
		.address = tags_address(pointer) + offset,
		.value = value,
		.access_trace = free_trace,
		.alloc_trace = stackdepot_ref(recorder.depot,
					      stackdepot_set_extra_bits(object->handle, 0)),
		.thread = thread_number(thread),
	};

	error_history(&error);
	error_report(&error);
}

static inline void object_check(const struct real *below, struct recorder_thread *thread,
				const void *pointer, const struct live_object *object,
				stackdepot_ref_t free_trace)
{
	uint64_t value;
	size_t offset;

	if (unlikely(!object->bare && !(object->tag & TAGS_TOLD) &&
		     !redzone_intact(below, pointer, object->size, &offset, &value)))
		object_overflow(thread, pointer, object, free_trace, offset, value);
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

static struct object_where object_save_alone(struct recorder_thread *self,
					     const recorder_start *start)
{
	struct recorder_event event;
	struct recorder_thread *thread = thread_take(self, &event);
	const struct object_where where = object_save_end(thread, start);

	thread_let(thread, &event);
	return where;
}

/* The object was taken out of the table: what is left to record of its end. */
static inline void object_end(const struct real *below, struct recorder_thread *thread,
			      const struct object_where *where, const void *pointer,
			      const struct live_object *object, bool keep_reference)
{
	object_check(below, thread, pointer, object, where->ref);
	object_event_free(thread, pointer, object, where->ref);
	if (!keep_reference)
		trace_put(thread, object->handle);
	if (unlikely(recorder.options.corpus_events))
		object_corpus(where->handle);
}

/* Carried out: the allocator may know it, or end the program. */
static __attribute__((noinline)) void object_free_absent(const struct real *below,
							 struct recorder_thread *thread,
							 stackdepot_ref_t trace, void *pointer)
{
	error_doubt_begin(below, thread, trace, pointer);
	real_free(below, pointer);
	error_doubt_end(thread);
}

/*
 * It is in a quarantine: an error for certain. If it is in this thread's, it goes to the allocator
 * as it would have gone by now, and then again. False if it is another's, who will free it.
 */
static __attribute__((noinline)) bool object_is_held(struct recorder_thread *thread,
						     stackdepot_ref_t trace, void *pointer,
						     const struct live_object *object)
{
	error_double_free(thread, trace, pointer, object);
	if (!thread || !quarantine_give_up(thread, pointer))
		return false;
	thread->doubt_told = true;
	return true;
}

/* The entry is about something that was there before. */
static __attribute__((noinline)) void object_stale(const void *pointer,
						   const struct live_object *object)
{
	live_clear(pointer, object);
	trace_put(NULL, object->handle);
	recorder_count(&recorder_counts()->ended_unseen, 1);
}

/*
 * The memory has another tag than the pointer, so it was freed: an error for certain. False if the
 * free is not to be carried out, as the memory is somebody else's.
 */
static __attribute__((noinline)) bool object_is_gone(struct recorder_thread *thread,
						     const recorder_start *start,
						     const struct object_where *where,
						     const void *pointer)
{
	stackdepot_ref_t trace = where->ref;

	if (!where->handle)
		trace = object_save_end(thread, start).ref;
	error_free_by_tag(thread, trace, pointer);
	if (tags_memory(pointer) || !thread)
		return false;
	thread->doubt_told = true;
	return true;
}

/* Of a pointer that is not live: may it be freed all the same? */
static bool object_may_pass(struct recorder_thread *thread, const recorder_start *start,
			    const struct object_where *where, const void *pointer,
			    const struct live_object *object, enum live_state state)
{
	if (state == LIVE_HELD)
		return object_is_held(thread, where->ref, (void *)(uintptr_t)pointer, object);
	if (unlikely(tags_of(pointer) && !tags_match(pointer)))
		return object_is_gone(thread, start, where, pointer);
	return true;
}

static void object_free_taken(const struct real *below, struct recorder_thread *thread,
			      const recorder_start *start, const struct object_where *where,
			      void *pointer, const struct live_object *object)
{
	bool waits = thread && quarantine_wants(below, object->size);

	object_end(below, thread, where, pointer, object, waits);
	if (waits) {
		quarantine_push(below, thread, start, pointer, object);
	} else {
		live_clear(pointer, object);
		real_free(below, pointer);
	}
}

static void object_free_found(const struct real *below, struct recorder_thread *thread,
			      const recorder_start *start, const struct object_where *where,
			      void *pointer, const struct live_object *object,
			      enum live_state state)
{
	if (likely(state == LIVE_TAKEN)) {
		if (likely(redzone_fits(below, pointer, object))) {
			object_free_taken(below, thread, start, where, pointer, object);
			return;
		}
		object_stale(pointer, object);
	} else if (!object_may_pass(thread, start, where, pointer, object, state)) {
		return;
	}
	object_free_absent(below, thread, where->ref, pointer);
}

static inline __attribute__((always_inline)) void object_free_in(const struct real *below,
								 struct recorder_thread *thread,
								 const recorder_start *start,
								 void *pointer)
{
	const uint32_t home = live_home(pointer);
	bool early = !recorder_rate();
	struct object_where where = {0};
	struct live_object object;
	enum live_state state;

	/* Where nearly every free is of an object in the table, its bucket comes while we unwind.
	 */
	if (likely(early)) {
		live_prefetch(home);
		where = object_save_end(thread, start);
	}
	state = live_hold(thread, pointer, home, &object);
	if (likely(state == LIVE_TAKEN))
		trace_prefetch(thread, object.handle);
	if (!early && state != LIVE_NONE)
		where = object_save_end(thread, start);
	object_free_found(below, thread, start, &where, pointer, &object, state);
}

static __attribute__((noinline)) void object_free_nested(const struct real *below,
							 const recorder_start *start, void *pointer)
{
	object_free_in(below, NULL, start, pointer);
}

/* As object_begin_here(). */
static __attribute__((noinline, flatten)) void object_free_live(const struct real *below,
								struct recorder_thread *self,
								const recorder_start *start,
								void *pointer)
{
	struct recorder_event event;
	struct recorder_thread *thread = thread_take(self, &event);

	if (unlikely(!thread)) {
		object_free_nested(below, start, pointer);
		return;
	}
	object_free_in(below, thread, start, pointer);
	thread_let(thread, &event);
}

/*
 * Not recording, and maybe not even begun; or an allocator's own doing, which ends what it ends
 * without a stack.
 */
static __attribute__((noinline)) void object_free_plain(const struct real *below, void *pointer)
{
	struct live_object object;

	if (guard_owns(pointer)) {
		guard_free(below, NULL, NULL, pointer);
		return;
	}
	if (real_is_bootstrap(pointer) || !real_resolve())
		return;
	if (real_inside && recorder_on() && live_take(thread_self(), pointer, &object))
		trace_put(NULL, object.handle);
	real_free(below, pointer);
}

void object_free(const struct real *below, const recorder_start *start, void *pointer)
{
	const int saved_errno = errno;

	if (!pointer)
		return;
	if (unlikely(real_is_inside(start->sp) || !recorder_on() || real_is_bootstrap(pointer)))
		object_free_plain(below, pointer);
	else if (unlikely(guard_owns(pointer)))
		guard_free(below, thread_self(), start, pointer);
	else
		object_free_live(below, thread_self(), start, pointer);
	errno = saved_errno;
}

bool object_pass(const struct real *below, const recorder_start *start, void *pointer,
		 struct object_passing *ret_passing)
{
	struct recorder_event event;
	struct recorder_thread *thread = thread_take(thread_self(), &event);
	const struct object_where where = object_save_end(thread, start);
	enum live_state state =
		live_hold(thread, pointer, live_home(pointer), &ret_passing->object);
	bool passes = true;

	ret_passing->thread = thread;
	ret_passing->known = ret_passing->doubt = false;
	if (state == LIVE_TAKEN && redzone_fits(below, pointer, &ret_passing->object)) {
		object_end(below, thread, &where, pointer, &ret_passing->object, true);
		live_clear(pointer, &ret_passing->object);
		ret_passing->known = true;
	} else {
		if (state == LIVE_TAKEN)
			object_stale(pointer, &ret_passing->object);
		else
			passes = object_may_pass(thread, start, &where, pointer,
						 &ret_passing->object, state);
		ret_passing->doubt = passes;
	}
	if (ret_passing->doubt)
		error_doubt_begin(below, thread, where.ref, pointer);
	thread_let(thread, &event);
	return passes;
}

void object_passed(const struct object_passing *passing)
{
	if (passing->doubt)
		error_doubt_end(passing->thread);
	if (passing->known)
		trace_put(NULL, passing->object.handle);
}

void object_stays(const struct object_passing *passing, void *pointer)
{
	if (passing->doubt)
		error_doubt_end(passing->thread);
	if (passing->known)
		(void)live_insert(passing->thread, pointer, live_home(pointer), &passing->object);
}

void object_asked(const struct live_object *object)
{
	if (stackdepot_get_extra_bits(object->handle))
		overhead_ask(object->size);
}

size_t object_usable(const struct real *below, void *pointer)
{
	struct live_object object;

	if (!pointer || real_is_bootstrap(pointer))
		return 0;
	if (guard_owns(pointer))
		return guard_size(pointer);
	if (recorder_on() && live_find(pointer, &object)) {
		object_asked(&object);
		if (!object.bare)
			return object.size;
	}
	return real_resolve() && below->usable ? real_usable(below, pointer) : 0;
}

/*
 * Of those that all are guarded one that is resized is not: that may happen often, and the
 * allocator need not copy it.
 */
static void *object_alloc_unguarded(const struct real *below, const recorder_start *start,
				    size_t size)
{
	struct recorder_thread *thread;
	int code;

	if (unlikely(real_is_inside(start->sp) || !recorder_on()))
		return object_alloc_plain(below, size, 0, false);
	thread = thread_self();
	code = sample_take(thread, size);
	if (code == SAMPLE_NOT)
		return object_plain(below, size, 0, false);
	return object_alloc_recorded(below, thread, start, size, 0, false, false,
				     (unsigned int)code);
}

/* Where the allocator cannot move the object for us: a new one, and the bytes copied. */
static void *object_move(const struct real *below, const recorder_start *start, void *pointer,
			 size_t old_size, size_t size)
{
	void *moved = tags_on() ? object_alloc_unguarded(below, start, size)
				: object_alloc(below, start, size, 0, false);

	if (moved) {
		memcpy(moved, pointer, old_size < size ? old_size : size);
		object_free(below, start, pointer);
	}
	return moved;
}

/* The allocator moves it, or refuses to, without its tag. */
static void *object_resize(const struct real *below, void *pointer, size_t size)
{
	size_t tagged;
	void *moved = real_realloc(below, tags_take(below, pointer, &tagged), size);

	if (!moved && size)
		tags_give_back(pointer, tagged);
	return moved;
}

/* An end and a beginning, so it is as likely to be recorded as any object of its new size. */
static void *object_realloc_live(const struct real *below, struct recorder_thread *self,
				 const recorder_start *start, void *pointer,
				 const struct live_object *object, size_t size)
{
	struct recorder_event event;
	struct recorder_thread *thread = thread_take(self, &event);
	const struct object_where where = object_save_end(thread, start);
	const int code = sample_take(self, size);
	const size_t wanted = code == SAMPLE_NOT ? size : redzone_request(below, size);
	void *moved;

	object_end(below, thread, &where, pointer, object, true);
	live_clear(pointer, object);
	thread_let(thread, &event);
	moved = object_resize(below, pointer, wanted);
	if (!moved) {
		/* It is what it was. */
		(void)live_insert(self, pointer, live_home(pointer), object);
		return NULL;
	}
	trace_put(NULL, object->handle);
	if (code != SAMPLE_NOT) {
		redzone_arm(below, moved, size, wanted);
		moved = tags_give(below, moved, size);
		object_begin(self, start, moved, size, !below->extends, (unsigned int)code);
	}
	return moved;
}

/* An object that was not recorded may become one that is. */
static void *object_realloc_absent(const struct real *below, struct recorder_thread *thread,
				   const recorder_start *start, stackdepot_ref_t trace,
				   void *pointer, size_t size)
{
	const int code = sample_take(thread, size);
	const size_t wanted = code == SAMPLE_NOT ? size : redzone_request(below, size);
	void *moved;

	error_doubt_begin(below, thread, trace, pointer);
	moved = object_resize(below, pointer, wanted);
	error_doubt_end(thread);
	if (moved && code != SAMPLE_NOT) {
		redzone_arm(below, moved, size, wanted);
		moved = tags_give(below, moved, size);
		object_begin(thread, start, moved, size, !below->extends, (unsigned int)code);
	}
	return moved;
}

static void *object_realloc_found(const struct real *below, struct recorder_thread *thread,
				  const recorder_start *start, void *pointer, size_t size)
{
	struct object_where where = {0};
	struct live_object object;
	enum live_state state = live_hold(thread, pointer, live_home(pointer), &object);

	if (likely(state == LIVE_TAKEN)) {
		if (likely(redzone_fits(below, pointer, &object)))
			return object_realloc_live(below, thread, start, pointer, &object, size);
		object_stale(pointer, &object);
	}
	if (!recorder_rate() || state != LIVE_NONE)
		where = object_save_alone(thread, start);
	if (!object_may_pass(thread, start, &where, pointer, &object, state)) {
		errno = ENOMEM;
		return NULL;
	}
	return object_realloc_absent(below, thread, start, where.ref, pointer, size);
}

static size_t object_bootstrap_size(const void *pointer, size_t size)
{
	/* Not known any more; what lies behind it in the buffer can be read all the same. */
	while (size && !real_is_bootstrap((const char *)pointer + size - 1))
		size--;
	return size;
}

/* As object_free_plain(). */
static __attribute__((noinline)) void *object_realloc_plain(const struct real *below, void *pointer,
							    size_t size)
{
	struct live_object object;

	if (!real_resolve())
		return NULL;
	if (real_inside && recorder_on() && live_take(thread_self(), pointer, &object))
		trace_put(NULL, object.handle);
	return object_resize(below, pointer, size);
}

/* What that is differs: the end of the object, or a new one of no bytes. */
static void *object_realloc_nothing(const struct real *below, const recorder_start *start,
				    void *pointer)
{
	struct object_passing passing;
	void *moved;

	if (!object_pass(below, start, pointer, &passing))
		return NULL;
	moved = object_resize(below, pointer, 0);
	object_passed(&passing);
	object_adopt(start, moved, 0);
	return moved;
}

void *object_realloc(const struct real *below, const recorder_start *start, void *pointer,
		     size_t size)
{
	if (!pointer)
		return object_alloc(below, start, size, 0, false);
	if (real_is_bootstrap(pointer))
		return object_move(below, start, pointer, object_bootstrap_size(pointer, size),
				   size);
	if (guard_owns(pointer) && !size) {
		object_free(below, start, pointer);
		return NULL;
	}
	if (guard_owns(pointer))
		return object_move(below, start, pointer, guard_size(pointer), size);
	if (unlikely(real_is_inside(start->sp) || !recorder_on()))
		return object_realloc_plain(below, pointer, size);
	if (!size)
		return object_realloc_nothing(below, start, pointer);
	return object_realloc_found(below, thread_self(), start, pointer, size);
}
