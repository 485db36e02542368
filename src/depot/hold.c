// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "candidates.h"
#include "hold.h"

bool depot_pin(struct stackdepot *depot, u64 ref, u64 visited)
{
	struct depot_line *line = depot_line(depot, (u32)ref);
	u64 state = atomic64_read(&line->state);
	u64 pinned;

	do {
		if (!(state & STATE_LIVE))
			return false;
		pinned = state | visited;
		if (state_references(state) != STATE_SATURATED)
			pinned += STATE_REFERENCE;
	} while (!atomic64_try_cmpxchg(&line->state, &state, pinned));

	/* The life may have ended and another begun before the count went up. */
	if (!hold_valid(depot, ref)) {
		depot_unpin(depot, (u32)ref);
		return false;
	}
	if (state_references(pinned) == STATE_SATURATED &&
	    state_references(state) != STATE_SATURATED)
		depot_count(depot, COUNT_SATURATED);
	return true;
}

/*
 * A dismissed line enters the set of candidates again while it is still pinned, by the caller's
 * reference: candidates.h says why in this order.
 */
int depot_unpin(struct stackdepot *depot, u32 number)
{
	struct depot_line *line = depot_line(depot, number);
	u64 state = atomic64_read(&line->state);

	for (;;) {
		if (!(state & STATE_LIVE) || !state_references(state))
			return -EINVAL;
		if (state_references(state) == STATE_SATURATED)
			return 0;
		if (state & STATE_DISMISSED && !state_pinned(state - STATE_REFERENCE)) {
			if (!atomic64_try_cmpxchg(&line->state, &state, state & ~STATE_DISMISSED))
				continue;
			state &= ~STATE_DISMISSED;
			depot_candidate_set(depot, number);
		}
		if (atomic64_try_cmpxchg(&line->state, &state, state - STATE_REFERENCE))
			return 0;
	}
}

void depot_mark(struct stackdepot *depot, u32 number, u64 bits)
{
	struct depot_line *line = depot_line(depot, number);
	u64 state = atomic64_read(&line->state);

	while ((state & bits) != bits)
		if (atomic64_try_cmpxchg(&line->state, &state, state | bits)) {
			if (bits & ~state & STATE_TRACE)
				depot_count(depot, COUNT_SAVED);
			break;
		}
}

/* Bits that only a pinned line may be given: what they say is about one life. */
static bool hold_mark(struct stackdepot *depot, u64 ref, u64 bits)
{
	if (!depot_pin(depot, ref, 0))
		return false;
	depot_mark(depot, (u32)ref, bits);
	depot_unpin(depot, (u32)ref);
	return true;
}

/*
 * The clock is read after the state, each time: a stamp that is in the line was on the clock before
 * it was written, so the clock read here shows no less, and a stamp is never replaced by an older
 * one. A failed compare-and-swap orders nothing behind it, hence the load.
 */
bool depot_renew(struct stackdepot *depot, u32 number, u64 state)
{
	struct depot_line *line = depot_line(depot, number);

	while (state & STATE_LIVE) {
		const u64 stamp = depot_stamp(depot) | STATE_VISITED;

		if ((state & (STATE_STAMP | STATE_VISITED)) == stamp ||
		    atomic64_try_cmpxchg(&line->state, &state, (state & ~STATE_STAMP) | stamp))
			return true;
		state = atomic64_read_acquire(&line->state);
	}
	return false;
}

bool depot_hold(struct stackdepot *depot, u64 ref, u64 state, unsigned int flags)
{
	u64 bits = STATE_TRACE;

	if (flags & STACKDEPOT_GET && !depot_pin(depot, ref, STATE_VISITED))
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
