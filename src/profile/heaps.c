/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* heaps.c - allocators of the processes of a profile that were not recorded. */
#include "heaps.h"

#include <stdio.h>
#include <string.h>

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

static size_t heaps_hidden(const struct profile_process *process, struct heap heaps[HEAPS_MOST],
			   size_t nr)
{
	struct stackdepot_module module;
	uint64_t position = 0;

	while (stackdepot_store_next_module(process->store, &position, &module)) {
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
	for (i = 0; i < profile->nr_processes && i < HEAPS_MOST; i++)
		nr = heaps_hidden(&profile->processes[i], heaps, nr);
	return nr;
}
