/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* again.c - traces that the caller knows already, by reference: nothing is looked for. */
#include "hold.h"

static bool again_usable(const struct stackdepot *depot, u64 ref)
{
	return (u32)ref - 1 < depot->nr_lines && !depot->read_only;
}

stackdepot_handle_t stackdepot_save_again(struct stackdepot *depot, stackdepot_ref_t ref,
					  unsigned int flags)
{
	u64 state;

	if (unlikely(!again_usable(depot, ref)))
		return 0;
	state = atomic64_read_acquire(&depot_line(depot, (u32)ref)->state);
	if (likely(hold_is_current(depot, state, flags)) ? !hold_valid(depot, ref)
							 : !depot_hold(depot, ref, state, flags))
		return 0;
	return depot_handle(depot, ref);
}

void stackdepot_get_bulk(struct stackdepot *depot, stackdepot_ref_t ref, unsigned int nr)
{
	struct depot_line *line;
	u64 state, more;

	if (unlikely(!again_usable(depot, ref)))
		return;
	line = depot_line(depot, (u32)ref);
	state = atomic64_read(&line->state);
	do
		more = state_references(state) + (u64)nr < STATE_SATURATED
			       ? state + nr * STATE_REFERENCE
			       : state | STATE_SATURATED << STATE_REFERENCE_SHIFT;
	while (!atomic64_try_cmpxchg(&line->state, &state, more));
	if (state_references(more) == STATE_SATURATED && state_references(state) != STATE_SATURATED)
		depot_count(depot, COUNT_SATURATED);
}

/* The last one is given back by itself: it may be what keeps the line. */
void stackdepot_put_bulk(struct stackdepot *depot, stackdepot_ref_t ref, unsigned int nr)
{
	struct depot_line *line;
	u64 state;

	if (unlikely(!again_usable(depot, ref) || !nr))
		return;
	line = depot_line(depot, (u32)ref);
	state = atomic64_read_acquire(&line->state);
	(void)depot_renew(depot, (u32)ref, state);
	state = atomic64_read(&line->state);
	while (nr > 1 && state_references(state) != STATE_SATURATED &&
	       state_references(state) >= nr &&
	       !atomic64_try_cmpxchg(&line->state, &state, state - (nr - 1) * STATE_REFERENCE))
		;
	(void)depot_unpin(depot, (u32)ref);
}

void stackdepot_prefetch(struct stackdepot *depot, stackdepot_handle_t handle)
{
	prefetchw(depot_line(depot, handle & ((1u << depot->line_bits) - 1)));
}
