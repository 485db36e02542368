/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * fork - the child of a fork() goes on with a copy of the depot.
 *
 * Shows: stackdepot_fork_child stackdepot_fetch stackdepot_check
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stackdepot/stackdepot.h>

static int go_on(struct stackdepot *depot, stackdepot_handle_t handle)
{
	uintptr_t frames[8], frame = 0x500000;

	/* No other thread was inside the depot at the fork, so nothing was left half done. */
	printf("child: %u lines given back\n", stackdepot_fork_child(depot));
	printf("child: %d frames from before\n", stackdepot_fetch(depot, handle, frames, 8));
	printf("child: %s\n", stackdepot_save(depot, &frame, 1, 0) ? "goes on saving" : "refused");
	(void)fflush(stdout);
	return stackdepot_check(depot) != 0;
}

int main(void)
{
	struct stackdepot_options options = {.max_bytes = 1 << 20};
	const uintptr_t frames[] = {0x401000, 0x402000, 0x403000};
	stackdepot_handle_t handle;
	struct stackdepot *depot;
	int status = 1;
	pid_t child;

	if (stackdepot_create(&options, &depot))
		return 1;
	handle = stackdepot_save(depot, frames, 3, STACKDEPOT_KEEP);
	child = fork();
	if (child < 0)
		return 1;
	if (!child)
		_exit(go_on(depot, handle));
	(void)waitpid(child, &status, 0);
	stackdepot_destroy(depot);
	return status != 0;
}
