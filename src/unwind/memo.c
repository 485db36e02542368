/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * memo.c - whole stacks that a thread had before.
 *
 * Nearly all stacks of a program are repeated as a whole, at the same addresses. What a walk read
 * to find one is remembered: words, and where they are. If they are all the same again, and pc, sp
 * and fp of the start are, so is the stack, by the induction that chain.c makes; so whoever knows
 * what became of that stack needs neither the walk nor its frames.
 *
 * A stack is a *leaf*, its innermost 1 to 8 frames, and *blocks* of 8 frames outside of these,
 * counted from the outermost one, so that stacks with the same outer frames have the same blocks. A
 * leaf or a block has
 *
 *	M1  of each of its frames the word that the return address was read from, but of the
 *	    outermost frame of all;
 *	M2  the words that fp was read from in its part of the stack, where a frame in this block
 *	    or further out is found by that fp. So a block is right for whoever comes to its
 *	    innermost frame with the fp that the blocks inside it, or the start, were checked for;
 * and a leaf besides
 *	M3  for each unloadable module that a frame of the stack is in, that this is loaded: the
 *	    frames are places in it to who asked for portable ones.
 *
 * What K4 lets depend on tables is not remembered. The words are compared from the leaf outwards, a
 * block at a time. All lie above sp in the own stack, so they can be read.
 *
 * Leaves are found in sets by pc and sp. Where these are full of stacks that have both, as all go
 * through the same few functions, the set becomes a *fork*: it names a place on the stack, the
 * innermost where two of them differ, and the word there leads on to another set. A word read for
 * that is a hint, like the hash; only the comparison decides.
 *
 * Taking a stack in costs a walk or so. Where most are met again, it is taken in when it is met;
 * in programs that go on to ever new ones, when it is met the second time. One of eight is taken in
 * that way in any case, and counted: that is how we know. Blocks are only added; when there is no
 * room, all is forgotten, or there is more memory, if the owner thinks that it pays. Leaves that
 * were pushed out of their set are lost room until then.
 *
 * Nobody but the owner of the unwinder changes the memo, and nobody looks into it meanwhile.
 */
#include "memo_parts.h"

#define SAMPLED 8u /* one of so many new stacks is looked at, whether it is met again */
#define MANY 256u
#define SET_BYTES 512u /* of memory there is a set of leaves */
#define FORKS 8u       /* one behind the other */

/* --- what holds ------------------------------------------------------------------------------- */

static inline uintptr_t word_differs(uintptr_t top, const int32_t *place, const uintptr_t *word)
{
	return arch_load(top + (uintptr_t)(intptr_t)*place * 8) ^ *word;
}

static inline bool words_hold(const struct memo_block *block, uintptr_t top)
{
	const int32_t *place = block_places(block), *end = place + block->words;
	const uintptr_t *word = block_words(block);
	uintptr_t differ = 0;

	for (; place < end; place += STRIDE, word += STRIDE)
		differ |= word_differs(top, place, word) | word_differs(top, place + 1, word + 1) |
			  word_differs(top, place + 2, word + 2) |
			  word_differs(top, place + 3, word + 3);
	return !differ;
}

/* Some were not asked for yet, or may have gone. */
static __attribute__((noinline)) bool modules_hold_anew(struct stackdepot_unwinder *u,
							const struct memo_block *leaf)
{
	const struct unwind_check *check = block_modules(leaf), *end = check + leaf->modules;

	modules_begin(&u->modules);
	for (; check < end; check++)
		if (!module_holds(u, check))
			return false;
	return true;
}

static inline bool modules_hold(struct stackdepot_unwinder *u, const struct memo_block *leaf)
{
	const struct unwind_check *check = block_modules(leaf), *end = check + leaf->modules;

	for (; check < end && *check->slot == check->word; check++)
		;
	return (check == end && modules_are_current(&u->modules, modules_changes())) ||
	       modules_hold_anew(u, leaf);
}

/* Nothing is called here, so that it needs few registers. */
static __attribute__((noinline)) bool blocks_hold(const uint64_t *memory,
						  const struct memo_block *block, uintptr_t top)
{
	for (; block; block = block_parent(memory, block))
		if (!words_hold(block, top))
			return false;
	return true;
}

static inline bool leaf_holds(struct stackdepot_unwinder *u, const struct memo_leaf *leaf)
{
	return blocks_hold(u->memo.memory, &leaf->block, u->own.hi) &&
	       (!leaf->block.modules || modules_hold(u, &leaf->block));
}

/* --- sets ------------------------------------------------------------------------------------- */

static inline uint64_t memo_hash(uintptr_t pc, uintptr_t sp)
{
	return (pc ^ sp << 24) * HASH_FACTOR;
}

static inline uint32_t hash_tag(uint64_t hash)
{
	return (uint32_t)hash | 1;
}

static inline struct memo_set *hash_set(const struct unwind_memo *memo, uint64_t hash)
{
	return (struct memo_set *)memo->memory + (hash >> 32 & (memo->sets - 1));
}

