/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Linux's lib/stackdepot.c, unchanged, compiled against the shim, in the mode the tag-based KASAN
 * modes use it in: evictable records with references. PEER_NAME says of which version it is.
 *
 * It gets at most the 64 frames it stores: of a longer trace it stores 64 and compares all, so that
 * each save of such a trace adds a record.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "shim.h"
#include <linux/stackdepot.h>

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

/* What a kernel's /sys/kernel/debug/stackdepot/stats has; to be freed. */
static char *linux_stats(void)
{
	char *text = NULL;
	size_t length;
	FILE *file = open_memstream(&text, &length);

	if (!file)
		return NULL;
	shim_late_initcall();
	shim_debugfs->show((struct seq_file *)file, NULL);
	return fclose(file) ? NULL : text;
}

static long linux_figure(const char *stats, const char *name)
{
	const char *at = strstr(stats, name);

	return at ? strtol(at + strlen(name), NULL, 10) : -1;
}

/*
 * Records all have the room of the longest, and a pool has as many as fit. The first save of a new
 * trace after one that began a pool allocates the next.
 */
static bool linux_explained(const char *stats, uint32_t traces)
{
	const size_t record = ALIGN(sizeof(struct stack_record), 1ul << DEPOT_STACK_ALIGN);
	const long a_pool = (long)(DEPOT_POOL_SIZE / record);
	const long pools = ((long)traces + a_pool - 1) / a_pool;
	const long spare = (long)traces % a_pool != 1;
	uint64_t tables, bytes = shim_bytes(&tables);

	return linux_figure(stats, "pools: ") == pools &&
	       linux_figure(stats, "refcounted_allocations: ") == (long)traces &&
	       linux_figure(stats, "refcounted_in_use: ") == (long)traces &&
	       linux_figure(stats, "freelist_size: ") == 0 &&
	       linux_figure(stats, "persistent_count: ") == 0 &&
	       bytes == tables + (uint64_t)(pools + spare) * DEPOT_POOL_SIZE;
}

static int linux_check(uint32_t traces)
{
	uint64_t tables, bytes = shim_bytes(&tables);
	char *stats = linux_stats();
	int ret = stats && linux_explained(stats, traces) ? 0 : -1;

	if (ret)
		fprintf(stderr, "%s, %" PRIu32 " traces, %" PRIu64 " bytes, tables %" PRIu64 "\n%s",
			PEER_NAME, traces, bytes, tables, stats ? stats : "");
	free(stats);
	return ret;
}

/* No .reset: its state is static, so the object is loaded anew; the shim frees what it took. */
const struct peer_ops peer_ops = {
	.name = PEER_NAME,
	.max_frames = CONFIG_STACKDEPOT_MAX_FRAMES,
	.init = linux_init,
	.save = linux_save,
	.fetch = linux_fetch,
	.put = stack_depot_put,
	.bytes = shim_bytes,
	.check = linux_check,
};
