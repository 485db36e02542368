/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * hooks.c - the functions of the C library that the program calls here instead, and what their
 * own entries are sent to.
 *
 * Each notes its caller's frame and goes on in object.c. They set errno as the C library does.
 *
 * While objects are sampled, nearly every call is of one that is not recorded: it goes straight to
 * the allocator. The other way is a function of its own, which is jumped to, so that it finds the
 * program's frame where the hook would have found it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "elf_module.h"
#include "guard.h"
#include "heaps.h"
#include "hooks.h"
#include "modules.h"
#include "object.h"
#include "recorder.h"
#include "sample.h"

#define HOOK EXPORT __attribute__((noinline))
#define RECORDED static __attribute__((noinline))

static void *hook_result(void *pointer)
{
	if (unlikely(!pointer))
		errno = ENOMEM;
	return pointer;
}

RECORDED void *malloc_recorded(size_t size)
{
	const recorder_start start = stackdepot_unwind_caller();

	return hook_result(object_alloc(real_next, &start, size, 0, false));
}

HOOK void *malloc(size_t size)
{
	return sample_skips(size) ? real_next->quick_malloc(size) : malloc_recorded(size);
}

DEFINE_PATCHED(patched_malloc)
{
	return (uintptr_t)hook_result(object_alloc(patch->below, start, a, 0, false));
}

RECORDED void free_recorded(void *pointer)
{
	const recorder_start start = stackdepot_unwind_caller();

	object_free(real_next, &start, pointer);
}

HOOK void free(void *pointer)
{
	if (live_skips(pointer))
		real_next->quick_free(pointer);
	else
		free_recorded(pointer);
}

HOOK void cfree(void *pointer);
HOOK void cfree(void *pointer)
{
	const recorder_start start = stackdepot_unwind_caller();

	object_free(real_next, &start, pointer);
}

DEFINE_PATCHED_LOOKING(patched_free)
{
	object_free(patch->below, start, (void *)a);
	return 0;
}

static void *hook_calloc(const struct real *below, const recorder_start *start, size_t nr,
			 size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(nr, size, &bytes))
		return hook_result(NULL);
	return hook_result(object_alloc(below, start, bytes, 0, true));
}

RECORDED void *calloc_recorded(size_t nr, size_t size)
{
	const recorder_start start = stackdepot_unwind_caller();

	return hook_calloc(real_next, &start, nr, size);
}

HOOK void *calloc(size_t nr, size_t size)
{
	size_t bytes;

	if (!__builtin_mul_overflow(nr, size, &bytes) && sample_skips(bytes))
		return real_calloc(real_next, nr, size);
	return calloc_recorded(nr, size);
}

DEFINE_PATCHED(patched_calloc)
{
	return (uintptr_t)hook_calloc(patch->below, start, a, b);
}

RECORDED void *realloc_recorded(void *pointer, size_t size)
{
	const recorder_start start = stackdepot_unwind_caller();

	return object_realloc(real_next, &start, pointer, size);
}

HOOK void *realloc(void *pointer, size_t size)
{
	if (live_skips(pointer) && sample_skips(size))
		return real_realloc(real_next, pointer, size);
	return realloc_recorded(pointer, size);
}

DEFINE_PATCHED_LOOKING(patched_realloc)
{
	return (uintptr_t)object_realloc(patch->below, start, (void *)a, b);
}

static void *hook_reallocarray(const struct real *below, const recorder_start *start, void *pointer,
			       size_t nr, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(nr, size, &bytes))
		return hook_result(NULL);
	return object_realloc(below, start, pointer, bytes);
}

HOOK void *reallocarray(void *pointer, size_t nr, size_t size)
{
	const recorder_start start = stackdepot_unwind_caller();

	return hook_reallocarray(real_next, &start, pointer, nr, size);
}

DEFINE_PATCHED_LOOKING(patched_reallocarray)
{
	return (uintptr_t)hook_reallocarray(patch->below, start, (void *)a, b, c);
}