/* How far below the top of the stack the word is that leads on; 0: it is no fork. */
static inline uint32_t set_fork(const struct memo_set *set)
{
	return set->tag[WAYS - 1] ? 0 : set->leaf[WAYS - 1];
}

static inline uint64_t fork_hash(uint64_t hash, uintptr_t word)
{
	return (hash ^ word) * HASH_FACTOR;
}

/*
 * From fork to fork, to where a leaf would be. Other stacks of a set may be so short that they do
 * not have the word.
 */
static inline uint64_t forks_take(const struct stackdepot_unwinder *u, uint64_t hash, uintptr_t sp,
				  uint32_t *ret_depth)
{
	uint32_t depth = 0, fork;
	uintptr_t at;

	while (__builtin_expect(fork = set_fork(hash_set(&u->memo, hash)), 0) && depth < FORKS) {
		at = u->own.hi - (uintptr_t)fork * 8;
		hash = fork_hash(hash, at >= sp ? arch_load(at) : 0);
		depth++;
	}
	*ret_depth = depth;
	return hash;
}

/* The next leaf from way *way on that looks like it; then *way is behind it. */
static inline const struct memo_leaf *set_next(const struct stackdepot_unwinder *u, uint64_t hash,
					       uint32_t *way, uintptr_t pc, uintptr_t sp,
					       uintptr_t fp)
{
	const struct memo_set *set = hash_set(&u->memo, hash);
	const uint32_t tag = hash_tag(hash);

	while (*way < WAYS) {
		const uint32_t place = set->leaf[*way];
		const struct memo_leaf *leaf = (const void *)(u->memo.memory + place);

		/* the first word by itself: what shares a place with others mostly differs there */
		if (set->tag[(*way)++] == tag && place > CANNOT_BE && leaf->pc == pc &&
		    leaf->sp == sp && (!leaf->block.fp_matters || leaf->fp == fp) &&
		    (!leaf->block.words || !word_differs(u->own.hi, block_places(&leaf->block),
							 block_words(&leaf->block))))
			return leaf;
	}
	return NULL;
}

static __attribute__((noinline)) bool find_further(struct stackdepot_unwinder *u, uint64_t hash,
						   uint32_t way, uintptr_t pc, uintptr_t sp,
						   uintptr_t fp, uint64_t *ret_user)
{
	const struct memo_leaf *leaf;

	while ((leaf = set_next(u, hash, &way, pc, sp, fp))) {
		if (!leaf_holds(u, leaf))
			continue;
		*ret_user = leaf->user;
		return true;
	}
	return false;
}

bool unwind_memo_find(struct stackdepot_unwinder *u, uintptr_t pc, uintptr_t sp, uintptr_t fp,
		      uint64_t *ret_user)
{
	uint32_t depth, way = 0;
	const uint64_t hash = forks_take(u, memo_hash(pc, sp), sp, &depth);
	const struct memo_leaf *leaf = set_next(u, hash, &way, pc, sp, fp);

	if (!leaf)
		return false;
	if (!leaf_holds(u, leaf))
		return find_further(u, hash, way, pc, sp, fp, ret_user);
	*ret_user = leaf->user;
	return true;
}

/* --- remembering ------------------------------------------------------------------------------ */

static uint32_t sets_words(const struct unwind_memo *memo)
{
	return (memo->sets * (uint32_t)sizeof(struct memo_set) + memo->shared * 4) / 8;
}

void unwind_memo_begin(struct unwind_memo *memo, void *memory, uint32_t bytes)
{
	memo->memory = memory;
	memo->words = bytes / 8;
	memo->sets = memo->shared = 1u << (31 - __builtin_clz(bytes / SET_BYTES));
	unwind_memo_forget(memo);
}

void unwind_memo_forget(struct unwind_memo *memo)
{
	memo->valid = 0;
	memo->full = false;
	memo->used = sets_words(memo);
	if (memo->memory)
		memset(memo->memory, 0, memo->used * sizeof(*memo->memory));
}

/* Where a stack is to be. */
struct memo_spot {
	uint64_t hash;
	uint32_t depth;
	struct memo_set *set;
	uint32_t last; /* way of leaves in it */
};

static struct memo_spot spot_of(const struct unwind_memo *memo, uint64_t hash, uint32_t depth)
{
	struct memo_set *set = hash_set(memo, hash);

	return (struct memo_spot){hash, depth, set, WAYS - 1 - !!set_fork(set)};
}

static struct memo_spot spot_find(const struct stackdepot_unwinder *u, uintptr_t pc, uintptr_t sp)
{
	uint32_t depth;
	const uint64_t hash = forks_take(u, memo_hash(pc, sp), sp, &depth);

	return spot_of(&u->memo, hash, depth);
}

static void spot_push(const struct memo_spot *spot, uint32_t at, uint32_t leaf)
{
	struct memo_set *set = spot->set;

	for (; at; at--) {
		set->tag[at] = set->tag[at - 1];
		set->leaf[at] = set->leaf[at - 1];
	}
	set->tag[0] = hash_tag(spot->hash);
	set->leaf[0] = leaf;
}

