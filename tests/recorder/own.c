/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * own: contains an allocator of its own, whose functions call each other and begin in every way
 * that is hard to move elsewhere. Built again with REFUSED, malloc() begins with what cannot be.
 */
#include <malloc.h>
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
/* Addresses of pages, of what is near, words beside the code; each kind of branch. */
__asm__(".text\n"
	".macro function name\n"
	".p2align 4\n"
	".globl \\name\n"
	".type \\name, %function\n"
	"\\name:\n"
	".endm\n"
	".macro end name\n"
	".size \\name, . - \\name\n"
	".endm\n"
	"function malloc\n"
#ifdef REFUSED
	"	ldr d16, 1f\n"
	"	b own_malloc\n"
	"1:	.quad 0\n"
#else
	"	adrp x9, calls\n"
	"	add x9, x9, :lo12:calls\n"
	"	ldr w10, [x9]\n"
	"	add w10, w10, #1\n"
	"	str w10, [x9]\n"
	"	b own_malloc\n"
#endif
	"end malloc\n"
	"function calloc\n"
	"	b own_calloc\n"
	"end calloc\n"
	"function realloc\n"
	"	cbz x0, 1f\n"
	"	b own_realloc\n"
	"1:	mov x0, x1\n"
	"	b own_malloc\n"
	"end realloc\n"
	"function memalign\n"
	"	tbz x0, #63, 1f\n"
	"	brk #1\n"
	"1:	mov x0, x1\n"
	"	b own_malloc\n"
	"end memalign\n"
	"function valloc\n"
	"	adr x9, 1f\n"
	"	adr x10, 1f\n"
	"	cmp x9, x10\n"
	"	b.ne 2f\n"
	"1:	b own_malloc\n"
	"2:	brk #1\n"
	"end valloc\n"
	"function free\n"
	"	ldr x9, 1f\n"
	"	ldr x10, 1f\n"
	"	cmp x9, x10\n"
	"	b.ne 2f\n"
	"	ret\n"
	"1:	.quad 0x1122334455667788\n"
	"2:	brk #1\n"
	"end free\n"
	"function cfree\n"
	"	ldrsw x9, 1f\n"
	"	ldrsw x10, 1f\n"
	"	cmp x9, x10\n"
	"	b.ne 2f\n"
	"	ret\n"
	"1:	.word -5\n"
	"2:	brk #1\n"
	"end cfree\n"
	".p2align 4\n");

void cfree(void *object);

/* What the others do not begin with. */
static ALONE int more_beginnings(void)
{
	void *object = memalign(16, 50), *page = valloc(60);

	cfree(object);
	return calls >= 3 && page && page != object;
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
#if defined(__aarch64__) && !defined(REFUSED)
	if (!more_beginnings())
		return 6;
#endif
	puts(strcmp(third, "moved") || second[0] || second[199] ? "wrong" : "done");
	by_malloc();
	return 4;
}
