/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * matrix.c - one kind of error after the other, at one size of object, each several times.
 *
 * matrix SIZE [fill] prints a line for each: number, kind, access, distance, times. The number is
 * in the stack of what is found: digits of it are functions, the last one innermost.
 */
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "../bugs/bug.h"

#define TIMES 15
#define AROUND 16
#define FILLERS 200

enum kind { BEYOND, BEFORE, FREED, TAKEN };

struct cell {
	enum kind kind;
	int writes;
	long distance;
};

static const char *const kind_names[] = {"beyond", "before", "freed", "taken again"};
static const struct cell cells[] = {
	{BEYOND, 0, 0},	    {BEYOND, 0, 7},	{BEYOND, 0, 16},  {BEYOND, 0, 100},
	{BEYOND, 0, 5000},  {BEYOND, 0, 60000}, {BEYOND, 1, 0},	  {BEYOND, 1, 7},
	{BEFORE, 0, 1},	    {BEFORE, 0, 16},	{BEFORE, 0, 100}, {BEFORE, 0, 5000},
	{BEFORE, 0, 60000}, {FREED, 0, 0},	{FREED, 1, 0},	  {TAKEN, 0, 0},
	{TAKEN, 1, 0},
};

static volatile char sink;
static size_t size;
static void *fillers[FILLERS];

static bug_function char *make(size_t bytes)
{
	return allocate(bytes);
}

static bug_function void end(char *object)
{
	free(object);
}

static char *place(const void *pointer)
{
	return (char *)((uintptr_t)pointer & ((1ull << 56) - 1));
}

/* Somebody else gets the memory, if he asks often enough. */
static char *take_again(const char *object)
{
	char *other;
	int i;

	for (i = 0; i < 2000; i++) {
		other = make(size);
		if (place(other) == place(object))
			return other;
		end(other);
	}
	return NULL;
}

static void access_at(const struct cell *cell, char *at)
{
	volatile char *where = hidden(at);

	if (cell->writes)
		*where = 'w';
	else
		sink = *where;
}

static void try_one(const struct cell *cell)
{
	char *around[AROUND], *object, *other = NULL;
	int i;

	for (i = 0; i < AROUND; i++)
		around[i] = make(size);
	object = around[AROUND / 2];
	if (cell->kind >= FREED)
		end(object);
	if (cell->kind == TAKEN)
		other = take_again(object);
	if (cell->kind == BEYOND)
		access_at(cell, object + size + cell->distance);
	else if (cell->kind == BEFORE)
		access_at(cell, object - cell->distance);
	else if (cell->kind == FREED || other)
		access_at(cell, object + size / 2);
	if (other)
		end(other);
	for (i = 0; i < AROUND; i++)
		if (i != AROUND / 2 || cell->kind < FREED)
			end(around[i]);
}

/* --- the number of the cell, in functions --------------------------------------------------- */

static void descend(unsigned int number, unsigned int digits, const struct cell *cell);

#define DIGIT(n)                                                                     \
	static bug_function void digit_##n(unsigned int number, unsigned int digits, \
					   const struct cell *cell)                  \
	{                                                                            \
		descend(number, digits, cell);                                       \
	}

DIGIT(0)
DIGIT(1)
DIGIT(2)
DIGIT(3)
DIGIT(4)
DIGIT(5)
DIGIT(6)
DIGIT(7)
DIGIT(8)
DIGIT(9)

static void (*const digit[])(unsigned int, unsigned int, const struct cell *) = {
	digit_0, digit_1, digit_2, digit_3, digit_4, digit_5, digit_6, digit_7, digit_8, digit_9,
};

static void descend(unsigned int number, unsigned int digits, const struct cell *cell)
{
	if (digits)
		digit[number % 10](number / 10, digits - 1, cell);
	else
		try_one(cell);
}

int main(int argc, char **argv)
{
	unsigned int i, times;

	size = argc > 1 ? strtoul(argv[1], NULL, 10) : 24;
	mallopt(M_TOP_PAD, 16 << 20);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
	/* What is before the first object is memory, too. */
	for (i = 0; argc > 2 && i < FILLERS; i++)
		fillers[i] = make(1000);
	for (i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		/* There may be no memory so far from an object that is alone. */
		if (argc <= 2 && cells[i].distance > 100)
			continue;
		printf("%u %s,%s,%ld %d\n", i, kind_names[cells[i].kind],
		       cells[i].writes ? "write" : "read", cells[i].distance, TIMES);
		fflush(stdout);
		for (times = 0; times < TIMES; times++)
			descend(i, 2, &cells[i]);
	}
	return 0;
}
