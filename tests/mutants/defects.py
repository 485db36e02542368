# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The mutants of the core: what is broken, why it must be found, and by which scenarios or, where it
takes one thread, by which file of tests/unit."""
import collections

Change = collections.namedtuple("Change", "file old new")
Mutant = collections.namedtuple("Mutant", "name why scenarios changes unit")


def mutant(name, why, found_by, *changes):
    unit = found_by if isinstance(found_by, str) else None
    return Mutant(name, why, [] if unit else found_by, [Change(*change) for change in changes], unit)


INDEX_RAISE = """		while (!index_raise(index_head(depot, hash, outer),
				    atomic64_read(index_head(depot, hash, outer))))
			;
"""

MUTANTS = [
    mutant(
        "pin without looking at the generation",
        "a reference is taken to whatever lives in the line now",
        ["get/evict"],
        ("hold.c", """	if (!hold_valid(depot, ref)) {
		depot_unpin(depot, (u32)ref);
		return false;
	}
""", "")),
    mutant(
        "failed pin not taken back",
        "a line keeps a reference that nobody owns",
        ["get/evict"],
        ("hold.c", """	if (!hold_valid(depot, ref)) {
		depot_unpin(depot, (u32)ref);
		return false;""", """	if (!hold_valid(depot, ref)) {
		return false;""")),
    mutant(
        "pin a line in hands",
        "a line that is being cleared or filled is pinned",
        ["get/evict", "save/evict"],
        ("hold.c", """		if (!(state & STATE_LIVE))
			return false;
		pinned = state | visited;""", """		pinned = state | visited;""")),
    mutant(
        "generation not raised at death",
        "an old reference names the line's next trace",
        ["fetch/evict", "get/evict"],
        ("death.c", "((link >> LINK_GENERATION_SHIFT) + 1)", "(link >> LINK_GENERATION_SHIFT)")),
    mutant(
        "fetch without looking at the generation again",
        "frames of two traces are mixed",
        ["fetch/evict"],
        ("fetch.c", "return hold_lives(life->line, life->link) ? nr : -ESTALE;", "return nr;")),
    mutant(
        "whole fetch without looking at the generation again",
        "frames of two traces are mixed",
        ["fetch whole/evict"],
        ("fetch.c", "return hold_lives(life.line, life.link) ? nr : 0;", "return nr;")),
    mutant(
        "parent let go before the generation is raised",
        "a reader walks up into a recycled parent and finds the child valid",
        ["fetch child/evict child/evict parent"],
        ("death.c", """	death_stale(line);
	depot_chain_unlink(depot, depot_rehash(depot, number, state));
	if (state_parent(state))
		depot_unpin(depot, state_parent(state));
""", """	if (state_parent(state))
		depot_unpin(depot, state_parent(state));
	death_stale(line);
	depot_chain_unlink(depot, depot_rehash(depot, number, state));
""")),
    mutant(
        "not unlinked before it is filled again",
        "the line is on two chains, or twice on one",
        ["save/save, depot full"],
        ("death.c", """	depot_chain_unlink(depot, depot_rehash(depot, number, state));
""", "")),
    mutant(
        "parent not let go",
        "the parent stays pinned for ever",
        ["save child/evict"],
        ("death.c", """	if (state_parent(state))
		depot_unpin(depot, state_parent(state));
""", "")),
    mutant(
        "linked before it is filled",
        "a look-up meets the frames of the line's last trace in its new life",
        ["save/evict", "save/save, depot full", "fetch/evict"],
        ("insert.c", """			state = insert_fill(depot, filled, &run, window);
		}
		ref = depot_chain_insert(depot, hash, &place, filled);
		if (ref) {
""", """		}
		ref = depot_chain_insert(depot, hash, &place, filled);
		if (ref) {
			state = insert_fill(depot, filled, &run, window);
""")),
    mutant(
        "steps of a look-up not confirmed",
        "a trace is found in a line that is filled and not yet, or never, linked",
        ["save/recycle/save"],
        ("find.h", "if (unlikely(link & LINK_DEAD || atomic64_read(word) != next)) {",
         "if (unlikely(link & LINK_DEAD)) {")),
    mutant(
        "steps of a traversal not confirmed",
        "an inserter finds the line that it, or another, has filled and not linked",
        ["lease break/save", "leased save/evict"],
        ("chain.c", "return atomic64_read_acquire(step->word) == step->value ? 1 : -EAGAIN;",
         "return 1;")),
    mutant(
        "dead lines stepped over",
        "what is behind an unlinked line may be elsewhere by now",
        ["lease break/save", "leased save/evict", "save/save, depot full", "save/save/evict",
         "save/recycle/save", "look-up", "insert/line"],
        ("chain.c", "		if (!(step->link & LINK_DEAD))\n			return",
         "		if (1)\n			return")),
    mutant(
        "version of the head not raised by an insertion",
        "a head takes an old value again, and what was inserted meanwhile is not looked at",
        ["save/recycle/save", "insert/", "save/save"],
        ("chain.c", "version = (head >> LINK_GENERATION_SHIFT) + 1;",
         "version = head >> LINK_GENERATION_SHIFT;"),
        ("chain.c", " + (step->word == step->head);", ";")),
    mutant(
        "not looked at again before linking",
        "equal traces are linked twice",
        ["save/save, same trace"],
        ("insert.c", """		ref = depot_chain_insert(depot, hash, &place, filled);
""", """		place.value = atomic64_read_acquire(index_head(depot, hash, place.digits));
		ref = depot_chain_insert(depot, hash, &place, filled);
""")),
    mutant(
        "new trace held whoever has it meanwhile",
        "the reference of who found it just now is lost",
        ["save/save, same trace"],
        ("insert.c", "atomic64_try_cmpxchg(&line->state, &state, held)",
         "(atomic64_set(&line->state, held), true)")),
    mutant(
        "hand left behind all that it passed",
        "in a burst of one tick a few lines are evicted again and again, with what was saved last",
        "core_evict.c",
        ("evict.c", "	WRITE_ONCE(depot->header->hand, pass->taken + 1);\n", "")),
    mutant(
        "outer head not raised",
        "who saw the index before it grew links a trace that is on its inner chain",
        ["index grows"],
        ("index.c", INDEX_RAISE, ""),
        ("chain.c", "index_raise(index_head(depot, hash, place->digits), place->value)", "true")),
    mutant(
        "outer head not raised by who inserts in a bucket never opened",
        "who saw the index before it grew links a trace that is on its inner chain",
        ["index grows"],
        ("chain.c", "index_raise(index_head(depot, hash, place->digits), place->value)", "true")),
    mutant(
        "outer head raised from whatever it is",
        "the trace was inserted on the outer chain since that was searched, and is once more",
        ["index grows"],
        ("chain.c", "index_raise(index_head(depot, hash, place->digits), place->value)",
         "index_raise(index_head(depot, hash, place->digits), "
         "atomic64_read(index_head(depot, hash, place->digits)))")),
    mutant(
        "digits not read again behind the head",
        "the head was read when it had been raised already, and the trace goes where it was before",
        ["index grows"],
        ("chain.c", "	const u32 digits = index_digits(depot, hash);\n	struct depot_line",
         "	const u32 digits = place->digits;\n	struct depot_line")),
    mutant(
        "inserted where a search was given up",
        "the trace is behind the dead line, and is linked once more",
        ["save/save", "insert/", "look-up", "leased save/evict"],
        ("find.h", """{
				find_place(ret_place, 0, CHAIN_NOWHERE);
""", "{\n")),
    mutant(
        "outer part inserted where another one was found",
        "what was inserted between the two searches is linked once more",
        ["save/save, same trace below"],
        ("insert.c", "find_line(in->depot, &prefix, hash, &place);", "find_line(in->depot, &prefix, hash, &in->prefix);"),
        ("insert.c", "			in->prefix = place;\n", "")),
    mutant(
        "inserted on a chain without an end",
        "a circle in a damaged depot is never cut",
        "steps.c",
        ("find.h", "	if (unlikely(!left))\n		find_place(ret_place, 0, CHAIN_NOWHERE);\n", "")),
    mutant(
        "bucket opened before the outer head is raised",
        "who finds it open looks through the outer chain too early",
        ["index grows twice and save/save/save"],
        ("index.c", INDEX_RAISE, ""),
        ("index.c", "&closed, opened);\n", "&closed, opened);\n" + INDEX_RAISE)),
    mutant(
        "outer head raised without being open",
        "it looks open, and nobody raises the one outside of it",
        ["index grows"],
        ("index.c", "			if (atomic64_read_acquire(index_head(depot, hash, outer)))\n", "")),
    mutant(
        "outer chains not searched before linking",
        "a trace from before the index grew is linked once more",
        ["index grows"],
        ("chain.c", "		while (!again && !ref && digits) {", "		while (0) {")),
    mutant(
        "unlinked from the innermost chain alone",
        "a line from before the index grew is filled again while it is on its chain",
        ["look-up in a grown index"],
        ("chain.c", """	for (; digits; digits = index_outer(digits))
		depot_chain_tidy(depot, index_head(depot, hash, digits));
	depot_chain_tidy(depot, index_head(depot, hash, 0));
""", """	depot_chain_tidy(depot, index_head(depot, hash, digits));
""")),
    mutant(
        "duplicate not given back",
        "a line is lost whenever two threads save the same trace",
        ["save/save, same trace"],
        ("insert.c", """		parent_held &= !insert_discard(in, filled);
""", """		depot_count(in->depot, COUNT_DUPLICATES);
""")),
    mutant(
        "pinned line dismissed without a second look",
        "a line that enters the set meanwhile is cleared out of it, and never met again",
        ["put/evict", "candidates", "put in save", "room"],
        ("candidates.c", "		if (!(atomic64_read(&line->state) & STATE_DISMISSED))\n"
         "			depot_candidate_set(depot, number);\n", "")),
    mutant(
        "unpinned line not said to be a candidate",
        "a line that was dismissed is never met again",
        ["put/evict"],
        ("hold.c", "			depot_candidate_set(depot, number);\n", "")),
    mutant(
        "line let go before it is a candidate",
        "a save is refused although a line is free: its thread was interrupted between two steps",
        ["room, put/save"],
        ("hold.c", """			state &= ~STATE_DISMISSED;
			depot_candidate_set(depot, number);
		}
		if (atomic64_try_cmpxchg(&line->state, &state, state - STATE_REFERENCE))
			return 0;
""", """			state &= ~STATE_DISMISSED;
		}
		if (atomic64_try_cmpxchg(&line->state, &state, state - STATE_REFERENCE)) {
			depot_candidate_set(depot, number);
			return 0;
		}
""")),
    mutant(
        "dismissed line let go at once",
        "the bit is seen set, cleared by who dismisses the line, and the line let go",
        ["room, dismiss/put and save", "room, dismiss/put/save", "put/put/evict"],
        ("hold.c", """			if (!atomic64_try_cmpxchg(&line->state, &state, state & ~STATE_DISMISSED))
				continue;
			state &= ~STATE_DISMISSED;
			depot_candidate_set(depot, number);
""", """			depot_candidate_set(depot, number);
			if (atomic64_try_cmpxchg(&line->state, &state,
				     (state - STATE_REFERENCE) & ~STATE_DISMISSED))
				return 0;
			continue;
""")),
    mutant(
        "dismissal not published",
        "a save is refused although a line is free, as somebody is about to put it back",
        ["room, dismiss/put/save"],
        ("candidates.c", """	published = dismissal_publish(depot, 0, number);
	if (!published)
		return false;
""", """	static u64 nowhere;

	published = &nowhere;
""")),
    mutant(
        "summary cleared without being published",
        "a save is refused although a line is free, as the level above does not show it",
        ["room, summarise"],
        ("candidates.c", """	published = dismissal_publish(depot, level + 1, word);
	if (!published)
		return;
""", """	static u64 nowhere;

	published = &nowhere;
""")),
    mutant(
        "published lines not looked at",
        "a save is refused although a line is free, as somebody is about to put it back",
        ["room, dismiss/put/save"],
        ("evict.c", """	for (i = 0; i < DEPOT_DISMISSALS && !number; i++)
""", """	for (i = 0; i < 0; i++)
""")),
    mutant(
        "level above cleared without a second look",
        "a candidate is set below a summary that says there is none",
        ["candidates", "room"],
        ("candidates.c", "		if (READ_ONCE(*below))\n"
         "			candidate_set_from(depot, level + 1, word);\n", "")),
    mutant(
        "only the lowest level set",
        "the search above does not see the candidate",
        ["candidates", "room"],
        ("candidates.c", "for (; level < depot->nr_levels; level++, bit /= CANDIDATE_BITS) {",
         "for (; level < 1; level++, bit /= CANDIDATE_BITS) {")),
    mutant(
        "word of candidates begun by a line in use",
        "a line behind it is used, let go, and not met",
        ["room, save/save and save"],
        ("take.c", """		if (candidate_begins(fresh + 1))
			depot_candidate_begin(depot, fresh + 1);
""", ""),
        ("take.c", "	*ret_number = fresh + 1;\n", """	*ret_number = fresh + 1;
	if (candidate_begins(fresh + 1))
		depot_candidate_begin(depot, fresh + 1);
""")),
    mutant(
        "word of candidates begun on the lowest level only",
        "the search above does not see them",
        "core_evict.c",
        ("candidates.c", "	candidate_set_from(depot, 1, line / CANDIDATE_BITS);\n", "")),
    mutant(
        "candidates behind the last line",
        "a search ends at what is no line",
        "core_evict.c",
        ("candidates.c", "end < depot->nr_lines ? end : depot->nr_lines", "end")),
    mutant(
        "wide traces not looked for again",
        "what is there is not found, and a save of it writes",
        "core_frames.c",
        ("save.c", "if (unlikely(READ_ONCE(depot->header->wide)))", "if (0)")),
    mutant(
        "wide line not noted",
        "what is there is not found, and a save of it writes",
        "core_frames.c",
        ("insert.c", "		WRITE_ONCE(depot->header->wide, 1);\n", "		;\n")),
    mutant(
        "wide traces not looked for again with a cursor",
        "what is there is not found, and a save of it writes",
        "core_cursor.c",
        ("cursor.c", "if (READ_ONCE(walk->depot->header->wide) ||", "if (0 ||")),
    mutant(
        "trace looked for only below the line that the cursor knew",
        "what is there is not found, and a save of it writes",
        "core_cursor.c",
        ("cursor.c", """	    (walk->groups && !hold_valid(walk->depot, cursor_ref(walk->cursor, walk->groups))))
