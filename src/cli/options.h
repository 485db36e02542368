/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* options.h - command lines: how they are read, and the options that sub-commands share. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <getopt.h>

#include "cli.h"

enum {
	OPTION_ALL = 1000,
	OPTION_LIMIT,
	OPTION_JSON,
	OPTION_WHOLE_RUN,
	OPTION_SUPPRESSIONS,
	OPTION_NO_DEFAULT,
};

/* For the lists of those who have them. */
/* clang-format off */
#define OPTIONS_LIMIT {"all", no_argument, NULL, OPTION_ALL}, \
		      {"limit", required_argument, NULL, OPTION_LIMIT}
#define OPTIONS_JSON {"json", no_argument, NULL, OPTION_JSON}
#define OPTIONS_WHOLE_RUN {"whole-run", no_argument, NULL, OPTION_WHOLE_RUN}
#define OPTIONS_SUPPRESSIONS {"suppressions", required_argument, NULL, OPTION_SUPPRESSIONS}
#define OPTIONS_NO_DEFAULT {"no-default-suppressions", no_argument, NULL, OPTION_NO_DEFAULT}
#define OPTIONS_END {NULL, 0, NULL, 0}
/* clang-format on */

/* What became of an option: good, a value it cannot have, or more was wrong and was said. */
enum option_status { OPTION_GOOD, OPTION_BAD_VALUE, OPTION_COMPLAINED };

struct options {
	const struct option *list;
	const char *letters; /* as getopt(3) has them */
	/* Of options that are not shared. */
	enum option_status (*take)(void *context, int option, const char *value);
	void *context;

	/* Where shared ones go; NULL for those that are not in the list. */
	struct report *report;
	struct targets *targets;
	struct suppress *suppress;
	bool builtin; /* add the built-in suppressions, unless the command line says not to */
};

/* Ten stacks, 24 frames of each, colours on a terminal; before options change that. */
void options_report(struct report *report);
/* 0 with what is left from optind on, or an exit status after a complaint. */
int options_parse(const struct options *options, int argc, char **argv);

#endif
