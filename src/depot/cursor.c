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
port_inline u64 cursor_hash(const struct cursor_walk *walk, const uintptr_t *window)
{
	const u64 *keys = walk->depot->keys;
	const u32 outer = hash_outer(walk->nr) / DEPOT_GROUP;
	const uintptr_t *group = walk->frames + walk->nr - walk->groups * DEPOT_GROUP;
	u32 i = walk->groups;
	u64 last, state = i ? walk->cursor->at[i - 1].hash : 0;

	for (; i < outer; i++) {
		group -= DEPOT_GROUP;
		state = hash_advance(state, hash_window(keys, group));
		walk->cursor->at[i].hash = state;
	}
	last = hash_window(keys, window);
	if (walk->nr % DEPOT_GROUP == 0)
		walk->cursor->at[outer].hash = hash_advance(state, last);
	return hash_finish(keys, state, last, walk->nr);
}

/* Remember the lines of the groups that are new, from the innermost line upwards. */
static void cursor_remember_lines(const struct cursor_walk *walk, u64 ref)
{
	struct stackdepot *depot = walk->depot;
	u32 left = walk->nr, number = (u32)ref;

	while (number && left > walk->groups * DEPOT_GROUP) {
		struct depot_line *line = port_line(depot, number);
		u64 link = port_load_relaxed(&line->link);
		u64 state = port_load_relaxed(&line->state);

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

port_inline void cursor_remember(const struct cursor_walk *walk, u64 ref)
{
	walk->cursor->ref = ref;
	walk->cursor->nr = walk->nr;
	walk->cursor->lines = walk->nr / DEPOT_GROUP;
	if (walk->cursor->lines != walk->groups)
		cursor_remember_lines(walk, ref);
}

port_inline u64 cursor_find(const struct cursor_walk *walk, unsigned int flags)
{
	uintptr_t pad[DEPOT_GROUP];
	const u64 above = walk->groups ? cursor_ref(walk->cursor, walk->groups) : 0;
	const struct find_trace trace = {.frames = hash_pad(walk->frames, walk->nr, pad),
					 .nr = walk->nr,
					 .outer = walk->groups * DEPOT_GROUP,
					 .stop = (u32)above};
	const u64 hash = cursor_hash(walk, trace.frames);
	struct found found;

	do {
		found = find(walk->depot, &trace, hash);
		/*
		 * What was found has the line `above` outside. That line's life is one as long as
		 * the trace lives: the remembered one, if that goes on here and the trace is held
		 * next.
		 */
		if (!found.ref || (above && !hold_valid(walk->depot, above)))
			return 0;
	} while (!hold(walk->depot, found.ref, found.state, flags));
	return found.ref;
}

/* The way when the trace is not there, or the lines remembered are not. */
static port_noinline u64 cursor_save_odd(struct cursor_walk *walk, unsigned int flags)
{
	u64 ref = 0;

	if (walk->groups) {
		walk->groups = 0;
		ref = cursor_find(walk, flags);
	}
	if (!ref)
		ref = depot_insert(walk->depot, walk->frames, walk->nr, flags, false);
	if (ref)
		cursor_remember(walk, ref);
	else
		walk->cursor->nr = walk->cursor->lines = 0;
	return ref;
}

/* The same trace again: is it still there? */
port_inline bool cursor_hold_same(const struct cursor_walk *walk, unsigned int flags)
{
	const u64 ref = walk->cursor->ref;

	return hold_valid(walk->depot, ref) &&
	       hold(walk->depot, ref,
		    port_load_acquire(&port_line(walk->depot, (u32)ref)->state), flags);
}

port_inline u64 cursor_save(struct cursor_walk *walk, unsigned int flags, u32 unchanged)
{
	const u32 outer = hash_outer(walk->nr) / DEPOT_GROUP;
	u64 ref;

	if (unchanged >= walk->nr && walk->cursor->nr == walk->nr && cursor_hold_same(walk, flags))
		return walk->cursor->ref;
	walk->groups = unchanged / DEPOT_GROUP;
	if (walk->groups > outer)
		walk->groups = outer;
	if (walk->groups > walk->cursor->lines)
		walk->groups = walk->cursor->lines;
	ref = cursor_find(walk, flags);
	if (port_unlikely(!ref))
		return cursor_save_odd(walk, flags);
	cursor_remember(walk, ref);
	return ref;
}

stackdepot_handle_t PORT_VARIANT(stackdepot_save_cursor)(
	struct stackdepot *depot, const uintptr_t *frames, unsigned int nr, unsigned int flags,
	struct stackdepot_cursor *cursor, unsigned int unchanged)
{
	struct cursor_walk walk = {depot, cursor, frames, nr, 0};
	u64 ref;

	if (port_unlikely(nr - 1 >= depot->save_frames)) {
		cursor->nr = cursor->lines = 0;
		return stackdepot_save(depot, frames, nr, flags);
	}
	ref = cursor_save(&walk, flags, unchanged);
	return ref ? depot_handle(depot, ref) : 0;
}
