/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* heaps.c - allocators of the processes of a profile that were not recorded. */
#include "heaps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alive.h"
#include "symbols/allocators.h"

static void heap_add(struct heaps *heaps, const char *allocator, const char *module, bool hidden)
{
	struct heap heap = {.hidden = hidden};
	size_t i;

	snprintf(heap.allocator, sizeof(heap.allocator), "%s", allocator);
	snprintf(heap.module, sizeof(heap.module), "%s", module);
	for (i = 0; i < heaps->nr; i++)
		if (!strcmp(heaps->heap[i].allocator, heap.allocator) &&
		    !strcmp(heaps->heap[i].module, heap.module))
			return;
	if (heaps->nr < HEAPS_MOST)
		heaps->heap[heaps->nr++] = heap;
	else
		heaps->more = true;
}

static void heaps_hidden(const struct profile_store *store, struct heaps *heaps)
{
	struct stackdepot_module module;
	uint64_t position = 0;

	while (stackdepot_store_next_module(store->store, &position, &module)) {
		const char *name = strrchr(module.path, '/'), *allocator;

		allocator = allocators_hidden(module.path);
		if (allocator)
			heap_add(heaps, allocator, name ? name + 1 : module.path, true);
	}
}

void heaps_unseen(const struct profile *profile, struct heaps *ret_heaps)
{
	size_t i, j;

	ret_heaps->nr = 0;
	ret_heaps->more = profile->info.heaps_dropped;
	for (i = 0; i < profile->nr_processes; i++) {
		const struct stackdepot_store_info *info = &profile->processes[i].info;

		for (j = 0; j < STACKDEPOT_STORE_HEAPS; j++)
			if (*info->unseen[j].allocator)
				heap_add(ret_heaps, info->unseen[j].allocator,
					 info->unseen[j].module, false);
	}
	for (i = 0; i < profile->nr_stores; i++)
		heaps_hidden(&profile->stores[i], ret_heaps);
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
