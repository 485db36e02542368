/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * heaps.c - which allocators the process has, and which of them are seen.
 *
 * Those are the files in memory that export a malloc(), or functions of one of the allocators that
 * are known here by another name. The entries of all that they have are sent to the hooks, so it
 * does not matter how they are reached: by the order of symbols, by a library that binds deeply, by
 * dlsym(), by pointers that were taken before. Where that cannot be done the store says whose heap
 * it is that nobody sees.
 *
 * An allocator whose functions are not exported cannot be found here; the tool looks for its traces
 * in the symbols of the file.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/auxv.h>

#include "elf_module.h"
#include "ending.h"
#include "heaps.h"
#include "hooks.h"
#include "recorder.h"

#define MODULES 16u
#define UNSEEN 16u

static struct elf_module modules[MODULES];
static uint32_t modules_nr;
static size_t patched_bytes;
static struct {
	char allocator[sizeof(((struct store_heap *)NULL)->allocator)];
	char module[sizeof(((struct store_heap *)NULL)->module)];
} unseen[UNSEEN];
static uint32_t unseen_nr;
static uint32_t unseen_flags;

/* --- which are allocators --------------------------------------------------------------------- */

static const struct {
	const char *function;
	const char *allocator;
} signs[] = {
	{"moz_arena_malloc", "mozjemalloc"},
	{"mallocx", "jemalloc"},
	{"gnu_get_libc_version", "glibc"},
	{"malloc", "malloc"},
};

static const char *module_prefixed(const struct elf_module *module)
{
	char name[HOOK_PREFIX_BYTES + sizeof("malloc")];
	size_t i;

	for (i = 0; i < hook_prefixes_nr; i++)
		if (elf_function(module, strcat(strcpy(name, hook_prefixes[i].prefix), "malloc")))
			return hook_prefixes[i].allocator;
	return NULL;
}

static const char *module_allocator(const struct elf_module *module)
{
	const char *prefixed = module_prefixed(module);
	size_t i;

	for (i = 0; !prefixed && i < sizeof(signs) / sizeof(signs[0]); i++)
		if (elf_function(module, signs[i].function))
			return signs[i].allocator;
	return prefixed;
}

static bool module_is_program(const struct elf_module *module)
{
	return !*module->name;
}

/* What its functions are to us, or REAL_LAYERS: there are too many. */
static enum real_layer module_layer(const struct elf_module *module, const void *next)
{
	unsigned int layer;

	if (elf_has(module, next))
		return REAL_NEXT;
	if (module_is_program(module))
		return REAL_OWN;
	if (elf_function(module, "gnu_get_libc_version"))
		return REAL_LIBC;
	for (layer = REAL_OTHER; layer < REAL_LAYERS && reals[layer].malloc; layer++)
		;
	return layer;
}

/* --- what is not seen ------------------------------------------------------------------------- */

static void unseen_add(const char *allocator, const char *path)
{
	char name[sizeof(unseen[0].module)];
	const char *slash = strrchr(path, '/');
	uint32_t i, number;

	name[ending_of(name, sizeof(name) - 1, *path ? slash ? slash + 1 : path : "the program")] =
		'\0';
	for (i = 0; i < load_acquire(&unseen_nr) && i < UNSEEN; i++)
		if (!strcmp(unseen[i].allocator, allocator) && !strcmp(unseen[i].module, name))
			return;
	number = fetch_add_relaxed(&unseen_nr, 1);
	if (number >= UNSEEN)
		return; /* heaps_tell() counts it */
	strcpy(unseen[number].module, name);
	strncpy(unseen[number].allocator, allocator, sizeof(unseen[number].allocator) - 1);
}

static bool heap_is(const struct store_heap *heap, uint32_t i)
{
	return load_acquire(&heap->state) == STORE_RECORD_VALID &&
	       !strcmp(heap->allocator, unseen[i].allocator) &&
	       !strcmp(heap->module, unseen[i].module);
}

