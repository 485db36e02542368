/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * torture.h - what the torture programs share.
 *
 * All traces are those of trace.h, so whatever comes out of a depot, by any way and at any moment,
 * can be checked against its own content. One wrong trace ends the program.
 */
#ifndef TESTS_TORTURE_H
#define TESTS_TORTURE_H

#include <stdatomic.h>
#include <stdio.h>

#include "trace.h"

struct torture_options {
	double seconds;
	uint64_t seed;
};

/* --seconds N (default as given) and --seed N (default: the time). */
struct torture_options torture_options(int argc, char **argv, double seconds);

/* Seconds since some moment. */
double torture_now(void);

#define TORTURE_CHECK(condition) torture_check(condition, #condition, __FILE__, __LINE__)

/* Safe in signal handlers and in children. */
void torture_check(bool holds, const char *what, const char *file, int line);

struct torture_shape {
	const char *name;
	uint32_t lines;
	uint32_t buckets;
	uint32_t ring_entries;
	uint32_t longest; /* trace */
	uint32_t traces;  /* different ones */
};

/* Ends with a shape that has no name. */
extern const struct torture_shape torture_shapes[];

/* In anonymous memory, or in a file. */
struct stackdepot *torture_create(const struct torture_shape *shape, const char *path);

/* A trace that was saved or referenced: where it was and which. */
struct torture_held {
	stackdepot_handle_t handle;
	stackdepot_ref_t ref;
	uint64_t id;
};

#define TORTURE_HELD 32
#define TORTURE_SEEN 256

/* One user of the depot: a thread or a signal handler. */
struct torture_user {
	struct stackdepot *depot;
	const struct torture_shape *shape;
	uint64_t random;
	uint64_t operations;
	uint64_t refused;
	uint64_t stale;
	uint32_t most_held; /* at most TORTURE_HELD */
	uint32_t nr_held;
	struct torture_held held[TORTURE_HELD];
	struct torture_held seen[TORTURE_SEEN];
	struct stackdepot_cursor cursor;
	uint64_t cursor_id;
	bool cursor_used;
	volatile bool busy;
};

/* Do one operation and check what comes of it. */
void torture_step(struct torture_user *user);

/* Give all references back. */
void torture_let_go(struct torture_user *user);

/* Fetch a trace that is, or may be, stored; which one if `id` is not ~0. Returns if it is there. */
bool torture_fetch(struct stackdepot *depot, const struct torture_shape *shape,
		   stackdepot_ref_t ref, uint64_t id);

/* Everything that iteration and ring yield; returns the number of traces. */
unsigned int torture_read_all(struct stackdepot *depot, const struct torture_shape *shape);

/* With nobody in the depot and nothing held: invariants hold, and every line can be had. */
void torture_check_quiet(struct stackdepot *depot, const struct torture_shape *shape);

#endif
