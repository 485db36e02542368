/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * maps.c - maps, cuts, moves and replaces memory, and knows from which site each page of it is.
 *
 * Prints "SITE BYTES" for each site, then "ready", and ends with its standard input. With THREADS
 * others map and unmap meanwhile, of which nothing is left.
 *
 * usage: maps SEED [THREADS]
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))
#define PAGES 512
#define STEPS 3000
#define SITES 4
#define THREADS 4

static char *area;
static size_t page;
static int owner[PAGES]; /* site, from 1; 0: not mapped */
static unsigned long dice;
static atomic_int stop;

static unsigned int draw(unsigned int below)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (unsigned int)((dice >> 33) % below);
}

static void *map_at(void *at, size_t bytes, int flags)
{
	return mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

#define SITE(n)                                                \
	static NOINLINE void *site_##n(void *at, size_t bytes) \
	{                                                      \
		void *memory = map_at(at, bytes, MAP_FIXED);   \
                                                               \
		__asm__ volatile("" ::"r"(memory) : "memory"); \
		return memory;                                 \
	}

SITE(1)
SITE(2)
SITE(3)
SITE(4)

static void *(*const sites[SITES])(void *, size_t) = {site_1, site_2, site_3, site_4};

static void step(void)
{
	const unsigned int from = draw(PAGES), nr = 1 + draw(draw(4) ? 8 : PAGES - from);
	const unsigned int end = from + nr > PAGES ? PAGES : from + nr;
	const unsigned int what = draw(3) ? draw(SITES) + 1 : 0;
	unsigned int i;

	if (what)
		sites[what - 1](area + from * page, (end - from) * page);
	else
		munmap(area + from * page, (end - from) * page);
	for (i = from; i < end; i++)
		owner[i] = (int)what;
}

static NOINLINE void *moved(void *old, size_t old_bytes, size_t bytes)
{
	void *memory = mremap(old, old_bytes, bytes, MREMAP_MAYMOVE);

	__asm__ volatile("" ::"r"(memory) : "memory");
	return memory;
}

static NOINLINE void *broken(size_t bytes)
{
	void *memory = sbrk((intptr_t)bytes);

	__asm__ volatile("" ::"r"(memory) : "memory");
	return memory;
}

/* Up, and some of it down again. */
static NOINLINE void raised(size_t bytes, size_t less)
{
	char *memory = sbrk(0);

	if (!brk(memory + bytes) && !brk(memory + bytes - less))
		memset(memory, 1, bytes - less);
	/* What glibc says went well, and changed nothing. */
	if (brk(NULL))
		memset(memory, 1, 1);
}

static NOINLINE void *shared(size_t bytes)
{
	int id = shmget(IPC_PRIVATE, bytes, IPC_CREAT | 0600);
	void *memory = id < 0 ? NULL : shmat(id, NULL, 0);

	if (id >= 0)
		shmctl(id, IPC_RMID, NULL);
	__asm__ volatile("" ::"r"(memory) : "memory");
	return memory;
}

static NOINLINE void churns(void)
{
	char *memory = map_at(NULL, 4 * page, 0);

	memory[0] = 1;
	munmap(memory + page, page);
	munmap(memory, 4 * page);
}

static void *others(void *unused)
{
	(void)unused;
	while (!atomic_load(&stop))
		churns();
	return NULL;
}

static void tell(void)
{
	size_t pages[SITES + 1] = {0};
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		pages[owner[i]]++;
	for (i = 1; i <= SITES; i++)
		printf("site_%u %zu\n", i, pages[i] * page);
	printf("moved %zu\nbroken %zu\nraised %zu\nshared %zu\n", 48 * page, 16 * page, 20 * page,
	       32 * page);
}

int main(int argc, char **argv)
{
	const int threads = argc > 2 ? atoi(argv[2]) : 0;
	pthread_t thread[THREADS];
	void *old;
	int i;

	page = (size_t)getpagesize();
	dice = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	area = map_at(NULL, PAGES * page, 0);
	munmap(area, PAGES * page);
	for (i = 0; i < threads && i < THREADS; i++)
		pthread_create(&thread[i], NULL, others, NULL);
	for (i = 0; i < STEPS; i++)
		step();
	old = map_at(NULL, 16 * page, 0);
	memset(moved(old, 16 * page, 48 * page), 1, 48 * page);
	memset(broken(16 * page), 1, 16 * page);
	raised(24 * page, 4 * page);
	shmdt(shared(8 * page));
	memset(shared(32 * page), 1, 32 * page);
	atomic_store(&stop, 1);
	for (i = 0; i < threads && i < THREADS; i++)
		pthread_join(thread[i], NULL);
	tell();
	puts("ready");
	fflush(stdout);
	return getchar() == 'x';
}
