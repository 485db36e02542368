// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * saves.c - first saves, later ones and fetches as linux/benchmark.c does them, for a count of
 * their instructions without a kernel:
 *
 *	valgrind --tool=callgrind --toggle-collect=first_saves saves
 *
 * or later_saves, or fetches; divided by TRACES. The index has grown once by then, as in a kernel
 * that has booted.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "control.h"

#define TRACES 2000u
#define BEFORE 2000u
#define FRAMES 16u
#define OWN 6u
#define BASE ((unsigned long)0xffff800080123450ull)

void first_saves(void);
void later_saves(void);
void fetches(void);

unsigned int stack_depot_save(unsigned long *entries, unsigned int nr, unsigned int gfp);
unsigned int stack_depot_fetch_into(unsigned int handle, unsigned long *entries, unsigned int size);
int stack_depot_init(void);

static unsigned long frames[FRAMES], fetched[FRAMES];
static unsigned int handles[TRACES];
static unsigned int wrong;

static void own_frames(unsigned int trace)
{
	unsigned int i;

	for (i = 0; i < OWN; i++)
		frames[i] = BASE + 256ul * trace + 8ul * i;
}

__attribute__((noinline)) void first_saves(void)
{
	unsigned int i;

	for (i = 0; i < TRACES; i++) {
		own_frames(i);
		handles[i] = stack_depot_save(frames, FRAMES, 1);
	}
}

__attribute__((noinline)) void later_saves(void)
{
	unsigned int i;

	for (i = 0; i < TRACES; i++) {
		own_frames(i);
		wrong += !handles[i] || stack_depot_save(frames, FRAMES, 1) != handles[i];
	}
}

__attribute__((noinline)) void fetches(void)
{
	unsigned int i;

	for (i = 0; i < TRACES; i++)
		wrong += stack_depot_fetch_into(handles[i], fetched, FRAMES) != FRAMES;
}

/* Traces that share nothing, in two lines each. */
static void fill(void)
{
	unsigned int trace, i;

	for (trace = 0; trace < BEFORE; trace++) {
		for (i = 0; i < FRAMES; i++)
			frames[i] = BASE + 0x10000000ul + 4096ul * trace + 8ul * i;
		wrong += !stack_depot_save(frames, FRAMES, 1);
	}
}

int main(void)
{
	unsigned int i;

	fake_memory_bytes = 1ull << 30;
	if (stack_depot_init())
		return 1;
	fill();
	for (i = OWN; i < FRAMES; i++)
		frames[i] = BASE + 16ul * i;
	first_saves();
	later_saves();
	fetches();
	own_frames(TRACES - 1);
	wrong += memcmp(frames, fetched, sizeof(frames)) != 0;
	printf("%u of %u wrong\n", wrong, TRACES);
	return wrong != 0;
}
