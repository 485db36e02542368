/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* bodies.h - a profile as servers want to have it sent. */
#ifndef FLEET_BODIES_H
#define FLEET_BODIES_H

#include <stdbool.h>

#include "options.h"
#include "rows.h"
#include "server.h"

/* Of which process it is. */
struct body_labels {
	const char *service;
	const char *host;
	const char *version; /* "" if nobody said */
};

/* PROFILE to the server; of pprof the end of the address says what it is; see bodies.c. */
enum server_answer body_send(struct server *server, enum fleet_format format,
			     const struct body_labels *labels, const struct rows *profile);
/* Does an address, whose server is sent pprof, say which one it is? */
bool body_knows(const char *url);

#endif
