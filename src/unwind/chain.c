/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The walk that is verified rather than walked.
 *
 * A walk is a function of where it starts (pc, sp, fp), the words it reads, and the unwind tables.
 * So a thread keeps its last walk:
 *
 *	kept:   [ unused ... | top ........ i, i+1 ........ last ]
 *	                       innermost                outermost
 *
 * What a step reads is a return address, always, and a saved fp, often. But a saved fp matters only
 * if a frame further out is found by fp before yet another one is read: in most programs nearly
 * never. So fp is compared where it is used, not where it is saved. A frame that uses it has a
 * check: the word that fp was read from (its *source*), and its value.
 *
 *	K1  If frame i is on the stack now (its pc and sp), the word its step takes for the return
 *	    address is pc[i+1], and its checks hold, then i+1 is its caller. For the last frame:
 *	    then it is the outermost one.
 *	K2  The source of a check is where the frames kept say that fp was read last before; if
 *	    this was before the innermost of them, it is below that one's sp.
 *	K3  No word outside the own stack is read but `never`, and the unwinder's words for modules.
 *	K4  What K1 says does not depend on tables that may change. A frame whose step does has a
 *	    check that never holds; but one in an unloadable module that can be told from others
 *	    has a check that holds if this walk found that module loaded where it was.
 *
 * The next walk goes frame by frame until it meets a kept one: equal pc, equal sp, and equal fp if
 * that is used before one is read from a frame further out, as checks with a source below sp tell;
 * those of modules may be among them. Their source is now where this walk got its fp from. Then the
 * words of all frames from there outwards are compared. At the first that differs the step is taken
 * anew from the tables; if that meets the next kept frame, comparing goes on, else the walk is on
 * its own again. Nothing kept is believed before it is verified, so it does not matter what the
 * thread did in between: stale frames cost time, not truth.
 *
 * Kept frames are sought by sp, in a map that may be wrong: what it names is looked at.
 *
 * The new frames are collected apart and then put before those found unchanged, which stay where
 * they are: their number is what a stackdepot_cursor wants to know.
 *
 * One thread's memory, so no ordering to think of; the signal handlers of the thread are kept out
 * by stackdepot_unwind().
 */
#include "walk.h"

/* Where a walk is, and the address of the word that fp was read from. */
struct place {
	uintptr_t pc;
	uintptr_t sp;
	uintptr_t fp;
	uintptr_t source;
};

/* One walk. */
struct chase {
	struct unwind_walk *walk;
	struct place at;
	struct stackdepot_unwinder *u;
	uint32_t kept;	 /* no kept frame before this one can be met any more */
	uint32_t fresh;	 /* frames collected */
	uint32_t checks; /* of these */
	uint32_t size;
	uint32_t stepped; /* kept frames whose step was taken anew and was the same */
};

/* What a step came by. */
struct step {
	uint32_t save;
	uint32_t checks;	    /* how many */
	struct unwind_check *check; /* room for two */
	struct stackdepot_unwinder *u;
};

#define SAVE_SLOT ((1u << CODE_SLOT_BITS) - 1)
#define SAVE_FP (CODE_FP_SAVED >> CODE_CFA_BITS)
#define SAVE_NOTHING 1u /* the return address is next to the cfa */

_Static_assert((CODE_FP_SAVED >> CODE_CFA_BITS) < 1 << 16, "save fits its bits");
_Static_assert(CHAIN_CHECKS < 1 << 16, "check fits its bits");

static const uintptr_t never; /* a check that wants 1 here does not hold */

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
#if defined(__x86_64__)
	(void)save;
	return top + (intptr_t)sp * 8 - 8;
#else
	return top + (intptr_t)sp * 8 - (save & SAVE_SLOT) * 8;
#endif
}

static inline uintptr_t fp_slot(uintptr_t top, int32_t sp, uint32_t save)
{
#if defined(__x86_64__)
	return top + (intptr_t)sp * 8 - (save & SAVE_SLOT) * 8;
#else
	return top + (intptr_t)sp * 8 - (save & SAVE_SLOT) * 8 - !!(save & SAVE_FP) * 8;
#endif
}

static uint32_t checks_begin(const struct unwind_chain *chain, uint32_t i)
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

/* --- checks of modules ------------------------------------------------------------------------ */

#define MODULE_UNKNOWN 0
#define MODULE_GONE UINTPTR_MAX

