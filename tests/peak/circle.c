/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * circle.c - let the lists of peaks in a store lead in circles that have no end.
 *
 * usage: circle STORE
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/format.h"

static unsigned int circle(struct store_taken *taken, struct store_peak_stack *stacks)
{
	if (!taken->first)
		return 0;
	taken->nr = UINT32_MAX;
	stacks[taken->first - 1].next = taken->first;
	return 1;
}

int main(int argc, char **argv)
{
	int fd = argc > 1 ? open(argv[1], O_RDWR) : -1;
	struct store_height *heights;
	struct store_peak_stack *stacks;
	struct store_header *header;
	struct store_layout layout;
	unsigned int i, j, nr = 0;
	struct stat st;
	char *memory;

	if (fd < 0 || fstat(fd, &st))
		return 1;
	memory = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return 1;
	header = (void *)memory;
	if (store_plan(header->total_bytes, header->corpus_events, &layout))
		return 1;
	heights = (void *)(memory + layout.heights_offset);
	stacks = (void *)(memory + layout.peak_stacks_offset);
	for (i = 0; i < layout.slots; i++)
		for (j = 0; j < 2 * STORE_PEAKS; j++)
			nr += circle(&heights[i].peaks[j / 2].taken[j % 2], stacks);
	fprintf(stderr, "%u circles\n", nr);
	return !nr;
}
