/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include <stdatomic.h>

#include "chain.h"

/*
 * An unwinder is taken by writing down where the trace of the walk is, and a mark into the trace.
 * While the walk goes on, the trace is in a live frame of the own stack, so the mark is there;
 * so, no mark: the walk was left by longjmp(), and what it left half done is thrown away. A mark
 * that survived by chance costs the nested walks in between their speed.
 *
 * Only the thread and its signal handlers are involved: compiler fences do.
 */
static uint64_t mark_for(const struct stackdepot_unwinder *unwinder,
			 const struct stackdepot_unwind_trace *trace)
{
	return ((uintptr_t)unwinder ^ (uintptr_t)trace << 16) | 1;
}

static bool unwinder_take(struct stackdepot_unwinder *unwinder,
			  struct stackdepot_unwind_trace *trace)
{
	struct stackdepot_unwind_trace *owner = unwinder->owner;

	if (owner) {
		if (owner != trace &&
		    arch_load((uintptr_t)&owner->owner) == mark_for(unwinder, owner))
			return false;
		unwinder->top = CHAIN_FRAMES;
		unwinder->complete = false;
		unwind_memo_forget(&unwinder->memo);
		unwinder->permanent.nr = 0;
		unwinder->permanent.first = (struct stackdepot_unwind_module){0};
	}
	trace->owner = mark_for(unwinder, trace);
	atomic_signal_fence(memory_order_seq_cst); /* a handler must not see the owner unmarked */
	*(struct stackdepot_unwind_trace *volatile *)&unwinder->owner = trace;
	atomic_signal_fence(memory_order_seq_cst);
	return true;
}

void stackdepot_unwind_done(struct stackdepot_unwinder *unwinder,
			    struct stackdepot_unwind_trace *trace)
{
	if (!unwinder || !trace->owner)
		return;
	atomic_signal_fence(memory_order_seq_cst); /* a handler must not change what is in use */
	*(struct stackdepot_unwind_trace *volatile *)&unwinder->owner = NULL;
	atomic_signal_fence(memory_order_seq_cst);
	trace->owner = 0;
}

struct stackdepot_unwinder *stackdepot_unwind_init(void *memory, size_t bytes)
{
	struct stackdepot_unwinder *unwinder = memory;

	if (!memory || bytes < sizeof(*unwinder) || (uintptr_t)memory % 64)
		return NULL;
	unwind_own_init(&unwinder->own);
	unwinder->top = CHAIN_FRAMES;
	unwinder->modules.nr = unwinder->modules.next = 0;
	unwinder->complete = unwinder->guesses = false;
	unwinder->owner = NULL;
	unwinder->portable_age = unwinder->portable_other = 0;
	unwinder->portable_from = CHAIN_FRAMES;
	memset(&unwinder->memo, 0, sizeof(unwinder->memo));
	return unwinder;
}

bool stackdepot_unwind_is_own(struct stackdepot_unwinder *unwinder, const void *address)
{
	return unwinder && own_reach(&unwinder->own, (uintptr_t)address);
}

void stackdepot_unwind_confine(bool confined)
{
	__atomic_store_n(&unwind_confined, confined, __ATOMIC_RELAXED);
}

void stackdepot_unwind_forget(struct stackdepot_unwinder *unwinder)
{
	if (unwinder)
		unwinder->complete = false;
}

static uint32_t outcome_flags(enum unwind_outcome outcome)
{
	if (outcome == WALK_CUT)
		return STACKDEPOT_UNWIND_CUT;
	return outcome == WALK_LOST ? STACKDEPOT_UNWIND_LOST : 0;
}

static struct unwind_own *own_of(struct stackdepot_unwinder *unwinder)
{
	return unwinder ? &unwinder->own : NULL;
}

/*
 * From the registers of this very function: the start has only three, and what lies between here
 * and there tells the others.
 */
static __attribute__((noinline)) enum unwind_outcome
walk_full_from(struct stackdepot_unwinder *unwinder, const struct stackdepot_unwind_start *start,
	       uintptr_t *buffer, unsigned int size, struct unwind_count *ret_count)
{
	struct unwind_registers registers = {0};
	enum unwind_outcome outcome;
	struct unwind_walk walk;

	unwind_walk_begin(&walk, own_of(unwinder));
	arch_capture(registers.r, &registers.pc);
	registers.exact = true;
	outcome = unwind_full_walk(&walk, &registers, start->sp, (unsigned int)start->skip, buffer,
				   size, ret_count);
	if (!ret_count->nr) {
		buffer[0] = start->pc;
		*ret_count = (struct unwind_count){1, 1};
		outcome = WALK_LOST;
	}
	return outcome;
}

