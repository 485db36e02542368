/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The three ways to walk a stack, from fast to general. Each gives up in favour of the next. Before
 * them comes the question whether the whole stack is a remembered one (memo.c).
 *
 *   chain   verified against the thread's last walk; own stack only
 *   plain   by cached rules: pc, sp and fp are all it knows of a frame
 *   full    all registers, each frame's tables interpreted anew; signal frames, odd code
 */
#ifndef UNWIND_WALK_H
#define UNWIND_WALK_H

#include "code.h"
#include "memo.h"
#include "rule.h"
#include "signal_frame.h"
#include "stack.h"
#include "stackdepot/unwind.h"

#define CHAIN_FRAMES STACKDEPOT_UNWIND_MAX_FRAMES
#define CHAIN_CHECKS (2 * CHAIN_FRAMES)

struct unwind_walk {
	struct unwind_stack stack;
	struct unwind_module module; /* the last one met */
	struct unwind_text text;     /* likewise, among guesses */
	uint32_t changes;	     /* of stacks, among guesses */
	bool guessed;		     /* the last step, or one before */
};

/* Where a walk is. */
struct unwind_state {
	uintptr_t pc;
	uintptr_t sp;
	uintptr_t fp;
};

enum unwind_outcome {
	WALK_ON,
	WALK_END,  /* this was the outermost frame */
	WALK_LOST, /* this is the last frame there is a way to */
	WALK_CUT,  /* as many frames as were asked for */
	WALK_FULL, /* only a full walk can go on */
};

/* A word on the stack, and what it has to be for a remembered step to be right. */
struct unwind_check {
	const uintptr_t *slot;
	uintptr_t word;
};

/*
 * Frames, innermost first. What is known of one is packed, as it is written and compared often:
 *
 *	63        48 47    32 31             0
 *	+-----------+--------+---------------+
 *	| save      | check  | sp            |	sp in words from the top of the stack
 *	+-----------+--------+---------------+
 *
 * Save tells where its step found what: CODE_SLOT and CODE_FP_SAVED of its rule. Check is the first
 * of its checks; the last one ends where the next frame's begin. Behind them all is an empty one.
 */
struct unwind_chain {
	uintptr_t pc[CHAIN_FRAMES];
	uint64_t apart[128]; /* what belongs together must not compete for a set of the cache */
	uint64_t frame[CHAIN_FRAMES];
	struct unwind_check check[CHAIN_CHECKS + 1];
};

#define CHAIN_MODULES 8

/*
 * Unloadable modules that kept frames may be in. A check of such a frame has the address of
 * holds[i] for its slot and the module's id for its word. Each walk begins with not knowing, unless
 * the loader has changed nothing since, and asks for the module when the first check wants to know.
 * As an id is never given again, a check whose place another module has taken does not hold.
 */
struct unwind_chain_modules {
	uintptr_t holds[CHAIN_MODULES]; /* the id, MODULE_UNKNOWN or MODULE_GONE */
	const struct unwind_identity *identity[CHAIN_MODULES];
	uint32_t nr;
	uint32_t next;	  /* the one to be replaced when all are in use */
	uint32_t changes; /* of the loader's, when the first was asked for */
	bool known;	  /* of one at least */
};

#define PERMANENT_MODULES 512

/* Those that portable frames were in, in the order of their addresses; see portable.c. */
struct unwind_permanent {
	struct stackdepot_unwind_module module[PERMANENT_MODULES];
	struct stackdepot_unwind_module first; /* that was met: most frames are in the program */
	uint32_t nr;
	uint32_t next; /* the one to be replaced when all are in use */
};

struct unwind_portable_of {
	const struct unwind_identity *of;
	struct stackdepot_unwind_module module;
};

#define CHAIN_MAP 2048 /* a power of two: 32 KiB of stack without a collision */

struct stackdepot_unwinder {
	struct unwind_own own;
	struct stackdepot_unwind_trace *owner; /* the trace of the walk that has it, or NULL */
	uint32_t top;			       /* the innermost frame kept is kept.pc[top] */
	struct unwind_chain_modules modules;
	bool complete; /* the last trace went to the outermost frame, and was reported as is */
	bool guesses;  /* a frame kept may have led to the next by a guess */
	struct unwind_chain kept;  /* fills from its end, so that outer frames stay in place */
	struct unwind_chain fresh; /* the new frames of this walk, from its start */
	struct unwind_memo memo;
	struct unwind_permanent permanent;
	struct unwind_portable_of portable_of[CHAIN_MODULES]; /* beside modules.identity */
	uint32_t portable_age;
	uint32_t portable_from;		  /* portable[] is right from here outwards */
	uint32_t portable_other;	  /* behind the outermost frame of no module; 0: none */
	uintptr_t portable[CHAIN_FRAMES]; /* of kept.pc[], if somebody asks for it */
	uint16_t map[CHAIN_MAP];	  /* by sp: the kept frame that is probably there */
};

_Static_assert(sizeof(struct stackdepot_unwinder) <= STACKDEPOT_UNWINDER_BYTES, "as published");

/* Are the frames of @trace, plain or portable, the unwinder's? */
static inline bool unwind_is_kept(const struct stackdepot_unwinder *unwinder,
				  const struct stackdepot_unwind_trace *trace)
{
	return trace->owner && (trace->frames == &unwinder->kept.pc[unwinder->top] ||
				trace->frames == &unwinder->portable[unwinder->top]);
}

/* unwind_chain_walk() - fill @ret_trace from the unwinder, or WALK_FULL. */
enum unwind_outcome unwind_chain_walk(struct stackdepot_unwinder *unwinder,
				      const struct stackdepot_unwind_start *start,
				      unsigned int size, struct stackdepot_unwind_trace *ret_trace);

/* So many frames, of which the innermost are certain. */
struct unwind_count {
	unsigned int nr;
	unsigned int certain;
};

/* unwind_walk_begin() - on the stacks that @own says are the thread's own; it may be NULL. */
static inline void unwind_walk_begin(struct unwind_walk *walk, struct unwind_own *own)
{
	walk->stack = (struct unwind_stack){0, 0, own};
	walk->module.start = walk->module.end = 0;
	walk->text = (struct unwind_text){0, 0, false};
	walk->changes = 0;
	walk->guessed = false;
}

/* Add a frame that @walk has come to. */
static inline void unwind_count_frame(struct unwind_count *count, const struct unwind_walk *walk)
{
	count->nr++;
	count->certain += !walk->guessed;
}

/* unwind_record_step() - from code without tables to its caller by the frame pointer; or false. */
bool unwind_record_step(struct unwind_walk *walk, struct unwind_state *state);

/* unwind_record_elsewhere() - might its frame pointer point to another stack? */
bool unwind_record_elsewhere(const struct unwind_state *state);

/* unwind_plain_walk() - fill @frames, or WALK_FULL. */
enum unwind_outcome unwind_plain_walk(struct unwind_walk *walk,
				      const struct stackdepot_unwind_start *start,
				      uintptr_t *frames, unsigned int size,
				      struct unwind_count *ret_count);

/**
 * unwind_full_walk() - fill @frames, starting at @registers, which are used up.
 * @from_sp: frames with a lower stack pointer are walked and not reported,
 * @skip:    nor are so many after them.
 */
enum unwind_outcome unwind_full_walk(struct unwind_walk *walk, struct unwind_registers *registers,
				     uintptr_t from_sp, unsigned int skip, uintptr_t *frames,
				     unsigned int size, struct unwind_count *ret_count);

#endif
