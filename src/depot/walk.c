// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * walk.c - a trace run by run.
 *
 * Each run is believed only if the life that the walk began at goes on after it was copied, like
 * the whole trace in fetch.c; so what was copied is true, also when a later run is gone.
 */
#include "fetch.h"
#include "hold.h"
#include "run.h"
#include "walk.h"

int depot_walk_begin(struct stackdepot *depot, u64 ref, struct depot_walk *ret_walk)
{
	u64 life;
	int error = depot_life(depot, ref, &life);

	if (!error)
		*ret_walk = (struct depot_walk){.ref = life, .number = (u32)life};
	return error;
}

int depot_walk_next(struct stackdepot *depot, struct depot_walk *walk, uintptr_t *frames)
{
	struct depot_line *line;
	u64 link, state;
	u32 i, count;

	if (!walk->number)
		return 0;
	if (walk->number > depot->nr_lines)
		return hold_valid(depot, walk->ref) ? -EBADMSG : -ESTALE;
	line = depot_line(depot, walk->number);
	link = atomic64_read(&line->link);
	state = atomic64_read(&line->state);
	count = state_count(state);
	for (i = 0; frames && i < count; i++)
		frames[i] = run_frame(line, state, i);
	if (!hold_valid(depot, walk->ref))
		return -ESTALE;
	if (!(state & STATE_LIVE) || walk->nr + count > STACKDEPOT_MAX_FRAMES ||
	    (state & STATE_WIDE && count > DEPOT_WIDE))
		return walk->nr ? -EBADMSG : -ESTALE;
	walk->run = depot_ref(walk->number, link);
	walk->number = state_parent(state);
	walk->nr += count;
	return (int)count;
}
