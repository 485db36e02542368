/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * kinds.c - accesses and frees that only tags find, and what is right and must not be found.
 *
 * kinds NAME [thread]; it says OK at its end, and what it read, which the program reads without us
 * too. All of it can happen in a thread, but not in qemu-user.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "../bugs/bug.h"

#define TAG_SHIFT 56

static bug_function void release(void *object)
{
	free(object);
}

static bug_function int read_at(const volatile char *object, long offset)
{
	return object[offset];
}

static bug_function void write_at(volatile char *object, long offset, char value)
{
	object[offset] = value;
}

static void *address_of(const void *pointer)
{
	return hidden((void *)((uintptr_t)pointer & ((1ull << TAG_SHIFT) - 1)));
}

/* The same address, and what the program has of the pointer. */
static int same_place(const void *a, const void *b)
{
	return address_of(a) == address_of(b);
}

/* --- errors ----------------------------------------------------------------------------------- */

static void read_freed(void)
{
	char *object = allocate(100);

	release(object);
	(void)read_at(hidden(object), 37);
}

/* The object is larger than those that wait in a quarantine, so its memory is the allocator's. */
static void read_freed_large(void)
{
	char *object = allocate(20000);

	release(object);
	(void)read_at(hidden(object), 16000);
}

static void read_before(void)
{
	char *object = allocate(64);

	(void)read_at(hidden(object), -1);
	free(object);
}

static void read_behind(void)
{
	char *object = allocate(64);

	(void)read_at(hidden(object), 64);
	free(object);
}

/* Within the last granule nothing but what is written there can be seen, later. */
static void write_in_granule(void)
{
	char *object = allocate(41);

	write_at(hidden(object), 41, 'x');
	release(object);
}

static void write_at_end_of_granule(void)
{
	char *object = allocate(33);

	write_at(hidden(object), 47, 'x');
	release(object);
}

/* Far beyond it, where others lie: one in fifteen has the same tag, so several are tried. */
static void read_wild(void)
{
	char *objects[64];
	unsigned int i;

	for (i = 0; i < 64; i++)
		objects[i] = allocate(160);
	for (i = 0; i < 8; i++) {
		(void)read_at(hidden(objects[8]), 176 * (2 + (long)i));
		free(allocate(16));
	}
	for (i = 0; i < 64; i++)
		free(objects[i]);
}

static bug_function void *grow(void *object)
{
	return realloc(object, 4000);
}

static void read_after_realloc(void)
{
	char *object = allocate(24), *grown = grow(object);

	(void)read_at(hidden(object), 3);
	free(grown);
}

/* Where it stays its address is the same, and the pointer before is stale all the same. */
static void read_after_realloc_in_place(void)
{
	char *object = allocate(1000), *grown = realloc(object, 1008);

	(void)read_at(hidden(object), 3);
	free(grown);
}

/* Until one gets the memory that the first had. */
static bug_function void *allocate_again(const void *first)
{
	unsigned int i;
	void *object;

	for (i = 0; i < 100000; i++) {
		object = allocate(2000);
		if (same_place(object, first))
			return object;
		free(object);
	}
	return NULL;
}

static void read_stale(void)
{
	char *object = allocate(2000), *second;

	release(object);
	second = allocate_again(object);
	(void)read_at(hidden(object), 8);
	free(second);
}

static bug_function void free_again(void *object)
{
	free(object);
}

static void free_taken_again(void)
{
	char *object = allocate(2000), *second;

	release(object);
	second = allocate_again(object);
	free_again(hidden(object));
	/* It is still whose it was. */
	memset(second, 'y', 2000);
	printf("read %c\n", read_at(second, 1999));
	free(second);
}

static bug_function void *make_aligned(void)
{
	return hidden(aligned_alloc(256, 512));
}

static void read_behind_aligned(void)
{
	char *object = make_aligned();

	(void)read_at(hidden(object), 512);
	free(object);
}

