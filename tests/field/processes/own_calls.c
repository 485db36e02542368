/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a library of the user's has open(), close(), read() and more, and allocates as it begins
 * build: $CC -shared -fPIC -O1 -o own_calls.so $SRC/own_calls_library.c
 * build: $CC -shared -fPIC -o module.so $SRC/own_preload_library.c
 * build: $CC -g -O1 -o leaky $SRC/leaky.c; $CC -g -O1 -o own_calls $SRC/own_calls.c
 * run: env LD_PRELOAD=$BIN/own_calls.so own_calls
 * expect: leak leak_here 100000 100
 * expect: not Not recorded
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void child(void)
{
	free(malloc(100));
	execlp("leaky", "leaky", NULL);
	_exit(127);
}

int main(void)
{
	int seen, *calls = dlsym(RTLD_DEFAULT, "own_calls_seen"), status;
	char *module;

	if (!calls || asprintf(&module, "%s/module.so", getenv("BIN")) < 0)
		return 9;
	seen = *calls;
	syscall(SYS_getpid);
	close(open("/dev/null", O_RDONLY));
	printf("the library has seen %d calls\n", *calls - seen);
	if (!dlopen(module, RTLD_NOW))
		return 8;
	free(module);
	fflush(stdout);
	if (!fork())
		child();
	wait(&status);
	printf("%d\n", WEXITSTATUS(status));
	return 0;
}
