/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* judge.h - can a service be recorded, as hardened as it is? */
#ifndef SERVICE_JUDGE_H
#define SERVICE_JUDGE_H

#include <stdint.h>

#include "unit.h"

struct judge {
	const struct unit_place *place;
	const struct unit *unit;
	const char *library; /* the file that is to be preloaded, as the service's root has it */
	const char *preload; /* and how it is named */
	uint64_t memory_bytes;
};

/*
 * Says in a line each what keeps it from being recorded, and returns whether nothing does. What is
 * merely not seen is said, too.
 */
bool judge_unit(const struct judge *judge);

#endif
