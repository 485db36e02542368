/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* send.h - what is in a spool goes to its server. */
#ifndef FLEET_SEND_H
#define FLEET_SEND_H

#include <stdbool.h>

#include "server.h"
#include "spool.h"

/* Back-off; all zero to begin. */
struct send {
	unsigned int failed; /* times, one after the other */
	double not_before;   /* CLOCK_MONOTONIC, in seconds */
	bool said;	     /* that it fails */
};

/* Send what waits, the oldest first, unless it is too early to try again. Is the spool empty? */
bool send_spool(struct send *send, const struct spool *spool, struct server *server);
/* So many seconds until it makes sense to try again. */
double send_wait(const struct send *send);

#endif
