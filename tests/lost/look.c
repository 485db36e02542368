/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* look.c - lost_find() on a process: "size verdict" a line for each object, then what it cost. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lost/lost.h"

static int look(struct stackdepot_store *store, uint32_t pid, const char *path, struct lost *lost)
{
	struct stackdepot_store_info process;
	uint64_t position = 0;

	while (stackdepot_store_next_process(store, &position, &process))
		if (process.pid == pid)
			return lost_find(store, &process, path, NULL, lost);
	return -ESRCH;
}

int main(int argc, char **argv)
{
	static const char *const names[] = {"reachable", "lost", "from-lost"};
	struct stackdepot_store *store;
	struct lost lost;
	size_t i;
	int error;

	if (argc != 3) {
		fprintf(stderr, "usage: look STORE PID\n");
		return 2;
	}
	error = stackdepot_store_open(argv[1], &store);
	if (!error) {
		error = look(store, (uint32_t)atoi(argv[2]), argv[1], &lost);
		stackdepot_store_close(store);
	}
	if (error) {
		fprintf(stderr, "look: %s\n", strerror(-error));
		return 1;
	}
	for (i = 0; i < lost.nr; i++)
		printf("%" PRIu64 " %s\n", lost.objects[i].object.size,
		       names[lost.objects[i].verdict]);
	fprintf(stderr, "%zu objects, %u threads stopped for %.2f ms, %.1f MiB%s\n", lost.nr,
		lost.threads, (double)lost.stopped_ns / 1e6, (double)lost.copied_bytes / (1 << 20),
		lost.heap_is_roots ? ", the heap is roots" : "");
	lost_release(&lost);
	return 0;
}
