/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include "torture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const struct torture_shape torture_shapes[] = {
	/* name, lines, buckets, ring_entries, longest, traces */
	{"tiny", 4, 2, 0, 8, 6},	  {"colliding", 16, 1, 0, 20, 24},
	{"small", 64, 8, 0, 40, 100},	  {"ring", 400, 0, 64, 30, 400},
	{"medium", 3000, 0, 0, 60, 3000}, {0},
};

struct torture_options torture_options(int argc, char **argv, double seconds)
{
	struct torture_options options = {seconds, (uint64_t)time(NULL)};
	int i;

	for (i = 1; i < argc; i += 2) {
		if (i + 1 < argc && !strcmp(argv[i], "--seconds")) {
			options.seconds = atof(argv[i + 1]);
		} else if (i + 1 < argc && !strcmp(argv[i], "--seed")) {
			options.seed = strtoull(argv[i + 1], NULL, 0);
		} else {
			fprintf(stderr, "usage: %s [--seconds N] [--seed N]\n", argv[0]);
			exit(2);
		}
	}
	printf("seed %llu\n", (unsigned long long)options.seed);
	return options;
}

double torture_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void torture_check(bool holds, const char *what, const char *file, int line)
{
	char text[300];
	int length;

	if (holds)
		return;
	length = snprintf(text, sizeof(text), "%s:%d: not so: %s\n", file, line, what);
	(void)!write(2, text, (size_t)length);
	abort();
}

struct stackdepot *torture_create(const struct torture_shape *shape, const char *path)
{
	struct stackdepot_options options = {
		.lines = shape->lines,
		.buckets = shape->buckets,
		.ring_entries = shape->ring_entries,
		.lease_ticks = 3,
	};
	struct stackdepot *depot = NULL;
	int error;

	options.max_bytes = stackdepot_bytes_for(shape->lines, &options);
	error = path ? stackdepot_create_file(&options, path, &depot)
		     : stackdepot_create(&options, &depot);
	TORTURE_CHECK(!error);
	return depot;
}

bool torture_fetch(struct stackdepot *depot, const struct torture_shape *shape,
		   stackdepot_ref_t ref, uint64_t id)
{
	uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	int nr = stackdepot_fetch_ref(depot, ref, frames, STACKDEPOT_MAX_FRAMES);

	TORTURE_CHECK(nr > 0 || nr == -ESTALE);
	if (nr < 0)
		return false;
	TORTURE_CHECK(trace_is_true(frames, (unsigned int)nr, shape->longest));
	TORTURE_CHECK(id == ~0ull || trace_id(frames[0]) == id);
	return true;
}

static uint32_t user_random(struct torture_user *user, uint32_t limit)
{
	return (uint32_t)((trace_random(&user->random) >> 32) * limit >> 32);
}

/* Remember what a save returned, to fetch it when it may be long gone. */
static struct torture_held user_saw(struct torture_user *user, stackdepot_handle_t handle,
				    uint64_t id)
{
	struct torture_held held = {handle, stackdepot_ref(user->depot, handle), id};

	/* Without a reference it may be evicted already, and the line be somebody else's. */
	user->seen[user_random(user, TORTURE_SEEN)] = held;
	return held;
}

static void user_put(struct torture_user *user)
{
	uint32_t i = user_random(user, user->nr_held);

	if (!user->nr_held)
		return;
	TORTURE_CHECK(torture_fetch(user->depot, user->shape, user->held[i].ref, user->held[i].id));
	TORTURE_CHECK(!stackdepot_put(user->depot, user->held[i].handle));
	user->held[i] = user->held[--user->nr_held];
}

void torture_let_go(struct torture_user *user)
{
	while (user->nr_held)
		user_put(user);
}

/* Save with or without cursor, as a caller who knows what did not change. */
static stackdepot_handle_t user_save(struct torture_user *user, uint64_t id, unsigned int flags)
{
	uintptr_t frames[STACKDEPOT_MAX_FRAMES], before[STACKDEPOT_MAX_FRAMES];
	unsigned int nr = trace_make(id, user->shape->longest, frames), nr_before, same = 0;
	stackdepot_handle_t handle;

	if (user_random(user, 2)) {
		user->busy = true;
		handle = stackdepot_save(user->depot, frames, nr, flags);
		user->busy = false;
		return handle;
	}
	if (user->cursor_used) {
		nr_before = trace_make(user->cursor_id, user->shape->longest, before);
		while (same < nr && same < nr_before &&
		       frames[nr - 1 - same] == before[nr_before - 1 - same])
			same++;
	}
	user->busy = true;
	handle = stackdepot_save_cursor(user->depot, frames, nr, flags, &user->cursor, same);
	user->busy = false;
	user->cursor_id = id;
	user->cursor_used = true;
	return handle;
}

static void user_save_leased(struct torture_user *user)
{
	uint64_t id = user_random(user, user->shape->traces);
	stackdepot_handle_t handle =
		user_save(user, id, user_random(user, 16) ? 0 : STACKDEPOT_NO_EVICT);

	if (!handle) {
		user->refused++;
		return;
	}
	/* Not held: it may be gone; its 32-bit handle wraps round after thousands of lives. */
	(void)user_saw(user, handle, id);
}

