/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* options.c - command lines of push and fleet. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/complain.h"
#include "base/memory.h"
#include "base/status.h"
#include "find/find.h"
#include "option_list.h"
#include "options.h"
#include "text/number.h"

#define SPOOL_BYTES (64u << 20)
#define STORE_BYTES (1u << 30)
#define STORE_BYTES_MIN (16u << 20)
#define LIMIT 20
#define TIMEOUT_MAX 86400
#define EVERY_MAX 86400

#define OPTION(name, value, number, text) {name, (value) != NULL, NULL, number},

static const struct option push_options[] = {FLEET_PUSH_OPTIONS(OPTION){NULL, 0, NULL, 0}};
static const struct option ask_options[] = {FLEET_ASK_OPTIONS(OPTION){NULL, 0, NULL, 0}};

int fleet_options_complain(const char *name, const char *format, ...)
{
	va_list list;
	char *text;

	va_start(list, format);
	text = memory_print_list(format, list);
	va_end(list);
	complain("%s: %s; stackdepot %s --help says more", name, text, name);
	free(text);
	return STATUS_FAILED;
}

/* --- values ----------------------------------------------------------------------------------- */

static bool options_number(const char *text, double most, double *ret_number)
{
	char *end;

	*ret_number = strtod(text, &end);
	return end != text && !*end && *ret_number > 0 && *ret_number <= most;
}

/* "12h": so long ago. */
static bool options_ago(const char *text, uint64_t *ret_time)
{
	static const char units[] = "smhdw";
	static const double seconds[] = {1, 60, 3600, 86400, 604800};
	const char *unit;
	char *end;
	double number = strtod(text, &end);

	unit = end != text && *end && !end[1] ? strchr(units, *end) : NULL;
	if (!unit || !(number >= 0) || number > 1e6)
		return false;
	*ret_time = (uint64_t)time(NULL) - (uint64_t)(number * seconds[unit - units]);
	return true;
}

/* Of this host's clock; a date alone is its begin. */
static bool options_time(const char *text, uint64_t *ret_time)
{
	static const char *const formats[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M",
					      "%Y-%m-%d %H:%M", "%Y-%m-%d"};
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct tm at = {.tm_isdst = -1};
		const char *end = strptime(text, formats[i], &at);

		if (end && !*end) {
			*ret_time = (uint64_t)mktime(&at);
			return true;
		}
	}
	return options_ago(text, ret_time);
}

static bool options_limit(struct fleet_options *options, const char *value)
{
	double number;

	if (!options_number(value, 1e6, &number) || number < 1)
		return false;
	options->limit = (size_t)number;
	return true;
}

static bool options_timeout(struct fleet_options *options, const char *value)
{
	double number;

	if (!options_number(value, TIMEOUT_MAX, &number) || number < 1)
		return false;
	options->server.query_seconds = (long)number;
	return true;
}

static bool options_by(struct fleet_options *options, const char *value)
{
	options->by = value;
	return !strcmp(value, "version") || !strcmp(value, "host") || !strcmp(value, "service");
}

/* --- one option ------------------------------------------------------------------------------- */

static bool options_take_server(struct server_options *server, int option, const char *value)
{
	switch (option) {
	case FLEET_OPTION_SERVER:
		server->url = value;
		return *value;
	case FLEET_OPTION_DATABASE:
		server->database = value;
		return true;
	case FLEET_OPTION_CREDENTIALS:
		server->credentials = value;
		return true;
	case FLEET_OPTION_CA:
		server->authority = value;
		return true;
	default:
		server->plain = true;
		return true;
	}
}

static bool options_format(struct fleet_options *options, const char *value)
{
	static const char *const names[] = {
		[FLEET_CLICKHOUSE] = "clickhouse", [FLEET_PPROF] = "pprof", [FLEET_OTLP] = "otlp"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(value, names[i])) {
			options->format = (enum fleet_format)i;
			return true;
		}
	return false;
}

