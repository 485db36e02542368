/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* diff.c - `stackdepot diff A B`: what grew from one store to another, and what shrank. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "flame/flame.h"
#include "options.h"
#include "report/diff.h"
#include "suppress/suppress.h"
#include "text/number.h"

struct diff_command {
	struct diff_options options;
	struct targets targets; /* options of both */
	const char *page;	/* for the browser, or NULL */
};

enum { DIFF_FAIL = 256, DIFF_FLAME };

static const struct command_option diff_options[] = {
	{"fail-on-increase", "BYTES|PERCENT%", DIFF_FAIL, "status 1 for growth beyond that", false},
	{"flame", "OUT.html", DIFF_FLAME, "also as a page to look at", false},
	OPTIONS_LIMIT,
	OPTIONS_JSON,
	OPTIONS_PROCESS,
	OPTIONS_PEAK,
	OPTIONS_SUPPRESSIONS,
	OPTIONS_END,
};

static bool diff_limit(struct diff_command *diff, const char *value)
{
	uint64_t bytes;
	char *end;

	diff->options.has_limit = true;
	if (number_bytes(value, &bytes)) {
		diff->options.limit = (double)bytes;
		return true;
	}
	diff->options.is_percent = true;
	diff->options.limit = strtod(value, &end);
	return end != value && !strcmp(end, "%") && diff->options.limit >= 0 &&
	       diff->options.limit < 1e9;
}

static enum option_status diff_option(void *context, int option, const char *value)
{
	struct diff_command *diff = context;

	if (option == DIFF_FAIL)
		return diff_limit(diff, value) ? OPTION_GOOD : OPTION_BAD_VALUE;
	diff->page = value;
	return strcmp(value, "-") ? OPTION_GOOD : OPTION_BAD_VALUE; /* there goes the text */
}

/* 0, or an exit status after a complaint. */
static int diff_parse(struct diff_command *diff, int argc, char **argv)
{
	const struct options parse = {
		.command = &command_diff,
		.take = diff_option,
		.context = diff,
		.report = &diff->options.report,
		.targets = &diff->targets,
		.suppress = diff->options.report.suppress,
	};
	int status;

	options_report(&diff->options.report);
	status = options_parse(&parse, argc, argv);
	if (!status && argc - optind != 2)
		return options_complain(&command_diff, "of what? two, each FILE or PID");
	return status;
}

/* BEFORE, unless it is NULL, is what it is compared with. */
static struct profile *diff_open(const struct diff_command *diff, char *name,
				 const struct profile *before)
{
	struct targets targets = diff->targets;

	targets.names = &name;
	targets.nr = 1;
	targets.symbols = before ? before->symbols : NULL;
	return profile_open(&targets, suppress_filter(diff->options.report.suppress));
}

static int diff_profiles(const struct diff_command *diff, const struct profile *before,
			 const struct profile *after)
{
	const struct flame_options page = {.before = before};

	if (diff->page && flame_write(diff->page, after, &page))
		return STATUS_FAILED;
	return report_diff(&diff->options, before, after);
}

static int diff_targets(const struct diff_command *diff, char **names)
{
	struct profile *before = diff_open(diff, names[0], NULL), *after = NULL;
	int status = STATUS_FAILED;

	if (before)
		after = diff_open(diff, names[1], before);
	if (after)
		status = diff_profiles(diff, before, after);
	if (status != STATUS_FAILED)
		suppress_print(stderr, diff->options.report.suppress, SUPPRESS_LEAK);
	profile_close(before);
	profile_close(after);
	return status;
}

static int diff_run(int argc, char **argv)
{
	struct diff_command diff = {.options.report.suppress = suppress_open()};
	int status = diff_parse(&diff, argc, argv);

	if (!status)
		status = diff_targets(&diff, argv + optind);
	suppress_close(diff.options.report.suppress);
	return status;
}

const struct command command_diff = {
	.name = "diff",
	.usage = {"diff [OPTION]... A B\twhat grew, and what shrank"},
	.options = diff_options,
	.run = diff_run,
};
