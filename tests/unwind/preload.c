/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A preload library that puts the unwinder under any program's allocations.
 *
 *	LD_PRELOAD=libunwind-check.so UNWIND_REPORT=/path/report program ...
 *
 * UNWIND_MODE=check (default): each trace is compared with _Unwind_Backtrace() on the same stack;
 * and with libunwind, if that did not come to the outermost frame. So is what is recalled, and each
 * portable frame is to be the place that its address is in.
 * UNWIND_MODE=time: each capture is timed, as the recorder makes them, and, every so often, that
 * of the others (UNWIND_OTHERS_EVERY).
 *
 * Each process appends its result to the report; in check mode also its first differences.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "opinions.h"
#include "portable.h"
#include "preload.h"
#include "stackdepot/stackdepot.h"
#include "stackdepot/unwind.h"

#define FRAMES 256
#define REPORTED_MAX 3
#define MEMO_BYTES (256u << 10)
#define TIME_MEMO_BYTES (2u << 20)

/* The allocator below: libc's, or one the program brings. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t nr, size_t bytes);
void *__libc_realloc(void *pointer, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *pointer);

static struct {
	void *(*malloc)(size_t bytes);
	void *(*calloc)(size_t nr, size_t bytes);
	void *(*realloc)(void *pointer, size_t bytes);
	void *(*memalign)(size_t alignment, size_t bytes);
	void (*free)(void *pointer);
} next = {__libc_malloc, __libc_calloc, __libc_realloc, __libc_memalign, __libc_free};

/* What comes of a comparison with libgcc. */
enum kind {
	ENDED,	 /* the same, to the outermost frame */
	CUT,	 /* the same, and both go on beyond FRAMES */
	GAVE_UP, /* the same, and libgcc knows no way on; libunwind is asked */
	LONGER,	 /* ours goes on where libgcc gave up; libunwind is asked */
	SHORTER,
	DIFFERENT,
	BAD_UNCHANGED,
	BAD_PORTABLE,
	BAD_RECALL,
	KINDS,
};

static const char *const kind_names[KINDS] = {"ended",	       "cut",	       "gave-up",
					      "longer",	       "shorter",      "different",
					      "bad-unchanged", "bad-portable", "bad-recall"};

struct line {
	size_t nr;
	char text[2048];
};

struct thread {
	struct stackdepot_unwinder *unwinder;
	bool busy;
	uint32_t previous_nr;
	uint64_t calls;
	struct stackdepot_cursor cursor;
	uintptr_t previous[FRAMES]; /* portable, as the next but one */
	uintptr_t plain[FRAMES];
	uintptr_t scratch[FRAMES];
	char memo[MEMO_BYTES] __attribute__((aligned(64)));
	void *time_memo;	    /* NULL in mode check */
	stackdepot_ref_t held[256]; /* as the recorder's tallies */
	struct line line;
};

static __thread struct thread *self __attribute__((tls_model("initial-exec")));
static uint64_t counts[KINDS], full, lost, cut, frames_total, verified_total;
static uint64_t seconds[SECONDS], seconds_longer[SECONDS]; /* of GAVE_UP, of LONGER */
static uint64_t guesses, guesses_ended, guesses_differ;	   /* traces with such frames */
static uint64_t recalled, portables;			   /* traces, frames that were compared */
static enum { MODE_UNSET, MODE_OFF, MODE_CHECK, MODE_TIME } mode;
static char report_path[256];
static struct stackdepot *depot; /* mode time: what a capture is followed by */

/* Whole lines are written, as several processes write at once. */
static void say(const char *format, ...)
{
	static struct line early; /* before there is a thread's */
	struct line *line = self ? &self->line : &early;
	size_t room = sizeof(line->text) - line->nr;
	va_list arguments;
	int fd, n;

	va_start(arguments, format);
	n = vsnprintf(line->text + line->nr, room, format, arguments);
	va_end(arguments);
	line->nr += n < (int)room ? (size_t)n : room - 1;
	if (!line->nr || line->text[line->nr - 1] != '\n')
		return;
	fd = open(report_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, line->text, line->nr) != (ssize_t)line->nr)
		report_path[0] = 0;
	close(fd);
	line->nr = 0;
}

