/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * portable.c - frames that mean something elsewhere.
 *
 * What they look like is the user's affair: of a module he says what to add to its addresses. To
 * ask him is dear, so it is kept what he said,
 *
 *	P1  of a module that can never be unloaded, in the unwinder, for good;
 *	P2  of one that can, beside its identity among those that kept frames are in, and used if
 *	    this walk found it loaded where it was;
 *	P3  of anything else for the walk alone, as what can be on the stack of a thread is not
 *	    unloaded under it.
 *
 * Kept frames keep their portable form, which is right from kept.portable[from] outwards:
 *
 *	kept:   [ unused ... | top ... new ... | from ....... last ]
 *
 *	P4  A frame that a walk found unchanged by its checks is in the same module, as those of K4
 *	    are among them. Frames whose step was taken anew are not, and are made portable again,
 *	    with all inside of them: settle() and unwind_chain_verify() see to `from`.
 *	P5  If that makes a difference, the frame is not unchanged, nor is any inside of it.
 *	P6  The last frame of a trace that was cut was not asked what it leads to, so its checks
 *	    were not compared. It is made portable each time.
 */
#include "chain.h"

static const struct stackdepot_unwind_portable *portable_by;
static uint32_t portable_age; /* times it was said, so as to notice that it was said again */

static const struct stackdepot_unwind_module portable_none = {0, 0, 0};

void stackdepot_unwind_portable_by(const struct stackdepot_unwind_portable *portable)
{
	portable_by = portable;
	(void)__atomic_fetch_add(&portable_age, 1, __ATOMIC_RELEASE);
}

static inline bool module_has(const struct stackdepot_unwind_module *module, uintptr_t code)
{
	return code - module->start < module->end - module->start;
}

