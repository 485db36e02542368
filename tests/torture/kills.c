/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * kills - a process that writes a file is killed at any instant, and its file read.
 *
 * Each round a child works in a new file with two threads. The parent attaches while they write and
 * checks everything there is, kills the child, and attaches again.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "torture.h"

enum { THREADS = 2 };

static void *work(void *argument)
{
	for (;;)
		torture_step(argument);
	return NULL;
}

static _Noreturn void child(const struct torture_shape *shape, const char *path, uint64_t seed,
			    int ready)
{
	static struct torture_user users[THREADS];
	struct stackdepot *depot = torture_create(shape, path);
	pthread_t threads[THREADS];
	unsigned int i;

	(void)!write(ready, "r", 1);
	for (i = 0; i < THREADS; i++) {
		users[i] = (struct torture_user){.depot = depot, .shape = shape};
		users[i].random = seed + i * 1000003;
		users[i].most_held = 4;
		TORTURE_CHECK(!pthread_create(&threads[i], NULL, work, &users[i]));
	}
	for (;;)
		(void)pause();
}

/* Attach and check every trace. Before the depot is made there may be no file, or half a one. */
static unsigned int read_file(const struct torture_shape *shape, const char *path, bool made)
{
	struct stackdepot *depot = NULL;
	int error = stackdepot_attach(path, &depot);
	unsigned int nr;

	if (error) {
		TORTURE_CHECK(!made && (error == -ENOENT || error == -EBADMSG));
		return 0;
	}
	nr = torture_read_all(depot, shape);
	stackdepot_destroy(depot);
	return nr;
}

static unsigned int kill_once(const struct torture_shape *shape, const char *path, uint64_t seed)
{
	bool made = seed % 8; /* else it may be killed while it makes the file */
	int ends[2], status;
	unsigned int nr;
	pid_t pid;
	char byte;

	(void)unlink(path);
	TORTURE_CHECK(!pipe(ends));
	pid = fork();
	TORTURE_CHECK(pid >= 0);
	if (!pid)
		child(shape, path, seed, ends[1]);
	if (made)
		TORTURE_CHECK(read(ends[0], &byte, 1) == 1);
	(void)usleep((useconds_t)(trace_mix(seed) % (made ? 8000 : 1500)));
	(void)read_file(shape, path, made);
	TORTURE_CHECK(!kill(pid, SIGKILL));
	TORTURE_CHECK(waitpid(pid, &status, 0) == pid);
	TORTURE_CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	nr = read_file(shape, path, made);
	TORTURE_CHECK(!close(ends[0]) && !close(ends[1]));
	return nr;
}

int main(int argc, char **argv)
{
	struct torture_options options = torture_options(argc, argv, 8);
	char path[] = "/tmp/stackdepot-kills-XXXXXX";
	const struct torture_shape *shape;
	double end = torture_now() + options.seconds;
	unsigned long rounds = 0, traces = 0;

	TORTURE_CHECK(mkstemp(path) >= 0);
	while (torture_now() < end)
		for (shape = torture_shapes; shape->name; shape++, rounds++)
			traces += kill_once(shape, path, options.seed + rounds);
	(void)unlink(path);
	printf("killed %lu times, %lu traces found afterwards; no wrong trace\n", rounds, traces);
	return 0;
}
