/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "oracle.h"
#include "portable.h"

#define REPORTS_MAX 5 /* one is enough to see what is wrong, and each is long */

__thread struct stackdepot_unwind_trace check_first, check_last;
__thread uintptr_t check_frames[ORACLE_FRAMES];
unsigned int check_total, check_failed;

#define KEPT 256u
#define MEMO_BYTES (64u << 10)

/* Traces that the unwinder was told to remember; it says which of them it recalls. */
struct kept_traces {
	char memory[MEMO_BYTES] __attribute__((aligned(64)));
	unsigned int nr;
	unsigned int size; /* of the walks */
	struct opinion trace[KEPT];
	uintptr_t portable[KEPT][ORACLE_FRAMES];
};

static __thread struct stackdepot_unwinder *unwinder;
static __thread struct kept_traces *kept;
static unsigned int recalled;
static __thread struct opinion previous, previous_portable; /* what `unchanged` refers to */
static unsigned int portables;
static unsigned int expect_failed, tests_run, seconds[SECONDS];

static void portable_once(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, portable_setup);
}

struct stackdepot_unwinder *oracle_unwinder(void)
{
	if (!unwinder) {
		void *memory = mmap(NULL, STACKDEPOT_UNWINDER_BYTES, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (!opinion_setup()) {
			fprintf(stderr, "_Unwind_Backtrace() is not libgcc's\n");
			abort();
		}
		stackdepot_unwind_setup();
		portable_once();
		unwinder = stackdepot_unwind_init(memory, STACKDEPOT_UNWINDER_BYTES);
		kept = mmap(NULL, sizeof(*kept), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	}
	return unwinder;
}

void oracle_release(void)
{
	munmap(unwinder, STACKDEPOT_UNWINDER_BYTES);
	munmap(kept, sizeof(*kept));
	unwinder = NULL;
}

static void report(const char *how, const struct stackdepot_unwind_trace *ours,
		   const struct opinion *theirs)
{
	unsigned int i, nr = ours->nr > theirs->nr ? ours->nr : theirs->nr;
	static unsigned int reports;

	if (reports++ >= REPORTS_MAX)
		return;
	fprintf(stderr, "%s: %u frames, oracle %u, flags %x, unchanged %u, verified %u\n", how,
		ours->nr, theirs->nr, ours->flags, ours->unchanged, ours->verified);
	for (i = 0; i < nr && i < 60; i++) {
		uintptr_t a = i < ours->nr ? ours->frames[i] : 0;
		uintptr_t b = i < theirs->nr ? theirs->frames[i] : 0;

		fprintf(stderr, "  %3u %16lx %16lx%s\n", i, a, b, a == b ? "" : "  <--");
	}
}

/* Libgcc does not guess: it has to give up where we begin to. */
static bool agrees(const struct stackdepot_unwind_trace *ours, const struct opinion *theirs,
		   uint32_t nr)
{
	if (ours->certain > ours->nr || (ours->certain < ours->nr && theirs->ended))
		return false;
	return ours->certain == nr &&
	       !memcmp(ours->frames, theirs->frames, nr * sizeof(ours->frames[0]));
}

static bool compare(const char *how, const struct stackdepot_unwind_trace *ours,
		    const struct opinion *theirs, unsigned int size)
{
	uint32_t nr = theirs->nr > size ? size : theirs->nr;

	__atomic_fetch_add(&check_total, 1, __ATOMIC_RELAXED);
	if (agrees(ours, theirs, nr))
		return true;
	__atomic_fetch_add(&check_failed, 1, __ATOMIC_RELAXED);
	report(how, ours, theirs);
	return false;
}

/* What libunwind has to add if libgcc gave up. */
static bool ask_second(const struct stackdepot_unwind_start *start, unsigned int size,
		       const struct opinion *libgcc, struct opinion *scratch)
{
	struct stackdepot_unwind_trace trace = {.frames = libgcc->frames, .nr = libgcc->nr};
	enum second second;

	if (libgcc->ended || libgcc->nr > size)
		return true;
	opinion_libunwind(start->sp, (unsigned int)start->skip, size, scratch);
	second = opinion_second(scratch, libgcc->frames, libgcc->nr);
	if (second == SECOND_ABSENT)
		return true;
	__atomic_fetch_add(&seconds[second], 1, __ATOMIC_RELAXED);
	if (second != SECOND_DIFFERS)
		return true;
	__atomic_fetch_add(&check_failed, 1, __ATOMIC_RELAXED);
	report("libunwind differs from libgcc", &trace, scratch);
	return false;
}

/* What was said to be unchanged must be what the last trace ended with. */
static bool compare_unchanged(const struct stackdepot_unwind_trace *ours, struct opinion *last)
{
	unsigned int nr = ours->unchanged;
	bool good = nr <= ours->nr && nr <= last->nr &&
		    !memcmp(ours->frames + ours->nr - nr, last->frames + last->nr - nr,
			    nr * sizeof(ours->frames[0]));

	if (!good) {
		__atomic_fetch_add(&check_failed, 1, __ATOMIC_RELAXED);
		report("unchanged", ours, last);
	}
	last->nr = ours->nr;
	memcpy(last->frames, ours->frames, ours->nr * sizeof(ours->frames[0]));
	return good;
}

/* Each frame is to be the place that its address is in now. */
static bool compare_portable(const char *how, const uintptr_t *plain,
			     const struct stackdepot_unwind_trace *ours)
{
	uint32_t i, differs = portable_differs(plain, ours->frames, ours->nr);
	struct opinion wanted = {.nr = ours->nr};

	__atomic_fetch_add(&portables, ours->nr, __ATOMIC_RELAXED);
	if (differs == ours->nr)
		return true;
	__atomic_fetch_add(&check_failed, 1, __ATOMIC_RELAXED);
	for (i = 0; i < ours->nr; i++)
		wanted.frames[i] = portable_frame(plain[i]);
	report(how, ours, &wanted);
	return false;
}

/* All walks that are remembered are of one size. */
static void remember(struct stackdepot_unwinder *u, const struct stackdepot_unwind_trace *trace,
		     const uintptr_t *plain, unsigned int size)
{
	struct opinion *copy;

	if (size != kept->size || kept->nr == KEPT) {
		EXPECT(stackdepot_unwind_memory(u, kept->memory, sizeof(kept->memory)));
		kept->nr = 0;
		kept->size = size;
	}
	copy = &kept->trace[kept->nr++];
	copy->nr = trace->nr;
	copy->ended = trace->certain == trace->nr;
	memcpy(copy->frames, plain, trace->nr * sizeof(trace->frames[0]));
	memcpy(kept->portable[copy - kept->trace], trace->frames,
	       trace->nr * sizeof(trace->frames[0]));
	(void)stackdepot_unwind_remember(u, trace, (uint64_t)(copy - kept->trace));
}

/* What is recalled must be what is there. */
static bool check_recall(struct stackdepot_unwinder *u, const struct stackdepot_unwind_start *start,
			 unsigned int size, const struct opinion *oracle)
{
	struct stackdepot_unwind_trace trace = {0};
	uint64_t which;

	if (kept->size != size || !stackdepot_unwind_recall(u, start, &which))
		return true;
	__atomic_fetch_add(&recalled, 1, __ATOMIC_RELAXED);
	EXPECT(kept->trace[which].ended); /* no guess is recalled */
	trace.frames = kept->trace[which].frames;
	trace.nr = trace.certain = kept->trace[which].nr;
	if (!agrees(&trace, oracle, oracle->nr > size ? size : oracle->nr)) {
		__atomic_fetch_add(&check_failed, 1, __ATOMIC_RELAXED);
		report("recalled", &trace, oracle);
		return false;
	}
	trace.frames = kept->portable[which];
	return compare_portable("recalled, portable", kept->trace[which].frames, &trace);
}

static bool check_walk(const char *how, struct stackdepot_unwinder *u,
		       const struct stackdepot_unwind_start *start, unsigned int size,
		       const struct opinion *oracle)
{
	struct stackdepot_unwind_trace trace, last;
	uintptr_t buffer[ORACLE_FRAMES], plain[ORACLE_FRAMES];
	bool good, kept_by = false;

	stackdepot_unwind(u, start, buffer, size, &trace);
	good = compare(how, &trace, oracle, size);
	kept_by = u && !(trace.flags & STACKDEPOT_UNWIND_NESTED);
	if (kept_by)
		good &= compare_unchanged(&trace, &previous);
	memcpy(plain, trace.frames, trace.nr * sizeof(plain[0]));
	last = trace;
	stackdepot_unwind_portable(u, &trace);
	good &= compare_portable(how, plain, &trace);
	if (kept_by) {
		good &= compare_unchanged(&trace, &previous_portable);
		remember(u, &trace, plain, size);
	}
	stackdepot_unwind_done(u, &trace);
	/* not before: a handler that comes in between has its own */
	check_last = last;
	memcpy(check_frames, plain, last.nr * sizeof(plain[0]));
	return good;
}

__attribute__((noinline)) bool check_here(unsigned int size)
{
	struct stackdepot_unwind_start start = stackdepot_unwind_caller();
	struct stackdepot_unwinder *u = oracle_unwinder();
	struct opinion oracle, second;
	bool good;

	/* arm64 starts at this very frame, whose stack pointer libgcc calls that of its callee */
	opinion_libgcc(start.sp, (unsigned int)start.skip, size, &oracle);
	errno = 4711;
	good = check_recall(u, &start, size, &oracle);
	good &= check_walk("again", u, &start, size, &oracle);
	check_first = check_last;
	good &= check_walk("without memory", NULL, &start, size, &oracle);
	good &= check_walk("with memory", u, &start, size, &oracle);
	good &= check_recall(u, &start, size, &oracle);
	EXPECT(errno == 4711);
	return ask_second(&start, size, &oracle, &second) && good;
}

/* From the interrupted frame on. Its address alone may well be among the handler's frames, too. */
static void interrupted_trace(const ucontext_t *context, const struct stackdepot_unwind_trace *ours,
			      struct opinion *ret_trace)
{
#if defined(__x86_64__)
	(void)ours;
	opinion_libgcc((uintptr_t)context->uc_mcontext.gregs[REG_RSP], 0, ORACLE_FRAMES, ret_trace);
#else
	/* libgcc gives this frame no stack pointer to know it by, so the length has to do */
	unsigned int i;

	(void)context;
	opinion_libgcc(0, 0, ORACLE_FRAMES, ret_trace);
	for (i = 0; i < ret_trace->nr; i++) {
		if (ret_trace->frames[i] == ours->frames[0] && ret_trace->nr - i == ours->certain)
			break;
	}
	ret_trace->nr -= i;
	memmove(ret_trace->frames, ret_trace->frames + i,
		ret_trace->nr * sizeof(ret_trace->frames[0]));
#endif
}

bool check_context(const void *context)
{
	struct stackdepot_unwind_trace trace = {0};
	uintptr_t buffer[ORACLE_FRAMES], plain[ORACLE_FRAMES];
	struct opinion oracle;

	trace.nr = stackdepot_unwind_context(oracle_unwinder(), context, buffer, ORACLE_FRAMES,
					     &trace.certain);
	trace.frames = buffer;
	interrupted_trace(context, &trace, &oracle);
	if (!compare("context", &trace, &oracle, ORACLE_FRAMES))
		return false;
	memcpy(plain, buffer, trace.nr * sizeof(plain[0]));
	(void)stackdepot_unwind_portable_frames(buffer, trace.nr, true);
	/* as if it were an address to return to */
	plain[0]++;
	buffer[0]++;
	return compare_portable("context", plain, &trace);
}

bool expect(bool condition, const char *text, const char *file, int line)
{
	if (!condition) {
		if (__atomic_add_fetch(&expect_failed, 1, __ATOMIC_RELAXED) > 4 * REPORTS_MAX)
			return condition;
		fprintf(stderr, "%s:%d: not so: %s\n", file, line, text);
	}
	return condition;
}

void run(const char *name, void (*test)(void))
{
	unsigned int failed = expect_failed + check_failed, total = check_total;

	test();
	tests_run++;
	failed = expect_failed + check_failed - failed;
	printf("%s %s (%u walks compared)\n", failed ? "FAIL" : "ok  ", name, check_total - total);
	fflush(stdout);
}

int run_result(void)
{
	printf("%u tests, %u walks compared, %u of them recalled, %u portable frames, %u differ, "
	       "%u expectations failed\n",
	       tests_run, check_total, recalled, portables, check_failed, expect_failed);
	if (seconds[SECOND_AGREES] + seconds[SECOND_GUESSES] + seconds[SECOND_SHORTER])
		printf("where libgcc gave up, libunwind: agrees %u, guesses on %u, gives up "
		       "earlier %u\n",
		       seconds[SECOND_AGREES], seconds[SECOND_GUESSES], seconds[SECOND_SHORTER]);
	return check_failed || expect_failed;
}
