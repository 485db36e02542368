/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * real.h - the allocators below the hooks.
 *
 * The hooks are entered in two ways. Who calls the functions that this library exports would have
 * reached the allocator that comes after it in the order of symbols, REAL_NEXT. And the entries of
 * the allocators' own functions branch to the hooks (patch.c), which then stand above that very
 * allocator: the one that the program contains, or that of a library. Either way the object goes to
 * and comes from where it would have without us.
 *
 * An allocator calls itself, and others below it. While a thread is in one, real_inside has the
 * place on its stack from where it was called; a hook that is entered below that place goes
 * straight on, however it is entered, so there is no recursion. A place that was left by an
 * exception or by longjmp() is noticed as soon as a hook is entered above it.
 *
 * What an allocator gets has no tags (tags.h).
 */
#ifndef RECORDER_REAL_H
#define RECORDER_REAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tags.h"

enum real_layer {
	REAL_NEXT,
	REAL_OWN,   /* that of the program itself */
	REAL_LIBC,  /* the C library's, if the next is another */
	REAL_OTHER, /* a library's for itself; there may be several */
	REAL_LAYERS = REAL_OTHER + 4
};

#define REAL_EXTENDS 112u
#define REAL_EXTENDS_TIGHT (64u << 10)

struct real {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void (*free)(void *);
	void *(*memalign)(size_t, size_t);
	int (*posix_memalign)(void **, size_t, size_t);
	size_t (*usable)(void *); /* NULL: its blocks are as large as was asked for */
	/* The same of the next one, for when nobody looks: by themselves, where no call of theirs
	 * comes to a hook again, as those of an allocator that we do not know may. */
	void *(*quick_malloc)(size_t);
	void (*quick_free)(void *);
	size_t (*quick_usable)(void *);
	/* In blocks of fewer bytes eight more than asked for are not noticed, and cost sixteen at
	 * most: REAL_EXTENDS, with glibc REAL_EXTENDS_TIGHT; 0: in none. */
	size_t extends;
	bool new_is_allocator; /* operator new is the allocator's own, and does not call malloc() */
	bool tight;	       /* glibc's, whose blocks are hardly larger than asked for */
	bool guards;	       /* nobody but the hooks looks at its blocks */
	bool tags;	       /* its blocks can have hardware tags: glibc's, and jemalloc's */
	bool patched;	       /* its functions come to the hooks */
};

/*
 * Where the caller stands, for real_inside. What the allocator goes on in by a jump, as memalign()
 * may in malloc(), is entered with the caller's own stack pointer. That can be the address of the
 * caller's frame: on arm64, where a frame begins at the stack pointer, and on x86-64 in a hook
 * without locals, where rsp is rbp at the call. So the place is above it.
 */
#define REAL_PLACE ((uintptr_t)__builtin_frame_address(0) + 1)

extern struct real reals[REAL_LAYERS];
extern __thread uintptr_t real_inside __attribute__((tls_model("initial-exec")));

#define real_next (&reals[REAL_NEXT])

/* Find the next one, once; false while it is being done, when the bootstrap buffer has to serve. */
bool real_resolve(void);
void real_set_quick(struct real *below);
enum real_state { REAL_UNKNOWN, REAL_LOOKING, REAL_KNOWN };
extern uint32_t real_state;

static inline bool real_is_known(void)
{
	return __builtin_expect(__atomic_load_n(&real_state, __ATOMIC_ACQUIRE) == REAL_KNOWN, 1);
}
void *real_bootstrap(size_t size, size_t align);
bool real_is_bootstrap(const void *pointer);
/* The part of the buffer that is in use. */
const char *real_bootstrap_used(size_t *ret_bytes);
/* Start of the file in memory that an address lies in, NULL if it is in none. */
const void *real_owner(const void *address);

/*
 * Is the thread in an allocator, so that this is the allocator's own business? `sp` is the stack
 * pointer of who called the hook.
 */
static inline bool real_is_inside(uintptr_t sp)
{
	if (__builtin_expect(!real_inside, 1))
		return false;
	if (real_inside > sp)
		return true;
	real_inside = 0;
	return false;
}

#define REAL_CALL(type, name, parameters, arguments)                          \
	static inline type real_##name parameters                             \
	{                                                                     \
		const uintptr_t outside = real_inside;                        \
		type result;                                                  \
                                                                              \
		__atomic_store_n(&real_inside, REAL_PLACE, __ATOMIC_RELAXED); \
		__atomic_signal_fence(__ATOMIC_SEQ_CST);                      \
		result = below->name arguments;                               \
		__atomic_signal_fence(__ATOMIC_SEQ_CST);                      \
		__atomic_store_n(&real_inside, outside, __ATOMIC_RELAXED);    \
		return result;                                                \
	}

REAL_CALL(void *, malloc, (const struct real *below, size_t size), (size))
REAL_CALL(void *, calloc, (const struct real *below, size_t nr, size_t size), (nr, size))
REAL_CALL(void *, realloc, (const struct real *below, void *pointer, size_t size), (pointer, size))
REAL_CALL(void *, memalign, (const struct real *below, size_t align, size_t size), (align, size))
REAL_CALL(int, posix_memalign,
	  (const struct real *below, void **ret_pointer, size_t align, size_t size),
	  (ret_pointer, align, size))
REAL_CALL(size_t, usable, (const struct real *below, void *pointer),
	  ((void *)tags_address(pointer)))

static inline void real_free(const struct real *below, void *pointer)
{
	const uintptr_t outside = real_inside;
	size_t tagged;

	pointer = tags_take(below, pointer, &tagged);
	__atomic_store_n(&real_inside, REAL_PLACE, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	below->free(pointer);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	__atomic_store_n(&real_inside, outside, __ATOMIC_RELAXED);
}

#endif
