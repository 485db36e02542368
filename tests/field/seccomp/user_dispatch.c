/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: system calls go to the kernel from the C library alone; from elsewhere they are a signal
 * expect: leak keep 6400 100
 */
#define _GNU_SOURCE
#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define USER_DISPATCH 59 /* PR_SET_SYSCALL_USER_DISPATCH */

static char selector;
static volatile int caught;
static void *kept[100];

struct text {
	uintptr_t from, bytes;
};

static int find(struct dl_phdr_info *info, size_t size, void *data)
{
	struct text *text = data;
	int i;

	(void)size;
	if (!strstr(info->dlpi_name, "libc.so"))
		return 0;
	for (i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X)
			*text = (struct text){info->dlpi_addr + info->dlpi_phdr[i].p_vaddr,
					      info->dlpi_phdr[i].p_memsz};
	return 1;
}

/* As a program that takes over calls would, it lets them be made. */
static void handler(int number)
{
	(void)number;
	selector = 0;
	caught++;
}

static __attribute__((noinline)) void keep(int depth)
{
	char room[512];

	memset(room, depth, sizeof(room));
	if (depth)
		keep(depth - 1);
	else
		for (int i = 0; i < 100; i++)
			kept[i] = malloc(64);
	__asm__ volatile("" : : "r"(room) : "memory");
}

int main(void)
{
	struct text text = {0};
	int status;

	signal(SIGSYS, handler);
	dl_iterate_phdr(find, &text);
	if (prctl(USER_DISPATCH, 1, text.from, text.bytes, &selector))
		puts("the kernel does not have it");
	selector = 1;
	printf("%d\n", syscall(SYS_getpid) == getpid());
	keep(100);
	fflush(stdout);
	if (!fork()) {
		free(malloc(10));
		_exit(caught);
	}
	wait(&status);
	selector = 0;
	printf("caught %d, %d in the child\n", caught, WEXITSTATUS(status));
	return 0;
}
