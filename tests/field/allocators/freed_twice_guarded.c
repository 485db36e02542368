/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: as freed_twice, so often that one between guard pages is among them; each in a child
 * run: freed_twice_guarded
 * modes: full guard
 * expect: errors double-free 40
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void child(int number)
{
	void *volatile object = NULL;
	int i;

	(void)!freopen("/dev/null", "w", stderr);
	for (i = 0; i <= number; i++) {
		free(object);
		object = malloc(2000);
	}
	free(object);
	free(object);
	_exit(1);
}

int main(void)
{
	const struct rlimit none = {0, 0};
	int number, status, signals = 0;

	setrlimit(RLIMIT_CORE, &none);
	for (number = 0; number < 40; number++) {
		pid_t pid = fork();

		if (!pid)
			child(number);
		waitpid(pid, &status, 0);
		signals += WIFSIGNALED(status);
	}
	printf("%d ended\n", signals);
	return 0;
}
