/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * picture.c - what a worker makes of one store.
 *
 * A difference is what Go's net/http/pprof makes of `seconds`: the values now less the values
 * before, of each stack, which can be negative.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/pause.h"
#include "base/rights.h"
#include "base/status.h"
#include "export/export.h"
#include "find/find.h"
#include "flame/flame.h"
#include "picture.h"
#include "profile/snapshot.h"
#include "report/report.h"

#define LOST_STACKS 50
#define LOST_FRAMES 24

struct picture_open {
	const struct picture *picture;
	int fd;
};

static bool picture_found(void *context, const struct find_store *store)
{
	struct picture_open *open = context;

	if (store->st.st_dev != open->picture->device || store->st.st_ino != open->picture->inode)
		return true;
	open->fd = dup(store->fd);
	return false;
}

/* --- differences ------------------------------------------------------------------------------ */

static bool sums_are_zero(const struct profile_sums *sums)
{
	return !sums->objects && !sums->bytes && !sums->allocs && !sums->alloc_bytes;
}

static void sums_subtract(struct profile_sums *sums, const struct profile_sums *before)
{
	sums->objects -= before->objects;
	sums->bytes -= before->bytes;
	sums->allocs -= before->allocs;
	sums->alloc_bytes -= before->alloc_bytes;
}

/* Stacks that are not there any more; they belong to the profile before. */
static void picture_add_gone(struct profile *now, const struct snapshot *before)
{
	size_t i, room = now->nr;

	for (i = 0; i < before->nr; i++) {
		struct profile_stack stack = {.trace = before->stacks[i].stack->trace};

		if (sums_are_zero(&before->stacks[i].sums))
			continue;
		sums_subtract(&stack.sums, &before->stacks[i].sums);
		now->stacks = memory_room(now->stacks, now->nr, &room, sizeof(*now->stacks));
		now->stacks[now->nr++] = stack;
	}
}

static void picture_subtract(struct profile *now, const struct profile *before)
{
	struct snapshot snapshot;
	size_t i, nr = 0;

	snapshot_take(before, SNAPSHOT_BY_PLACES, &snapshot);
	for (i = 0; i < now->nr; i++) {
		struct profile_stack stack = now->stacks[i];
		struct snapshot_stack *known = (struct snapshot_stack *)(uintptr_t)snapshot_find(
			&snapshot, stack.trace.hash);

		if (known) {
			sums_subtract(&stack.sums, &known->sums);
			known->sums = (struct profile_sums){0};
		}
		if (!sums_are_zero(&stack.sums))
			now->stacks[nr++] = stack;
	}
	now->nr = nr;
	picture_add_gone(now, &snapshot);
	snapshot_free(&snapshot);
}

/* --- pictures --------------------------------------------------------------------------------- */

/* As `stackdepot report lost` has it; that something was found is no failure. */
static int picture_lost(const struct profile *profile)
{
	const struct report report = {
		.profile = profile, .limit = LOST_STACKS, .style.frame_limit = LOST_FRAMES};

	(void)report_lost(&report);
	return STATUS_CLEAN;
}

static int picture_write(const struct picture *picture, const struct profile *profile)
{
	const struct export export = {
		.profile = profile,
		.value = picture->kind == PICTURE_HEAP ? EXPORT_LIVE_BYTES : EXPORT_ALLOC_BYTES,
		.out = stdout,
		.seconds = picture->seconds,
	};

	/* Names of functions are looked for as they are written. */
	rights_drop();
	if (picture->kind == PICTURE_LOST)
		return picture_lost(profile);
	if (picture->kind == PICTURE_FLAME)
		return flame_print(stdout, profile, &(struct flame_options){0});
	export_pprof(&export);
	return STATUS_CLEAN;
}

static struct profile *picture_profile(const struct targets *targets)
{
	struct profile *profile = profile_open(targets, NULL);

	if (profile)
		export_add_evicted(profile);
	return profile;
}

static int picture_difference(const struct picture *picture, struct targets *targets)
{
	struct profile *before = picture_profile(targets), *now;

	if (!before)
		return STATUS_FAILED;
	pause_for(picture->seconds);
	targets->symbols = before->symbols;
	now = picture_profile(targets);
	if (!now)
		return STATUS_FAILED;
	picture_subtract(now, before);
	return picture_write(picture, now);
}

static int picture_now(const struct picture *picture, const struct targets *targets)
{
	struct profile *profile = profile_open(targets, NULL);

	if (!profile)
		return STATUS_FAILED;
	if (picture->kind == PICTURE_HEAP || picture->kind == PICTURE_ALLOCS)
		export_add_evicted(profile);
	return picture_write(picture, profile);
}

/* Nothing is released: the process ends. */
int picture_run(const struct picture *picture)
{
	struct picture_open open = {picture, -1};
	struct find_counts counts;
	char name[64], *names[] = {name};
	struct targets targets = {
		.names = names,
		.nr = 1,
		.process = picture->process[0] ? picture->process : NULL,
		.running = true,
		.lost = picture->kind == PICTURE_LOST,
	};

	if (picture->kind >= PICTURE_FLEET)
		return ask_become(&picture->ask);
	find_stores(picture->places, picture->nr_places, picture_found, &open, &counts);
	if (open.fd < 0)
		return PICTURE_GONE;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", open.fd);
	if (picture->seconds)
		return picture_difference(picture, &targets);
	return picture_now(picture, &targets);
}
