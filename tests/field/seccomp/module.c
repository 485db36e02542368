/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: the first trace through a library without a build-id comes after the filter
 * build: $CC -shared -fPIC -g -O1 -Wl,--build-id=none -o libplain.so $SRC/module_library.c
 * build: $CC -g -O1 -o module $SRC/module.c -Wl,-rpath,$BIN
 * expect: says libplain.so
 */
#include <dlfcn.h>
#include "filter.h"

int main(void)
{
	void *volatile block = malloc(10), *library = dlopen("libplain.so", RTLD_NOW);
	void *(*allocate)(void) = (void *(*)(void))dlsym(library, "plain_allocates");
	int i;

	free(block);
	FILTER_ALLOW(SYS_write, SYS_exit, SYS_exit_group, SYS_brk, SYS_mmap, SYS_munmap, SYS_futex);
	for (i = 0; i < 10; i++)
		(void)allocate();
	if (write(1, "done\n", 5) != 5)
		_exit(2);
	_exit(7);
}
