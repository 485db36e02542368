/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * stop.c - stop all threads of a process by ptrace(2).
 *
 * PTRACE_SEIZE and PTRACE_INTERRUPT send no signal, so nobody's handler runs and no parent is told;
 * a process that was stopped by job control stays so afterwards. If this tool is killed, the kernel
 * lets them go on.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

#include "stop.h"

#define WAIT_NS 2000000000ull
#define LOOK_NS 50000

#if defined(__x86_64__)
#define SP(registers) ((registers)->rsp)
#define VECTORS NT_X86_XSTATE
#elif defined(__aarch64__)
#define SP(registers) ((registers)->sp)
#define VECTORS NT_PRFPREG
#else
#error "where is the stack pointer, and where are the vector registers?"
#endif

static uint64_t stop_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct stop_thread *stop_find(const struct stop *stop, pid_t tid)
{
	size_t i;

	for (i = stop->nr; i-- > 0;)
		if (stop->threads[i].tid == tid)
			return &stop->threads[i];
	return NULL;
}

static int stop_add(struct stop *stop, pid_t tid)
{
	if (stop->nr == stop->room) {
		size_t room = stop->room ? 2 * stop->room : 64;
		struct stop_thread *threads = reallocarray(stop->threads, room, sizeof(*threads));

		if (!threads)
			return -ENOMEM;
		stop->threads = threads;
		stop->room = room;
	}
	stop->threads[stop->nr++] = (struct stop_thread){.tid = tid};
	return 0;
}

/* A number of /proc/PID/status; 0 if it is not there. */
static uint64_t stop_status(pid_t pid, const char *key, int base)
{
	const size_t length = strlen(key);
	char path[64], line[256];
	uint64_t value = 0;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status)) {
		if (strncmp(line, key, length))
			continue;
		value = strtoull(line + length, NULL, base);
		break;
	}
	if (status)
		fclose(status);
	return value;
}

/* EPERM is either: no permission, or somebody else traces it. */
static int stop_refused(pid_t pid)
{
	return stop_status(pid, "TracerPid:", 10) ? -EBUSY : -EPERM;
}

/* 1: has been asked to stop; 0: gone, or had already. */
static int stop_seize(struct stop *stop, pid_t pid, pid_t tid)
{
	int error;

	if (stop_find(stop, tid))
		return 0;
	if (ptrace(PTRACE_SEIZE, tid, 0, 0)) {
		if (errno == ESRCH)
			return 0;
		return errno == EPERM ? stop_refused(pid) : -errno;
	}
	error = stop_add(stop, tid);
	if (error) {
		(void)ptrace(PTRACE_DETACH, tid, 0, 0);
		return error;
	}
	(void)ptrace(PTRACE_INTERRUPT, tid, 0, 0);
	return 1;
}

/* Those that are there now; how many of them are new, or a negative errno. */
static int stop_scan(struct stop *stop, pid_t pid)
{
	struct dirent *entry;
	int fresh = 0, one = 0;
	char path[64];
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	if (!tasks)
		return errno == ENOENT ? -ESRCH : -errno;
	while (one >= 0 && (entry = readdir(tasks))) {
		pid_t tid = atoi(entry->d_name);

		one = tid > 0 ? stop_seize(stop, pid, tid) : 0;
		fresh += one > 0;
	}
	closedir(tasks);
	return one < 0 ? one : fresh;
}

/* Until it is in its stop; -ESRCH if it ended instead. */
static int stop_wait(pid_t tid, uint64_t until_ns)
{
	const struct timespec look = {.tv_nsec = LOOK_NS};
	int status;

	for (;;) {
		pid_t got = waitpid(tid, &status, __WALL | WNOHANG);

		if (got == tid && WIFSTOPPED(status)) {
			if (status >> 16 == PTRACE_EVENT_STOP)
				return 0;
			/* A signal on its way to the program goes on to it. */
			(void)ptrace(PTRACE_CONT, tid, 0, (void *)(intptr_t)WSTOPSIG(status));
			(void)ptrace(PTRACE_INTERRUPT, tid, 0, 0);
			continue;
		}
		if (got)
			return -ESRCH;
		if (stop_now_ns() > until_ns)
			return -ETIMEDOUT;
		nanosleep(&look, NULL);
	}
}

