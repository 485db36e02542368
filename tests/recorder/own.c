/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * own: contains an allocator of its own, whose functions call each other and begin in every way
 * that is hard to move elsewhere. Built again with REFUSED, malloc() begins with a loop.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALONE __attribute__((noinline, noipa, used))

static _Alignas(16) char pool[1 << 20];
static size_t used;
static unsigned int calls __attribute__((used));

ALONE void *own_malloc(size_t size)
{
	char *object = pool + used;

	memcpy(object, &size, sizeof(size));
	used += (size + 47) & ~(size_t)15;
	return object + 16;
}

ALONE void *own_calloc(size_t nr, size_t size)
{
	return memset(malloc(nr * size), 0, nr * size);
}

ALONE void *own_realloc(void *object, size_t size)
{
	void *moved = malloc(size);
	size_t old;

	memcpy(&old, (char *)object - 16, sizeof(old));
	memcpy(moved, object, old < size ? old : size);
	free(object);
	return moved;
}

#ifdef __x86_64__
/* An operand beside the code; a call; a condition, and a jump; a function of one byte. */
__asm__(".text\n"
	".macro function name\n"
	".p2align 4\n"
	".globl \\name\n"
	".type \\name, @function\n"
	"\\name:\n"
	".endm\n"
	".macro end name\n"
	".size \\name, . - \\name\n"
	".endm\n"
	"function malloc\n"
#ifdef REFUSED
	"	xorl %eax, %eax\n"
	"0:	incl %eax\n"
	"	cmpl $3, %eax\n"
	"	jb 0b\n"
#else
	"	incl calls(%rip)\n"
#endif
	"	jmp own_malloc\n"
	"end malloc\n"
	"function own_noted\n"
	"	incl calls(%rip)\n"
	"	ret\n"
	"end own_noted\n"
	"function calloc\n"
	"	call own_noted\n"
	"	jmp own_calloc\n"
	"end calloc\n"
	"function realloc\n"
	"	testq %rdi, %rdi\n"
	"	je 1f\n"
	"	jmp own_realloc\n"
	"1:	movq %rsi, %rdi\n"
	"	jmp own_malloc\n"
	"end realloc\n"
	"function free\n"
	"	ret\n"
	"end free\n"
	".p2align 4\n");
#else
ALONE void *malloc(size_t size)
{
	return own_malloc(size);
}

ALONE void *calloc(size_t nr, size_t size)
{
	return own_calloc(nr, size);
}

ALONE void *realloc(void *object, size_t size)
{
	return object ? own_realloc(object, size) : own_malloc(size);
}

ALONE void free(void *object)
{
	(void)object;
}
#endif

static ALONE void *by_malloc(void)
{
	void *object = malloc(100);

	__asm__ volatile("" : "+r"(object));
	return object;
}

static ALONE void *by_calloc(void)
{
	void *object = calloc(10, 20);

	__asm__ volatile("" : "+r"(object));
	return object;
}

static ALONE void *by_realloc(void *object)
{
	object = realloc(object, 300);
	__asm__ volatile("" : "+r"(object));
	return object;
}

static ALONE int in_pool(const char *object)
{
	return object >= pool && object < pool + sizeof(pool);
}

int main(void)
{
	char *first = by_malloc(), *second = by_calloc(), *third;

	free(by_realloc(NULL));
	strcpy(first, "moved");
	third = by_realloc(first);
	if (!in_pool(first) || !in_pool(second) || !in_pool(third))
		return 5;
	puts(strcmp(third, "moved") || second[0] || second[199] ? "wrong" : "done");
	by_malloc();
	return 4;
}
