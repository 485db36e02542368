/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What is in the memory of a memo; what it is about, and what M1 to M3 are: memo.c.
 *
 *   memo.c        sets of leaves: recalling a stack, and taking one in
 *   memo_draft.c  the leaf and the blocks of a stack that was walked
 */
#ifndef UNWIND_MEMO_PARTS_H
#define UNWIND_MEMO_PARTS_H

#include "chain.h"

#define GROUP 8u  /* frames of a block */
#define STRIDE 4u /* words are a multiple of it, the last one is repeated */
#define WAYS 4u
#define HASH_FACTOR 0x9e3779b97f4a7c15ull

/*
 * What a block was found by follows it: the places of words, from the top of the stack and two in
 * one; their values; checks of modules.
 */
struct memo_block {
	uint32_t parent; /* 0: none, this is the outermost */
	uint8_t words;
	uint8_t at; /* where their values are */
	uint8_t modules;
	bool fp_matters; /* of a leaf */
};

struct memo_leaf {
	uintptr_t pc;
	uintptr_t sp;
	uintptr_t fp;
	uint64_t user;
	struct memo_block block;
};

/*
 * Leaves. One without a place was met once. A fork has no tag in its last way, and for a leaf how
 * many words its place is below the top of the stack.
 */
struct memo_set {
	uint32_t tag[WAYS];
	uint32_t leaf[WAYS];
};

/* What is to be remembered: kept frames [first, last], of which the last leads nowhere. */
struct memo_stack {
	struct stackdepot_unwinder *u;
	uint32_t first;
	uint32_t last;
	bool is_cut; /* nobody asked what the last one leads to */
};

#define MET_ONCE 0u  /* and not known to be met again */
#define CANNOT_BE 1u /* some of it depends on what no word tells */

_Static_assert(sizeof(struct memo_block) == 8, "one word");
_Static_assert(STACKDEPOT_UNWIND_MAX_FRAMES % GROUP == 0, "group[] has them all");

static inline const int32_t *block_places(const struct memo_block *block)
{
	return (const int32_t *)(block + 1);
}

static inline const uintptr_t *block_words(const struct memo_block *block)
{
	return (const uintptr_t *)block + block->at;
}

static inline const struct unwind_check *block_modules(const struct memo_block *block)
{
	return (const struct unwind_check *)(block_words(block) + block->words);
}

static inline uint32_t block_size(const struct memo_block *block)
{
	return block->at + block->words + 2u * block->modules;
}

static inline const struct memo_block *block_parent(const uint64_t *memory,
						    const struct memo_block *block)
{
	return block->parent ? (const void *)(memory + block->parent) : NULL;
}

static inline uintptr_t frame_address(const struct stackdepot_unwinder *u, uint32_t i)
{
	return u->own.hi + (uintptr_t)(intptr_t)frame_sp(u->kept.frame[i]) * 8;
}

/* --- memo_draft.c ----------------------------------------------------------------------------- */

/* unwind_memo_leaf() - the place of a new leaf, or CANNOT_BE. */
uint32_t unwind_memo_leaf(const struct memo_stack *stack, uint64_t user);

#endif
