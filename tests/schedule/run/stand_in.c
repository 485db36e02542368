/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* stand_in.c - the kernel, the C library and the unwinder, as far as processes of run.h ask. */
#define STAND_IN_ITSELF
#include "stand_in.h"

#include <errno.h>
#include <stdarg.h>

#include "attach.h"
#include "guard.h"
#include "height.h"
#include "host.h"
#include "peak.h"
#include "probe.h"
#include "process.h"
#include "thread.h"

/* --- locks of a file: a word of the shared memory each, with a bit for who has it ------ */

static uint64_t *lock_word(off_t at)
{
	VERIFY(at >= 0 && at < (off_t)RUN_LOCKS);
	return (uint64_t *)(void *)run_memory + at;
}

#define LOCK_ALONE (1ull << 63)

static uint64_t lock_bit(int fd)
{
	return 1ull << (fd < STORE_FD_AGAIN(0) ? fd - STORE_FD(0) : 16 + fd - STORE_FD_AGAIN(0));
}

int run_fcntl(int fd, int command, ...)
{
	struct flock *lock;
	uint64_t *word, others;
	va_list arguments;

	va_start(arguments, command);
	lock = va_arg(arguments, struct flock *);
	va_end(arguments);
	word = lock_word(lock->l_start);
	port_test_point(word, command == F_OFD_SETLK);
	others = *word & ~lock_bit(fd) & ~LOCK_ALONE;
	if (command == F_OFD_GETLK) {
		if (!others)
			lock->l_type = F_UNLCK;
		return 0;
	}
	if (others && lock->l_type != F_UNLCK && (lock->l_type == F_WRLCK || *word & LOCK_ALONE)) {
		errno = EAGAIN;
		return -1;
	}
	if (lock->l_type == F_UNLCK)
		*word = others ? *word & ~lock_bit(fd) : 0;
	else
		*word = others | lock_bit(fd) | (lock->l_type == F_WRLCK ? LOCK_ALONE : 0);
	return 0;
}

/* The process is gone, or one of its descriptors that nothing is mapped by. */
static void locks_of(int fd)
{
	uint32_t i;

	for (i = 0; i < RUN_LOCKS; i++)
		if (*lock_word(i) & lock_bit(fd)) {
			*lock_word(i) &= ~lock_bit(fd);
			if (*lock_word(i) == LOCK_ALONE)
				*lock_word(i) = 0;
		}
}

void run_locks_drop(unsigned int actor)
{
	locks_of(STORE_FD(actor));
	locks_of(STORE_FD_AGAIN(actor));
}

bool run_locks_reaps(unsigned int actor)
{
	return *lock_word(0) & (lock_bit(STORE_FD(actor)) | lock_bit(STORE_FD_AGAIN(actor)));
}

int run_close(int fd)
{
	if (fd == STORE_FD_AGAIN(run_self()))
		locks_of(fd);
	return 0;
}

/* --- time, which is a second later whenever it is asked for, and waiting --------------------- */

static uint64_t seconds = 1;

int run_clock_gettime(clockid_t clock, struct timespec *ret_now)
{
	(void)clock;
	*ret_now = (struct timespec){.tv_sec = (time_t)++seconds};
	return 0;
}

uint64_t recorder_now_ns(void)
{
	return ++seconds * 1000000000u;
}

int run_nanosleep(const struct timespec *duration, struct timespec *ret_left)
{
	(void)duration;
	(void)ret_left;
	if (explore_running())
		explore_wait();
	return 0;
}

pid_t run_getpid(void)
{
	return (pid_t)(1000000 + run_self());
}

/* --- the rest of the recorder --------------------------------------------------------------- */

volatile unsigned short otel_memory_alloc_semaphore, otel_memory_free_semaphore;
uint32_t filter_denied;
uintptr_t guard_low;

void probe_alloc_fire(uint64_t place, const struct live_object *object)
{
	(void)place;
	(void)object;
}

void probe_free_fire(uint64_t address)
{
	(void)address;
}

/* Of files there is the store alone. */
int recorder_open(const char *path, int flags)
{
	(void)flags;
	return strcmp(path, recorder.options.store) ? -ENOENT : STORE_FD_AGAIN(run_self());
}

bool attach_is_same(int fd)
{
	return fd == STORE_FD_AGAIN(run_self());
}

void attach_populate(const void *where)
{
	(void)where;
}

void recorder_count(uint64_t *counter, uint64_t add)
{
	port_test_point(counter, true);
	*counter += add;
}

