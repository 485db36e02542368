/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: scripts without a first line, by execvp and by a shell; many of them are one line
 * build: $CC -g -O1 -o no_format $SRC/no_format.c
 * expect: not Not recorded
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	FILE *script = fopen("script", "w");
	int i, status;

	fputs("echo $# $1\n", script);
	fclose(script);
	chmod("script", 0755);
	for (i = 0; i < 3; i++) {
		if (!fork()) {
			execlp("./script", "./script", "a b", NULL);
			_exit(127);
		}
		wait(&status);
		printf("%d\n", WEXITSTATUS(status));
		fflush(stdout);
	}
	return system("sh -c './script x y'");
}
