/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * hooks.c - the functions of the C library that the program calls here instead.
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

#include "recorder.h"

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

	return hook_result(object_alloc(&start, size, 0, false));
}

HOOK void *malloc(size_t size)
{
	return sample_skips(size) ? real.malloc(size) : malloc_recorded(size);
}

RECORDED void free_recorded(void *pointer)
{
	const recorder_start start = stackdepot_unwind_caller();

	object_free(&start, pointer);
}

HOOK void free(void *pointer)
{
	if (live_skips(pointer))
		real.free(pointer);
	else
		free_recorded(pointer);
}

HOOK void cfree(void *pointer);
HOOK void cfree(void *pointer)
{
	const recorder_start start = stackdepot_unwind_caller();

	object_free(&start, pointer);
}

RECORDED void *calloc_recorded(size_t nr, size_t size)
{
	const recorder_start start = stackdepot_unwind_caller();
	size_t bytes;

	if (__builtin_mul_overflow(nr, size, &bytes))
		return hook_result(NULL);
	return hook_result(object_alloc(&start, bytes, 0, true));
}

HOOK void *calloc(size_t nr, size_t size)
{
	size_t bytes;

	if (!__builtin_mul_overflow(nr, size, &bytes) && sample_skips(bytes))
		return real.calloc(nr, size);
	return calloc_recorded(nr, size);
}

RECORDED void *realloc_recorded(void *pointer, size_t size)
{
	const recorder_start start = stackdepot_unwind_caller();

	return object_realloc(&start, pointer, size);
}

HOOK void *realloc(void *pointer, size_t size)
{
	if (live_skips(pointer) && sample_skips(size))
		return real.realloc(pointer, size);
	return realloc_recorded(pointer, size);
}

HOOK void *reallocarray(void *pointer, size_t nr, size_t size)
{
	const recorder_start start = stackdepot_unwind_caller();
	size_t bytes;

	if (__builtin_mul_overflow(nr, size, &bytes))
		return hook_result(NULL);
	return object_realloc(&start, pointer, bytes);
}

HOOK void *memalign(size_t align, size_t size)
{
	const recorder_start start = stackdepot_unwind_caller();

	return hook_result(object_alloc(&start, size, align, false));
}

HOOK void *aligned_alloc(size_t align, size_t size)
{
	const recorder_start start = stackdepot_unwind_caller();

	return hook_result(object_alloc(&start, size, align, false));
}

HOOK int posix_memalign(void **ret_pointer, size_t align, size_t size)
{
	const recorder_start start = stackdepot_unwind_caller();
	const int saved_errno = errno;
	void *pointer;

	if (align % sizeof(void *) || align & (align - 1) || !align)
		return EINVAL;
	pointer = object_alloc(&start, size, align, false);
	errno = saved_errno;
	if (!pointer)
		return ENOMEM;
	*ret_pointer = pointer;
	return 0;
}

static size_t hook_page(void)
{
	return (size_t)getpagesize();
}

HOOK void *valloc(size_t size)
{
	const recorder_start start = stackdepot_unwind_caller();

	return hook_result(object_alloc(&start, size, hook_page(), false));
}

HOOK void *pvalloc(size_t size)
{
	const recorder_start start = stackdepot_unwind_caller();
	size_t page = hook_page(), rounded;

	if (__builtin_add_overflow(size, page - 1, &rounded))
		return hook_result(NULL);
	return hook_result(object_alloc(&start, rounded & ~(page - 1), page, false));
}

HOOK size_t malloc_usable_size(void *pointer)
{
	if (live_skips(pointer) && real.usable)
		return real.usable(pointer);
	return object_usable(pointer);
}

/* Unloading is what module records and tags depend on. */
HOOK int dlclose(void *handle)
{
	static int (*real_dlclose)(void *);
	int result;

	if (!real_dlclose)
		*(void **)&real_dlclose = dlsym(RTLD_NEXT, "dlclose");
	result = real_dlclose(handle);
	if (recorder_on()) {
		const int saved_errno = errno;

		modules_unloaded();
		errno = saved_errno;
	}
	return result;
}

/*
 * A library that binds deeply may call the C library's malloc() past us, so frees of objects never
 * seen are to be expected. The loader looks at who called dlopen(), hence the jump: no frame of
 * ours.
 */
HOOK void *dlopen(const char *file, int mode)
{
	static void *(*real_dlopen)(const char *, int);

	if (!real_dlopen)
		*(void **)&real_dlopen = dlsym(RTLD_NEXT, "dlopen");
	if (mode & RTLD_DEEPBIND)
		setup_deepbind();
	return real_dlopen(file, mode);
}