void recorder_hold(struct recorder_held *ret_held)
{
	(void)ret_held;
}

void recorder_let(const struct recorder_held *held)
{
	(void)held;
}

uint64_t random_next(uint64_t *state)
{
	return *state = *state * 0x9e3779b97f4a7c15ull + 1;
}

void thread_memo_full(struct recorder_thread *thread)
{
	(void)thread;
}

const char *real_bootstrap_used(size_t *ret_bytes)
{
	*ret_bytes = 0;
	return NULL;
}

void height_begin(void)
{
	const struct reaper reaper = {.header = recorder.header, .layout = &recorder.layout};

	recorder.height = peak_height(&reaper, recorder.slot);
	recorder.height->serial = recorder.serial;
}

/* Peaks are taken when a process is folded, not while it runs. */
void height_tell(int64_t delta, const struct live_object *freed)
{
	struct store_height *height = recorder.height;
	uint64_t *top = &height->peaks[STORE_PEAK_LIFE].top_bytes;

	(void)freed;
	recorder_count(&height->live_bytes, (uint64_t)delta);
	port_test_point(top, true);
	if (height->live_bytes > *top)
		*top = height->live_bytes;
}

void height_correct(uint32_t slot, int64_t delta)
{
	(void)slot;
	(void)delta;
}

uint64_t height_estimate(uint64_t size, unsigned int code)
{
	(void)code;
	return size;
}

/* --- the unwinder: a stack is its number, and remembered by that ----------------------------- */

#define UNWINDER_TRACES 32u

struct unwinder {
	uint64_t remembered[UNWINDER_TRACES];
	uintptr_t trace; /* that was walked last */
};

static struct unwinder unwinders[RUN_ACTORS];

struct stackdepot_unwinder *unwinder_of(unsigned int actor)
{
	memset(&unwinders[actor], 0, sizeof(unwinders[actor]));
	return (struct stackdepot_unwinder *)(void *)&unwinders[actor];
}

static struct unwinder *unwinder_get(struct stackdepot_unwinder *unwinder)
{
	return (struct unwinder *)(void *)unwinder;
}

void stand_in_reset(void)
{
	memset(unwinders, 0, sizeof(unwinders));
	live_child();
}

void trace_frames(uint32_t trace, uintptr_t frames[TRACE_FRAMES])
{
	uint32_t i;

	for (i = 0; i < TRACE_FRAMES; i++)
		frames[i] = 0x400000u + 256u * trace + i;
}

unsigned int stackdepot_unwind(struct stackdepot_unwinder *unwinder,
			       const struct stackdepot_unwind_start *start, uintptr_t *buffer,
			       unsigned int max, struct stackdepot_unwind_trace *ret_trace)
{
	VERIFY(max >= TRACE_FRAMES && start->pc < UNWINDER_TRACES);
	trace_frames((uint32_t)start->pc, buffer);
	unwinder_get(unwinder)->trace = start->pc;
	*ret_trace = (struct stackdepot_unwind_trace){
		.frames = buffer, .nr = TRACE_FRAMES, .certain = TRACE_FRAMES};
	return TRACE_FRAMES;
}

void stackdepot_unwind_done(struct stackdepot_unwinder *unwinder,
			    struct stackdepot_unwind_trace *trace)
{
	(void)unwinder;
	(void)trace;
}

void stackdepot_unwind_portable(struct stackdepot_unwinder *unwinder,
				struct stackdepot_unwind_trace *trace)
{
	(void)unwinder;
	(void)trace;
}

bool stackdepot_unwind_portable_frames(uintptr_t *frames, unsigned int nr, bool exact)
{
	(void)frames;
	(void)nr;
	(void)exact;
	return false;
}

bool stackdepot_unwind_recall(struct stackdepot_unwinder *unwinder,
			      const struct stackdepot_unwind_start *start, uint64_t *ret_user)
{
	*ret_user = unwinder_get(unwinder)->remembered[start->pc];
	return *ret_user;
}

bool stackdepot_unwind_remember(struct stackdepot_unwinder *unwinder,
				const struct stackdepot_unwind_trace *trace, uint64_t user)
{
	(void)trace;
	unwinder_get(unwinder)->remembered[unwinder_get(unwinder)->trace] = user;
	return true;
}

unsigned int stackdepot_unwind_context(struct stackdepot_unwinder *unwinder, const void *context,
				       uintptr_t *frames, unsigned int max, uint32_t *ret_certain)
{
	(void)unwinder;
	(void)context;
	(void)frames;
	(void)max;
	*ret_certain = 0;
	return 0;
}
