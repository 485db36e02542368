// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "find.h"

bool depot_equal_slow(struct stackdepot *depot, u32 number, const uintptr_t *frames, u32 nr)
{
	while (nr) {
		struct depot_line *line;
		u64 state;

		if (number - 1 >= depot->nr_lines)
			return false;
		line = depot_line(depot, number);
		state = atomic64_read(&line->state);
		if (!(state & STATE_LIVE) || state_count(state) > nr ||
		    !run_equal_slow(line, state, frames))
			return false;
		frames += state_count(state);
		nr -= state_count(state);
		number = state_parent(state);
	}
	return !number;
}

bool depot_equal_odd(struct stackdepot *depot, struct depot_line *line, u64 state,
		     const uintptr_t *frames, u32 nr)
{
	const u32 run = state_count(state);

	return state & STATE_LIVE && run <= nr && run_equal_slow(line, state, frames) &&
	       (run == nr ? !state_parent(state)
			  : depot_equal_slow(depot, state_parent(state), frames + run, nr - run));
}
