/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * explore.c - the scheduler of explore.h.
 *
 * An interleaving is the list of choices made where there was one. To get the next one, the last
 * choice that has an untried alternative takes it, and what follows is chosen by default: go on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "explore.h"
#include "host.h"

#define MAX_CHOICES 4096u
#define MAX_STEPS 100000ul /* no interleaving of a lock-free program is nearly as long */
#define MAX_WORDS 8192u
#define STACK_BYTES (128u * 1024)
#define NEST EXPLORE_THREADS /* among the options: a handler of the running thread */
#define NO_THREAD EXPLORE_THREADS
#define KILL (EXPLORE_THREADS + 1) /* among the options: the running thread stops for good */
#define NO_WORD 0xffffu
#define MAX_OPTIONS (EXPLORE_THREADS + 3)
#define MAX_WRITTEN 128u /* two of the largest structures that are copied */

/* Who touches: a thread, or a handler on it. One bit each. */
#define ACTOR(thread, nested) (1u << ((thread) + ((nested) ? EXPLORE_THREADS : 0)))
#define ACTORS_OF(thread) (ACTOR(thread, false) | ACTOR(thread, true))

struct touched {
	u8 readers;
	u8 writers;
};

struct choice {
	u8 options[MAX_OPTIONS];
	u8 nr;
	u8 taken;
	u8 thread; /* that was running */
	u16 word;
	bool nested;
};

struct coroutine {
	jmp_buf place;
	ucontext_t start;
	bool started;
	bool done;
	bool nested;
	bool nest_used;
	char stack[STACK_BYTES] __attribute__((aligned(16)));
};

/* Has a mortal thread changed anything since its death was last offered? */
struct footprint {
	bool changed;
	unsigned int nr;
	struct {
		const u64 *word;
		u64 before;
	} written[MAX_WRITTEN]; /* or about to be */
};

static struct coroutine coroutines[EXPLORE_THREADS];
static struct footprint footprints[EXPLORE_THREADS];
static jmp_buf main_place;
static const struct explore_program *program;
static unsigned int running; /* NO_THREAD outside of an interleaving */
static struct choice choices[MAX_CHOICES];
static unsigned int nr_choices; /* in the list */
static unsigned int position;	/* of them, made in this interleaving */
static unsigned int preemptions, preemption_bound;
static unsigned int kills;
static bool late_stores;
static unsigned long steps, explored;
static struct touched known[MAX_WORDS]; /* used to decide */
static struct touched learned[MAX_WORDS];

bool explore_running(void)
{
	return running != NO_THREAD;
}

static void fail_print_choices(void)
{
	unsigned int i;

	for (i = 0; i < position; i++) {
		const struct choice *choice = &choices[i];
		unsigned int option = choice->options[choice->taken];

		if (option == KILL)
			(void)printf("  thread %u is killed before word %u, at choice %u\n",
				     choice->thread, choice->word, i);
		else if (choice->word == NO_WORD)
			(void)printf("  thread %u runs\n", option);
		else if (choice->taken)
			(void)printf("  thread %u%s before word %u, at choice %u: %s %u\n",
				     choice->thread, choice->nested ? " in its handler" : "",
				     choice->word, i, option == NEST ? "signal to" : "thread",
				     option == NEST ? choice->thread : option);
	}
}

void explore_fail(const char *format, ...)
{
	va_list arguments;

	(void)printf("FAILED %s, %u preemptions, %s, interleaving %lu: ", program->name,
		     preemptions, late_stores ? "late stores" : "no store buffers", explored + 1);
	va_start(arguments, format);
	(void)vprintf(format, arguments);
	va_end(arguments);
	(void)printf("\n");
	fail_print_choices();
	(void)fflush(stdout);
	_Exit(1);
}

static void coroutine_main(void);

/* Go on with a coroutine where it was left; `from` is where it comes back to. */
static noinline void coroutine_switch(jmp_buf from, struct coroutine *to)
{
	if (_setjmp(from))
		return;
	if (to->started)
		_longjmp(to->place, 1);
	to->started = true;
	(void)getcontext(&to->start);
	to->start.uc_stack.ss_sp = to->stack;
	to->start.uc_stack.ss_size = STACK_BYTES;
	to->start.uc_link = NULL;
	makecontext(&to->start, coroutine_main, 0);
	(void)setcontext(&to->start);
}

