/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: LD_PRELOAD has a library of the user's, too; a program that is started has both
 * build: $CC -shared -fPIC -o own.so $SRC/own_preload_library.c
 * build: $CC -g -O1 -o leaky $SRC/leaky.c; $CC -g -O1 -o own_preload $SRC/own_preload.c
 * expect: leak leak_here 100000 100
 * expect: not Not recorded
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	char directory[4096], own[5000], *end;
	char *environment[] = {own, "OTHER=1", NULL}, *arguments[] = {"leaky", NULL};
	ssize_t length = readlink("/proc/self/exe", directory, sizeof(directory) - 1);
	int status;

	directory[length] = '\0';
	end = strrchr(directory, '/');
	strcpy(end, "/leaky");
	snprintf(own, sizeof(own), "LD_PRELOAD=%.*s/own.so", (int)(end - directory), directory);
	fflush(stdout);
	if (!fork()) {
		execve(directory, arguments, environment);
		_exit(127);
	}
	wait(&status);
	printf("%d\n", WEXITSTATUS(status));
	return 0;
}
