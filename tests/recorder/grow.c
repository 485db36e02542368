/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * grow: objects that become more, that come and go, and that are there once. For each character on
 * standard input a round, answered with a dot; at the character 'f' rounds until the input ends.
 */
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define SLOTS 100
#define FIRST 3 /* of those that shrinks() frees */

static void *slots[SLOTS];

static __attribute__((noinline, noipa)) void grows(void)
{
	void **object = malloc(24);

	*object = slots[0];
	slots[0] = object;
}

static __attribute__((noinline, noipa)) void stays(void)
{
	free(slots[1]);
	slots[1] = malloc(1000);
}

static __attribute__((noinline, noipa)) void once(void)
{
	if (!slots[2])
		slots[2] = malloc(5000);
}

static __attribute__((noinline, noipa)) void shrinks(void)
{
	static size_t left;

	if (!left)
		for (left = FIRST; left < SLOTS; left++)
			slots[left] = malloc(300);
	if (left > FIRST)
		free(slots[--left]);
}

static void round_of_all(void)
{
	int i;

	for (i = 0; i < 10; i++)
		grows();
	stays();
	once();
	shrinks();
}

int main(void)
{
	struct pollfd input = {.fd = 0, .events = POLLIN};
	char character = 0;

	while (character != 'f' && read(0, &character, 1) == 1) {
		round_of_all();
		if (write(1, ".", 1) != 1)
			return 1;
	}
	while (poll(&input, 1, 1) == 0)
		round_of_all();
	return 0;
}