static noinline void coroutine_leave(jmp_buf from)
{
	if (!_setjmp(from))
		_longjmp(main_place, 1);
}

static void thread_goes_on(unsigned int thread)
{
	running = port_test_thread = thread;
	if (program->goes_on)
		program->goes_on(thread);
}

static void run_thread(unsigned int from, unsigned int to)
{
	thread_goes_on(to);
	coroutine_switch(coroutines[from].place, &coroutines[to]);
}

/* Which of the options? Recorded, or replayed. */
static unsigned int choose(struct choice *made)
{
	if (made->nr == 1)
		return made->options[0];
	if (position == MAX_CHOICES)
		explore_fail("too many choices");
	if (position == nr_choices) {
		choices[nr_choices++] = *made;
	} else {
		made->taken = choices[position].taken;
		if (made->nr != choices[position].nr)
			explore_fail("the program is not deterministic");
	}
	position++;
	return made->options[made->taken];
}

/* Somebody has to run now, at no charge; not `self`. */
static unsigned int choose_other(unsigned int self)
{
	struct choice choice = {.thread = (u8)running, .word = NO_WORD};
	u8 thread;

	for (thread = 0; thread < program->nr_threads; thread++)
		if (!coroutines[thread].done && thread != self)
			choice.options[choice.nr++] = thread;
	return choice.nr ? choose(&choice) : NO_THREAD;
}

static unsigned int choose_thread(void)
{
	return choose_other(NO_THREAD);
}

/* The thread does nothing more in this interleaving. */
static void thread_ends(unsigned int self)
{
	unsigned int next;

	coroutines[self].done = true;
	next = choose_thread();
	if (next != NO_THREAD)
		run_thread(self, next);
	else
		coroutine_leave(coroutines[self].place);
}

/* What it had stored is seen: the kernel comes by an interrupt. The next life begins anew. */
static void thread_is_killed(unsigned int self)
{
	kills++;
	port_test_flush();
	if (program->killed)
		program->killed(self);
	coroutines[self].started = false;
	thread_ends(self);
}

static void footprint_look(struct footprint *footprint)
{
	unsigned int i;

	for (i = 0; i < footprint->nr && !footprint->changed; i++)
		footprint->changed = *footprint->written[i].word != footprint->written[i].before;
	if (footprint->changed || footprint->nr == MAX_WRITTEN)
		footprint->nr = 0;
}

static void footprint_add(struct footprint *footprint, const void *word)
{
	const u64 *whole = (const u64 *)((uintptr_t)word & ~(uintptr_t)7);

	footprint->written[footprint->nr].word = whole;
	footprint->written[footprint->nr++].before = *whole;
}

static bool point_is_mortal(void)
{
	return program->mortal >> running & 1 && kills != program->kills;
}

/* Might the running thread be killed here, and is that another outcome than before? */
static bool point_may_kill(void)
{
	struct footprint *footprint = &footprints[running];

	if (!point_is_mortal())
		return false;
	footprint_look(footprint);
	return footprint->changed;
}

static void point_offer_kill(size_t word)
{
	struct choice choice = {
		.options = {(u8)running, KILL}, .nr = 2, .thread = (u8)running, .word = (u16)word};

	footprints[running].changed = false;
	if (choose(&choice) == KILL)
		thread_is_killed(running);
}

static void run_handler(unsigned int thread)
{
	coroutines[thread].nest_used = coroutines[thread].nested = true;
	program->handlers[thread]();
	coroutines[thread].nested = false;
}

/* A signal that did not strike a thread earlier strikes at its end. */
static void coroutine_main(void)
{
	for (;;) {
		unsigned int self = running;

		program->threads[self]();
		if (point_may_kill())
			point_offer_kill(NO_WORD);
		if (program->handlers[self] && !coroutines[self].nest_used)
			run_handler(self);
		if (port_test_buffers[self].nr)
			port_test_point(port_test_buffers[self].stores[0].word, true);
		port_test_flush();
		thread_ends(self);
	}
}

void explore_wait(void)
{
	const unsigned int self = running, next = choose_other(self);

	if (next != NO_THREAD)
		run_thread(self, next);
}

/* All others whose order with this access matters. */
static u8 point_rivals(const struct touched *touched, u8 self, bool write)
{
	return (u8)((write ? touched->readers | touched->writers : touched->writers) & ~self);
}

static size_t point_word(const void *word)
{
	return (size_t)((const char *)word - (const char *)program->words) / 8;
}

