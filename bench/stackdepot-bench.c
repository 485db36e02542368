/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* stackdepot-bench: how fast and how small, beside others, on recordings of real programs. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "corpus.h"
#include "measure.h"
#include "report.h"
#include "verify.h"

#define EXIT_USAGE 2 /* and for corpora that cannot be read */

/*
 * A referenced trace takes a reference each time, and one that has two million is kept for good:
 * so of longer corpora only so many events are replayed.
 */
#define MOST_EVENTS 1500000u
#define QUICK_EVENTS 50000u
#define PEER_FILE_BYTES 64u

/* Whose depots there may be; the first one built is measured. meson.build has the same list. */
static const char *const linux_versions[] = {"7.3", "6.12"};

struct options {
	const char **paths;
	unsigned int nr;
	const char *linux_version; /* NULL: any */
	bool json, quick, verify;
};

struct bench {
	struct options options;
	struct settings settings;
	struct workload *workloads;
	struct corpus_result *results;
	char peer_files[PEER_NR][PEER_FILE_BYTES];
	struct peer peers[PEER_NR];
};

static bool progress_shown;

void measure_progress(const char *name, const char *what, unsigned int done, unsigned int all)
{
	static bool decided;

	if (!decided)
		progress_shown = isatty(STDERR_FILENO);
	decided = true;
	if (progress_shown)
		fprintf(stderr, "\r\033[K%s: %s, %u of %u", name, what, done, all);
}

static void progress_end(void)
{
	if (progress_shown)
		fputs("\r\033[K", stderr);
}

int measure_failed(const struct workload *workload, const char *what)
{
	progress_end();
	fprintf(stderr, "stackdepot-bench: %s: %s\n", workload->name, what);
	return -1;
}

static void usage(FILE *file)
{
	fputs("usage: stackdepot-bench --corpus FILE [--corpus FILE ...] [--linux V] [--json] "
	      "[--quick]\n"
	      "       stackdepot-bench --verify --corpus FILE [--corpus FILE ...] [--linux V]\n"
	      "\n"
	      "  --corpus FILE  recorded stack traces, .sdtrace or .sdtrace.zst\n"
	      "  --linux V      beside the depot of Linux V, where more than one was built\n"
	      "  --json         figures as JSON\n"
	      "  --quick        few rounds, few events: to see that it works\n"
	      "  --verify       measure nothing, check that every trace comes back\n",
	      file);
}

static int options_parse(struct options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		{"corpus", required_argument, NULL, 'c'},
		{"json", no_argument, NULL, 'j'},
		{"quick", no_argument, NULL, 'q'},
		{"verify", no_argument, NULL, 'v'},
		{"linux", required_argument, NULL, 'l'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	options->paths = calloc((size_t)argc, sizeof(*options->paths));
	if (!options->paths)
		return -1;
	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (option == 'c')
			options->paths[options->nr++] = optarg;
		else if (option == 'l')
			options->linux_version = optarg;
		else if (option == 'j')
			options->json = true;
		else if (option == 'q')
			options->quick = true;
		else if (option == 'v')
			options->verify = true;
		else if (option == 'h')
			return 1;
		else
			return -1;
	}
	return options->nr && optind == argc ? 0 : -1;
}

static int bench_load(struct bench *bench)
{
	struct corpus corpus;
	char error[512];
	unsigned int i;

	bench->workloads = calloc(bench->options.nr, sizeof(*bench->workloads));
	bench->results = calloc(bench->options.nr, sizeof(*bench->results));
	if (!bench->workloads || !bench->results)
		return -1;
	for (i = 0; i < bench->options.nr; i++) {
		if (corpus_read(bench->options.paths[i], &corpus, error, sizeof(error))) {
			fprintf(stderr, "stackdepot-bench: %s\n", error);
			return -1;
		}
		if (workload_init(&bench->workloads[i], bench->options.paths[i], &corpus,
				  bench->settings.max_events)) {
			fprintf(stderr, "stackdepot-bench: %s: no memory\n",
				bench->options.paths[i]);
			return -1;
		}
	}
	return 0;
}

