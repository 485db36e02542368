/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* stat.h - one figure of debugfs' stackdepot/stats, for tests. Behind cmocka.h. */
#ifndef TESTS_LINUX_FAKE_STAT_H
#define TESTS_LINUX_FAKE_STAT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"

static inline unsigned long long stat(const char *name)
{
	char text[4096], line[64];
	const char *found;

	fake_read_stats(text, sizeof(text));
	(void)snprintf(line, sizeof(line), "\n%s: ", name);
	found = strstr(text, line);
	assert_non_null(found);
	return strtoull(found + strlen(line), NULL, 10);
}

#endif
