/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Executable memory: the segments of modules, by their program headers; and what a JIT compiler
 * made executable, which whoever sees that happen tells by stackdepot_unwind_code().
 *
 * The latter is a table of ranges without a lock, as it may be told from a signal handler. A slot
 * is free if its start is 0, and BUSY while it is filled. Changes that race may leave a range
 * somewhat too large or too small: nobody reads memory because it is in here, and what it decides
 * is a guess anyway. Ranges that touch become one, so a code cache that grows page by page takes
 * one slot. Code that is made writable for a while stays: its frames do, too.
 */
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>

#include "arch.h"
#include "code.h"
#include "module.h"
#include "stackdepot/unwind.h"

#define RANGES 1024
#define BUSY ((uintptr_t)1)
#define PAGE 4096u

struct range {
	_Atomic uintptr_t start;
	_Atomic uintptr_t end;
};

static struct range ranges[RANGES];
static _Atomic uint32_t ranges_used; /* none above was ever taken */

/* --- told --------------------------------------------------------------------------------------
 */

/* False: free, or being filled. */
static bool range_load(const struct range *range, uintptr_t *ret_start, uintptr_t *ret_end)
{
	/* pairs with the release in range_fill(): the end is that of this start */
	*ret_start = atomic_load_explicit(&range->start, memory_order_acquire);
	*ret_end = atomic_load_explicit(&range->end, memory_order_relaxed);
	return *ret_start > BUSY;
}

static bool range_fill(uintptr_t start, uintptr_t end)
{
	uint32_t i, used;

	for (i = 0; i < RANGES; i++) {
		uintptr_t empty = 0;

		if (!atomic_compare_exchange_strong(&ranges[i].start, &empty, BUSY))
			continue;
		used = atomic_load(&ranges_used);
		while (used <= i && !atomic_compare_exchange_weak(&ranges_used, &used, i + 1))
			;
		atomic_store_explicit(&ranges[i].end, end, memory_order_relaxed);
		/* pairs with the acquire in range_load() */
		atomic_store_explicit(&ranges[i].start, start, memory_order_release);
		return true;
	}
	return false;
}

/* Is it there, or does it go on where another ends or begins? */
static bool range_extend(uintptr_t start, uintptr_t end)
{
	uint32_t i, used = atomic_load_explicit(&ranges_used, memory_order_acquire);
	uintptr_t from, to;

	for (i = 0; i < used; i++) {
		if (!range_load(&ranges[i], &from, &to) || start > to || end < from)
			continue;
		if (start >= from && end <= to)
			return true;
		if (start >= from)
			return atomic_compare_exchange_strong(&ranges[i].end, &to, end);
		if (end <= to)
			return atomic_compare_exchange_strong(&ranges[i].start, &from, start);
	}
	return false;
}

static void range_cut(struct range *range, uintptr_t start, uintptr_t end)
{
	uintptr_t from, to;

	if (!range_load(range, &from, &to) || start >= to || end <= from)
		return;
	if (start <= from && end >= to)
		(void)atomic_compare_exchange_strong(&range->start, &from, 0);
	else if (start <= from)
		(void)atomic_compare_exchange_strong(&range->start, &from, end);
	else if (atomic_compare_exchange_strong(&range->end, &to, start) && end < to)
		(void)range_fill(end, to);
}

void stackdepot_unwind_code(const void *memory, size_t bytes, int executable)
{
	uintptr_t start = (uintptr_t)memory & ~(uintptr_t)(PAGE - 1);
	uintptr_t end = ((uintptr_t)memory + bytes + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
	uint32_t i, used = atomic_load_explicit(&ranges_used, memory_order_acquire);

	if (start <= BUSY || end <= start)
		return;
	if (executable) {
		if (!range_extend(start, end))
			(void)range_fill(start, end);
		return;
	}
	for (i = 0; i < used; i++)
		range_cut(&ranges[i], start, end);
}

static bool code_is_told(uintptr_t address)
{
	uint32_t i, used = atomic_load_explicit(&ranges_used, memory_order_acquire);
	uintptr_t from, to;

	for (i = 0; i < used; i++) {
		if (range_load(&ranges[i], &from, &to) && address - from < to - from)
			return true;
	}
	return false;
}

/* --- modules -----------------------------------------------------------------------------------
 */

struct headers {
	const ElfW(Phdr) * at;
	unsigned long nr;
	uintptr_t bias;
};

static bool headers_text(const struct headers *headers, uintptr_t address,
			 struct unwind_text *ret_text)
{
	unsigned long i;

	for (i = 0; i < headers->nr; i++) {
		uintptr_t start = headers->bias + headers->at[i].p_vaddr;

		if (headers->at[i].p_type != PT_LOAD || !(headers->at[i].p_flags & PF_X) ||
		    address - start >= headers->at[i].p_memsz)
			continue;
		ret_text->start = start;
		ret_text->end = start + headers->at[i].p_memsz;
		/* what cannot be read, as it can only be executed, is not looked at */
		ret_text->permanent = headers->at[i].p_flags & PF_R;
		return true;
	}
	return false;
}

/* Of the program the kernel tells them; its segments may have holes between them. */
static void headers_of_program(struct headers *ret_headers)
{
	unsigned long i;

	ret_headers->at = (const void *)getauxval(AT_PHDR);
	ret_headers->nr = ret_headers->at ? getauxval(AT_PHNUM) : 0;
	ret_headers->bias = 0;
	for (i = 0; i < ret_headers->nr; i++) {
		if (ret_headers->at[i].p_type == PT_PHDR)
			ret_headers->bias = (uintptr_t)ret_headers->at - ret_headers->at[i].p_vaddr;
	}
}

/* Of a library they are in its first page. */
static bool headers_of_library(uintptr_t start, struct headers *ret_headers)
{
	const ElfW(Ehdr) *elf = (const void *)start;
	unsigned long i;

	if (memcmp(elf->e_ident, ELFMAG, SELFMAG) || elf->e_phentsize != sizeof(ElfW(Phdr)) ||
	    elf->e_phoff + elf->e_phnum * sizeof(ElfW(Phdr)) > PAGE)
		return false;
	ret_headers->at = (const void *)(start + elf->e_phoff);
	ret_headers->nr = elf->e_phnum;
	for (i = 0; i < elf->e_phnum; i++) {
		if (ret_headers->at[i].p_type == PT_LOAD) {
			ret_headers->bias =
				start - (ret_headers->at[i].p_vaddr & ~(uintptr_t)(PAGE - 1));
			return true;
		}
	}
	return false;
}

static bool code_text(uintptr_t address, struct unwind_text *ret_text)
{
	struct dl_find_object object;
	struct headers headers;

	if (_dl_find_object((void *)address, &object))
		return false;
	headers_of_program(&headers);
	if (headers_text(&headers, address, ret_text))
		return true; /* never unloaded */
	if (!headers_of_library((uintptr_t)object.dlfo_map_start, &headers) ||
	    !headers_text(&headers, address, ret_text))
		return false;
	ret_text->permanent &= unwind_loader_is_permanent(object.dlfo_link_map);
	return true;
}

bool unwind_code_returns(uintptr_t address, struct unwind_text *text)
{
	uintptr_t call = address - 1; /* the last byte of it */

	if (call - text->start >= text->end - text->start) {
		text->start = text->end = 0;
		if (code_is_told(call))
			return true;
		if (!code_text(call, text))
			return false;
	}
	return !text->permanent ||
	       (address - text->start >= ARCH_CALL_BYTES && unwind_arch_follows_call(address));
}
