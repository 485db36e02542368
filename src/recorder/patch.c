/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * patch.c - the entries of an allocator's functions are changed: each goes to the hook of that
 * name, by a slot near it, and what the branch displaced runs in the slot when the hook calls the
 * allocator below. What the allocator calls of itself meanwhile (malloc() in its calloc(), free()
 * in its realloc()) is its own business: the slot looks whether the thread is in an allocator.
 *
 * It is done once, before there is a second thread, and for all functions of a module or none: a
 * free() that is not seen, of objects that are, would leave them in the table. No page is writable
 * and executable at once. While one is not executable nothing of the C library is called.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/single_threaded.h>
#include <unistd.h>

#include "elf_module.h"
#include "hooks.h"
#include "recorder.h"

#define PATCHES 256u
#define NEAR_STEP (64u << 10)

static struct patch patches[PATCHES];
static uint32_t patches_nr;

/* Those of the module that is being looked at. */
struct plan {
	const struct elf_module *module;
	struct patch *patch;
	uint32_t nr;
	uint8_t *slots;
	size_t slots_bytes;
	size_t page;
};

/* --- what to patch ---------------------------------------------------------------------------- */

static bool plan_is_code(const struct elf_module *module, uintptr_t address)
{
	size_t i;

	for (i = 0; i < module->segments_nr; i++) {
		const ElfW(Phdr) *segment = &module->segments[i];

		if (segment->p_type == PT_LOAD &&
		    address - module->base - segment->p_vaddr < segment->p_memsz)
			return segment->p_flags & PF_X && !(segment->p_flags & PF_W);
	}
	return false;
}

static bool plan_has(const struct plan *plan, const uint8_t *function)
{
	uint32_t i;

	for (i = 0; i < plan->nr; i++)
		if (plan->patch[i].function == function)
			return true;
	return false;
}

static bool plan_add_symbol(struct plan *plan, const ElfW(Sym) * symbol, struct patch *patch)
{
	patch->function = (uint8_t *)(plan->module->base + symbol->st_value);
	patch->bytes = symbol->st_size;
	if (plan_has(plan, patch->function))
		return true;
	if (patches_nr + plan->nr == PATCHES ||
	    !plan_is_code(plan->module, (uintptr_t)patch->function) || !patch_look(patch))
		return false;
	plan->patch[plan->nr++] = *patch;
	return true;
}

/* False if the function is there and cannot be patched. */
static bool plan_add(struct plan *plan, const struct hook *row, const struct real *below)
{
	const ElfW(Sym) *symbol = elf_function(plan->module, row->name);
	struct patch patch = {.hook = row->entry, .row = row, .below = below};

	patch.looks = row->looks && (below->tight || below == &reals[REAL_LIBC]);
	return !symbol || plan_add_symbol(plan, symbol, &patch);
}

/* NULL, or the name of a function that cannot be patched. */
static const char *plan_make(struct plan *plan, const struct real *below)
{
	size_t i;

	for (i = 0; i < hooks_nr; i++)
		if (!plan_add(plan, &hooks[i], below))
			return hooks[i].name;
	return NULL;
}

/* --- and doing it ----------------------------------------------------------------------------- */

static size_t plan_distance(const struct plan *plan, const uint8_t *slots)
{
	size_t most = 0;
	uint32_t i;

	for (i = 0; i < plan->nr; i++) {
		const uint8_t *entry = plan->patch[i].entry;
		size_t distance = (size_t)(entry > slots ? entry - slots : slots - entry);

		most = distance > most ? distance : most;
	}
	return most + plan->slots_bytes;
}

