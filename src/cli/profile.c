/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* profile.c - read the stacks of a store, each with its frames. */
#include <stdlib.h>
#include <string.h>

#include "profile.h"
#include "suppress.h"

#define FNV_BASIS 0xcbf29ce484222325ull
#define FNV_PRIME 0x100000001b3ull

/* Frames of one stack, appended to those of the others; the buffer grows with them. */
static unsigned int profile_fetch(struct profile *profile, stackdepot_ref_t trace, size_t used,
				  size_t *room)
{
	struct stackdepot *depot = stackdepot_store_depot(profile->store);
	int nr;

	if (used + STACKDEPOT_MAX_FRAMES > *room) {
		*room = 2 * *room + STACKDEPOT_MAX_FRAMES;
		profile->frames = realloc(profile->frames, *room * sizeof(*profile->frames));
		if (!profile->frames)
			abort();
	}
	nr = trace ? stackdepot_fetch_ref(depot, trace, (uintptr_t *)&profile->frames[used],
					  STACKDEPOT_MAX_FRAMES)
		   : 0;
	return nr > 0 ? (unsigned int)nr : 0;
}

static void profile_fetch_all(struct profile *profile, const struct stackdepot_stack *sums)
{
	size_t i, used = 0, room = 0;

	for (i = 0; i < profile->nr; i++) {
		profile->stacks[i].sums = sums[i];
		profile->stacks[i].nr = profile_fetch(profile, sums[i].trace, used, &room);
		used += profile->stacks[i].nr;
	}
	/* Only now does the buffer stay where it is. */
	for (i = 0, used = 0; i < profile->nr; i++) {
		profile->stacks[i].frames = profile->frames + used;
		used += profile->stacks[i].nr;
	}
}

static void profile_forget(struct profile *profile)
{
	free(profile->stacks);
	free(profile->frames);
	profile->stacks = NULL;
	profile->frames = NULL;
	profile->nr = 0;
}

bool profile_refresh(struct profile *profile)
{
	struct stackdepot_stack *sums;
	size_t nr;

	if (stackdepot_store_stacks(profile->store, &sums, &nr)) {
		cli_complain("out of memory");
		return false;
	}
	suppress_stacks(profile->suppress, sums, nr);
	profile_forget(profile);
	stackdepot_store_get_info(profile->store, &profile->info);
	profile->nr = nr;
	profile->stacks = cli_alloc(nr * sizeof(*profile->stacks));
	profile_fetch_all(profile, sums);
	free(sums);
	return true;
}

bool profile_suppress(struct profile *profile, struct suppress *suppress)
{
	suppress_use(suppress, profile->store, profile->symbols);
	profile->suppress = suppress;
	return profile_refresh(profile);
}

int profile_next_error(struct profile *profile, uint64_t *position,
		       struct stackdepot_error *ret_error)
{
	while (stackdepot_store_next_error(profile->store, position, ret_error))
		if (!suppress_error(profile->suppress, ret_error))
			return 1;
	return 0;
}

struct profile *profile_open(const char *target)
{
	struct stackdepot_store *store = target_open(target);
	struct profile *profile;

	if (!store)
		return NULL;
	profile = cli_alloc(sizeof(*profile));
	profile->store = store;
	profile->symbols = symbols_open(store);
	if (profile_refresh(profile))
		return profile;
	profile_close(profile);
	return NULL;
}

void profile_close(struct profile *profile)
{
	if (!profile)
		return;
	profile_forget(profile);
	symbols_close(profile->symbols);
	stackdepot_store_close(profile->store);
	free(profile);
}

/* FNV-1a, a NUL behind each text, so that "ab" "c" is not "a" "bc". */
static uint64_t key_text(uint64_t key, const char *text)
{
	do
		key = (key ^ (unsigned char)*text) * FNV_PRIME;
	while (*text++);
	return key;
}

static uint64_t key_frame(uint64_t key, const struct symbol_frame *frame)
{
	char offset[32];
	size_t i;

	for (i = 0; i < frame->nr; i++)
		if (frame->lines[i].function)
			key = key_text(key, frame->lines[i].function);
	if (frame->lines[0].function)
		return key;
	snprintf(offset, sizeof(offset), "+0x%llx", (unsigned long long)frame->offset);
	return key_text(key_text(key, frame->module ? frame->module : ""), offset);
}

uint64_t profile_key(struct profile *profile, const uint64_t *frames, unsigned int nr)
{
	uint64_t key = FNV_BASIS;
	unsigned int i;

	for (i = 0; i < nr; i++)
		key = key_frame(key, symbols_frame(profile->symbols, frames[i]));
	return nr ? key : 0;
}
