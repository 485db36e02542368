/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * cursor.c - saving a trace whose outer frames are those of the save before.
 *
 * The cursor remembers, for every whole group of the previous trace, the state of the hash behind
 * it and the line it is in with that line's generation. If the caller knows the outermost k frames
 * to be the same, then the first k / 8 groups need neither be hashed nor compared: it is enough
 * that the line above the others is the remembered one, in the same life. Line and life stand for
 * all frames up to the root, so this is as exact as comparing them.
 */
#include "find.h"
#include "insert.h"

struct cursor_walk {
	struct stackdepot *depot;
	struct stackdepot_cursor *cursor;
	const uintptr_t *frames;
	u32 nr;
	u32 groups; /* whole groups that are those of the previous trace */
};

static inline u64 cursor_ref(const struct stackdepot_cursor *cursor, u32 groups)
{
	return (u64)cursor->at[groups - 1].generation << 32 | cursor->at[groups - 1].line;
}

/* Hash the groups that are new, and remember the states. Returns the whole hash. */
static __always_inline u64 cursor_hash(const struct cursor_walk *walk, const uintptr_t *window)
{
	const u64 *keys = walk->depot->keys;
	const u32 outer = hash_outer(walk->nr) / DEPOT_GROUP;
	const uintptr_t *group = walk->frames + walk->nr - walk->groups * DEPOT_GROUP;
	u32 i = walk->groups;
	u64 last, state = i ? walk->cursor->at[i - 1].hash : 0;

	for (; i < outer; i++) {
		group -= DEPOT_GROUP;
		state = hash_advance(state ^ hash_window(keys, group));
		walk->cursor->at[i].hash = state;
	}
	last = hash_window(keys, window);
	if (walk->nr % DEPOT_GROUP == 0)
		walk->cursor->at[outer].hash = hash_advance(state ^ last);
	return hash_finish(keys, state ^ last, walk->nr);
}

/* Remember the lines of the groups that are new, from the innermost line upwards. */
static void cursor_remember_lines(const struct cursor_walk *walk, u64 ref)
{
	struct stackdepot *depot = walk->depot;
	u32 left = walk->nr, number = (u32)ref;

	while (number && left > walk->groups * DEPOT_GROUP) {
		struct depot_line *line = depot_line(depot, number);
		u64 link = atomic64_read(&line->link);
		u64 state = atomic64_read(&line->state);

		if (left % DEPOT_GROUP == 0) {
			walk->cursor->at[left / DEPOT_GROUP - 1].line = number;
			walk->cursor->at[left / DEPOT_GROUP - 1].generation = link_generation(link);
		}
		left -= state_count(state) < left ? state_count(state) : left;
		number = state_parent(state);
	}
	/* The lines were all of this trace if it still lives. Else they are good for nothing. */
	if (!hold_valid(depot, ref))
		walk->cursor->lines = 0;
}

static __always_inline void cursor_remember(const struct cursor_walk *walk, u64 ref)
{
	walk->cursor->ref = ref;
	walk->cursor->nr = walk->nr;
	walk->cursor->lines = walk->nr / DEPOT_GROUP;
	if (walk->cursor->lines != walk->groups)
		cursor_remember_lines(walk, ref);
}

/* Quick, or in full: as in save.c the first has nothing to write and calls nothing. */
static __always_inline struct depot_found cursor_find(const struct cursor_walk *walk,
						      const uintptr_t *window, bool quick)
{
	const u64 above = walk->groups ? cursor_ref(walk->cursor, walk->groups) : 0;
	const struct find_trace trace = {.frames = walk->frames,
					 .window = window,
					 .nr = walk->nr,
					 .outer = walk->groups * DEPOT_GROUP,
					 .stop = (u32)above,
					 .quick = quick};
	struct chain_place place __uninitialized;
	struct depot_found found =
		find_line(walk->depot, &trace, cursor_hash(walk, window), &place);

	/*
	 * What was found has the line `above` outside. That line's life is one as long as the trace
	 * lives: the remembered one, if that goes on here and the trace is held next.
	 */
	if (unlikely(above && !hold_valid(walk->depot, above)))
		found.ref = 0;
	return found;
}

/* The trace with the lines remembered, held; or 0. */
static u64 cursor_find_held(const struct cursor_walk *walk, unsigned int flags)
{
	uintptr_t pad[DEPOT_GROUP];
	const uintptr_t *window = hash_pad(walk->frames, walk->nr, pad);
	struct depot_found found;

	do
		found = cursor_find(walk, window, false);
	while (found.ref && !depot_hold(walk->depot, found.ref, found.state, flags));
	return found.ref;
}

