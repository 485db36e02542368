/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * route.c - what a path asks for.
 *
 * A service is named by the query, or by what stands in front of the path: those who scrape
 * profiles put "/debug/pprof/heap" behind a prefix of one's choice.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "route.h"

#define SERVICES "/services/"
#define SECONDS_DIGITS 4

static const struct {
	const char *path;
	enum route_kind kind;
	enum picture_kind picture;
	bool of_service; /* may have one in front */
	const char *question;
} routes[] = {
	{"/", ROUTE_PAGE, 0, false, NULL},
	{"/overview.json", ROUTE_OVERVIEW, 0, false, NULL},
	{"/metrics", ROUTE_METRICS, 0, false, NULL},
	{"/debug/pprof", ROUTE_INDEX, 0, true, NULL},
	{"/debug/pprof/", ROUTE_INDEX, 0, true, NULL},
	{"/debug/pprof/heap", ROUTE_PICTURE, PICTURE_HEAP, true, NULL},
	{"/debug/pprof/allocs", ROUTE_PICTURE, PICTURE_ALLOCS, true, NULL},
	{"/flame", ROUTE_PICTURE, PICTURE_FLAME, true, NULL},
	{"/lost", ROUTE_PICTURE, PICTURE_LOST, true, NULL},
	{"/fleet/services", ROUTE_PICTURE, PICTURE_FLEET, false, "services"},
	{"/fleet/growth", ROUTE_PICTURE, PICTURE_FLEET, false, "growth"},
	{"/fleet/top", ROUTE_PICTURE, PICTURE_FLEET, false, "top"},
	{"/fleet/errors", ROUTE_PICTURE, PICTURE_FLEET, false, "errors"},
	{"/fleet/stack", ROUTE_PICTURE, PICTURE_FLEET, false, "stack"},
	{"/fleet/flame", ROUTE_PICTURE, PICTURE_FLEET_FLAME, false, "flame"},
};

#define ROUTES (sizeof(routes) / sizeof(routes[0]))

/* How long the name is that stands before the END of a path; 0 if it does not end so. */
static size_t route_service(const char *path, const char *end)
{
	const size_t length = strlen(path), before = strlen(SERVICES), after = strlen(end);

	if (strncmp(path, SERVICES, before) || length <= before + after ||
	    strcmp(path + length - after, end))
		return 0;
	return length - before - after;
}

struct route route_of(const char *path)
{
	struct route route = {.kind = ROUTE_NONE};
	size_t i, length;

	for (i = 0; i < ROUTES; i++) {
		const bool whole = !strcmp(path, routes[i].path);

		length = !whole && routes[i].of_service ? route_service(path, routes[i].path) : 0;
		if ((!whole && !length) || length >= sizeof(route.service))
			continue;
		if (length)
			memcpy(route.service, path + strlen(SERVICES), length);
		route.kind = routes[i].kind;
		route.picture = routes[i].picture;
		route.question = routes[i].question;
		return route;
	}
	return route;
}

bool route_seconds(const char *text, unsigned int *ret_seconds)
{
	unsigned long seconds;

	if (!*text || strlen(text) > SECONDS_DIGITS || text[strspn(text, "0123456789")])
		return false;
	seconds = strtoul(text, NULL, 10);
	if (seconds > BOUND_SECONDS)
		return false;
	*ret_seconds = (unsigned int)seconds;
	return true;
}
