/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * api.h - what a depot does for those who have one.
 *
 * The interface of the core, below two thin layers: user space's <stackdepot/stackdepot.h>, which
 * documents each of these functions by the name it gives them out under, and a kernel's, which has
 * one depot and calls them. Types, flags and limits are the layers', in a types.h beside host.h.
 */
#ifndef DEPOT_API_H
#define DEPOT_API_H

#include "types.h"

/* DEPOT_NAME() (types.h) - the name of a symbol; nothing where it is the function's own. */
int depot_create(const struct stackdepot_options *options, struct stackdepot **ret_depot)
	DEPOT_NAME(create);
void depot_destroy(struct stackdepot *depot) DEPOT_NAME(destroy);
u64 depot_bytes_for(u32 lines, const struct stackdepot_options *options) DEPOT_NAME(bytes_for);

u32 depot_save(struct stackdepot *depot, const uintptr_t *frames, unsigned int nr,
	       unsigned int flags) DEPOT_NAME(save);
int depot_get(struct stackdepot *depot, u32 handle) DEPOT_NAME(get);
int depot_get_ref(struct stackdepot *depot, u64 ref) DEPOT_NAME(get_ref);
int depot_put(struct stackdepot *depot, u32 handle) DEPOT_NAME(put);

int depot_fetch(struct stackdepot *depot, u32 handle, uintptr_t *frames, unsigned int size)
	DEPOT_NAME(fetch);
int depot_fetch_ref(struct stackdepot *depot, u64 ref, uintptr_t *frames, unsigned int size)
	DEPOT_NAME(fetch_ref);
u64 depot_trace_ref(struct stackdepot *depot, u32 handle) DEPOT_NAME(ref);
u32 depot_trace_handle(struct stackdepot *depot, u64 ref) DEPOT_NAME(handle);
int depot_info(struct stackdepot *depot, u64 ref, struct stackdepot_trace_info *ret_info)
	DEPOT_NAME(info);
u64 depot_next(struct stackdepot *depot, u32 *position) DEPOT_NAME(next);

int depot_tick(struct stackdepot *depot) DEPOT_NAME(tick);
u64 depot_now(struct stackdepot *depot) DEPOT_NAME(now);

void depot_get_stats(struct stackdepot *depot, struct stackdepot_stats *ret_stats)
	DEPOT_NAME(get_stats);
int depot_check(struct stackdepot *depot) DEPOT_NAME(check);

/* The top bits of a handle, which are the user's. */
static inline u32 depot_set_extra_bits(u32 handle, unsigned int bits)
{
	const unsigned int shift = 32 - STACKDEPOT_EXTRA_BITS;

	if (!handle)
		return 0;
	return (handle & ((1u << shift) - 1)) | bits << shift;
}

static inline unsigned int depot_get_extra_bits(u32 handle)
{
	return handle >> (32 - STACKDEPOT_EXTRA_BITS);
}

#endif
