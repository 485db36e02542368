/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a program looks which allocator it has by symbols that are weak (Rust's and Folly's do)
 * build: $CC -g -O1 -rdynamic -o probe $SRC/probe.c
 * run: probe
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

void *mallocx(size_t size, int flags) __attribute__((weak));
void *mi_malloc(size_t size) __attribute__((weak));
void *tc_malloc(size_t size) __attribute__((weak));

int main(void)
{
	printf("%d %d %d %d %d\n", !!mallocx, !!mi_malloc, !!tc_malloc,
	       !!dlsym(RTLD_DEFAULT, "sdallocx"), !!dlsym(RTLD_DEFAULT, "je_malloc"));
	printf("%s\n", dlerror() ? "an error, as there is no such function" : "no error");
	free(malloc(10));
	printf("%s\n", dlerror() ? "one more" : "no error");
	return 0;
}
