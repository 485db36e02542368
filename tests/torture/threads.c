/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * threads - several threads do everything at once in a depot far too small for them.
 *
 * In rounds: after each one all references are given back, and the quiet depot must have all its
 * invariants and all its lines.
 */
#include <pthread.h>

#include "torture.h"

enum { THREADS = 4 };

static atomic_bool stop;

static void *work(void *argument)
{
	struct torture_user *user = argument;

	while (!atomic_load_explicit(&stop, memory_order_relaxed))
		torture_step(user);
	torture_let_go(user);
	return NULL;
}

static void round_of(struct stackdepot *depot, const struct torture_shape *shape, uint64_t seed,
		     double until)
{
	static struct torture_user users[THREADS];
	uint64_t operations = 0, refused = 0, stale = 0;
	pthread_t threads[THREADS];
	unsigned int i;

	atomic_store(&stop, false);
	for (i = 0; i < THREADS; i++) {
		users[i] = (struct torture_user){.depot = depot, .shape = shape};
		users[i].random = seed + i * 1000003;
		/* So few that not all lines can be pinned at once, or as many as it takes. */
		users[i].most_held = seed % 2 ? 1 : TORTURE_HELD;
		TORTURE_CHECK(!pthread_create(&threads[i], NULL, work, &users[i]));
	}
	while (torture_now() < until)
		(void)torture_read_all(depot, shape);
	atomic_store(&stop, true);
	for (i = 0; i < THREADS; i++) {
		TORTURE_CHECK(!pthread_join(threads[i], NULL));
		operations += users[i].operations;
		refused += users[i].refused;
		stale += users[i].stale;
	}
	printf("%-10s %8llu operations, %7llu refused, %7llu stale\n", shape->name,
	       (unsigned long long)operations, (unsigned long long)refused,
	       (unsigned long long)stale);
	(void)fflush(stdout);
}

static void print_stats(struct stackdepot *depot)
{
	struct stackdepot_stats stats;

	stackdepot_get_stats(depot, &stats);
	printf("           %8llu saved, %llu evicted, %llu duplicates, %llu leases broken\n",
	       (unsigned long long)stats.saved, (unsigned long long)stats.evictions,
	       (unsigned long long)stats.duplicates, (unsigned long long)stats.leases_broken);
}

int main(int argc, char **argv)
{
	struct torture_options options = torture_options(argc, argv, 10);
	const struct torture_shape *shape;
	double end = torture_now() + options.seconds;
	uint64_t round = 0;

	do {
		for (shape = torture_shapes; shape->name; shape++) {
			struct stackdepot *depot = torture_create(shape, NULL);
			unsigned int i;

			for (i = 0; i < 3; i++) {
				round_of(depot, shape, options.seed + round++, torture_now() + 0.3);
				torture_check_quiet(depot, shape);
			}
			print_stats(depot);
			stackdepot_destroy(depot);
		}
	} while (torture_now() < end);
	printf("no wrong trace\n");
	return 0;
}
