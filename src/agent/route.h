/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* route.h - what a path asks for. */
#ifndef AGENT_ROUTE_H
#define AGENT_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "picture.h"

enum route_kind {
	ROUTE_NONE,
	ROUTE_PAGE,
	ROUTE_OVERVIEW,
	ROUTE_METRICS,
	ROUTE_INDEX,
	ROUTE_PICTURE
};

#define ROUTE_SERVICE_BYTES 1024u

struct route {
	enum route_kind kind;
	enum picture_kind picture;
	const char *question;		   /* of a picture of the fleet */
	char service[ROUTE_SERVICE_BYTES]; /* that the path names; empty: none */
};

/* PATH is decoded. What it names is as the names of Go's net/http/pprof. */
struct route route_of(const char *path);
/* A number of seconds, without sign or fraction; false if it is none, or too large. */
bool route_seconds(const char *text, unsigned int *ret_seconds);

#endif
