/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* top.c - `stackdepot top`: what a process allocates while it does. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/status.h"
#include "options.h"
#include "top/batch.h"
#include "top/rows.h"
#include "top/screen.h"

#define ROWS_PRINTED 20
#define MIN_INTERVAL 0.1

enum { TOP_INTERVAL = 256, TOP_TIMES, TOP_SORT, TOP_FILTER, TOP_BATCH };

static const struct command_option top_options[] = {
	{"interval", "SECONDS", TOP_INTERVAL, "between looks (2)", false},
	{"times", "N", TOP_TIMES, "so many looks", false},
	{"sort", "ORDER", TOP_SORT, "live, objects, growth, alloc or count", false},
	{"filter", "TEXT", TOP_FILTER, "in a function, file or module", false},
	{"batch", NULL, TOP_BATCH, "print instead, for scripts", false},
	OPTIONS_LIMIT,
	OPTIONS_PROCESS,
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

	if (!options_number(value, &number) || number < 1)
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
		good = options_number(value, &top->interval) && top->interval >= MIN_INTERVAL;
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
	struct report report = {.limit = ROWS_PRINTED};
	const struct options parse = {
		.command = &command_top,
		.take = top_option,
		.context = top,
		.report = &report,
		.targets = targets,
	};
	int status;

	top->interval = 2;
	top->batch = !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO);
	status = options_parse(&parse, argc, argv);
	top->limit = report.limit;
	/* One row is a line; on the screen a stack is shown whole. */
	top->style.frame_limit = SIZE_MAX;
	targets->names = argv + optind;
	targets->nr = (size_t)(argc - optind);
	if (!status && !targets->nr)
		return options_complain(&command_top, "of what? FILE or PID is missing");
	return status;
}

static int top_run(int argc, char **argv)
{
	struct targets targets = {0};
	struct top top = {0};
	int status = top_parse(&top, &targets, argc, argv);

	if (status)
		return status;
	top.profile = profile_open(&targets, NULL);
	if (!top.profile)
		return STATUS_FAILED;
	top.profile->running_only = true;
	status = STATUS_FAILED;
	if (top_look(&top))
		status = top.batch ? top_batch(&top) : top_screen(&top);
	top_free(&top);
	return status;
}

const struct command command_top = {
	.name = "top",
	.usage = {"top [OPTION]... FILE|PID...\tlive, on the terminal"},
	.options = top_options,
	.run = top_run,
};