static uint8_t *plan_try(const struct plan *plan, uintptr_t at, int flags)
{
	void *memory = mmap((void *)at, plan->slots_bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	if (plan_distance(plan, memory) < patch_reach_bytes)
		return memory;
	(void)munmap(memory, plan->slots_bytes);
	return NULL;
}

/* Where the kernel puts it, for a library; else below the program: above it grows its heap. */
static uint8_t *plan_map(const struct plan *plan)
{
	const uintptr_t from = (uintptr_t)plan->patch[0].function & ~(uintptr_t)(NEAR_STEP - 1);
	uint8_t *memory = plan_try(plan, 0, 0);
	uintptr_t distance;

	for (distance = NEAR_STEP; !memory && distance < patch_reach_bytes && distance < from;
	     distance += NEAR_STEP)
		memory = plan_try(plan, from - distance, MAP_FIXED_NOREPLACE);
	return memory;
}

static bool plan_fill(struct plan *plan)
{
	uint32_t i;

	plan->slots_bytes = (plan->nr * PATCH_SLOT_BYTES + plan->page - 1) & ~(plan->page - 1);
	plan->slots = plan_map(plan);
	if (!plan->slots)
		return false;
	for (i = 0; i < plan->nr; i++) {
		plan->patch[i].slot = plan->slots + i * PATCH_SLOT_BYTES;
		if (!patch_fill(&plan->patch[i], &real_inside))
			return false;
	}
	__builtin___clear_cache((char *)plan->slots, (char *)plan->slots + plan->slots_bytes);
	return !mprotect(plan->slots, plan->slots_bytes, PROT_READ | PROT_EXEC);
}

/* Pages with the entry, which may go over the end of one. */
static uintptr_t plan_first(const struct plan *plan, uint32_t i)
{
	return (uintptr_t)plan->patch[i].entry & ~(plan->page - 1);
}

static uintptr_t plan_last(const struct plan *plan, uint32_t i)
{
	return ((uintptr_t)plan->patch[i].entry + PATCH_BRANCH_BYTES - 1) & ~(plan->page - 1);
}

/* The pages of a patch, with those of others that touch them. */
static void plan_pages(const struct plan *plan, uint32_t of, uintptr_t *ret_first,
		       uintptr_t *ret_last)
{
	uintptr_t first = plan_first(plan, of), last = plan_last(plan, of), pages;
	uint32_t i;

	do {
		pages = last - first;
		for (i = 0; i < plan->nr; i++) {
			if (plan_first(plan, i) > last + plan->page ||
			    plan_last(plan, i) + plan->page < first)
				continue;
			first = plan_first(plan, i) < first ? plan_first(plan, i) : first;
			last = plan_last(plan, i) > last ? plan_last(plan, i) : last;
		}
	} while (last - first != pages);
	*ret_first = first;
	*ret_last = last;
}

/* Pages that touch change in one call, with the first of their patches. */
static bool plan_protect(const struct plan *plan, uint32_t i, int protection)
{
	uintptr_t first, last;
	uint32_t before;

	plan_pages(plan, i, &first, &last);
	for (before = 0; before < i; before++)
		if (plan_first(plan, before) >= first && plan_last(plan, before) <= last)
			return true;
	return patch_protect(first, last - first + plan->page, protection);
}

static void plan_write(const struct patch *patch)
{
	uint8_t branch[PATCH_BRANCH_BYTES];
	size_t i, bytes = patch_branch(patch, branch);

	for (i = 0; i < bytes; i++)
		*(volatile uint8_t *)&patch->entry[i] = branch[i];
	__builtin___clear_cache((char *)patch->entry, (char *)patch->entry + bytes);
}

/* Code that cannot be executed any more would end the program, so it is asked for twice. */
static void plan_restore(const struct plan *plan, uint32_t i)
{
	if (!plan_protect(plan, i, PROT_READ | PROT_EXEC))
		(void)plan_protect(plan, i, PROT_READ | PROT_EXEC);
}

/* Changes nothing unless every page can be changed. */
static bool plan_commit(const struct plan *plan)
{
	bool writable = true;
	uint32_t i;

	for (i = 0; i < plan->nr && writable; i++)
		writable = plan_protect(plan, i, PROT_READ | PROT_WRITE);
	for (i = 0; i < plan->nr && writable; i++)
		plan_write(&plan->patch[i]);
	for (i = 0; i < plan->nr; i++)
		plan_restore(plan, i);
	return writable;
}

static bool plan_do(struct plan *plan)
{
	if (plan_fill(plan) && plan_commit(plan)) {
		patches_nr += plan->nr;
		return true;
	}
	if (plan->slots)
		(void)munmap(plan->slots, plan->slots_bytes);
	return false;
}

void *patch_function(const struct elf_module *module, const char *name, const void *address,
		     const void *hook)
{
	struct plan plan = {
		.module = module, .patch = &patches[patches_nr], .page = (size_t)getpagesize()};
	const ElfW(Sym) *symbol = elf_function_at(module, name, address);
	struct patch patch = {.hook = hook};

	if (!__libc_single_threaded || !symbol || !plan_add_symbol(&plan, symbol, &patch) ||
	    !plan_do(&plan))
		return NULL;
	return plan.patch->original;
}

/* --- the allocator below ---------------------------------------------------------------------- */

static void *plan_original(const struct plan *plan, const char *name)
{
	const ElfW(Sym) *symbol = elf_function(plan->module, name);
	uint32_t i;

	for (i = 0; symbol && i < plan->nr; i++)
		if (plan->patch[i].function == (uint8_t *)(plan->module->base + symbol->st_value))
			return plan->patch[i].original;
	return NULL;
}

/* Under a name of its own, in a module that leaves malloc() to others. */
static void *plan_original_of(const struct plan *plan, const char *name)
{
	char whole[HOOK_PREFIX_BYTES + 24];
	void *found = plan_original(plan, name);
	size_t i;

	for (i = 0; !found && i < hook_prefixes_nr; i++)
		found = plan_original(plan, strcat(strcpy(whole, hook_prefixes[i].prefix), name));
	return found;
}

static void plan_take(const struct plan *plan, const char *name, void *ret_function)
{
	void *found = plan_original_of(plan, name);

	if (found)
		*(void **)ret_function = found;
}

/*
 * A function that it does not have is the next one's that has it, as for the program. But what is
 * asked for the size of a block has to know the heap that it is of.
 */
static void plan_below(const struct plan *plan, struct real *below)
{
	plan_take(plan, "malloc", &below->malloc);
	plan_take(plan, "free", &below->free);
	plan_take(plan, "calloc", &below->calloc);
	plan_take(plan, "realloc", &below->realloc);
	plan_take(plan, "aligned_alloc", &below->memalign);
	plan_take(plan, "memalign", &below->memalign);
	plan_take(plan, "posix_memalign", &below->posix_memalign);
	*(void **)&below->usable = plan_original_of(plan, "malloc_usable_size");
	if (!below->free)
		below->free = real_next->free;
	if (below->tight)
		real_set_quick(below);
	below->patched = true;
}

size_t patch_module(const struct elf_module *module, struct real *below, const char **ret_trouble)
{
	struct plan plan = {
		.module = module, .patch = &patches[patches_nr], .page = (size_t)getpagesize()};
	const char *refused;

	*ret_trouble = "there are threads already";
	if (!__libc_single_threaded)
		return 0;
	refused = plan_make(&plan, below);
	*ret_trouble = refused ? refused : "its code cannot be changed";
	if (refused || !plan.nr)
		return 0;
	if (!plan_do(&plan))
		return 0;
	plan_below(&plan, below);
	return plan.slots_bytes + plan.nr * plan.page;
}
