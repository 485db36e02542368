/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: one plugin loaded and unloaded 1,100 times, at another place each time, is one module
 * build: sh $SRC/plugins.sh copies 1
 * build: $CC -g -O1 -o same_again $SRC/same_again.c
 * expect: leak plugin_0 1100000 1100
 * expect: not not noted
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	int i;

	path[length] = '\0';
	strcpy(strrchr(path, '/'), "/p0.so");
	for (i = 0; i < 1100; i++) {
		void *handle = dlopen(path, RTLD_NOW), *(*plugin)(void);

		if (!handle)
			return 1;
		*(void **)&plugin = dlsym(handle, "run");
		if (!plugin())
			return 2;
		dlclose(handle);
		/* Something else has its place now, if it had not at once. */
		(void)mmap((void *)((unsigned long)plugin & ~4095ul), 4096, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	}
	return 0;
}
