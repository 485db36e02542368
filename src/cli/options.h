/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* options.h - command lines: how they are read, and the options that sub-commands share. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <getopt.h>
#include <stdint.h>

#include "command.h"
#include "profile/target.h"
#include "report/report.h"

enum {
	OPTION_ALL = 1000,
	OPTION_LIMIT,
	OPTION_JSON,
	OPTION_PROCESS,
	OPTION_SUPPRESSIONS,
	OPTION_NO_DEFAULT,
	OPTION_PEAK,
	OPTION_PEAK_OF_INTERVAL,
	OPTION_HELP,
};

/* For the lists of those who have them. */
/* clang-format off */
#define OPTIONS_LIMIT \
	{"all", NULL, OPTION_ALL, "all stacks and frames, not the first ones", true}, \
	{"limit", "N", OPTION_LIMIT, "so many stacks (10; top: 20)", true}
#define OPTIONS_JSON \
	{"json", NULL, OPTION_JSON, "for programs", true}
#define OPTIONS_PROCESS \
	{"process", "PID|NAME", OPTION_PROCESS, \
	 "not the whole run: this process, or those of this program", true}
#define OPTIONS_PEAK \
	{"peak", NULL, OPTION_PEAK, \
	 "what was live at the highest point of each process, not what is", true}, \
	{"peak-of-interval", "SECONDS", OPTION_PEAK_OF_INTERVAL, \
	 "the same of the next so many seconds", true}
#define OPTIONS_SUPPRESSIONS \
	{"suppressions", "FILE", OPTION_SUPPRESSIONS, \
	 "leaks and errors that do not count, as LeakSanitizer's", true}
#define OPTIONS_NO_DEFAULT \
	{"no-default-suppressions", NULL, OPTION_NO_DEFAULT, \
	 "show what libraries keep on purpose, too", true}
#define OPTIONS_END {NULL, NULL, 0, NULL, false}
/* clang-format on */

/* What became of an option: good, a value it cannot have, or more was wrong and was said. */
enum option_status { OPTION_GOOD, OPTION_BAD_VALUE, OPTION_COMPLAINED };

struct suppress;

struct options {
	const struct command *command;
	bool program; /* the first word that is no option ends them */
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

/* What is wrong, and where help is found; returns STATUS_FAILED. COMMAND may be NULL. */
int options_complain(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* "full", "off", "sample=64K" and "overhead=0.5": the mode and its value, see store.h. */
bool options_mode(const char *text, enum stackdepot_mode *ret_mode, uint64_t *ret_value);
/* "0.5", of a hundred, in thousandths: 1 to 100,000. */
bool options_percent(const char *text, uint64_t *ret_thousandths);
/* A number above 0 and below 10^9. */
bool options_number(const char *text, double *ret_number);

#endif
