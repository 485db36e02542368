/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * main.c - explore the scenarios and say how many interleavings there were.
 *
 *	schedule [--long] [--bound N] [--only TEXT] [--list]
 *
 * --long    one preemption more than by default
 * --bound   this many, in every scenario
 * --only    scenarios with this text in their names; may be given more than once
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "world.h"

#define MAX_ONLY 64u

struct arguments {
	const char *only[MAX_ONLY];
	unsigned int nr_only;
	unsigned int more; /* preemptions */
	unsigned int bound;
	bool has_bound;
	bool list;
};

struct totals {
	unsigned int scenarios;
	unsigned long interleavings;
};

static double now_seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool wanted(const struct arguments *arguments, const char *name)
{
	unsigned int i;

	for (i = 0; i < arguments->nr_only; i++)
		if (strstr(name, arguments->only[i]))
			return true;
	return !arguments->nr_only;
}

static void run_scenario(const struct scenario *scenario, unsigned int bound, struct totals *totals)
{
	const double start = now_seconds();
	unsigned long plain, late = 0;

	plain = world_explore(scenario, bound, false);
	if (!(scenario->flags & NO_LATE))
		late = world_explore(scenario, bound, true);
	totals->scenarios++;
	totals->interleavings += plain + late;
	(void)printf(
		"ok  %-42s %u preemptions  %8lu interleavings  %8lu with late stores  %5.1f s\n",
		scenario->name, bound, plain, late, now_seconds() - start);
	(void)fflush(stdout);
}

static void run_scenarios(const struct arguments *arguments, const struct scenario *scenario,
			  struct totals *totals)
{
	for (; scenario->name; scenario++) {
		if (!wanted(arguments, scenario->name))
			continue;
		if (arguments->list)
			(void)printf("%s\n", scenario->name);
		else
			run_scenario(scenario,
				     arguments->has_bound ? arguments->bound
							  : scenario->bound + arguments->more,
				     totals);
	}
}

static bool parse(int nr, char **words, struct arguments *arguments)
{
	int i;

	for (i = 1; i < nr; i++) {
		if (!strcmp(words[i], "--long")) {
			arguments->more = 1;
		} else if (!strcmp(words[i], "--list")) {
			arguments->list = true;
		} else if (!strcmp(words[i], "--bound") && i + 1 < nr) {
			arguments->bound = (unsigned int)strtoul(words[++i], NULL, 10);
			arguments->has_bound = true;
		} else if (!strcmp(words[i], "--only") && i + 1 < nr &&
			   arguments->nr_only < MAX_ONLY) {
			arguments->only[arguments->nr_only++] = words[++i];
		} else {
			return false;
		}
	}
	return true;
}

int main(int nr, char **words)
{
	struct arguments arguments = {.nr_only = 0};
	struct totals totals = {0, 0};
	const double start = now_seconds();

	if (!parse(nr, words, &arguments)) {
		(void)fprintf(stderr, "usage: %s [--long] [--bound N] [--only TEXT] [--list]\n",
			      words[0]);
		return 2;
	}
	run_scenarios(&arguments, scenarios_again, &totals);
	run_scenarios(&arguments, scenarios_lines, &totals);
	run_scenarios(&arguments, scenarios_mixed, &totals);
	run_scenarios(&arguments, scenarios_nested, &totals);
	run_scenarios(&arguments, scenarios_ring, &totals);
	if (arguments.list)
		return 0;
	(void)printf("%u scenarios, %lu interleavings, all as they should be, %.1f s\n",
		     totals.scenarios, totals.interleavings, now_seconds() - start);
	/* A run of nothing shows nothing. */
	return totals.scenarios ? 0 : 2;
}
