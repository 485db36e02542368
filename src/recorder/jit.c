/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * jit.c - code that a program makes: what it announces to libgcc's unwinder is announced to ours,
 * and where it makes memory executable, ours learns that code is there.
 *
 * libgcc's functions are looked for when somebody calls them: it is there then. Those
 * of memory are looked up once we are set up; before, the kernel is called as the C library would.
 * Nothing here allocates or touches errno but as the call itself does.
 */
#undef _FILE_OFFSET_BITS /* it would rename mmap() */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "elf_module.h"
#include "filter.h"
#include "maps.h"
#include "recorder.h"
#include "thread.h"

EXPORT void __register_frame(void *begin);
EXPORT void __register_frame(void *begin)
{
	static void (*next)(void *);
	int bytes = 0;

	if (!next)
		*(void **)&next = elf_next("__register_frame");
	if (next)
		next(begin);
	if (filter_allows(FILTER_MMAP))
		bytes = stackdepot_unwind_register(begin);
	if (bytes > 0 && recorder_on())
		recorder_count_tool(bytes);
}

EXPORT void __deregister_frame(void *begin);
EXPORT void __deregister_frame(void *begin)
{
	static void (*next)(void *);

	(void)stackdepot_unwind_deregister(begin);
	if (!next)
		*(void **)&next = elf_next("__deregister_frame");
	if (next)
		next(begin);
}

/* --- executable memory ------------------------------------------------------------------------ */

static struct {
	void *(*mmap)(void *, size_t, int, int, int, off_t);
	int (*munmap)(void *, size_t);
	int (*mprotect)(void *, size_t, int);
	int (*pkey_mprotect)(void *, size_t, int, int);
} jit_next;

void jit_setup(void)
{
	*(void **)&jit_next.mmap = dlsym(RTLD_NEXT, "mmap");
	*(void **)&jit_next.munmap = dlsym(RTLD_NEXT, "munmap");
	*(void **)&jit_next.mprotect = dlsym(RTLD_NEXT, "mprotect");
	*(void **)&jit_next.pkey_mprotect = dlsym(RTLD_NEXT, "pkey_mprotect");
}

static void *jit_mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	if (jit_next.mmap)
		return jit_next.mmap(address, bytes, protection, flags, fd, offset);
	return (void *)raw_call(SYS_mmap, address, bytes, protection, flags, fd, offset);
}

static void *jit_mapped(const recorder_start *start, void *memory, size_t bytes, int protection)
{
	if (memory == MAP_FAILED)
		return memory;
	stackdepot_unwind_code(memory, bytes, protection & PROT_EXEC);
	maps_begins(start, memory, maps_whole(bytes));
	return memory;
}

EXPORT void *mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	const recorder_start start = stackdepot_unwind_caller();

	return jit_mapped(&start, jit_mmap(address, bytes, protection, flags, fd, offset), bytes,
			  protection);
}

EXPORT void *mmap64(void *address, size_t bytes, int protection, int flags, int fd, off64_t offset)
{
	const recorder_start start = stackdepot_unwind_caller();

	return jit_mapped(&start, jit_mmap(address, bytes, protection, flags, fd, offset), bytes,
			  protection);
}

EXPORT int munmap(void *memory, size_t bytes)
{
	int result;

	maps_ends(memory, maps_whole(bytes));
	result = jit_next.munmap ? jit_next.munmap(memory, bytes)
				 : (int)raw_call(SYS_munmap, memory, bytes);

	if (!result)
		stackdepot_unwind_code(memory, bytes, 0);
	return result;
}

/* Code that is made writable for a while, and not executable, is still what frames return to. */
EXPORT int mprotect(void *memory, size_t bytes, int protection)
{
	int result = jit_next.mprotect ? jit_next.mprotect(memory, bytes, protection)
				       : (int)raw_call(SYS_mprotect, memory, bytes, protection);

	if (!result && protection & PROT_EXEC)
		stackdepot_unwind_code(memory, bytes, 1);
	return result;
}

EXPORT int pkey_mprotect(void *memory, size_t bytes, int protection, int key)
{
	int result = jit_next.pkey_mprotect
			     ? jit_next.pkey_mprotect(memory, bytes, protection, key)
			     : (int)raw_call(SYS_pkey_mprotect, memory, bytes, protection, key);

	if (!result && protection & PROT_EXEC)
		stackdepot_unwind_code(memory, bytes, 1);
	return result;
}
