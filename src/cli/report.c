/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* report.c - `stackdepot report` and `stackdepot stats`: which one, of what, how much of it. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/status.h"
#include "options.h"
#include "report/growth.h"
#include "report/report.h"
#include "suppress/suppress.h"
#include "text/number.h"
#include "text/text.h"

struct report_command {
	const struct command *command;
	struct report report;
	struct targets targets;
	double interval;
	unsigned int times;
};

struct report_kind {
	const char *name;
	int (*print)(const struct report *report);
	bool suppressed; /* without what suppressions cover */
	bool lost;	 /* looks for lost objects first */
	bool peak;	 /* live is what was at peaks */
	bool mapped;	 /* stacks are of mappings */
};

static const struct report_kind report_kinds[] = {
	{"summary", report_summary, .suppressed = true}, /* the one without a name */
	{"leaks", report_leaks, .suppressed = true},
	{"lost", report_lost, .suppressed = true, .lost = true},
	{"peak", report_peak, .peak = true},
	{"memory", report_memory, .mapped = true},
	{"errors", report_errors, .suppressed = true},
	{"top", .print = report_top},
	{"stats", .print = report_stats},
};

#define REPORT_KINDS (sizeof(report_kinds) / sizeof(report_kinds[0]))

enum { OPTION_INTERVAL = 256, OPTION_TIMES };

static const struct command_option report_options[] = {
	{"interval", "SECONDS", OPTION_INTERVAL, "growth: between looks (10)", false},
	{"times", "N", OPTION_TIMES, "growth: so many looks (3)", false},
	OPTIONS_LIMIT,
	OPTIONS_JSON,
	OPTIONS_PROCESS,
	OPTIONS_PEAK,
	OPTIONS_SUPPRESSIONS,
	OPTIONS_NO_DEFAULT,
	OPTIONS_END,
};

static enum option_status report_option(void *context, int option, const char *value)
{
	struct report_command *options = context;
	double number = 0;

	if (!options_number(value, &number))
		return OPTION_BAD_VALUE;
	if (option == OPTION_INTERVAL)
		options->interval = number;
	else
		options->times = (unsigned int)number;
	return OPTION_GOOD;
}

/* Options may stand anywhere; what is left from optind on are the kind and the targets. */
static int report_parse(struct report_command *options, int argc, char **argv)
{
	const struct options parse = {
		.command = options->command,
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

/* --- what is reported --------------------------------------------------------------------------
 */

static int report_stores(struct report_command *options, const struct report_kind *kind)
{
	struct report *report = &options->report;
	struct profile *profile;
	int status;

	options->targets.lost = kind->lost;
	options->targets.mapped = kind->mapped;
	if (kind->peak && options->targets.peak == TARGETS_NOW)
		options->targets.peak = TARGETS_PEAK;
	profile = profile_open(&options->targets,
			       kind->suppressed ? suppress_filter(report->suppress) : NULL);
	if (!profile)
		return STATUS_FAILED;
	report->profile = profile;
	status = kind->print(report);
	profile_close(profile);
	return status;
}

static int report_growth_of(struct report_command *options, char *later)
{
	if (!later)
		return report_growth_watch(&options->report, &options->targets, options->interval,
					   options->times);
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
static int report_of(struct report_command *options, int nr, char **words)
{
	const struct report_kind *kind = nr > 1 ? report_find(words[0]) : NULL;
	bool is_growth = nr > 1 && !strcmp(words[0], "growth"), has_kind = kind || is_growth;

	options->targets.names = words + has_kind;
	options->targets.nr = (size_t)(nr - has_kind);
	if (!nr)
		return options_complain(options->command, "of what? FILE or PID is missing");
	if (nr > 1 && !has_kind && !report_is_target(words[0]))
		return options_complain(options->command, "there is no report '%s'", words[0]);
	if (!is_growth)
		return report_stores(options, kind ? kind : &report_kinds[0]);
	if (nr > 3)
		return options_complain(options->command,
					"growth of what? one FILE or PID, or FILE and LATER");
	options->targets.nr = 1;
	return report_growth_of(options, nr == 3 ? words[2] : NULL);
}

static int report_run(int argc, char **argv)
{
	struct report_command options = {.command = &command_report,
					 .report.suppress = suppress_open()};
	int status = report_parse(&options, argc, argv);

	if (!status)
		status = report_of(&options, argc - optind, argv + optind);
	suppress_close(options.report.suppress);
	return status;
}

const struct command command_report = {
	.name = "report",
	.usage = {"report [leaks|lost|peak|memory|errors|top|stats] [OPTION]... FILE|PID...\twhat "
		  "was "
		  "recorded",
		  "report growth [OPTION]... FILE|PID [LATER]\twhat grew between two copies of a "
		  "store, "
		  "or looks at a process"},
	.options = report_options,
	.run = report_run,
};
