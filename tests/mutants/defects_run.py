# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The mutants of the recorder and the store: what is broken, why it must be found, and by which scenarios of
tests/schedule/run."""
from defects import mutant

# What is broken here, and compiled so that the explorer sees each access.
FILES = [f"recorder/{name}.c" for name in ("ending", "live", "slot", "tally", "trace")] + \
        [f"store/{name}.c" for name in ("fold", "large", "locks", "module_table", "peak", "reap", "recount", "weight")]

MUTANTS = [
    mutant(
        "close by the stage as it was seen first",
        "a process that becomes open and is killed meanwhile is not closed",
        ["killed as it begins"],
        ("store/reap.c", """		stage = __atomic_load_n(&process->stage, __ATOMIC_ACQUIRE);
		if (stage""", "		if (stage")),
    mutant(
        "take a slot as it was seen before the lock",
        "the slot of a process that became open and was killed is written over",
        ["killed as it begins"],
        ("recorder/slot.c", "	if (slot_may_be_taken(process, slot, owner, locked) &&\n	    __atomic", "	if (__atomic")),
    mutant(
        "take a slot without its lock",
        "two processes begin in one slot",
        ["killed as it begins"],
        ("recorder/slot.c", " || (locked && locks_take(fd, slot))", "")),
    mutant(
        "who begins is there whatever his lock says",
        "the slot of one that was killed before it was open is nobody's for good",
        ["killed as it begins"],
        ("store/locks.c", "	       locks_held(reaper->fd, LOCKS_SLOTS + (uint64_t)slot);\n}\n\nbool reap_is_there",
         "	       true;\n}\n\nbool reap_is_there")),
    mutant(
        "a set of tallies handed on with its handles",
        "the next thread counts a reference where there is no trace",
        ["fold of what others share"],
        ("store/reap.c", "	tally->handle = 0;\n", "")),
    mutant(
        "a tally given back without taking its trace out first",
        "killed in between, its references are given back twice",
        ["a life, killed", "killed as it ends"],
        ("recorder/tally.c", "	store_relaxed(&tally->trace, 0);\n	__atomic_signal_fence(__ATOMIC_SEQ_CST);\n", ""),
        ("recorder/tally.c", "	stackdepot_put_bulk(recorder.depot, trace, tally->references);\n}",
         "	stackdepot_put_bulk(recorder.depot, trace, tally->references);\n	store_relaxed(&tally->trace, 0);\n}")),
    mutant(
        "a reaper gives a tally back before he takes its trace out",
        "killed in between, its references are given back twice",
        ["a life, killed", "fold, killed/fold", "three"],
        ("store/reap.c", "	__atomic_store_n(&tally->trace, 0, __ATOMIC_RELEASE);\n", ""),
        ("store/reap.c", "	stackdepot_put_bulk(reaper->depot, had.trace, had.references);\n",
         "	stackdepot_put_bulk(reaper->depot, had.trace, had.references);\n"
         "	__atomic_store_n(&tally->trace, 0, __ATOMIC_RELEASE);\n")),
    mutant(
        "a death amid an event forgotten",
        "references and lines that are nobody's are never looked for",
        ["killed as it records/another", "both killed"],
        ("store/reap.c", "		reaper->header->totals.uncertain++;\n	if (process->state == STORE_RUNNING)\n		process->state",
         "		;\n	if (process->state == STORE_RUNNING)\n		process->state")),
    mutant(
        "a reaper's death forgotten",
        "references that he had in hand are nobody's for good",
        ["fold of what others share"],
        ("store/locks.c", "	reaper->header->totals.uncertain += reaper->header->reaping;\n", "")),
    mutant(
        "what a reaper before had begun is not ended",
        "an object is counted, and is in the table still",
        ["fold, killed/fold"],
        ("store/locks.c", "	reap_resume(reaper);\n	return 0;", "	return 0;")),
    mutant(
        "no journal of entries",
        "an object is counted twice, or not at all",
        ["fold, killed/fold"],
        ("store/fold.c", "	__atomic_store_n(&journal->step, STORE_STEP_LEFT, __ATOMIC_RELEASE);\n", "")),
    mutant(
        "no journal of rows",
        "the figures of a process are added to the row twice",
        ["no slot is free", "fold, killed/fold", "three"],
        ("store/fold.c", "	__atomic_store_n(&journal->step, STORE_STEP_ROW, __ATOMIC_RELEASE);\n", "")),
    mutant(
        "the journal's end not written",
        "an entry that somebody put in since goes, and counts once more",
        ["fold, killed/fold", "fold of what others share"],
        ("store/fold.c", "	__atomic_store_n(&fold_journal(reaper)->step, STORE_STEP_NONE, __ATOMIC_RELEASE);\n",
         "	(void)reaper;\n")),
    mutant(
        "a slot freed with its number first",
        "who was killed in it is thought to have come to the end, and what is left counts again",
        ["no slot is free"],
        ("store/fold.c", "offsetof(struct store_process, pid)", "offsetof(struct store_process, serial)")),
    mutant(
        "figures taken anew when some entries have gone",
        "what a process left is less than the sum by stack",
        ["fold, killed/fold"],
        ("store/fold.c", "	if (process->stage == STORE_CLOSED) {", "	if (true) {")),
    mutant(
        "closed before what its threads had is given back",
        "killed in between, nobody gives it back",
        ["a life, killed", "fold, killed/fold"],
        ("store/reap.c", "	uint32_t i;\n\n	for (i = 0; i < reaper->layout->tally_sets; i++) {",
         "	uint32_t i;\n\n	__atomic_store_n(&process->stage, STORE_CLOSED, __ATOMIC_RELEASE);\n"
         "	for (i = 0; i < reaper->layout->tally_sets; i++) {")),
    mutant(
        "an entry's parts marked when it is there",
        "killed in between, nobody looks for it",
        ["killed as it records/another"],
        ("recorder/live.c", "	live_mark(home);\n	if (unlikely(!live_cas(&entry->key, 0, place | ENTRY_BUSY)))\n"
         "		return live_insert_slow(thread, pointer, home, object);",
         "	if (unlikely(!live_cas(&entry->key, 0, place | ENTRY_BUSY)))\n"
         "		return live_insert_slow(thread, pointer, home, object);\n	live_mark(home);")),
    mutant(
        "an entry that is live before it is filled",
        "killed in between, it names another object's stack",
        ["killed as it records/another", "both killed"],
        ("recorder/live.c", "	store_relaxed(&entry->value, store_entry_value(object->size, object->handle));\n"
         "	tags_note(live_number(entry), object->tag);\n"
         "	store_release(&entry->key, place | (object->bare ? ENTRY_BARE : 0));",
         "	tags_note(live_number(entry), object->tag);\n"
         "	store_release(&entry->key, place | (object->bare ? ENTRY_BARE : 0));\n"
         "	store_relaxed(&entry->value, store_entry_value(object->size, object->handle));")),
    mutant(
        "members of a peak whose taker was killed",
        "they hold references for good",
        ["fold, killed/fold", "three"],
        ("store/peak.c", "	/* Of one that was killed in the middle of it. */\n	peak_drop(reaper, build.taken, moment->slot);\n", "")),
    mutant(
        "a member of a peak that is one before it is in the list",
        "killed in between, who takes it anew adds to what nobody finds",
        ["fold, killed/fold"],
        ("store/peak.c", "&none, owner | PEAK_CLAIMED, false", "&none, owner, false")),
    mutant(
        "sampling though somebody else has made room",
        "all of the run is sampled from then on, and need not be",
        ["no room in the table/fold"],
        ("recorder/live.c", " && !live_has_room(home, object)", "")),
    mutant(
        "count anew while another begins",
        "references that he takes meanwhile are taken away",
        ["count anew/another"],
        ("recorder/slot.c", "	if (locks_room_alone(reaper->fd))\n		return;\n", "")),
    mutant(
        "recount while another is there",
        "references that he has in hand are taken away",
        ["dead beside living"],
        ("recorder/slot.c", "few && !reap_present(&reaper, 1)", "few"),
        ("recorder/slot.c", "	if (!reap_present(reaper, 1))\n		(void)reap_recount", "	(void)reap_recount")),
]
