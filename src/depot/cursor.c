/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * cursor.c - saving a trace whose outer frames are those of the save before.
 *
 * The cursor remembers, for every whole group of the previous trace, the state of the hash behind it
 * and the line it is in with that line's generation. If the caller knows the outermost k frames to be
 * the same, then the first k / 8 groups need neither be hashed nor compared: it is enough that the
 * line above the others is the remembered one, in the same life. Line and life stand for all frames
 * up to the root, so this is as exact as comparing them.
 */
#include "find.h"
#include "insert.h"

struct cursor_walk {
	struct stackdepot *depot;
	struct stackdepot_cursor *cursor;
	const uintptr_t *frames;
	u32 nr;
};

/* Hash the groups behind the first `groups`, and remember the states. Returns the whole hash. */
static u64 cursor_hash(struct cursor_walk *walk, u32 groups, const uintptr_t *window)
{
	const u64 *keys = walk->depot->keys;
	const u32 outer = hash_outer(walk->nr) / DEPOT_GROUP;
	const uintptr_t *group = walk->frames + walk->nr - groups * DEPOT_GROUP;
	u64 last, state = groups ? walk->cursor->at[groups - 1].hash : 0;

	for (; groups < outer; groups++) {
		group -= DEPOT_GROUP;
		state = hash_advance(state, hash_window(keys, group));
		walk->cursor->at[groups].hash = state;
	}
	last = hash_window(keys, window);
	if (walk->nr % DEPOT_GROUP == 0)
		walk->cursor->at[outer].hash = hash_advance(state, last);
	return hash_finish(keys, state, last, walk->nr);
}

/* Remember the lines of the groups behind the first `groups`, from the innermost line upwards. */
static void cursor_remember(struct cursor_walk *walk, u64 ref, u32 groups)
{
	struct stackdepot *depot = walk->depot;
	u32 left = walk->nr, number = (u32)ref;

	while (number && left > groups * DEPOT_GROUP) {
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
	walk->cursor->lines = walk->nr / DEPOT_GROUP;
	/* The lines were all of this trace if it still lives. Else they are good for nothing. */
	if (!hold_valid(depot, ref))
		walk->cursor->lines = 0;
}

/* Whole groups that need not be looked at again. */
static u32 cursor_groups(const struct cursor_walk *walk, u32 unchanged)
{
	const struct stackdepot_cursor *cursor = walk->cursor;
	u32 groups = unchanged / DEPOT_GROUP;
	u32 limit = hash_outer(walk->nr) / DEPOT_GROUP;

	if (groups > cursor->lines)
		groups = cursor->lines;
	if (groups > limit)
		groups = limit;
	if (groups && !hold_valid(walk->depot, (u64)cursor->at[groups - 1].generation << 32 |
						       cursor->at[groups - 1].line))
		return 0;
	return groups;
}

static u64 cursor_find(struct cursor_walk *walk, u32 groups, unsigned int flags)
{
	uintptr_t pad[DEPOT_GROUP];
	const u32 stop = groups ? walk->cursor->at[groups - 1].line : 0;
	const struct find_trace trace = {hash_pad(walk->frames, walk->nr, pad), walk->nr,
					 groups * DEPOT_GROUP, stop};
	const u64 hash = cursor_hash(walk, groups, trace.frames);
	const u64 above = groups ? (u64)walk->cursor->at[groups - 1].generation << 32 | stop : 0;
	struct found found;

	do {
		found = find(walk->depot, &trace, hash);
		/*
		 * What was found has the line `stop` outside. That line's life is one as long as the
		 * trace lives: the remembered one, if that goes on here and the trace is held next.
		 */
		if (!found.ref || (stop && !hold_valid(walk->depot, above)))
			return 0;
	} while (!hold(walk->depot, found.ref, found.state, flags));
	return found.ref;
}

static u64 cursor_save(struct cursor_walk *walk, unsigned int flags, u32 unchanged)
{
	u32 groups = cursor_groups(walk, unchanged);
	u64 ref = cursor_find(walk, groups, flags);

	if (!ref) {
		groups = 0;
		ref = depot_insert(walk->depot, walk->frames, walk->nr, flags, false);
	}
	if (ref)
		cursor_remember(walk, ref, groups);
	else
		walk->cursor->lines = 0;
	return ref;
}

stackdepot_handle_t PORT_VARIANT(stackdepot_save_cursor)(
	struct stackdepot *depot, const uintptr_t *frames, unsigned int nr, unsigned int flags,
	struct stackdepot_cursor *cursor, unsigned int unchanged)
{
	struct cursor_walk walk = {depot, cursor, frames, nr};
	u64 ref;

	if (nr - 1 >= depot->save_frames) {
		cursor->lines = 0;
		return stackdepot_save(depot, frames, nr, flags);
	}
	ref = cursor_save(&walk, flags, unchanged);
	return ref ? depot_handle(depot, ref) : 0;
}
