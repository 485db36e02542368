/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * profile.h - the stacks of a store with their frames: what is reported, exported, drawn, compared.
 *
 * A profile is what a store held at one moment: all processes of a run, or those of them that were
 * asked for; or several stores together. Stacks of different stores are one if their frames
 * are the same places, module by build-id and offset; so are errors. Processes may go on writing
 * meanwhile.
 */
#ifndef PROFILE_PROFILE_H
#define PROFILE_PROFILE_H

#include <sys/types.h>
#include <time.h>

#include "lost_stacks.h"
#include "stackdepot/store.h"
#include "symbols/symbols.h"
#include "target.h"

struct profile_trace {
	struct symbol_frame *const *frames; /* innermost first */
	unsigned int nr;		    /* 0 if they are not known, or were evicted */
	bool evicted;
	uint64_t hash; /* of its places: the same in another process */
};

struct profile_sums {
	double objects;
	double bytes;
	double objects_variance; /* of these two, where they are estimates */
	double bytes_variance;
	double allocs;
	double alloc_bytes;
	double alloc_bytes_variance; /* at most, where it is an estimate */
};

static inline void profile_sums_add(struct profile_sums *sum, const struct profile_sums *more)
{
	sum->objects += more->objects;
	sum->bytes += more->bytes;
	sum->objects_variance += more->objects_variance;
	sum->bytes_variance += more->bytes_variance;
	sum->allocs += more->allocs;
	sum->alloc_bytes += more->alloc_bytes;
	sum->alloc_bytes_variance += more->alloc_bytes_variance;
}

/*
 * What was allocated is kept as sums, without the weights of its samples. Of s bytes that were
 * sampled at a rate of R the variance is s * R at most, and nearly that if the objects are small.
 */
static inline void profile_sums_rate(struct profile_sums *sums, uint64_t coarsest_rate)
{
	sums->alloc_bytes_variance = sums->alloc_bytes * (double)coarsest_rate;
}

struct profile_stack {
	struct profile_trace trace;
	struct profile_sums sums;
	double lost_objects; /* of those of `sums`, what is lost by itself, if lost ones are asked
				for */
	double lost_bytes;
};

struct profile_error {
	struct stackdepot_error error; /* as it was met first; count and processes are of all */
	struct profile_trace access;
	struct profile_trace alloc;
	struct profile_trace free;
	/* Of the other objects that may have been meant. */
	struct profile_trace candidate_alloc[STACKDEPOT_ERROR_CANDIDATES];
	struct profile_trace candidate_free[STACKDEPOT_ERROR_CANDIDATES];
	size_t store;	/* its number */
	bool elsewhere; /* of those asked for none met it first; whether they met it is not told */
};

struct profile_store {
	char *path;
	dev_t device; /* and what makes this file the same under another name */
	ino_t inode;
	uint32_t pid; /* only this process is asked for; 0: all */
	struct stackdepot_store *store;
	struct symbols_store *symbols;
	uint32_t named;	  /* the last process whose names of code were looked for */
	time_t code_time; /* names of code that they made are as of then; 0: there are none */
	struct stackdepot_peak *peaks; /* of its processes, if these are asked for */
	size_t nr_peaks;
};

struct profile_process {
	size_t store; /* its number */
	struct stackdepot_store_info info;
	struct profile_sums live;    /* what counts of it; allocations are its own, all of them */
	uint64_t errors;	     /* that it met and that count, repeated ones too */
	struct lost_found lost;	     /* what was found, if lost objects are asked for */
	struct stackdepot_peak peak; /* its highest point, if that is asked for */
};

/*
 * What is left out of a profile, as suppressions have it. BEGIN comes before everything is asked
 * about anew; the others say of each stack that has live objects, and of each error, whether it is
 * left out, and are asked once.
 */
struct profile_filter {
	void *context;
	void (*begin)(void *context);
	bool (*leak)(void *context, const struct profile_stack *stack);
	bool (*error)(void *context, const struct profile_error *error);
};

struct profile {
	struct profile_store *stores; /* one at least */
	size_t nr_stores;
	const char *process;	/* PID or NAME of those that are asked for; NULL: all */
	bool is_part;		/* of the processes of its stores, so allocations are not told */
	bool lost_only;		/* live is what was found lost when it was opened */
	enum targets_peak peak; /* or what was live at peaks */
	bool mapped;		/* stacks are of mappings, their bytes and how many */
	struct profile_process *processes; /* one at least, by store and start */
	size_t nr_processes;
	struct stackdepot_store_info info;   /* of the first, figures are sums over all */
	bool running_only;		     /* what ended processes held does not count */
	bool ended_only;		     /* what running ones hold does not */
	const struct profile_filter *filter; /* NULL: nothing is left out */
	struct symbols *symbols;
	struct profile_stack *stacks; /* most live bytes first, then objects */
	size_t nr;
	struct profile_error *errors; /* in the order they were met */
	size_t nr_errors;
	struct profile_error *doubts; /* what may be none, behind the errors */
	size_t nr_doubts;
	size_t nr_elsewhere;	      /* errors that are not listed, as `elsewhere` says */
	struct profile_block *blocks; /* with the frames of all traces */
};

static inline struct profile_store *profile_store_of(const struct profile *profile,
						     const struct profile_process *process)
{
	return &profile->stores[process->store];
}

/* The number of a store's process, by its serial number; nr_processes if it is not among these. */
size_t profile_find(const struct profile *profile, size_t store, uint32_t serial);

/*
 * Read the stores that TARGETS name, without what FILTER leaves out, live figures of stacks,
 * and errors; it may be NULL and has to last as long. NULL after a complaint: one cannot be read,
 * or has no such process. Where lost objects are asked for, each process that runs is stopped for a
 * moment.
 */
struct profile *profile_open(const struct targets *targets, const struct profile_filter *filter);
void profile_close(struct profile *profile);
/* Read it again, the processes having gone on; symbols stay. False after a complaint. */
bool profile_refresh(struct profile *profile);
/* Does one of the processes run? How many? */
size_t profile_running(const struct profile *profile);
/* Of them, those that went on as another program. */
size_t profile_replaced(const struct profile *profile);

/*
 * Hash of the functions of a stack, inlined ones included: equal for the same way through a
 * program in another process and another build of it. Frames without symbols count by module and
 * offset. 0 for a stack without frames.
 */
uint64_t profile_key(const struct profile_trace *trace);

/* Of all stacks together. */
struct profile_sums profile_total(const struct profile *profile);
/* How many of them have live objects: these come first. */
size_t profile_live(const struct profile *profile);

#endif
