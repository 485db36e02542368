/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* report.c - `stackdepot report` and `stackdepot stats`: which one, of what, how much of it. */
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "profile/profile.h"
#include "suppress/suppress.h"

struct report_options {
	struct report report;
	struct targets targets;
	double interval;
	unsigned int times;
};

struct report_kind {
	const char *name;
	int (*print)(const struct report *report);
	bool suppressed; /* without what suppressions cover */
};

static const struct report_kind report_kinds[] = {
	{"summary", report_summary, true}, /* the one without a name */
	{"leaks", report_leaks, true},	   {"errors", report_errors, true},
	{"top", report_top, false},	   {"stats", report_stats, false},
};

#define REPORT_KINDS (sizeof(report_kinds) / sizeof(report_kinds[0]))

enum { OPTION_INTERVAL = 256, OPTION_TIMES };

static const struct option report_long[] = {
	OPTIONS_LIMIT,
	OPTIONS_JSON,
	OPTIONS_WHOLE_RUN,
	OPTIONS_SUPPRESSIONS,
	OPTIONS_NO_DEFAULT,
	{"interval", required_argument, NULL, OPTION_INTERVAL},
	{"times", required_argument, NULL, OPTION_TIMES},
	OPTIONS_END,
};

static enum option_status report_option(void *context, int option, const char *value)
{
	struct report_options *options = context;
	double number = 0;

	if (!cli_number(value, &number))
		return OPTION_BAD_VALUE;
	if (option == OPTION_INTERVAL)
		options->interval = number;
	else
		options->times = (unsigned int)number;
	return OPTION_GOOD;
}

/* Options may stand anywhere; what is left from optind on are the kind and the targets. */
static int report_parse(struct report_options *options, int argc, char **argv)
{
	const struct options parse = {
		.list = report_long,
		.letters = "",
		.take = report_option,
		.context = options,
		.report = &options->report,
		.targets = &options->targets,
		.suppress = options->report.suppress,
		.builtin = true,
	};

	options_report(&options->report);
	options->interval = 10;
	options->times = 3;
	return options_parse(&parse, argc, argv);
}

/* --- the other stores of the run ---------------------------------------------------------------
 */

static const struct profile_process *report_largest(const struct profile *profile)
{
	const struct profile_process *largest = &profile->processes[0];
	size_t i;

	for (i = 1; i < profile->nr_processes; i++)
		if (profile->processes[i].live.bytes > largest->live.bytes)
			largest = &profile->processes[i];
	return largest;
}

static void report_print_others(const struct profile *profile)
{
	const struct profile_process *largest = report_largest(profile);
	char bytes[TEXT_BYTES], number[TEXT_NUMBER];
	const char *first = profile->processes[0].path;

	printf("\n%s of this run, named ",
	       text_number((double)profile->nr_processes - 1, "more store", number));
	text_name(stdout, first);
	fputs(" and ", stdout);
	text_name(stdout, first);
	fputs(".*; ", stdout);
	text_name(stdout, largest->path);
	printf(" has the most live, %s.\n--whole-run takes all of them together.\n",
	       text_bytes(largest->live.bytes, bytes));
}

/* Of a report on one store: are there others, and is this the one to look at? */
static void report_others(const struct report *report)
{
	const struct targets run = {.names = (char *[]){report->profile->processes[0].path},
				    .nr = 1,
				    .whole_run = true,
				    .quiet = true};
	struct profile *profile = NULL;
	struct stores stores;

	stores_of_run(run.names[0], &stores);
	if (stores.nr > 1)
		profile = profile_open(&run, report->suppress);
	if (profile && profile->nr_processes > 1)
		report_print_others(profile);
	profile_close(profile);
	stores_free(&stores);
}

/* --- what is reported --------------------------------------------------------------------------
 */

static int report_stores(struct report_options *options, const struct report_kind *kind)
{
	struct report *report = &options->report;
	struct profile *profile =
		profile_open(&options->targets, kind->suppressed ? report->suppress : NULL);
	int status;

	if (!profile)
		return CLI_USAGE;
	report->profile = profile;
	status = kind->print(report);
	if (status != CLI_USAGE && !report->json && profile->nr_processes == 1)
		report_others(report);
	profile_close(profile);
	return status;
}

static int report_growth_of(struct report_options *options, char *later)
{
	if (!later)
		return report_growth_watch(&options->report, &options->targets, options->interval,
					   options->times);
	if (options->targets.whole_run)
		return cli_usage("growth of a whole run is watched, or found by diff; one FILE");
	return report_growth(&options->report, &options->targets, later);
}

static const struct report_kind *report_find(const char *name)
{
	size_t i;

	for (i = 0; i < REPORT_KINDS; i++)
		if (!strcmp(name, report_kinds[i].name))
			return &report_kinds[i];
	return NULL;
}

static bool report_is_target(const char *word)
{
	return !access(word, F_OK) || !word[strspn(word, "0123456789")];
}

/* The first of WORDS may be a kind, if it is not alone; the others are stores. */
static int report_of(struct report_options *options, int nr, char **words)
{
	const struct report_kind *kind = nr > 1 ? report_find(words[0]) : NULL;
	bool is_growth = nr > 1 && !strcmp(words[0], "growth"), has_kind = kind || is_growth;

	options->targets.names = words + has_kind;
	options->targets.nr = (size_t)(nr - has_kind);
	if (!nr)
		return cli_usage("report of what? FILE or PID is missing");
	if (nr > 1 && !has_kind && !report_is_target(words[0]))
		return cli_usage("there is no report '%s'", words[0]);
	if (!is_growth)
		return report_stores(options, kind ? kind : &report_kinds[0]);
	if (nr > 3)
		return cli_usage("growth of what? one FILE or PID, or FILE and LATER");
	options->targets.nr = 1;
	return report_growth_of(options, nr == 3 ? words[2] : NULL);
}

static int report_main(int argc, char **argv, bool stats_only)
{
	struct report_options options = {.report.suppress = suppress_open()};
	int status = report_parse(&options, argc, argv);

	if (!status && stats_only) {
		options.targets.names = argv + optind;
		options.targets.nr = (size_t)(argc - optind);
		status = argc > optind ? report_stores(&options, report_find("stats"))
				       : cli_usage("stats of what? FILE or PID is missing");
	} else if (!status) {
		status = report_of(&options, argc - optind, argv + optind);
	}
	suppress_close(options.report.suppress);
	return status;
}

int cli_report(int argc, char **argv)
{
	return report_main(argc, argv, false);
}

int cli_stats(int argc, char **argv)
{
	return report_main(argc, argv, true);
}
