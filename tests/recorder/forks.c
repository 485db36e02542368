/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* forks: fork, vfork and exec, threads, and frees in the child of what the parent allocated. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t stop, handled;

static __attribute__((noinline, noipa)) void *in_child(void)
{
	void *object = malloc(777);

	__asm__ volatile("" : "+r"(object));
	return object;
}

static void *busy(void *unused)
{
	(void)unused;
	while (!stop)
		free(malloc(100));
	return NULL;
}

static void handler(int number)
{
	(void)number;
	handled++;
}

static int child(void *of_parent)
{
	pthread_t thread;

	free(of_parent);
	if (pthread_create(&thread, NULL, busy, NULL))
		return 1;
	stop = 1;
	pthread_join(thread, NULL);
	return in_child() ? 5 : 1;
}

static int wait_for(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(void)
{
	void *object = malloc(50);
	pthread_t thread;
	int i;
	pid_t pid;

	signal(SIGALRM, handler);
	pthread_create(&thread, NULL, busy, NULL);
	for (i = 0; i < 20; i++) {
		pid = vfork();
		if (pid == 0) {
			execl("/bin/true", "true", (char *)NULL);
			_exit(1);
		}
		if (wait_for(pid))
			return 2;
	}
	pid = fork();
	if (pid == 0)
		return child(object);
	if (wait_for(pid) != 5)
		return 3;
	for (i = 0; i < 200; i++) {
		pthread_kill(thread, SIGALRM);
		usleep(100);
	}
	stop = 1;
	pthread_join(thread, NULL);
	free(object);
	printf("done\n");
	fflush(stdout);
	execl("/bin/sh", "sh", "-c", "exit 6", (char *)NULL);
	return 4;
}