static int stop_read_registers(struct stop_thread *thread)
{
	struct user_regs_struct general;
	struct iovec place = {&general, sizeof(general)};

	thread->registers = calloc(1, STOP_REGISTER_BYTES);
	if (!thread->registers)
		return -ENOMEM;
	if (ptrace(PTRACE_GETREGSET, thread->tid, NT_PRSTATUS, &place))
		return -errno;
	thread->sp = SP(&general);
	memcpy(thread->registers, &general, sizeof(general));
	place.iov_base = thread->registers + sizeof(general);
	place.iov_len = STOP_REGISTER_BYTES - sizeof(general);
	if (ptrace(PTRACE_GETREGSET, thread->tid, VECTORS, &place))
		place.iov_len = 0;
	thread->register_bytes = sizeof(general) + place.iov_len;
	return 0;
}

/* Those from FIRST on have been asked to stop: wait for each. */
static int stop_settle(struct stop *stop, size_t first, uint64_t until_ns)
{
	size_t i;

	for (i = first; i < stop->nr;) {
		int error = stop_wait(stop->threads[i].tid, until_ns);

		if (!error)
			error = stop_read_registers(&stop->threads[i]);
		if (!error) {
			i++;
		} else if (error == -ESRCH) {
			free(stop->threads[i].registers);
			stop->threads[i] = stop->threads[--stop->nr];
		} else {
			return error;
		}
	}
	return 0;
}

int stop_all(pid_t pid, struct stop *stop)
{
	const uint64_t until_ns = stop_now_ns() + WAIT_NS;
	int fresh, error = 0;

	/* A thread that is not stopped yet may make others; when a scan finds none, all are. */
	do {
		size_t first = stop->nr;

		fresh = stop_scan(stop, pid);
		if (fresh > 0)
			error = stop_settle(stop, first, until_ns);
	} while (fresh > 0 && !error);
	if (fresh < 0)
		error = fresh;
	if (!error && !stop->nr)
		error = -ESRCH;
	if (error)
		stop_resume(stop);
	return error;
}

void stop_keep_out(const struct stop *stop, pid_t pid)
{
	/* Signals that wait for the process as a whole, as bits. */
	const uint64_t came = stop_status(pid, "ShdPnd:", 16);
	uint64_t mask;
	size_t i;

	for (i = 0; came && i < stop->nr; i++) {
		const pid_t tid = stop->threads[i].tid;

		if (ptrace(PTRACE_GETSIGMASK, tid, sizeof(mask), &mask))
			continue;
		mask |= came;
		(void)ptrace(PTRACE_SETSIGMASK, tid, sizeof(mask), &mask);
	}
}

/* Has it ended, and is nobody's any more? */
static bool stop_reap(pid_t tid)
{
	int status;
	const pid_t got = waitpid(tid, &status, __WALL | WNOHANG);

	if (got == tid && WIFSTOPPED(status)) {
		/* A signal on its way to the program goes on to it. */
		const int signal = status >> 16 == PTRACE_EVENT_STOP ? 0 : WSTOPSIG(status);

		return !ptrace(PTRACE_DETACH, tid, 0, (void *)(intptr_t)signal);
	}
	return got;
}

/*
 * One that goes on may end the process, and a thread that is killed in its stop is ours to wait
 * for: without it the process would be there for ever. The first thread has ended when the others
 * have.
 */
void stop_resume(struct stop *stop)
{
	const struct timespec look = {.tv_nsec = LOOK_NS};
	const uint64_t until_ns = stop_now_ns() + WAIT_NS;
	size_t i, left = 0;

	for (i = 0; i < stop->nr; i++) {
		stop->threads[i].ended = ptrace(PTRACE_DETACH, stop->threads[i].tid, 0, 0);
		left += stop->threads[i].ended;
	}
	while (left && stop_now_ns() < until_ns) {
		for (i = 0; i < stop->nr; i++) {
			struct stop_thread *thread = &stop->threads[i];

			if (!thread->ended || !stop_reap(thread->tid))
				continue;
			thread->ended = false;
			left--;
		}
		if (left)
			nanosleep(&look, NULL);
	}
}

void stop_release(struct stop *stop)
{
	size_t i;

	for (i = 0; i < stop->nr; i++)
		free(stop->threads[i].registers);
	free(stop->threads);
	*stop = (struct stop){0};
}
