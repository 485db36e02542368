/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: code without tables that goes over to another stack, as Go does to call C
 * modes: full guard
 * expect: errors 0
 * expect: leak on_other_stack 1000 10
 * expect: says by frame pointer
 * expect: says before_the_change
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static void *volatile kept;

static void on_other_stack(void)
{
	kept = malloc(100);
	__asm__ volatile("");
}

void change_stack(void (*function)(void), void *top);
#if defined(__x86_64__)
__asm__(".text\n.type change_stack, @function\nchange_stack:\n"
	"	push %rbp\n	mov %rsp, %rbp\n	mov %rsi, %rsp\n	call *%rdi\n"
	"	leave\n	ret\n"
	".size change_stack, . - change_stack\n");
#else
__asm__(".text\n.type change_stack, %function\nchange_stack:\n"
	"	stp x29, x30, [sp, #-16]!\n	mov x29, sp\n	mov sp, x1\n	blr x0\n"
	"	mov sp, x29\n	ldp x29, x30, [sp], #16\n	ret\n"
	".size change_stack, . - change_stack\n");
#endif

static __attribute__((noinline)) void before_the_change(char *top)
{
	change_stack(on_other_stack, top);
	kept = NULL;
}

int main(void)
{
	char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int i;

	for (i = 0; i < 10; i++)
		before_the_change(stack + 65536);
	munmap(stack, 65536);
	puts("done");
	return 0;
}