_Static_assert(MODULE_IDS < MODULE_GONE, "no id");

static inline bool is_module(const struct stackdepot_unwinder *u, const struct unwind_check *check)
{
	return (uintptr_t)check->slot - (uintptr_t)u->modules.holds < sizeof(u->modules.holds);
}

/* Is the module loaded? Asked for once in a walk. */
static inline bool module_loaded(struct unwind_chain_modules *modules, size_t i)
{
	if (modules->holds[i] == MODULE_UNKNOWN)
		modules->holds[i] = unwind_identity_holds(modules->identity[i])
					    ? unwind_identity_id(modules->identity[i])
					    : MODULE_GONE;
	return modules->holds[i] != MODULE_GONE;
}

/* A check that does not hold may be one of a module not asked for yet. */
static __attribute__((noinline)) bool module_asked(struct stackdepot_unwinder *u,
						   const struct unwind_check *check)
{
	return module_loaded(&u->modules, (size_t)(check->slot - u->modules.holds)) &&
	       *check->slot == check->word;
}

static inline bool module_holds(struct stackdepot_unwinder *u, const struct unwind_check *check)
{
	return *check->slot == check->word || module_asked(u, check);
}

/*
 * The code of @pc, if that is in a module that kept frames are in too and this walk finds loaded:
 * what is filed under its id is as good as found anew.
 */
static uint32_t module_code(struct stackdepot_unwinder *u, uintptr_t pc,
			    const struct unwind_identity **ret_identity)
{
	struct unwind_chain_modules *modules = &u->modules;
	uint64_t key;
	uint32_t i;

	for (i = 0; i < modules->nr; i++) {
		*ret_identity = modules->identity[i];
		if (unwind_identity_key(*ret_identity, pc, &key) && module_loaded(modules, i))
			return rule_find(key);
	}
	return 0;
}

/* @identity was found in this walk. */
static void module_check(struct stackdepot_unwinder *u, const struct unwind_identity *identity,
			 struct unwind_check *ret_check)
{
	struct unwind_chain_modules *modules = &u->modules;
	uint32_t i;

	for (i = 0; i < modules->nr && modules->identity[i] != identity; i++)
		;
	if (i == CHAIN_MODULES)
		i = modules->next++ % CHAIN_MODULES;
	else if (i == modules->nr)
		modules->nr++;
	modules->identity[i] = identity;
	modules->holds[i] = unwind_identity_id(identity);
	check_set(ret_check, &modules->holds[i], modules->holds[i]);
}

static inline void modules_begin(struct unwind_chain_modules *modules)
{
	memset(modules->holds, 0, sizeof(modules->holds)); /* MODULE_UNKNOWN */
}

/* --- steps from the tables -------------------------------------------------------------------- */

static inline enum unwind_outcome step_end(struct step *step, const uintptr_t *ra)
{
	check_set(&step->check[step->checks++], ra, 0);
	return WALK_END;
}

static void step_never(struct step *step)
{
	check_set(&step->check[0], &never, 1);
	step->checks = 1;
}

/* That the step depends on the tables of the module it was found in. */
static void step_depends(struct step *step, uint64_t rule, const struct unwind_module *module)
{
	if (rule & RULE_RECHECK)
		step_never(step);
	else if (rule & RULE_UNLOADABLE)
		module_check(step->u, module->identity, &step->check[step->checks++]);
}

/* What a frame remembers of @rule; false: it does not fit. */
static bool save_of(uint64_t rule, uintptr_t cfa, uintptr_t fp_address, uint32_t *ret_save)
{
	bool saved = rule & RULE_FP_SAVED;
	uintptr_t slot;

#if defined(__x86_64__)
	slot = saved ? (cfa - fp_address) / 8 : 1;
#else
	slot = (uintptr_t)-rule_ra_slot(rule) / 8;
	if (saved && fp_address != cfa - slot * 8 - 8)
		return false;
#endif
	*ret_save = (uint32_t)(slot & SAVE_SLOT) | (saved ? SAVE_FP : 0);
	return slot - 1 < SAVE_SLOT;
}

