/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * real.c - the allocator below: whoever comes after us in the order of symbol look-up.
 *
 * dlsym() may allocate. What is asked for while the first look-up is under way comes from a small
 * buffer that is never given back.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <string.h>

#include "recorder.h"

#define BOOTSTRAP_BYTES (64u << 10)

enum { REAL_UNKNOWN, REAL_LOOKING, REAL_KNOWN };

struct real real;

static uint32_t real_state;
static char bootstrap[BOOTSTRAP_BYTES] __attribute__((aligned(64)));
static size_t bootstrap_used;

void *real_bootstrap(size_t size, size_t align)
{
	size_t used = load_relaxed(&bootstrap_used), start;

	if (size > BOOTSTRAP_BYTES || align > 64)
		return NULL;
	if (align < 16)
		align = 16;
	do {
		start = (used + align - 1) & ~(align - 1);
		if (start + size > BOOTSTRAP_BYTES)
			return NULL;
	} while (!__atomic_compare_exchange_n(&bootstrap_used, &used, start + size, false,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return bootstrap + start;
}

bool real_is_bootstrap(const void *pointer)
{
	return (uintptr_t)pointer - (uintptr_t)bootstrap < BOOTSTRAP_BYTES;
}

const char *real_bootstrap_used(size_t *ret_bytes)
{
	*ret_bytes = load_relaxed(&bootstrap_used);
	return bootstrap;
}

/* The object (as mapped) that an address lies in; two functions of one library agree in it. */
static const void *real_owner(const void *address)
{
	struct dl_find_object found;

	if (!address || _dl_find_object((void *)(uintptr_t)address, &found))
		return NULL;
	return found.dlfo_map_start;
}

static void real_look(void)
{
	*(void **)&real.calloc = dlsym(RTLD_NEXT, "calloc");
	*(void **)&real.realloc = dlsym(RTLD_NEXT, "realloc");
	*(void **)&real.free = dlsym(RTLD_NEXT, "free");
	*(void **)&real.memalign = dlsym(RTLD_NEXT, "memalign");
	*(void **)&real.posix_memalign = dlsym(RTLD_NEXT, "posix_memalign");
	*(void **)&real.usable = dlsym(RTLD_NEXT, "malloc_usable_size");
	*(void **)&real.malloc = dlsym(RTLD_NEXT, "malloc");
	real.new_is_allocator =
		real_owner(dlsym(RTLD_NEXT, "_Znwm")) == real_owner(*(void **)&real.malloc);
	real.tight = real_owner(*(void **)&real.malloc) ==
		     real_owner(dlsym(RTLD_NEXT, "gnu_get_libc_version"));
}

bool real_resolve(void)
{
	uint32_t expected = REAL_UNKNOWN;

	if (likely(load_acquire(&real_state) == REAL_KNOWN))
		return true;
	/* The first caller is the only thread: the loader allocates before any other can be made.
	 */
	if (!__atomic_compare_exchange_n(&real_state, &expected, REAL_LOOKING, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE))
		return expected == REAL_KNOWN;
	real_look();
	store_release(&real_state, REAL_KNOWN);
	return true;
}

/*
 * A program that takes the address of malloc() has a symbol for it too, undefined but with the
 * address of its jump to the real one.
 */
bool real_is_reached(void)
{
	const void *found = dlsym(RTLD_DEFAULT, "malloc");
	const Elf64_Sym *symbol = NULL;
	Dl_info info;

	if (real_owner(found) == real_owner(bootstrap))
		return true;
	return dladdr1(found, &info, (void **)&symbol, RTLD_DL_SYMENT) && symbol &&
	       symbol->st_shndx == SHN_UNDEF;
}
