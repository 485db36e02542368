/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* export.c - `stackdepot export`: a store in the formats that other tools read. */
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

#include "base/status.h"
#include "export/format.h"
#include "options.h"
#include "suppress/suppress.h"
#include "text/output.h"

struct export_options {
	const struct export_format *format;
	const char *output;
	int value; /* enum export_value, or -1 */
	struct targets targets;
	struct suppress *suppress;
};

enum { OPTION_FORMAT = 256, OPTION_VALUE };

static const struct command_option export_options[] = {
	{"format", "FORMAT", OPTION_FORMAT, "folded, json, pprof, speedscope, lsan or sarif",
	 false},
	{"output", "FILE", 'o', "where to; standard output without", false},
	{"value", "VALUE", OPTION_VALUE,
	 "live-bytes, live-objects, alloc-bytes or allocs, for formats with one", false},
	OPTIONS_PROCESS,
	OPTIONS_PEAK,
	OPTIONS_SUPPRESSIONS,
	OPTIONS_END,
};

static bool export_set_format(struct export_options *options, const char *name)
{
	size_t i;

	for (i = 0; i < EXPORT_FORMATS; i++)
		if (!strcmp(name, export_formats[i].name))
			options->format = &export_formats[i];
	return options->format;
}

static bool export_set_value(struct export_options *options, const char *name)
{
	int i;

	options->value = -1;
	for (i = 0; i < EXPORT_VALUES; i++)
		if (!strcmp(name, export_value_names[i]))
			options->value = i;
	return options->value >= 0;
}

static enum option_status export_option(void *context, int option, const char *value)
{
	struct export_options *options = context;

	if (option == 'o')
		options->output = value;
	else if (option == OPTION_FORMAT && !export_set_format(options, value))
		return OPTION_BAD_VALUE;
	else if (option == OPTION_VALUE && !export_set_value(options, value))
		return OPTION_BAD_VALUE;
	return OPTION_GOOD;
}

/* 0, or an exit status after a complaint. */
static int export_check(const struct export_options *options)
{
	if (!options->format)
		return options_complain(&command_export, "to what? --format is missing");
	if (options->value >= 0 && !options->format->has_value)
		return options_complain(&command_export, "%s holds all values; it takes no --value",
					options->format->name);
	if (!options->targets.nr)
		return options_complain(&command_export, "of what? FILE or PID is missing");
	if (options->format->is_binary && !options->output && isatty(STDOUT_FILENO))
		return options_complain(&command_export,
					"%s is not for a terminal; -o FILE names a file",
					options->format->name);
	return 0;
}

static int export_parse(struct export_options *options, int argc, char **argv)
{
	const struct options parse = {
		.command = &command_export,
		.take = export_option,
		.context = options,
		.targets = &options->targets,
		.suppress = options->suppress,
	};
	int status = options_parse(&parse, argc, argv);

	options->targets.names = argv + optind;
	options->targets.nr = (size_t)(argc - optind);
	return status ? status : export_check(options);
}

static int export_write(const struct export_options *options, const struct profile *profile)
{
	struct export export = {
		.profile = profile,
		.value = options->value < 0 ? EXPORT_LIVE_BYTES : (enum export_value)options->value,
	};
	struct output output;

	if (!output_open(&output, options->output))
		return STATUS_FAILED;
	export.out = output.file;
	options->format->write(&export);
	return output_finish(&output) ? STATUS_CLEAN : STATUS_FAILED;
}

static int export_run(int argc, char **argv)
{
	struct export_options options = {.value = -1, .suppress = suppress_open()};
	int status = export_parse(&options, argc, argv);
	struct profile *profile =
		status ? NULL : profile_open(&options.targets, suppress_filter(options.suppress));

	if (!status)
		status = STATUS_FAILED;
	if (profile) {
		export_add_evicted(profile);
		status = export_write(&options, profile);
		suppress_print(stderr, options.suppress, options.format->kinds);
	}
	profile_close(profile);
	suppress_close(options.suppress);
	return status;
}

const struct command command_export = {
	.name = "export",
	.usage = {"export --format=FORMAT [OPTION]... FILE|PID...\tfor other tools"},
	.options = export_options,
	.run = export_run,
};