static void read_behind_calloc(void)
{
	char *object = hidden(calloc(3, 16));

	(void)read_at(hidden(object), 48);
	free(object);
}

static void write_nothing(void)
{
	char *object = allocate(0);

	write_at(hidden(object), 0, 'x');
	release(object);
}

/* Too large for a tag: pages that cannot be touched are around it, and in its place. */
static void read_freed_untagged(void)
{
	char *object = allocate(200000);

	release(object);
	(void)read_at(hidden(object), 150000);
}

static void read_behind_untagged(void)
{
	char *object = allocate(200000);

	(void)read_at(hidden(object), 200000);
	free(object);
}

/* Its first page has 704 bytes before it. */
static void read_before_untagged(void)
{
	char *object = allocate(200000);

	(void)read_at(hidden(object), -705);
	free(object);
}

static void write_behind_untagged(void)
{
	char *object = allocate(200001);

	write_at(hidden(object), 200003, 'x');
	release(object);
}

static void free_twice_untagged(void)
{
	char *object = allocate(200000);

	release(object);
	free_again(hidden(object));
}

/* --- what is right ---------------------------------------------------------------------------- */

static void sizes(void)
{
	size_t size;
	char *object;

	for (size = 0; size < 300000; size += size / 7 + 1) {
		object = allocate(size);
		memset(object, 'a', size);
		if (malloc_usable_size(object) < size)
			printf("usable %zu\n", size);
		memset(object, 'b', malloc_usable_size(object));
		object = realloc(object, size / 2 + 1);
		object = realloc(object, size * 2 + 1);
		memset(object, 'c', size * 2 + 1);
		free(object);
	}
}

static void aligned(void)
{
	size_t align, size;
	void *object;

	for (align = 8; align <= 65536; align *= 2) {
		for (size = 1; size < 100000; size *= 3) {
			if (posix_memalign(&object, align, size))
				continue;
			memset(object, 1, size);
			if ((uintptr_t)object % align)
				puts("not aligned");
			free(object);
		}
	}
	object = valloc(100);
	memset(object, 1, 100);
	free(object);
	object = pvalloc(100);
	memset(object, 1, 4096);
	free(object);
}

/* glibc's memalign() goes on in malloc() then: one object, none of whose tags stays behind. */
static void aligned_anyway(void)
{
	void *object[100];
	size_t i;

	for (i = 0; i < 100; i++)
		if (posix_memalign(&object[i], 16, 1100))
			exit(3);
	for (i = 0; i < 100; i++)
		free(object[i]);
	free(hidden(calloc(1, 100000)));
}

static void forks(void)
{
	char *object = allocate(100);
	int status = 0;
	pid_t child;

	strcpy(object, "parent's");
	child = fork();
	if (!child) {
		strcpy(object, "child's");
		free(object);
		object = allocate(100);
		strcpy(object, "again");
		free(object);
		_exit(3);
	}
	waitpid(child, &status, 0);
	printf("read %s %d\n", object, WEXITSTATUS(status));
	free(object);
}

/* An allocator of its own in memory of malloc()'s: it gives pages back, and asks for them anew. */
static void pages(void)
{
	char *object = hidden(aligned_alloc(4096, 65536));

	memset(object, 'x', 65536);
	if (madvise(object, 65536, MADV_DONTNEED))
		perror("madvise");
	memset(object, 'y', 65536);
	printf("read %c\n", object[65535]);
	if (mprotect(object + 4096, 4096, PROT_READ))
		perror("mprotect");
	free(allocate(100000));
	printf("read %c\n", object[4096]);
	if (mprotect(object + 4096, 4096, PROT_READ | PROT_WRITE))
		perror("mprotect");
	memset(object, 'z', 65536);
	free(object);
}

static void system_calls(void)
{
	char *object = allocate(64);
	int ends[2];

	if (pipe(ends))
		return;
	strcpy(object, "through a pipe");
	if (write(ends[1], object, 15) != 15)
		perror("write");
	memset(object, 0, 64);
	if (read(ends[0], object, 64) != 15)
		perror("read");
	printf("read %s\n", object);
	free(object);
}

