/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The shim's memory: one reservation, handed out from its start and given back as a whole when the
 * object is unloaded.
 *
 * SHIM_HUGE_PAGES asks for huge pages, for the kernel reaches its memory through such: without,
 * the depot of the kernel pays for address translation as any process does.
 */
#include "shim.h"

#include <stdlib.h>
#include <sys/mman.h>

/* Above 8192 pools of 16 KiB, their table, one of 16 MiB of hashes, a few spares. */
#define SHIM_RESERVED (1ul << 30)
#define SHIM_HUGE (2ul << 20)

static char *shim_start;
static size_t shim_slack; /* unused bytes in front, for alignment */
static atomic_size_t shim_used;
static size_t shim_tables;
static _Atomic(void *) shim_spare;
const struct file_operations *shim_debugfs;

void shim_warning(const char *function, int line)
{
	static bool warned;

	if (!warned)
		fprintf(stderr, "stackdepot-bench: Linux depot warns in %s line %d\n", function,
			line);
	warned = true;
}

__attribute__((__constructor__)) static void shim_reserve(void)
{
	shim_start = mmap(NULL, SHIM_RESERVED, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (shim_start == MAP_FAILED)
		abort();
	atomic_store(&shim_used, -(uintptr_t)shim_start & (SHIM_HUGE - 1));
	shim_slack = atomic_load(&shim_used);
#ifdef SHIM_HUGE_PAGES
	madvise(shim_start, SHIM_RESERVED, MADV_HUGEPAGE);
#endif
}

__attribute__((__destructor__)) static void shim_release(void)
{
	munmap(shim_start, SHIM_RESERVED);
}

/* Fresh memory of the process is zero; nothing is handed out twice but spares. */
static void *shim_take(size_t size)
{
	size_t at = atomic_fetch_add(&shim_used, size);

	return at + size <= SHIM_RESERVED ? shim_start + at : NULL;
}

/* Only pools are allocated so, all of one size. */
struct page *alloc_pages(gfp_t flags, unsigned int order)
{
	void *spare = atomic_exchange(&shim_spare, NULL);

	(void)flags;
	return spare ? spare : shim_take(1ul << (PAGE_SHIFT + order));
}

/* A pool allocated in vain because another thread was first: the next one who asks gets it. */
void free_pages(unsigned long address, unsigned int order)
{
	(void)order;
	atomic_exchange(&shim_spare, (void *)address);
}

void *kvcalloc(size_t nr, size_t size, gfp_t flags)
{
	(void)flags;
	shim_tables += nr * size;
	return shim_take(nr * size);
}

void *alloc_large_system_hash(const char *name, unsigned long bucket, unsigned long entries,
			      int scale, int flags, unsigned int *ret_shift, unsigned int *ret_mask,
			      unsigned long low, unsigned long high)
{
	(void)name, (void)scale, (void)flags, (void)ret_shift, (void)low, (void)high;
	*ret_mask = (unsigned int)entries - 1;
	return kvcalloc(entries, bucket, 0);
}

unsigned long nr_free_buffer_pages(void)
{
	return 1ul << 22;
}

uint64_t shim_bytes(uint64_t *ret_table)
{
	*ret_table = shim_tables;
	return atomic_load(&shim_used) - shim_slack;
}
