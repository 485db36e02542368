/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * property - random operations on a depot and on a naive model of it, compared at every step.
 *
 *	property [--shape NAME] [--seed N] [--ops N]
 *
 * Without --shape all of them. What differs is printed with the seed that shows it again.
 */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void run(const struct model_shape *shape, uint64_t seed, uint64_t operations)
{
	struct choices choices = {.random = seed, .endless = true};
	struct stackdepot_stats stats;
	struct model model;

	model_init(&model, shape, &choices, seed);
	while (operations--)
		model_step(&model);
	stackdepot_get_stats(model.depot, &stats);
	printf("%-12s seed %llu: %llu saved, %llu evicted, %llu leases broken, %llu refused\n",
	       shape->name, (unsigned long long)seed, (unsigned long long)stats.saved,
	       (unsigned long long)stats.evictions, (unsigned long long)stats.leases_broken,
	       (unsigned long long)(stats.drops_pinned + stats.drops_no_evict));
	(void)fflush(stdout);
	model_finish(&model);
}

static int usage(const char *program)
{
	fprintf(stderr, "usage: %s [--shape NAME] [--seed N] [--ops N]\n", program);
	return 2;
}

int main(int argc, char **argv)
{
	const struct model_shape *shape;
	const char *name = NULL;
	uint64_t seed = (uint64_t)time(NULL), operations = 100000;
	int i;

	for (i = 1; i < argc; i++) {
		if (i + 1 == argc)
			return usage(argv[0]);
		if (!strcmp(argv[i], "--shape"))
			name = argv[++i];
		else if (!strcmp(argv[i], "--seed"))
			seed = strtoull(argv[++i], NULL, 0);
		else if (!strcmp(argv[i], "--ops"))
			operations = strtoull(argv[++i], NULL, 0);
		else
			return usage(argv[0]);
	}
	for (shape = model_shapes; shape->name; shape++)
		if (!name || !strcmp(name, shape->name))
			run(shape, seed, operations);
	return 0;
}
