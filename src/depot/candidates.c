// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "candidates.h"

static_assert(STACKDEPOT_MAX_LINES <= CANDIDATE_INDEX, "a line's number is an index");

u32 depot_candidate_words(u32 lines, u32 words[DEPOT_LEVELS])
{
	u32 level = 0, bits = lines + 1;

	do {
		bits = (bits + CANDIDATE_BITS - 1) / CANDIDATE_BITS;
		words[level++] = bits;
	} while (bits > 1);
	return level;
}

/*
 * The caller has just changed the state of the line, or the bit below, by an operation that is a
 * full barrier.
 */
static void candidate_set_from(struct stackdepot *depot, u32 level, u32 bit)
{
	for (; level < depot->nr_levels; level++, bit /= CANDIDATE_BITS) {
		if (candidate_test(depot, level, bit))
			/* Pairs with test_and_clear_bit() in candidate_summarise(). */
			smp_mb();
		else
			test_and_set_bit(bit % CANDIDATE_BITS,
					 candidate_word(depot, level, bit / CANDIDATE_BITS));
	}
}

/* Every level is looked at: who set the lower ones may have been interrupted half way. */
void depot_candidate_set(struct stackdepot *depot, u32 line)
{
	/* A number that others wrote may be none. */
	if (likely(line <= depot->nr_lines))
		candidate_set_from(depot, 0, line);
}

/* One bit after the other would be a read-modify-write, and a way through all levels, for each. */
void depot_candidate_begin(struct stackdepot *depot, u32 line)
{
	const u32 end = line | (CANDIDATE_BITS - 1);
	const u32 last = end < depot->nr_lines ? end : depot->nr_lines;
	const unsigned long bits = ~0ul << line % CANDIDATE_BITS &
				   ~0ul >> (CANDIDATE_BITS - 1 - last % CANDIDATE_BITS);
	unsigned long nothing = 0;

	/* Not 0: somebody else begins it. */
	if (!try_cmpxchg(depot_candidate_word(depot, line / CANDIDATE_BITS), &nothing, bits))
		smp_mb(); /* As in candidate_set_from(). */
	candidate_set_from(depot, 1, line / CANDIDATE_BITS);
}

/* Publish that a bit is going to be cleared; NULL if all words are in use. */
static u32 *dismissal_publish(struct stackdepot *depot, u32 level, u32 index)
{
	u32 i;

	for (i = 0; i < DEPOT_DISMISSALS; i++) {
		u32 *word = &depot->header->dismissals[i];
		u32 nothing = READ_ONCE(*word);

		if (!nothing && try_cmpxchg(word, &nothing, level << CANDIDATE_LEVEL_SHIFT | index))
			return word;
	}
	return NULL;
}

static void dismissal_withdraw(u32 *word)
{
	/* Pairs with depot_candidate_view(): who finds nothing finds the bits as they were left. */
	smp_store_release(word, 0);
}

static bool candidate_is_to_go(u64 state)
{
	return state & STATE_LIVE && state_pinned(state) && !(state & STATE_DISMISSED);
}

static bool candidate_mark_dismissed(struct depot_line *line)
{
	u64 state = atomic64_read(&line->state);

	while (candidate_is_to_go(state))
		if (atomic64_try_cmpxchg(&line->state, &state, state | STATE_DISMISSED))
			return true;
	return false;
}

bool depot_candidate_dismiss(struct stackdepot *depot, u32 number)
{
	struct depot_line *line = depot_line(depot, number);
	u32 *published;
	bool dismissed;

	if (number > depot->nr_lines || !candidate_is_to_go(atomic64_read(&line->state)))
		return false;
	published = dismissal_publish(depot, 0, number);
	if (!published)
		return false;
	dismissed = candidate_mark_dismissed(line);
	if (dismissed) {
		test_and_clear_bit(number % CANDIDATE_BITS,
				   depot_candidate_word(depot, number / CANDIDATE_BITS));
		if (!(atomic64_read(&line->state) & STATE_DISMISSED))
			depot_candidate_set(depot, number);
	}
	dismissal_withdraw(published);
	return dismissed;
}

/* A word was found empty: say so above, unless it no longer is. */
static void candidate_summarise(struct stackdepot *depot, u32 level, u32 word)
{
	unsigned long *below = candidate_word(depot, level, word);
	u32 *published;

	if (level + 1 == depot->nr_levels || !candidate_test(depot, level + 1, word))
		return;
	published = dismissal_publish(depot, level + 1, word);
	if (!published)
		return;
	/* Again, as whoever set a bit in it before this was published is to be found. */
	if (!READ_ONCE(*below)) {
		test_and_clear_bit(word % CANDIDATE_BITS,
				   candidate_word(depot, level + 1, word / CANDIDATE_BITS));
		if (READ_ONCE(*below))
			candidate_set_from(depot, level + 1, word);
	}
	dismissal_withdraw(published);
}

u32 depot_candidate_next(struct stackdepot *depot, u32 line)
{
	u32 level = 0, bit = line;

	for (;;) {
		u32 word = bit / CANDIDATE_BITS;
		unsigned long bits;

		if (word >= depot->candidate_words[level])
			return 0;
		/* Pairs with the RMW in candidate_set_from(). */
		bits = smp_load_acquire(candidate_word(depot, level, word));
		if (bits >> bit % CANDIDATE_BITS) {
			bit += (u32)__ffs(bits >> bit % CANDIDATE_BITS);
			if (!level)
				return bit;
			level--;
			bit *= CANDIDATE_BITS;
			continue;
		}
		if (!bits)
			candidate_summarise(depot, level, word);
		if (++level == depot->nr_levels)
			return 0;
		bit = word + 1;
	}
}

void depot_candidate_view(struct stackdepot *depot, struct candidate_view *ret_view)
{
	u32 i;

	for (i = 0; i < DEPOT_DISMISSALS; i++)
		/* Pairs with the RMW in dismissal_publish(). */
		ret_view->words[i] = smp_load_acquire(&depot->header->dismissals[i]);
}

void depot_candidate_reset(struct stackdepot *depot)
{
	u32 i;

	for (i = 0; i < DEPOT_DISMISSALS; i++)
		dismissal_withdraw(&depot->header->dismissals[i]);
}