static bool point_is_shared(const void *word)
{
	const char *at = word, *ignored = program->ignored;

	return at >= (const char *)program->words &&
	       at < (const char *)program->words + program->bytes &&
	       !(at >= ignored && at < ignored + program->ignored_bytes);
}

/* What a read-modify-write makes visible along with itself. */
static u8 point_flushed_rivals(u8 self)
{
	const struct port_test_buffer *buffer = &port_test_buffers[running];
	u8 rivals = 0;
	u32 i;

	for (i = 0; i < buffer->nr; i++)
		if (point_is_shared(buffer->stores[i].word))
			rivals |= point_rivals(&known[point_word(buffer->stores[i].word)], self,
					       true);
	return rivals;
}

static void point_choose(u8 rivals, size_t word)
{
	struct coroutine *self = &coroutines[running];
	struct choice choice = {.thread = (u8)running, .word = (u16)word, .nested = self->nested};
	unsigned int next;
	u8 thread;

	choice.options[choice.nr++] = (u8)running;
	for (thread = 0; thread < program->nr_threads; thread++)
		if (thread != running && !coroutines[thread].done && rivals & ~ACTORS_OF(running))
			choice.options[choice.nr++] = thread;
	if (program->handlers[running] && !self->nest_used && rivals & ACTOR(running, true))
		choice.options[choice.nr++] = NEST;
	next = choose(&choice);
	if (next == running)
		return;
	preemptions++;
	if (next == NEST) {
		run_handler(running);
		return;
	}
	run_thread(running, next);
	/* Whoever ran meanwhile may have found it alive, and goes on after its death. */
	if (point_is_mortal())
		point_offer_kill(word);
}

static void point(const void *word, bool write)
{
	const bool nested = running != NO_THREAD && coroutines[running].nested;
	const u8 self = (u8)(running != NO_THREAD ? ACTOR(running, nested) : 0);
	size_t index;
	u8 rivals;

	if (++steps > MAX_STEPS)
		explore_fail("no end after %lu steps", steps);
	if (running == NO_THREAD || !point_is_shared(word))
		return;
	index = point_word(word);
	if (point_may_kill())
		point_offer_kill(index);
	if (write && point_is_mortal())
		footprint_add(&footprints[running], word);
	if (write)
		learned[index].writers |= self;
	else
		learned[index].readers |= self;
	if (preemptions == preemption_bound)
		return;
	rivals = point_rivals(&known[index], self, write);
	if (write && port_test_buffers[running].nr)
		rivals |= point_flushed_rivals(self);
	if (rivals)
		point_choose(rivals, index);
}

static void run_interleaving(void)
{
	unsigned int thread;

	position = preemptions = kills = 0;
	steps = 0;
	memset(footprints, 0, sizeof(footprints));
	program->begin();
	for (thread = 0; thread < program->nr_threads; thread++)
		coroutines[thread].done = coroutines[thread].nest_used = false;
	running = NO_THREAD;
	thread_goes_on(choose_thread());
	port_test_late_stores = late_stores;
	coroutine_switch(main_place, &coroutines[running]);
	port_test_late_stores = false;
	running = NO_THREAD;
	steps = 0;
	program->end();
	explored++;
}

/* The next list of choices; false if there is none. */
static bool next_interleaving(void)
{
	while (nr_choices) {
		struct choice *last = &choices[nr_choices - 1];

		if (last->taken + 1 < last->nr) {
			last->taken++;
			return true;
		}
		nr_choices--;
	}
	return false;
}

/* Enumerate; false if it has to be done anew, since more words turned out to be shared. */
static bool explore_bound(unsigned int bound)
{
	preemption_bound = bound;
	explored = 0;
	nr_choices = 0;
	memcpy(known, learned, sizeof(known));
	do
		run_interleaving();
	while (next_interleaving());
	return !memcmp(known, learned, sizeof(known));
}

unsigned long explore(const struct explore_program *explored_program, unsigned int bound, bool late)
{
	unsigned int i;

	program = explored_program;
	late_stores = late;
	memset(learned, 0, sizeof(learned));
	if (program->bytes / 8 > MAX_WORDS)
		abort();
	port_test_hook = point;
	running = NO_THREAD;
	for (i = 0; i <= bound; i++)
		while (!explore_bound(i))
			;
	port_test_hook = NULL;
	return explored;
}