static void choose_mode(void)
{
	const char *path = getenv("UNWIND_REPORT"), *name = getenv("UNWIND_MODE");

	mode = MODE_OFF;
	next.malloc = dlsym(RTLD_NEXT, "malloc");
	next.calloc = dlsym(RTLD_NEXT, "calloc");
	next.realloc = dlsym(RTLD_NEXT, "realloc");
	next.memalign = dlsym(RTLD_NEXT, "memalign");
	next.free = dlsym(RTLD_NEXT, "free");
	if (!path || strlen(path) >= sizeof(report_path))
		return;
	strcpy(report_path, path);
	if (!opinion_setup()) {
		say("%s: _Unwind_Backtrace() is not libgcc's: nothing checked, 0 of 1 traces "
		    "agree;\n",
		    program_invocation_short_name);
		return;
	}
	stackdepot_unwind_setup();
	portable_setup();
	if (name && !strcmp(name, "time"))
		stackdepot_create(&(struct stackdepot_options){.max_bytes = 64 << 20,
							       .max_frames = FRAMES,
							       .lease_ticks = 8},
				  &depot);
	mode = name && !strcmp(name, "time") && depot ? MODE_TIME : MODE_CHECK;
}

/* What a thread remembers in mode time: as much as one of the recorder has at most. */
static void *time_memo(void)
{
	void *memory = mmap(NULL, TIME_MEMO_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static struct thread *thread_get(void)
{
	struct thread *thread = self;

	if (thread || mode == MODE_OFF)
		return thread;
	if (mode == MODE_UNSET)
		choose_mode();
	thread = mmap(NULL, sizeof(*thread) + 4096 + STACKDEPOT_UNWINDER_BYTES,
		      PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (thread == MAP_FAILED)
		return NULL;
	thread->unwinder =
		stackdepot_unwind_init((char *)thread + ((sizeof(*thread) + 4095) & ~(size_t)4095),
				       STACKDEPOT_UNWINDER_BYTES);
	if (mode == MODE_TIME)
		thread->time_memo = time_memo();
	if (thread->time_memo)
		(void)stackdepot_unwind_memory(thread->unwinder, thread->time_memo,
					       TIME_MEMO_BYTES);
	else
		(void)stackdepot_unwind_memory(thread->unwinder, thread->memo,
					       sizeof(thread->memo));
	self = thread;
	return thread;
}

static bool equal_frames(const uintptr_t *a, const uintptr_t *b, uint32_t nr)
{
	return !memcmp(a, b, nr * sizeof(*a));
}

static enum kind compare(const struct stackdepot_unwind_trace *trace, const struct opinion *libgcc)
{
	uint32_t theirs = libgcc->nr > FRAMES ? FRAMES : libgcc->nr;
	uint32_t common = trace->certain < theirs ? trace->certain : theirs;

	if (!equal_frames(trace->frames, libgcc->frames, common))
		return DIFFERENT;
	if (trace->certain < theirs)
		return SHORTER;
	if (trace->certain > theirs)
		return libgcc->ended ? DIFFERENT : LONGER;
	if (libgcc->nr > FRAMES)
		return CUT;
	return libgcc->ended ? ENDED : GAVE_UP;
}

static void say_frame(uint32_t i, uintptr_t ours, uintptr_t theirs)
{
	Dl_info info = {0};
	uintptr_t pc = ours == theirs || ours ? ours : theirs;

	dladdr((void *)pc, &info);
	say("    %3u %16lx %16lx %s %s+0x%lx (%s+0x%lx)\n", i, ours, theirs,
	    ours == theirs ? " " : "#", info.dli_fname ? info.dli_fname : "?",
	    info.dli_fname ? pc - (uintptr_t)info.dli_fbase : 0,
	    info.dli_sname ? info.dli_sname : "?",
	    info.dli_sname ? pc - (uintptr_t)info.dli_saddr : 0);
}

/* The first few of each kind. */
static void say_difference(const char *whose, const char *kind, unsigned int *reported,
			   const struct stackdepot_unwind_trace *trace,
			   const struct opinion *oracle)
{
	uint32_t i, nr = trace->nr > oracle->nr ? trace->nr : oracle->nr;

	if (__atomic_fetch_add(reported, 1, __ATOMIC_RELAXED) >= REPORTED_MAX)
		return;
	say("  %s %s in %s: ours %u, theirs %u, flags %x, unchanged %u, verified %u\n", whose, kind,
	    program_invocation_short_name, trace->nr, oracle->nr, trace->flags, trace->unchanged,
	    trace->verified);
	for (i = 0; i < nr; i++)
		say_frame(i, i < trace->nr ? trace->frames[i] : 0,
			  i < oracle->nr ? oracle->frames[i] : 0);
}

static void count(uint64_t *counter, uint64_t n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

static void count_trace(const struct stackdepot_unwind_trace *trace)
{
	count(&full, !!(trace->flags & STACKDEPOT_UNWIND_FULL));
	count(&lost, !!(trace->flags & STACKDEPOT_UNWIND_LOST));
	count(&cut, !!(trace->flags & STACKDEPOT_UNWIND_CUT));
	count(&frames_total, trace->nr);
	count(&verified_total, trace->verified);
}

/* Libunwind, where libgcc gave up. */
static void check_second(const struct stackdepot_unwind_start *start,
			 const struct stackdepot_unwind_trace *trace, enum kind kind)
{
	static unsigned int reported[SECONDS];
	struct opinion libunwind;
	enum second second;

	opinion_libunwind(start->sp, (unsigned int)start->skip, FRAMES, &libunwind);
	second = opinion_second(&libunwind, trace->frames, trace->certain);
	count(kind == LONGER ? &seconds_longer[second] : &seconds[second], 1);
	if (second != SECOND_AGREES)
		say_difference("libunwind", second_names[second], &reported[second], trace,
			       &libunwind);
}

/* Nobody else guesses alike; but what is remembered must not make a difference. */
static void check_guess(const struct stackdepot_unwind_start *start,
			const struct stackdepot_unwind_trace *trace)
{
	static unsigned int reported;
	struct stackdepot_unwind_trace again;
	struct opinion other = {0};
	uintptr_t buffer[FRAMES];

	count(&guesses, 1);
	count(&guesses_ended, !(trace->flags & (STACKDEPOT_UNWIND_LOST | STACKDEPOT_UNWIND_CUT)));
	stackdepot_unwind(NULL, start, buffer, FRAMES, &again);
	if (again.nr == trace->nr && again.certain == trace->certain &&
	    equal_frames(again.frames, trace->frames, again.nr))
		return;
	count(&guesses_differ, 1);
	other.nr = again.nr;
	memcpy(other.frames, again.frames, again.nr * sizeof(again.frames[0]));
	say_difference("a walk of all frames", "differs", &reported, trace, &other);
}

static bool is_unchanged(const struct stackdepot_unwind_trace *trace, const struct thread *thread)
{
	return trace->unchanged <= trace->nr && trace->unchanged <= thread->previous_nr &&
	       equal_frames(trace->frames + trace->nr - trace->unchanged,
			    thread->previous + thread->previous_nr - trace->unchanged,
			    trace->unchanged);
}

static uint64_t frames_hash(const struct stackdepot_unwind_trace *trace)
{
	uint64_t hash = trace->nr;
	uint32_t i;

	for (i = 0; i < trace->nr; i++)
		hash = (hash ^ trace->frames[i]) * 0x9e3779b97f4a7c15ull + (hash >> 29);
	return hash;
}

/* The frames of this trace, as portable ones; what they were is in thread->plain. */
static enum kind check_portable(struct thread *thread, struct stackdepot_unwinder *unwinder,
				struct stackdepot_unwind_trace *trace)
{
	bool nested = trace->flags & STACKDEPOT_UNWIND_NESTED;
	uint32_t nr = trace->nr;

	memcpy(thread->plain, trace->frames, nr * sizeof(trace->frames[0]));
	stackdepot_unwind_portable(unwinder, trace);
	count(&portables, nr);
	if (portable_differs(thread->plain, trace->frames, nr) < nr)
		return BAD_PORTABLE;
	if (nested || !unwinder)
		return ENDED;
	if (!is_unchanged(trace, thread))
		return BAD_UNCHANGED;
	thread->previous_nr = nr;
	memcpy(thread->previous, trace->frames, nr * sizeof(trace->frames[0]));
	return ENDED;
}

/* Is it what was remembered? A walk of all frames tells. *ret_recalled: there was something. */
static enum kind check_recall(struct thread *thread, const struct stackdepot_unwind_start *start,
			      bool *ret_recalled)
{
	struct stackdepot_unwind_trace trace;
	enum kind kind;
	uint64_t hash;

	*ret_recalled = stackdepot_unwind_recall(thread->unwinder, start, &hash);
	if (!*ret_recalled)
		return ENDED;
	count(&recalled, 1);
	stackdepot_unwind(NULL, start, thread->scratch, FRAMES, &trace);
	kind = check_portable(thread, NULL, &trace);
	return kind == ENDED && hash != frames_hash(&trace) ? BAD_RECALL : kind;
}

static void check_remember(struct thread *thread, struct stackdepot_unwind_trace *trace)
{
	if (!stackdepot_unwind_remember(thread->unwinder, trace, frames_hash(trace)))
		(void)stackdepot_unwind_memory(thread->unwinder, thread->memo,
					       sizeof(thread->memo));
}

static __attribute__((noinline)) void check(struct thread *thread,
					    const struct stackdepot_unwind_start *start)
{
	static unsigned int reported[KINDS];
	struct stackdepot_unwind_trace trace;
	uintptr_t buffer[FRAMES];
	struct opinion libgcc;
	bool was_recalled;
	enum kind kind, portable = check_recall(thread, start, &was_recalled);

	/* what a recorder does not walk leaves what is kept behind; every other time */
	if (was_recalled && portable == ENDED && ++thread->calls % 2) {
		stackdepot_unwind(NULL, start, buffer, FRAMES, &trace);
	} else {
		stackdepot_unwind(thread->unwinder, start, buffer, FRAMES, &trace);
	}
	opinion_libgcc(start->sp, (unsigned int)start->skip, FRAMES, &libgcc);
	kind = compare(&trace, &libgcc);
	if (kind == GAVE_UP || kind == LONGER)
		check_second(start, &trace, kind);
	if (trace.certain < trace.nr)
		check_guess(start, &trace);
	count_trace(&trace);
	if (kind <= LONGER && portable == ENDED)
		portable = check_portable(thread, trace.frames == buffer ? NULL : thread->unwinder,
					  &trace);
	if (kind <= LONGER && portable != ENDED)
		kind = portable;
	count(&counts[kind], 1);
	if (kind >= LONGER)
		say_difference("libgcc", kind_names[kind], &reported[kind], &trace, &libgcc);
	if (trace.frames != buffer)
		check_remember(thread, &trace);
	stackdepot_unwind_done(thread->unwinder, &trace);
}

/* A stack that is not recalled, from `begin` on: walked, made portable, saved, remembered. */
static void time_walk(struct thread *thread, const struct stackdepot_unwind_start *start,
		      uint64_t begin)
{
	struct stackdepot_unwind_trace trace;
	uintptr_t buffer[FRAMES];
	stackdepot_handle_t handle;
	uint64_t captured;

	stackdepot_unwind(thread->unwinder, start, buffer, FRAMES, &trace);
	stackdepot_unwind_portable(thread->unwinder, &trace);
	captured = preload_ticks() - begin;
	if (!(trace.flags & STACKDEPOT_UNWIND_NESTED)) {
		handle = stackdepot_save_cursor(depot, trace.frames, trace.nr, 0, &thread->cursor,
						trace.unchanged);
		if (handle &&
		    !stackdepot_unwind_remember(thread->unwinder, &trace,
						thread->cursor.nr ? thread->cursor.ref
								  : stackdepot_ref(depot, handle)))
			(void)stackdepot_unwind_memory(thread->unwinder, thread->time_memo,
						       TIME_MEMO_BYTES);
	}
	stackdepot_unwind_done(thread->unwinder, &trace);
	preload_time_ours(captured, preload_ticks() - begin, trace.nr);
	count_trace(&trace);
}

/* Is the trace there? Of the ones that it has most events of a thread has a reference. */
static __attribute__((noinline)) bool time_is_there(struct thread *thread, stackdepot_ref_t ref)
{
	stackdepot_ref_t *held = &thread->held[stackdepot_handle(depot, ref) * 0x9e3779b1u >> 24];

	if (*held == ref)
		return true;
	if (!stackdepot_save_again(depot, ref, STACKDEPOT_GET))
		return false;
	if (*held)
		stackdepot_put_bulk(depot, *held, 1);
	*held = ref;
	return true;
}

/* As the recorder does it: most stacks are recalled, and then there is nothing to look for. */
static __attribute__((noinline)) void time_it(struct thread *thread,
					      const struct stackdepot_unwind_start *start)
{
	uint64_t begin = preload_ticks(), ref, captured;

	if (thread->time_memo && stackdepot_unwind_recall(thread->unwinder, start, &ref)) {
		captured = preload_ticks() - begin;
		if (time_is_there(thread, ref)) {
			preload_time_ours(captured, preload_ticks() - begin, 0);
			count(&recalled, 1);
			preload_time_others(++thread->calls);
			return;
		}
	}
	time_walk(thread, start, begin);
	preload_time_others(++thread->calls);
}

static inline __attribute__((always_inline)) void
capture(const struct stackdepot_unwind_start *start)
{
	struct thread *thread = thread_get();
	int saved;

	if (!thread || thread->busy)
		return;
	saved = errno;
	thread->busy = true;
	if (mode == MODE_TIME)
		time_it(thread, start);
	else
		check(thread, start);
	thread->busy = false;
	errno = saved;
}

#define CAPTURE()                                                                  \
	do {                                                                       \
		struct stackdepot_unwind_start start = stackdepot_unwind_caller(); \
		capture(&start);                                                   \
	} while (0)

#define HOOK __attribute__((visibility("default"), noinline))

HOOK void *malloc(size_t bytes)
{
	CAPTURE();
	return next.malloc(bytes);
}

HOOK void *calloc(size_t nr, size_t bytes)
{
	CAPTURE();
	return next.calloc(nr, bytes);
}

HOOK void *realloc(void *pointer, size_t bytes)
{
	CAPTURE();
	return next.realloc(pointer, bytes);
}

HOOK void free(void *pointer)
{
	if (pointer)
		CAPTURE();
	next.free(pointer);
}

HOOK void *memalign(size_t alignment, size_t bytes)
{
	CAPTURE();
	return next.memalign(alignment, bytes);
}

HOOK void *aligned_alloc(size_t alignment, size_t bytes)
{
	CAPTURE();
	return next.memalign(alignment, bytes);
}

HOOK int posix_memalign(void **ret_pointer, size_t alignment, size_t bytes)
{
	void *pointer;

	CAPTURE();
	pointer = next.memalign(alignment, bytes);
	if (!pointer)
		return ENOMEM;
	*ret_pointer = pointer;
	return 0;
}

/* A trace agrees that is libgcc's, and, where that gave up, does not contradict libunwind's. */
static void say_counts(void)
{
	uint64_t total = 0, agree = counts[ENDED] + counts[CUT] + counts[GAVE_UP];
	unsigned int i;

	agree += seconds_longer[SECOND_AGREES] + seconds_longer[SECOND_GUESSES];
	agree -= seconds[SECOND_DIFFERS] + guesses_differ;
	for (i = 0; i < KINDS; i++)
		total += counts[i];
	say("%s: %lu of %lu traces agree;", program_invocation_short_name, agree, total);
	for (i = 0; i < KINDS; i++)
		say(" %s=%lu", kind_names[i], counts[i]);
	say(" recalled=%lu portable-frames=%lu", recalled, portables);
	say(" guesses=%lu guesses-ended=%lu guesses-differ=%lu", guesses, guesses_ended,
	    guesses_differ);
	for (i = 0; i < SECONDS; i++)
		say(" gave-up-%s=%lu longer-%s=%lu", second_names[i], seconds[i], second_names[i],
		    seconds_longer[i]);
}

static __attribute__((destructor)) void finish(void)
{
	struct stackdepot_unwind_stats stats;

	if (mode != MODE_CHECK && mode != MODE_TIME)
		return;
	if (self)
		self->busy = true;
	stackdepot_unwind_get_stats(&stats);
	if (mode == MODE_CHECK)
		say_counts();
	else
		preload_time_report(say, program_invocation_short_name);
	if (mode == MODE_TIME)
		say(" recalled=%lu", recalled);
	say(" full=%lu lost=%lu cut-at-%u=%lu verified=%lu frames=%lu addresses=%lu rules=%lu "
	    "kib=%lu modules=%lu interpreted=%lu\n",
	    full, lost, FRAMES, cut, verified_total, frames_total, stats.addresses, stats.rules,
	    stats.used_bytes >> 10, stats.modules, stats.interpreted);
	if (self)
		self->busy = false;
}