HOOK void *memalign(size_t align, size_t size)
{
	const recorder_start start = stackdepot_unwind_caller();

	return hook_result(object_alloc(real_next, &start, size, align, false));
}

HOOK void *aligned_alloc(size_t align, size_t size)
{
	const recorder_start start = stackdepot_unwind_caller();

	return hook_result(object_alloc(real_next, &start, size, align, false));
}

DEFINE_PATCHED(patched_memalign)
{
	return (uintptr_t)hook_result(object_alloc(patch->below, start, b, a, false));
}

static int hook_posix_memalign(const struct real *below, const recorder_start *start,
			       void **ret_pointer, size_t align, size_t size)
{
	const int saved_errno = errno;
	void *pointer;

	if (align % sizeof(void *) || align & (align - 1) || !align)
		return EINVAL;
	pointer = object_alloc(below, start, size, align, false);
	errno = saved_errno;
	if (!pointer)
		return ENOMEM;
	*ret_pointer = pointer;
	return 0;
}

HOOK int posix_memalign(void **ret_pointer, size_t align, size_t size)
{
	const recorder_start start = stackdepot_unwind_caller();

	return hook_posix_memalign(real_next, &start, ret_pointer, align, size);
}

DEFINE_PATCHED(patched_posix_memalign)
{
	return (uintptr_t)hook_posix_memalign(patch->below, start, (void **)a, b, c);
}

static void *hook_pages(const struct real *below, const recorder_start *start, size_t size,
			bool whole)
{
	size_t page = (size_t)getpagesize(), rounded = size;

	if (whole && __builtin_add_overflow(size, page - 1, &rounded))
		return hook_result(NULL);
	if (whole)
		rounded &= ~(page - 1);
	return hook_result(object_alloc(below, start, rounded, page, false));
}

HOOK void *valloc(size_t size)
{
	const recorder_start start = stackdepot_unwind_caller();

	return hook_pages(real_next, &start, size, false);
}

DEFINE_PATCHED(patched_valloc)
{
	return (uintptr_t)hook_pages(patch->below, start, a, false);
}

HOOK void *pvalloc(size_t size)
{
	const recorder_start start = stackdepot_unwind_caller();

	return hook_pages(real_next, &start, size, true);
}

DEFINE_PATCHED(patched_pvalloc)
{
	return (uintptr_t)hook_pages(patch->below, start, a, true);
}

HOOK size_t malloc_usable_size(void *pointer)
{
	return live_skips(pointer) ? real_next->quick_usable(pointer)
				   : object_usable(real_next, pointer);
}

DEFINE_PATCHED_LOOKING(patched_usable)
{
	return object_usable(patch->below, (void *)a);
}

/* What a file without a build-id is, is known until it is unloaded. */
HOOK int dlclose(void *handle)
{
	static int (*real_dlclose)(void *);
	int result;

	if (!real_dlclose)
		*(void **)&real_dlclose = elf_next("dlclose");
	result = real_dlclose(handle);
	if (recorder_on()) {
		const int saved_errno = errno;

		modules_unloaded();
		errno = saved_errno;
	}
	return result;
}

/*
 * A library that binds deeply, or has a C library of its own, does not come to the functions that
 * we export. The loader looks at who called dlopen(), hence the jump: no frame of ours.
 */
HOOK void *dlopen(const char *file, int mode)
{
	static void *(*real_dlopen)(const char *, int);

	if (!real_dlopen)
		*(void **)&real_dlopen = elf_next("dlopen");
	if (mode & RTLD_DEEPBIND)
		heaps_deepbind();
	return real_dlopen(file, mode);
}

HOOK void *dlmopen(Lmid_t space, const char *file, int mode)
{
	static void *(*real_dlmopen)(Lmid_t, const char *, int);

	if (!real_dlmopen)
		*(void **)&real_dlmopen = elf_next("dlmopen");
	if (space != LM_ID_BASE)
		heaps_name_space();
	return real_dlmopen(space, file, mode);
}
