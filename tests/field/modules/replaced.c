/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: an upgrade puts others in the place of loaded libraries, which are then loaded again
 * build: $CC -shared -fPIC -g -O1 -DPLUGIN=alpha -DBYTES=100 -Wl,--build-id=sha1 -o a.so $SRC/replaced.c
 * build: $CC -shared -fPIC -g -O1 -DPLUGIN=bravo -DBYTES=200 -Wl,--build-id=sha1 -o b.so $SRC/replaced.c
 * build: $CC -shared -fPIC -g -O1 -DPLUGIN=gamma -DBYTES=300 -Wl,--build-id=none -o c.so $SRC/replaced.c
 * build: $CC -shared -fPIC -g -O1 -DPLUGIN=delta -DBYTES=400 -Wl,--build-id=none -o d.so $SRC/replaced.c
 * build: $CC -g -O1 -pthread -o replaced $SRC/replaced.c
 * modes: full guard
 * run: cp $BIN/*.so . && replaced
 * expect: leak bravo 200 1
 * expect: leak delta 400 1
 * expect: leak alpha 0 0
 * expect: leak gamma 0 0
 * expect: says a\.so \(changed since\)
 * expect: says c\.so \(changed since\)
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

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
static void *use(void *function)
{
	void *(*run)(void);

	*(void **)&run = function;
	return run();
}

/* The file is another one while it is loaded; a thread that never met it does so now. */
static int upgrade(const char *path, const char *other)
{
	void *handle = dlopen(path, RTLD_NOW), *object;
	pthread_t thread;

	if (!handle || !use(dlsym(handle, "run")) || rename(other, path) ||
	    pthread_create(&thread, NULL, use, dlsym(handle, "run")))
		return 1;
	pthread_join(thread, &object);
	dlclose(handle);
	handle = dlopen(path, RTLD_NOW);
	return !handle || !use(dlsym(handle, "run"));
}

int main(void)
{
	return upgrade("./a.so", "./b.so") || upgrade("./c.so", "./d.so");
}
#endif
