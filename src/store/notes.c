/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* notes.c - what the processes of a run left in its first store: lines, and what they started. */
#include <string.h>

#include "reader.h"

static const struct store_run *notes_run(const struct stackdepot_store *store)
{
	return store_at(store, STORE_HEADER_BYTES);
}

/* Copy a text of at most `room` bytes into the store's buffer, and end it there. */
static const char *notes_text(struct stackdepot_store *store, const char *text, uint32_t bytes,
			      uint32_t room)
{
	if (bytes > room)
		bytes = room;
	memcpy(store->text, text, bytes);
	store->text[bytes] = '\0';
	return store->text;
}

int stackdepot_store_next_note(struct stackdepot_store *store, uint64_t *position,
			       struct stackdepot_note *ret_note)
{
	while (*position < STORE_NOTES) {
		const struct store_note *note = &notes_run(store)->notes[(*position)++];

		if (__atomic_load_n(&note->state, __ATOMIC_ACQUIRE) != STORE_RECORD_VALID)
			continue;
		*ret_note = (struct stackdepot_note){
			.text = notes_text(store, note->text, note->text_bytes, sizeof(note->text)),
			.pid = note->pid,
			.count = note->count,
		};
		return 1;
	}
	return 0;
}

int stackdepot_store_next_start(struct stackdepot_store *store, uint64_t *position,
				struct stackdepot_start *ret_start)
{
	while (*position < STORE_STARTS) {
		const struct store_start *start = &notes_run(store)->starts[(*position)++];
		uint32_t arrived;

		if (__atomic_load_n(&start->state, __ATOMIC_ACQUIRE) != STORE_RECORD_VALID)
			continue;
		arrived = __atomic_load_n(&start->arrived, __ATOMIC_RELAXED);
		*ret_start = (struct stackdepot_start){
			.path = notes_text(store, start->path, start->path_bytes,
					   sizeof(start->path)),
			.reason = start->reason,
			.started = __atomic_load_n(&start->started, __ATOMIC_RELAXED),
		};
		if (ret_start->started > arrived)
			ret_start->missing = ret_start->started - arrived;
		return 1;
	}
	return 0;
}

const char *stackdepot_start_reason(unsigned int reason)
{
	static const char *const reasons[STACKDEPOT_START_REASONS] = {
		[STACKDEPOT_START_PLAIN] = "",
		[STACKDEPOT_START_STATIC] = "static",
		[STACKDEPOT_START_LOADER] = "another loader than the recorder's",
		[STACKDEPOT_START_MACHINE] = "another architecture",
		[STACKDEPOT_START_SECURE] = "set-user-ID, set-group-ID or capabilities",
		[STACKDEPOT_START_ENVIRONMENT] = "LD_PRELOAD or STACKDEPOT_OPTIONS not passed on",
		[STACKDEPOT_START_FILTER] = "under a seccomp filter",
		[STACKDEPOT_START_SANITIZER] = "a sanitizer is in it",
		[STACKDEPOT_START_LIBRARY] = "the recorder's library cannot be read there",
	};

	return reason < STACKDEPOT_START_REASONS && reasons[reason] ? reasons[reason] : "";
}
