/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: where many blocks are given back at once, no handler finds the allocator at work on them
 * field: the program's own malloc() tells, by a signal that it sends from each free()
 * build: $CC -g -O1 -shared -fPIC -DLIBRARY -o libown_malloc.so $SRC/bulk_frees.c
 * build: $CC -g -O1 -fno-builtin -o bulk_frees $SRC/bulk_frees.c -L. -lown_malloc -Wl,-rpath,'$ORIGIN' -pthread
 * run: bulk_frees
 * expect: errors 0
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern __thread int tells_frees;
extern __thread volatile int is_freeing;

#ifdef LIBRARY
#define HEAD 16
#define HEAP (64 << 20)

__thread int tells_frees;
__thread volatile int is_freeing;
static char heap[HEAP] __attribute__((aligned(HEAD)));
static size_t used;

void *malloc(size_t size)
{
	size_t bytes = HEAD + (size + HEAD - 1) / HEAD * HEAD;
	char *object = heap + __atomic_fetch_add(&used, bytes, __ATOMIC_RELAXED);

	if (object + bytes > heap + HEAP) {
		errno = ENOMEM;
		return NULL;
	}
	*(size_t *)object = size;
	return object + HEAD;
}

/* Nothing is used again. */
void free(void *object)
{
	int saved = errno;

	if (!object || !tells_frees)
		return;
	is_freeing = 1;
	pthread_kill(pthread_self(), SIGUSR1);
	is_freeing = 0;
	errno = saved;
}

size_t malloc_usable_size(void *object)
{
	return object ? ((size_t *)object)[-2] : 0;
}

void *calloc(size_t nr, size_t size)
{
	return malloc(nr * size);
}

void *realloc(void *object, size_t size)
{
	void *moved = malloc(size);
	size_t old = malloc_usable_size(object);

	if (object && moved)
		memcpy(moved, object, old < size ? old : size);
	free(object);
	return moved;
}
#else
#define BLOCKS 256
#define THREADS 4
#define FEW 8 /* what the C library may free as a thread ends */

static volatile int interrupted;

static void handle(int number)
{
	(void)number;
	interrupted += is_freeing;
}

static void free_blocks(void)
{
	int i;

	for (i = 0; i < BLOCKS; i++)
		free(malloc(64));
}

static void *frees_and_ends(void *unused)
{
	free_blocks();
	tells_frees = 1;
	return unused;
}

static int child(void)
{
	tells_frees = 1;
	if (!malloc(32))
		return 1;
	tells_frees = 0;
	printf("in the child %s\n", interrupted ? "free() is interrupted" : "nothing is freed");
	return 0;
}

int main(void)
{
	pthread_t thread;
	int status, i;

	signal(SIGUSR1, handle);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&thread, NULL, frees_and_ends, NULL) ||
		    pthread_join(thread, NULL))
			return 1;
	puts(interrupted > FEW ? "free() is interrupted as threads end" : "threads end");
	fflush(stdout);
	interrupted = 0;
	free_blocks();
	if (!fork())
		return child();
	wait(&status);
	return !WIFEXITED(status) ? 1 : WEXITSTATUS(status);
}
#endif
