/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: code goes away while other threads make and run such, and data take its place
 * build: $CC -g -O1 -pthread -o unmapped_code $SRC/unmapped_code.c
 * expect: errors 0
 */
#include <pthread.h>

#include "made_code.h"

static void allocates(void)
{
	free(malloc(100));
	__asm__ volatile("");
}

static void *churns(void *argument)
{
	int i;

	(void)argument;
	for (i = 0; i < 300; i++) {
		char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		char *data;

		make_at(memory);
		make_at(memory + 64);
		((made_function)(void *)memory)(memory + 64, (void *)allocates);
		munmap(memory, 4096);
		data = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		memset(data, 'x', 4096);
		allocates();
		munmap(data, 4096);
	}
	return NULL;
}

int main(void)
{
	pthread_t thread[3];
	int i;

	for (i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, churns, NULL);
	for (i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	puts("done");
	return 0;
}
