/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: 1,100 libraries at one time, more than a store of 64 MiB has records for
 * build: sh $SRC/plugins.sh different 1100
 * build: $CC -g -O1 -o many_at_once $SRC/many_at_once.c
 * modes: full
 * slow: yes
 * maps: 100
 * expect: leak plugin_0 1000 1
 * expect: leak plugin_1099 0 0
 * expect: says At least [0-9]+ loaded files were not noted: their frames show as addresses
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
	char directory[4096], path[5000];
	ssize_t length = readlink("/proc/self/exe", directory, sizeof(directory) - 1);
	int i, loaded = 0;

	directory[length] = '\0';
	*strrchr(directory, '/') = '\0';
	for (i = 0; i < 1100; i++) {
		void *handle, *(*plugin)(void);

		snprintf(path, sizeof(path), "%s/p%d.so", directory, i);
		handle = dlopen(path, RTLD_NOW);
		if (!handle)
			break;
		*(void **)&plugin = dlsym(handle, "run");
		loaded += plugin() != NULL;
	}
	printf("%d\n", loaded);
	return 0;
}