/* How many of those that are known begin at @code or before it. */
static inline uint32_t permanent_place(const struct unwind_permanent *permanent, uintptr_t code)
{
	uint32_t low = 0, high = permanent->nr;

	while (low < high) {
		const uint32_t middle = low + (high - low) / 2;

		if (permanent->module[middle].start <= code)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* More than there is room for are asked about again: one has to go, each in its turn. */
static void permanent_drop(struct unwind_permanent *permanent)
{
	uint32_t i = permanent->next++ % PERMANENT_MODULES;

	permanent->nr--;
	for (; i < permanent->nr; i++)
		permanent->module[i] = permanent->module[i + 1];
}

/* P1 */
static void permanent_add(struct unwind_permanent *permanent,
			  const struct stackdepot_unwind_module *module)
{
	uint32_t i, place;

	if (permanent->nr == PERMANENT_MODULES)
		permanent_drop(permanent);
	place = permanent_place(permanent, module->start);
	for (i = permanent->nr++; i > place; i--)
		permanent->module[i] = permanent->module[i - 1];
	permanent->module[place] = *module;
	if (permanent->nr == 1)
		permanent->first = *module;
}

static bool permanent_find(const struct unwind_permanent *permanent, uintptr_t code,
			   struct stackdepot_unwind_module *ret_module)
{
	const uint32_t place = permanent_place(permanent, code);

	if (!place || !module_has(&permanent->module[place - 1], code))
		return false;
	*ret_module = permanent->module[place - 1];
	return true;
}

/* P2 */
static bool unloadable_find(struct stackdepot_unwinder *u, uintptr_t code,
			    struct stackdepot_unwind_module *ret_module)
{
	struct unwind_chain_modules *modules = &u->modules;
	uint32_t i;

	for (i = 0; i < modules->nr; i++) {
		const struct unwind_identity *identity = modules->identity[i];

		if (modules->holds[i] != unwind_identity_id(identity) ||
		    !unwind_identity_has(identity, code))
			continue;
		if (u->portable_of[i].of != identity) {
			if (!portable_by->module(code, &u->portable_of[i].module))
				return false;
			u->portable_of[i].of = identity;
		}
		*ret_module = u->portable_of[i].module;
		return module_has(ret_module, code);
	}
	return false;
}

/* The module of @code; false: there is none. */
static bool module_find(struct stackdepot_unwinder *u, uintptr_t code,
			struct stackdepot_unwind_module *ret_module)
{
	if (u && (permanent_find(&u->permanent, code, ret_module) ||
		  unloadable_find(u, code, ret_module)))
		return true;
	if (!portable_by->module(code, ret_module))
		return false;
	if (u && unwind_module_is_permanent(code))
		permanent_add(&u->permanent, ret_module);
	return true;
}

/* The portable form of @pc, which is not in the module of another frame. False: it is in none. */
static __attribute__((noinline)) bool frame_elsewhere(struct stackdepot_unwinder *u, uintptr_t pc,
						      uintptr_t code,
						      struct stackdepot_unwind_module *module,
						      uintptr_t *ret_frame)
{
	if (!module_find(u, code, module)) {
		*module = portable_none;
		*ret_frame = portable_by->other(pc);
		return false;
	}
	*ret_frame = pc + module->delta;
	return true;
}

static inline bool frame_portable(struct stackdepot_unwinder *u, uintptr_t pc, uintptr_t code,
				  struct stackdepot_unwind_module *module, uintptr_t *ret_frame)
{
	struct stackdepot_unwind_module copy; /* so that *module can be in registers */
	uintptr_t frame;
	bool found;

	if (__builtin_expect(module_has(module, code), 1)) {
		*ret_frame = pc + module->delta;
		return true;
	}
	found = frame_elsewhere(u, pc, code, &copy, &frame);
	*module = copy;
	*ret_frame = frame;
	return found;
}

bool stackdepot_unwind_portable_frames(uintptr_t *frames, unsigned int nr, bool exact)
{
	struct stackdepot_unwind_module module = portable_none;
	bool other = false;
	unsigned int i;

	for (i = 0; i < nr; i++)
		other |= !frame_portable(NULL, frames[i], frames[i] - !(exact && !i), &module,
					 &frames[i]);
	return other;
}

/* What was said before is not so any more. */
static void portable_forget(struct stackdepot_unwinder *u, uint32_t age)
{
	memset(&u->permanent, 0, sizeof(u->permanent));
	memset(u->portable_of, 0, sizeof(u->portable_of));
	u->portable_from = CHAIN_FRAMES;
	u->portable_age = age;
}

/* Kept frames [from, to): behind the outermost one that becomes another, or @from. */
static inline uint32_t portable_range(struct stackdepot_unwinder *u, uint32_t from, uint32_t to)
{
	/* most are in the program, which is mostly met first */
	struct stackdepot_unwind_module module = u->permanent.first;
	uint32_t i, changed = from, other = 0;
	uintptr_t frame;

	for (i = from; i < to; i++) {
		if (!frame_portable(u, u->kept.pc[i], u->kept.pc[i] - 1, &module, &frame))
			other = i + 1;
		changed = frame == u->portable[i] ? changed : i + 1;
		word_set(&u->portable[i], frame);
	}
	if (__builtin_expect(other > u->portable_other, 0))
		u->portable_other = other;
	return changed;
}

static void portable_kept(struct stackdepot_unwinder *u, struct stackdepot_unwind_trace *trace)
{
	const uint32_t age = __atomic_load_n(&portable_age, __ATOMIC_ACQUIRE);
	const bool is_cut = trace->flags & STACKDEPOT_UNWIND_CUT;
	uint32_t last = u->top + trace->nr - 1, changed;

	if (__builtin_expect(u->portable_age != age, 0))
		portable_forget(u, age);
	if (u->portable_other <= u->portable_from)
		u->portable_other = 0;
	changed = portable_range(u, u->top, u->portable_from);
	if (__builtin_expect(is_cut && last >= u->portable_from, 0))
		(void)portable_range(u, last, last + 1); /* nothing of it is said to be unchanged */
	u->portable_from = u->top;
	if (__builtin_expect(trace->unchanged > CHAIN_FRAMES - changed, 0))
		trace->unchanged = CHAIN_FRAMES - changed;
	if (__builtin_expect(u->portable_other > u->top, 0))
		trace->flags |= STACKDEPOT_UNWIND_OTHER;
	trace->frames = &u->portable[u->top];
}

void stackdepot_unwind_portable(struct stackdepot_unwinder *unwinder,
				struct stackdepot_unwind_trace *trace)
{
	/* those that are not the unwinder's are the user's */
	uintptr_t *frames = (uintptr_t *)(uintptr_t)trace->frames;

	if (unwinder && unwind_is_kept(unwinder, trace))
		portable_kept(unwinder, trace);
	else if (stackdepot_unwind_portable_frames(frames, trace->nr, false))
		trace->flags |= STACKDEPOT_UNWIND_OTHER;
}
