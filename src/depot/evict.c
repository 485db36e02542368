// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * evict.c - where a victim is chosen.
 *
 * Choice. A hand goes round the candidates (candidates.h), as in CLOCK (Corbato, 1968). A line that
 * is neither leased nor visited since the hand last came by is taken at once. Of the others the
 * hand remembers the best: one whose lease has run out before a leased one, of leased ones the
 * oldest. When it has passed EVICT_PATIENCE lines, or has been round, it takes that and goes back
 * there: of many lines that are alike, as in a burst of one tick, it takes one after another, and
 * does not come to those filled last before the others. So a save examines a bounded number of
 * lines, and in a depot of fewer candidates than that no lease is broken while another line could
 * go; in a larger one the hand meets lines in the order they were filled, which nearly is the order
 * of their leases. Another policy is another victim_rank().
 *
 * Refusal. When the hand finds nothing there may still be a line that somebody is just taking out
 * of the set, or putting into it. So all candidates are looked at once more, and all lines whose
 * dismissal was published before that. By (A) and (B) of candidates.h each line that could be taken
 * throughout is met then; what was in the hands of another save, or pinned, at some moment of the
 * search may be missed.
 *
 * Progress: lock-free. A search begins anew only if somebody took, pinned or dismissed a line.
 */
#include "candidates.h"
#include "death.h"
#include "evict.h"
#include "hold.h"

#define EVICT_PATIENCE 128u

struct victim {
	u64 state;
	u32 number; /* 0: none */
	u32 rank;   /* 0: take at once; 1: visited; above: leased, the oldest lowest */
};

/* A turn of the hand, or part of one. */
struct evict_pass {
	struct victim best;
	u32 taken;	/* a line: the search is over */
	bool dismissed; /* lines that will not be met again */
};

static u32 victim_rank(struct stackdepot *depot, u64 state)
{
	u32 age = state_age(state, depot_stamp(depot));

	if (depot->lease_ticks && age <= depot->lease_ticks)
		return 2 + depot->lease_ticks - age;
	return state & STATE_VISITED ? 1 : 0;
}

/* The next candidate, the hand moved behind it; 0 if there is none. */
static u32 evict_advance(struct stackdepot *depot)
{
	u32 hand = READ_ONCE(depot->header->hand);
	u32 number = depot_candidate_next(depot, hand);

	if (!number)
		number = depot_candidate_next(depot, 0);
	if (number)
		WRITE_ONCE(depot->header->hand, number + 1);
	return number;
}

static bool evict_claim(struct stackdepot *depot, const struct victim *victim)
{
	if (!depot_claim(depot, victim->number, victim->state))
		return false;
	if (victim->rank > 1)
		depot_count(depot, COUNT_LEASES_BROKEN);
	return true;
}

/* Take the second chance away from a line that nobody leased. False if it is in another state. */
static bool evict_spend_visit(struct stackdepot *depot, struct victim *victim)
{
	u64 visited = victim->state;

	victim->state &= ~STATE_VISITED;
	return atomic64_try_cmpxchg(&depot_line(depot, victim->number)->state, &visited,
				    victim->state);
}

/* A line as a victim; false if it cannot be one. Pinned lines are dismissed. */
static bool evict_look(struct stackdepot *depot, u32 number, struct victim *ret_victim,
		       bool *dismissed)
{
	u64 state = atomic64_read_acquire(&depot_line(depot, number)->state);

	*ret_victim = (struct victim){.state = state, .number = number};
	if (state == STATE_FREE)
		return true;
	if (!(state & STATE_LIVE))
		return false;
	if (state_pinned(state)) {
		*dismissed |= depot_candidate_dismiss(depot, number);
		return false;
	}
	ret_victim->rank = victim_rank(depot, state);
	return true;
}

/* Look at a candidate: taken, or else remembered if it is the best so far. */
static void evict_consider(struct stackdepot *depot, u32 number, struct evict_pass *pass)
{
	struct victim victim;

	if (!evict_look(depot, number, &victim, &pass->dismissed))
		return;
	if (!victim.rank) {
		if (evict_claim(depot, &victim))
			pass->taken = number;
		return;
	}
	if (victim.rank == 1 && !evict_spend_visit(depot, &victim))
		return;
	if (!pass->best.number || victim.rank < pass->best.rank)
		pass->best = victim;
}

static void evict_turn(struct stackdepot *depot, struct evict_pass *pass)
{
	u32 first = 0, passed;

	for (passed = 0; passed < EVICT_PATIENCE && !pass->taken; passed++) {
		u32 number = evict_advance(depot);

		if (!number || (number == first && pass->best.number))
			break;
		evict_consider(depot, number, pass);
		if (!first)
			first = number;
	}
	if (pass->taken || !pass->best.number || !evict_claim(depot, &pass->best))
		return;
	pass->taken = pass->best.number;
	/* Those passed behind it were no better, and are next. */
	WRITE_ONCE(depot->header->hand, pass->taken + 1);
}

/* Take this line if it can be had at all. */
static bool evict_insist(struct stackdepot *depot, u32 number)
{
	struct victim victim;
	bool dismissed = false;

	while (evict_look(depot, number, &victim, &dismissed))
		if (evict_claim(depot, &victim))
			return true;
	return false;
}

static u32 evict_insist_on_any(struct stackdepot *depot, u32 first, u64 end)
{
	u32 number;

	for (number = depot_candidate_next(depot, first); number && number < end;
	     number = depot_candidate_next(depot, number + 1))
		if (evict_insist(depot, number))
			return number;
	return 0;
}

/* What the search may have missed as somebody is changing the set there. */
static u32 evict_insist_on_published(struct stackdepot *depot, u64 word)
{
	u32 first;
	u64 end;

	if (!candidate_published(word, &first, &end))
		return 0;
	if (end - first > 1)
		return evict_insist_on_any(depot, first, end);
	return evict_insist(depot, first) ? first : 0;
}

/* Take any line; 0 if none could be taken all the time. */
static u32 evict_last_look(struct stackdepot *depot)
{
	struct candidate_view view;
	u32 i, number;

	depot_candidate_view(depot, &view);
	number = evict_insist_on_any(depot, 0, ~0ull);
	for (i = 0; i < DEPOT_DISMISSALS && !number; i++)
		number = evict_insist_on_published(depot, view.words[i]);
	return number;
}

u32 depot_evict(struct stackdepot *depot)
{
	for (;;) {
		struct evict_pass pass = {.taken = 0};

		evict_turn(depot, &pass);
		if (pass.taken)
			return pass.taken;
		if (!pass.best.number && !pass.dismissed)
			return evict_last_look(depot);
	}
}
