/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * option_list.h - the options of `stackdepot push` and `stackdepot fleet`, once.
 *
 * The tool lists them in its usage text and passes them on; this program understands them. Each is
 * X(NAME, VALUE, NUMBER, TEXT); VALUE is NULL if it takes none.
 */
#ifndef FLEET_OPTION_LIST_H
#define FLEET_OPTION_LIST_H

enum {
	FLEET_OPTION_SERVER = 256,
	FLEET_OPTION_DATABASE,
	FLEET_OPTION_CREDENTIALS,
	FLEET_OPTION_CA,
	FLEET_OPTION_PLAIN,
	FLEET_OPTION_SERVICE,
	FLEET_OPTION_VERSION,
	FLEET_OPTION_HOST,
	FLEET_OPTION_SPOOL,
	FLEET_OPTION_SPOOL_BYTES,
	FLEET_OPTION_EVERY,
	FLEET_OPTION_STORES,
	FLEET_OPTION_STORE_BYTES,
	FLEET_OPTION_FORMAT,
	FLEET_OPTION_EXPERIMENTAL,
	FLEET_OPTION_SYMBOLS,
	FLEET_OPTION_LOST,
	FLEET_OPTION_CLUSTER,
	FLEET_OPTION_SINCE,
	FLEET_OPTION_UNTIL,
	FLEET_OPTION_LIMIT,
	FLEET_OPTION_JSON,
	FLEET_OPTION_TIMEOUT,
	FLEET_OPTION_BY,
	FLEET_OPTION_FAIL,
	FLEET_OPTION_HELP,
	FLEET_OPTION_OUTPUT = 'o',
};

/* clang-format off */
#define FLEET_SERVER_OPTIONS(X) \
	X("server", "URL", FLEET_OPTION_SERVER, "of ClickHouse: http[s]://HOST[:PORT]") \
	X("database", "NAME", FLEET_OPTION_DATABASE, "in it (stackdepot)") \
	X("credentials", "FILE", FLEET_OPTION_CREDENTIALS, "a line USER:PASSWORD, or a token") \
	X("ca-file", "FILE", FLEET_OPTION_CA, "certificates to trust, not the system's") \
	X("plain", NULL, FLEET_OPTION_PLAIN, "send credentials over http to another host, too")

#define FLEET_PUSH_OPTIONS(X) \
	FLEET_SERVER_OPTIONS(X) \
	X("service", "NAME", FLEET_OPTION_SERVICE, "what it is (the name of the store)") \
	X("version", "NAME", FLEET_OPTION_VERSION, \
	  "its release (a line in STORE's name with .version for .stackdepot)") \
	X("host", "NAME", FLEET_OPTION_HOST, "this host (its name)") \
	X("spool", "DIR", FLEET_OPTION_SPOOL, "what waits for the server") \
	X("spool-size", "BYTES", FLEET_OPTION_SPOOL_BYTES, "at most (64M); moments are merged") \
	X("every", "SECONDS", FLEET_OPTION_EVERY, "go on until it is ended") \
	X("stores", "PLACE", FLEET_OPTION_STORES, \
	  "also those in a directory, or of a pattern, anew each time; may come again") \
	X("store-memory", "BYTES", FLEET_OPTION_STORE_BYTES, "that reading one may take (1G)") \
	X("format", "NAME", FLEET_OPTION_FORMAT, \
	  "clickhouse; pprof, to Pyroscope's /ingest or Parca's /api/profiles/writeraw; otlp") \
	X("experimental", NULL, FLEET_OPTION_EXPERIMENTAL, "which otlp is") \
	X("symbols", NULL, FLEET_OPTION_SYMBOLS, "also names for hosts without symbols") \
	X("lost", NULL, FLEET_OPTION_LOST, "also what nothing points to; each process stops for it")

#define FLEET_ASK_OPTIONS(X) \
	FLEET_SERVER_OPTIONS(X) \
	X("service", "NAME", FLEET_OPTION_SERVICE, "only this service") \
	X("version", "NAME", FLEET_OPTION_VERSION, "only this release") \
	X("host", "NAME", FLEET_OPTION_HOST, "only this host") \
	X("since", "TIME", FLEET_OPTION_SINCE, "2026-11-29, 2026-11-29T10:00, 30m or 7d ago") \
	X("until", "TIME", FLEET_OPTION_UNTIL, "likewise (now)") \
	X("limit", "N", FLEET_OPTION_LIMIT, "so many rows (20)") \
	X("json", NULL, FLEET_OPTION_JSON, "for programs") \
	X("timeout", "SECONDS", FLEET_OPTION_TIMEOUT, "that an answer may take (600 a query)") \
	X("by", "KIND", FLEET_OPTION_BY, "of diff, what A and B are: version, host or service") \
	X("fail-on-increase", "BYTES|PERCENT%", FLEET_OPTION_FAIL, "of diff: status 1 beyond") \
	X("output", "FILE", FLEET_OPTION_OUTPUT, "of flame: where to write the page") \
	X("cluster", "NAME", FLEET_OPTION_CLUSTER, "of init: on its shards and replicas")
/* clang-format on */

#endif
