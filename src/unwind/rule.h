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
 * The cache has cache lines of 8 entries of one word each, eight lines for each KiB of code: a
 * chunk, which is taken when its first entry is, so that a short process has few pages of them.
 *
 *	63             29 28  27 26       25   14 13     0
 *	+----------------+------+--------+-------+-------+
 *	| tag            | kind | fp     | slot  | cfa   |	kinds SP and FP
 *	|                |      | saved  |       |       |
 *	|                |      +--------+-------+-------+
 *	|                |      | index                  |	kind TABLE
 *	+----------------+------+------------------------+
 *
 * A key is a return address in a permanent module, 48 bits; or bit 48, the id of an unloadable
 * module and the distance from its base. Which line an entry is in tells 14 bits of its key, the
 * tag has the others, so what is found is what was sought. Offsets are divided by 8; slot is how
 * far below the cfa the one thing is kept that varies, as arch_slot() has it: frame pointer or
 * return address. All else is an index into a table of rules in full, which are written once and
 * never change. An entry is one word, so it is seen whole or not at all, and whichever of two
 * writers wins, it is right.
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
	RULE_END,	/* the outermost frame */
	RULE_FULL,	/* needs all registers */
	RULE_NONE,	/* no unwind table covers it */
	RULE_KIND = 0x07,
	RULE_FP_SAVED = 0x08, /* if not, the fp slot is the ra slot */
	RULE_RECHECK = 0x10,  /* not to be taken for granted in the next walk; never in the table */
	RULE_VALID = 0x20,    /* always set: a rule is not 0 */
	RULE_UNLOADABLE = 0x40, /* holds while its module has its identity; never in the table */
};

#define RULE_CACHE_LINES 16384
#define RULE_LINE_ENTRIES 8
#define RULE_CACHE_ENTRIES (RULE_CACHE_LINES * RULE_LINE_ENTRIES)
#define RULE_CHUNK_ENTRIES 64
#define RULE_CHUNKS (RULE_CACHE_ENTRIES / RULE_CHUNK_ENTRIES)
#define RULE_TABLE 8192
#define RULE_KEY_UNLOADABLE (UINT64_C(1) << 48)
#define RULE_PC_LIMIT (UINT64_C(1) << 48)

/* What of an entry says what to do; 0 is none. */
enum {
	CODE_CFA_BITS = 14,
	CODE_SLOT_BITS = 12,
	CODE_FP_SAVED = 1 << 26,
	CODE_KIND_SHIFT = 27,
	CODE_SP = 1 << CODE_KIND_SHIFT,
	CODE_FP = 2 << CODE_KIND_SHIFT,
	CODE_TABLE = 3 << CODE_KIND_SHIFT,
	CODE_BITS = 29,
};

/* In the order in which their first entries came; the one before them stays empty. */
extern _Atomic uint64_t unwind_rule_cache[(1 + RULE_CHUNKS) * RULE_CHUNK_ENTRIES];
extern _Atomic uint16_t unwind_rule_chunk[RULE_CHUNKS];
extern _Atomic uint64_t unwind_rule_table[RULE_TABLE];

static inline uint64_t rule_unloadable_key(uint32_t id, uintptr_t offset)
{
	return RULE_KEY_UNLOADABLE | (uint64_t)id << 32 | (uint32_t)offset;
}

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
	return arch_ra_offset((intptr_t)(int16_t)(rule >> 8) * 8);
}

static inline uint32_t code_cfa(uint32_t code)
{
	return code & ((1 << CODE_CFA_BITS) - 1);
}

static inline uint32_t code_slot(uint32_t code)
{
	return code >> CODE_CFA_BITS & ((1 << CODE_SLOT_BITS) - 1);
}

static inline bool code_is_plain(uint32_t code)
{
	return code - CODE_SP < CODE_TABLE - CODE_SP;
}

/*
 * Where to look first: the rules of 128 bytes of code share a line, as the calls of a function do
 * that are met together. The others of the line follow, around its end.
 */
static inline uint32_t rule_home(uint64_t key)
{
	return (uint32_t)(key >> 4 ^ key >> 32) & (RULE_CACHE_ENTRIES - 1);
}

/*
 * The low 35 bits of the key, in place. The line's number is bits 7 to 20 of the key, exclusive or
 * bits 35 to 48: so with it they are the whole key.
 */
static inline uint64_t rule_tag(uint64_t key)
{
	return key << CODE_BITS;
}

static inline uint32_t rule_neighbour(uint32_t home, uint32_t i)
{
	return (home & ~(RULE_LINE_ENTRIES - 1u)) | ((home + i) & (RULE_LINE_ENTRIES - 1u));
}

/* The entries of the chunk that this one is in. */
static inline _Atomic uint64_t *rule_chunk(uint32_t at)
{
	const uint32_t number = atomic_load_explicit(&unwind_rule_chunk[at / RULE_CHUNK_ENTRIES],
						     memory_order_relaxed);

	return &unwind_rule_cache[number * RULE_CHUNK_ENTRIES];
}

/* Pairs with the release in rule_insert(): a rule that an entry refers to is in the table. */
static inline uint64_t rule_entry(const _Atomic uint64_t *chunk, uint32_t at)
{
	return atomic_load_explicit(&chunk[at % RULE_CHUNK_ENTRIES], memory_order_acquire);
}

/* The code filed under @key, or 0. What differs between an entry and its tag is the code. */
static inline uint32_t rule_find(uint64_t key)
{
	uint32_t i, home = rule_home(key);
	const _Atomic uint64_t *chunk = rule_chunk(home);
	uint64_t entry = rule_entry(chunk, home), tag = rule_tag(key);

	if (__builtin_expect(!((entry ^ tag) >> CODE_BITS), 1))
		return (uint32_t)(entry ^ tag);
	for (i = 1; i < RULE_LINE_ENTRIES && entry; i++) {
		entry = rule_entry(chunk, rule_neighbour(home, i));
		if (!((entry ^ tag) >> CODE_BITS))
			return (uint32_t)(entry ^ tag);
	}
	return 0;
}

/**
 * unwind_rule_miss() - the rule for return address @pc, which rule_find() does not have.
 * @module: memory of the last module met in this walk; zero-initialised at its start. With
 *	    RULE_UNLOADABLE it is that of @pc.
 */
uint64_t unwind_rule_miss(uintptr_t pc, struct unwind_module *module);

/* unwind_rule_expand() - the rule that @code stands for. */
uint64_t unwind_rule_expand(uint32_t code);

static inline uint64_t rule_for(uintptr_t pc, struct unwind_module *module)
{
	uint32_t code = rule_find(pc);

	return code ? unwind_rule_expand(code) : unwind_rule_miss(pc, module);
}

/* unwind_rule_of() - what a row comes to. */
uint64_t unwind_rule_of(const struct unwind_bytes *bytes, const struct unwind_row *row);

#endif
