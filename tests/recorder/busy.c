/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * busy.c - allocates and frees from ever new stacks, in so many threads, until it is killed.
 *
 * usage: busy THREADS SEED
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define KEPT 256u

static uint64_t busy_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Each way down through these is a stack of its own. */
static __attribute__((noinline)) void *busy_left(uint64_t way, unsigned int depth, size_t bytes);

static __attribute__((noinline)) void *busy_right(uint64_t way, unsigned int depth, size_t bytes)
{
	void *memory = !depth     ? malloc(bytes)
		       : way & 1 ? busy_left(way >> 1, depth - 1, bytes)
				 : busy_right(way >> 1, depth - 1, bytes);

	__asm__ volatile("" : "+r"(memory));
	return memory;
}

static __attribute__((noinline)) void *busy_left(uint64_t way, unsigned int depth, size_t bytes)
{
	void *memory = !depth     ? malloc(bytes)
		       : way & 1 ? busy_left(way >> 1, depth - 1, bytes)
				 : busy_right(way >> 1, depth - 1, bytes);

	__asm__ volatile("" : "+r"(memory));
	return memory;
}

static void *busy_thread(void *seed)
{
	uint64_t state = (uintptr_t)seed * 0x9e3779b97f4a7c15ull | 1;
	void *kept[KEPT] = {0};

	for (;;) {
		const uint64_t random = busy_next(&state);
		void **place = &kept[random % KEPT];

		free(*place);
		*place = busy_right(random >> 32, (random >> 8) % 20, (random >> 16) % 300);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	uintptr_t i, threads = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	uintptr_t seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
	pthread_t thread;

	for (i = 1; i < threads; i++)
		if (pthread_create(&thread, NULL, busy_thread, (void *)(seed * 64 + i)))
			return 1;
	free(busy_right(seed, 20, 1));
	if (write(STDOUT_FILENO, "x", 1) != 1)
		return 1;
	busy_thread((void *)(seed * 64));
}
