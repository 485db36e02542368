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
 * Taking a stack in costs a walk or so. Where most are met again, it is taken in when it is met;
 * in programs that go on to ever new ones, when it is met the second time. One of eight is taken in
 * that way in any case, and counted: that is how we know. Blocks are only added; when there is no
 * room, all is forgotten, or there is more memory, if the owner thinks that it pays. Leaves that
 * were pushed out of their set are lost room until then.
 *
 * Nobody but the owner of the unwinder changes the memo, and nobody looks into it meanwhile.
 */
#include "chain.h"

#define GROUP 8u
#define WAYS 4u
#define WORDS 32u
#define STRIDE 4u /* words are a multiple of it, the last one is repeated */
#define MODULES 8u
#define SAMPLED 8u /* one of so many new stacks is looked at, whether it is met again */
#define MANY 256u
#define SET_BYTES 512u /* of memory there is a set of leaves */
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

/* Leaves by pc and sp. One without a place was met once. */
struct memo_set {
	uint32_t tag[WAYS];
	uint32_t leaf[WAYS];
};

/* A block in the making. */
struct memo_draft {
	struct memo_block block;
	int32_t place[WORDS];
	uintptr_t word[WORDS];
	struct unwind_check module[MODULES];
	bool fp_matters; /* at its innermost frame: */
	uintptr_t fp;
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

static inline struct memo_set *memo_set(const struct unwind_memo *memo, uintptr_t pc, uintptr_t sp,
					uint32_t *ret_tag)
{
	uint64_t hash = (pc ^ sp << 24) * HASH_FACTOR;

	*ret_tag = (uint32_t)hash | 1;
	return (struct memo_set *)memo->memory + (hash >> 32 & (memo->sets - 1));
}

static inline uint32_t *memo_shared(const struct unwind_memo *memo)
{
	return (uint32_t *)((struct memo_set *)memo->memory + memo->sets);
}

/* --- recalling -------------------------------------------------------------------------------- */

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

static inline const struct memo_block *block_parent(const uint64_t *memory,
						    const struct memo_block *block)
{
	return block->parent ? (const void *)(memory + block->parent) : NULL;
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

/* The next leaf from way *way on that looks like it; then *way is behind it. */
static inline const struct memo_leaf *memo_next(const struct stackdepot_unwinder *u, uint32_t *way,
						uintptr_t pc, uintptr_t sp, uintptr_t fp)
{
	uint32_t tag;
	const struct memo_set *set = memo_set(&u->memo, pc, sp, &tag);

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

static __attribute__((noinline)) bool memo_find_further(struct stackdepot_unwinder *u, uint32_t way,
							uintptr_t pc, uintptr_t sp, uintptr_t fp,
							uint64_t *ret_user)
{
	const struct memo_leaf *leaf;

	while ((leaf = memo_next(u, &way, pc, sp, fp))) {
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
	uint32_t way = 0;
	const struct memo_leaf *leaf = memo_next(u, &way, pc, sp, fp);

	if (!leaf)
		return false;
	if (!leaf_holds(u, leaf))
		return memo_find_further(u, way, pc, sp, fp, ret_user);
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

static bool memo_has_room(struct unwind_memo *memo, uint32_t words)
{
	if (memo->words - memo->used < words)
		memo->full = true;
	return !memo->full;
}

/* False: there are more than fit. */
static bool draft_word(struct memo_draft *draft, uintptr_t top, uintptr_t slot)
{
	int32_t place = (int32_t)((intptr_t)(slot - top) >> 3);
	uint32_t nr = draft->block.words;

	if (nr && draft->place[nr - 1] == place)
		return true;
	if (nr == WORDS)
		return false;
	draft->place[nr] = place;
	draft->word[nr] = arch_load(slot);
	draft->block.words++;
	return true;
}

static uintptr_t draft_last(const struct memo_draft *draft)
{
	return draft->word[draft->block.words - 1];
}

static bool draft_module(struct memo_draft *draft, const struct unwind_check *check)
{
	uint32_t i, nr = draft->block.modules;

	for (i = 0; i < nr && draft->module[i].slot != check->slot; i++)
		;
	if (i == MODULES)
		return false;
	draft->module[i] = *check;
	draft->block.modules += i == nr;
	return true;
}

/* M1 of frames [first, end). */
static bool draft_returns(struct memo_draft *draft, const struct memo_stack *stack, uint32_t first,
			  uint32_t end)
{
	const struct unwind_chain *kept = &stack->u->kept;
	const uintptr_t top = stack->u->own.hi;
	uint32_t i;

	for (i = first; i < end && i != stack->last; i++) {
		uintptr_t slot =
			ra_slot(top, frame_sp(kept->frame[i + 1]), frame_save(kept->frame[i]));

		if (!draft_word(draft, top, slot) ||
		    arch_strip(draft_last(draft)) != kept->pc[i + 1])
			return false;
	}
	return true;
}

static uintptr_t frame_address(const struct stackdepot_unwinder *u, uint32_t i)
{
	return u->own.hi + (uintptr_t)(intptr_t)frame_sp(u->kept.frame[i]) * 8;
}

static const struct unwind_check *stack_checks_end(const struct memo_stack *stack)
{
	const struct unwind_chain *kept = &stack->u->kept;

	return &kept->check[stack->is_cut ? frame_check(kept->frame[stack->last]) : CHAIN_CHECKS];
}

/*
 * M2 of frames [first, end): checks come in the order of their words on the stack. Behind those of
 * the frames themselves are those of frames further out whose fp is read here, until the first that
 * is not.
 */
static bool draft_checks(struct memo_draft *draft, const struct memo_stack *stack, uint32_t first,
			 uint32_t end)
{
	const struct stackdepot_unwinder *u = stack->u;
	const struct unwind_check *check = &u->kept.check[frame_check(u->kept.frame[first])];
	const struct unwind_check *checks_end = stack_checks_end(stack);
	const uintptr_t sp = frame_address(u, first);
	const uintptr_t end_sp = end > stack->last ? u->own.hi : frame_address(u, end);

	for (; check < checks_end; check++) {
		const uintptr_t slot = (uintptr_t)check->slot;

		if (check->slot == &unwind_chain_never)
			return false;
		if (is_module(u, check))
			continue;
		if (slot < sp) {
			draft->fp_matters = true;
			draft->fp = check->word;
		} else if (slot >= end_sp) {
			break;
		} else if (!draft_word(draft, u->own.hi, slot) ||
			   draft_last(draft) != check->word) {
			return false;
		}
	}
	return true;
}

/* M3 */
static bool draft_modules(struct memo_draft *draft, const struct memo_stack *stack)
{
	const struct unwind_chain *kept = &stack->u->kept;
	const struct unwind_check *check = &kept->check[frame_check(kept->frame[stack->first])];

	for (; check < stack_checks_end(stack); check++)
		if (is_module(stack->u, check) && !draft_module(draft, check))
			return false;
	return true;
}

/* M3 of the last frame of a trace that was cut: what that one leads to was not asked. */
static bool draft_outermost(struct memo_draft *draft, const struct memo_stack *stack)
{
	const struct unwind_identity *identity;
	const uintptr_t pc = stack->u->kept.pc[stack->last];
	struct unwind_check check;

	if (!stack->is_cut || unwind_module_is_permanent(pc - 1))
		return true;
	if (!unwind_chain_module_code(stack->u, pc, &identity))
		return false;
	unwind_chain_module_check(stack->u, identity, &check);
	return draft_module(draft, &check);
}

static bool draft_block(struct memo_draft *draft, const struct memo_stack *stack, uint32_t first,
			uint32_t end, uint32_t parent)
{
	draft->block = (struct memo_block){.parent = parent};
	draft->fp_matters = false;
	draft->fp = 0;
	if (!draft_returns(draft, stack, first, end) || !draft_checks(draft, stack, first, end))
		return false;
	while (draft->block.words % STRIDE) {
		const uint32_t nr = draft->block.words++;

		draft->place[nr] = draft->place[nr - 1];
		draft->word[nr] = draft->word[nr - 1];
	}
	draft->block.at = (uint8_t)(1 + draft->block.words / 2);
	return true;
}

static void draft_write(const struct memo_draft *draft, struct memo_block *block)
{
	const uint32_t words = draft->block.words;

	*block = draft->block;
	memcpy((void *)block_places(block), draft->place, words * sizeof(draft->place[0]));
	memcpy((void *)block_words(block), draft->word, words * sizeof(draft->word[0]));
	memcpy((void *)block_modules(block), draft->module,
	       draft->block.modules * sizeof(draft->module[0]));
}

/* Where a block is that is the same, or is now; 0: there is no room. */
static uint32_t memo_share(struct unwind_memo *memo, const struct memo_draft *draft)
{
	uint64_t *block = memo->memory + memo->used, hash = 0;
	uint32_t size = block_size(&draft->block), i, *shared;

	if (!memo_has_room(memo, size))
		return 0;
	draft_write(draft, (struct memo_block *)block);
	for (i = 0; i < size; i++)
		hash = (hash ^ block[i]) * HASH_FACTOR;
	shared = &memo_shared(memo)[hash >> 32 & (memo->shared - 1)];
	if (*shared && !memcmp(memo->memory + *shared, block, size * sizeof(*block)))
		return *shared;
	*shared = memo->used;
	memo->used += size;
	return *shared;
}

/* The blocks outside of the leaf; *ret_parent is the innermost of these, or 0. */
static bool memo_outer(const struct memo_stack *stack, uint32_t groups, uint32_t *ret_parent)
{
	struct unwind_memo *memo = &stack->u->memo;
	struct memo_draft draft;
	uint32_t i;

	/* counted from where the trace was cut they are others each time */
	if (stack->is_cut)
		memo->valid = 0;
	i = memo->valid < groups ? memo->valid : groups;
	*ret_parent = i ? memo->group[i - 1] : 0;
	for (; i < groups; i++) {
		uint32_t end = stack->last + 1 - i * GROUP;

		if (!draft_block(&draft, stack, end - GROUP, end, *ret_parent))
			return false;
		*ret_parent = memo_share(memo, &draft);
		if (!*ret_parent)
			return false;
		memo->group[i] = *ret_parent;
		if (!stack->is_cut)
			memo->valid = i + 1;
	}
	return true;
}

/* The place of a new leaf, or CANNOT_BE. */
static uint32_t memo_leaf(const struct memo_stack *stack, uint64_t user)
{
	struct unwind_memo *memo = &stack->u->memo;
	const uint32_t groups = (stack->last - stack->first) / GROUP;
	const uint32_t head = offsetof(struct memo_leaf, block) / 8;
	struct memo_draft draft;
	struct memo_leaf *leaf;
	uint32_t parent, place;

	if (!memo_outer(stack, groups, &parent) ||
	    !draft_block(&draft, stack, stack->first, stack->last + 1 - groups * GROUP, parent) ||
	    !draft_modules(&draft, stack) || !draft_outermost(&draft, stack) ||
	    !memo_has_room(memo, head + block_size(&draft.block)))
		return CANNOT_BE;
	place = memo->used;
	leaf = (struct memo_leaf *)(memo->memory + place);
	leaf->pc = stack->u->kept.pc[stack->first];
	leaf->sp = frame_address(stack->u, stack->first);
	leaf->fp = draft.fp;
	leaf->user = user;
	draft.block.fp_matters = draft.fp_matters;
	draft_write(&draft, &leaf->block);
	memo->used += head + block_size(&draft.block);
	return place;
}

static void set_push(struct memo_set *set, uint32_t at, uint32_t tag, uint32_t leaf)
{
	for (; at; at--) {
		set->tag[at] = set->tag[at - 1];
		set->leaf[at] = set->leaf[at - 1];
	}
	set->tag[0] = tag;
	set->leaf[0] = leaf;
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
static void memo_take(const struct memo_stack *stack, struct memo_set *set, uint32_t at,
		      uint32_t tag, uint64_t user)
{
	const uint32_t leaf = memo_leaf(stack, user);

	if (!stack->u->memo.full)
		set_push(set, at, tag, leaf);
}

bool unwind_memo_add(struct stackdepot_unwinder *u, uint32_t nr, bool is_cut, uint64_t user)
{
	const struct memo_stack stack = {u, u->top, u->top + nr - 1, is_cut};
	uint32_t i, tag;
	struct memo_set *set =
		memo_set(&u->memo, u->kept.pc[u->top], frame_address(u, u->top), &tag);

	for (i = 0; i < WAYS && (set->tag[i] != tag || set->leaf[i] > CANNOT_BE); i++)
		;
	if (i < WAYS && set->leaf[i] == MET_ONCE) {
		u->memo.again++;
		memo_take(&stack, set, i, tag, user);
	} else if (i == WAYS && memo_is_eager(&u->memo)) {
		memo_take(&stack, set, WAYS - 1, tag, user);
	} else if (i == WAYS) {
		set_push(set, WAYS - 1, tag, MET_ONCE);
	}
	return !u->memo.full;
}
