/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * hooks_other.c - an allocator's own functions, whatever they are called.
 *
 * Each is called as it was meant to be, with the arguments as they are: they say where the memory
 * is to come from, how it is to be aligned, and what is to be done if there is none. So nothing of
 * ours is put behind the object or kept back. What is recorded is which object begins and which
 * ends.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "guard.h"
#include "hooks.h"
#include "object.h"
#include "recorder.h"
#include "thread.h"

typedef uintptr_t (*other_function)(uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t);

struct other_arguments {
	uintptr_t at[5];
};

#define ARGUMENTS                     \
	{                             \
		{                     \
			a, b, c, d, e \
		}                     \
	}

/*
 * It may throw, or not come back: see real.h. *ret_left: it left the allocator, for a new handler
 * (hooks_new.c).
 */
static inline uintptr_t other_call_left(const struct patch *patch,
					const struct other_arguments *argument, bool *ret_left)
{
	const uintptr_t *at = argument->at, outside = real_inside;
	other_function original;
	uintptr_t result;

	*(void **)&original = patch->original;
	__atomic_store_n(&real_inside, REAL_PLACE, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	result = original(at[0], at[1], at[2], at[3], at[4]);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	*ret_left = !real_inside;
	__atomic_store_n(&real_inside, outside, __ATOMIC_RELAXED);
	return result;
}

static inline uintptr_t other_call(const struct patch *patch,
				   const struct other_arguments *argument)
{
	bool left;

	return other_call_left(patch, argument, &left);
}

static size_t other_size(const struct hook *row, const struct other_arguments *argument)
{
	size_t bytes = argument->at[row->size_at - 1];

	/* An overflow is the function's to notice: there is no object then. */
	return row->count_at ? bytes * argument->at[row->count_at - 1] : bytes;
}

static void *other_pointer(const struct hook *row, const struct other_arguments *argument)
{
	return (void *)argument->at[row->pointer_at - 1];
}

/* The allocator gets the pointer without its tag. */
static struct other_arguments other_untagged(const struct patch *patch,
					     const struct other_arguments *argument,
					     size_t *ret_tagged)
{
	struct other_arguments plain = *argument;

	plain.at[patch->row->pointer_at - 1] =
		(uintptr_t)tags_take(patch->below, other_pointer(patch->row, argument), ret_tagged);
	return plain;
}

DEFINE_PATCHED(other_alloc)
{
	const struct other_arguments argument = ARGUMENTS;
	struct live_object object;
	uintptr_t result;
	int saved_errno;
	bool left;

	result = other_call_left(patch, &argument, &left);
	saved_errno = errno;
	/* After a handler it calls its own malloc() again, which is seen. */
	if (!left || !live_find((void *)result, &object))
		object_adopt(start, (void *)result, other_size(patch->row, &argument));
	errno = saved_errno;
	return result;
}

DEFINE_PATCHED(other_alloc_to)
{
	const struct other_arguments argument = ARGUMENTS;
	uintptr_t result = other_call(patch, &argument);
	const int saved_errno = errno;

	if (!(int)result)
		object_adopt(start, *(void **)other_pointer(patch->row, &argument),
			     other_size(patch->row, &argument));
	errno = saved_errno;
	return result;
}

DEFINE_PATCHED(other_copy)
{
	const struct other_arguments argument = ARGUMENTS;
	uintptr_t result = other_call(patch, &argument);
	const int saved_errno = errno;

	if (result)
		object_adopt(start, (void *)result, strlen((const char *)result) + 1);
	errno = saved_errno;
	return result;
}

/* Is there nothing to record of this pointer's end? */
static bool other_is_plain(void *pointer)
{
	return !pointer || live_skips(pointer) || !recorder_on();
}

/* A size that the program tells is not the one that we asked for. */
static uintptr_t other_free_call(const struct patch *patch, const struct other_arguments *argument,
				 void *pointer, bool bare)
{
	struct other_arguments plain;
	size_t tagged;

	if (!patch->row->sized || !patch->below->extends || bare || !pointer) {
		plain = other_untagged(patch, argument, &tagged);
		return other_call(patch, &plain);
	}
	real_free(patch->below, pointer);
	return 0;
}

DEFINE_PATCHED(other_free)
{
	const struct other_arguments argument = ARGUMENTS;
	void *pointer = other_pointer(patch->row, &argument);
	struct object_passing passing;
	const int saved_errno = errno;

	if (other_is_plain(pointer))
		return other_free_call(patch, &argument, pointer, false);
	if (guard_owns(pointer)) {
		guard_free(patch->below, thread_self(), start, pointer);
		return 0;
	}
	if (!object_pass(patch->below, start, pointer, &passing))
		return 0;
	errno = saved_errno;
	(void)other_free_call(patch, &argument, pointer, passing.known && passing.object.bare);
	object_passed(&passing);
	errno = saved_errno;
	return 0;
}

/* Where it stays what it was, so does its tag. */
static uintptr_t other_move(const struct patch *patch, const struct other_arguments *argument)
{
	size_t tagged;
	const struct other_arguments plain = other_untagged(patch, argument, &tagged);
	uintptr_t result = other_call(patch, &plain);

	if (!result && other_size(patch->row, argument))
		tags_give_back(other_pointer(patch->row, argument), tagged);
	return result;
}

DEFINE_PATCHED(other_realloc)
{
	const struct other_arguments argument = ARGUMENTS;
	void *pointer = other_pointer(patch->row, &argument);
	struct object_passing passing;
	uintptr_t result;
	int saved_errno;

	if (other_is_plain(pointer)) {
		result = other_move(patch, &argument);
	} else {
		if (!object_pass(patch->below, start, pointer, &passing))
			return 0;
		result = other_move(patch, &argument);
		if (result)
			object_passed(&passing);
		else
			object_stays(&passing, pointer);
	}
	saved_errno = errno;
	object_adopt(start, (void *)result, other_size(patch->row, &argument));
	errno = saved_errno;
	return result;
}

DEFINE_PATCHED(other_resize)
{
	const struct other_arguments argument = ARGUMENTS;
	void *pointer = other_pointer(patch->row, &argument);
	struct object_passing passing;
	uintptr_t result;

	/* One with a tag stays as large as it is, which the program has to expect. */
	if (tags_of(pointer))
		return object_usable(patch->below, pointer);
	if (other_is_plain(pointer) || !object_pass(patch->below, start, pointer, &passing))
		return other_call(patch, &argument);
	result = other_call(patch, &argument);
	passing.object.size = result;
	passing.object.bare = true;
	object_stays(&passing, pointer);
	return result;
}

DEFINE_PATCHED(other_usable)
{
	const struct other_arguments argument = ARGUMENTS;
	void *pointer = other_pointer(patch->row, &argument);
	struct live_object object;

	if (!other_is_plain(pointer) && live_find(pointer, &object)) {
		object_asked(&object);
		if (!object.bare)
			return object.size;
	}
	if (tags_of(pointer))
		return object_usable(patch->below, pointer);
	return other_call(patch, &argument);
}