""", "	    0)\n")),
    mutant(
        "line given back without being a candidate",
        "it was dismissed while it was filled and pinned",
        ["save/save of the same, then all lines", "save/save of the same, depot full",
         "lease break/save", "save/save/evict"],
        ("take.c", """	depot_candidate_set(depot, number);
	/* Release""", """	/* Release""")),
    mutant(
        "stamp replaced by an older one",
        "a lease is shorter than it should be, and not counted as broken",
        ["leased save/tick", "three leased saves"],
        ("hold.c", """	while (state & STATE_LIVE) {
		const u64 stamp = depot_stamp(depot) | STATE_VISITED;

""", """	const u64 stamp = depot_stamp(depot) | STATE_VISITED;

	while (state & STATE_LIVE) {
""")),
    mutant(
        "lines filled as if leased",
        "an outer part is spared, and counted as a broken lease, that nobody was promised",
        "core_clock.c",
        ("insert.c", "(STATE_HALF_TURN | STATE_LIVE |", "(STATE_LIVE |"),
        ("insert.c", "STATE_TRACE : STATE_TRACE | STATE_HALF_TURN", "STATE_TRACE : STATE_TRACE")),
    mutant(
        "lease for who has a reference",
        "what is given back is spared like what is leased",
        "core_clock.c",
        ("insert.c", "return flags & STACKDEPOT_GET ? STATE_TRACE : STATE_TRACE | STATE_HALF_TURN;",
         "return STATE_TRACE | STATE_HALF_TURN;")),
    mutant(
        "lease for who has a reference, if somebody else was first",
        "what is given back is spared like what is leased",
        ["save/save, same trace, got"],
        ("insert.c", "if (marks & STATE_HALF_TURN && state_age(", "if (state_age(")),
    mutant(
        "no lease for what was put in",
        "a leased trace goes before its lease has run out",
        "core_clock.c",
        ("insert.c", "STATE_TRACE : STATE_TRACE | STATE_HALF_TURN", "STATE_TRACE : STATE_TRACE")),
    mutant(
        "trace that is got not marked as visited",
        "a hot trace is the first to go when its count touches 0",
        ["got and put"],
        ("hold.c", "if (flags & STACKDEPOT_GET && !depot_pin(depot, ref, STATE_VISITED))",
         "if (flags & STACKDEPOT_GET && !depot_pin(depot, ref, 0))")),
    mutant(
        "walk without looking at the generation",
        "runs of two traces are shown as one",
        ["walk"],
        ("walk.c", """	if (!hold_valid(depot, walk->ref))
		return -ESTALE;
	if (!(state""", """	if (!(state""")),
    mutant(
        "lease not renewed, but believed",
        "a dying line's generation is still valid when its state is not",
        ["leased save/evict"],
        ("hold.c", """		state = atomic64_read_acquire(&line->state);
	}
	return false;
""", """		state = atomic64_read_acquire(&line->state);
	}
	return true;
""")),
    mutant(
        "validated before the lease is renewed",
        "the line may die between the two",
        ["leased save/evict"],
        ("hold.c", """	if (!(flags & (STACKDEPOT_GET | STACKDEPOT_KEEP)) && !depot_renew(depot, (u32)ref, state))
		return false;
	/* Written first, looked at afterwards: if the line lives now, it lived when it was held. */
	return hold_valid(depot, ref);
