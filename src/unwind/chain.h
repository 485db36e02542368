/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the parts of the verified walk share; what it is about, and what K1 to K4 are: chain.c.
 *
 *   chain.c         a walk: new frames until a kept one is met, and putting them before the kept
 *   chain_verify.c  kept frames: compared with the stack, and where they part from it
 *   chain_step.c    from a frame to its caller by the tables, and what that depends on
 *   chain_module.c  which unloadable modules this walk found loaded
 */
#ifndef UNWIND_CHAIN_H
#define UNWIND_CHAIN_H

#include "walk.h"

/* Where a walk is, and the address of the word that fp was read from. */
struct chain_place {
	uintptr_t pc;
	uintptr_t sp;
	uintptr_t fp;
	uintptr_t source;
};

/* One walk. */
struct chain_walk {
	struct unwind_walk *walk;
	struct chain_place at;
	struct stackdepot_unwinder *u;
	uint32_t kept;	 /* no kept frame before this one can be met any more */
	uint32_t fresh;	 /* frames collected */
	uint32_t checks; /* of these */
	uint32_t size;
	uint32_t stepped; /* kept frames whose step was taken anew and was the same */
};

/* What a step came by. */
struct chain_step {
	uint32_t save;
	uint32_t checks;	    /* how many */
	struct unwind_check *check; /* room for two */
	struct stackdepot_unwinder *u;
};

#define SAVE_SLOT ((1u << CODE_SLOT_BITS) - 1)
#define SAVE_FP (CODE_FP_SAVED >> CODE_CFA_BITS)
#define SAVE_GUESS (SAVE_FP << 1) /* of a frame: what comes next is a guess */
#define SAVE_NOTHING 1u		  /* the return address is next to the cfa */

_Static_assert(SAVE_GUESS < 1 << 16, "save fits its bits");
_Static_assert(!(SAVE_GUESS & (SAVE_FP | SAVE_SLOT)), "save's bits are its own");
_Static_assert(CHAIN_CHECKS < 1 << 16, "check fits its bits");

extern const uintptr_t unwind_chain_never; /* a check that wants 1 here does not hold */

/*
 * Words are moved one by one. Vectors are no gain for so few, and to read as one what was just
 * written as two takes the processor as long as the rest of a step.
 */
static inline void word_set(uintptr_t *to, uintptr_t word)
{
	*(volatile uintptr_t *)to = word;
}

static inline void check_set(struct unwind_check *check, const uintptr_t *slot, uintptr_t word)
{
	*(const uintptr_t *volatile *)&check->slot = slot;
	word_set(&check->word, word);
}

static inline int32_t frame_sp(uint64_t frame)
{
	return (int32_t)frame;
}

static inline uint32_t frame_check(uint64_t frame)
{
	return frame >> 32 & 0xffff;
}

static inline uint32_t frame_save(uint64_t frame)
{
	return (uint32_t)(frame >> 48);
}

static inline int32_t sp_words(const struct unwind_stack *stack, uintptr_t sp)
{
	return (int32_t)((intptr_t)(sp - stack->hi) >> 3);
}

static inline uint64_t frame_pack(int32_t sp, uint32_t check, uint32_t save)
{
	return (uint32_t)sp | (uint64_t)check << 32 | (uint64_t)save << 48;
}

/* With its checks moved @by places, to where there is such a place: nothing is carried. */
static inline uint64_t frame_shift(uint64_t frame, int64_t by)
{
	return frame + ((uint64_t)by << 32);
}

/* Where frames with @save whose caller's sp is @sp words from @top keep the return address, fp. */
static inline uintptr_t ra_slot(uintptr_t top, int32_t sp, uint32_t save)
{
	return top + (intptr_t)sp * 8 - arch_ra_words(save & SAVE_SLOT) * 8;
}

static inline uintptr_t fp_slot(uintptr_t top, int32_t sp, uint32_t save)
{
	return top + (intptr_t)sp * 8 - arch_fp_words(save & SAVE_SLOT, save & SAVE_FP) * 8;
}

static inline uint32_t checks_begin(const struct unwind_chain *chain, uint32_t i)
{
	return i < CHAIN_FRAMES ? frame_check(chain->frame[i]) : CHAIN_CHECKS;
}

static inline uint16_t *map_slot(struct stackdepot_unwinder *u, int32_t sp)
{
	return &u->map[(uint32_t)sp >> 1 & (CHAIN_MAP - 1)]; /* sp is even, nearly always */
}

static inline bool in_range(const struct unwind_stack *stack, uintptr_t address)
{
	return !(address & 7) && address - stack->lo <= stack->hi - stack->lo - 8;
}

/* --- chain_module.c --------------------------------------------------------------------------- */

#define MODULE_UNKNOWN 0
#define MODULE_GONE UINTPTR_MAX

_Static_assert(MODULE_IDS < MODULE_GONE, "no id");

static inline bool is_module(const struct stackdepot_unwinder *u, const struct unwind_check *check)
{
	return (uintptr_t)check->slot - (uintptr_t)u->modules.holds < sizeof(u->modules.holds);
}

/* A check that does not hold may be one of a module not asked for yet. */
bool unwind_chain_ask(struct stackdepot_unwinder *u, const struct unwind_check *check);

static inline bool module_holds(struct stackdepot_unwinder *u, const struct unwind_check *check)
{
	return *check->slot == check->word || unwind_chain_ask(u, check);
}

extern const unsigned int *unwind_chain_changes; /* of the loader's; 0: nobody tells */

/*
 * Is what was found loaded so still? Who runs code of a module that was loaded since, or knows that
 * one is gone, knows by way of the loader, so the number was raised for him.
 */
