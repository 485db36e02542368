/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* stores.h - which stores are pushed: those that are named, and those that lie in places. */
#ifndef FLEET_STORES_H
#define FLEET_STORES_H

#include "options.h"

struct stores {
	char **names; /* each a FILE or a PID */
	size_t nr;
	size_t room;
};

/* What is in places is looked for anew, and held open: what was checked is what is read. */
void stores_open(struct stores *stores, const struct fleet_options *options);
void stores_close(struct stores *stores, const struct fleet_options *options);

#endif
