/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* scan.h - a look at all stores. */
#ifndef AGENT_SCAN_H
#define AGENT_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scan {
	char *const *places;
	size_t nr_places;
	/* Is it one that ended a worker before? */
	bool (*is_bad)(void *context, uint64_t device, uint64_t inode);
	void *context;
};

/* In a worker: write records (record.h) to standard output. An exit status. */
int scan_run(const struct scan *scan);

#endif
