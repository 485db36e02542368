/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* apart.c - fork, limits, and how it ended. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apart.h"
#include "base/complain.h"
#include "base/memory.h"
#include "base/statm.h"
#include "base/status.h"
#include "ended.h"

#define APART_NO_MEMORY 3  /* an exit status */
#define APART_SECONDS 120u /* of a processor */
#define APART_WAIT 600u	   /* of the clock */

/* Less than what holds for this process already is taken, more is not to be had. */
static void apart_limit(int resource, uint64_t value)
{
	struct rlimit limit;

	if (getrlimit((__rlimit_resource_t)resource, &limit))
		return;
	if (limit.rlim_max > value)
		limit.rlim_max = value;
	/* At the lower one of two there is a signal that says why. */
	value = limit.rlim_max - (resource == RLIMIT_CPU && limit.rlim_max > 1);
	if (limit.rlim_cur > value)
		limit.rlim_cur = value;
	(void)setrlimit((__rlimit_resource_t)resource, &limit);
}

static void apart_limits(uint64_t memory_bytes)
{
#if !defined(__SANITIZE_ADDRESS__)
	/* Beside what this process has, which the other one begins with. */
	apart_limit(RLIMIT_DATA, statm_read(0).data + memory_bytes);
#endif
	apart_limit(RLIMIT_FSIZE, memory_bytes);
	apart_limit(RLIMIT_CPU, APART_SECONDS);
	(void)alarm(APART_WAIT);
}

static void apart_be(apart_fn *run, void *context, uint64_t memory_bytes, FILE *out, pid_t parent)
{
	bool good;

	ended_forget();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(STATUS_FAILED);
	apart_limits(memory_bytes);
	memory_begin(APART_NO_MEMORY);
	good = run(context, out);
	_exit(good && !fflush(out) && !ferror(out) ? STATUS_CLEAN : STATUS_FAILED);
}

/* What it failed at by itself it has complained about. */
static bool apart_judge(int status, const char *name)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == APART_NO_MEMORY)
		complain("%s: reading it takes more memory than --store-memory allows", name);
	else if (WIFSIGNALED(status) &&
		 (WTERMSIG(status) == SIGALRM || WTERMSIG(status) == SIGXCPU))
		complain("%s: reading it took too long", name);
	else if (WIFSIGNALED(status) && !ended()) /* a signal to all of us ends that one first */
		complain("%s: reading it came to an end, by signal %d", name, WTERMSIG(status));
	return WIFEXITED(status) && WEXITSTATUS(status) == STATUS_CLEAN;
}

static bool apart_wait(pid_t pid, const char *name)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return apart_judge(status, name);
}

static FILE *apart_file(void)
{
	int fd = memfd_create("stackdepot-fleet", MFD_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w+");

	if (!file && fd >= 0)
		(void)close(fd);
	return file;
}

FILE *apart_run(apart_fn *run, void *context, uint64_t memory_bytes, const char *name)
{
	FILE *out = apart_file();
	const pid_t parent = getpid(), pid = out ? fork() : -1;

	if (!pid)
		apart_be(run, context, memory_bytes, out, parent);
	if (pid < 0)
		complain("%s: %s", name, strerror(errno));
	if (pid > 0 && apart_wait(pid, name)) {
		rewind(out);
		return out;
	}
	if (out)
		(void)fclose(out);
	return NULL;
}
