/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * hold.h - references, leases and the other ways to hold a line.
 *
 * All of them change `state` and nothing else. `state` does not say which life of the line it
 * belongs to; `link` does. So whoever holds by reference first changes the state of whatever lives
 * in the line and then looks whether it still is the life he meant. If not he takes the change
 * back, or leaves it where it does no harm: a stamp.
 */
#ifndef DEPOT_HOLD_H
#define DEPOT_HOLD_H

#include "depot.h"

/*
 * Does the line still live the life it lived when its link was `link`, not dead? Contents read
 * before are then that life's.
 */
static inline bool hold_lives(struct depot_line *line, u64 link)
{
	smp_rmb(); /* pairs with the barrier in insert_fill() */
	return !((atomic64_read(&line->link) ^ link) & ~LINK_NEXT);
}

static inline bool hold_valid(struct stackdepot *depot, u64 ref)
{
	return hold_lives(depot_line(depot, (u32)ref), ref & ~(LINK_NEXT | LINK_DEAD));
}

/*
 * depot_pin() - take a reference to the life of `ref`. False, and nothing done, if it is over.
 * @visited: STATE_VISITED if the trace was asked for, so that it gets a second chance when its last
 *           reference is given back; or 0.
 */
bool depot_pin(struct stackdepot *depot, u64 ref, u64 visited);

/* depot_mark() - set STATE_TRACE or STATE_KEPT bits of a line the caller has pinned. */
void depot_mark(struct stackdepot *depot, u32 number, u64 bits);

/* depot_unpin() - give a reference back; -EINVAL if there was none. */
int depot_unpin(struct stackdepot *depot, u32 number);

/*
 * depot_renew() - stamp a line, so that its lease starts anew and it gets a second chance.
 * @state: of the line, loaded with acquire order.
 *
 * Writes nothing if the line has today's stamp; harmless if it has another life now. False if the
 * line is dead; its stamp is unchanged then.
 */
bool depot_renew(struct stackdepot *depot, u32 number, u64 state);

/*
 * depot_hold() - hold a trace that was found, as the flags of depot_save() say.
 * @ref:   the life it was found in.
 * @state: of the line when it was read.
 *
 * What is so already is not written again. False if the life of `ref` is over.
 */
bool depot_hold(struct stackdepot *depot, u64 ref, u64 state, unsigned int flags);

/* Is there nothing for depot_hold() to write: kept already, or leased with today's stamp? */
static __always_inline bool hold_is_current(struct stackdepot *depot, u64 state, unsigned int flags)
{
	const u64 kept = STATE_TRACE | STATE_KEPT;
	const u64 leased = STATE_STAMP | STATE_TRACE | STATE_VISITED;

	if (flags & STACKDEPOT_GET)
		return false;
	if (flags & STACKDEPOT_KEEP)
		return (state & kept) == kept;
	return (state & leased) == (depot_stamp(depot) | STATE_TRACE | STATE_VISITED);
}

#endif