/* --- forks ------------------------------------------------------------------------------------ */

static bool leaf_word(const uint64_t *memory, const struct memo_leaf *leaf, int32_t place,
		      uintptr_t *ret_word)
{
	const struct memo_block *block = &leaf->block;
	uint32_t i;

	for (; block; block = block_parent(memory, block))
		for (i = 0; i < block->words; i++)
			if (block_places(block)[i] == place) {
				*ret_word = block_words(block)[i];
				return true;
			}
	return false;
}

/* The innermost place where both have a word, and another one; 0: there is none. */
static int32_t leaves_part(const uint64_t *memory, const struct memo_leaf *one,
			   const struct memo_leaf *other)
{
	const struct memo_block *block = &one->block;
	uintptr_t word;
	uint32_t i;

	for (; block; block = block_parent(memory, block))
		for (i = 0; i < block->words; i++)
			if (leaf_word(memory, other, block_places(block)[i], &word) &&
			    word != block_words(block)[i])
				return block_places(block)[i];
	return 0;
}

/* A leaf goes on from the fork at @spot, if there is a set that it leads to. */
static void fork_move(const struct unwind_memo *memo, const struct memo_spot *spot, int32_t place,
		      uint32_t leaf)
{
	struct memo_spot next;
	uintptr_t word;

	if (!leaf_word(memo->memory, (const void *)(memo->memory + leaf), place, &word))
		return;
	next = spot_of(memo, fork_hash(spot->hash, word), spot->depth + 1);
	if (!set_fork(next.set))
		spot_push(&next, next.last, leaf);
}

/* Those of the set that have its tag go on; others have to be met again. */
static void fork_make(const struct unwind_memo *memo, const struct memo_spot *spot, int32_t place)
{
	const struct memo_set old = *spot->set;
	uint32_t way;

	*spot->set = (struct memo_set){.leaf[WAYS - 1] = (uint32_t)-place};
	for (way = WAYS; way-- > 0;)
		if (old.tag[way] == hash_tag(spot->hash) && old.leaf[way] > CANNOT_BE)
			fork_move(memo, spot, place, old.leaf[way]);
}

/* Would the leaf push out one of the same pc and sp? Then the set is a fork from now on. */
static bool memo_forks(const struct unwind_memo *memo, const struct memo_spot *spot, uint32_t leaf)
{
	const struct memo_leaf *one = (const void *)(memo->memory + leaf);
	const uint32_t out = spot->set->leaf[WAYS - 1];
	const struct memo_leaf *other = (const void *)(memo->memory + out);
	int32_t place;

	if (spot->depth == FORKS || spot->last != WAYS - 1 || leaf <= CANNOT_BE ||
	    out <= CANNOT_BE || one->pc != other->pc || one->sp != other->sp)
		return false;
	place = leaves_part(memo->memory, one, other);
	if (place)
		fork_make(memo, spot, place);
	return place;
}

/* Is a stack that was not met before to be taken in at once? */
static bool memo_is_eager(struct unwind_memo *memo)
{
	if (++memo->turn % SAMPLED && memo->again * 2 > memo->once)
		return true;
	if (++memo->once > MANY) {
		memo->once /= 2;
		memo->again /= 2;
	}
	return false;
}

/* Take it in, and have it in front of way `at` and those before that. */
static void memo_take(const struct memo_stack *stack, struct memo_spot spot, uint32_t at,
		      uint64_t user)
{
	const struct unwind_memo *memo = &stack->u->memo;
	const uint32_t leaf = unwind_memo_leaf(stack, user);

	if (memo->full)
		return;
	if (at == spot.last && memo_forks(memo, &spot, leaf)) {
		spot = spot_find(stack->u, stack->u->kept.pc[stack->first],
				 frame_address(stack->u, stack->first));
		at = spot.last;
	}
	spot_push(&spot, at, leaf);
}

bool unwind_memo_add(struct stackdepot_unwinder *u, uint32_t nr, bool is_cut, uint64_t user)
{
	const struct memo_stack stack = {u, u->top, u->top + nr - 1, is_cut};
	const struct memo_spot spot = spot_find(u, u->kept.pc[u->top], frame_address(u, u->top));
	const uint32_t *leaf = spot.set->leaf, tag = hash_tag(spot.hash), end = spot.last + 1;
	uint32_t i;

	for (i = 0; i < end && (spot.set->tag[i] != tag || leaf[i] > CANNOT_BE); i++)
		;
	if (i < end && leaf[i] == MET_ONCE) {
		u->memo.again++;
		memo_take(&stack, spot, i, user);
	} else if (i == end && memo_is_eager(&u->memo)) {
		memo_take(&stack, spot, spot.last, user);
	} else if (i == end) {
		spot_push(&spot, spot.last, MET_ONCE);
	}
	return !u->memo.full;
}
