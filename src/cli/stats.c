/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* stats.c - `stackdepot stats`: what recording cost; `stackdepot report stats` is the same. */
#include "base/status.h"
#include "options.h"
#include "report/report.h"

static const struct command_option stats_options[] = {
	OPTIONS_JSON,
	OPTIONS_PROCESS,
	OPTIONS_END,
};

static int stats_run(int argc, char **argv)
{
	struct targets targets = {0};
	struct report report = {0};
	const struct options parse = {
		.command = &command_stats,
		.report = &report,
		.targets = &targets,
	};
	int status = options_parse(&parse, argc, argv);
	struct profile *profile;

	targets.names = argv + optind;
	targets.nr = (size_t)(argc - optind);
	if (!status && !targets.nr)
		return options_complain(&command_stats, "of what? FILE or PID is missing");
	profile = status ? NULL : profile_open(&targets, NULL);
	report.profile = profile;
	if (!status)
		status = profile ? report_stats(&report) : STATUS_FAILED;
	profile_close(profile);
	return status;
}

const struct command command_stats = {
	.name = "stats",
	.usage = {"stats [OPTION]... FILE|PID...\twhat recording cost"},
	.options = stats_options,
	.run = stats_run,
};