static void user_save_get(struct torture_user *user)
{
	uint64_t id = user_random(user, user->shape->traces);
	stackdepot_handle_t handle;
	struct torture_held held;

	if (user->nr_held == user->most_held) {
		user_put(user);
		return;
	}
	handle = user_save(user, id, STACKDEPOT_GET);
	if (!handle) {
		user->refused++;
		return;
	}
	held = user_saw(user, handle, id);
	user->held[user->nr_held++] = held;
	TORTURE_CHECK(torture_fetch(user->depot, user->shape, held.ref, id));
	/* Held, so whoever saves it gets the same handle. */
	TORTURE_CHECK(user_save(user, id, 0) == handle);
}

static void user_fetch(struct torture_user *user)
{
	const struct torture_held *seen = &user->seen[user_random(user, TORTURE_SEEN)];
	struct torture_held held;

	if (!seen->ref)
		return;
	if (!torture_fetch(user->depot, user->shape, seen->ref, seen->id)) {
		user->stale++;
		return;
	}
	/* Still there: perhaps it can be held again. */
	if (user->nr_held < user->most_held && !stackdepot_get_ref(user->depot, seen->ref)) {
		held = *seen;
		user->held[user->nr_held++] = held;
	}
}

static void user_look(struct torture_user *user)
{
	uint32_t position = user_random(user, user->shape->lines);
	struct stackdepot_trace_info info;
	stackdepot_ref_t ref = stackdepot_next(user->depot, &position);
	char text[200];
	int length;

	if (!ref)
		return;
	(void)torture_fetch(user->depot, user->shape, ref, ~0ull);
	if (!stackdepot_info(user->depot, ref, &info))
		TORTURE_CHECK(info.frames && info.frames <= user->shape->longest);
	length = stackdepot_snprint(user->depot, ref, text, sizeof(text), 0);
	TORTURE_CHECK(length == -ESTALE || (length > 0 && length % TRACE_TEXT == 0));
}

/* An event: the address tells which trace it was recorded with. */
static void user_record(struct torture_user *user)
{
	const struct torture_held *seen = &user->seen[user_random(user, TORTURE_SEEN)];
	struct stackdepot_event event = {
		.address = seen->id,
		.size = ~seen->id,
		.trace = seen->ref,
		.origin = seen->ref,
		.time = seen->id * 3,
	};

	if (user->shape->ring_entries && seen->ref) {
		int error = stackdepot_ring_record(user->depot, &event);

		TORTURE_CHECK(!error || error == -EAGAIN);
	} else if (!user->shape->ring_entries) {
		TORTURE_CHECK(!stackdepot_tick(user->depot));
	}
}

static void torture_event(struct stackdepot *depot, const struct torture_shape *shape,
			  const struct stackdepot_event *event)
{
	TORTURE_CHECK(event->size == ~event->address && event->time == event->address * 3);
	TORTURE_CHECK(event->origin == event->trace);
	(void)torture_fetch(depot, shape, event->trace, event->address);
}

static void user_search(struct torture_user *user)
{
	uint64_t position = 0, id = user_random(user, user->shape->traces);
	struct stackdepot_event event;

	while (stackdepot_ring_find(user->depot, &position, id, ~0ull, &event)) {
		TORTURE_CHECK(event.address == id);
		torture_event(user->depot, user->shape, &event);
	}
}

void torture_step(struct torture_user *user)
{
	uint32_t choice = user_random(user, 32);

	user->operations++;
	if (choice < 12)
		user_save_leased(user);
	else if (choice < 18)
		user_save_get(user);
	else if (choice < 22)
		user_put(user);
	else if (choice < 27)
		user_fetch(user);
	else if (choice < 28)
		user_look(user);
	else if (choice < 31)
		user_record(user);
	else
		user_search(user);
}

unsigned int torture_read_all(struct stackdepot *depot, const struct torture_shape *shape)
{
	struct stackdepot_event event;
	unsigned int nr = 0;
	uint32_t position = 0;
	uint64_t at = 0;
	stackdepot_ref_t ref;

	while ((ref = stackdepot_next(depot, &position)))
		nr += torture_fetch(depot, shape, ref, ~0ull);
	while (stackdepot_ring_next(depot, &at, &event))
		torture_event(depot, shape, &event);
	return nr;
}

/* A trace of one line that no user saves, of at most 4 frames. Returns its length. */
static unsigned int quiet_trace(const struct torture_shape *shape, uint64_t *id, uintptr_t *frames)
{
	unsigned int nr;

	do
		nr = trace_make(++*id, shape->longest, frames);
	while (nr > 4);
	return nr;
}

void torture_check_quiet(struct stackdepot *depot, const struct torture_shape *shape)
{
	uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	struct stackdepot_stats stats;
	uint64_t i, id = TRACE_IDS / 2;

	TORTURE_CHECK(!stackdepot_check(depot));
	stackdepot_get_stats(depot, &stats);
	for (i = 0; i <= stats.lines; i++) {
		unsigned int nr = quiet_trace(shape, &id, frames);

		TORTURE_CHECK((i < stats.lines) ==
			      !!stackdepot_save(depot, frames, nr, STACKDEPOT_GET));
	}
	for (i = 0, id = TRACE_IDS / 2; i < stats.lines; i++) {
		unsigned int nr = quiet_trace(shape, &id, frames);

		TORTURE_CHECK(!stackdepot_put(depot, stackdepot_save(depot, frames, nr, 0)));
	}
	TORTURE_CHECK(!stackdepot_check(depot));
}