static bool options_place(struct fleet_options *options, const char *place)
{
	find_add_place(&options->places, &options->nr_places, place);
	return *place;
}

static bool options_take_push(struct fleet_options *options, int option, const char *value)
{
	switch (option) {
	case FLEET_OPTION_SPOOL:
		options->spool = value;
		return *value;
	case FLEET_OPTION_SPOOL_BYTES:
		return number_bytes(value, &options->spool_bytes);
	case FLEET_OPTION_EVERY:
		return options_number(value, EVERY_MAX, &options->every) && options->every >= 1;
	case FLEET_OPTION_STORES:
		return options_place(options, value);
	case FLEET_OPTION_STORE_BYTES:
		return number_bytes(value, &options->store_bytes) &&
		       options->store_bytes >= STORE_BYTES_MIN;
	case FLEET_OPTION_FORMAT:
		return options_format(options, value);
	case FLEET_OPTION_EXPERIMENTAL:
		options->experimental = true;
		return true;
	case FLEET_OPTION_SYMBOLS:
		options->symbols = true;
		return true;
	default:
		options->lost = true;
		return true;
	}
}

static bool options_take_ask(struct fleet_options *options, int option, const char *value)
{
	switch (option) {
	case FLEET_OPTION_SINCE:
		return options_time(value, &options->since);
	case FLEET_OPTION_UNTIL:
		return options_time(value, &options->until);
	case FLEET_OPTION_LIMIT:
		return options_limit(options, value);
	case FLEET_OPTION_TIMEOUT:
		return options_timeout(options, value);
	case FLEET_OPTION_BY:
		return options_by(options, value);
	case FLEET_OPTION_FAIL:
		options->fail = value;
		return true;
	case FLEET_OPTION_OUTPUT:
		options->output = value;
		return *value;
	case FLEET_OPTION_CLUSTER:
		options->cluster = value;
		return *value;
	default:
		options->json = true;
		return true;
	}
}

static bool options_take(struct fleet_options *options, int option, const char *value)
{
	switch (option) {
	case FLEET_OPTION_SERVICE:
		options->service = value;
		return *value;
	case FLEET_OPTION_VERSION:
		options->version = value;
		return true;
	case FLEET_OPTION_HOST:
		options->host = value;
		return *value;
	}
	if (option >= FLEET_OPTION_SERVER && option <= FLEET_OPTION_PLAIN)
		return options_take_server(&options->server, option, value);
	if (option >= FLEET_OPTION_SPOOL && option <= FLEET_OPTION_LOST)
		return options_take_push(options, option, value);
	return options_take_ask(options, option, value);
}

/* ---------------------------------------------------------------------------------------------- */

static int options_bad(const char *name, const struct option *list, int option)
{
	while (list->name && list->val != option)
		list++;
	return fleet_options_complain(name, "--%s cannot be '%s'", list->name ? list->name : "",
				      optarg ? optarg : "");
}

int fleet_options_parse(struct fleet_options *options, const char *name, int argc, char **argv)
{
	const struct option *list = !strcmp(name, "push") ? push_options : ask_options;
	int option;

	*options = (struct fleet_options){
		.spool_bytes = SPOOL_BYTES, .store_bytes = STORE_BYTES, .limit = LIMIT};
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":o:", list, NULL)) >= 0) {
		if (option == ':')
			return fleet_options_complain(name, "%s has no value", argv[optind - 1]);
		if (option == '?')
			return fleet_options_complain(name, "there is no option '%s'",
						      argv[optind - 1]);
		if (!options_take(options, option, optarg))
			return options_bad(name, list, option);
	}
	options->server.is_clickhouse = options->format == FLEET_CLICKHOUSE;
	options->words = argv + optind;
	options->nr_words = (size_t)(argc - optind);
	if (!options->server.url)
		return fleet_options_complain(name, "--server is missing");
	return 0;
}
