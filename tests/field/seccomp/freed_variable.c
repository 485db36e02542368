/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: variables of stacks are freed under a filter, with an allocator that does not mind
 * build: $CC -shared -fPIC -g -O1 -fno-builtin -o liballocator.so $SRC/freed_variable_allocator.c
 * build: $CC -g -O1 -w -pthread -o freed_variable $SRC/freed_variable.c -L. -lallocator -Wl,-rpath,$BIN
 */
#include <pthread.h>
#include "filter.h"

static pthread_barrier_t begun;

static void *thread(void *unused)
{
	char block[64];
	void *volatile pointer = (void *)(((size_t)block + 15) & ~(size_t)15);
	void *volatile other = malloc(10);

	free(other);
	pthread_barrier_wait(&begun);
	pthread_barrier_wait(&begun);
	free(pointer);
	return unused;
}

int main(void)
{
	char block[64];
	void *volatile pointer = (void *)(((size_t)block + 15) & ~(size_t)15);
	pthread_t other;

	pthread_barrier_init(&begun, NULL, 2);
	if (pthread_create(&other, NULL, thread, NULL))
		return 1;
	pthread_barrier_wait(&begun);
	FILTER_ALLOW(SYS_write, SYS_exit, SYS_exit_group, SYS_mmap, SYS_munmap, SYS_futex,
		     SYS_madvise, SYS_rt_sigprocmask);
	free(pointer);
	pthread_barrier_wait(&begun);
	pthread_join(other, NULL);
	if (write(1, "done\n", 5) != 5)
		_exit(2);
	_exit(7);
}
