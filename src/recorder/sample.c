/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * sample.c - which objects are recorded, when not all are.
 *
 * A Poisson process over the bytes a thread allocates, as in tcmalloc and heapprofd: the bytes to
 * the next sample are exponential with the rate as mean (store/weight.h). An object is recorded at
 * the rate that these were drawn with, whatever the rate has become since.
 *
 * How the process is to record, its control, is a word in the store that anybody may write to who
 * owns it. Each call compares it with what the thread has seen, unless it records every object. So
 * a change is noticed by each thread at its next call, and off is a rate like others: one that no
 * thread ever gets to the end of.
 */
#include "overhead.h"
#include "recorder.h"
#include "sample.h"
#include "thread.h"
#include "weight.h"

#define LN2 0.693147180559945309
#define MAX_LEFT ((double)(1ll << 50))
/* Bytes from look to look at the clock: few, for when the program comes to allocate little. */
#define SAMPLE_PASS_BYTES (64u << 10)

__thread struct sample_own sample_own __attribute__((tls_model("initial-exec")));

static const uint64_t sample_control_never = UINT64_MAX;

uint64_t sample_applied;
static uint32_t sample_applying;

/* ln(x) for x in (0, 1]; accurate to 1e-7, and libm is not ours to link. */
static double sample_log(double x)
{
	union {
		double number;
		uint64_t bits;
	} split = {.number = x};
	int exponent = (int)(split.bits >> 52) - 1023;
	double y, y2;

	split.bits = (split.bits & ((1ull << 52) - 1)) | 1023ull << 52;
	y = (split.number - 1) / (split.number + 1);
	y2 = y * y;
	return exponent * LN2 +
	       2 * y *
		       (1 + y2 * (1.0 / 3 +
				  y2 * (1.0 / 5 + y2 * (1.0 / 7 + y2 * (1.0 / 9 + y2 / 11)))));
}

static uint64_t sample_draw(struct recorder_thread *thread, uint64_t rate)
{
	double uniform = ((double)(thread_random(thread) >> 11) + 1) / 9007199254740993.0;
	double left = -sample_log(uniform) * (double)rate;

	return (uint64_t)(left < MAX_LEFT ? left : MAX_LEFT);
}

/* --- the control ------------------------------------------------------------------------------ */

void sample_set(uint64_t rate)
{
	struct store_process *process = recorder.process;
	const unsigned int code = weight_code(rate);

	if (rate == STORE_RATE_OFF)
		(void)__atomic_fetch_or(&process->flags, STORE_FLAG_OFF, __ATOMIC_RELAXED);
	else if (code > load_relaxed(&process->coarsest))
		store_relaxed(&process->coarsest, code);
	store_release(&process->sample_bytes, rate);
}

static uint64_t sample_rate_of(uint64_t control)
{
	const uint64_t value = control >> STORE_MODE_SHIFT;

	overhead_end();
	switch (control & STORE_MODE) {
	case STACKDEPOT_MODE_SAMPLE:
		return weight_rate(weight_code(value));
	case STACKDEPOT_MODE_OFF:
		return STORE_RATE_OFF;
	case STACKDEPOT_MODE_OVERHEAD:
		return overhead_begin(value);
	default:
		return 0;
	}
}

/* One thread at a time; the others ask again. */
static void sample_apply(void)
{
	uint64_t control;

	if (__atomic_exchange_n(&sample_applying, 1, __ATOMIC_ACQUIRE))
		return;
	while ((control = load_acquire(&recorder.process->control)) != sample_applied) {
		sample_set(sample_rate_of(control));
		store_release(&sample_applied, control);
	}
	store_release(&sample_applying, 0);
}

