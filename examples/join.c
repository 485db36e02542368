/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * join - a process saves in another one's depot, and is gone before it gave back what it held.
 *
 * Shows: stackdepot_join_at stackdepot_recount stackdepot_get_stats
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stackdepot/stackdepot.h>

enum { BYTES = 1 << 16, PAGE = 4096 };

static int save_in_child(void *memory)
{
	const uintptr_t frames[] = {0x401000, 0x402000};
	struct stackdepot *depot;

	if (stackdepot_join_at(memory, BYTES - PAGE, &depot))
		return 1;
	return !stackdepot_save(depot, frames, 2, STACKDEPOT_GET);
}

int main(void)
{
	struct stackdepot_options options = {.max_bytes = BYTES};
	struct stackdepot_stats stats;
	struct stackdepot *depot;
	uint32_t *held;
	int status = 1;
	pid_t child;
	void *memory = mmap(NULL, BYTES - PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			    -1, 0);

	if (memory == MAP_FAILED || stackdepot_create_at(&options, memory, &depot))
		return 1;
	child = fork();
	if (child < 0)
		return 1;
	if (!child)
		_exit(save_in_child(memory));
	(void)waitpid(child, &status, 0);

	/* Nobody holds anything: this process does not, and there is no other one. */
	stackdepot_get_stats(depot, &stats);
	held = calloc(stats.lines + 1, sizeof(*held));
	if (!held)
		return 1;
	printf("%u trace whose references were not right\n", stackdepot_recount(depot, held));
	printf("%u afterwards\n", stackdepot_recount(depot, held));
	free(held);
	stackdepot_destroy(depot);
	return status != 0;
}
