/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * forks - fork() at any moment of what other threads do in the depot.
 *
 * The child of an anonymous depot goes on with its copy; the child of a file works in the same
 * depot as its parent, and one in two is killed there.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "torture.h"

enum { THREADS = 2 };

static atomic_bool stop;

static void *work(void *argument)
{
	struct torture_user *user = argument;

	while (!atomic_load_explicit(&stop, memory_order_relaxed))
		torture_step(user);
	torture_let_go(user);
	return NULL;
}

/* What the child does; `repair` is stackdepot_fork_child(). */
static _Noreturn void child(struct stackdepot *depot, const struct torture_shape *shape,
			    uint64_t seed, bool repair)
{
	static struct torture_user user;
	unsigned int i;

	if (repair) {
		(void)stackdepot_fork_child(depot);
		TORTURE_CHECK(!stackdepot_check(depot));
	}
	(void)torture_read_all(depot, shape);
	user = (struct torture_user){
		.depot = depot, .shape = shape, .random = seed, .most_held = 4};
	for (i = 0; i < 500; i++)
		torture_step(&user);
	torture_let_go(&user);
	(void)torture_read_all(depot, shape);
	_exit(0);
}

static void wait_for(pid_t pid, bool killed)
{
	int status;

	TORTURE_CHECK(waitpid(pid, &status, 0) == pid);
	TORTURE_CHECK((killed && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ||
		      (WIFEXITED(status) && !WEXITSTATUS(status)));
}

/* Returns the number of children. */
static unsigned int forks(const struct torture_shape *shape, const char *path, uint64_t seed,
			  double until)
{
	static struct torture_user users[THREADS];
	struct stackdepot *depot = torture_create(shape, path);
	pthread_t threads[THREADS];
	unsigned int i, nr;

	atomic_store(&stop, false);
	for (i = 0; i < THREADS; i++) {
		users[i] = (struct torture_user){.depot = depot, .shape = shape};
		users[i].random = seed + i * 1000003;
		users[i].most_held = 2;
		TORTURE_CHECK(!pthread_create(&threads[i], NULL, work, &users[i]));
	}
	for (nr = 0; torture_now() < until; nr++) {
		bool killed = path && nr % 2;
		pid_t pid = fork();

		TORTURE_CHECK(pid >= 0);
		if (!pid)
			child(depot, shape, seed + nr, !path && nr % 4);
		if (killed) {
			(void)usleep((useconds_t)(trace_mix(seed + nr) % 1000));
			(void)kill(pid, SIGKILL);
		}
		wait_for(pid, killed);
	}
	atomic_store(&stop, true);
	for (i = 0; i < THREADS; i++)
		TORTURE_CHECK(!pthread_join(threads[i], NULL));
	(void)torture_read_all(depot, shape);
	/* Who was killed in a shared depot took with him what he held, and lines half done. */
	if (!path)
		torture_check_quiet(depot, shape);
	stackdepot_destroy(depot);
	return nr;
}

int main(int argc, char **argv)
{
	struct torture_options options = torture_options(argc, argv, 8);
	char path[] = "/tmp/stackdepot-forks-XXXXXX";
	const struct torture_shape *shape;
	double end = torture_now() + options.seconds;
	uint64_t round = 0;
	unsigned int children = 0;

	TORTURE_CHECK(mkstemp(path) >= 0);
	do {
		for (shape = torture_shapes; shape->name; shape++) {
			children += forks(shape, NULL, options.seed + round++, torture_now() + 0.4);
			/* In the tiny ones what the killed hold would soon be everything. */
			if (shape->lines < 100)
				continue;
			(void)unlink(path);
			children += forks(shape, path, options.seed + round++, torture_now() + 0.8);
		}
	} while (torture_now() < end);
	(void)unlink(path);
	printf("%u children; no wrong trace\n", children);
	return 0;
}
