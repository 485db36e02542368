/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * fleet.c - `stackdepot push` and `stackdepot fleet`: what stores hold goes to a server, and what
 * it knows of all hosts comes back.
 *
 * Both are a program of their own, stackdepot-fleet, as they speak HTTP and TLS.
 */
#define _GNU_SOURCE
#include <stdlib.h>

#include "base/beside.h"
#include "base/memory.h"
#include "fleet/option_list.h"
#include "options.h"

#define FLEET "stackdepot-fleet"
#define OPTION(name, value, number, text) {name, value, number, text, false},

static const struct command_option push_options[] = {FLEET_PUSH_OPTIONS(OPTION) OPTIONS_END};
static const struct command_option fleet_options[] = {FLEET_ASK_OPTIONS(OPTION) OPTIONS_END};

/* Values are the program's to judge. */
static enum option_status fleet_option(void *context, int option, const char *value)
{
	(void)context;
	(void)option;
	(void)value;
	return OPTION_GOOD;
}

/* The name of the sub-command stays the first word. */
static int fleet_start(const struct command *command, int argc, char **argv)
{
	const struct options parse = {.command = command, .take = fleet_option};
	int i, status = options_parse(&parse, argc, argv);
	char **words;

	if (status)
		return status;
	words = memory_alloc(((size_t)argc + 2) * sizeof(*words));
	words[0] = (char *)(uintptr_t)FLEET;
	for (i = 0; i < argc; i++)
		words[i + 1] = argv[i];
	status = beside_exec(FLEET, "fleet", words);
	free(words);
	return status;
}

static int push_run(int argc, char **argv)
{
	return fleet_start(&command_push, argc, argv);
}

static int fleet_run(int argc, char **argv)
{
	return fleet_start(&command_fleet, argc, argv);
}

const struct command command_push = {
	.name = "push",
	.usage = {"push --server=URL [OPTION]... STORE...\tto a server that knows all hosts"},
	.options = push_options,
	.run = push_run,
};

const struct command command_fleet = {
	.name = "fleet",
	.usage = {"fleet top|growth|errors|lost|services|hosts --server=URL [OPTION]...",
		  "fleet diff A B | stack ID | flame -o FILE | init --server=URL [OPTION]...\t"
		  "what all hosts have told"},
	.options = fleet_options,
	.run = fleet_run,
};