/* Walk each frame, into the buffer. */
static __attribute__((noinline)) void walk_to_buffer(struct stackdepot_unwinder *unwinder,
						     const struct stackdepot_unwind_start *start,
						     uintptr_t *buffer, unsigned int size,
						     struct stackdepot_unwind_trace *trace,
						     bool full)
{
	enum unwind_outcome outcome = WALK_FULL;
	struct unwind_count count;
	struct unwind_walk walk;

	if (!full) {
		unwind_walk_begin(&walk, own_of(unwinder));
		outcome = unwind_plain_walk(&walk, start, buffer, size, &count);
	}
	if (outcome == WALK_FULL) {
		trace->flags |= STACKDEPOT_UNWIND_FULL;
		outcome = walk_full_from(unwinder, start, buffer, size, &count);
	}
	trace->frames = buffer;
	trace->nr = count.nr;
	trace->certain = count.certain;
	trace->unchanged = 0;
	trace->verified = 0;
	trace->flags |= outcome_flags(outcome);
}

unsigned int stackdepot_unwind(struct stackdepot_unwinder *unwinder,
			       const struct stackdepot_unwind_start *start, uintptr_t *buffer,
			       unsigned int size, struct stackdepot_unwind_trace *ret_trace)
{
	enum unwind_outcome outcome = WALK_ON;

	if (size > STACKDEPOT_UNWIND_MAX_FRAMES)
		size = STACKDEPOT_UNWIND_MAX_FRAMES;
	if (unwinder && own_reach(&unwinder->own, start->sp - 8) &&
	    own_reach(&unwinder->own, (uintptr_t)&ret_trace->owner) &&
	    unwinder_take(unwinder, ret_trace)) {
		ret_trace->flags = 0;
		outcome = unwind_chain_walk(unwinder, start, size, ret_trace);
		if (outcome != WALK_FULL) {
			ret_trace->flags = outcome_flags(outcome);
			return ret_trace->nr;
		}
		unwinder->complete = false;
	} else {
		ret_trace->owner = 0;
		ret_trace->flags = unwinder ? STACKDEPOT_UNWIND_NESTED : 0;
	}
	walk_to_buffer(unwinder, start, buffer, size, ret_trace, outcome == WALK_FULL);
	return ret_trace->nr;
}

/* --- whole stacks ----------------------------------------------------------------------------- */

/* From the start to the first frame that is reported. */
static bool start_skip(struct stackdepot_unwinder *u, uintptr_t skip, struct chain_place *at)
{
	struct unwind_check check[2];
	struct chain_step step = {.check = check, .u = u};
	struct unwind_walk walk;

	unwind_walk_begin(&walk, &u->own);
	walk.stack.lo = u->own.lo;
	walk.stack.hi = u->own.hi;
	while (skip--)
		if (step_take(&walk, at, &step) != WALK_ON)
			return false;
	return true;
}

/* The same where it is somewhere else. */
static __attribute__((noinline)) bool recall_skip(struct stackdepot_unwinder *unwinder,
						  const struct stackdepot_unwind_start *start,
						  uint64_t *ret_user)
{
	struct chain_place at = {start->pc, start->sp, start->fp, start->sp - 8};

	return !(start->sp & 7) && own_reach(&unwinder->own, start->sp - 8) &&
	       start_skip(unwinder, start->skip, &at) &&
	       unwind_memo_find(unwinder, at.pc, at.sp, at.fp, ret_user);
}

bool stackdepot_unwind_recall(struct stackdepot_unwinder *unwinder,
			      const struct stackdepot_unwind_start *start, uint64_t *ret_user)
{
	if (!unwinder || !unwinder->memo.sets)
		return false;
	if (start->skip)
		return recall_skip(unwinder, start, ret_user);
	return unwind_memo_find(unwinder, start->pc, start->sp, start->fp, ret_user);
}

bool stackdepot_unwind_remember(struct stackdepot_unwinder *unwinder,
				const struct stackdepot_unwind_trace *trace, uint64_t user)
{
	if (!unwinder || !unwinder->memo.sets || !trace->nr || !unwind_is_kept(unwinder, trace))
		return true;
	return unwind_memo_add(unwinder, trace->nr, trace->flags & STACKDEPOT_UNWIND_CUT, user);
}

bool stackdepot_unwind_memory(struct stackdepot_unwinder *unwinder, void *memory, size_t bytes)
{
	if (!unwinder || !memory || (uintptr_t)memory % 64 || bytes < MEMO_MIN_BYTES ||
	    bytes > UINT32_MAX)
		return false;
	unwind_memo_begin(&unwinder->memo, memory, (uint32_t)bytes);
	return true;
}

unsigned int stackdepot_unwind_context(struct stackdepot_unwinder *unwinder, const void *context,
				       uintptr_t *buffer, unsigned int size,
				       unsigned int *ret_certain)
{
	struct unwind_registers registers;
	struct unwind_count count;
	struct unwind_walk walk;

	unwind_walk_begin(&walk, own_of(unwinder));
	if (!unwind_signal_load(&walk.stack, (uintptr_t)context, &registers))
		return 0;
	unwind_full_walk(&walk, &registers, 0, 0, buffer, size, &count);
	if (ret_certain)
		*ret_certain = count.certain;
	return count.nr;
}
