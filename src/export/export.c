/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* export.c - `stackdepot export`: a store in the formats that other tools read. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "export.h"
#include "cli/options.h"
#include "text/output.h"
#include "suppress/suppress.h"

struct export_format {
	const char *name;
	void (*write)(const struct export *export);
	bool has_value; /* --value means something */
	bool is_binary;
	unsigned int kinds; /* of suppressions that concern it */
};

static const struct export_format export_formats[] = {
	{"folded", export_folded, .has_value = true, .kinds = SUPPRESS_LEAK},
	{"json", export_json, .kinds = SUPPRESS_ALL},
	{"pprof", export_pprof, .has_value = true, .is_binary = true, .kinds = SUPPRESS_LEAK},
	{"speedscope", export_speedscope, .has_value = true, .kinds = SUPPRESS_LEAK},
	{"lsan", export_lsan, .kinds = SUPPRESS_LEAK},
	{"sarif", export_sarif, .kinds = SUPPRESS_ALL},
};

#define EXPORT_FORMATS (sizeof(export_formats) / sizeof(export_formats[0]))

struct export_options {
	const struct export_format *format;
	const char *output;
	int value; /* enum export_value, or -1 */
	struct targets targets;
	struct suppress *suppress;
};

/* --- for the writers -------------------------------------------------------------------------- */

const char *const export_value_names[EXPORT_VALUES] = {
	[EXPORT_LIVE_BYTES] = "live-bytes",
	[EXPORT_LIVE_OBJECTS] = "live-objects",
	[EXPORT_ALLOC_BYTES] = "alloc-bytes",
	[EXPORT_ALLOCS] = "allocs",
};

double export_value_of(const struct profile_stack *stack, enum export_value value)
{
	switch (value) {
	case EXPORT_LIVE_BYTES:
		return stack->sums.bytes;
	case EXPORT_LIVE_OBJECTS:
		return stack->sums.objects;
	case EXPORT_ALLOC_BYTES:
		return stack->sums.alloc_bytes;
	default:
		return stack->sums.allocs;
	}
}

int64_t export_integer(double value)
{
	return value >= 9.2e18 ? INT64_MAX : value > 0 ? llround(value) : 0;
}

const char *export_name(const struct symbol_frame *frame, const struct symbol_line *line,
			char buffer[EXPORT_NAME_BYTES])
{
	if (line->function)
		return line->function;
	snprintf(buffer, EXPORT_NAME_BYTES, "%.450s%s0x%llx", frame->in ? frame->in->name : "",
		 frame->in ? "+" : "", (unsigned long long)frame->offset);
	return buffer;
}

void export_build_id(const uint8_t *bytes, size_t nr, char buffer[EXPORT_BUILD_ID_BYTES])
{
	size_t i;

	buffer[0] = '\0';
	for (i = 0; i < nr && i < EXPORT_BUILD_ID_BYTES / 2 - 1; i++)
		snprintf(buffer + 2 * i, 3, "%02x", bytes[i]);
}

char *export_process(const struct profile_process *process)
{
	const struct stackdepot_store_info *info = &process->info;
	char *text = cli_alloc((size_t)info->command_bytes + 32);
	size_t used = (size_t)sprintf(text, "process %u:", info->pid), at = 0;

	while (at < info->command_bytes) {
		used += (size_t)sprintf(text + used, " %s", info->command + at);
		at += strlen(info->command + at) + 1;
	}
	return text;
}

const char *export_missing(const struct profile_stack *stack)
{
	return stack->trace.evicted ? "[stack evicted]" : "[stack not known]";
}

/* --- the command ------------------------------------------------------------------------------ */

enum { OPTION_FORMAT = 256, OPTION_VALUE };

static const struct option export_long[] = {
	{"format", required_argument, NULL, OPTION_FORMAT},
	{"output", required_argument, NULL, 'o'},
	{"value", required_argument, NULL, OPTION_VALUE},
	OPTIONS_WHOLE_RUN,
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
		return cli_usage("export to what? --format is missing");
	if (options->value >= 0 && !options->format->has_value)
		return cli_usage("%s holds all values; it takes no --value", options->format->name);
	if (!options->targets.nr)
		return cli_usage("export of what? FILE or PID is missing");
	if (options->format->is_binary && !options->output && isatty(STDOUT_FILENO))
		return cli_usage("%s is not for a terminal; -o FILE names a file",
				 options->format->name);
	return 0;
}

static int export_parse(struct export_options *options, int argc, char **argv)
{
	const struct options parse = {
		.list = export_long,
		.letters = "o:",
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

/* Allocations of stacks that were evicted since are a stack of their own, so that sums are right.
 */
static void export_add_evicted(struct profile *profile)
{
	if (profile->info.evicted_allocs <= 0)
		return;
	profile->stacks =
		cli_realloc(profile->stacks, (profile->nr + 1) * sizeof(*profile->stacks));
	profile->stacks[profile->nr++] = (struct profile_stack){
		.trace.evicted = true,
		.sums.allocs = profile->info.evicted_allocs,
		.sums.alloc_bytes = profile->info.evicted_bytes,
	};
}

static int export_write(const struct export_options *options, const struct profile *profile)
{
	struct export export = {
		.profile = profile,
		.value = options->value < 0 ? EXPORT_LIVE_BYTES : (enum export_value)options->value,
	};
	struct output output;

	if (!output_open(&output, options->output))
		return CLI_USAGE;
	export.out = output.file;
	options->format->write(&export);
	return output_finish(&output) ? CLI_CLEAN : CLI_USAGE;
}

int cli_export(int argc, char **argv)
{
	struct export_options options = {.value = -1, .suppress = suppress_open()};
	int status = export_parse(&options, argc, argv);
	struct profile *profile = status ? NULL : profile_open(&options.targets, options.suppress);

	if (!status)
		status = CLI_USAGE;
	if (profile) {
		export_add_evicted(profile);
		status = export_write(&options, profile);
		suppress_print(stderr, options.suppress, options.format->kinds);
	}
	profile_close(profile);
	suppress_close(options.suppress);
	return status;
}
