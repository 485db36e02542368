/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * many.c - one program in many processes: short ones, daemons, chains of exec(), children that
 * close, forbid or give up what the recorder needs. "done" is the last that it prints, if it could
 * do all that it was to do.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define OBJECTS 50
#define BYTES 700
#define CHILDREN 20
#define LEAVES 3000

static void *volatile kept[OBJECTS];
static atomic_bool over;

static void must(int holds, const char *what)
{
	if (holds)
		return;
	perror(what);
	_exit(9);
}

__attribute__((noinline)) static void keep(size_t bytes)
{
	void **object = malloc(bytes);

	must(object != NULL, "keep");
	*object = kept[0];
	kept[0] = object;
}

__attribute__((noinline)) static void work(void)
{
	for (int i = 0; i < 40; i++)
		free(malloc(100 + (size_t)i));
	for (int i = 0; i < 3; i++)
		keep(1000);
}

static pid_t child(void (*act)(void))
{
	pid_t pid = fork();

	must(pid >= 0, "fork");
	if (pid)
		return pid;
	act();
	_exit(0);
}

static void ended_well(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, 0) == pid && !status, "child");
}

static pid_t start(void)
{
	const pid_t pid = vfork();

	must(pid >= 0, "vfork");
	if (!pid) {
		execl("/proc/self/exe", "short", "work", NULL);
		_exit(9);
	}
	return pid;
}

static void at_once(char **words)
{
	const int times = atoi(words[0]);

	for (int i = 0; i < times; i++)
		start();
	for (int i = 0, status; i < times; i++)
		must(wait(&status) > 0 && !status, "short");
}

static void in_turn(char **words)
{
	for (int times = atoi(words[0]); times--;)
		ended_well(start());
}

/* Leaves more than a small store has room for, with its like. */
static void leave(char **words)
{
	(void)words;
	for (int i = 0; i < LEAVES; i++)
		keep(24);
}

/* Lines of them beside each other, each one forked before it is another program. */
static void line(const char *times)
{
	for (int left = atoi(times); left--;) {
		const pid_t pid = fork();

		must(pid >= 0, "fork");
		if (!pid) {
			keep(25);
			execl("/proc/self/exe", "leaves", "leave", NULL);
			_exit(9);
		}
		ended_well(pid);
	}
	_exit(0);
}

static void crowd(char **words)
{
	const int lines = atoi(words[0]);

	for (int i = 0; i < lines; i++) {
		const pid_t pid = fork();

		must(pid >= 0, "fork");
		if (!pid)
			line(words[1]);
	}
	for (int i = 0, status; i < lines; i++)
		must(wait(&status) > 0 && !status, "line");
}

/* So many that are there at the same time, each with what others leave. */
static void living(char **words)
{
	const int nr = atoi(words[0]);
	int ready[2], end[2];
	char byte;

	must(!pipe(ready) && !pipe(end), "pipe");
	for (int i = 0; i < nr; i++) {
		const pid_t pid = fork();

		must(pid >= 0, "fork");
		if (pid)
			continue;
		close(end[1]);
		leave(NULL);
		must(write(ready[1], "x", 1) == 1 && !read(end[0], &byte, 1), "living");
		_exit(0);
	}
	for (int i = 0; i < nr; i++)
		must(read(ready[0], &byte, 1) == 1, "ready");
	close(end[1]);
	for (int i = 0, status; i < nr; i++)
		must(wait(&status) > 0 && !status, "living");
}

static int to_parent[2];

static void in_daemon(void)
{
	keep(901);
	must(write(to_parent[1], "x", 1) == 1, "write");
}

static void between(void)
{
	must(setsid() > 0, "setsid");
	child(in_daemon);
}

static void daemons(char **words)
{
	char byte;

	(void)words;
	must(!pipe(to_parent), "pipe");
	for (int i = 0; i < CHILDREN; i++) {
		ended_well(child(between));
		must(read(to_parent[0], &byte, 1) == 1, "read");
	}
	/* They have the pipe until they are gone. */
	close(to_parent[1]);
	must(!read(to_parent[0], &byte, 1), "read");
}

static void chain(char **words)
{
	char next[16];
	int left = atoi(words[0]);

	keep(902);
	if (!left)
		return;
	snprintf(next, sizeof(next), "%d", left - 1);
	execl("/proc/self/exe", "link", "chain", next, NULL);
	must(0, "exec");
}

static void *turns(void *argument)
{
	while (!over)
		for (size_t i = 1; i < 2000; i += 7)
			free(malloc(i));
	return argument;
}

static void *nothing(void *argument)
{
	keep(904);
	return argument;
}

static void in_fork(void)
{
	pthread_t thread;

	keep(903);
	must(!pthread_create(&thread, NULL, nothing, NULL) && !pthread_join(thread, NULL),
	     "thread");
}

