# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The mutants of the core: what is broken, why it must be found, and by which scenarios."""
import collections

Change = collections.namedtuple("Change", "file old new")
Mutant = collections.namedtuple("Mutant", "name why scenarios changes")


def mutant(name, why, scenarios, *changes):
    return Mutant(name, why, scenarios, [Change(*change) for change in changes])


MUTANTS = [
    mutant(
        "pin without looking at the generation",
        "a reference is taken to whatever lives in the line now",
        ["get/evict"],
        ("hold.c", """	if (!hold_valid(depot, ref)) {
		(void)depot_unpin(depot, (u32)ref);
		return false;
	}
""", "")),
    mutant(
        "failed pin not taken back",
        "a line keeps a reference that nobody owns",
        ["get/evict"],
        ("hold.c", """	if (!hold_valid(depot, ref)) {
		(void)depot_unpin(depot, (u32)ref);
		return false;""", """	if (!hold_valid(depot, ref)) {
		return false;""")),
    mutant(
        "pin a line in hands",
        "a line that is being cleared or filled is pinned",
        ["get/evict", "save/evict"],
        ("hold.c", """		if (!(state & STATE_LIVE))
			return false;
		pinned = state;""", """		pinned = state;""")),
    mutant(
        "generation not raised at death",
        "an old reference names the line's next trace",
        ["fetch/evict", "get/evict"],
        ("evict.c", "((link >> LINK_GENERATION_SHIFT) + 1)", "(link >> LINK_GENERATION_SHIFT)")),
    mutant(
        "fetch without looking at the generation again",
        "frames of two traces are mixed",
        ["fetch/evict"],
        ("fetch.c", "return hold_valid(depot, ref) ? nr : -ESTALE;", "return nr;")),
    mutant(
        "parent let go before the generation is raised",
        "a reader walks up into a recycled parent and finds the child valid",
        ["fetch child/evict child/evict parent"],
        ("evict.c", """	link = port_load_relaxed(&line->link);
	do {
		dead =""", """	if (state_parent(victim->state))
		(void)depot_unpin(depot, state_parent(victim->state));
	link = port_load_relaxed(&line->link);
	do {
		dead ="""),
        ("evict.c", """	depot_chain_unlink(depot, evict_bucket(depot, victim->number, victim->state));
	if (state_parent(victim->state))
		(void)depot_unpin(depot, state_parent(victim->state));
""", """	depot_chain_unlink(depot, evict_bucket(depot, victim->number, victim->state));
""")),
    mutant(
        "not unlinked before it is filled again",
        "the line is on two chains, or twice on one",
        ["save/save, depot full"],
        ("evict.c", """	depot_chain_unlink(depot, evict_bucket(depot, victim->number, victim->state));
""", "")),
    mutant(
        "parent not let go",
        "the parent stays pinned for ever",
        ["save child/evict"],
        ("evict.c", """	if (state_parent(victim->state))
		(void)depot_unpin(depot, state_parent(victim->state));
""", "")),
    mutant(
        "linked before it is filled",
        "a look-up meets the frames of the line's last trace in its new life",
        ["save/evict", "save/save, depot full", "fetch/evict"],
        ("insert.c", """			insert_fill(in, filled, &run);
		}
		if (depot_chain_insert(depot, bucket, filled, head)) {
""", """		}
		if (depot_chain_insert(depot, bucket, filled, head)) {
			insert_fill(in, filled, &run);
""")),
    mutant(
        "steps of a look-up not confirmed",
        "a trace is found in a line that is filled and not yet, or never, linked",
        ["save/recycle/save"],
        ("find.h", "if (port_unlikely(link & LINK_DEAD || port_load_relaxed(word) != next))",
         "if (port_unlikely(link & LINK_DEAD))")),
    mutant(
        "steps of a traversal not confirmed",
        "an inserter finds the line that it, or another, has filled and not linked",
        ["lease break/save", "leased save/evict"],
        ("chain.c", "return port_load_acquire(step->word) == step->value ? 1 : -EAGAIN;",
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
        ("chain.c", "u64 version = (head >> LINK_GENERATION_SHIFT) + 1;",
         "u64 version = head >> LINK_GENERATION_SHIFT;"),
        ("chain.c", " + (step->word == step->head);", ";")),
    mutant(
        "not looked at again before linking",
        "equal traces are linked twice",
        ["save/save, same trace"],
        ("insert.c", """	while (!(number = depot_chain_find(depot, bucket, &run, &head))) {
""", """	while (!(number = depot_chain_find(depot, bucket, &run, &head))) {
		head = port_load_acquire(&depot->heads[bucket]);
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
        "a line unpinned just before is never met again",
        ["put/evict", "candidates", "put in save"],
        ("evict.c", "	if (state == STATE_FREE || (state & STATE_LIVE && !state_pinned(state)))\n"
         "		depot_candidate_set(depot, number);\n", "	(void)state;\n")),
    mutant(
        "unpinned line not said to be a candidate",
        "a line that was dismissed is never met again",
        ["put/evict"],
        ("hold.c", "	if (!state_pinned(state - STATE_REFERENCE))\n"
         "		depot_candidate_set(depot, number);\n", "")),
    mutant(
        "level above cleared without a second look",
        "a candidate is set below a summary that says there is none",
        ["candidates"],
        ("candidates.c", "	if (port_load_seq_cst(&depot->candidates[level][word]))\n"
         "		candidate_set_from(depot, level + 1, word);\n", "")),
    mutant(
        "only the lowest level set",
        "the search above does not see the candidate",
        ["candidates"],
        ("candidates.c", "for (; level < depot->nr_levels; level++, bit /= WORD) {",
         "for (; level < 1; level++, bit /= WORD) {")),
    mutant(
        "line given back with a plain store",
        "with store buffers the bit is looked at before the line is seen to be free",
        ["release/save"],
        ("evict.c", "(void)port_cas(&port_line(depot, number)->state, &state, STATE_FREE);",
         "(void)state;\n	port_store_release(&port_line(depot, number)->state, STATE_FREE);")),
    mutant(
        "lease not renewed, but believed",
        "a dying line's generation is still valid when its state is not",
        ["leased save/evict"],
        ("hold.c", "	return state & STATE_LIVE;\n", "	return true;\n")),
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
		(void)depot_renew(depot, (u32)ref, state);
	return true;
""")),
    mutant(
        "kept without being pinned",
        "the mark goes to whatever lives in the line now",
        ["keep/evict"],
        ("hold.c", """	if (!depot_pin(depot, ref))
		return false;
	depot_mark(depot, (u32)ref, bits);
	(void)depot_unpin(depot, (u32)ref);
	return true;
""", """	depot_mark(depot, (u32)ref, bits);
	return hold_valid(depot, ref);
""")),
    mutant(
        "claim of a line that has changed",
        "a line that was pinned after it was looked at is evicted",
        ["save/evict", "get/evict"],
        ("evict.c", """	if (!port_cas(&line->state, &state, 0))
		return false;
""", """	while (!port_cas(&line->state, &state, 0))
		;
""")),
    mutant(
        "line above a cursor not confirmed",
        "the frames outside of the remembered line are another parent's",
        ["cursor"],
        ("cursor.c", """	if (port_unlikely(above && !hold_valid(walk->depot, above)))
		found.ref = 0;
""", "")),
    mutant(
        "ring read without the second look at the sequence",
        "an event is a mixture of two",
        ["ring"],
        ("ring.c", """	if (port_load_relaxed(&entry->sequence) != 2 * position + 2)
		return false;
	*ret_event""", """	*ret_event""")),
    mutant(
        "ring entry written without the odd sequence",
        "a reader believes an event that is being overwritten",
        ["ring"],
        ("ring.c", "port_cas(&entry->sequence, &sequence, 2 * position + 1);",
         "port_cas(&entry->sequence, &sequence, sequence);")),
    mutant(
        "ring entry taken from a writer that is not done",
        "two write one entry at a time",
        ["ring, lapped writer", "ring, record in record"],
        ("ring.c", "return !(sequence & 1) && sequence <= 2 * position &&",
         "return sequence <= 2 * position &&")),
    mutant(
        "ring entry taken by a writer that was lapped",
        "an older event replaces a newer one, and the sequence goes back",
        ["ring, lapped writer", "ring, record in record"],
        ("ring.c", "return !(sequence & 1) && sequence <= 2 * position &&",
         "return !(sequence & 1) &&")),
    mutant(
        "stale trace in the ring not counted",
        "an event names a trace that was evicted, and nothing says so",
        ["ring, old trace", "ring, trace"],
        ("ring.c", "	depot_count(depot, COUNT_RING_STALE);\n", "")),
]
