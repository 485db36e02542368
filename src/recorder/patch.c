/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * patch.c - a program that contains an allocator, linked statically, calls it directly.
 *
 * So the entries of its functions are changed: each goes to the hook of that name, by a slot near
 * it, and what the branch displaced runs in the slot when the hook calls the allocator below. What
 * the allocator calls of itself meanwhile (malloc() in its calloc(), free() in its realloc()) is
 * its own business: a word of the thread sends it past the hooks.
 *
 * It is done once, before there is a second thread, and for all functions or none: a free() that
 * is not seen, of objects that are, would leave them in the table. No page is writable and
 * executable at once.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/single_threaded.h>
#include <unistd.h>

#include "patch.h"
#include "recorder.h"

static const char *const names[] = {
	"malloc",
	"free",
	"calloc",
	"realloc",
	"cfree",
	"reallocarray",
	"memalign",
	"aligned_alloc",
	"posix_memalign",
	"valloc",
	"pvalloc",
	"malloc_usable_size",
	"_Znwm",
	"_Znam",
	"_ZnwmRKSt9nothrow_t",
	"_ZnamRKSt9nothrow_t",
	"_ZnwmSt11align_val_t",
	"_ZnamSt11align_val_t",
	"_ZnwmSt11align_val_tRKSt9nothrow_t",
	"_ZnamSt11align_val_tRKSt9nothrow_t",
	"_ZdlPv",
	"_ZdaPv",
	"_ZdlPvm",
	"_ZdaPvm",
	"_ZdlPvRKSt9nothrow_t",
	"_ZdaPvRKSt9nothrow_t",
	"_ZdlPvSt11align_val_t",
	"_ZdaPvSt11align_val_t",
	"_ZdlPvmSt11align_val_t",
	"_ZdaPvmSt11align_val_t",
	"_ZdlPvSt11align_val_tRKSt9nothrow_t",
	"_ZdaPvSt11align_val_tRKSt9nothrow_t",
};

#define NAMES (sizeof(names) / sizeof(names[0]))
#define SLOTS_BYTES (NAMES * PATCH_SLOT_BYTES)
#define NEAR_STEP (64u << 10)

static struct patch patches[NAMES];
static uint32_t patches_nr;
/* Of each name, 1 + the number of its patch: names of one function share it. */
static uint8_t patch_of[NAMES];
static uint8_t *patch_slots;
static size_t patch_bytes;

static __thread uint8_t patch_inside __attribute__((tls_model("initial-exec")));

/* --- the allocator below ---------------------------------------------------------------------- */

static struct real original;

#define BELOW(type, name, parameters, arguments)      \
	static type below_##name parameters           \
	{                                             \
		const uint8_t outside = patch_inside; \
		type result;                          \
                                                      \
		patch_inside = 1;                     \
		result = original.name arguments;     \
		patch_inside = outside;               \
		return result;                        \
	}

BELOW(void *, malloc, (size_t size), (size))
BELOW(void *, calloc, (size_t nr, size_t size), (nr, size))
BELOW(void *, realloc, (void *pointer, size_t size), (pointer, size))
BELOW(void *, memalign, (size_t align, size_t size), (align, size))
BELOW(int, posix_memalign, (void **ret, size_t align, size_t size), (ret, align, size))
BELOW(size_t, usable, (void *pointer), (pointer))

static void below_free(void *pointer)
{
	const uint8_t outside = patch_inside;

	patch_inside = 1;
	original.free(pointer);
	patch_inside = outside;
}

void *patch_original(const char *name)
{
	size_t i;

	for (i = 0; i < NAMES; i++)
		if (patch_of[i] && !strcmp(names[i], name))
			return patches[patch_of[i] - 1].original;
	return NULL;
}

#define REPLACE(field, name)                                      \
	do {                                                      \
		*(void **)&original.field = patch_original(name); \
		if (original.field)                               \
			real.field = below_##field;               \
	} while (0)

static void patch_below(void)
{
	REPLACE(malloc, "malloc");
	REPLACE(free, "free");
	REPLACE(calloc, "calloc");
	REPLACE(realloc, "realloc");
	REPLACE(memalign, "memalign");
	REPLACE(posix_memalign, "posix_memalign");
	REPLACE(usable, "malloc_usable_size");
	/* The C library's would not know this heap. */
	if (!original.usable)
		real.usable = NULL;
	if (!original.memalign)
		REPLACE(memalign, "aligned_alloc");
	if (!original.memalign && original.posix_memalign)
		real.memalign = NULL;
	real.new_is_allocator = patch_original("_Znwm") != NULL;
	real.tight = false;
}

/* --- code ------------------------------------------------------------------------------------- */

static uintptr_t patch_page(const void *address)
{
	return (uintptr_t)address & ~((uintptr_t)getpagesize() - 1);
}

/* --- what to patch ---------------------------------------------------------------------------- */

struct patch_segment {
	const void *address;
	bool code;
};

static int patch_segment(struct dl_phdr_info *info, size_t size, void *data)
{
	struct patch_segment *wanted = data;
	unsigned int i;

	(void)size;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t offset = (uintptr_t)wanted->address - info->dlpi_addr - segment->p_vaddr;

		if (segment->p_type == PT_LOAD && offset < segment->p_memsz)
			wanted->code = segment->p_flags & PF_X && !(segment->p_flags & PF_W);
	}
	return 1; /* the program comes first, and the others do not matter */
}