/* With the frame's end known: read what is there. */
static enum unwind_outcome step_to(const struct unwind_walk *walk, uint64_t rule, uintptr_t cfa,
				   uintptr_t fp_address, struct place *at, struct step *step)
{
	const struct unwind_stack *stack = &walk->stack;
	uintptr_t ra_address = cfa + rule_ra_slot(rule);

	if (cfa <= at->sp || cfa > stack->hi || !in_range(stack, ra_address) ||
	    !in_range(stack, fp_address))
		return WALK_FULL;
	/* what lies beyond the frame is not to be taken for what is read in it */
	if (fp_address < at->sp || ra_address < at->sp ||
	    !save_of(rule, cfa, fp_address, &step->save)) {
		step->save = SAVE_NOTHING;
		rule |= RULE_RECHECK;
	}
	step_depends(step, rule, &walk->module);
	if (rule & RULE_FP_SAVED) {
		at->fp = arch_load(fp_address);
		at->source = fp_address;
	}
	at->sp = cfa;
	at->pc = arch_strip(arch_load(ra_address));
	if (at->pc)
		return WALK_ON;
	if (step->checks == 2)
		step_never(step); /* no room for a third */
	return step_end(step, (const uintptr_t *)ra_address);
}

/*
 * @code is plain: a matter of two additions. By fp or by sp is a branch that mostly goes one way in
 * a program; whether fp is saved is not, so that word is read in any case.
 */
static inline __attribute__((always_inline)) enum unwind_outcome
step_plain(struct unwind_walk *walk, uint32_t code, struct place *at, struct step *step)
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

/* By a rule in full. */
static enum unwind_outcome step_rule(struct unwind_walk *walk, uint64_t rule, struct place *at,
				     struct step *step)
{
	const struct unwind_stack *stack = &walk->stack;
	struct unwind_stack copy = *stack;
	uintptr_t cfa;

	step->checks = 0;
	step->save = SAVE_NOTHING;
	switch (rule_kind(rule)) {
	case RULE_SP:
		cfa = at->sp + rule_cfa(rule);
		return step_to(walk, rule, cfa, cfa + rule_fp_slot(rule), at, step);
	case RULE_FP:
		check_set(&step->check[step->checks++], (const uintptr_t *)at->source, at->fp);
		cfa = at->fp + rule_cfa(rule);
		return step_to(walk, rule, cfa, cfa + rule_fp_slot(rule), at, step);
	case RULE_REALIGNED: /* reads three words */
		rule |= RULE_RECHECK;
		cfa = at->fp + rule_cfa(rule);
		if (!in_range(stack, cfa))
			return WALK_FULL;
		return step_to(walk, rule, arch_load(cfa), at->fp, at, step);
	case RULE_END:
		step_depends(step, rule, &walk->module);
		return WALK_END;
	case RULE_NONE:
		step_never(step);
		return unwind_arch_maybe_signal(&copy, at->sp) ? WALK_FULL : WALK_LOST;
	default:
		return WALK_FULL;
	}
}

static __attribute__((noinline)) enum unwind_outcome step_rare(struct unwind_walk *walk,
							       struct place *at, struct step *step)
{
	const struct unwind_identity *identity;
	uint32_t code = module_code(step->u, at->pc, &identity);
	enum unwind_outcome outcome;

	if (!code_is_plain(code))
		return step_rule(walk, rule_for(at->pc, &walk->module), at, step);
	outcome = step_plain(walk, code, at, step);
	if (outcome == WALK_FULL)
		return outcome;
	if (step->checks == 2)
		step_never(step); /* no room for a third */
	else
		module_check(step->u, identity, &step->check[step->checks++]);
	return outcome;
}

/* @at becomes the caller's. */
static inline __attribute__((always_inline)) enum unwind_outcome
step_take(struct unwind_walk *walk, struct place *at, struct step *step)
{
	uint32_t code = rule_find(at->pc);
	enum unwind_outcome outcome;

	if (__builtin_expect(!code_is_plain(code), 0)) {
		/* copies, so that what escapes is not what should stay in registers */
		struct place rare_at = *at;
		struct step rare_step = *step;

		outcome = step_rare(walk, &rare_at, &rare_step);
		*at = rare_at;
		*step = rare_step;
		return outcome;
	}
	return step_plain(walk, code, at, step);
}

/* --- new frames ------------------------------------------------------------------------------- */

/* The frame added last leads to one that is not kept. */
static void fresh_cut(struct chase *c)
{
	struct unwind_chain *fresh = &c->u->fresh;

	if (!c->fresh)
		return;
	c->checks = frame_check(fresh->frame[c->fresh - 1]);
	check_set(&fresh->check[c->checks++], &never, 1);
}

