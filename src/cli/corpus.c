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
#include "base/memory.h"
#include "export/corpus.h"
#include "launch.h"
#include "options.h"
#include "text/output.h"

#define CORPUS_OPTIONS "memory=1G:corpus=1000000:follow-children=no:guard=0:quarantine=0"

static const struct command_option corpus_options[] = {
	{"output", "FILE.sdtrace.zst", 'o', "where the traces of all events go", false},
	OPTIONS_END,
};

static char corpus_directory[] = "/tmp/stackdepot-corpus-XXXXXX";
static char corpus_store[sizeof(corpus_directory) + 8];
static struct launch corpus_launch;

static void corpus_remove(void)
{
	(void)unlink(corpus_store);
	(void)rmdir(corpus_directory);
}

/* Without memory. A program that has begun is waited for; its store would be removed below it. */
static void corpus_out_of_memory(void)
{
	if (corpus_launch.pid > 0)
		launch_wait_out(&corpus_launch);
	exit(LAUNCH_FAILED);
}

static int corpus_run(struct launch *launch, struct output *output)
{
	char options[sizeof(CORPUS_OPTIONS) + sizeof(corpus_store) + 8];
	int status = LAUNCH_FAILED;

	if (!mkdtemp(corpus_directory)) {
		output_abandon(output);
		complain("%s: %s", corpus_directory, strerror(errno));
		return status;
	}
	(void)atexit(corpus_remove);
	snprintf(corpus_store, sizeof(corpus_store), "%s/store", corpus_directory);
	snprintf(options, sizeof(options), CORPUS_OPTIONS ":store=%s", corpus_store);
	launch->options = options;
	if (launch_run(launch))
		status = corpus_save(corpus_store, output) ? LAUNCH_FAILED : 0;
	else
		output_abandon(output);
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
	struct output output;
	char *preload, *program;
	int status;

	program = launch_find(argv[0], &status);
	if (!program)
		return status;
	preload = launch_preload();
	corpus_launch.argv = argv;
	corpus_launch.program = program;
	corpus_launch.preload = preload;
	/* Where it goes is tried before the program is run. */
	status = preload && output_open(&output, path) ? corpus_run(&corpus_launch, &output)
						       : LAUNCH_FAILED;
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
	int status;

	memory_end_by(NULL, corpus_out_of_memory);
	status = options_parse(&parse, argc, argv);
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
	.failed = LAUNCH_FAILED,
	.run = corpus_main,
};
