/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * hooks_new.c - operator new and delete, by their mangled names.
 *
 * The C++ library's own call malloc() and free(), which are recorded there, with the operator's
 * frame on the stack: these are passed on by a jump that leaves no frame of ours. An allocator that
 * brings its own operators (tcmalloc, jemalloc) does not, so there the operator is the allocation.
 * When memory runs out its own operator is called after all, which knows about new handlers and
 * exceptions.
 *
 * An operator that has no memory asks which new handler there is, to call it, or to throw. What
 * these allocate is the program's, not the allocator's own: from then on the thread is outside.
 */
#include "elf_module.h"
#include "hooks_new.h"
#include "object.h"
#include "recorder.h"

#define HOOK EXPORT __attribute__((noinline))

#define RESOLVED(function, name)                                \
	do {                                                    \
		if (unlikely(!(function)))                      \
			*(void **)&(function) = elf_next(name); \
	} while (0)

#define DEFINE_NEW(name, parameters, arguments, align)                                       \
	HOOK void *name parameters                                                           \
	{                                                                                    \
		static void *(*next)parameters;                                              \
                                                                                             \
		RESOLVED(next, #name);                                                       \
		if (real_resolve() && real_next->new_is_allocator &&                         \
		    !real_is_inside((uintptr_t)__builtin_frame_address(0))) {                \
			const recorder_start start = stackdepot_unwind_caller();             \
			void *pointer = object_alloc(real_next, &start, size, align, false); \
                                                                                             \
			if (likely(pointer))                                                 \
				return pointer;                                              \
		}                                                                            \
		return next arguments;                                                       \
	}

#define DEFINE_DELETE(name, parameters, arguments)                               \
	HOOK void name parameters                                                \
	{                                                                        \
		static void(*next) parameters;                                   \
                                                                                 \
		RESOLVED(next, #name);                                           \
		if (real_resolve() && real_next->new_is_allocator) {             \
			const recorder_start start = stackdepot_unwind_caller(); \
                                                                                 \
			object_free(real_next, &start, pointer);                 \
			return;                                                  \
		}                                                                \
		next arguments;                                                  \
	}

DEFINE_NEW(_Znwm, (size_t size), (size), 0)
DEFINE_NEW(_Znam, (size_t size), (size), 0)
DEFINE_NEW(_ZnwmRKSt9nothrow_t, (size_t size, const void *tag), (size, tag), 0)
DEFINE_NEW(_ZnamRKSt9nothrow_t, (size_t size, const void *tag), (size, tag), 0)
DEFINE_NEW(_ZnwmSt11align_val_t, (size_t size, size_t align), (size, align), align)
DEFINE_NEW(_ZnamSt11align_val_t, (size_t size, size_t align), (size, align), align)
DEFINE_NEW(_ZnwmSt11align_val_tRKSt9nothrow_t, (size_t size, size_t align, const void *tag),
	   (size, align, tag), align)
DEFINE_NEW(_ZnamSt11align_val_tRKSt9nothrow_t, (size_t size, size_t align, const void *tag),
	   (size, align, tag), align)

DEFINE_DELETE(_ZdlPv, (void *pointer), (pointer))
DEFINE_DELETE(_ZdaPv, (void *pointer), (pointer))
DEFINE_DELETE(_ZdlPvm, (void *pointer, size_t size), (pointer, size))
DEFINE_DELETE(_ZdaPvm, (void *pointer, size_t size), (pointer, size))
DEFINE_DELETE(_ZdlPvRKSt9nothrow_t, (void *pointer, const void *tag), (pointer, tag))
DEFINE_DELETE(_ZdaPvRKSt9nothrow_t, (void *pointer, const void *tag), (pointer, tag))
DEFINE_DELETE(_ZdlPvSt11align_val_t, (void *pointer, size_t align), (pointer, align))
DEFINE_DELETE(_ZdaPvSt11align_val_t, (void *pointer, size_t align), (pointer, align))
DEFINE_DELETE(_ZdlPvmSt11align_val_t, (void *pointer, size_t size, size_t align),
	      (pointer, size, align))
DEFINE_DELETE(_ZdaPvmSt11align_val_t, (void *pointer, size_t size, size_t align),
	      (pointer, size, align))
DEFINE_DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t, (void *pointer, size_t align, const void *tag),
	      (pointer, align, tag))
DEFINE_DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t, (void *pointer, size_t align, const void *tag),
	      (pointer, align, tag))

/* --- new handlers -------------------------------------------------------------------------------
 */

typedef void (*new_handler)(void);

new_handler _ZSt15get_new_handlerv(void);
new_handler _ZSt15set_new_handlerPFvvE(new_handler handler);

HOOK new_handler _ZSt15get_new_handlerv(void)
{
	static new_handler (*next)(void);

	RESOLVED(next, "_ZSt15get_new_handlerv");
	real_inside = 0;
	return next ? next() : NULL;
}

/* Older than the other, and with NULL the way to ask. */
HOOK new_handler _ZSt15set_new_handlerPFvvE(new_handler handler)
{
	static new_handler (*next)(new_handler);

	RESOLVED(next, "_ZSt15set_new_handlerPFvvE");
	real_inside = 0;
	return next ? next(handler) : NULL;
}
