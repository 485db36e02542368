// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* hold.c - does what it is told: "k" keeps 100 objects more, "f" frees all, "e" writes past one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OBJECTS 100
#define OBJECT_BYTES 1000

static void *kept[OBJECTS * 64];
static int nr;

__attribute__((noinline)) static void keep(void)
{
	int i;

	for (i = 0; i < OBJECTS; i++)
		kept[nr++] = malloc(OBJECT_BYTES);
}

__attribute__((noinline)) static void drop(void)
{
	while (nr)
		free(kept[--nr]);
}

__attribute__((noinline)) static void past(void)
{
	volatile char *object = malloc(24);

	object[24] = 1;
	free((void *)object);
}

/* A line in one piece: there may be several of us. */
static void say(const char *line)
{
	(void)!write(STDOUT_FILENO, line, strlen(line));
}

int main(void)
{
	int order;

	setvbuf(stdin, NULL, _IONBF, 0);
	keep();
	say("ready\n");
	while ((order = getchar()) != EOF) {
		if (order == 'k')
			keep();
		else if (order == 'f')
			drop();
		else if (order == 'e')
			past();
		if (order != '\n')
			say("done\n");
	}
	return 0;
}
