/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include "candidates.h"

#define WORD 64u

u32 depot_candidate_words(u32 lines, u32 words[DEPOT_LEVELS], u32 *ret_levels)
{
	u32 level = 0, sum = 0, bits = lines + 1;

	do {
		words[level] = (bits + WORD - 1) / WORD;
		bits = words[level];
		sum += bits;
		level++;
	} while (bits > 1);
	*ret_levels = level;
	return sum;
}

static void candidate_set_from(struct stackdepot *depot, u32 level, u32 bit)
{
	for (; level < depot->nr_levels; level++, bit /= WORD) {
		u64 *word = &depot->candidates[level][bit / WORD];
		u64 mask = 1ull << bit % WORD;

		if (!(port_load_seq_cst(word) & mask))
			(void)port_fetch_or(word, mask);
	}
}

/* Every level is looked at: who set the lower ones may have been interrupted half way. */
void depot_candidate_set(struct stackdepot *depot, u32 line)
{
	candidate_set_from(depot, 0, line);
}

void depot_candidate_clear(struct stackdepot *depot, u32 line)
{
	(void)port_fetch_and(&depot->candidates[0][line / WORD], ~(1ull << line % WORD));
}

/* A word was found empty: say so above, unless it no longer is. */
static void candidate_summarise(struct stackdepot *depot, u32 level, u32 word)
{
	if (level + 1 == depot->nr_levels)
		return;
	(void)port_fetch_and(&depot->candidates[level + 1][word / WORD], ~(1ull << word % WORD));
	if (port_load_seq_cst(&depot->candidates[level][word]))
		candidate_set_from(depot, level + 1, word);
}

u32 depot_candidate_next(struct stackdepot *depot, u32 line)
{
	u32 level = 0, bit = line;

	for (;;) {
		u32 word = bit / WORD;
		u64 bits;

		if (word >= depot->candidate_words[level])
			return 0;
		bits = port_load_seq_cst(&depot->candidates[level][word]);
		if (bits >> bit % WORD) {
			bit += (u32)__builtin_ctzll(bits >> bit % WORD);
			if (!level)
				return bit;
			level--;
			bit *= WORD;
			continue;
		}
		if (!bits)
			candidate_summarise(depot, level, word);
		if (++level == depot->nr_levels)
			return 0;
		bit = word + 1;
	}
}