/*
 * Is kept frame @i where the walk is? Its checks from *ret_check on are those whose fp is read from
 * it or from frames further out.
 */
static inline bool meets(const struct chase *c, uint32_t i, uint32_t *ret_check)
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

/* Walk until a kept frame is met (WALK_ON), or there is nothing more to walk. */
static inline enum unwind_outcome walk_fresh(struct chase *outer, uint32_t *ret_check)
{
	struct chase c = *outer; /* a copy is kept in registers */
	struct unwind_chain *fresh = &c.u->fresh;
	enum unwind_outcome outcome = WALK_ON;
	struct step step;

	step.u = c.u;
	for (;;) {
		int32_t sp = sp_words(&c.walk->stack, c.at.sp);
		uint32_t i = *map_slot(c.u, sp);

		if (meets(&c, i, ret_check)) {
			c.kept = i;
			break;
		}
		if (__builtin_expect(c.fresh == c.size, 0)) {
			outcome = WALK_CUT;
			break;
		}
		fresh->pc[c.fresh] = c.at.pc;
		step.check = &fresh->check[c.checks];
		outcome = step_take(c.walk, &c.at, &step);
		fresh->frame[c.fresh++] = frame_pack(sp, c.checks, step.save);
		c.checks += step.checks;
		if (__builtin_expect(outcome != WALK_ON, 0))
			break;
	}
	if (outcome == WALK_CUT)
		fresh_cut(&c);
	if (outcome != WALK_ON)
		c.kept = CHAIN_FRAMES;
	outer->at = c.at;
	outer->kept = c.kept;
	outer->fresh = c.fresh;
	outer->checks = c.checks;
	return outcome;
}

/* --- kept frames ------------------------------------------------------------------------------ */

/* What was met gets its fp from this walk, where it did not read it itself: K2. */
static inline void adopt(struct chase *c, uint32_t i, uint32_t check)
{
	struct unwind_chain *kept = &c->u->kept;
	uint32_t at;

	for (at = frame_check(kept->frame[i]); at < check; at++) {
		if (!is_module(c->u, &kept->check[at]))
			kept->check[at].slot = (const uintptr_t *)c->at.source;
	}
}

/* @pc and @frame are those of one frame kept; others follow. */
static inline uintptr_t return_differs(const uintptr_t *pc, const uint64_t *frame, uintptr_t top)
{
	uintptr_t slot = ra_slot(top, frame_sp(frame[0]), frame_save(frame[-1]));

	return arch_strip(arch_load(slot)) ^ *pc;
}

/* The first frame in [from, to) that the one before it does not return to any more, or @to. */
static inline uint32_t returns_hold(const struct unwind_chain *kept, uintptr_t top, uint32_t from,
				    uint32_t to)
{
	const uintptr_t *pc = &kept->pc[from], *end = &kept->pc[to];
	const uint64_t *frame = &kept->frame[from];

	for (; end - pc >= 4; pc += 4, frame += 4) {
		uintptr_t differ = return_differs(pc, frame, top) |
				   return_differs(pc + 1, frame + 1, top) |
				   return_differs(pc + 2, frame + 2, top) |
				   return_differs(pc + 3, frame + 3, top);

		if (differ)
			break;
	}
	for (; pc < end && !return_differs(pc, frame, top); pc++, frame++)
		;
	return (uint32_t)(pc - kept->pc);
}

/* The first check in [from, to) that does not hold, or @to. */
static inline uint32_t checks_hold(const struct chase *c, uint32_t from, uint32_t to)
{
	for (; from < to; from++) {
		const struct unwind_check *check = &c->u->kept.check[from];

		if (__builtin_expect(arch_load((uintptr_t)check->slot) != check->word, 0) &&
		    !(is_module(c->u, check) && module_holds(c->u, check)))
			break;
	}
	return from;
}

/* The frame in [first, last] that check @index belongs to. */
static uint32_t frame_of(const struct unwind_chain *kept, uint32_t index, uint32_t first,
			 uint32_t last)
{
	while (first < last) {
		uint32_t middle = first + (last - first + 1) / 2;

		if (frame_check(kept->frame[middle]) <= index)
			first = middle;
		else
			last = middle - 1;
	}
	return first;
}

/*
 * The first frame in [from, limit) whose step must be taken anew, or @limit. Where a cut trace ends
 * does not depend on what its last frame leads to.
 */
