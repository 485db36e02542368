/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* options.c - how command lines are read. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/complain.h"
#include "base/memory.h"
#include "base/status.h"
#include "options.h"
#include "suppress/suppress.h"
#include "text/number.h"

#define STACKS_SHOWN 10
#define FRAMES_SHOWN 24

int options_complain(const struct command *command, const char *format, ...)
{
	const char *name = command ? command->name : "";
	va_list list;
	char *text;

	va_start(list, format);
	text = memory_print_list(format, list);
	va_end(list);
	complain("%s%s%s; stackdepot %s%s--help says more", name, command ? ": " : "", text, name,
		 command ? " " : "");
	free(text);
	return STATUS_FAILED;
}

bool options_percent(const char *text, uint64_t *ret_thousandths)
{
	double percent;

	if (!options_number(text, &percent) || percent < 0.001 || percent > 100)
		return false;
	*ret_thousandths = (uint64_t)(percent * 1000 + 0.5);
	return true;
}

bool options_mode(const char *text, enum stackdepot_mode *ret_mode, uint64_t *ret_value)
{
	*ret_value = 0;
	if (!strncmp(text, "sample=", 7)) {
		*ret_mode = STACKDEPOT_MODE_SAMPLE;
		return number_bytes(text + 7, ret_value) && *ret_value;
	}
	if (!strncmp(text, "overhead=", 9)) {
		*ret_mode = STACKDEPOT_MODE_OVERHEAD;
		return options_percent(text + 9, ret_value);
	}
	*ret_mode = !strcmp(text, "off") ? STACKDEPOT_MODE_OFF : STACKDEPOT_MODE_FULL;
	return !strcmp(text, "off") || !strcmp(text, "full");
}

bool options_number(const char *text, double *ret_number)
{
	char *end;

	*ret_number = strtod(text, &end);
	return end != text && !*end && *ret_number > 0 && *ret_number < 1e9;
}

void options_report(struct report *report)
{
	report->limit = STACKS_SHOWN;
	report->style.frame_limit = FRAMES_SHOWN;
	report->style.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
}

static enum option_status options_limit(struct report *report, const char *value)
{
	double number;

	if (!options_number(value, &number) || number < 1)
		return OPTION_BAD_VALUE;
	report->limit = (size_t)number;
	return OPTION_GOOD;
}

static enum option_status options_take(const struct options *options, int option, const char *value)
{
	switch (option) {
	case OPTION_ALL:
		options->report->limit = options->report->style.frame_limit = SIZE_MAX;
		return OPTION_GOOD;
	case OPTION_LIMIT:
		return options_limit(options->report, value);
	case OPTION_JSON:
		options->report->json = true;
		return OPTION_GOOD;
	case OPTION_PROCESS:
		options->targets->process = value;
		return *value ? OPTION_GOOD : OPTION_BAD_VALUE;
	case OPTION_PEAK:
		options->targets->peak = TARGETS_PEAK;
		return OPTION_GOOD;
	case OPTION_PEAK_OF_INTERVAL:
		options->targets->peak = TARGETS_PEAK_OF_INTERVAL;
		return options_number(value, &options->targets->interval) ? OPTION_GOOD
									  : OPTION_BAD_VALUE;
	case OPTION_SUPPRESSIONS:
		return suppress_read(options->suppress, value) ? OPTION_GOOD : OPTION_COMPLAINED;
	case OPTION_NO_DEFAULT:
		return OPTION_GOOD;
	case OPTION_HELP:
		command_print_usage(options->command);
		exit(STATUS_CLEAN);
	}
	return options->take(options->context, option, value);
}

/* --- for getopt_long() ------------------------------------------------------------------------ */

struct options_list {
	struct option *longs;
	char letters[64];
};

static size_t options_count(const struct command_option *option)
{
	size_t nr = 0;

	while (option[nr].name)
		nr++;
	return nr;
}

static void options_make(const struct options *options, struct options_list *ret_list)
{
	const struct command_option *from = options->command->options;
	size_t i, nr = options_count(from);
	char *letter = ret_list->letters;

	ret_list->longs = memory_alloc((nr + 2) * sizeof(*ret_list->longs));
	if (options->program)
		*letter++ = '+';
	*letter++ = ':'; /* a value that is missing is told from an unknown option */
	for (i = 0; i < nr; i++) {
		ret_list->longs[i] =
			(struct option){from[i].name, from[i].value ? 1 : 0, NULL, from[i].number};
		if (from[i].number >= 256)
			continue;
		*letter++ = (char)from[i].number;
		if (from[i].value)
			*letter++ = ':';
	}
	ret_list->longs[nr] = (struct option){"help", no_argument, NULL, OPTION_HELP};
	*letter = '\0';
}

static const char *options_name(const struct options *options, int option)
{
	const struct command_option *at = options->command->options;

	while (at->name && at->number != option)
		at++;
	return at->name ? at->name : "help";
}

/* WORD is what getopt_long() stopped at. */
static int options_unknown(const struct options *options, int option, const char *word)
{
	if (option == ':')
		return options_complain(options->command, "--%s has no value",
					options_name(options, optopt));
	if (optopt && !strncmp(word, "--", 2))
		return options_complain(options->command, "--%s takes no value",
					options_name(options, optopt));
	if (optopt)
		return options_complain(options->command, "there is no option '-%c'", optopt);
	return options_complain(options->command, "there is no option '%s'", word);
}

static int options_parse_list(const struct options *options, const struct options_list *list,
			      int argc, char **argv)
{
	bool builtin = options->builtin;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, list->letters, list->longs, NULL)) >= 0) {
		enum option_status status;

		if (option == '?' || option == ':')
			return options_unknown(options, option, argv[optind - 1]);
		status = options_take(options, option, optarg);
		if (status == OPTION_BAD_VALUE)
			return options_complain(options->command, "--%s cannot be '%s'",
						options_name(options, option), optarg);
		if (status == OPTION_COMPLAINED)
			return STATUS_FAILED;
		builtin &= option != OPTION_NO_DEFAULT;
	}
	if (builtin)
		suppress_add_builtin(options->suppress);
	return 0;
}

int options_parse(const struct options *options, int argc, char **argv)
{
	struct options_list list;
	int status;

	options_make(options, &list);
	status = options_parse_list(options, &list, argc, argv);
	free(list.longs);
	return status;
}
