/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * real.c - the next allocator: whoever comes after us in the order of symbol look-up.
 *
 * What is asked for while the first look-up is under way, by another thread, comes from a small
 * buffer that is never given back.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>

#include "direct.h"
#include "elf_module.h"
#include "live_table.h"
#include "recorder.h"

#define BOOTSTRAP_BYTES (64u << 10)

struct real reals[REAL_LAYERS];
__thread uintptr_t real_inside __attribute__((tls_model("initial-exec")));

uint32_t real_state;
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

const void *real_owner(const void *address)
{
	struct dl_find_object found;

	if (!address || _dl_find_object((void *)(uintptr_t)address, &found))
		return NULL;
	return found.dlfo_map_start;
}

static void *real_malloc_next(size_t size)
{
	return real_malloc(real_next, size);
}

static void real_free_next(void *pointer)
{
	real_free(real_next, pointer);
}

static size_t real_usable_next(void *pointer)
{
	return real_next->usable ? real_usable(real_next, pointer) : 0;
}

void real_set_quick(struct real *below)
{
	below->quick_malloc = below->tight ? below->malloc : real_malloc_next;
	below->quick_free = below->tight ? below->free : real_free_next;
	below->quick_usable = below->tight && below->usable ? below->usable : real_usable_next;
}

static void real_look(void)
{
	struct real *next = real_next;

	*(void **)&next->calloc = elf_next("calloc");
	*(void **)&next->realloc = elf_next("realloc");
	*(void **)&next->free = elf_next("free");
	*(void **)&next->memalign = elf_next("memalign");
	*(void **)&next->posix_memalign = elf_next("posix_memalign");
	*(void **)&next->usable = elf_next("malloc_usable_size");
	*(void **)&next->malloc = elf_next("malloc");
	next->new_is_allocator =
		real_owner(elf_next("_Znwm")) == real_owner(*(void **)&next->malloc);
	next->tight =
		real_owner(*(void **)&next->malloc) == real_owner(elf_next("gnu_get_libc_version"));
	next->guards = next->tags = next->tight;
	next->extends = next->tight ? REAL_EXTENDS_TIGHT : 0;
	real_set_quick(next);
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
	direct_setup();
	real_look();
	store_release(&real_state, REAL_KNOWN);
	return true;
}
