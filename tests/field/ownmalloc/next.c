/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a program wraps malloc() and finds the next by dlsym(RTLD_NEXT): each at its first call,
 *	all together at the first, or all at the start
 * build: $CC -g -O1 -fno-builtin -rdynamic -DEACH -o next_each $SRC/next.c
 * build: $CC -g -O1 -fno-builtin -rdynamic -o next_together $SRC/next.c
 * build: $CC -g -O1 -fno-builtin -rdynamic -DAT_START -o next_at_start $SRC/next.c
 * run: next_each && next_together && next_at_start; exit $((3 + $?))
 * expect: leak keeps 2331 3
 * expect: not DOUBT
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct next {
	const char *name;
	void *function;
	int looking;
};

enum { MALLOC, FREE, CALLOC, REALLOC };

static struct next nexts[] = {
	{.name = "malloc"}, {.name = "free"}, {.name = "calloc"}, {.name = "realloc"}};
static unsigned long calls;
static char early[65536];
static size_t used;

static int is_early(void *object)
{
	return (char *)object >= early && (char *)object < early + sizeof(early);
}

static void *take_early(size_t size)
{
	void *object = early + used;

	used += (size + 15) & ~15ul;
	return object;
}

/* dlsym() may allocate, and be here again. */
static void look(struct next *next)
{
	next->looking = 1;
	next->function = dlsym(RTLD_NEXT, next->name);
	next->looking = 0;
}

#ifdef AT_START
__attribute__((constructor))
#endif
__attribute__((unused)) static void
look_for_all(void)
{
	unsigned int i;

	for (i = MALLOC; i <= REALLOC; i++)
		nexts[i].looking = 1;
	for (i = MALLOC; i <= REALLOC; i++)
		nexts[i].function = dlsym(RTLD_NEXT, nexts[i].name);
	for (i = MALLOC; i <= REALLOC; i++)
		nexts[i].looking = 0;
}

static void *find(unsigned int number)
{
	struct next *next = &nexts[number];

#if defined(EACH)
	if (!next->function && !next->looking)
		look(next);
#elif !defined(AT_START)
	if (!next->function && !next->looking)
		look_for_all();
#endif
	return next->looking ? NULL : next->function;
}

void *malloc(size_t size)
{
	void *(*next)(size_t);

	*(void **)&next = find(MALLOC);
	if (!next)
		return take_early(size);
	calls++;
	return next(size);
}

void free(void *object)
{
	void (*next)(void *);

	*(void **)&next = is_early(object) ? NULL : find(FREE);
	if (next)
		next(object);
}

void *calloc(size_t nr, size_t size)
{
	void *(*next)(size_t, size_t);

	*(void **)&next = find(CALLOC);
	if (!next)
		return take_early(nr * size);
	calls++;
	return next(nr, size);
}

void *realloc(void *object, size_t size)
{
	void *(*next)(void *, size_t);

	*(void **)&next = is_early(object) ? NULL : find(REALLOC);
	if (!next) {
		void *moved = malloc(size);

		return object ? memcpy(moved, object, size) : moved;
	}
	calls++;
	return next(object, size);
}

static __attribute__((noinline)) void *keeps(void)
{
	return malloc(777);
}

int main(void)
{
	char *object = malloc(100), *text = strdup("hello");
	int i;

	object = realloc(object, 5000);
	free(object);
	printf("%s %d\n", text, calls >= 3);
	free(text);
	for (i = 0; i < 3000; i++)
		free(realloc(calloc(3, i), 50 + i));
	return keeps() ? 0 : 4;
}
