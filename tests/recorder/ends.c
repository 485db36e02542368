/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* ends HOW: a program that allocates once more, and ends in this way. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static __attribute__((noinline, noipa)) void *last_words(void)
{
	void *object = malloc(777);

	__asm__ volatile("" : "+r"(object));
	return object;
}

static void *exit_in_thread(void *unused)
{
	(void)unused;
	last_words();
	exit(8);
}

static int from_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, exit_in_thread, NULL))
		return 1;
	for (;;)
		pause();
}

/* The main thread goes, the program stays. */
static void *exit_last(void *unused)
{
	(void)unused;
	usleep(100000);
	last_words();
	exit(8);
}

static int main_thread_first(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, exit_last, NULL))
		return 1;
	pthread_exit(NULL);
}

static int after_vfork(void)
{
	int status;
	pid_t pid = vfork();

	if (pid == 0) {
		last_words();
		_exit(8);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int after_fork_exec(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", "exit 8", (char *)NULL);
		_exit(1);
	}
	last_words();
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void in_handler(void)
{
	last_words();
}

static const char *how = "";

static __attribute__((destructor)) void unload(void)
{
	if (strcmp(how, "destructor"))
		return;
	free(last_words());
	last_words();
}

int main(int argc, char **argv)
{
	if (argc > 1)
		how = argv[1];
	if (!strcmp(how, "destructor"))
		return 8;
	if (!strcmp(how, "thread"))
		return from_thread();
	if (!strcmp(how, "main-thread-first"))
		return main_thread_first();
	if (!strcmp(how, "vfork"))
		return after_vfork();
	if (!strcmp(how, "fork-exec"))
		return after_fork_exec();
	if (!strcmp(how, "atexit"))
		return atexit(in_handler) ? 1 : 8;
	last_words();
	if (!strcmp(how, "_exit"))
		_exit(8);
	if (!strcmp(how, "quick_exit"))
		quick_exit(8);
	if (!strcmp(how, "abort"))
		abort();
	if (!strcmp(how, "kill"))
		kill(getpid(), SIGKILL);
	return 8;
}
