/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A module for iconv(), which the C library loads and unloads on its own. With plugin.c. */
#include <gconv.h>

void plugin_call(void (*function)(void));
void gconv_runs(void (*function)(void (*)(void))); /* the program's */

int gconv(struct __gconv_step *step);
int gconv_init(struct __gconv_step *step);
void gconv_end(struct __gconv_step *step);

int gconv(struct __gconv_step *step)
{
	(void)step;
	return __GCONV_ILLEGAL_DESCRIPTOR; /* converts nothing */
}

int gconv_init(struct __gconv_step *step)
{
	gconv_runs(plugin_call);
	step->__min_needed_from = step->__max_needed_from = 1;
	step->__min_needed_to = step->__max_needed_to = 4;
	step->__stateful = 0;
	return __GCONV_OK;
}

void gconv_end(struct __gconv_step *step)
{
	(void)step;
}
