/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* flame.c - `stackdepot flame`: a store as one page for the browser. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>

#include "base/status.h"
#include "flame/flame.h"
#include "options.h"
#include "suppress/suppress.h"

static bool flame_nodes(const char *text, size_t *ret_nodes)
{
	double nodes;

	if (!options_number(text, &nodes) || nodes < FLAME_NODES_MIN || nodes > FLAME_NODES_MAX) {
		options_complain(&command_flame, "--nodes cannot be '%s': from %u to %u", text,
				 FLAME_NODES_MIN, FLAME_NODES_MAX);
		return false;
	}
	*ret_nodes = (size_t)nodes;
	return true;
}

struct flame_command {
	const char *file;
	struct flame_options options;
	struct targets targets; /* options of both */
	struct suppress *suppress;
};

static const struct command_option flame_options[] = {
	{"output", "OUT.html", 'o', "where to write the page; - for standard output", false},
	{"nodes", "N", 256, "frames in it at most; the smallest are folded (20000)", false},
	OPTIONS_PROCESS,
	OPTIONS_PEAK,
	OPTIONS_SUPPRESSIONS,
	OPTIONS_END,
};

static enum option_status flame_option(void *context, int option, const char *value)
{
	struct flame_command *flame = context;

	if (option == 256)
		return flame_nodes(value, &flame->options.nodes) ? OPTION_GOOD : OPTION_COMPLAINED;
	flame->file = value;
	return OPTION_GOOD;
}

static int flame_parse(struct flame_command *flame, int argc, char **argv)
{
	const struct options parse = {
		.command = &command_flame,
		.take = flame_option,
		.context = flame,
		.targets = &flame->targets,
		.suppress = flame->suppress,
	};
	int status = options_parse(&parse, argc, argv);

	if (status)
		return status;
	if (argc - optind < 1 || argc - optind > 2)
		return options_complain(&command_flame,
					"of what? FILE or PID, or two files to compare");
	return flame->file ? 0 : options_complain(&command_flame, "-o OUT.html is missing");
}

/* BEFORE, unless it is NULL, is what it is compared with. */
static struct profile *flame_open(const struct flame_command *flame, char **name,
				  const struct profile *before)
{
	struct targets targets = flame->targets;

	targets.names = name;
	targets.nr = 1;
	targets.symbols = before ? before->symbols : NULL;
	return profile_open(&targets, suppress_filter(flame->suppress));
}

/* NAMES are one or two, the earlier one first. */
static int flame_targets(struct flame_command *flame, char **names, int nr)
{
	struct profile *before = nr == 2 ? flame_open(flame, &names[0], NULL) : NULL, *now = NULL;
	int status = STATUS_FAILED;

	if (before || nr == 1)
		now = flame_open(flame, &names[nr - 1], before);
	flame->options.before = before;
	if (now)
		status = flame_write(flame->file, now, &flame->options);
	if (!status)
		suppress_print(stderr, flame->suppress, SUPPRESS_ALL);
	profile_close(before);
	profile_close(now);
	return status;
}

static int flame_run(int argc, char **argv)
{
	struct flame_command flame = {.suppress = suppress_open()};
	int status = flame_parse(&flame, argc, argv);

	if (!status)
		status = flame_targets(&flame, argv + optind, argc - optind);
	suppress_close(flame.suppress);
	return status;
}

const struct command command_flame = {
	.name = "flame",
	.usage = {"flame [OPTION]... [BEFORE] FILE|PID -o OUT.html\ta page to look at"},
	.options = flame_options,
	.run = flame_run,
};