/* The rate as it is now, and the bytes to the first sample at it. */
static void sample_begin(struct recorder_thread *thread)
{
	const uint64_t rate = recorder_rate();
	uint64_t left = 0;

	if (rate & STORE_RATE_OFF) {
		sample_own.left = (uint64_t)MAX_LEFT;
		return;
	}
	thread->sample_code = rate ? weight_code(rate) : 0;
	if (rate)
		left = sample_draw(thread, rate);
	sample_own.left = left;
	thread->sample_more = 0;
	if (overhead_on && left > SAMPLE_PASS_BYTES) {
		sample_own.left = SAMPLE_PASS_BYTES;
		thread->sample_more = left - SAMPLE_PASS_BYTES;
	}
	thread->sample_piece = sample_own.left;
}

static void sample_turn(struct recorder_thread *thread, uint64_t control)
{
	if (load_acquire(&sample_applied) != control)
		sample_apply();
	if (load_acquire(&sample_applied) != control || !thread)
		return;
	sample_own.seen = control;
	sample_begin(thread);
}

bool sample_is_off(void)
{
	const uint64_t control = load_relaxed(&recorder.process->control);

	if ((control & STORE_MODE) != STACKDEPOT_MODE_OFF)
		return false;
	if (load_acquire(&sample_applied) != control)
		sample_apply();
	if (load_acquire(&sample_applied) == control) {
		sample_own.seen = control;
		sample_own.left = (uint64_t)MAX_LEFT;
	}
	return true;
}

void sample_never(void)
{
	if (load_relaxed(&recorder_life->control) != &sample_control_never)
		return;
	sample_own.seen = sample_control_never;
	sample_own.left = (uint64_t)MAX_LEFT;
}

bool sample_is_full(void)
{
	return !(load_relaxed(&recorder.header->sample_bytes) |
		 load_relaxed(&recorder.process->coarsest) |
		 (load_relaxed(&recorder.process->flags) & STORE_FLAG_OFF));
}

/* --- objects ---------------------------------------------------------------------------------- */

/* Part of the bytes to the next sample were passed: a moment to look at the clock. */
static bool sample_passes(struct recorder_thread *thread, uint64_t size)
{
	const uint64_t more = thread->sample_more;
	uint64_t left = sample_own.left + more;

	if (overhead_on)
		overhead_count(thread->sample_piece - sample_own.left);
	if (!more)
		return false;
	overhead_pass();
	if (size > left) {
		thread->sample_more = 0;
		return false;
	}
	left -= size;
	sample_own.left = left < SAMPLE_PASS_BYTES ? left : SAMPLE_PASS_BYTES;
	thread->sample_more = left - sample_own.left;
	thread->sample_piece = sample_own.left;
	return true;
}

/* What is seldom needed: a sample, or the first of a thread. */
static __attribute__((noinline)) int sample_due(struct recorder_thread *thread, uint64_t size)
{
	const int code = (int)thread->sample_code;

	if (sample_passes(thread, size ? size : 1))
		return SAMPLE_NOT;
	sample_begin(thread);
	return code;
}

int sample_take(struct recorder_thread *thread, uint64_t size)
{
	const uint64_t control = load_relaxed(&recorder.process->control);

	if (unlikely(control != sample_own.seen || control != load_relaxed(&sample_applied)))
		sample_turn(thread, control);
	if (likely(!recorder_rate() && (!thread || !thread->sample_code)))
		return 0;
	if (!thread || recorder_rate() & STORE_RATE_OFF || sample_skips(size))
		return SAMPLE_NOT;
	return sample_due(thread, size);
}

/* --- the process ------------------------------------------------------------------------------ */

void sample_setup(void)
{
	sample_applied = 0;
	sample_apply();
	recorder_life->control = &recorder.process->control;
	if (recorder_rate() || overhead_on)
		live_filter_setup();
}

/*
 * What was applied is the parent's at the fork; what the slot begins with, the parent's now. So it
 * is applied again, and drawn anew.
 */
void sample_child(void)
{
	sample_applying = 0;
	overhead_child();
	sample_applied = ~load_relaxed(&recorder.process->control);
	sample_own.seen = sample_applied;
	sample_apply();
	store_release(&recorder_life->control, (const uint64_t *)&recorder.process->control);
}

void sample_stand_down(void)
{
	store_release(&recorder_life->control, &sample_control_never);
	live_stand_down();
}
