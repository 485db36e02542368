/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: one plugin loaded and unloaded 1,000 times is one module
 * build: sh $SRC/plugins.sh copies 1
 * build: $CC -g -O1 -o same_again $SRC/same_again.c
 * expect: leak plugin_0 1000000 1000
 * expect: not not noted
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	int i;

	path[length] = '\0';
	strcpy(strrchr(path, '/'), "/p0.so");
	for (i = 0; i < 1000; i++) {
		void *handle = dlopen(path, RTLD_NOW), *(*plugin)(void);

		if (!handle)
			return 1;
		*(void **)&plugin = dlsym(handle, "run");
		if (!plugin())
			return 2;
		dlclose(handle);
	}
	return 0;
}
