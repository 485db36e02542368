/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* report.c - `stackdepot report` and `stackdepot stats`: which one, of what, how much of it. */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "suppress.h"

#define STACKS_SHOWN 10
#define FRAMES_SHOWN 24

struct report_options {
	struct report report;
	bool no_builtin;
	double interval;
	unsigned int times;
};

enum { OPTION_ALL = 256, OPTION_LIMIT, OPTION_JSON, OPTION_INTERVAL, OPTION_TIMES };

static const struct option report_long[] = {
	{"all", no_argument, NULL, OPTION_ALL},
	{"limit", required_argument, NULL, OPTION_LIMIT},
	{"json", no_argument, NULL, OPTION_JSON},
	{"interval", required_argument, NULL, OPTION_INTERVAL},
	{"times", required_argument, NULL, OPTION_TIMES},
	SUPPRESS_OPTION_FILE,
	SUPPRESS_OPTION_NO_DEFAULT,
	{NULL, 0, NULL, 0},
};

static bool report_option(struct report_options *options, int option, const char *value)
{
	double number = 0;

	switch (option) {
	case OPTION_ALL:
		options->report.limit = options->report.frame_limit = SIZE_MAX;
		return true;
	case OPTION_JSON:
		options->report.json = true;
		return true;
	case OPTION_LIMIT:
		if (!cli_number(value, &number))
			return false;
		options->report.limit = (size_t)number;
		return true;
	case SUPPRESS_NO_DEFAULT:
		return options->no_builtin = true;
	case OPTION_INTERVAL:
		return cli_number(value, &options->interval);
	case OPTION_TIMES:
		if (!cli_number(value, &number))
			return false;
		options->times = (unsigned int)number;
		return true;
	}
	return false;
}

/* Options may stand anywhere; what is left are the kind and the targets. -1: said what is wrong. */
static int report_parse(struct report_options *options, int argc, char **argv)
{
	int option;

	options->report.limit = STACKS_SHOWN;
	options->report.frame_limit = FRAMES_SHOWN;
	options->report.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	options->report.suppress = suppress_open();
	options->interval = 10;
	options->times = 3;
	while ((option = getopt_long(argc, argv, "", report_long, NULL)) >= 0) {
		if (option == '?' ||
		    (option == SUPPRESS_FILE && !suppress_read(options->report.suppress, optarg)))
			return -1;
		if (option == SUPPRESS_FILE)
			continue;
		if (!report_option(options, option, optarg)) {
			cli_complain("'%s' is not a number that can be used here", optarg);
			return -1;
		}
	}
	if (!options->no_builtin)
		suppress_add_builtin(options->report.suppress);
	return optind;
}

static int report_kind(const struct report *report, const char *kind)
{
	static const struct {
		const char *name;
		int (*print)(const struct report *report);
	} kinds[] = {
		{"leaks", report_leaks}, {"top", report_top},	      {"errors", report_errors},
		{"stats", report_stats}, {"summary", report_summary},
	};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kind, kinds[i].name))
			return kinds[i].print(report);
	return cli_usage("there is no report '%s'", kind);
}

static int report_target(struct report *report, const char *kind, const char *target)
{
	int status;

	report->store = target_open(target);
	if (!report->store)
		return CLI_USAGE;
	stackdepot_store_get_info(report->store, &report->info);
	report->symbols = symbols_open(report->store);
	suppress_use(report->suppress, report->store, report->symbols);
	status = report_kind(report, kind);
	if (status != CLI_USAGE && !report->json)
		stores_print_others(target);
	symbols_close(report->symbols);
	stackdepot_store_close(report->store);
	return status;
}

static int report_growth_of(const struct report_options *options, const char *target,
			    const char *later)
{
	if (later)
		return report_growth(&options->report, target, later);
	return report_growth_watch(&options->report, target, options->interval, options->times);
}

/* ARGV is what is left behind the options. */
static int report_of(struct report_options *options, int left, char **argv)
{
	bool is_growth;

	if (left < 1)
		return cli_usage("report of what? FILE or PID is missing");
	if (left == 1)
		return report_target(&options->report, "summary", argv[0]);
	is_growth = !strcmp(argv[0], "growth");
	if (left > 2 + is_growth)
		return cli_usage("too many arguments, from '%s' on", argv[2 + is_growth]);
	if (is_growth)
		return report_growth_of(options, argv[1], argv[2]);
	return report_target(&options->report, argv[0], argv[1]);
}

int cli_report(int argc, char **argv)
{
	struct report_options options = {0};
	int first = report_parse(&options, argc, argv), status = CLI_USAGE;

	if (first >= 0)
		status = report_of(&options, argc - first, argv + first);
	suppress_close(options.report.suppress);
	return status;
}

int cli_stats(int argc, char **argv)
{
	struct report_options options = {0};
	int first = report_parse(&options, argc, argv), status = CLI_USAGE;

	if (first >= 0 && argc - first != 1)
		status = cli_usage("stats of what? one FILE or PID");
	else if (first >= 0)
		status = report_target(&options.report, "stats", argv[first]);
	suppress_close(options.report.suppress);
	return status;
}
