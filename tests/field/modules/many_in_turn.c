/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: 300 plugins loaded and unloaded in turn, all at the same place
 * build: sh $SRC/plugins.sh different 300
 * build: $CC -g -O1 -o many_in_turn $SRC/many_in_turn.c
 * modes: full
 * slow: yes
 * expect: leak plugin_0 1000 1
 * expect: leak plugin_100 1100 1
 * expect: leak plugin_250 1250 1
 * expect: leak plugin_254 1254 1
 * expect: leak plugin_255 1255 1
 * expect: leak plugin_299 1299 1
 * expect: not not noted
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef PLUGINS
#define PLUGINS 300
#endif

int main(void)
{
	char directory[4096], path[5000];
	ssize_t length = readlink("/proc/self/exe", directory, sizeof(directory) - 1);
	unsigned long before = 0, moved = 0, i;

	directory[length] = '\0';
	*strrchr(directory, '/') = '\0';
	for (i = 0; i < PLUGINS; i++) {
		void *handle, *(*run)(void);

		snprintf(path, sizeof(path), "%s/p%lu.so", directory, i);
		handle = dlopen(path, RTLD_NOW);
		if (!handle)
			return 1;
		*(void **)&run = dlsym(handle, "run");
		if (!run())
			return 2;
		moved += (unsigned long)run != before;
		before = (unsigned long)run;
		dlclose(handle);
	}
	puts(moved < 20 ? "mostly at one place" : "all over the place");
	return 0;
}
