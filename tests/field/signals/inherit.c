/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: what exec, posix_spawn and fork leave of handlers, ignored signals and masks
 * build: $CC -g -O1 -w -o inherit $SRC/inherit.c
 */
#define _GNU_SOURCE
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGUSR1, SIGUSR2, SIGPIPE};

static void handler(int number)
{
}

static void show(const char *who)
{
	struct sigaction old;
	sigset_t mask;
	int i;

	sigprocmask(SIG_BLOCK, NULL, &mask);
	printf("%s:", who);
	for (i = 0; i < 8; i++) {
		sigaction(signals[i], NULL, &old);
		printf(" %s%s",
		       old.sa_handler == SIG_DFL   ? "default"
		       : old.sa_handler == SIG_IGN ? "ignore"
		       : old.sa_handler == handler ? "handler"
						   : "another",
		       sigismember(&mask, signals[i]) ? "(blocked)" : "");
	}
	puts("");
	fflush(stdout);
}

static void spawned(const char *program, int with)
{
	char *arguments[] = {(char *)program, "spawned", NULL};
	extern char **environ;
	posix_spawnattr_t attributes;
	sigset_t set;
	pid_t child;
	int status;

	posix_spawnattr_init(&attributes);
	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	sigaddset(&set, SIGUSR1);
	posix_spawnattr_setsigmask(&attributes, &set);
	sigaddset(&set, SIGABRT);
	posix_spawnattr_setsigdefault(&attributes, &set);
	posix_spawnattr_setflags(&attributes,
				 with ? POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF : 0);
	if (posix_spawn(&child, program, NULL, &attributes, arguments, environ))
		_exit(1);
	waitpid(child, &status, 0);
	printf("%x\n", status);
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
	char *after[] = {argv[0], "after exec", NULL};
	int i, status;
	pid_t child;

	free(malloc(10));
	if (argc > 1) {
		show(argv[1]);
		return 0;
	}
	show("start");
	for (i = 0; i < 8; i++) {
		action.sa_handler = i % 3 == 0 ? handler : i % 3 == 1 ? SIG_IGN : SIG_DFL;
		sigaction(signals[i], &action, NULL);
	}
	show("set");
	child = fork();
	if (!child) {
		show("forked");
		free(malloc(10));
		signal(SIGSEGV, SIG_IGN);
		show("forked, changed");
		_exit(0);
	}
	waitpid(child, &status, 0);
	spawned(argv[0], 0);
	spawned(argv[0], 1);
	if (system("exit 3") != 0x300)
		puts("system");
	show("after all");
	signal(SIGSEGV, SIG_IGN);
	execv(argv[0], after);
	return 1;
}
