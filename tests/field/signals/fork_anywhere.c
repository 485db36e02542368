/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: fork() and exit() in a handler, anywhere in malloc() and free() but in libc itself
 * field: the processor traps after each instruction; natively all children begin after that
 * only: x86_64
 * build: $CC -g -O1 -fno-builtin -o fork_anywhere $SRC/fork_anywhere.c
 * run: fork_anywhere
 * expect: errors 0
 * expect: not DOUBT
 */
#define _GNU_SOURCE
#include <link.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define TRAP 0x100 /* of the flags */
#define STRIDE 293u
#define CHILDREN 60u
#define WAITING 300u /* blocks, more than a queue has */
#define RANGES 32u

/* Where handlers natively find malloc() at work, and the program's own code. */
static struct {
	uintptr_t start;
	uintptr_t end;
} others[RANGES];
static unsigned int nr_others;

static volatile unsigned int steps, children, failed;
static volatile bool is_child;
static void *waiting[WAITING];

static int other_add(struct dl_phdr_info *info, size_t size, void *unused)
{
	const char *name = info->dlpi_name;
	int i;

	(void)size;
	(void)unused;
	if (*name && !strstr(name, "/libc.so") && !strstr(name, "/ld-") && !strstr(name, "vdso"))
		return 0;
	for (i = 0; i < info->dlpi_phnum && nr_others < RANGES; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];

		if (header->p_type != PT_LOAD || !(header->p_flags & PF_X))
			continue;
		others[nr_others].start = info->dlpi_addr + header->p_vaddr;
		others[nr_others].end = others[nr_others].start + header->p_memsz;
		nr_others++;
	}
	return 0;
}

static bool is_other(uintptr_t pc)
{
	unsigned int i;

	for (i = 0; i < nr_others; i++)
		if (pc - others[i].start < others[i].end - others[i].start)
			return true;
	return false;
}

/* Sizes that come again, so that blocks are used again: nobody has the same one twice. */
static void work(void)
{
	unsigned char *block[64] = {NULL};
	unsigned int i, at;

	for (i = 0; i < 300; i++) {
		const size_t size = 24 + i % 5 * 40;

		at = i * 7 % 64;
		if (block[at] && (block[at][0] != at || block[at][23] != at))
			_exit(3);
		free(block[at]);
		block[at] = malloc(size);
		if (!block[at])
			_exit(4);
		memset(block[at], (int)at, size);
	}
	for (at = 0; at < 64; at++)
		free(block[at]);
}

/* True in the child. */
static bool has_child(void)
{
	int status;

	children++;
	if (!fork())
		return is_child = true;
	wait(&status);
	failed += status != 0;
	return false;
}

static void trap(int number, siginfo_t *info, void *context)
{
	ucontext_t *ucontext = context;

	(void)number;
	(void)info;
	if (is_other((uintptr_t)ucontext->uc_mcontext.gregs[REG_RIP]) || ++steps % STRIDE ||
	    children == CHILDREN || !has_child())
		return;
	/* One ends here, one goes on, and one goes on later. */
	if (children % 3)
		work();
	if (children % 3 == 1)
		exit(0);
	ucontext->uc_mcontext.gregs[REG_EFL] &= ~TRAP;
}

static void traps_begin(void)
{
	__asm__ volatile("sub $128, %%rsp; pushfq; orq $0x100, (%%rsp); popfq; add $128, %%rsp" ::
				 : "memory", "cc");
}

static void traps_end(void)
{
	__asm__ volatile("sub $128, %%rsp; pushfq; andq $~0x100, (%%rsp); popfq; add $128, %%rsp" ::
				 : "memory", "cc");
}

static void step(void)
{
	void *block;

	traps_begin();
	free(waiting[0]);
	block = malloc(48);
	waiting[0] = malloc(200);
	free(block);
	traps_end();
	if (is_child) {
		work();
		exit(0);
	}
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = trap, .sa_flags = SA_SIGINFO | SA_NODEFER};
	unsigned int i;

	dl_iterate_phdr(other_add, NULL);
	for (i = 0; i < WAITING; i++)
		waiting[i] = malloc(40 + i % 3 * 8);
	for (i = 1; i < WAITING; i++)
		free(waiting[i]);
	sigaction(SIGTRAP, &action, NULL);
	step();
	while (children < CHILDREN) {
		if (has_child()) {
			work();
			return 0;
		}
	}
	if (failed)
		printf("%u children ended otherwise\n", failed);
	free(waiting[0]);
	work();
	puts("done");
	return 0;
}