static inline bool modules_are_current(const struct unwind_chain_modules *modules, uint32_t changes)
{
	return changes && changes == modules->changes;
}

static inline uint32_t modules_changes(void)
{
	return __atomic_load_n(__atomic_load_n(&unwind_chain_changes, __ATOMIC_RELAXED),
			       __ATOMIC_ACQUIRE);
}

static inline void modules_begin(struct unwind_chain_modules *modules)
{
	const uint32_t changes = modules_changes();

	if (modules_are_current(modules, changes))
		return;
	modules->changes = changes;
	if (modules->known)
		memset(modules->holds, 0, sizeof(modules->holds)); /* MODULE_UNKNOWN */
	modules->known = false;
}

/*
 * The code of @pc, if that is in a module that kept frames are in too and this walk finds loaded:
 * what is filed under its id is as good as found anew.
 */
uint32_t unwind_chain_module_code(struct stackdepot_unwinder *u, uintptr_t pc,
				  const struct unwind_identity **ret_identity);

/* A check that holds while @identity does, which was found in this walk. */
void unwind_chain_module_check(struct stackdepot_unwinder *u,
			       const struct unwind_identity *identity,
			       struct unwind_check *ret_check);

/* --- chain_step.c ----------------------------------------------------------------------------- */

/* The step of a frame whose rule is not found, or not plain. */
enum unwind_outcome unwind_chain_step_rare(struct unwind_walk *walk, struct chain_place *at,
					   struct chain_step *step);

static inline enum unwind_outcome step_end(struct chain_step *step, const uintptr_t *ra)
{
	check_set(&step->check[step->checks++], ra, 0);
	return WALK_END;
}

/*
 * @code is plain: a matter of two additions. By fp or by sp is a branch that mostly goes one way in
 * a program; whether fp is saved is not, so that word is read in any case.
 */
static inline __attribute__((always_inline)) enum unwind_outcome
step_plain(struct unwind_walk *walk, uint32_t code, struct chain_place *at, struct chain_step *step)
{
	const struct unwind_stack *stack = &walk->stack;
	uintptr_t cfa, ra_word, fp_word, ra_address, fp_address, base = at->sp;

	step->checks = 0;
	if (code & CODE_FP) {
		base = at->fp;
		if (__builtin_expect(base - at->sp > stack->hi - at->sp || base & 7, 0))
			return WALK_FULL;
		check_set(&step->check[0], (const uintptr_t *)at->source, base);
		step->checks = 1;
	}
	/* the slots are between base and cfa: rule_compact() saw to that */
	cfa = base + (uintptr_t)code_cfa(code) * 8;
	if (__builtin_expect(cfa > stack->hi, 0))
		return WALK_FULL;
	step->save = code >> CODE_CFA_BITS & (SAVE_SLOT | SAVE_FP);
	ra_address = ra_slot(cfa, 0, step->save);
	fp_address = fp_slot(cfa, 0, step->save);
	ra_word = arch_load(ra_address);
	fp_word = arch_load(fp_address);
	at->fp = code & CODE_FP_SAVED ? fp_word : at->fp;
	at->source = code & CODE_FP_SAVED ? fp_address : at->source;
	at->sp = cfa;
	at->pc = arch_strip(ra_word);
	return __builtin_expect(!at->pc, 0) ? step_end(step, (const uintptr_t *)ra_address)
					    : WALK_ON;
}

/* @at becomes the caller's. */
static inline __attribute__((always_inline)) enum unwind_outcome
step_take(struct unwind_walk *walk, struct chain_place *at, struct chain_step *step)
{
	uint32_t code = rule_find(at->pc);
	enum unwind_outcome outcome;

	if (__builtin_expect(!code_is_plain(code), 0)) {
		/* copies, so that what escapes is not what should stay in registers */
		struct chain_place rare_at = *at;
		struct chain_step rare_step = *step;

		outcome = unwind_chain_step_rare(walk, &rare_at, &rare_step);
		*at = rare_at;
		*step = rare_step;
		return outcome;
	}
	return step_plain(walk, code, at, step);
}

/* --- kept frames ------------------------------------------------------------------------------ */

/*
 * Is kept frame @i where the walk is? Its checks from *ret_check on are those whose fp is read from
 * it or from frames further out.
 */
static inline bool chain_is_at(const struct chain_walk *c, uint32_t i, uint32_t *ret_check)
{
	const struct unwind_stack *stack = &c->walk->stack;
	const struct unwind_chain *kept = &c->u->kept;
	uint64_t frame = kept->frame[i];
	uint32_t check;

	if (i < c->kept || kept->pc[i] != c->at.pc || frame_sp(frame) != sp_words(stack, c->at.sp))
		return false;
	for (check = frame_check(frame);; check++) {
		const struct unwind_check *of = &kept->check[check];

		if ((uintptr_t)of->slot - stack->lo < c->at.sp - stack->lo) {
			if (of->word != c->at.fp)
				return false;
		} else if (__builtin_expect(!is_module(c->u, of), 1)) {
			break;
		} else if (!module_holds(c->u, of)) {
			return false;
		}
	}
	*ret_check = check;
	return true;
}

/* --- chain_verify.c --------------------------------------------------------------------------- */

/*
 * Verify from the kept frame that was met outwards. WALK_ON: the stack parted from what is kept,
 * and c->at is where. WALK_CUT and WALK_END, WALK_LOST: frames from c->kept on are unchanged as
 * far as they are asked for, or, if that is the end of the array, none are.
 */
enum unwind_outcome unwind_chain_verify(struct chain_walk *c, uint32_t check, uint32_t *ret_limit);

/* Kept frames [first, last] become fresh ones: those outside of them will change. */
void unwind_chain_copy(struct chain_walk *c, uint32_t first, uint32_t last);

#endif
