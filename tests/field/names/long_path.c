/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: program and library in directories whose path is longer than a store keeps (build systems
 * field: nest them): a name that is cut says so, and is no other's
 * build: d=$(printf 'd%.0s' $(seq 240)); mkdir -p $d/$d/deeper; ln -s $d/$d here
 * build: $CC -g -O1 -Wl,--build-id=none -o here/long_path $SRC/long_path.c
 * build: $CC -g -O1 -shared -fPIC -DLIBRARY -Wl,--build-id=none -o here/deeper/liblong.so $SRC/long_path.c
 * build: $CC -g -O1 -static -DSTATIC -o here/static_program $SRC/long_path.c
 * modes: full guard
 * run: cd -P $BIN/here && exec "$PWD/long_path" $(seq 200)
 * expect: says ^ +long_path\+0x
 * expect: says ^ +liblong\.so\+0x
 * expect: says \.\.\.d+/long_path \.\.\.$
 * expect: says Not recorded: 1 x \.\.\.d+/static_program \(static\)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(LIBRARY)
void *library_object(void);
void *library_object(void)
{
	void *volatile object = malloc(77);

	return object;
}
#elif defined(STATIC)
int main(void)
{
	return 5;
}
#else
static __attribute__((noinline)) void *own_object(void)
{
	void *volatile object = malloc(55);

	return object;
}

int main(void)
{
	char path[PATH_MAX], *arguments[] = {path, NULL};
	void *library, *(*object)(void);
	int status = 0;
	pid_t child;

	if (!own_object() || chdir("deeper"))
		return 1;
	library = dlopen("./liblong.so", RTLD_NOW);
	if (!library)
		return 2;
	*(void **)&object = dlsym(library, "library_object");
	if (!object())
		return 3;
	if (!getcwd(path, sizeof(path)))
		return 4;
	strcpy(strrchr(path, '/'), "/static_program");
	if (posix_spawn(&child, path, NULL, NULL, arguments, environ))
		return 5;
	(void)waitpid(child, &status, 0);
	printf("%d\n", WEXITSTATUS(status));
	return 0;
}
#endif