""", """	if (!hold_valid(depot, ref))
		return false;
	if (!(flags & (STACKDEPOT_GET | STACKDEPOT_KEEP)))
		depot_renew(depot, (u32)ref, state);
	return true;
""")),
    mutant(
        "kept without being pinned",
        "the mark goes to whatever lives in the line now",
        ["keep/evict"],
        ("hold.c", """	if (!depot_pin(depot, ref, 0))
		return false;
	depot_mark(depot, (u32)ref, bits);
	depot_unpin(depot, (u32)ref);
	return true;
""", """	depot_mark(depot, (u32)ref, bits);
	return hold_valid(depot, ref);
""")),
    mutant(
        "claim of a line that has changed",
        "a line that was pinned after it was looked at is evicted",
        ["save/evict", "get/evict"],
        ("death.c", """	if (!atomic64_try_cmpxchg(&line->state, &seen, 0))
		return false;
""", """	while (!atomic64_try_cmpxchg(&line->state, &seen, 0))
		;
""")),
    mutant(
        "line above a cursor not confirmed",
        "the frames outside of the remembered line are another parent's",
        ["cursor"],
        ("cursor.c", """	if (unlikely(above && !hold_valid(walk->depot, above)))
		found.ref = 0;
""", "")),
    mutant(
        "ring read without the second look at the sequence",
        "an event is a mixture of two (the check, which would recognise it, is left out as well)",
        ["ring, record/"],
        ("ring.c", """	if (atomic64_read(&entry->sequence) != 2 * position + 2)
		return false;
	if (!ring_order_fits(position, event.order) ||
	    check != ring_check(depot, position, &event, rest))
		return false;
