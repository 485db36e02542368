/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * explore.h - run a small program of 2 or 3 threads in every interleaving up to a bound.
 *
 * Threads are coroutines on one thread of the operating system. In front of each atomic the test
 * port asks explore.c who goes on: the running thread, another one (a *preemption*), or a signal
 * handler of the running thread, which runs on top of it, once, and can itself be preempted.
 * Interleavings are enumerated depth first, each from the beginning, with at most so many
 * preemptions and handlers (iterative context bounding: Musuvathi and Qadeer, PLDI 2007).
 *
 * A point is only offered where it can matter: in front of an access to a word that somebody else
 * writes, or that is written and somebody else reads. Which words those are is learned from the
 * interleavings seen; when a new one turns up all is enumerated anew.
 *
 * A thread that stands for a process may be mortal: at any step it may stop for good, whoever runs
 * then. That is offered once for each state that it leaves the memory in, and costs no preemption.
 */
#ifndef TESTS_SCHEDULE_EXPLORE_H
#define TESTS_SCHEDULE_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>

#define EXPLORE_THREADS 3u

struct explore_program {
	const char *name;
	unsigned int nr_threads;
	void (*threads[EXPLORE_THREADS])(void);
	void (*handlers[EXPLORE_THREADS])(void); /* NULL: no signal strikes this thread */
	void (*begin)(void);			 /* restores the state before each interleaving */
	void (*end)(void);			 /* looks at the outcome */
	const void *words;			 /* the shared memory */
	size_t bytes;
	const void *ignored; /* words in it whose order does not matter: statistics */
	size_t ignored_bytes;
	unsigned int mortal;		      /* a bit for each thread that may be killed */
	unsigned int kills;		      /* at most so many in an interleaving */
	void (*killed)(unsigned int thread);  /* what the kernel does then */
	void (*goes_on)(unsigned int thread); /* this one runs from here on */
};

/*
 * explore() - all interleavings with at most `bound` preemptions; their number.
 * @late: threads have store buffers (src/port/test/host.h).
 */
unsigned long explore(const struct explore_program *program, unsigned int bound, bool late);

/* explore_fail() - the outcome is wrong: say so, with the interleaving, and end the process. */
void explore_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* The calling thread waits for what others do: let one of them run, at no charge. */
void explore_wait(void);

/* Are the threads running, or is it begin() or end()? */
bool explore_running(void);

#endif
