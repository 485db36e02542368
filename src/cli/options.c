/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* options.c - how command lines are read. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <unistd.h>

#include "options.h"
#include "suppress/suppress.h"

#define STACKS_SHOWN 10
#define FRAMES_SHOWN 24

void options_report(struct report *report)
{
	report->limit = STACKS_SHOWN;
	report->frame_limit = FRAMES_SHOWN;
	report->colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
}

static enum option_status options_limit(struct report *report, const char *value)
{
	double number;

	if (!cli_number(value, &number) || number < 1)
		return OPTION_BAD_VALUE;
	report->limit = (size_t)number;
	return OPTION_GOOD;
}

static enum option_status options_take(const struct options *options, int option, const char *value)
{
	switch (option) {
	case OPTION_ALL:
		options->report->limit = options->report->frame_limit = SIZE_MAX;
		return OPTION_GOOD;
	case OPTION_LIMIT:
		return options_limit(options->report, value);
	case OPTION_JSON:
		options->report->json = true;
		return OPTION_GOOD;
	case OPTION_WHOLE_RUN:
		options->targets->whole_run = true;
		return OPTION_GOOD;
	case OPTION_SUPPRESSIONS:
		return suppress_read(options->suppress, value) ? OPTION_GOOD : OPTION_COMPLAINED;
	case OPTION_NO_DEFAULT:
		return OPTION_GOOD;
	}
	return options->take(options->context, option, value);
}

static int options_complain(const struct options *options, int option, const char *value)
{
	const struct option *at = options->list;

	while (at->name && at->val != option)
		at++;
	return cli_usage("--%s cannot be '%s'", at->name, value);
}

int options_parse(const struct options *options, int argc, char **argv)
{
	bool builtin = options->builtin;
	int option;

	while ((option = getopt_long(argc, argv, options->letters, options->list, NULL)) >= 0) {
		enum option_status status =
			option == '?' ? OPTION_COMPLAINED : options_take(options, option, optarg);

		if (status == OPTION_BAD_VALUE)
			return options_complain(options, option, optarg);
		if (status == OPTION_COMPLAINED)
			return CLI_USAGE;
		builtin &= option != OPTION_NO_DEFAULT;
	}
	if (builtin)
		suppress_add_builtin(options->suppress);
	return 0;
}