static ucontext_t back, there;
static char *kept;

static void run_there(void)
{
	char local[64];

	kept = allocate(3000);
	memset(local, 'q', sizeof(local));
	memcpy(kept, local, sizeof(local));
	free(allocate(32));
	swapcontext(&there, &back);
}

/* A stack in memory of malloc()'s. */
static void coroutine(void)
{
	char *stack = allocate(65536);

	getcontext(&there);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = 65536;
	there.uc_link = NULL;
	makecontext(&there, run_there, 0);
	swapcontext(&back, &there);
	printf("read %c\n", kept[63]);
	free(kept);
	free(stack);
}

static volatile sig_atomic_t handled;
static void *volatile faulted;
static sigjmp_buf jump;

static void handle(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	handled++;
	faulted = info->si_addr;
	siglongjmp(jump, 1);
}

/* The program's own handler gets the faults that are its own. */
static void own_fault(void)
{
	struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};
	char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *tagged = hidden((void *)((uintptr_t)page | 5ull << TAG_SHIFT));

	sigaction(SIGSEGV, &action, NULL);
	if (!sigsetjmp(jump, 1))
		(void)read_at(page, 8);
	printf("read %d %d\n", (int)handled, faulted == page + 8);
	if (!sigsetjmp(jump, 1))
		(void)read_at(tagged, 9);
	printf("read %d %d\n", (int)handled, faulted == page + 9);
}

/* Blocked, a fault would be the end: an error goes unseen rather. */
static void blocked(void)
{
	char *object = allocate(64);
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	sigprocmask(SIG_BLOCK, &set, NULL);
	(void)read_at(hidden(object), 70);
	free(allocate(10));
	(void)read_at(hidden(object), 70);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	free(object);
}

static void blocked_before(void)
{
	char *object = allocate(64);
	sigset_t set;

	blocked();
	sigemptyset(&set);
	(void)set;
	(void)read_at(hidden(object), 70);
	free(object);
}

static void ignored(void)
{
	char *object = allocate(64);

	signal(SIGSEGV, SIG_IGN);
	(void)read_at(hidden(object), 70);
	free(allocate(10));
	(void)read_at(hidden(object), 70);
	free(object);
}

/* The program puts something else where the tag is. */
static void strips(void)
{
	char *objects[40];
	unsigned int i;

	for (i = 0; i < 40; i++) {
		objects[i] = address_of(allocate(40));
		strcpy(objects[i], "without a tag");
	}
	printf("read %s\n", objects[7]);
	for (i = 0; i < 40; i++)
		free(objects[i]);
}

static void many(void)
{
	static char *objects[3000];
	unsigned int i, round;

	for (round = 0; round < 5; round++) {
		for (i = 0; i < 3000; i++) {
			objects[i] = allocate(i % 700 + 1);
			memset(objects[i], (int)i, i % 700 + 1);
		}
		for (i = 0; i < 3000; i++) {
			char *object = objects[i * 7 % 3000];

			if (object[i * 7 % 3000 % 700] != (char)(i * 7 % 3000))
				puts("changed");
			free(object);
		}
	}
}

/* The memory leaves the heap, and comes back to it. */
static void trimmed(void)
{
	unsigned int i, round;
	static char *objects[2000];

	mallopt(M_TRIM_THRESHOLD, 4096);
	mallopt(M_TOP_PAD, 0);
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
	for (round = 0; round < 4; round++) {
		for (i = 0; i < 2000; i++) {
			objects[i] = allocate(3000);
			memset(objects[i], 'x', 3000);
		}
		for (i = 2000; i--;)
			free(objects[i]);
		malloc_trim(0);
	}
}

