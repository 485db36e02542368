/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * watch.c - how the processes of a command look at the moment they end.
 *
 *	watch OUT COMMAND [ARG]...
 *
 * The command and what it forks are traced; each process is stopped at its exit, when /proc still
 * has all of it, and one block of lines about it goes to OUT: its file, its end, its descriptors,
 * limits, signals and the number of its mappings, with a name and without. The status is the
 * command's; a signal is sent to oneself.
 *
 * Threads are left alone: a process ends with its leader. One that another process traces is not
 * seen.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS (PTRACE_O_TRACEEXIT | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK)

static FILE *out;

static void fail(const char *what)
{
	fprintf(stderr, "watch: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void link_line(const char *name, pid_t pid, const char *leaf)
{
	char path[128], target[4096];
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, leaf);
	got = readlink(path, target, sizeof(target) - 1);
	if (got < 0)
		return;
	target[got] = '\0';
	fprintf(out, "%s %s\n", name, target);
}

static int by_number(const struct dirent **a, const struct dirent **b)
{
	return atoi((*a)->d_name) - atoi((*b)->d_name);
}

static int is_number(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void descriptors(pid_t pid)
{
	struct dirent **entries;
	char path[64];
	int i, nr;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	nr = scandir(path, &entries, is_number, by_number);
	for (i = 0; i < nr; i++) {
		char name[300], leaf[300];

		snprintf(name, sizeof(name), "fd %s", entries[i]->d_name);
		snprintf(leaf, sizeof(leaf), "fd/%s", entries[i]->d_name);
		link_line(name, pid, leaf);
		free(entries[i]);
	}
	if (nr >= 0)
		free(entries);
}

/* Lines of a file in /proc that begin with `prefix`. */
static void copy_lines(pid_t pid, const char *leaf, const char *prefix)
{
	char path[64], line[4096];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, leaf);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, prefix, strlen(prefix)))
			fputs(line, out);
	}
	if (file)
		fclose(file);
}

/* Unnamed neighbours are one mapping or two as their random places have it: these are apart. */
static void mappings(pid_t pid)
{
	unsigned int named = 0, unnamed = 0;
	char path[64], line[4096];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (strpbrk(line, "/["))
			named++;
		else
			unnamed++;
	}
	if (file)
		fclose(file);
	fprintf(out, "maps %u %u\n", named, unnamed);
}

static void ending(pid_t pid, int status)
{
	fprintf(out, "process\n");
	link_line("exe", pid, "exe");
	if (WIFSIGNALED(status))
		fprintf(out, "end signal %d%s\n", WTERMSIG(status),
			WCOREDUMP(status) ? " core" : "");
	else
		fprintf(out, "end status %d\n", WEXITSTATUS(status));
	descriptors(pid);
	copy_lines(pid, "limits", "Max");
	copy_lines(pid, "status", "Sig");
	copy_lines(pid, "status", "Umask");
	copy_lines(pid, "status", "NoNewPrivs");
	mappings(pid);
	fflush(out);
}

static void stopped(pid_t pid, int status)
{
	int event = status >> 16;
	unsigned long message = 0;

	if (event == PTRACE_EVENT_EXIT) {
		if (!ptrace(PTRACE_GETEVENTMSG, pid, 0, &message))
			ending(pid, (int)message);
		ptrace(PTRACE_CONT, pid, 0, 0);
	} else if (event == PTRACE_EVENT_STOP) {
		int number = WSTOPSIG(status);
		int group = number == SIGSTOP || number == SIGTSTP || number == SIGTTIN ||
			    number == SIGTTOU;

		ptrace(group ? PTRACE_LISTEN : PTRACE_CONT, pid, 0, 0);
	} else if (event) {
		ptrace(PTRACE_CONT, pid, 0, 0);
	} else {
		ptrace(PTRACE_CONT, pid, 0, (void *)(intptr_t)WSTOPSIG(status));
	}
}

/* Waits for all of them; the status of `first`. */
static int watch(pid_t first)
{
	int status, result = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFSTOPPED(status))
			stopped(pid, status);
		else if (pid == first)
			result = status;
	}
	return result;
}

static pid_t start(char **command)
{
	int gate[2];
	pid_t pid;
	char byte;

	if (pipe(gate))
		fail("pipe");
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (!pid) {
		close(gate[1]);
		(void)!read(gate[0], &byte, 1);
		close(gate[0]);
		execvp(command[0], command);
		perror(command[0]);
		_exit(errno == ENOENT ? 127 : 126);
	}
	close(gate[0]);
	if (ptrace(PTRACE_SEIZE, pid, 0, OPTIONS))
		fail("ptrace");
	close(gate[1]);
	return pid;
}

int main(int argc, char **argv)
{
	const struct rlimit no_core = {0};
	int status;

	if (argc < 3) {
		fprintf(stderr, "usage: watch OUT COMMAND [ARG]...\n");
		return 2;
	}
	out = fopen(argv[1], "we");
	if (!out)
		fail(argv[1]);
	status = watch(start(argv + 2));
	fclose(out);
	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	setrlimit(RLIMIT_CORE, &no_core);
	signal(WTERMSIG(status), SIG_DFL);
	raise(WTERMSIG(status));
	return 128 + WTERMSIG(status);
}
