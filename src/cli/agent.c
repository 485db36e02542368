/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * agent.c - `stackdepot agent`: run the daemon.
 *
 * It is a program of its own, stackdepot-agent, as it serves HTTP: who has the tool alone needs no
 * library for that. It lies where this one does.
 */
#define _GNU_SOURCE
#include "base/beside.h"
#include "options.h"

#define AGENT "stackdepot-agent"

static const struct command_option agent_options[] = {
	{"listen", "ADDR:PORT", 256,
	 "where to listen (127.0.0.1:9920); others than this host take a token", false},
	{"stores", "PLACE", 257, "a store, a directory of them, or a pattern; may come again",
	 false},
	{"token-file", "FILE", 258, "the token that clients have to give", false},
	{"interval", "SECONDS", 259, "from point to point of a history (10)", false},
	{"rate", "N", 260, "requests a second that a client may make (50)", false},
	{"allow-lost", NULL, 266, "look for lost objects, which stops a program for milliseconds",
	 false},
	{"worker-memory", "MIB", 261, "memory that reading a store may take (256)", false},
	{"push", "URL", 262, "also tell this server, as stackdepot push does", false},
	{"push-credentials", "FILE", 263, "a line USER:PASSWORD, or a token, for it", false},
	{"push-ca-file", "FILE", 267, "certificates to trust of it, not the system's", false},
	{"push-spool", "DIR", 264, "what waits for it", false},
	{"push-every", "SECONDS", 265, "how often (60)", false},
	OPTIONS_END,
};

/* Values are the agent's to judge. */
static enum option_status agent_option(void *context, int option, const char *value)
{
	(void)context;
	(void)option;
	(void)value;
	return OPTION_GOOD;
}

static int agent_run(int argc, char **argv)
{
	const struct options parse = {.command = &command_agent, .take = agent_option};
	int status = options_parse(&parse, argc, argv);

	if (status)
		return status;
	if (optind < argc)
		return options_complain(&command_agent, "takes options alone, not '%s'",
					argv[optind]);
	return beside_exec(AGENT, "agent", argv);
}

const struct command command_agent = {
	.name = "agent",
	.usage = {"agent [OPTION]...\tserve what the stores of this host hold"},
	.options = agent_options,
	.run = agent_run,
};
