/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* top.c - `stackdepot top`: what a process allocates while it does. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "top.h"

#define ROWS_PRINTED 20
#define MIN_INTERVAL 0.1

enum {
	TOP_INTERVAL = 256,
	TOP_TIMES,
	TOP_SORT,
	TOP_FILTER,
	TOP_BATCH,
	TOP_LIMIT,
	TOP_ALL,
};

static const struct option top_long[] = {
	{"interval", required_argument, NULL, TOP_INTERVAL},
	{"times", required_argument, NULL, TOP_TIMES},
	{"sort", required_argument, NULL, TOP_SORT},
	{"filter", required_argument, NULL, TOP_FILTER},
	{"batch", no_argument, NULL, TOP_BATCH},
	{"limit", required_argument, NULL, TOP_LIMIT},
	{"all", no_argument, NULL, TOP_ALL},
	{NULL, 0, NULL, 0},
};

static bool top_sort(struct top *top, const char *name)
{
	size_t i;

	for (i = 0; i < TOP_ORDERS; i++)
		if (!strcmp(name, top_order_names[i])) {
			top->order = (enum top_order)i;
			return true;
		}
	return false;
}

static bool top_option(struct top *top, int option, const char *value, bool *batch)
{
	double number;

	switch (option) {
	case TOP_INTERVAL:
		return cli_number(value, &top->interval) && top->interval >= MIN_INTERVAL;
	case TOP_SORT:
		return top_sort(top, value);
	case TOP_FILTER:
		return snprintf(top->filter, sizeof(top->filter), "%s", value) <
		       (int)sizeof(top->filter);
	case TOP_BATCH:
		return *batch = true;
	case TOP_ALL:
		top->report.limit = SIZE_MAX;
		return true;
	}
	if (!cli_number(value, &number) || number < 1)
		return false;
	if (option == TOP_TIMES)
		top->times = (unsigned int)number;
	else
		top->report.limit = (size_t)number;
	return true;
}

/* 0, or an exit status after a complaint. */
static int top_parse(struct top *top, int argc, char **argv, bool *batch)
{
	int option, index = 0;

	while ((option = getopt_long(argc, argv, "", top_long, &index)) >= 0) {
		if (option == '?')
			return CLI_USAGE;
		if (!top_option(top, option, optarg, batch))
			return cli_usage("--%s cannot be '%s'", top_long[index].name, optarg);
	}
	if (argc - optind != 1)
		return cli_usage("top of what? one FILE or PID");
	return 0;
}

static void top_wait(double seconds)
{
	struct timespec left = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

static void top_print(const struct top *top)
{
	size_t i;

	top_print_header(stdout, top);
	fputs("\n\n", stdout);
	top_print_columns(stdout);
	fputc('\n', stdout);
	for (i = 0; i < top->nr && i < top->report.limit; i++) {
		top_print_row(stdout, top, &top->rows[i]);
		fputc('\n', stdout);
	}
}

/* Until it was printed so many times, or the process has ended. */
static int top_batch(struct top *top)
{
	unsigned int done = 0;

	for (;;) {
		top_print(top);
		if (fflush(stdout)) {
			cli_complain("standard output: %s", strerror(errno));
			return CLI_USAGE;
		}
		if (++done == top->times || top->ended)
			return CLI_CLEAN;
		putchar('\n');
		top_wait(top->interval);
		if (!top_look(top))
			return CLI_USAGE;
	}
}

int cli_top(int argc, char **argv)
{
	struct top top = {.interval = 2};
	bool batch = !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO);
	int status;

	top.report.limit = ROWS_PRINTED;
	top.report.frame_limit = SIZE_MAX;
	status = top_parse(&top, argc, argv, &batch);
	if (status)
		return status;
	top.profile = profile_open(argv[optind]);
	if (!top.profile)
		return CLI_USAGE;
	top.report.store = top.profile->store;
	top.report.symbols = top.profile->symbols;
	status = CLI_USAGE;
	if (top_look(&top))
		status = batch ? top_batch(&top) : top_screen(&top);
	top_free(&top);
	return status;
}
