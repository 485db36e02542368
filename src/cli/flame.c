/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* flame.c - `stackdepot flame`: a store as one page for the browser, which needs nothing else. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "flame.h"
#include "flame/page.h"
#include "suppress.h"

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

static bool flame_print(FILE *out, json_t *data)
{
	return fputs(flame_page_head, out) >= 0 &&
	       !json_dump_callback(data, flame_put, out,
				   JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9)) &&
	       fputs(flame_page_tail, out) >= 0 && !fflush(out);
}

int flame_write(const char *file, struct profile *now, const struct flame_options *options)
{
	bool standard = !strcmp(file, "-"), written;
	json_t *data;
	FILE *out;

	if (!flame_page_head[0]) {
		cli_complain(
			"the page was not built into this stackdepot: that takes npm, and meson's "
			"-Dflame=enabled");
		return CLI_USAGE;
	}
	out = standard ? stdout : fopen(file, "w");
	if (!out) {
		cli_complain("%s: %s", file, strerror(errno));
		return CLI_USAGE;
	}
	data = flame_json(now, options);
	written = flame_print(out, data);
	json_decref(data);
	if (!standard && fclose(out))
		written = false;
	if (written)
		return CLI_CLEAN;
	cli_complain("%s: cannot be written", standard ? "standard output" : file);
	return CLI_USAGE;
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

static bool flame_parse(int argc, char **argv, const char **ret_file, size_t *ret_nodes,
			struct suppress *suppress)
{
	static const struct option options[] = {
		{"nodes", required_argument, NULL, 'n'},
		{"output", required_argument, NULL, 'o'},
		SUPPRESS_OPTION_FILE,
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "o:", options, NULL)) >= 0) {
		if (option == 'o')
			*ret_file = optarg;
		else if (option == SUPPRESS_FILE && !suppress_read(suppress, optarg))
			return false;
		else if (option != SUPPRESS_FILE &&
			 (option != 'n' || !flame_nodes(optarg, ret_nodes)))
			return false;
	}
	return true;
}

/* The later store is last to be asked about, as its errors are drawn. */
static bool flame_suppress(struct profile *before, struct profile *now, struct suppress *suppress)
{
	if (!suppress_has(suppress, SUPPRESS_ALL))
		return true;
	return (!before || profile_suppress(before, suppress)) && profile_suppress(now, suppress);
}

/* TARGETS are one or two, the earlier one first. */
static int flame_targets(const char *file, char **targets, int nr, struct flame_options *options,
			 struct suppress *suppress)
{
	struct profile *now = profile_open(targets[nr - 1]);
	int status = CLI_USAGE;

	options->before = now && nr == 2 ? profile_open(targets[0]) : NULL;
	if (now && (nr == 1 || options->before) && flame_suppress(options->before, now, suppress))
		status = flame_write(file, now, options);
	if (!status)
		suppress_print(stderr, suppress, SUPPRESS_ALL);
	profile_close(options->before);
	profile_close(now);
	return status;
}

int cli_flame(int argc, char **argv)
{
	struct flame_options options = {0};
	struct suppress *suppress = suppress_open();
	const char *file = NULL;
	int status = CLI_USAGE;

	if (flame_parse(argc, argv, &file, &options.nodes, suppress)) {
		if (argc - optind < 1 || argc - optind > 2)
			status = cli_usage("flame of what? FILE or PID, or two files to compare");
		else if (!file)
			status = cli_usage("flame: -o OUT.html is missing");
		else
			status = flame_targets(file, argv + optind, argc - optind, &options,
					       suppress);
	}
	suppress_close(suppress);
	return status;
}
