/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * reload A.so B.so: a library is unloaded and another takes its addresses. Both lose an object;
 * says whether the addresses were the same.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

static void through(void **where)
{
	*where = NULL;
}

static __attribute__((noinline, noipa)) void *use(const char *path, const char *name)
{
	void *(*function)(void (*)(void **), void **);
	void *library = dlopen(path, RTLD_NOW), *object, *address;

	if (!library)
		exit(1);
	address = dlsym(library, name);
	*(void **)&function = address;
	function(through, &object);
	dlclose(library);
	return address;
}

int main(int argc, char **argv)
{
	void *first, *second;

	if (argc < 3)
		return 2;
	first = use(argv[1], "plugin_first");
	second = use(argv[2], "plugin_second");
	puts(first == second ? "same addresses" : "different addresses");
	return 0;
}
