/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A field of an object at NULL is read. */
#include "bug.h"

static bug_function int read_field(volatile char *object)
{
	return object[24];
}

int main(void)
{
	return read_field(hidden(NULL));
}
