/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * record.h - what the worker that looks at the stores tells the process that serves.
 *
 * Records go through a pipe, each whole: they are all of one size, less than PIPE_BUF. The worker
 * reads files of strangers, so whoever receives takes every number for possible, and ends texts
 * itself.
 */
#ifndef AGENT_RECORD_H
#define AGENT_RECORD_H

#include <limits.h>
#include <stdint.h>

#include "find/find.h"
#include "bounds.h"
#include "stackdepot/store.h"

enum record_kind {
	RECORD_BEGIN = 1, /* a store is about to be read: who dies now dies of it */
	RECORD_STORE,
	RECORD_PROCESS, /* of the store that came last */
	RECORD_END,
};

struct record_sums {
	double live_bytes;
	double live_objects;
	double allocations;
	double allocated_bytes;
	double recorder_bytes; /* memory of the recorder besides the store */
	double threads;
};

struct record_store {
	char path[FIND_PATH_BYTES];
	uint64_t device;
	uint64_t inode;
	int32_t error; /* why it could not be read; 0: it was */
	uint32_t running;
	uint32_t ended;
	uint32_t told; /* of those that run, so many records follow */
	double store_bytes;
	double sample_bytes; /* 0: every object is recorded */
	double unrecorded;   /* objects there was no room for */
	struct record_sums sums;
	uint64_t errors[STACKDEPOT_ERROR_KINDS]; /* of which it is certain */
	double errors_dropped;			 /* seen, and not kept */
	double doubts;				 /* that may be none */
};

struct record_process {
	char command[BOUND_COMMAND_BYTES]; /* with its arguments; clean */
	char program[BOUND_PROGRAM_BYTES]; /* the base name of the first of them */
	uint32_t pid;
	uint32_t serial;
	uint64_t start_ns;
	struct record_sums sums;
};

struct record {
	uint32_t kind;
	uint32_t unused;
	union {
		struct record_store store;
		struct record_process process;
		struct find_counts counts; /* of RECORD_END */
	};
};

_Static_assert(sizeof(struct record) <= PIPE_BUF, "a record is written whole");

#endif
