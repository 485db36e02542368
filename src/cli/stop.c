/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * stop.c - `stackdepot run` stops with its program, and goes on with it.
 *
 * Who waits for us has to see what he would see of the program, so we stop as it does. It may be
 * continued alone, by its number; a parent hears of that, but not one that is stopped. So for as
 * long as we are, a child looks what the two do. It blocks all signals: those that the terminal
 * sends to the job are not for it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/pause.h"
#include "stop.h"

#define STOP_LOOK_SECONDS 0.01
#define STOP_LOOK_SECONDS_MAX 0.32

static volatile pid_t stop_watcher;

/* The letter of a process's state; 0 without /proc, or without the process. */
static char stop_state(pid_t process)
{
	char path[32], text[512];
	const char *end;
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)process);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	if (length <= 0)
		return 0;
	text[length] = '\0';
	end = strrchr(text, ')');
	return end && end[1] ? end[2] : '\0';
}

static bool stop_is_stopped(char state)
{
	return state == 'T' || state == 't';
}

/* Ends when we go on, and sees to it if the program does. */
static void stop_watch(pid_t program, pid_t us)
{
	double seconds = STOP_LOOK_SECONDS;
	bool stopped = false;

	while (getppid() == us && stop_state(us)) {
		const bool now = stop_is_stopped(stop_state(us));

		if (stopped && !now)
			return;
		stopped = now;
		if (stopped && !stop_is_stopped(stop_state(program))) {
			kill(us, SIGCONT);
			return;
		}
		pause_for(seconds);
		if (seconds < STOP_LOOK_SECONDS_MAX)
			seconds *= 2;
	}
}

static void stop_begin_watching(pid_t program)
{
	const pid_t us = getpid();
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	stop_watcher = fork();
	if (!stop_watcher) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		stop_watch(program, us);
		_exit(0);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static void stop_end_watching(void)
{
	if (stop_watcher > 0) {
		kill(stop_watcher, SIGKILL);
		while (waitpid(stop_watcher, NULL, 0) < 0 && kill(stop_watcher, 0) == 0)
			;
	}
	stop_watcher = 0;
}

bool stop_was_ended_by(pid_t sender)
{
	return stop_watcher > 0 && sender == stop_watcher;
}

void stop_with(pid_t program, int number)
{
	const struct sigaction plain = {.sa_handler = SIG_DFL};
	struct sigaction old;
	bool changed = !sigaction(number, &plain, &old);

	stop_begin_watching(program);
	kill(getpid(), number);
	stop_end_watching();
	if (changed)
		sigaction(number, &old, NULL);
}
