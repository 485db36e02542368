/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * forked.c - a forked child maps and unmaps, also what its parent mapped before.
 *
 * Prints "SITE BYTES" for both, then "ready", and ends with its standard input.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

static size_t page;

static void *map(size_t pages)
{
	void *memory = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);

	return memset(memory, 1, pages * page);
}

static NOINLINE void *site_1(size_t pages)
{
	void *memory = map(pages);

	__asm__ volatile("" ::"r"(memory) : "memory");
	return memory;
}

static NOINLINE void *site_2(size_t pages)
{
	void *memory = map(pages);

	__asm__ volatile("" ::"r"(memory) : "memory");
	return memory;
}

static void child(void *parents, int ready, int end)
{
	void *volatile object = malloc(1000);
	char *own = site_2(48);

	munmap(parents, 64 * page);
	munmap(own, 16 * page);
	free(object);
	(void)!write(ready, "r", 1);
	(void)!read(end, own + 16 * page, 1);
	_exit(0);
}

int main(void)
{
	int ready[2], end[2];
	char *memory;
	pid_t pid;

	page = (size_t)getpagesize();
	memory = site_1(64);
	if (pipe(ready) || pipe(end))
		return 1;
	pid = fork();
	if (!pid) {
		close(end[1]);
		child(memory, ready[1], end[0]);
	}
	(void)!read(ready[0], memory, 1);
	printf("site_1 %zu\nsite_2 %zu\nready\n", 64 * page, 32 * page);
	fflush(stdout);
	(void)getchar();
	close(end[1]);
	waitpid(pid, NULL, 0);
	return 0;
}
