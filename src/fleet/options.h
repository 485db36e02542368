/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* options.h - the command lines of this program. */
#ifndef FLEET_OPTIONS_H
#define FLEET_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server.h"

#define FLEET_TRIES 3 /* of a push that is not to go on */

enum fleet_format { FLEET_CLICKHOUSE, FLEET_PPROF, FLEET_OTLP };

struct fleet_options {
	struct server_options server;
	const char *service;
	const char *version;
	const char *host;
	/* push */
	const char *spool;
	uint64_t spool_bytes;
	double every;  /* seconds; 0: once */
	char **places; /* of stores; absolute */
	size_t nr_places;
	uint64_t store_bytes; /* of memory, that reading one may take */
	enum fleet_format format;
	bool experimental;
	bool lost;
	bool symbols;
	/* fleet */
	uint64_t since; /* seconds since 1970; 0: as the question has it */
	uint64_t until;
	size_t limit;
	bool json;
	const char *by;
	const char *fail; /* NULL: not asked for */
	const char *output;
	const char *cluster;

	char **words; /* that are no options */
	size_t nr_words;
};

/* NAME is "push" or "fleet". 0, or an exit status after a complaint. */
int fleet_options_parse(struct fleet_options *options, const char *name, int argc, char **argv);
/* A complaint, and where help is found; returns STATUS_FAILED. */
int fleet_options_complain(const char *name, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