static inline uint32_t verify_run(const struct chase *c, uint32_t from, uint32_t limit,
				  uint32_t check)
{
	const struct unwind_chain *kept = &c->u->kept;
	uint32_t differs,
		to = limit < CHAIN_FRAMES ? frame_check(kept->frame[limit - 1]) : CHAIN_CHECKS;
	uint32_t end = returns_hold(kept, c->walk->stack.hi, from + 1, limit);

	if (end < limit)
		to = frame_check(kept->frame[end]);
	differs = check < to ? checks_hold(c, check, to) : to;
	if (__builtin_expect(differs < to, 0))
		return frame_of(kept, differs, from, end - 1);
	return end < limit ? end - 1 : limit;
}

/* To kept frame @i: the frames from @met on, where the walk is now, are verified up to there. */
static void go_to(struct chase *c, uint32_t met, uint32_t i)
{
	const struct unwind_chain *kept = &c->u->kept;
	uintptr_t top = c->walk->stack.hi;
	uint32_t inner;

	for (inner = i; inner > met; inner--) {
		uint32_t save = frame_save(kept->frame[inner - 1]);

		if (save & SAVE_FP) {
			c->at.source = fp_slot(top, frame_sp(kept->frame[inner]), save);
			c->at.fp = arch_load(c->at.source);
			break;
		}
	}
	c->at.pc = kept->pc[i];
	c->at.sp = top + (intptr_t)frame_sp(kept->frame[i]) * 8;
}

/* Kept frames [first, last] become fresh ones: those outside of them will change. */
static void copy_to_fresh(struct chase *c, uint32_t first, uint32_t last)
{
	const struct unwind_chain *kept = &c->u->kept;
	struct unwind_chain *fresh = &c->u->fresh;
	uint32_t i, from = frame_check(kept->frame[first]), to = checks_begin(kept, last + 1);
	int64_t shift = (int64_t)c->checks - from;

	for (i = first; i <= last; i++, c->fresh++) {
		fresh->pc[c->fresh] = kept->pc[i];
		fresh->frame[c->fresh] = frame_shift(kept->frame[i], shift);
	}
	for (i = from; i < to; i++)
		check_set(&fresh->check[c->checks++], kept->check[i].slot, kept->check[i].word);
}

/* Kept frame @last, with the frames from @first before it, now leads elsewhere. */
static void diverge(struct chase *c, uint32_t first, uint32_t last, const struct step *step)
{
	struct unwind_chain *fresh = &c->u->fresh;
	uint64_t *frame;
	uint32_t i;

	copy_to_fresh(c, first, last);
	frame = &fresh->frame[c->fresh - 1];
	c->checks = frame_check(*frame);
	*frame = frame_pack(frame_sp(*frame), c->checks, step->save);
	for (i = 0; i < step->checks; i++)
		check_set(&fresh->check[c->checks++], step->check[i].slot, step->check[i].word);
	c->kept = last + 1;
	c->stepped = 0;
}

/* The step of kept frame @i came to the same, by what may be other checks: K1 holds by these. */
static void renew(struct unwind_chain *kept, uint32_t i, const struct step *step)
{
	uint32_t j, from = frame_check(kept->frame[i]);

	if (checks_begin(kept, i + 1) - from != step->checks)
		return;
	for (j = 0; j < step->checks; j++)
		check_set(&kept->check[from + j], step->check[j].slot, step->check[j].word);
}

/*
 * Verify from the kept frame that was met outwards. WALK_ON: the stack parted from what is kept,
 * and c->at is where. WALK_CUT and WALK_END, WALK_LOST: frames from c->kept on are unchanged as
 * far as they are asked for, or, if that is the end of the array, none are.
 */
static enum unwind_outcome verify(struct chase *c, uint32_t check, uint32_t *ret_limit)
{
	uint32_t first = c->kept, met = first, limit = CHAIN_FRAMES, i;
	struct unwind_check room[2] = {{NULL, 0}, {NULL, 0}};
	enum unwind_outcome outcome;
	struct step step;

