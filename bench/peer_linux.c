/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Linux 6.12's lib/stackdepot.c, unchanged, compiled against the shim, in the mode the tag-based
 * KASAN modes use it in: evictable records with references.
 *
 * It gets at most the 64 frames it stores: of a longer trace it stores 64 and compares all, so that
 * each save of such a trace adds a record.
 */
#include <stdint.h>

#include "shim.h"
#include "linux-stackdepot.h"

#include "peer.h"

extern const struct peer_ops peer_ops;

static int linux_init(void)
{
	return stack_depot_init();
}

static uint32_t linux_save(const uintptr_t *frames, unsigned int nr)
{
	return stack_depot_save_flags((unsigned long *)frames, nr, GFP_NOWAIT,
				      STACK_DEPOT_FLAG_CAN_ALLOC | STACK_DEPOT_FLAG_GET);
}

static unsigned int linux_fetch(uint32_t handle, const uintptr_t **ret_frames)
{
	unsigned long *entries;
	unsigned int nr = stack_depot_fetch(handle, &entries);

	*ret_frames = entries;
	return nr;
}

/* No .reset: its state is static, so the object is loaded anew; the shim frees what it took. */
const struct peer_ops peer_ops = {
	.max_frames = CONFIG_STACKDEPOT_MAX_FRAMES,
	.init = linux_init,
	.save = linux_save,
	.fetch = linux_fetch,
	.put = stack_depot_put,
	.bytes = shim_bytes,
};