""", "")),
    mutant(
        "ring entry written without the odd sequence",
        "a reader believes an event that is being overwritten (as above)",
        ["ring, record/"],
        ("ring.c", "!atomic64_try_cmpxchg(&entry->sequence, &sequence, 2 * position + 1))",
         "!atomic64_try_cmpxchg(&entry->sequence, &sequence, sequence))"),
        ("ring.c", "sequence = 2 * position + 1;", "sequence = atomic64_read(&entry->sequence);"),
        ("ring.c", """	if (!ring_order_fits(position, event.order) ||
	    check != ring_check(depot, position, &event, rest))
		return false;
""", "")),
    mutant(
        "ring entry taken by a writer that was lapped",
        "an older event replaces a newer one, and the sequence goes back",
        ["ring, lapped writer", "ring, record in record"],
        ("ring.c", "if (sequence > 2 * position ||", "if (")),
    mutant(
        "ring entry of a killed writer lost",
        "the entry is dropped in each turn, for ever",
        ["ring, killed writer"],
        ("ring.c", "if (sequence > 2 * position ||", "if (sequence & 1 || sequence > 2 * position ||")),
    mutant(
        "event of a killed writer not counted",
        "it is lost, and nothing says so",
        ["ring, killed writer"],
        ("ring.c", """	if (sequence & 1)
		depot_count(depot, COUNT_RING_DROPPED);