/* Small ones in mappings of their own, which realloc() moves. */
static void mapped(void)
{
	char *object;

	mallopt(M_MMAP_THRESHOLD, 1024);
	object = allocate(5000);
	memset(object, 'x', 5000);
	object = realloc(object, 70000);
	memset(object, 'y', 70000);
	printf("read %c\n", object[69999]);
	free(object);
}

/* To give it a tag would touch all of its memory. */
static void large(void)
{
	char *object = allocate(64u << 20);

	if ((uintptr_t)object >> TAG_SHIFT)
		puts("a tag");
	free(object);
}

/* More of them than have places between guard pages, empty each time, and grown step by step. */
static void large_many(void)
{
	static char *objects[100];
	unsigned int i, round;
	size_t size;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < 100; i++) {
			size = 131072 + i * 1000;
			objects[i] = hidden(calloc(1, size));
			if (objects[i][0] || objects[i][size / 2] || objects[i][size - 1])
				puts("not empty");
			memset(objects[i], 'x', malloc_usable_size(objects[i]));
		}
		for (i = 0; i < 100; i++)
			free(objects[i * 7 % 100]);
	}
	objects[0] = allocate(150000);
	memset(objects[0], 'y', 150000);
	for (size = 150000; size < 3000000; size += 50000) {
		objects[0] = hidden(realloc(objects[0], size));
		memset(objects[0] + size - 50000, 'y', 50000);
	}
	objects[0] = hidden(realloc(objects[0], 20));
	printf("read %c\n", objects[0][19]);
	free(objects[0]);
	free(aligned_alloc(4096, 1 << 18));
}

/* What cannot stay where it is. */
static void moves(void)
{
	char *object = allocate(100), *other = allocate(100);

	memset(object, 'm', 100);
	object = realloc(object, 5000);
	printf("read %c\n", read_at(object, 99));
	free(object);
	free(other);
}

/* The program wants to draw tags itself, tag 0 too. */
static void asks(void)
{
	unsigned int i, without = 0;
	char *object;

	prctl(55 /* PR_SET_TAGGED_ADDR_CTRL */, 1ul | 0xfffful << 3, 0, 0, 0);
	for (i = 0; i < 300; i++) {
		object = allocate(40);
		without += !((uintptr_t)object >> TAG_SHIFT);
		free(object);
	}
	printf("read %u\n", without);
}

static const struct {
	const char *name;
	void (*run)(void);
} kinds[] = {
#define KIND(name)          \
	{                   \
#name, name \
	}
	KIND(read_freed),
	KIND(read_freed_large),
	KIND(read_before),
	KIND(read_behind),
	KIND(write_in_granule),
	KIND(write_at_end_of_granule),
	KIND(read_wild),
	KIND(read_after_realloc),
	KIND(read_after_realloc_in_place),
	KIND(read_stale),
	KIND(free_taken_again),
	KIND(read_behind_aligned),
	KIND(read_behind_calloc),
	KIND(write_nothing),
	KIND(read_freed_untagged),
	KIND(read_behind_untagged),
	KIND(read_before_untagged),
	KIND(write_behind_untagged),
	KIND(free_twice_untagged),
	KIND(sizes),
	KIND(aligned),
	KIND(aligned_anyway),
	KIND(forks),
	KIND(pages),
	KIND(system_calls),
	KIND(coroutine),
	KIND(own_fault),
	KIND(blocked),
	KIND(blocked_before),
	KIND(ignored),
	KIND(strips),
	KIND(many),
	KIND(trimmed),
	KIND(mapped),
	KIND(large),
	KIND(large_many),
	KIND(moves),
	KIND(asks),
};

static void *run_kind(void *kind)
{
	kinds[(uintptr_t)kind].run();
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	uintptr_t i;

	for (i = 0; argc > 1 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(argv[1], kinds[i].name))
			continue;
		if (argc == 2)
			run_kind((void *)i);
		else if (pthread_create(&thread, NULL, run_kind, (void *)i) ||
			 pthread_join(thread, NULL))
			return 3;
		puts("OK");
		return 0;
	}
	return 2;
}
