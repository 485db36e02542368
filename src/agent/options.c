/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* options.c - the command line, the address, the token. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/complain.h"
#include "base/memory.h"
#include "base/status.h"
#include "find/find.h"
#include "options.h"

#define LISTEN "127.0.0.1:9920"
#define INTERVAL_NS 10000000000ull
#define INTERVAL_MIN 1
#define INTERVAL_MAX 3600
#define RATE 50
#define PUSH_NS 60000000000ull
#define PUSH_MAX 86400
#define RATE_MAX 1000000
#define WORKER_MIB 256
#define WORKER_MIB_MIN 16
#define WORKER_MIB_MAX 65536
#define TOKEN_BYTES_MIN 16
#define TOKEN_BYTES 4096

static const struct option agent_options[] = {
	{"allow-lost", no_argument, NULL, 'a'},
	{"help", no_argument, NULL, 'h'},
	{"interval", required_argument, NULL, 'i'},
	{"listen", required_argument, NULL, 'l'},
	{"push", required_argument, NULL, 'p'},
	{"push-ca-file", required_argument, NULL, 'f'},
	{"push-credentials", required_argument, NULL, 'c'},
	{"push-every", required_argument, NULL, 'e'},
	{"push-spool", required_argument, NULL, 'o'},
	{"rate", required_argument, NULL, 'r'},
	{"stores", required_argument, NULL, 's'},
	{"token-file", required_argument, NULL, 't'},
	{"version", no_argument, NULL, 'v'},
	{"worker-memory", required_argument, NULL, 'w'},
	{NULL, 0, NULL, 0},
};

static int options_bad(const char *name, const char *value)
{
	complain("agent: --%s cannot be '%s'; stackdepot agent --help says more", name, value);
	return STATUS_FAILED;
}

static bool options_number(const char *text, double least, double most, double *ret_number)
{
	char *end;
	double number = strtod(text, &end);

	if (end == text || *end || !(number >= least) || !(number <= most))
		return false;
	*ret_number = number;
	return true;
}

/* --- the address ------------------------------------------------------------------------------ */

static bool options_port(const char *text, in_port_t *ret_port)
{
	double port;

	if (!*text || text[strspn(text, "0123456789")] || !options_number(text, 0, 65535, &port))
		return false;
	*ret_port = htons((uint16_t)port);
	return true;
}

/* "127.0.0.1:80" or "[::1]:80". */
static bool options_listen(struct agent_options *options, const char *text)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&options->address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&options->address;
	const char *colon = strrchr(text, ':');
	char host[64];

	memset(&options->address, 0, sizeof(options->address));
	if (!colon || (size_t)(colon - text) >= sizeof(host))
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		options->address_bytes = sizeof(*v4);
		return options_port(colon + 1, &v4->sin_port);
	}
	if (host[0] != '[' || host[strlen(host) - 1] != ']')
		return false;
	host[strlen(host) - 1] = '\0';
	v6->sin6_family = AF_INET6;
	options->address_bytes = sizeof(*v6);
	return inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1 &&
	       options_port(colon + 1, &v6->sin6_port);
}

