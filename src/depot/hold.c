/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include "candidates.h"
#include "hold.h"

bool depot_pin(struct stackdepot *depot, u64 ref)
{
	struct depot_line *line = port_line(depot, (u32)ref);
	u64 state = port_load_relaxed(&line->state);
	u64 pinned;

	do {
		if (!(state & STATE_LIVE))
			return false;
		pinned = state;
		if (state_references(state) != STATE_SATURATED)
			pinned += STATE_REFERENCE;
	} while (!port_cas(&line->state, &state, pinned));

	/* The life may have ended and another begun before the count went up. */
	if (!hold_valid(depot, ref)) {
		(void)depot_unpin(depot, (u32)ref);
		return false;
	}
	if (pinned != state && state_references(pinned) == STATE_SATURATED)
		depot_count(depot, COUNT_SATURATED);
	return true;
}

int depot_unpin(struct stackdepot *depot, u32 number)
{
	struct depot_line *line = port_line(depot, number);
	u64 state = port_load_relaxed(&line->state);

	do {
		if (!(state & STATE_LIVE) || !state_references(state))
			return -EINVAL;
		if (state_references(state) == STATE_SATURATED)
			return 0;
	} while (!port_cas(&line->state, &state, state - STATE_REFERENCE));

	if (!state_pinned(state - STATE_REFERENCE))
		depot_candidate_set(depot, number);
	return 0;
}

void depot_mark(struct stackdepot *depot, u32 number, u64 bits)
{
	struct depot_line *line = port_line(depot, number);
	u64 state = port_load_relaxed(&line->state);

	while ((state & bits) != bits)
		if (port_cas(&line->state, &state, state | bits)) {
			if (bits & ~state & STATE_TRACE)
				depot_count(depot, COUNT_SAVED);
			break;
		}
}

/* Bits that only a pinned line may be given: what they say is about one life. */
static bool hold_mark(struct stackdepot *depot, u64 ref, u64 bits)
{
	if (!depot_pin(depot, ref))
		return false;
	depot_mark(depot, (u32)ref, bits);
	(void)depot_unpin(depot, (u32)ref);
	return true;
}

bool depot_renew(struct stackdepot *depot, u32 number, u64 state)
{
	struct depot_line *line = port_line(depot, number);
	const u64 stamp = depot_stamp(depot) | STATE_VISITED;

	while (state & STATE_LIVE && (state & (STATE_STAMP | STATE_VISITED)) != stamp)
		if (port_cas(&line->state, &state, (state & ~STATE_STAMP) | stamp))
			break;
	return state & STATE_LIVE;
}

bool depot_hold(struct stackdepot *depot, u64 ref, u64 state, unsigned int flags)
{
	u64 bits = STATE_TRACE;

	if (flags & STACKDEPOT_GET && !depot_pin(depot, ref))
		return false;
	if (flags & STACKDEPOT_KEEP)
		bits |= STATE_KEPT;
	if ((state & bits) != bits && !hold_mark(depot, ref, bits))
		return false;
	if (!(flags & (STACKDEPOT_GET | STACKDEPOT_KEEP)) && !depot_renew(depot, (u32)ref, state))
		return false;
	/* Written first, looked at afterwards: if the line lives now, it lived when it was held. */
	return hold_valid(depot, ref);
}
