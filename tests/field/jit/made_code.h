/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Code that is made: copies of a function that keeps a frame pointer and has no tables. */
#ifndef MADE_CODE_H
#define MADE_CODE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CODE_BYTES 64

typedef void (*made_function)(void *callee, void *argument);

/* Calls the callee, as (argument, argument); of two such, one can call the other. */
void made_code(void *callee, void *argument);
#if defined(__x86_64__)
__asm__(".text\n.type made_code, @function\nmade_code:\n"
	"	push %rbp\n	mov %rsp, %rbp\n	sub $16, %rsp\n"
	"	mov %rdi, %rax\n	mov %rsi, %rdi\n	call *%rax\n	leave\n	ret\n"
	".size made_code, . - made_code\n");
#else
__asm__(".text\n.type made_code, %function\nmade_code:\n"
	"	stp x29, x30, [sp, #-32]!\n	mov x29, sp\n"
	"	mov x9, x0\n	mov x0, x1\n	blr x9\n"
	"	ldp x29, x30, [sp], #32\n	ret\n"
	".size made_code, . - made_code\n");
#endif

static inline made_function make_at(char *memory)
{
	memcpy(memory, (const void *)made_code, CODE_BYTES);
	__builtin___clear_cache(memory, memory + CODE_BYTES);
	return (made_function)(void *)memory;
}

/* As V8, perf's agents and others write it: start and size in hex, and the name. */
static inline void perf_map(const void *code, const char *name)
{
	char path[64];
	FILE *map;

	snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
	map = fopen(path, "a");
	fprintf(map, "%lx %x %s\n", (unsigned long)code, CODE_BYTES, name);
	fclose(map);
}

#endif
