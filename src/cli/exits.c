/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * exits.c - look at processes before they end.
 *
 * Not from the process that waits for the program: who traces a child of his own is told by wait()
 * of its stops, not of its end. One that ends allows to be traced by whoever may (exit.c of the
 * recorder), so a process beside will do. It lives as long as `stackdepot run`, and is deaf to
 * the signals that are for the program.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/complain.h"
#include "base/memory.h"
#include "exits.h"
#include "profile/alive.h"
#include "profile/lost_stacks.h"
#include "stackdepot/store.h"

#define EXITS_LOOK_NS 1000000 /* for a store to be there */
#define EXITS_WAIT_MS 200
#define EXITS_SIGNAL SIGRTMAX /* the run is over */

static pid_t exits_looker;
static volatile sig_atomic_t exits_over;

/* The process that is looked at, to be let go when it was copied. */
struct exits_one {
	struct stackdepot_exits *exits;
	uint32_t serial;
};

static void exits_let_go(void *context)
{
	const struct exits_one *one = context;

	stackdepot_exits_done(one->exits, one->serial);
}

static bool exits_find(struct stackdepot_store *store, uint32_t serial,
		       struct stackdepot_store_info *ret_info)
{
	uint64_t position = 0;

	while (stackdepot_store_next_process(store, &position, ret_info))
		if (ret_info->serial == serial)
			return true;
	return false;
}

static void exits_look_at(const char *path, const struct exits_one *one)
{
	const struct lost_copied copied = {exits_let_go, (void *)(uintptr_t)one};
	struct stackdepot_store *store;
	struct stackdepot_store_info info;
	struct lost_found found;
	struct lost lost;
	int error = stackdepot_store_open(path, &store);

	if (error)
		return;
	error = exits_find(store, one->serial, &info) && alive_is_near(&info) ? 0 : -ESRCH;
	if (!error)
		error = lost_find(store, &info, path, &copied, &lost);
	stackdepot_store_close(store);
	if (error) {
		complain("process %u, when it ended: %s", info.pid, lost_error(error));
		return;
	}
	lost_found_from(&lost, &found);
	if (!lost_keep(path, &info, &found))
		complain("%s.lost.%u: %s", path, one->serial, strerror(errno));
	lost_found_free(&found);
	lost_release(&lost);
}

static struct stackdepot_exits *exits_open(const char *path, pid_t parent)
{
	const struct timespec moment = {.tv_nsec = EXITS_LOOK_NS};
	struct stackdepot_exits *exits;

	while (stackdepot_exits_open(path, &exits)) {
		(void)nanosleep(&moment, NULL);
		if (getppid() != parent || exits_over)
			_exit(0);
	}
	return exits;
}

static void exits_end_of_run(int number)
{
	(void)number;
	exits_over = true;
}

static void exits_no_memory(void)
{
	_exit(1);
}

static __attribute__((noreturn)) void exits_run(const char *path, pid_t parent)
{
	struct exits_one one = {0};
	const struct sigaction action = {.sa_handler = exits_end_of_run};
	sigset_t all;

	(void)sigaction(EXITS_SIGNAL, &action, NULL);
	sigfillset(&all);
	(void)sigdelset(&all, EXITS_SIGNAL);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	memory_end_by(NULL, exits_no_memory);
	one.exits = exits_open(path, parent);
	while (getppid() == parent && !exits_over) {
		one.serial = stackdepot_exits_next(one.exits, EXITS_WAIT_MS);
		if (!one.serial)
			continue;
		exits_look_at(path, &one);
		stackdepot_exits_done(one.exits, one.serial);
	}
	stackdepot_exits_close(one.exits);
	_exit(0);
}

bool exits_begin(const char *store)
{
	const pid_t parent = getpid();

	exits_looker = fork();
	if (!exits_looker)
		exits_run(store, parent);
	if (exits_looker < 0)
		complain("fork: %s", strerror(errno));
	return exits_looker > 0;
}

/* What was found of the last one may not be written yet. */
void exits_end(void)
{
	if (exits_looker <= 0)
		return;
	(void)kill(exits_looker, EXITS_SIGNAL);
	(void)waitpid(exits_looker, NULL, 0);
	exits_looker = 0;
}