static bool options_is_loopback(const struct agent_options *options)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&options->address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&options->address;

	if (options->address.ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

/* --- the token -------------------------------------------------------------------------------- */

static bool options_take_token(struct agent_options *options, FILE *file, const char *path)
{
	char token[TOKEN_BYTES + 1];
	size_t length = fread(token, 1, sizeof(token) - 1, file);
	struct stat st;

	token[length] = '\0';
	length = strcspn(token, "\r\n");
	token[length] = '\0';
	if (fstat(fileno(file), &st) || !S_ISREG(st.st_mode) ||
	    st.st_mode & (S_IROTH | S_IWGRP | S_IWOTH))
		complain("%s: a token is a regular file that others can neither read nor write",
			 path);
	else if (length < TOKEN_BYTES_MIN || length >= TOKEN_BYTES)
		complain("%s: a token has %d characters at least", path, TOKEN_BYTES_MIN);
	else
		options->token = memory_strdup(token);
	explicit_bzero(token, sizeof(token));
	return options->token;
}

static bool options_token(struct agent_options *options, const char *path)
{
	FILE *file = fopen(path, "re");
	bool good;

	free(options->token);
	options->token = NULL;
	if (!file) {
		complain("%s: %s", path, strerror(errno));
		return false;
	}
	good = options_take_token(options, file, path);
	(void)fclose(file);
	return good;
}

/* --- places ----------------------------------------------------------------------------------- */

static void options_place(struct agent_options *options, const char *place)
{
	find_add_place(&options->places, &options->nr_places, place);
}

/*
 * Where services have their stores; a service with a user of its own has them below private/, as
 * systemd has it. By hand, `run` leaves them in the working directory.
 */
static void options_default_places(struct agent_options *options)
{
	char *here = getcwd(NULL, 0);

	options_place(options, "/var/lib/stackdepot");
	options_place(options, "/var/lib/stackdepot/*");
	options_place(options, "/var/lib/private/stackdepot");
	options_place(options, "/var/lib/private/stackdepot/*");
	if (here && strcmp(here, "/"))
		options_place(options, here);
	free(here);
}

/* ---------------------------------------------------------------------------------------------- */

static bool options_take_push(struct agent_options *options, int option, const char *value)
{
	double number;

	switch (option) {
	case 'e':
		if (!options_number(value, INTERVAL_MIN, PUSH_MAX, &number))
			return false;
		options->push_ns = (uint64_t)(number * 1e9);
		return true;
	case 'c':
		options->push_credentials = value;
		return *value;
	case 'f':
		options->push_authority = value;
		return *value;
	case 'o':
		options->push_spool = value;
		return *value;
	default:
		options->push_server = value;
		return *value;
	}
}

static bool options_take(struct agent_options *options, int option, const char *value)
{
	double number;

	switch (option) {
	case 'a':
		return options->allow_lost = true;
	case 'c':
	case 'e':
	case 'f':
	case 'o':
	case 'p':
		return options_take_push(options, option, value);
	case 'i':
		if (!options_number(value, INTERVAL_MIN, INTERVAL_MAX, &number))
			return false;
		options->interval_ns = (uint64_t)(number * 1e9);
		return true;
	case 'l':
		return options_listen(options, value);
	case 'r':
		return options_number(value, 1, RATE_MAX, &options->rate);
	case 'w':
		if (!options_number(value, WORKER_MIB_MIN, WORKER_MIB_MAX, &number))
			return false;
		options->worker_bytes = (uint64_t)number << 20;
		return true;
	default:
		options_place(options, value);
		return *value;
	}
}

static int options_end(struct agent_options *options, int argc)
{
	if (optind < argc) {
		complain("agent: takes options alone; stackdepot agent --help says more");
		return STATUS_FAILED;
	}
	if (!options->token && !options_is_loopback(options)) {
		complain("agent: others reach that address, so --token-file is needed; nothing is "
			 "served");
		return STATUS_FAILED;
	}
	if (!options->nr_places)
		options_default_places(options);
	return 0;
}

int agent_options_parse(struct agent_options *options, int argc, char **argv, bool *ret_said)
{
	int option, which;

	*options = (struct agent_options){.rate = RATE};
	(void)options_listen(options, LISTEN);
	options->interval_ns = INTERVAL_NS;
	options->push_ns = PUSH_NS;
	options->worker_bytes = (uint64_t)WORKER_MIB << 20;
	while ((option = getopt_long(argc, argv, "", agent_options, &which)) >= 0) {
		if (option == 'h' || option == 'v') {
			*ret_said = true;
			puts(option == 'v'
				     ? "stackdepot-agent " STACKDEPOT_VERSION
				     : "stackdepot-agent(1) has the options, and so has stackdepot "
				       "agent --help");
			return STATUS_CLEAN;
		}
		if (option == '?')
			return STATUS_FAILED;
		if (option == 't' && !options_token(options, optarg))
			return STATUS_FAILED;
		if (option != 't' && !options_take(options, option, optarg))
			return options_bad(agent_options[which].name, optarg);
	}
	return options_end(options, argc);
}

void agent_options_free(struct agent_options *options)
{
	size_t i;

	for (i = 0; i < options->nr_places; i++)
		free(options->places[i]);
	free(options->places);
	if (options->token)
		explicit_bzero(options->token, strlen(options->token));
	free(options->token);
}
