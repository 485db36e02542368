/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * embed - a depot inside a mapping of the caller's, read in the child of a fork().
 *
 * Shows: stackdepot_create_at stackdepot_attach_at stackdepot_fetch_ref
 */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stackdepot/stackdepot.h>

enum { BYTES = 1 << 16, PAGE = 4096 };

static int read_in_child(const void *memory, stackdepot_ref_t ref)
{
	struct stackdepot *depot;
	uintptr_t frames[8];
	int nr;

	if (stackdepot_attach_at(memory, BYTES - PAGE, &depot))
		return 1;
	nr = stackdepot_fetch_ref(depot, ref, frames, 8);
	printf("the child reads %d frames, the innermost 0x%x\n", nr, (unsigned int)frames[0]);
	stackdepot_destroy(depot);
	(void)fflush(stdout);
	return 0;
}

int main(void)
{
	struct stackdepot_options options = {.max_bytes = BYTES};
	const uintptr_t frames[] = {0x401000, 0x402000};
	struct stackdepot *depot;
	stackdepot_ref_t ref;
	int status = 1;
	pid_t child;
	void *memory = mmap(NULL, BYTES - PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			    -1, 0);

	if (memory == MAP_FAILED || stackdepot_create_at(&options, memory, &depot))
		return 1;
	child = fork();
	if (child < 0)
		return 1;
	ref = stackdepot_ref(depot, stackdepot_save(depot, frames, 2, STACKDEPOT_KEEP));
	if (!child)
		_exit(read_in_child(memory, ref)); /* both saved the same: it is stored once */
	(void)waitpid(child, &status, 0);
	stackdepot_destroy(depot);
	return status != 0;
}
