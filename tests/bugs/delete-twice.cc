/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Two owners delete one object. */
#include "bug.h"

struct thing {
	long values[6];
};

static __attribute__((noinline, noipa)) thing *make_thing()
{
	return static_cast<thing *>(hidden(new thing));
}

static __attribute__((noinline, noipa)) void first_owner(thing *object)
{
	delete object;
	__asm__ volatile("");
}

static __attribute__((noinline, noipa)) void second_owner(thing *object)
{
	delete object;
	__asm__ volatile("");
}

int main()
{
	thing *object = make_thing();

	first_owner(object);
	second_owner(static_cast<thing *>(hidden(object)));
	return 7;
}
