/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* worker.c - a process for a piece of work, within limits. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/status.h"
#include "bounds.h"
#include "worker.h"

#define WORKER_NICE 10

static void worker_limit(int resource, uint64_t value)
{
	const struct rlimit limit = {value, value};

	(void)setrlimit((__rlimit_resource_t)resource, &limit);
}

static void worker_limits(const struct worker_start *start)
{
#if !defined(__SANITIZE_ADDRESS__)
	worker_limit(RLIMIT_DATA, start->memory_bytes);
#endif
	worker_limit(RLIMIT_CPU, start->cpu_seconds);
	if (!start->keeps_files)
		worker_limit(RLIMIT_FSIZE, BOUND_OUTPUT_BYTES);
	worker_limit(RLIMIT_CORE, 0);
	(void)!nice(WORKER_NICE);
}

/* What is waited for by the process that serves is not for this one. */
static void worker_signals(void)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
}

/*
 * Standard streams alone are left open: clients are not held by a worker. Whoever serves has these
 * three open himself, so OUT and ERRORS are none of them.
 */
static void worker_streams(const struct worker_start *start)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(start->out, STDOUT_FILENO) < 0)
		_exit(STATUS_FAILED);
	if (dup2(start->errors >= 0 ? start->errors : nothing, STDERR_FILENO) < 0)
		_exit(STATUS_FAILED);
	(void)close_range(STDERR_FILENO + 1, ~0u, 0);
}

static void worker_run(const struct worker_start *start, pid_t parent)
{
	int status;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(STATUS_FAILED);
	worker_streams(start);
	worker_signals();
	worker_limits(start);
	memory_begin(WORKER_NO_MEMORY);
	status = start->run(start->context);
	if (!status && fflush(stdout))
		status = STATUS_FAILED;
	_exit(status);
}

pid_t worker_start(const struct worker_start *start)
{
	pid_t parent = getpid(), worker = fork();

	if (!worker)
		worker_run(start, parent);
	return worker;
}

void worker_kill(pid_t worker)
{
	if (worker > 0)
		(void)kill(worker, SIGKILL);
}
