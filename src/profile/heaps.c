/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* heaps.c - allocators of the processes of a profile that were not recorded. */
#include "heaps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alive.h"
#include "symbols/allocators.h"

static size_t heap_add(struct heap heaps[HEAPS_MOST], size_t nr, const char *allocator,
		       const char *module, bool hidden)
{
	struct heap heap = {.hidden = hidden};
	size_t i;

	snprintf(heap.allocator, sizeof(heap.allocator), "%s", allocator);
	snprintf(heap.module, sizeof(heap.module), "%s", module);
	for (i = 0; i < nr; i++)
		if (!strcmp(heaps[i].allocator, heap.allocator) &&
		    !strcmp(heaps[i].module, heap.module))
			return nr;
	if (nr == HEAPS_MOST)
		return nr;
	heaps[nr] = heap;
	return nr + 1;
}

static size_t heaps_hidden(const struct profile_store *store, struct heap heaps[HEAPS_MOST],
			   size_t nr)
{
	struct stackdepot_module module;
	uint64_t position = 0;

	while (stackdepot_store_next_module(store->store, &position, &module)) {
		const char *name = strrchr(module.path, '/'), *allocator;

		allocator = allocators_hidden(module.path);
		if (allocator)
			nr = heap_add(heaps, nr, allocator, name ? name + 1 : module.path, true);
	}
	return nr;
}

size_t heaps_unseen(const struct profile *profile, struct heap heaps[HEAPS_MOST])
{
	size_t i, j, nr = 0;

	for (i = 0; i < profile->nr_processes; i++) {
		const struct stackdepot_store_info *info = &profile->processes[i].info;

		for (j = 0; j < STACKDEPOT_STORE_HEAPS; j++)
			if (*info->unseen[j].allocator)
				nr = heap_add(heaps, nr, info->unseen[j].allocator,
					      info->unseen[j].module, false);
	}
	for (i = 0; i < profile->nr_stores && i < HEAPS_MOST; i++)
		nr = heaps_hidden(&profile->stores[i], heaps, nr);
	return nr;
}

/* What of a process is in memory or swapped out, and of no file. */
static double heap_anonymous(unsigned int pid)
{
	char path[64], line[256];
	double bytes = 0;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status))
		if (!strncmp(line, "RssAnon:", 8) || !strncmp(line, "VmSwap:", 7))
			bytes += 1024 * strtod(strchr(line, ':') + 1, NULL);
	if (status)
		(void)fclose(status);
	return bytes;
}

double heaps_beside(const struct profile *profile)
{
	double bytes, sum = 0;
	size_t i;

	for (i = 0; !profile->lost_only && !profile->peak && i < profile->nr_processes; i++) {
		const struct profile_process *process = &profile->processes[i];

		if (!alive_is_near(&process->info) || !alive_is_running(&process->info))
			continue;
		bytes = heap_anonymous(process->info.pid) - process->live.bytes -
			(double)process->info.tool_bytes;
		sum += bytes > 0 ? bytes : 0;
	}
	return sum;
}
