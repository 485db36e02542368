/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * ask.h - a question to the server of the fleet that this agent pushes to.
 *
 * The agent speaks no HTTP but its own. A worker becomes `stackdepot fleet QUESTION --json`, with
 * the bounds that each worker has; credentials stay in their file.
 */
#ifndef AGENT_ASK_H
#define AGENT_ASK_H

#define ASK_TEXT_BYTES 256u
#define ASK_SINCE_BYTES 8u
#define ASK_ID_BYTES 40u

struct ask {
	const char *question; /* as `stackdepot fleet` calls it */
	const char *server;
	const char *credentials; /* NULL: none */
	const char *authority;	 /* a file of certificates; NULL: the system's */
	/* Empty: not said. */
	char service[ASK_TEXT_BYTES];
	char since[ASK_SINCE_BYTES]; /* 12h, 7d */
	char stack[ASK_ID_BYTES];
};

/* Words of a client's; NULL, or a complaint. */
const char *ask_set(struct ask *ask, const char *service, const char *since, const char *stack);
/* In a worker: become it. An exit status, if that fails. */
int ask_become(const struct ask *ask);

#endif
