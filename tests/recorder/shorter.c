/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * shorter.c - the pages of the store go while threads and a child allocate.
 *
 *	shorter STORE BYTES plain|handler [END FILL]
 *
 * The file is made BYTES long; or what lies between BYTES and END is given back, and the disk
 * filled through the file FILL, so that no page comes again. `handler`: the program has one for
 * SIGBUS, which is not to be called. It ends with 7.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OBJECTS 1000u
#define ROUNDS 600u
#define AT 200u

static const char *store, *fill;
static off_t length, end;

static void shorten(void)
{
	static const char zeros[1 << 16];
	int fd;

	if (!fill) {
		if (truncate(store, length))
			_exit(20);
		return;
	}
	fd = open(store, O_RDWR | O_CLOEXEC);
	if (fd < 0 ||
	    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, length, end - length))
		_exit(21);
	close(fd);
	fd = open(fill, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, zeros, sizeof(zeros)) > 0)
		;
	while (write(fd, zeros, 1) > 0)
		;
	close(fd);
}

static void *work(void *shortens)
{
	char *objects[OBJECTS];
	unsigned int seed = 1, round, i;

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < OBJECTS; i++) {
			objects[i] = malloc(16 + (size_t)rand_r(&seed) % 3000);
			objects[i][0] = 1;
		}
		for (i = 0; i < OBJECTS; i++)
			free(objects[i]);
		if (round == AT && shortens)
			shorten();
	}
	return NULL;
}

static void handler(int number)
{
	_exit(90 + number);
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int status;
	pid_t child;

	if (argc < 4)
		return 2;
	store = argv[1];
	length = (off_t)atoll(argv[2]);
	if (argc > 5) {
		end = (off_t)atoll(argv[4]);
		fill = argv[5];
	}
	if (!strcmp(argv[3], "handler"))
		(void)signal(SIGBUS, handler);
	/* Where the disk is to be full it may not have its pages again meanwhile. */
	if (fill)
		work(&thread);
	if (pthread_create(&thread, NULL, work, NULL))
		return 3;
	if (!fill)
		work(&thread);
	pthread_join(thread, NULL);
	child = fork();
	if (!child) {
		work(NULL);
		_exit(5);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
	    WEXITSTATUS(status) != 5)
		return 4;
	puts("done");
	return 7;
}
