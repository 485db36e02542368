/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: every function that executes or spawns, well and badly: arguments, environment, errno
 * build: $CC -g -O1 -o exec_family $SRC/exec_family.c
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *own[] = {"A=1", "B=2", NULL};
static char *arguments[] = {"sh", "-c", "echo $0 $# $A$B", "zero", "one", NULL};

static void file(const char *name, const char *text, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	(void)!write(fd, text, strlen(text));
	fchmod(fd, mode);
	close(fd);
}

static void one(int number)
{
	char *plain[] = {"./plain", "arg", NULL};

	errno = 0;
	switch (number) {
	case 0: execv("/bin/sh", arguments); break;
	case 1: execve("/bin/sh", arguments, own); break;
	case 2: execvp("sh", arguments); break;
	case 3: execvpe("sh", arguments, own); break;
	case 4: execl("/bin/sh", "sh", "-c", "echo $0 $#", "x", "y", NULL); break;
	case 5: execlp("sh", "sh", "-c", "echo $0 $#", "x", NULL); break;
	case 6: execle("/bin/sh", "sh", "-c", "echo $A", NULL, own); break;
	case 7: fexecve(open("/bin/sh", O_RDONLY | O_CLOEXEC), arguments, own); break;
	case 8: execveat(AT_FDCWD, "/bin/sh", arguments, own, 0); break;
	case 9: execveat(open("/bin", O_RDONLY | O_DIRECTORY), "sh", arguments, own, 0); break;
	case 10: execv("./none", plain); break;
	case 11: execvp("no-such-program", plain); break;
	case 12: execv("./locked", plain); break;
	case 13: execv("./plain", plain); break;  /* ENOEXEC */
	case 14: execvp("./plain", plain); break; /* by the shell */
	case 15: execv("./script", plain); break;
	case 16: execv("./lost", plain); break; /* its interpreter is missing */
	case 17: execv("/", plain); break;
	case 18: execve("/bin/sh", arguments, NULL); break;
	case 19: execvp("", plain); break;
	case 20: execve("./plain/x", plain, own); break;
	case 21: execveat(open("/bin/sh", O_RDONLY), "", arguments, own, AT_EMPTY_PATH); break;
	}
	printf("%d: %s\n", number, strerror(errno));
	fflush(stdout);
	_exit(100 + number);
}

static void spawned(const char *name, int error, const pid_t *pid)
{
	int status = 0;

	if (!error)
		waitpid(*pid, &status, 0);
	printf("%s: %s %d\n", name, strerror(error), WEXITSTATUS(status));
	fflush(stdout);
}

int main(void)
{
	char *plain[] = {"plain", NULL};
	int number, status;
	pid_t pid = 0;

	file("plain", "echo plain $#\n", 0755);
	file("script", "#! /bin/sh -e\necho script $#\n", 0755);
	file("lost", "#!/no/such/interpreter\n", 0755);
	file("locked", "#!/bin/sh\n", 0600);
	for (number = 0; number <= 21; number++) {
		if (!fork())
			one(number);
		wait(&status);
		printf("%d\n", WEXITSTATUS(status));
		fflush(stdout);
	}
	spawned("spawn", posix_spawn(&pid, "/bin/sh", NULL, NULL, arguments, own), &pid);
	spawned("spawnp", posix_spawnp(&pid, "sh", NULL, NULL, arguments, own), &pid);
	spawned("none", posix_spawn(&pid, "./none", NULL, NULL, arguments, own), &pid);
	spawned("plain", posix_spawn(&pid, "./plain", NULL, NULL, plain, environ), &pid);
	printf("%d %d\n", system(NULL) != 0, WEXITSTATUS(system("exit 9")));
	return 0;
}
