/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * main.c - `stackdepot agent`: one small daemon a host.
 *
 * This process serves, and reads no store. It waits in one place for its clients, for the worker
 * that looks at the stores, for workers that end, and for the signal that ends it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/complain.h"
#include "base/status.h"
#include "clock.h"
#include "jobs.h"
#include "look.h"
#include "options.h"
#include "push.h"
#include "serve.h"

#define WAIT_MS_MAX 60000

struct agent {
	struct agent_options options;
	struct look *look;
	struct jobs *jobs;
	struct push *push;
	struct serve *serve;
	int signals;
};

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Milliseconds until something is due. */
static int agent_wait_ms(const struct agent *agent)
{
	uint64_t due_ns = least(least(look_due_ns(agent->look), push_due_ns(agent->push)),
				least(jobs_due_ns(agent->jobs), serve_due_ns(agent->serve)));
	const uint64_t now = clock_now_ns();

	if (due_ns <= now)
		return 0;
	due_ns = (due_ns - now) / 1000000u + 1;
	return due_ns > WAIT_MS_MAX ? WAIT_MS_MAX : (int)due_ns;
}

/* True: the signal was one to end by. */
static bool agent_signals(const struct agent *agent)
{
	struct signalfd_siginfo info;
	bool end = false;

	while (read(agent->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		end |= info.ssi_signo != SIGCHLD;
	return end;
}

static void agent_run(struct agent *agent)
{
	do {
		struct pollfd wait[] = {
			{agent->signals, POLLIN, 0},
			{serve_fd(agent->serve), POLLIN, 0},
			{look_fd(agent->look), POLLIN, 0},
		};

		(void)poll(wait, 3, agent_wait_ms(agent));
		if (look_step(agent->look))
			serve_looked(agent->serve);
		jobs_step(agent->jobs, serve_ready);
		push_step(agent->push);
		serve_step(agent->serve);
		/* What was ordered just now may begin. */
		jobs_step(agent->jobs, serve_ready);
	} while (!agent_signals(agent));
}

static bool agent_open_signals(struct agent *agent)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	agent->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return agent->signals >= 0;
}

static int agent_serve(struct agent *agent)
{
	if (!agent_open_signals(agent))
		return STATUS_FAILED;
	agent->look = look_open(&agent->options);
	agent->jobs = jobs_open(agent->options.worker_bytes);
	agent->push = push_open(&agent->options, agent->look);
	agent->serve = serve_open(&agent->options, agent->look, agent->jobs, agent->push);
	if (agent->serve) {
		printf("stackdepot-agent: %s\n", serve_address(agent->serve));
		fflush(stdout);
		agent_run(agent);
		serve_close(agent->serve);
	}
	push_close(agent->push);
	jobs_close(agent->jobs);
	look_close(agent->look);
	(void)close(agent->signals);
	return agent->serve ? STATUS_CLEAN : STATUS_FAILED;
}

/* So that no file of ours ever has the number of a standard stream. */
static bool agent_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	return fd >= 0 && !close(fd);
}

int main(int argc, char **argv)
{
	const struct rlimit none = {0, 0};
	struct agent agent = {.signals = -1};
	bool said = false;
	int status;

	/* The token is in this memory, which is for no file. */
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	/* A stranger's store does not make this host ask others for its symbols. */
	(void)unsetenv("DEBUGINFOD_URLS");
	if (!agent_streams())
		return STATUS_FAILED;
	status = agent_options_parse(&agent.options, argc, argv, &said);
	if (!status && !said)
		status = agent_serve(&agent);
	agent_options_free(&agent.options);
	return status;
}
