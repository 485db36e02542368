/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * family: a process, a child, and a child that exec()s, all of which do the same at the same line.
 *
 * usage: family BYTES [stay]
 *
 * The first keeps BYTES, the second twice as many, the third three times. With "stay" they go on
 * keeping 100 bytes twenty times a second, until the first is told to end. They begin in this
 * order: the third when the second has done its work.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define family_function __attribute__((noinline, noipa))

static void *volatile kept;
static int second_ends[2]; /* of a pipe that the second process closes when it has worked */

static family_function void keep(size_t bytes)
{
	kept = malloc(bytes);
}

static family_function void keep_more(void)
{
	kept = malloc(100);
}

static family_function void *free_in_thread(void *object)
{
	free(object);
	return NULL;
}

static family_function void free_twice(void)
{
	void *volatile object = malloc(20);
	pthread_t thread;

	/* Of two frees by one thread the C library would make an end. */
	if (!pthread_create(&thread, NULL, free_in_thread, object))
		pthread_join(thread, NULL);
	free(object);
}

/* What the C library keeps on purpose is most of what this process holds. */
static family_function void print_something(void)
{
	printf("%d\n", (int)getpid());
	fflush(stdout);
}

static family_function void work(int who, size_t bytes, int stay)
{
	keep((size_t)(who + 1) * bytes);
	free_twice();
	if (who == 1) {
		print_something();
		close(second_ends[1]);
	}
	while (stay && getppid() != 1) {
		keep_more();
		usleep(50000);
	}
}

/* Which of the three this process is; the third begins anew, as it exec()s. */
static int multiply(char **argv)
{
	if (!strcmp(argv[0], "third"))
		return 2;
	if (pipe(second_ends))
		_exit(3);
	if (!fork())
		return 1;
	close(second_ends[1]);
	(void)!read(second_ends[0], &(char){0}, 1); /* comes to an end, and reads nothing */
	close(second_ends[0]);
	if (fork())
		return 0;
	argv[0] = "third";
	execv("/proc/self/exe", argv);
	_exit(3);
}

int main(int argc, char **argv)
{
	int who;

	if (argc < 2)
		return 2;
	(void)signal(SIGCHLD, SIG_IGN); /* one that is killed is gone */
	who = multiply(argv);
	work(who, strtoul(argv[1], NULL, 10), argc > 2);
	while (!who && wait(NULL) > 0)
		;
	_exit(0); /* the C library would release what it keeps */
}
