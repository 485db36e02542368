/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* access.h - who may ask, and how often. */
#ifndef AGENT_ACCESS_H
#define AGENT_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Is it the token? How long that takes does not tell how much of it is right. */
bool access_is_token(const char *token, const char *given);
/*
 * Without a token, nobody but who is on this host may ask. A page of a stranger's, which a browser
 * on this host shows, can have its own name lead here: so HOST has to be an address or localhost.
 */
bool access_is_local_name(const char *host);

/* How much clients have asked for, by address; those of equal hash share. */
struct access_rates;

struct access_rates *access_rates_open(double rate);
void access_rates_close(struct access_rates *rates);
/* May this client have something that costs so much? Most things cost 1. */
bool access_may(struct access_rates *rates, const struct sockaddr *client, double cost);

#endif
