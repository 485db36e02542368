/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: clearenv() and environments made by hand
 * build: $CC -g -O1 -o leaky $SRC/leaky.c; $CC -g -O1 -o environment $SRC/environment.c
 * expect: leak leak_here 100000 100
 * expect: not Not recorded
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	char path[4096], line[100], *none[] = {NULL};
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	FILE *stream;
	int status;

	path[length] = '\0';
	strcpy(strrchr(path, '/'), "/leaky");
	if (!fork()) {
		execle(path, "leaky", "1", NULL, none);
		_exit(127);
	}
	wait(&status);
	printf("%d\n", WEXITSTATUS(status));
	fflush(stdout);
	clearenv();
	printf("%d\n", WEXITSTATUS(system("env | grep -v -e _= -e PWD -e SHLVL; exit 4")));
	stream = popen("echo piped", "r");
	if (!stream || !fgets(line, sizeof(line), stream))
		return 1;
	printf("%s%d\n", line, pclose(stream));
	return 0;
}
