/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: code made at run time, where a library was: it is nobody's
 * build: sh $SRC/plugins.sh copies 1
 * build: $CC -g -O1 -o code_in_place $SRC/code_in_place.c
 * modes: full guard
 * expect: leak run 1000 1
 * expect: says ^20 bytes in 1 object
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
	/* A copy of a function that calls what its argument says. */
#ifdef __x86_64__
	static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0xbf, 20,	0,
					     0,	   0,	 0xff, 0xd0, 0x5d, 0xc3};
	unsigned char whole[10 + sizeof(code)];
	void *address = (void *)malloc;
#endif
	void *handle, *(*plugin)(void), *place;
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

	path[length] = '\0';
	strcpy(strrchr(path, '/'), "/p0.so");
	handle = dlopen(path, RTLD_NOW);
	if (!handle)
		return 1;
	*(void **)&plugin = dlsym(handle, "run");
	if (!plugin())
		return 2;
	place = (void *)((unsigned long)plugin & ~4095ul);
	dlclose(handle);
	place = mmap(place, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (place == MAP_FAILED)
		return 3;
#ifdef __x86_64__
	/* push %rbp; mov %rsp,%rbp; mov $20,%edi; mov $malloc,%rax; call *%rax; pop; ret */
	memcpy(whole, code, 9);
	whole[9] = 0x48;
	whole[10] = 0xb8;
	memcpy(whole + 11, &address, 8);
	memcpy(whole + 19, code + 9, 4);
	memcpy((void *)plugin, whole, 23);
	if (!plugin())
		return 4;
#endif
	return 0;
}
