/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * moving.c - nothing is ever lost, but every pointer is on its way: threads take objects from a
 * table of slots and put them into others, and free and allocate some of them.
 *
 * Prints "ready", goes on until its standard input ends.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 1024
#define THREADS 4

struct node {
	struct node *next;
	char bytes[];
};

static struct node *_Atomic slots[SLOTS];
static atomic_int stop;

static struct node *make(unsigned int size)
{
	struct node *node = malloc(sizeof(*node) + size % 300);

	node->next = size % 3 ? NULL : malloc(sizeof(*node));
	if (node->next)
		node->next->next = NULL;
	return node;
}

static void drop(struct node *node)
{
	if (node)
		free(node->next);
	free(node);
}

static void *move(void *seed)
{
	unsigned int random = (unsigned int)(size_t)seed;

	while (!atomic_load(&stop)) {
		struct node *node;

		random = random * 1664525 + 1013904223;
		node = atomic_exchange(&slots[random >> 8 & (SLOTS - 1)], NULL);
		if (!node || !(random >> 18 & 7)) {
			drop(node);
			node = make(random >> 20);
		}
		node = atomic_exchange(&slots[random >> 20 & (SLOTS - 1)], node);
		drop(node);
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	size_t i;

	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, move, (void *)(i + 1));
	puts("ready");
	fflush(stdout);
	(void)getchar();
	atomic_store(&stop, 1);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < SLOTS; i++)
		drop(atomic_load(&slots[i]));
	puts("done");
	return 0;
}
