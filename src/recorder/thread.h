/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* thread.h - what a thread has, and one event at a time. */
#ifndef RECORDER_THREAD_H
#define RECORDER_THREAD_H

#include "overhead.h"
#include "quarantine.h"

struct recorder_event {
	uintptr_t mark;
	uint64_t since; /* cycles, if it is timed; 0: it is not */
};

/* What is outermost in a trace as it is saved. */
enum trace_tail {
	TRACE_PLAIN,   /* the outermost frame of the walk */
	TRACE_PROCESS, /* the process, behind that */
	TRACE_CUT,     /* another frame: some were left out */
};

struct recorder_thread {
	struct recorder_event *event; /* the one that has the rest, or NULL */
	struct stackdepot_unwinder *unwinder;
	struct stackdepot_cursor cursor;
	struct stackdepot_pen pen;
	struct store_tally_set *tallies; /* in the store, or NULL */
	uint32_t without;		 /* events while there were none */
	uint32_t strangers;		 /* recalled, and no tally was theirs */
	uint32_t id;
	enum trace_tail tail;	  /* of the last trace that was saved with the cursor */
	uint32_t guesses;	  /* frames behind the mark of the last trace that had one */
	unsigned int sample_code; /* of the rate that bytes to the next sample were drawn with */
	uint64_t sample_more;	  /* of these, besides sample_own.left */
	uint64_t sample_piece;	  /* what sample_own.left began with */
	uint32_t events;	  /* recorded, to time one of some */
	uint64_t timed;		  /* when the last of those ended */
	uint32_t untold;	  /* allocations since one was told in an event */
	uint32_t guard_left;	  /* objects to the next guarded one */
	uint64_t random;
	uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	const void *doubted; /* what is being freed, and not known to be live */
	stackdepot_ref_t doubt_trace;
	bool doubt_told; /* as an error already */
	void *memo;	 /* memory for whole stacks */
	size_t memo_bytes;
	struct quarantine quarantine;
};

extern __thread struct recorder_thread *recorder_thread __attribute__((tls_model("initial-exec")));

/* jit_setup() - look up what our functions of memory go on to. Not in an event. */
void jit_setup(void);

/* State of the calling thread; NULL if it has ended already or there is no memory for it. */
__attribute__((noinline)) struct recorder_thread *thread_begin(void);
/* In a forked child: forget what is the parent's. */
void thread_child(void);
bool thread_setup(void);
/* From a state that is not 0, which is a thread's as a rule. */
uint64_t random_next(uint64_t *state);
uint64_t thread_random(struct recorder_thread *thread);
/* No room for stacks to remember: there is more, or they are forgotten. */
void thread_memo_full(struct recorder_thread *thread);
void thread_memo_forget(struct recorder_thread *thread);
uint32_t thread_id(void);

/* The thread that all events of the process were of, or THREADS_SEVERAL; 0: there were none. */
extern uint32_t thread_only;
#define THREADS_SEVERAL UINT32_MAX

static inline bool thread_is_sole(const struct recorder_thread *thread)
{
	return load_relaxed(&thread_only) == thread->id;
}

/* Who allocated an object whose allocation no event in the ring tells; 0: not known. */
uint32_t thread_untold(void);

static inline struct recorder_thread *thread_self(void)
{
	struct recorder_thread *thread = recorder_thread;

	return likely((uintptr_t)thread > 1) ? thread : thread_begin();
}

/* @thread is the calling one, or NULL. */
static inline uint32_t thread_number(const struct recorder_thread *thread)
{
	if (unlikely(!thread))
		thread = recorder_thread;
	return likely((uintptr_t)thread > 1) ? thread->id : thread_id();
}

/*
 * What a thread remembers is one event's at a time: a signal handler may interrupt that and
 * allocate, or leave it by longjmp(). So the event marks a word of its own frame, which is there as
 * long as it is. NULL for an event inside another, which does without what the thread remembers.
 */
bool thread_is_taken(const struct recorder_thread *thread);
/* Is the caller in a handler that interrupted an event of the calling thread? */
bool thread_is_interrupted(void);

static inline uintptr_t thread_mark(const struct recorder_thread *thread,
				    const struct recorder_event *event)
{
	return ((uintptr_t)thread ^ (uintptr_t)event << 16) | 1;
}

static inline struct recorder_thread *thread_take(struct recorder_thread *thread,
						  struct recorder_event *event)
{
	tags_pause();
	if (unlikely(!thread || (thread->event && thread_is_taken(thread))))
		return NULL;
	event->since = 0;
	if (unlikely(load_relaxed(&overhead_on)) &&
	    (recorder_rate() || !(++thread->events % OVERHEAD_TIMED)))
		event->since = overhead_ticks() | 1;
	event->mark = thread_mark(thread, event);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	thread->event = event;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	/* forked since the event looked */
	if (unlikely(!load_relaxed(&recorder_life->here)))
		setup_part();
	return thread;
}

static inline void thread_let(struct recorder_thread *thread, struct recorder_event *event)
{
	if (unlikely(!thread))
		return;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	thread->event = NULL;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	event->mark = 0;
	if (unlikely(event->since))
		overhead_spend(event->since, &thread->timed);
	tags_resume();
}

#endif
