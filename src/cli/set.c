/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* set.c - `stackdepot set`: have a program recorded otherwise while it runs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/complain.h"
#include "base/status.h"
#include "options.h"

static const struct command_option set_options[] = {
	OPTIONS_END,
};

/* "mode=off", and without "mode=" what has a name of its own. */
static bool set_parse(const char *word, enum stackdepot_mode *ret_mode, uint64_t *ret_value)
{
	if (!strncmp(word, "mode=", 5))
		word += 5;
	else if (!strchr(word, '='))
		return false;
	return options_mode(word, ret_mode, ret_value);
}

static const char *set_error(int error)
{
	if (error == -ESRCH)
		return "it has ended, or is not recorded any more";
	return target_error(error);
}

static int set_target(const char *name, enum stackdepot_mode mode, uint64_t value)
{
	uint32_t pid;
	char *path = target_path(name, &pid);
	int nr;

	if (!path)
		return STATUS_FAILED;
	nr = stackdepot_store_set(path, pid, mode, value);
	if (nr < 0)
		complain("%s: %s", name, set_error(nr));
	else if (!pid && nr != 1)
		printf("%d processes, and those that begin later\n", nr);
	free(path);
	return nr < 0 ? STATUS_FAILED : STATUS_CLEAN;
}

static int set_run(int argc, char **argv)
{
	const struct options parse = {.command = &command_set};
	int status = options_parse(&parse, argc, argv);
	enum stackdepot_mode mode;
	uint64_t value;

	if (status)
		return status;
	if (argc - optind < 1)
		return options_complain(&command_set, "of what? FILE or PID is missing");
	if (argc - optind < 2)
		return options_complain(&command_set, "to what? mode=full|off|sample=BYTES or "
						      "overhead=PERCENT is missing");
	if (argc - optind > 2)
		return options_complain(&command_set, "'%s' is one word too many",
					argv[optind + 2]);
	if (!set_parse(argv[optind + 1], &mode, &value))
		return options_complain(&command_set,
					"'%s' is none of mode=full, mode=off, sample=BYTES and "
					"overhead=PERCENT",
					argv[optind + 1]);
	return set_target(argv[optind], mode, value);
}

const struct command command_set = {
	.name = "set",
	.usage = {"set FILE|PID mode=full|off|sample=BYTES\trecord otherwise from here on",
		  "set FILE|PID overhead=PERCENT"},
	.options = set_options,
	.run = set_run,
};
