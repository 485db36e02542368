/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* tags_none.c - a processor without tags. */
#include "recorder.h"
#include "say.h"
#include "tags.h"

void tags_setup(void)
{
	if (recorder.options.tags != TAGS_OFF)
		say("no tags: this processor has none (they are arm64's MTE)", NULL);
}
