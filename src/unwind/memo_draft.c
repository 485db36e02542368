/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include "memo_parts.h"

#define WORDS 32u
#define MODULES 8u

/* A block in the making. */
struct memo_draft {
	struct memo_block block;
	int32_t place[WORDS];
	uintptr_t word[WORDS];
	struct unwind_check module[MODULES];
	bool fp_matters; /* at its innermost frame: */
	uintptr_t fp;
};

static inline uint32_t *memo_shared(const struct unwind_memo *memo)
{
	return (uint32_t *)((struct memo_set *)memo->memory + memo->sets);
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

uint32_t unwind_memo_leaf(const struct memo_stack *stack, uint64_t user)
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
