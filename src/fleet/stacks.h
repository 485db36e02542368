/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* stacks.h - the stacks of a store by their ids, each once, with what is live and what was left. */
#ifndef FLEET_STACKS_H
#define FLEET_STACKS_H

#include "base/table.h"
#include "id.h"
#include "profile/profile.h"

/* Which figures are added; allocations come with those that are live. */
enum stacks_part {
	STACKS_LIVE,
	STACKS_LEFT,	 /* of a profile whose allocations come again */
	STACKS_ALL_LEFT, /* of one whose do not */
};

struct stacks_one {
	struct fleet_id id;
	struct profile_sums live; /* and all that was ever allocated */
	struct profile_sums left;
};

/* All zero: empty. */
struct stacks {
	struct table table;
	struct stacks_one *list; /* numbers as of the table */
	size_t nr;
	size_t room;
};

/* Stacks of one id, as those through code whose address means nothing elsewhere, become one. */
void stacks_add(struct stacks *stacks, struct fleet_id id, enum stacks_part part,
		const struct profile_sums *sums);
void stacks_free(struct stacks *stacks);

#endif