/* The function of this name, if it is the program's. */
static bool patch_find(const char *name, struct patch *ret_patch)
{
	struct patch_segment segment = {.address = dlsym(RTLD_DEFAULT, name)};
	const ElfW(Sym) *symbol = NULL;
	Dl_info info;

	if (!segment.address)
		return false;
	(void)dl_iterate_phdr(patch_segment, &segment);
	if (!segment.code || !dladdr1(segment.address, &info, (void **)&symbol, RTLD_DL_SYMENT) ||
	    !symbol || symbol->st_shndx == SHN_UNDEF || info.dli_saddr != segment.address)
		return false;
	ret_patch->function = (uint8_t *)(uintptr_t)segment.address;
	ret_patch->bytes = symbol->st_size;
	return true;
}

static struct patch *patch_same(const uint8_t *function)
{
	uint32_t i;

	for (i = 0; i < patches_nr; i++)
		if (patches[i].function == function)
			return &patches[i];
	return NULL;
}

/* NULL, or the name of a function that cannot be patched. */
static const char *patch_plan(void *self)
{
	size_t i;

	for (i = 0; i < NAMES; i++) {
		struct patch found = {.hook = dlsym(self, names[i])}, *same;

		if (!found.hook || !patch_find(names[i], &found))
			continue;
		same = patch_same(found.function);
		if (!same) {
			if (!patch_look(&found))
				return names[i];
			same = &patches[patches_nr++];
			*same = found;
		}
		patch_of[i] = (uint8_t)(same - patches + 1);
	}
	return NULL;
}

/* --- and doing it ----------------------------------------------------------------------------- */

/* Below the program: above it grows its heap. */
static uint8_t *patch_map(void)
{
	const size_t bytes =
		(SLOTS_BYTES + (size_t)getpagesize() - 1) & ~((size_t)getpagesize() - 1);
	const uintptr_t from = (uintptr_t)patches[0].function & ~(uintptr_t)(NEAR_STEP - 1);
	uintptr_t distance;

	for (distance = NEAR_STEP; distance < patch_reach_bytes && distance < from;
	     distance += NEAR_STEP) {
		void *memory = mmap((void *)(from - distance), bytes, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

		if (memory == (void *)(from - distance)) {
			patch_bytes = bytes;
			return memory;
		}
		if (memory != MAP_FAILED)
			(void)munmap(memory, bytes);
	}
	return NULL;
}

static bool patch_prepare(void)
{
	uint32_t i;

	patch_slots = patch_map();
	if (!patch_slots)
		return false;
	for (i = 0; i < patches_nr; i++) {
		patches[i].slot = patch_slots + i * PATCH_SLOT_BYTES;
		if ((size_t)(patches[i].entry - patches[i].slot) > patch_reach_bytes ||
		    !patch_fill(&patches[i], &patch_inside))
			return false;
	}
	__builtin___clear_cache((char *)patch_slots, (char *)patch_slots + patch_bytes);
	return !mprotect(patch_slots, patch_bytes, PROT_READ | PROT_EXEC);
}

/* Pages with the entries from `first` on, both included. */
static bool patch_protect(const struct patch *patch, int protection)
{
	uintptr_t first = patch_page(patch->entry);
	uintptr_t last = patch_page(patch->entry + PATCH_BRANCH_BYTES - 1);

	return !mprotect((void *)first, last - first + (size_t)getpagesize(), protection);
}

static void patch_write(const struct patch *patch)
{
	uint8_t branch[PATCH_BRANCH_BYTES];
	size_t bytes = patch_branch(patch, branch);

	memcpy(patch->entry, branch, bytes);
	__builtin___clear_cache((char *)patch->entry, (char *)patch->entry + bytes);
}

/* Changes nothing unless every page can be changed. */
static bool patch_commit(void)
{
	bool writable = true;
	uint32_t i;

	for (i = 0; i < patches_nr && writable; i++)
		writable = patch_protect(&patches[i], PROT_READ | PROT_WRITE);
	for (i = 0; i < patches_nr && writable; i++) {
		patch_write(&patches[i]);
		patch_bytes += (size_t)getpagesize();
	}
	for (i = 0; i < patches_nr; i++)
		(void)patch_protect(&patches[i], PROT_READ | PROT_EXEC);
	return writable;
}

static void *patch_self(void)
{
	Dl_info info;

	return dladdr(names, &info) ? dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD) : NULL;
}

static void patch_undo(void)
{
	memset(patch_of, 0, sizeof(patch_of));
	if (patch_slots)
		(void)munmap(patch_slots, patch_bytes);
}

size_t patch_program(const char **ret_trouble)
{
	void *self = patch_self();
	const char *refused = NULL;

	*ret_trouble = "there are threads already";
	if (!__libc_single_threaded || !self)
		return 0;
	refused = patch_plan(self);
	*ret_trouble = refused ? refused : "its code cannot be changed";
	if (refused || !patches_nr || !patch_prepare() || !patch_commit()) {
		patch_undo();
		return 0;
	}
	patch_below();
	return patch_bytes;
}