static void threads(char **words)
{
	pthread_t thread[3];
	pid_t pids[CHILDREN];

	(void)words;
	for (int i = 0; i < 3; i++)
		must(!pthread_create(&thread[i], NULL, turns, NULL), "thread");
	for (int i = 0; i < CHILDREN; i++)
		pids[i] = child(in_fork);
	for (int i = 0; i < CHILDREN; i++)
		ended_well(pids[i]);
	over = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
}

static void three_objects(void)
{
	for (int i = 0; i < 3; i++)
		keep(905);
}

static void closed(char **words)
{
	(void)words;
	closefrom(3);
	must(dup(1) == 3, "the lowest descriptor");
	closefrom(3);
	ended_well(child(three_objects));
	in_turn((char *[]){"1"});
}

static char *jail;

static void in_jail(void)
{
	must(!chroot(jail) && !chdir("/"), "chroot");
	three_objects();
}

static void in_chroot(char **words)
{
	jail = words[0];
	ended_well(child(in_jail));
}

static void as_nobody(void)
{
	must(!setresgid(65534, 65534, 65534) && !setresuid(65534, 65534, 65534), "setuid");
	three_objects();
	/* Nobody can open the store of root, forked or a program of its own. */
	ended_well(child(three_objects));
	in_turn((char *[]){"1"});
}

static void drop(char **words)
{
	(void)words;
	ended_well(child(as_nobody));
}

static struct rlimit limit;
static int which;

static void in_limit(void)
{
	must(!setrlimit(which, &limit), "setrlimit");
	three_objects();
	ended_well(child(three_objects));
	in_turn((char *[]){"1"});
}

static void limited(char **words)
{
	which = atoi(words[0]);
	limit.rlim_cur = limit.rlim_max = strtoul(words[1], NULL, 0);
	ended_well(child(in_limit));
}

__attribute__((noinline)) static void again(int mark)
{
	for (int i = 0; i < OBJECTS; i++)
		must((kept[i] = malloc(BYTES)) != NULL, "malloc");
	memset(kept[mark], mark, BYTES);
}

__attribute__((noinline)) static void all_back(void)
{
	for (int i = 0; i < OBJECTS; i++)
		free(kept[i]);
}

static void wait_for_line(void)
{
	char byte;

	must(read(0, &byte, 1) == 1, "line");
}

__attribute__((noinline)) static void first_child(void)
{
	again(1);
}

__attribute__((noinline)) static void second_child(void)
{
	again(2);
	all_back();
	again(3);
	free(kept[7]);
	free(kept[7]);
}

__attribute__((noinline)) static void third_child(void)
{
	again(4);
	all_back();
}

/* All have the same addresses: where the parent's objects were before it freed them. */
static void same(char **words)
{
	pid_t pids[3];

	(void)words;
	again(0);
	all_back();
	pids[0] = child(first_child);
	pids[1] = child(second_child);
	pids[2] = child(third_child);
	for (int i = 0; i < 3; i++)
		waitpid(pids[i], NULL, 0);
}

/* Goes on after each line that it is given. */
static void lines(char **words)
{
	keep(906);
	for (int times = atoi(words[0]); times--;) {
		printf("line\n");
		fflush(stdout);
		wait_for_line();
		three_objects();
		ended_well(child(three_objects));
		in_turn((char *[]){"1"});
	}
}

static void raw_execve(const char *path, char *const *words)
{
	char *const none[] = {NULL};

#if defined(__x86_64__)
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"((long)SYS_execve), "D"(path), "S"(words), "d"(none)
			 : "rcx", "r11", "memory");
#else
	register long call __asm__("x8") = SYS_execve;
	register const char *first __asm__("x0") = path;
	register char *const *second __asm__("x1") = words;
	register char *const *third __asm__("x2") = none;

	__asm__ volatile("svc 0" : "+r"(first) : "r"(call), "r"(second), "r"(third) : "memory");
#endif
}

/* What begins then is not recorded, as nobody could see it coming. */
static void unseen(char **words)
{
	keep(902);
	raw_execve("/proc/self/exe", (char *[]){"link", "waits", NULL});
	must(0, "exec");
	(void)words;
}

static void waits(char **words)
{
	(void)words;
	printf("waits\n");
	fflush(stdout);
	wait_for_line();
}

static void one(char **words)
{
	(void)words;
	work();
}

static const struct {
	const char *name;
	void (*run)(char **words);
} ways[] = {{"work", one},	  {"at_once", at_once}, {"in_turn", in_turn},  {"daemons", daemons},
	    {"leave", leave},	  {"crowd", crowd},	{"living", living},    {"chain", chain},
	    {"threads", threads}, {"closed", closed},	{"chroot", in_chroot}, {"drop", drop},
	    {"limited", limited}, {"same", same},	{"lines", lines},      {"unseen", unseen},
	    {"waits", waits}};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(ways) / sizeof(*ways); i++) {
		if (strcmp(ways[i].name, argv[1]) != 0)
			continue;
		ways[i].run(argv + 2);
		return ways[i].run != one && ways[i].run != leave && write(1, "done\n", 5) < 0;
	}
	return 2;
}