""", "")),
    mutant(
        "ring read without its check",
        "what a writer that came back late wrote into a whole event is believed",
        ["ring, late writer"],
        ("ring.c", """	if (!ring_order_fits(position, event.order) ||
	    check != ring_check(depot, position, &event, rest))
		return false;
""", "")),
    mutant(
        "late writer that does not notice",
        "it overwrites the sequence of a newer event, and nothing is counted",
        ["ring, late writer"],
        ("ring.c", "		written = atomic64_try_cmpxchg(&entry->sequence, &sequence, 2 * position + 2);",
         "		atomic64_set_release(&entry->sequence, 2 * position + 2);\n"
         "		written = true;")),
    mutant(
        "pen's entry written without the odd sequence",
        "a reader believes an event that is being overwritten (the check is left out as well)",
        ["ring, pen"],
        ("ring.c", "	atomic64_set(&entry->sequence, 2 * position + 1);\n", ""),
        ("ring.c", """	if (!ring_order_fits(position, event.order) ||
	    check != ring_check(depot, position, &event, rest))
		return false;
""", "")),
    mutant(
        "pen's position not published",
        "what was written with a pen is never read",
        ["ring, pen", "ring, lapped pen"],
        ("ring.c", "	atomic64_set_release(&entry->sequence, 2 * position + 2);\n", "")),
    mutant(
        "order of a pen's event not taken",
        "an event at a position taken long ago counts as old",
        ["ring, order of pens", "ring, record after pen", "ring, pen after pen"],
        ("ring.c", "ring_write(depot, entry, position, claimed + 1, event);",
         "ring_write(depot, entry, position, position + 1, event);")),
    mutant(
        "order of a pen's event no greater than of the event before",
        "of an event without a pen and one with a pen after it, the first is found first",
        "core_ring.c",
        ("ring.c", "ring_write(depot, entry, position, claimed + 1, event);",
         "ring_write(depot, entry, position, claimed, event);")),
    mutant(
        "find goes by position",
        "events with pens are found in an order in which they did not happen",
        ["ring, order of pens", "ring, record after pen"],
        ("ring.c", "return order != than_order ? order > than_order : position > than_position;",
         "return position > than_position;")),
    mutant(
        "lapped pen not noticed",
        "two events are lost, and nothing says so",
        ["ring, lapped pen"],
        ("ring.c", "if (likely(claimed - position <= depot->ring_entries))", "if (1)")),
    mutant(
        "pen kept however far others came",
        "it writes among events of a turn ago, which nobody reads any more",
        "core_ring.c",
        ("ring.c", "pen->next == pen->end || claimed - pen->next > pen->patience",
         "pen->next == pen->end")),
    mutant(
        "what pens leave not counted",
        "there are more events than were recorded",
        "core_ring.c",
        ("ring.c", "	if (left)\n", "	if (0)\n")),
    mutant(
        "pen's lease not renewed",
        "the clock moved since the trace was saved: its lease ends before the event goes",
        "core_ring.c",
        ("ring.c", "	pen->tick = tick;\n	ring_renew(depot, event->trace);\n", "	pen->tick = tick;\n")),
    mutant(
        "pen's lease of an origin not renewed",
        "the same of the object's other trace",
        "core_ring.c",
        ("ring.c", """	ring_renew(depot, event->trace);
	ring_renew(depot, event->origin);
}
""", """	ring_renew(depot, event->trace);
}
""")),
    mutant(
        "lease of an origin not renewed",
        "where the object was allocated is evicted while the event of its free is there",
        "core_ring.c",
        ("ring.c", """	ring_renew(depot, event->origin);
	entry = ring_entry(depot, position);
