/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: one library at three addresses, in a name space of its own, as a copy: its stacks are one
 * build: $CC -shared -fPIC -g -O1 -DPLUGIN -Wl,--build-id=sha1 -o a.so $SRC/twice.c
 * build: cp a.so copy.so
 * build: $CC -g -O1 -o twice $SRC/twice.c
 * modes: full
 * maps: 40
 * expect: leak plugin 300 3
 * expect: says 300 bytes in 3 objects
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef PLUGIN
void *plugin(void *(*allocate)(size_t));
void *plugin(void *(*allocate)(size_t))
{
	void *volatile object = allocate(100);
	return object;
}
#else
static void *allocate(size_t bytes)
{
	void *volatile object = malloc(bytes);
	return object;
}

int main(void)
{
	char directory[4096], path[5000];
	ssize_t length = readlink("/proc/self/exe", directory, sizeof(directory) - 1);
	void *(*plugin[3])(void *(*)(size_t));
	int i;

	directory[length] = '\0';
	*strrchr(directory, '/') = '\0';
	for (i = 0; i < 3; i++) {
		void *handle;

		snprintf(path, sizeof(path), "%s/%s.so", directory, i == 2 ? "copy" : "a");
		handle = i == 1 ? dlmopen(LM_ID_NEWLM, path, RTLD_NOW) : dlopen(path, RTLD_NOW);
		if (!handle)
			return 1;
		*(void **)&plugin[i] = dlsym(handle, "plugin");
	}
	if (plugin[0] == plugin[1] || plugin[0] == plugin[2])
		return 2;
	for (i = 0; i < 3; i++)
		if (!plugin[i](allocate))
			return 3;
	return 0;
}
#endif
