/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: four libraries take each other's addresses again and again, two without build-ids
 * build: $CC -shared -fPIC -g -O1 -DPLUGIN=alpha -DBYTES=100 -Wl,--build-id=sha1 -o a.so $SRC/alternate.c
 * build: $CC -shared -fPIC -g -O1 -DPLUGIN=bravo -DBYTES=200 -Wl,--build-id=sha1 -o b.so $SRC/alternate.c
 * build: $CC -shared -fPIC -g -O1 -DPLUGIN=gamma -DBYTES=300 -Wl,--build-id=none -o c.so $SRC/alternate.c
 * build: $CC -shared -fPIC -g -O1 -DPLUGIN=delta -DBYTES=400 -Wl,--build-id=none -o d.so $SRC/alternate.c
 * build: $CC -g -O1 -o alternate $SRC/alternate.c
 * expect: leak alpha 5000 50
 * expect: leak bravo 10000 50
 * expect: leak gamma 15000 50
 * expect: leak delta 20000 50
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef PLUGIN
static __attribute__((noinline)) void *PLUGIN(void)
{
	void *volatile object = malloc(BYTES);
	return object;
}

void *run(void);
void *run(void)
{
	void *volatile object = PLUGIN();
	return object;
}
#else
int main(void)
{
	char directory[4096], path[5000];
	ssize_t length = readlink("/proc/self/exe", directory, sizeof(directory) - 1);
	int i;

	directory[length] = '\0';
	*strrchr(directory, '/') = '\0';
	for (i = 0; i < 200; i++) {
		void *handle, *(*run)(void);

		snprintf(path, sizeof(path), "%s/%c.so", directory, "abcd"[i % 4]);
		handle = dlopen(path, RTLD_NOW);
		if (!handle)
			return 1;
		*(void **)&run = dlsym(handle, "run");
		if (!run())
			return 2;
		dlclose(handle);
	}
	return 0;
}
#endif