""", """	entry = ring_entry(depot, position);
""")),
    mutant(
        "saved again without looking at the generation",
        "another trace is taken for the one that was evicted",
        ["again, "],
        ("again.c", "? !hold_valid(depot, ref)", "? false")),
    mutant(
        "bulk put gives one too many back",
        "another owner loses his reference",
        ["bulk, "],
        ("again.c", "state - (nr - 1) * STATE_REFERENCE", "state - nr * STATE_REFERENCE")),
    mutant(
        "bulk put lets a dismissed line go at once",
        "the line is never met again",
        ["bulk, "],
        ("again.c", "while (nr > 1 &&", "while ("),
        ("again.c", "state - (nr - 1) * STATE_REFERENCE", "state - nr * STATE_REFERENCE"),
        ("again.c", "	(void)depot_unpin(depot, (u32)ref);\n", "")),
    mutant(
        "no lease at a bulk put",
        "the trace goes before the events that name it",
        "core_again.c",
        ("again.c", "	(void)depot_renew(depot, (u32)ref, state);\n", "")),
    mutant(
        "bulk get beyond what can be counted",
        "the count begins anew at 0, and a held trace is evicted",
        "core_again.c",
        ("again.c", "state_references(state) + (u64)nr < STATE_SATURATED", "true")),
    mutant(
        "bulk references to a line that is not there",
        "a reference of another depot reaches beyond the lines",
        "core_again.c",
        ("again.c", "(u32)ref - 1 < depot->nr_lines && ", "")),
    mutant(
        "stale trace in the ring not counted",
        "an event names a trace that was evicted, and nothing says so",
        ["ring, old trace", "ring, trace"],
        ("ring.c", "	depot_count(depot, COUNT_RING_STALE);\n", "")),
    mutant(
        "check that compares the lines of a chain",
        "stackdepot_check() takes hours on a depot with a long chain",
        "steps.c",
        ("check.c", "u32 slot = check_run_hash(check->depot, number) & check->runs_mask;",
         "u32 slot = 0;")),
    mutant(
        "header copied without saying that it is read once",
        "what was checked need not be what is used",
        "steps.c",
        ("geometry.c", "	geometry_load(header, &geometry);", "	geometry = header->geometry;")),
    mutant(
        "statistics from a header that may be written to",
        "what an attached file says of itself changes after it was checked",
        "steps.c",
        ("stats.c", "depot_footprint(&depot->geometry)", "depot_footprint(&header->geometry)")),
    mutant(
        "chain without an end not cut",
        "a search in a depot that somebody else wrote to does not end",
        "steps.c",
        ("chain.c", "	if (atomic64_try_cmpxchg(head, &first, empty))\n", "	if (empty)\n")),
    mutant(
        "cut without a version of its own",
        "a head takes an old value again, and what was inserted meanwhile is not looked at",
        "steps.c",
        ("chain.c", "u64 empty = ((first >> LINK_GENERATION_SHIFT) + 1) << LINK_GENERATION_SHIFT;",
         "u64 empty = first >> LINK_GENERATION_SHIFT << LINK_GENERATION_SHIFT;")),
    mutant(
        "cut not counted",
        "traces were lost, and nothing says so",
        "steps.c",
        ("chain.c", "		depot_count(depot, COUNT_CHAINS_CUT);\n", "		;\n")),
]
