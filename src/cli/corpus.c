/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* corpus.c - `stackdepot corpus`: record a program for the benchmarks; see export/corpus.c. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/complain.h"
#include "export/corpus.h"
#include "launch.h"
#include "options.h"

#define CORPUS_OPTIONS "memory=1G:corpus=1000000:follow-children=no:guard=0:quarantine=0"

static const struct command_option corpus_options[] = {
	{"output", "FILE.sdtrace.zst", 'o', "where the traces of all events go", false},
	OPTIONS_END,
};

static int corpus_run(struct launch *launch, const char *path)
{
	char store[] = "/tmp/stackdepot-corpus-XXXXXX", name[sizeof(store) + 8];
	char options[sizeof(CORPUS_OPTIONS) + sizeof(name) + 8];
	int status = LAUNCH_FAILED;

	if (!mkdtemp(store)) {
		complain("%s: %s", store, strerror(errno));
		return status;
	}
	snprintf(name, sizeof(name), "%s/store", store);
	snprintf(options, sizeof(options), CORPUS_OPTIONS ":store=%s", name);
	launch->options = options;
	if (launch_run(launch))
		status = corpus_save(name, path) ? LAUNCH_FAILED : 0;
	(void)unlink(name);
	(void)rmdir(store);
	if (!status && WIFEXITED(launch->wait_status))
		status = WEXITSTATUS(launch->wait_status);
	return status;
}

static enum option_status corpus_option(void *context, int option, const char *value)
{
	(void)option;
	*(const char **)context = value;
	return OPTION_GOOD;
}

static int corpus_program(const char *path, char **argv)
{
	struct launch launch = {.argv = argv};
	char *preload, *program;
	int status;

	program = launch_find(argv[0], &status);
	if (!program)
		return status;
	preload = launch_preload();
	launch.program = program;
	launch.preload = preload;
	status = preload ? corpus_run(&launch, path) : LAUNCH_FAILED;
	free(preload);
	free(program);
	return status;
}

static int corpus_main(int argc, char **argv)
{
	const char *path = NULL;
	const struct options parse = {
		.command = &command_corpus,
		.program = true,
		.take = corpus_option,
		.context = &path,
	};
	int status = options_parse(&parse, argc, argv);

	if (!status && !path)
		return options_complain(&command_corpus, "-o FILE is missing");
	if (!status && optind >= argc)
		return options_complain(&command_corpus, "of what? PROGRAM is missing");
	return status ? status : corpus_program(path, argv + optind);
}

const struct command command_corpus = {
	.name = "corpus",
	.usage = {"corpus -o FILE.sdtrace.zst -- PROGRAM [ARG]...\ttraces of all events, for "
		  "benchmarks"},
	.options = corpus_options,
	.run = corpus_main,
};
