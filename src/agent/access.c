/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* access.c - tokens, names of this host, rates. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "base/hash.h"
#include "base/memory.h"
#include "clock.h"
#include "bounds.h"

#define BURST 2 /* seconds of the rate that may come at once */

/* --- tokens ----------------------------------------------------------------------------------- */

bool access_is_token(const char *token, const char *given)
{
	const size_t length = strlen(token), given_length = strlen(given);
	volatile unsigned char difference = length != given_length;
	size_t i;

	/* Goes on to the end of the token, whatever is found; its length is no secret. */
	for (i = 0; i < length; i++)
		difference |= (unsigned char)(token[i] ^ (i < given_length ? given[i] : 0));
	return !difference;
}

/* --- names ------------------------------------------------------------------------------------ */

bool access_is_local_name(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];
	char name[64];
	size_t length;

	if (*host == '[') {
		length = strcspn(++host, "]");
		if (!host[length] || length >= sizeof(name))
			return false;
		memcpy(name, host, length);
		name[length] = '\0';
		return inet_pton(AF_INET6, name, address) == 1;
	}
	length = strcspn(host, ":");
	if (length >= sizeof(name))
		return false;
	memcpy(name, host, length);
	name[length] = '\0';
	return inet_pton(AF_INET, name, address) == 1 || !strcasecmp(name, "localhost");
}

/* --- rates ------------------------------------------------------------------------------------ */

struct access_rate {
	double left;
	uint64_t time_ns; /* 0: nobody came */
};

struct access_rates {
	double rate;
	uint64_t seed; /* so that nobody chooses with whom to share */
	struct access_rate clients[BOUND_CLIENTS];
};

struct access_rates *access_rates_open(double rate)
{
	struct access_rates *rates = memory_alloc(sizeof(*rates));

	rates->rate = rate;
	rates->seed = hash_word(clock_now_ns(), (uintptr_t)rates);
	return rates;
}

void access_rates_close(struct access_rates *rates)
{
	free(rates);
}

/* Of IPv6, whoever has one address has all of its /64. */
static uint64_t access_client(const struct access_rates *rates, const struct sockaddr *client)
{
	uint64_t word = 0;

	if (client->sa_family == AF_INET)
		memcpy(&word, &((const struct sockaddr_in *)(const void *)client)->sin_addr, 4);
	else if (client->sa_family == AF_INET6)
		memcpy(&word, &((const struct sockaddr_in6 *)(const void *)client)->sin6_addr, 8);
	return hash_word(rates->seed, word) % BOUND_CLIENTS;
}

bool access_may(struct access_rates *rates, const struct sockaddr *client, double cost)
{
	struct access_rate *rate = &rates->clients[access_client(rates, client)];
	const double most = rates->rate * BURST;
	const uint64_t now = clock_now_ns();

	if (!rate->time_ns)
		rate->left = most;
	else
		rate->left += (double)(now - rate->time_ns) / 1e9 * rates->rate;
	rate->time_ns = now;
	if (rate->left > most)
		rate->left = most;
	if (rate->left < 1)
		return false;
	rate->left -= cost;
	return true;
}
