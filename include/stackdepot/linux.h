/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The names and signatures of Linux 6.12's <linux/stackdepot.h>, on one depot for the whole
 * process: code written for the kernel compiles and behaves.
 *
 * How the kernel's terms are met:
 *
 *	saved without STACK_DEPOT_FLAG_GET	kept: never evicted
 *	saved with it				referenced: safe until as many stack_depot_put()s;
 *						then evicted when its memory is needed, not at once
 *	STACK_DEPOT_FLAG_CAN_ALLOC missing	allocates nothing. Eviction is no allocation, and
 *						all memory was reserved by stack_depot_init(), so in
 *						user space the flag changes nothing
 *	trace too long				cut to STACKDEPOT_MAX_FRAMES innermost frames; as
 *						often as it is saved, it is the same trace
 *	depot full				only when all of it is kept or referenced: handle 0
 *	handle of an evicted trace		no frames, as for handle 0
 *
 * Two things differ. Frames are not stored contiguously, so stack_depot_fetch() hands out a copy;
 * and a trace that comes out of a signal handler is cut by whoever took it, with
 * stackdepot_cut_signal(). struct stack_record has no counterpart.
 *
 * Unless a function says otherwise it may be called from any context, signal handlers included.
 * Each is a thin layer on the function of stackdepot.h named in its description, and has its
 * progress.
 */
#ifndef STACKDEPOT_LINUX_H
#define STACKDEPOT_LINUX_H

#include <stackdepot/stackdepot.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef uint32_t depot_stack_handle_t;
typedef uint32_t depot_flags_t;

/* How a kernel may allocate: accepted, and without meaning here. */
typedef unsigned int gfp_t;
#ifndef GFP_KERNEL
#define GFP_KERNEL 0u
#define GFP_ATOMIC 0u
#define GFP_NOWAIT 0u
#define __GFP_NOWARN 0u
#endif

#define STACK_DEPOT_EXTRA_BITS STACKDEPOT_EXTRA_BITS

#define STACK_DEPOT_FLAG_CAN_ALLOC ((depot_flags_t)0x0001)
#define STACK_DEPOT_FLAG_GET ((depot_flags_t)0x0002)
#define STACK_DEPOT_FLAGS_NUM 2
#define STACK_DEPOT_FLAGS_MASK ((depot_flags_t)((1 << STACK_DEPOT_FLAGS_NUM) - 1))

#define STACK_DEPOT_DEFAULT_BYTES (64ull << 20)

/**
 * stack_depot_set_max_bytes() - how large the depot will be. Not in the kernel.
 * @bytes: as max_bytes of struct stackdepot_options; STACK_DEPOT_DEFAULT_BYTES if never called.
 *
 * Return: 0, or -EBUSY: the depot is there already, and stays as it is.
 */
STACKDEPOT_API int stack_depot_set_max_bytes(uint64_t bytes);

/**
 * stack_depot_init() - make the depot, unless it is there.
 *
 * Context: not in signal handlers. Any number of threads may be first.
 * Return: 0, or as stackdepot_create(). Until it has returned 0 once, nothing can be saved: handles
 * are 0.
 */
STACKDEPOT_API int stack_depot_init(void);

/**
 * stack_depot_request_early_init() - stack_depot_init() for those who come too early in the kernel.
 *
 * Context: as stack_depot_init(). Should it fail, a later stack_depot_init() tells why.
 */
STACKDEPOT_API void stack_depot_request_early_init(void);

/* stack_depot_instance() - the depot, for all of stackdepot.h; NULL before it is made. */
STACKDEPOT_API struct stackdepot *stack_depot_instance(void);

/**
 * stack_depot_save_flags() - stackdepot_save(), kept or referenced.
 * @entries:     frames, innermost first.
 * @nr_entries:  their number.
 * @alloc_flags: without meaning.
 * @depot_flags: of STACK_DEPOT_FLAGS_MASK.
 *
 * Return: the handle; 0 if there are no entries, for unknown flags, and if all memory is held.
 */
STACKDEPOT_API depot_stack_handle_t stack_depot_save_flags(unsigned long *entries,
							   unsigned int nr_entries,
							   gfp_t alloc_flags,
							   depot_flags_t depot_flags);

/* stack_depot_save() - stack_depot_save_flags() with STACK_DEPOT_FLAG_CAN_ALLOC: kept. */
STACKDEPOT_API depot_stack_handle_t stack_depot_save(unsigned long *entries,
						     unsigned int nr_entries, gfp_t alloc_flags);

/**
 * stack_depot_fetch() - a trace, in a buffer of the calling thread's.
 * @handle:  from stack_depot_save*(); extra bits are ignored.
 * @entries: set to the first frame; to NULL if there is none. Valid until the thread's next call.
 *
 * Context: not in signal handlers: the first call of a thread may allocate its buffer, and any call
 * overwrites it. There use stack_depot_fetch_into().
 * Return: number of frames, 0 if @handle is none or its trace was evicted.
 */
STACKDEPOT_API unsigned int stack_depot_fetch(depot_stack_handle_t handle, unsigned long **entries);

/**
 * stack_depot_fetch_into() - stackdepot_fetch() by another name. Not in the kernel as it is today.
 * @entries: where the frames of the trace go, all of them.
 * @size:    room there.
 *
 * Return: frames copied; 0 if @handle is none or its trace was evicted, and if it has more than
 * @size frames: then nothing is written.
 */
STACKDEPOT_API unsigned int stack_depot_fetch_into(depot_stack_handle_t handle,
						   unsigned long *entries, unsigned int size);

/* stack_depot_put() - stackdepot_put(); what is wrong with @handle is ignored. */
STACKDEPOT_API void stack_depot_put(depot_stack_handle_t handle);

/* stack_depot_print() - stackdepot_print() to standard error. */
STACKDEPOT_API void stack_depot_print(depot_stack_handle_t stack);

/**
 * stack_depot_snprint() - stackdepot_snprint() by handle.
 * @spaces: blanks in front of each line; one more is printed, as the kernel does.
 *
 * Return: bytes of the whole text, so @size or more if it did not fit; 0 if there is no trace.
 */
STACKDEPOT_API int stack_depot_snprint(depot_stack_handle_t handle, char *buf, size_t size,
				       int spaces);

/* stack_depot_set_extra_bits() - stackdepot_set_extra_bits(); handle 0 stays 0. */
STACKDEPOT_API depot_stack_handle_t stack_depot_set_extra_bits(depot_stack_handle_t handle,
							       unsigned int extra_bits)
	__attribute__((warn_unused_result));

/* stack_depot_get_extra_bits() - stackdepot_get_extra_bits(). */
STACKDEPOT_API unsigned int stack_depot_get_extra_bits(depot_stack_handle_t handle);

#ifdef __cplusplus
}
#endif

#endif
