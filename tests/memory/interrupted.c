/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * interrupted.c - a handler unmaps memory, and maps some, while what it interrupts does the same.
 *
 * Prints "SITE BYTES" for what is mapped, then "ready", and ends with its standard input.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))
#define TIMES 400 /* the list of mappings is being changed in a third of the time */

static size_t page;
static void *before[TIMES];
static volatile sig_atomic_t times;

static void *map(size_t bytes)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* What the handler unmaps. */
static NOINLINE void *site_1(size_t bytes)
{
	void *memory = map(bytes);

	__asm__ volatile("" ::"r"(memory) : "memory");
	return memory;
}

/* What it is interrupted in. */
static NOINLINE void *site_2(size_t bytes)
{
	void *memory = map(bytes);

	__asm__ volatile("" ::"r"(memory) : "memory");
	return memory;
}

static void on_alarm(int signal)
{
	(void)signal;
	if (times < TIMES)
		munmap(before[times], 2 * page);
	times++;
}

int main(void)
{
	const struct itimerval often = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
	int i;

	page = (size_t)getpagesize();
	for (i = 0; i < TIMES; i++)
		before[i] = site_1(2 * page);
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &often, NULL);
	while (times < TIMES)
		munmap(site_2(page), page);
	setitimer(ITIMER_REAL, &never, NULL);
	munmap(site_2(page), page);
	puts("ready");
	fflush(stdout);
	return getchar() == 'x';
}
