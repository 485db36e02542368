/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * ends.c - processes that end in the ways there are, with objects that are lost by then, told by
 * their sizes: 101 is reachable, 202 is lost, 303 is freed by a handler of exit(), 404 and 505 are
 * lost in children.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

static void *volatile kept;
static void *volatile freed_last;

static void at_exit(void)
{
	free(freed_last);
	freed_last = NULL;
}

static NOINLINE void lose(size_t size)
{
	void *volatile object = malloc(size);

	memset(object, 0, size);
	object = NULL;
}

/* As in kinds.c: nothing is left on the stack, nor in registers. */
static NOINLINE void wipe(void)
{
	volatile char junk[16384];

	memset((char *)junk, 0, sizeof(junk));
	__asm__ volatile("" ::"r"(junk) : "memory");
}

static void *ends_from_a_thread(void *unused)
{
	(void)unused;
	wipe();
	exit(7);
}

static void *never_ends(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

static void child(size_t size, void (*end)(int))
{
	pid_t pid = fork();

	if (!pid) {
		lose(size);
		wipe();
		end(0);
	}
	(void)waitpid(pid, NULL, 0);
}

static void end_as(const char *how, char **argv)
{
	pthread_t thread;

	if (!strcmp(how, "_exit"))
		_exit(7);
	if (!strcmp(how, "alarm")) {
		const struct itimerval soon = {.it_value = {.tv_sec = 1}};

		/* What looks at the end was stopped: that takes longer than a second. */
		(void)getchar();
		setitimer(ITIMER_REAL, &soon, NULL);
		_exit(7);
	}
	if (!strcmp(how, "beside")) {
		pthread_create(&thread, NULL, never_ends, NULL);
		(void)getchar();
		_exit(7);
	}
	if (!strcmp(how, "_Exit"))
		_Exit(7);
	if (!strcmp(how, "kill"))
		raise(SIGKILL);
	if (!strcmp(how, "exec"))
		execl(argv[0], argv[0], "exit", (char *)NULL);
	if (!strcmp(how, "thread")) {
		pthread_create(&thread, NULL, ends_from_a_thread, NULL);
		pthread_join(thread, NULL);
	}
	if (!strcmp(how, "threads")) {
		pthread_create(&thread, NULL, never_ends, NULL);
		pthread_create(&thread, NULL, never_ends, NULL);
	}
	if (!strcmp(how, "children")) {
		child(404, exit);
		child(505, _exit);
	}
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "exit";

	kept = malloc(101);
	freed_last = malloc(303);
	atexit(at_exit);
	if (strcmp(how, "clean"))
		lose(202);
	wipe();
	end_as(how, argv);
	return 7;
}
