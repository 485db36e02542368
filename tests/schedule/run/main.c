/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * main.c - explore the scenarios of a run and say how many interleavings there were.
 *
 *	schedule-run [--long] [--bound N] [--only TEXT] [--list]
 *
 * --long    one preemption more than by default
 * --bound   this many, in every scenario
 * --only    scenarios with this text in their names; may be given more than once
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "run.h"

#define MAX_ONLY 64u

struct arguments {
	const char *only[MAX_ONLY];
	unsigned int nr_only;
	unsigned int more; /* preemptions */
	int bound;	   /* -1: the scenario's own */
	bool list;
};

static double now_seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool parse(int nr, char **words, struct arguments *arguments)
{
	int i;

	for (i = 1; i < nr; i++) {
		if (!strcmp(words[i], "--long"))
			arguments->more = 1;
		else if (!strcmp(words[i], "--list"))
			arguments->list = true;
		else if (!strcmp(words[i], "--bound") && i + 1 < nr)
			arguments->bound = atoi(words[++i]);
		else if (!strcmp(words[i], "--only") && i + 1 < nr && arguments->nr_only < MAX_ONLY)
			arguments->only[arguments->nr_only++] = words[++i];
		else
			return false;
	}
	return true;
}

static bool wanted(const struct arguments *arguments, const char *name)
{
	unsigned int i;

	for (i = 0; i < arguments->nr_only; i++)
		if (strstr(name, arguments->only[i]))
			return true;
	return !arguments->nr_only;
}

static unsigned long run_scenario(const struct run_scenario *scenario,
				  const struct arguments *arguments)
{
	const unsigned int bound = arguments->bound >= 0 ? (unsigned int)arguments->bound
							 : scenario->bound + arguments->more;
	const double start = now_seconds();
	unsigned long nr;

	if (arguments->list) {
		(void)printf("%s\n", scenario->name);
		return 0;
	}
	nr = run_explore(scenario, bound);
	(void)printf("ok  %-42s %u preemptions, %u killed  %8lu interleavings  %5.1f s\n",
		     scenario->name, bound, scenario->kills, nr, now_seconds() - start);
	(void)fflush(stdout);
	return nr;
}

int main(int nr, char **words)
{
	struct arguments arguments = {.bound = -1};
	const double start = now_seconds();
	const struct run_scenario *scenario;
	unsigned long interleavings = 0;
	unsigned int scenarios = 0;

	if (!parse(nr, words, &arguments)) {
		(void)fprintf(stderr, "usage: %s [--long] [--bound N] [--only TEXT] [--list]\n",
			      words[0]);
		return 2;
	}
	for (scenario = run_scenarios; scenario->name; scenario++) {
		if (!wanted(&arguments, scenario->name))
			continue;
		scenarios++;
		interleavings += run_scenario(scenario, &arguments);
	}
	if (arguments.list)
		return 0;
	(void)printf("%u scenarios, %lu interleavings, all as they should be, %.1f s\n", scenarios,
		     interleavings, now_seconds() - start);
	/* A run of nothing shows nothing. */
	return scenarios ? 0 : 2;
}