	step.check = room;
	step.u = c->u;
	if (limit - first > c->size - c->fresh)
		limit = first + (c->size - c->fresh);
	*ret_limit = limit;
	while (met < limit) {
		adopt(c, met, check);
		i = verify_run(c, met, limit, check);
		if (i == limit)
			break;
		go_to(c, met, i);
		outcome = step_take(c->walk, &c->at, &step);
		if (outcome == WALK_FULL)
			return outcome; /* what is in step was not filled in */
		if (i + 1 == CHAIN_FRAMES && (outcome == WALK_END || outcome == WALK_LOST))
			return outcome;
		if (outcome != WALK_ON || i + 1 == CHAIN_FRAMES || !meets(c, i + 1, &check)) {
			diverge(c, first, i, &step);
			if (outcome != WALK_ON)
				c->kept = CHAIN_FRAMES;
			return outcome;
		}
		renew(&c->u->kept, i, &step);
		c->stepped++;
		met = i + 1;
	}
	return limit < CHAIN_FRAMES ? WALK_CUT : WALK_END;
}

/* Put the fresh frames before the kept ones from c->kept on; @limit: as far as these are needed. */
static inline void settle(struct chase *c, uint32_t limit)
{
	struct unwind_chain *kept = &c->u->kept, *fresh = &c->u->fresh;
	uint32_t i, checks = checks_begin(kept, c->kept);

	if (__builtin_expect(c->fresh > c->kept || c->checks > checks, 0)) {
		/* no room: move, dropping the outermost */
		copy_to_fresh(c, c->kept, limit - 1);
		if (limit < CHAIN_FRAMES)
			fresh_cut(c);
		c->kept = CHAIN_FRAMES;
		checks = CHAIN_CHECKS;
	}
	c->kept -= c->fresh;
	checks -= c->checks;
	for (i = 0; i < c->fresh; i++) {
		uint64_t frame = fresh->frame[i];

		word_set(&kept->pc[c->kept + i], fresh->pc[i]);
		word_set(&kept->frame[c->kept + i], frame_shift(frame, checks));
		*map_slot(c->u, frame_sp(frame)) = (uint16_t)(c->kept + i);
	}
	for (i = 0; i < c->checks; i++)
		check_set(&kept->check[checks + i], fresh->check[i].slot, fresh->check[i].word);
	c->u->top = c->kept;
}

static enum unwind_outcome chase_run(struct chase *c, uintptr_t skip, uint32_t *ret_limit)
{
	struct unwind_check check[2];
	enum unwind_outcome outcome;
	uint32_t from;
	struct step step;

	*ret_limit = CHAIN_FRAMES;
	step.check = check;
	step.u = c->u;
	for (; skip; skip--) {
		if (step_take(c->walk, &c->at, &step) != WALK_ON)
			return WALK_FULL;
	}
	for (;;) {
		outcome = walk_fresh(c, &from);
		if (outcome != WALK_ON)
			return outcome;
		outcome = verify(c, from, ret_limit);
		if (outcome != WALK_ON)
			return outcome;
	}
}

enum unwind_outcome unwind_chain_walk(struct stackdepot_unwinder *u,
				      const struct stackdepot_unwind_start *start,
				      unsigned int size, struct stackdepot_unwind_trace *ret_trace)
{
	struct chase c;
	struct unwind_walk walk;
	enum unwind_outcome outcome;
	uint32_t limit, unchanged, verified;
	bool complete;

	walk.stack = (struct unwind_stack){u->own.lo, u->own.hi, &u->own};
	walk.module.start = walk.module.end = 0;
	c.walk = &walk;
	/* a source below every frame: the register itself */
	c.at = (struct place){start->pc, start->sp, start->fp, start->sp - 8};
	c.u = u;
	c.kept = u->top;
	c.fresh = c.checks = c.stepped = 0;
	c.size = size;
	modules_begin(&u->modules);
	outcome = start->sp & 7 ? WALK_FULL : chase_run(&c, start->skip, &limit);
	if (outcome == WALK_FULL) {
		u->top = CHAIN_FRAMES; /* some checks have sources in frames not kept */
		return outcome;
	}
	unchanged = CHAIN_FRAMES - c.kept;
	verified = limit > c.kept ? limit - c.kept - c.stepped : 0;
	complete = outcome != WALK_CUT;
	settle(&c, limit);
	ret_trace->frames = &u->kept.pc[u->top];
	ret_trace->nr = complete ? CHAIN_FRAMES - u->top : size;
	ret_trace->unchanged = complete && u->complete ? unchanged : 0;
	ret_trace->verified = verified;
	u->complete = complete;
	return outcome;
}