/* A record of the store for it, another process's too; STORE_HEAPS if there is none. */
static uint32_t heap_record(uint32_t i)
{
	struct store_heap *heaps = store_run(recorder.header)->heaps;
	uint32_t number;

	for (number = 0; number < STORE_HEAPS; number++) {
		struct store_heap *heap = &heaps[number];
		uint32_t none = STORE_RECORD_FREE;

		if (heap_is(heap, i))
			break;
		if (!__atomic_compare_exchange_n(&heap->state, &none, STORE_RECORD_BUSY, false,
						 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			continue;
		strcpy(heap->allocator, unseen[i].allocator);
		strcpy(heap->module, unseen[i].module);
		store_release(&heap->state, STORE_RECORD_VALID);
		break;
	}
	return number;
}

void heaps_tell(void)
{
	static bool more_told; /* once a process: there is no name to know them by */
	uint32_t i, number, nr = load_acquire(&unseen_nr);
	bool more = nr > UNSEEN;

	for (i = 0; i < nr && i < UNSEEN; i++) {
		number = heap_record(i);
		if (number < STORE_HEAPS)
			(void)__atomic_fetch_or(&recorder.process->heaps, 1u << number,
						__ATOMIC_RELAXED);
		else
			more = true;
	}
	if (more && !__atomic_exchange_n(&more_told, true, __ATOMIC_RELAXED))
		recorder_count(&recorder.header->totals.heaps_dropped, 1);
	(void)__atomic_fetch_or(&recorder.process->flags, load_relaxed(&unseen_flags),
				__ATOMIC_RELAXED);
}

/* Memory that we record may be freed, and allocated again, by whom we do not see. */
static void unseen_shares(void)
{
	store_relaxed(&unseen_flags, STORE_FLAG_UNSEEN);
}

void heaps_deepbind(void)
{
	if (reals[REAL_LIBC].malloc || (real_next->tight && real_next->patched))
		return;
	unseen_add("glibc", "libraries opened with RTLD_DEEPBIND");
	unseen_shares();
	real_next->guards = real_next->tags = false;
	if (recorder_on())
		heaps_tell();
}

void heaps_name_space(void)
{
	unseen_add("glibc", "libraries opened by dlmopen()");
	if (recorder_on())
		heaps_tell();
}

/* --- sending them to the hooks ---------------------------------------------------------------- */

static bool module_has_own_functions(const struct elf_module *module)
{
	size_t i;

	for (i = 0; i < hooks_nr; i++)
		if (!hooks[i].exported && elf_function(module, hooks[i].name))
			return true;
	return false;
}

/* It stays as it is. */
static void module_refused(const struct elf_module *module, enum real_layer layer)
{
	bool own = module_has_own_functions(module);

	if (layer == REAL_NEXT && own) {
		real_next->extends = 0;
		unseen_shares();
	}
	if (own || layer >= REAL_OTHER)
		unseen_add(module_allocator(module), module->name);
}

static int module_collect(struct dl_phdr_info *info, size_t size, void *data)
{
	struct elf_module module;

	const void *const *next = data;

	(void)size;
	/* The loader has a malloc() in older versions, for itself. */
	if ((getauxval(AT_BASE) && info->dlpi_addr == getauxval(AT_BASE)) ||
	    !elf_read(info, &module) || elf_has(&module, modules) || !module_allocator(&module))
		return 0;
	if (modules_nr < MODULES)
		modules[modules_nr++] = module;
	else
		module_refused(&module, module_layer(&module, *next));
	return 0;
}

static bool module_setup(const struct elf_module *module, const void *next,
			 const char **ret_trouble)
{
	enum real_layer layer = module_layer(module, next);
	size_t bytes = layer == REAL_LAYERS ? 0 : patch_module(module, &reals[layer], ret_trouble);

	patched_bytes += bytes;
	if (bytes && layer == REAL_LIBC)
		reals[layer].tight = reals[layer].guards = reals[layer].tags = true;
	if (bytes && (layer == REAL_LIBC || layer == REAL_NEXT))
		reals[layer].extends = reals[layer].tight ? REAL_EXTENDS_TIGHT : REAL_EXTENDS;
	if (bytes && layer == REAL_NEXT)
		reals[layer].tags |= !strcmp(module_allocator(module), "jemalloc");
	if (!bytes)
		module_refused(module, layer);
	return bytes || layer != REAL_OWN;
}

/* A program with functions of its own sees each block that it frees, also those of others. */
static void heaps_leave_to_program(void)
{
	unsigned int layer;

	for (layer = 0; layer < REAL_LAYERS; layer++)
		reals[layer].guards = reals[layer].tags = false;
}

bool heaps_setup(const char **ret_trouble)
{
	const void *next = *(void **)&real_next->malloc;
	uint32_t i;

	(void)dl_iterate_phdr(module_collect, &next);
	for (i = 0; i < modules_nr; i++)
		if (!module_setup(&modules[i], next, ret_trouble))
			return false;
	if (reals[REAL_OWN].patched)
		heaps_leave_to_program();
	return true;
}

size_t heaps_bytes(void)
{
	return patched_bytes;
}
