/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* ask.c - words of a client's as the command line of `stackdepot fleet`. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "base/beside.h"
#include "base/clean.h"
#include "base/memory.h"

#define ASK_WORDS 13
#define ASK_LIMIT "--limit=100"
/* Less than BOUND_WORKER_SECONDS, so that it is told why. */
#define ASK_TIMEOUT "--timeout=25"
#define DIGITS "0123456789"

static bool ask_is_since(const char *text)
{
	const size_t digits = strspn(text, DIGITS);

	return digits && digits < 5 && strchr("mhdw", text[digits]) && text[digits] &&
	       !text[digits + 1];
}

static bool ask_is_id(const char *text)
{
	return *text && *text != '-' && !text[strspn(text, DIGITS "abcdef-")];
}

const char *ask_set(struct ask *ask, const char *service, const char *since, const char *stack)
{
	if (strlen(service) >= sizeof(ask->service) || !clean_is(service))
		return "service= has a name";
	if (strlen(since) >= sizeof(ask->since) || (*since && !ask_is_since(since)))
		return "since= is as 12h or 7d";
	if (strlen(stack) >= sizeof(ask->stack) || (*stack && !ask_is_id(stack)))
		return "id= has the ID of a stack";
	if (!*stack && !strcmp(ask->question, "stack"))
		return "of which stack? id= has its ID";
	strcpy(ask->service, service);
	strcpy(ask->since, since);
	strcpy(ask->stack, stack);
	return NULL;
}

/* Each value stands behind its option, so that none is taken for another one. */
int ask_become(const struct ask *ask)
{
	char *words[ASK_WORDS] = {"stackdepot-fleet", "fleet", (char *)(uintptr_t)ask->question};
	size_t nr = 3;

	words[nr++] = memory_print("--server=%s", ask->server);
	if (ask->credentials)
		words[nr++] = memory_print("--credentials=%s", ask->credentials);
	if (ask->authority)
		words[nr++] = memory_print("--ca-file=%s", ask->authority);
	if (*ask->service)
		words[nr++] = memory_print("--service=%s", ask->service);
	if (*ask->since)
		words[nr++] = memory_print("--since=%s", ask->since);
	if (!strcmp(ask->question, "stack"))
		words[nr++] = memory_strdup(ask->stack);
	words[nr++] = ASK_LIMIT;
	words[nr++] = ASK_TIMEOUT;
	words[nr++] = strcmp(ask->question, "flame") ? "--json" : "--output=-";
	return beside_exec("stackdepot-fleet", "fleet", words);
}
