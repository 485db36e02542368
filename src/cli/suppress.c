/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* suppress.c - `stackdepot suppress --gen`: suppressions for all that a report shows. */
#include "base/status.h"
#include "options.h"
#include "suppress/generate.h"
#include "suppress/suppress.h"

static const struct command_option gen_options[] = {
	{"gen", NULL, 256, "print rules for what a report shows", false},
	OPTIONS_PROCESS,
	OPTIONS_SUPPRESSIONS,
	OPTIONS_NO_DEFAULT,
	OPTIONS_END,
};

static enum option_status gen_option(void *is_asked, int option, const char *value)
{
	(void)option;
	(void)value;
	*(bool *)is_asked = true;
	return OPTION_GOOD;
}

/* 0, or an exit status after a complaint. */
static int gen_parse(struct targets *targets, struct suppress *suppress, int argc, char **argv)
{
	bool is_asked = false;
	const struct options parse = {
		.command = &command_suppress,
		.take = gen_option,
		.context = &is_asked,
		.targets = targets,
		.suppress = suppress,
		.builtin = true,
	};
	int status = options_parse(&parse, argc, argv);

	targets->names = argv + optind;
	targets->nr = (size_t)(argc - optind);
	if (!status && !is_asked)
		return options_complain(&command_suppress, "--gen is missing");
	if (!status && !targets->nr)
		return options_complain(&command_suppress, "of what? FILE or PID is missing");
	return status;
}

static int gen_run(int argc, char **argv)
{
	struct suppress *suppress = suppress_open();
	struct targets targets = {0};
	int status = gen_parse(&targets, suppress, argc, argv);
	struct profile *profile = status ? NULL : profile_open(&targets, suppress_filter(suppress));

	if (!status)
		status = profile ? suppress_generate(profile) : STATUS_FAILED;
	profile_close(profile);
	suppress_close(suppress);
	return status;
}

const struct command command_suppress = {
	.name = "suppress",
	.usage = {"suppress --gen [OPTION]... FILE|PID...\trules for what a report shows"},
	.options = gen_options,
	.run = gen_run,
};