/* The trace was looked for in vain: put in, unless that is forbidden. */
static stackdepot_handle_t cursor_add(struct cursor_walk *walk, unsigned int flags)
{
	u64 ref = depot_insert(walk->depot, walk->frames, walk->nr, flags, NULL);

	if (!ref) {
		walk->cursor->nr = walk->cursor->lines = 0;
		return 0;
	}
	walk->groups = 0;
	cursor_remember(walk, ref);
	return depot_handle(walk->depot, ref);
}

/* What there is to do when something has to be written, or the trace or its lines are gone. */
static noinline stackdepot_handle_t cursor_save_slow(struct cursor_walk *walk, unsigned int flags)
{
	u64 ref = cursor_find_held(walk, flags);

	if (!ref && walk->groups) {
		walk->groups = 0;
		ref = cursor_find_held(walk, flags);
	}
	if (!ref)
		return cursor_add(walk, flags);
	cursor_remember(walk, ref);
	return depot_handle(walk->depot, ref);
}

/*
 * Not found by the quick way: see save_missed(). If the line outside of what was compared is gone
 * by now, the trace may be below another one.
 */
static noinline stackdepot_handle_t cursor_save_missed(struct cursor_walk *walk, unsigned int flags)
{
	if (READ_ONCE(walk->depot->header->wide) ||
	    (walk->groups && !hold_valid(walk->depot, cursor_ref(walk->cursor, walk->groups))))
		return cursor_save_slow(walk, flags);
	return cursor_add(walk, flags);
}

/* Found, but there is something to write: most saves that take a reference. */
static noinline stackdepot_handle_t cursor_save_hold(struct cursor_walk *walk, unsigned int flags,
						     u64 ref, u64 state)
{
	if (!depot_hold(walk->depot, ref, state, flags))
		return cursor_save_slow(walk, flags);
	cursor_remember(walk, ref);
	return depot_handle(walk->depot, ref);
}

/* Is the trace that of the save before, still there, and is there nothing to write? */
static __always_inline bool cursor_is_same(const struct cursor_walk *walk, u32 unchanged,
					   unsigned int flags)
{
	const struct stackdepot_cursor *cursor = walk->cursor;
	struct depot_line *line;

	if (unchanged < walk->nr || cursor->nr != walk->nr)
		return false;
	line = depot_line(walk->depot, (u32)cursor->ref);
	return hold_is_current(walk->depot, atomic64_read_acquire(&line->state), flags) &&
	       hold_valid(walk->depot, cursor->ref);
}

static inline u32 cursor_groups(const struct cursor_walk *walk, u32 unchanged)
{
	const u32 outer = hash_outer(walk->nr) / DEPOT_GROUP;
	u32 groups = unchanged / DEPOT_GROUP;

	if (groups > outer)
		groups = outer;
	return groups < walk->cursor->lines ? groups : walk->cursor->lines;
}

stackdepot_handle_t DEPOT_VARIANT(stackdepot_save_cursor)(struct stackdepot *depot,
							  const uintptr_t *frames, unsigned int nr,
							  unsigned int flags,
							  struct stackdepot_cursor *cursor,
							  unsigned int unchanged)
{
	struct cursor_walk walk = {depot, cursor, frames, nr, 0};
	struct depot_found found;

	if (unlikely(nr - 1 >= depot->save_frames)) {
		cursor->nr = cursor->lines = 0;
		return stackdepot_save(depot, frames, nr, flags);
	}
	if (cursor_is_same(&walk, unchanged, flags))
		return depot_handle(depot, cursor->ref);
	walk.groups = cursor_groups(&walk, unchanged);
	if (unlikely(nr < DEPOT_GROUP))
		return cursor_save_slow(&walk, flags);
	found = cursor_find(&walk, frames, true);
	if (unlikely(!found.ref))
		return cursor_save_missed(&walk, flags);
	if (unlikely(!hold_is_current(depot, found.state, flags)))
		return cursor_save_hold(&walk, flags, found.ref, found.state);
	if (unlikely(!found_unchanged(&found)))
		return cursor_save_slow(&walk, flags);
	cursor_remember(&walk, found.ref);
	return depot_handle(depot, found.ref);
}
