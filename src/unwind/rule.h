/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Rules: what to do at a return address, in one word, and the process-wide cache of them.
 *
 *	63        40 39     24 23      8 7     0
 *	+-----------+---------+---------+-------+
 *	| cfa       | fp slot | ra slot | kind, |	offsets divided by 8, signed,
 *	|           |         |         | flags |	of the slots from the cfa
 *	+-----------+---------+---------+-------+
 *
 * The cache is an array of cache lines of 8 entries of one word each:
 *
 *	63                    15 14            0
 *	+-----------------------+--------------+
 *	| key                   | rule's index |	0: empty
 *	+-----------------------+--------------+
 *
 * A key is a return address in a permanent module, 48 bits; or bit 48, the id of an unloadable
 * module and the distance from its base. Programs have many addresses and few rules, so these sit
 * in a table of their own, are written once and never change. An entry is one word, so it is seen
 * whole or not at all, and whichever of two writers wins, it is right.
 */
#ifndef UNWIND_RULE_H
#define UNWIND_RULE_H

#include <stdatomic.h>

#include "module.h"

enum {
	RULE_SP = 0, /* cfa = sp + offset */
	RULE_FP = 1, /* cfa = fp + offset */
	RULE_FIXED_LAST = RULE_FP,
	RULE_REALIGNED, /* cfa = word at fp + offset; the saved fp is at fp */
	RULE_END, /* the outermost frame */
	RULE_FULL, /* needs all registers */
	RULE_NONE, /* no unwind table covers it */
	RULE_KIND = 0x07,
	RULE_FP_SAVED = 0x08, /* if not, the fp slot is the ra slot */
	RULE_RECHECK = 0x10, /* not to be taken for granted in the next walk; never in the table */
	RULE_VALID = 0x20, /* always set: a rule is not 0 */
};

#define RULE_CACHE_LINES 16384
#define RULE_LINE_ENTRIES 8
#define RULE_TABLE 16384
#define RULE_INDEX_BITS 15
#define RULE_KEY_UNLOADABLE (UINT64_C(1) << 48)
#define RULE_PC_LIMIT (UINT64_C(1) << 48)

extern _Atomic uint64_t unwind_rule_cache[RULE_CACHE_LINES][RULE_LINE_ENTRIES];
extern _Atomic uint64_t unwind_rule_table[RULE_TABLE];

static inline unsigned int rule_kind(uint64_t rule)
{
	return rule & RULE_KIND;
}

static inline intptr_t rule_cfa(uint64_t rule)
{
	return ((int64_t)rule >> 40) * 8;
}

static inline intptr_t rule_fp_slot(uint64_t rule)
{
	return (intptr_t)(int16_t)(rule >> 24) * 8;
}

static inline intptr_t rule_ra_slot(uint64_t rule)
{
#if defined(__x86_64__)
	(void)rule;
	return -8;
#else
	return (intptr_t)(int16_t)(rule >> 8) * 8;
#endif
}

static inline uint64_t rule_hash(uint64_t key)
{
	return key * UINT64_C(0x9e3779b97f4a7c15);
}

/* The rule filed under @key, or 0. */
static inline uint64_t rule_find(uint64_t key)
{
	uint64_t hash = rule_hash(key);
	_Atomic uint64_t *line = unwind_rule_cache[hash >> 50];
	unsigned int i, at = (unsigned int)(hash >> 47);

	_Static_assert(RULE_CACHE_LINES == 1 << (64 - 50), "the top bits choose the line");
	for (i = 0; i < RULE_LINE_ENTRIES; i++, at++) {
		/* pairs with the release in rule_insert(): the rule is in its table */
		uint64_t entry = atomic_load_explicit(&line[at % RULE_LINE_ENTRIES],
						      memory_order_acquire);

		if (entry >> RULE_INDEX_BITS == key)
			return atomic_load_explicit(
				&unwind_rule_table[entry & ((1 << RULE_INDEX_BITS) - 1)],
				memory_order_relaxed);
		if (!entry)
			break;
	}
	return 0;
}

/**
 * unwind_rule_miss() - the rule for return address @pc, which rule_find() does not have.
 * @module: memory of the last module met in this walk; zero-initialised at its start.
 */
uint64_t unwind_rule_miss(uintptr_t pc, struct unwind_module *module);

static inline uint64_t rule_for(uintptr_t pc, struct unwind_module *module)
{
	uint64_t rule = rule_find(pc);

	return __builtin_expect(rule != 0, 1) ? rule : unwind_rule_miss(pc, module);
}

/* unwind_rule_of() - what a row comes to. */
uint64_t unwind_rule_of(const struct unwind_bytes *bytes, const struct unwind_row *row);

#endif