static void bench_release(struct bench *bench)
{
	unsigned int i;

	for (i = 0; bench->workloads && i < bench->options.nr; i++)
		workload_free(&bench->workloads[i]);
	for (i = 0; i < PEER_NR; i++)
		peer_unload(&bench->peers[i]);
	free(bench->workloads);
	free(bench->results);
	free(bench->options.paths);
}

static void bench_settings(struct bench *bench)
{
	bench->settings = (struct settings){
		.rounds = bench->options.quick ? 2 : 15,
		.thread_rounds = bench->options.quick ? 2 : 25,
		.thread_saves = bench->options.quick ? 10000 : 200000,
		.max_events = bench->options.quick ? QUICK_EVENTS : MOST_EVENTS,
	};
}

static bool linux_built(struct bench *bench, const char *version)
{
	snprintf(bench->peer_files[PEER_LINUX], PEER_FILE_BYTES, "peer-linux-%s.so", version);
	snprintf(bench->peer_files[PEER_LINUX_HUGE], PEER_FILE_BYTES, "peer-linux-%s-huge.so",
		 version);
	return peer_built(bench->peer_files[PEER_LINUX]);
}

/* Without any of Linux's, and nobody asks for one, the names are of files that are not there. */
static int bench_peers(struct bench *bench)
{
	const char *wanted = bench->options.linux_version;
	unsigned int i;

	strcpy(bench->peer_files[PEER_LLVM], "peer-llvm.so");
	if (wanted && !linux_built(bench, wanted)) {
		fprintf(stderr, "stackdepot-bench: no depot of Linux %s was built\n", wanted);
		return -1;
	}
	for (i = 0; !wanted && i < sizeof(linux_versions) / sizeof(linux_versions[0]); i++)
		if (linux_built(bench, linux_versions[i]))
			break;
	return 0;
}

/* Before any peer is loaded: what a peer grows by is measured in children that load it afresh. */
static void bench_growth(struct bench *bench)
{
	unsigned int i;

	for (i = 0; i < bench->options.nr; i++)
		bench->results[i].full.peer_bytes[PEER_LLVM] =
			measure_growth(bench->peer_files[PEER_LLVM], &bench->workloads[i]);
}

static int bench_measure(struct bench *bench)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < bench->options.nr; i++) {
		struct workload *workload = &bench->workloads[i];
		struct corpus_result *result = &bench->results[i];

		ret = measure_full(workload, &bench->settings, bench->peers, &result->full) ||
		      measure_budgets(workload, &bench->settings, &result->full, result->budgets) ||
		      measure_threads(workload, &bench->settings, &result->full, bench->peers,
				      result);
	}
	progress_end();
	return ret;
}

static int bench_verify(struct bench *bench)
{
	unsigned int i;

	for (i = 0; i < bench->options.nr; i++) {
		if (verify_corpus(&bench->workloads[i], bench->peers))
			return -1;
		printf("%s: %u events, every trace comes back\n", bench->workloads[i].name,
		       bench->workloads[i].events);
	}
	return 0;
}

static int bench_run(struct bench *bench)
{
	struct report report = {
		.workloads = bench->workloads,
		.results = bench->results,
		.nr = bench->options.nr,
		.settings = &bench->settings,
		.peers = bench->peers,
		.quick = bench->options.quick,
	};
	unsigned int i;

	if (!bench->options.verify)
		bench_growth(bench);
	for (i = 0; i < PEER_NR; i++)
		peer_load(&bench->peers[i], bench->peer_files[i]);
	if (bench->options.verify)
		return bench_verify(bench);
	if (bench_measure(bench))
		return -1;
	if (bench->options.json)
		report_json(&report);
	else
		report_text(&report);
	return 0;
}

int main(int argc, char **argv)
{
	struct bench bench = {0};
	int ret = options_parse(&bench.options, argc, argv);

	if (ret) {
		usage(ret > 0 ? stdout : stderr);
		free(bench.options.paths);
		return ret > 0 ? EXIT_SUCCESS : EXIT_USAGE;
	}
	bench_settings(&bench);
	if (bench_peers(&bench) || bench_load(&bench))
		ret = EXIT_USAGE;
	else
		ret = bench_run(&bench) ? EXIT_FAILURE : EXIT_SUCCESS;
	bench_release(&bench);
	return ret;
}
