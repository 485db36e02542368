/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* plugin: built twice, with another name each: the same code at the same offsets. */
#include <stdlib.h>

void *PLUGIN_FUNCTION(void (*through)(void **), void **where);
void *PLUGIN_FUNCTION(void (*through)(void **), void **where)
{
	void *object = malloc(PLUGIN_BYTES);

	through(where);
	*where = object;
	return object;
}
