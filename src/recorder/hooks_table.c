/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * hooks_table.c - the functions that come to us.
 *
 * Names of one function are one function: the first row that fits it counts. So tcmalloc's
 * tc_malloc() is malloc() to us, and glibc's __libc_malloc() too.
 *
 * What an allocator has besides, and does not hand out or take back objects, is not here. Nor is
 * what calls a function that is.
 */
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>

#include "hooks.h"
#include "hooks_new.h"

void cfree(void *pointer);

#define SAME(function, other)                                                                   \
	{                                                                                       \
#function, (const void *)function, (const void *)patched_##other, 0, 0, 0, false, false \
	}
#define STANDARD(function) SAME(function, function)
#define LOOKING(function, other)                                                               \
	{                                                                                      \
#function, (const void *)function, (const void *)patched_##other, 0, 0, 0, false, true \
	}

/* clang-format off */
#define NEW(name) {#name, (const void *)name, (const void *)other_alloc, 0, 1, 0, false, false}
#define DELETE(name) {#name, (const void *)name, (const void *)other_free, 1, 0, 0, false, false}
#define SIZED_DELETE(name) \
	{#name, (const void *)name, (const void *)other_free, 1, 0, 0, true, false}

#define OWN(name, shape, pointer, size, count, sized) \
	{name, NULL, (const void *)other_##shape, pointer, size, count, sized, false}
#define ALLOC(name, size) OWN(name, alloc, 0, size, 0, false)
#define CALLOC(name, count, size) OWN(name, alloc, 0, size, count, false)
#define ALLOC_TO(name, pointer, size) OWN(name, alloc_to, pointer, size, 0, false)
#define COPY(name) OWN(name, copy, 0, 0, 0, false)
#define FREE(name, pointer) OWN(name, free, pointer, 0, 0, false)
#define SIZED_FREE(name) OWN(name, free, 1, 0, 0, true)
#define REALLOC(name, pointer, size) OWN(name, realloc, pointer, size, 0, false)
#define RECALLOC(name, pointer, count, size) OWN(name, realloc, pointer, size, count, false)
#define RESIZE(name, pointer) OWN(name, resize, pointer, 0, 0, false)
#define USABLE(name) OWN(name, usable, 1, 0, 0, false)

/* What an allocator calls the standard ones if it does not take their names. */
#define PREFIXED(prefix, allocator) \
	ALLOC(prefix "malloc", 1), CALLOC(prefix "calloc", 1, 2), \
	REALLOC(prefix "realloc", 1, 2), FREE(prefix "free", 1), \
	ALLOC(prefix "memalign", 2), ALLOC(prefix "aligned_alloc", 2), \
	ALLOC_TO(prefix "posix_memalign", 1, 3), ALLOC(prefix "valloc", 1), \
	ALLOC(prefix "pvalloc", 1), USABLE(prefix "malloc_usable_size"),

#define JEMALLOC(prefix) \
	ALLOC(prefix "mallocx", 1), REALLOC(prefix "rallocx", 1, 2), \
	RESIZE(prefix "xallocx", 1), FREE(prefix "dallocx", 1), \
	SIZED_FREE(prefix "sdallocx"), USABLE(prefix "sallocx")

const struct hook hooks[] = {
	STANDARD(malloc), LOOKING(free, free), STANDARD(calloc), LOOKING(realloc, realloc),
	LOOKING(reallocarray, reallocarray), STANDARD(memalign), STANDARD(posix_memalign),
	STANDARD(valloc), STANDARD(pvalloc),
	SAME(aligned_alloc, memalign), LOOKING(cfree, free), LOOKING(malloc_usable_size, usable),

	NEW(_Znwm), NEW(_Znam), NEW(_ZnwmRKSt9nothrow_t), NEW(_ZnamRKSt9nothrow_t),
	NEW(_ZnwmSt11align_val_t), NEW(_ZnamSt11align_val_t),
	NEW(_ZnwmSt11align_val_tRKSt9nothrow_t), NEW(_ZnamSt11align_val_tRKSt9nothrow_t),
	DELETE(_ZdlPv), DELETE(_ZdaPv), DELETE(_ZdlPvRKSt9nothrow_t), DELETE(_ZdaPvRKSt9nothrow_t),
	DELETE(_ZdlPvSt11align_val_t), DELETE(_ZdaPvSt11align_val_t),
	DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t), DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t),
	SIZED_DELETE(_ZdlPvm), SIZED_DELETE(_ZdaPvm),
	SIZED_DELETE(_ZdlPvmSt11align_val_t), SIZED_DELETE(_ZdaPvmSt11align_val_t),

	HOOK_PREFIXES(PREFIXED)

	/* jemalloc, under the names that programs configure it with */
	JEMALLOC(""), JEMALLOC("je_"), JEMALLOC("_rjem_"), JEMALLOC("je_arrow_"),
	JEMALLOC("duckdb_je_"),
	/* Firefox' */
	ALLOC("moz_arena_malloc", 2), CALLOC("moz_arena_calloc", 2, 3),
	REALLOC("moz_arena_realloc", 2, 3),
	FREE("moz_arena_free", 2), ALLOC("moz_arena_memalign", 3),

	/* tcmalloc, where these are functions of their own */
	ALLOC("tc_malloc_skip_new_handler", 1), FREE("tc_cfree", 1),
	USABLE("tc_malloc_size"),
	SIZED_FREE("tc_free_sized"), ALLOC("tc_new", 1), ALLOC("tc_newarray", 1),
	ALLOC("tc_new_nothrow", 1),
	ALLOC("tc_newarray_nothrow", 1), ALLOC("tc_new_aligned", 1),
	ALLOC("tc_newarray_aligned", 1),
	FREE("tc_delete", 1), FREE("tc_deletearray", 1), FREE("tc_delete_nothrow", 1),
	FREE("tc_deletearray_nothrow", 1), FREE("tc_delete_aligned", 1),
	FREE("tc_deletearray_aligned", 1),
	SIZED_FREE("tc_delete_sized"), SIZED_FREE("tc_deletearray_sized"),

	/* mimalloc */
	USABLE("mi_usable_size"), USABLE("mi_malloc_size"),
	ALLOC("mi_zalloc", 1), ALLOC("mi_malloc_small", 1), ALLOC("mi_zalloc_small", 1),
	CALLOC("mi_mallocn", 1, 2),
	COPY("mi_strdup"), COPY("mi_strndup"), COPY("mi_realpath"), FREE("mi_cfree", 1),
	REALLOC("mi_expand", 1, 2), RECALLOC("mi_reallocn", 1, 2, 3), REALLOC("mi_reallocf", 1, 2),
	RECALLOC("mi_reallocarray", 1, 2, 3), REALLOC("mi_rezalloc", 1, 2),
	RECALLOC("mi_recalloc", 1, 2, 3),
	ALLOC("mi_malloc_aligned", 1), ALLOC("mi_malloc_aligned_at", 1),
	ALLOC("mi_zalloc_aligned", 1),
	ALLOC("mi_zalloc_aligned_at", 1), CALLOC("mi_calloc_aligned", 1, 2),
	CALLOC("mi_calloc_aligned_at", 1, 2),
	REALLOC("mi_realloc_aligned", 1, 2), REALLOC("mi_realloc_aligned_at", 1, 2),
	SIZED_FREE("mi_free_size"), SIZED_FREE("mi_free_size_aligned"), FREE("mi_free_aligned", 1),
	ALLOC("mi_heap_malloc", 2), ALLOC("mi_heap_zalloc", 2), CALLOC("mi_heap_calloc", 2, 3),
	CALLOC("mi_heap_mallocn", 2, 3), ALLOC("mi_heap_malloc_small", 2),
	REALLOC("mi_heap_realloc", 2, 3),
	RECALLOC("mi_heap_reallocn", 2, 3, 4), REALLOC("mi_heap_reallocf", 2, 3),
	COPY("mi_heap_strdup"),
	COPY("mi_heap_strndup"), ALLOC("mi_heap_malloc_aligned", 2),
	ALLOC("mi_heap_zalloc_aligned", 2),
	CALLOC("mi_heap_calloc_aligned", 2, 3), REALLOC("mi_heap_realloc_aligned", 2, 3),
	REALLOC("mi_heap_rezalloc", 2, 3), RECALLOC("mi_heap_recalloc", 2, 3, 4),
	ALLOC("mi_new", 1), ALLOC("mi_new_aligned", 1), ALLOC("mi_new_nothrow", 1),
	ALLOC("mi_new_aligned_nothrow", 1), CALLOC("mi_new_n", 1, 2),
	REALLOC("mi_new_realloc", 1, 2),
	RECALLOC("mi_new_reallocn", 1, 2, 3),

	/* tbbmalloc */
	ALLOC("scalable_aligned_malloc", 1), REALLOC("scalable_aligned_realloc", 1, 2),
	FREE("scalable_aligned_free", 1), USABLE("scalable_msize"),

	/* rpmalloc */
	CALLOC("rpaligned_calloc", 2, 3), REALLOC("rpaligned_realloc", 1, 3),
	ALLOC("rpzalloc", 1), ALLOC("rpaligned_zalloc", 2),
};

#define PREFIX(prefix, allocator) {prefix, allocator},
const struct hook_prefix hook_prefixes[] = {HOOK_PREFIXES(PREFIX)};
/* clang-format on */

const size_t hook_prefixes_nr = sizeof(hook_prefixes) / sizeof(hook_prefixes[0]);
const size_t hooks_nr = sizeof(hooks) / sizeof(hooks[0]);
