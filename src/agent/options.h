/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* options.h - how the agent is told what to do. */
#ifndef AGENT_OPTIONS_H
#define AGENT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct agent_options {
	struct sockaddr_storage address;
	socklen_t address_bytes;
	char **places; /* of stores; absolute */
	size_t nr_places;
	char *token;	 /* NULL: none is asked for */
	bool allow_lost; /* programs may be stopped for it */
	uint64_t interval_ns;
	double rate; /* requests a second of a client */
	uint64_t worker_bytes;
	const char *push_server; /* NULL: nothing is pushed */
	const char *push_credentials;
	const char *push_authority; /* a file of certificates; NULL: the system's */
	const char *push_spool;
	uint64_t push_ns;
};

/* 0; an exit status after a complaint, or what was asked for was said: then RET_SAID is set. */
int agent_options_parse(struct agent_options *options, int argc, char **argv, bool *ret_said);
void agent_options_free(struct agent_options *options);

#endif
