/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* flame.c - `stackdepot flame`: a store as one page for the browser, which needs nothing else. */
#define _GNU_SOURCE
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "flame.h"
#include "flame/page/page.h"
#include "cli/options.h"
#include "text/output.h"
#include "suppress/suppress.h"

#define NODES_MIN 10u
#define NODES_MAX 1000000u

/* Inside a script element only '<' could do harm; outside of strings JSON has none. */
static int flame_put(const char *text, size_t bytes, void *out)
{
	size_t run;

	while (bytes) {
		const char *stop = memchr(text, '<', bytes);

		run = stop ? (size_t)(stop - text) : bytes;
		if (run && fwrite(text, run, 1, out) != 1)
			return -1;
		if (stop && fputs("\\u003c", out) < 0)
			return -1;
		run += stop != NULL;
		text += run;
		bytes -= run;
	}
	return 0;
}

static void flame_print(FILE *out, json_t *data)
{
	fputs(flame_page_head, out);
	(void)json_dump_callback(data, flame_put, out,
				 JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9));
	fputs(flame_page_tail, out);
}

int flame_write(const char *file, const struct profile *now, const struct flame_options *options)
{
	struct output output;
	json_t *data;

	if (!flame_page_head[0]) {
		cli_complain(
			"the page was not built into this stackdepot: that takes npm, and meson's "
			"-Dflame=enabled");
		return CLI_USAGE;
	}
	if (!output_open(&output, strcmp(file, "-") ? file : NULL))
		return CLI_USAGE;
	data = flame_json(now, options);
	flame_print(output.file, data);
	json_decref(data);
	return output_finish(&output) ? CLI_CLEAN : CLI_USAGE;
}

static bool flame_nodes(const char *text, size_t *ret_nodes)
{
	char *end;
	unsigned long nodes = strtoul(text, &end, 10);

	if (end == text || *end || *text == '-' || nodes < NODES_MIN || nodes > NODES_MAX) {
		cli_complain("--nodes=%s: from %u to %u can be asked for", text, NODES_MIN,
			     NODES_MAX);
		return false;
	}
	*ret_nodes = nodes;
	return true;
}

struct flame_command {
	const char *file;
	struct flame_options options;
	struct targets targets; /* options of both */
	struct suppress *suppress;
};

static const struct option flame_long[] = {
	{"nodes", required_argument, NULL, 'n'},
	{"output", required_argument, NULL, 'o'},
	OPTIONS_WHOLE_RUN,
	OPTIONS_SUPPRESSIONS,
	OPTIONS_END,
};

static enum option_status flame_option(void *context, int option, const char *value)
{
	struct flame_command *flame = context;

	if (option == 'n')
		return flame_nodes(value, &flame->options.nodes) ? OPTION_GOOD : OPTION_COMPLAINED;
	flame->file = value;
	return OPTION_GOOD;
}

static int flame_parse(struct flame_command *flame, int argc, char **argv)
{
	const struct options parse = {
		.list = flame_long,
		.letters = "o:",
		.take = flame_option,
		.context = flame,
		.targets = &flame->targets,
		.suppress = flame->suppress,
	};
	int status = options_parse(&parse, argc, argv);

	if (status)
		return status;
	if (argc - optind < 1 || argc - optind > 2)
		return cli_usage("flame of what? FILE or PID, or two files to compare");
	return flame->file ? 0 : cli_usage("flame: -o OUT.html is missing");
}

static struct profile *flame_open(const struct flame_command *flame, char **name)
{
	struct targets targets = flame->targets;

	targets.names = name;
	targets.nr = 1;
	return profile_open(&targets, flame->suppress);
}

/* NAMES are one or two, the earlier one first. */
static int flame_targets(struct flame_command *flame, char **names, int nr)
{
	struct profile *before = nr == 2 ? flame_open(flame, &names[0]) : NULL, *now = NULL;
	int status = CLI_USAGE;

	if (before || nr == 1)
		now = flame_open(flame, &names[nr - 1]);
	flame->options.before = before;
	if (now)
		status = flame_write(flame->file, now, &flame->options);
	if (!status)
		suppress_print(stderr, flame->suppress, SUPPRESS_ALL);
	profile_close(before);
	profile_close(now);
	return status;
}

int cli_flame(int argc, char **argv)
{
	struct flame_command flame = {.suppress = suppress_open()};
	int status = flame_parse(&flame, argc, argv);

	if (!status)
		status = flame_targets(&flame, argv + optind, argc - optind);
	suppress_close(flame.suppress);
	return status;
}
