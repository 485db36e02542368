/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* sample.h - which objects are recorded. */
#ifndef RECORDER_SAMPLE_H
#define RECORDER_SAMPLE_H

#include "thread.h"

/* A thread's own; one variable, as each takes a load to find. */
struct sample_own {
	uint64_t left; /* bytes to its next sample; 0 in the beginning, and while all are taken */
	uint64_t seen; /* how the process was to record when they were drawn */
};

extern __thread struct sample_own sample_own __attribute__((tls_model("initial-exec")));

/* Is an object surely not to be recorded? If so, its bytes are accounted for. */
static inline bool sample_skips(uint64_t size)
{
	const uint64_t *control = load_relaxed(&recorder_life->control);
	struct sample_own *own = &sample_own;
	const uint64_t left = own->left;

	/* An object of no bytes counts as one byte, elsewhere. */
	if (likely(size - 1 >= left) || unlikely(!control || load_relaxed(control) != own->seen))
		return false;
	own->left = left - size;
	return true;
}

#define SAMPLE_NOT (-1)

/* That of a process that has not begun. */
extern const uint64_t recorder_control_none;

/* What was made of the control of the process. */
extern uint64_t sample_applied;

/* Is every object recorded, as far as anybody knows? */
static inline bool sample_takes_all(const struct recorder_thread *thread)
{
	const uint64_t control = load_relaxed(&recorder.process->control);

	/* Another thread may have seen it change and change back, and ended between the two. */
	return likely(control == sample_own.seen) &&
	       likely(control == load_relaxed(&sample_applied)) && likely(!recorder_rate()) &&
	       likely(!thread->sample_code);
}

/* The code of the rate that this object is to be recorded at, or SAMPLE_NOT. */
int sample_take(struct recorder_thread *thread, uint64_t size);
/* Is nothing recorded? Then the calling thread need not ask again until that changes. */
bool sample_is_off(void);
/* This process is never recorded: the calling thread need not ask again. */
void sample_never(void);
/* From here on one object in so many bytes; 0: all. */
void sample_set(uint64_t rate);
/* Were all objects of the process recorded? */
bool sample_is_full(void);
void sample_setup(void);
/* In a forked child. */
void sample_child(void);
/* Nothing is recorded from here on, or was before: nobody has to ask. */
void sample_stand_down(void);

#endif
