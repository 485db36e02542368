/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* top.c - `stackdepot top`: what a process allocates while it does. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "top/top.h"

#define ROWS_PRINTED 20
#define MIN_INTERVAL 0.1

enum { TOP_INTERVAL = 256, TOP_TIMES, TOP_SORT, TOP_FILTER, TOP_BATCH };

static const struct option top_long[] = {
	OPTIONS_LIMIT,
	OPTIONS_WHOLE_RUN,
	{"interval", required_argument, NULL, TOP_INTERVAL},
	{"times", required_argument, NULL, TOP_TIMES},
	{"sort", required_argument, NULL, TOP_SORT},
	{"filter", required_argument, NULL, TOP_FILTER},
	{"batch", no_argument, NULL, TOP_BATCH},
	OPTIONS_END,
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

static bool top_times(struct top *top, const char *value)
{
	double number;

	if (!cli_number(value, &number) || number < 1)
		return false;
	top->times = (unsigned int)number;
	return true;
}

static enum option_status top_option(void *context, int option, const char *value)
{
	struct top *top = context;
	bool good = true;

	switch (option) {
	case TOP_INTERVAL:
		good = cli_number(value, &top->interval) && top->interval >= MIN_INTERVAL;
		break;
	case TOP_TIMES:
		good = top_times(top, value);
		break;
	case TOP_SORT:
		good = top_sort(top, value);
		break;
	case TOP_FILTER:
		good = snprintf(top->filter, sizeof(top->filter), "%s", value) <
		       (int)sizeof(top->filter);
		break;
	case TOP_BATCH:
		top->batch = true;
	}
	return good ? OPTION_GOOD : OPTION_BAD_VALUE;
}

/* 0, or an exit status after a complaint. */
static int top_parse(struct top *top, struct targets *targets, int argc, char **argv)
{
	const struct options parse = {
		.list = top_long,
		.letters = "",
		.take = top_option,
		.context = top,
		.report = &top->report,
		.targets = targets,
	};
	int status;

	top->interval = 2;
	top->batch = !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO);
	top->report.limit = ROWS_PRINTED;
	status = options_parse(&parse, argc, argv);
	/* One row is a line; on the screen a stack is shown whole. */
	top->report.frame_limit = SIZE_MAX;
	targets->names = argv + optind;
	targets->nr = (size_t)(argc - optind);
	if (!status && !targets->nr)
		return cli_usage("top of what? FILE or PID is missing");
	return status;
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
		cli_wait(top->interval);
		if (!top_look(top))
			return CLI_USAGE;
	}
}

int cli_top(int argc, char **argv)
{
	struct targets targets = {0};
	struct top top = {0};
	int status = top_parse(&top, &targets, argc, argv);

	if (status)
		return status;
	top.profile = profile_open(&targets, NULL);
	if (!top.profile)
		return CLI_USAGE;
	top.profile->running_only = true;
	top.report.profile = top.profile;
	status = CLI_USAGE;
	if (top_look(&top))
		status = top.batch ? top_batch(&top) : top_screen(&top);
	top_free(&top);
	return status;
}
