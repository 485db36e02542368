/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * overhead.c - recording takes no more than its share of the CPU time.
 *
 * Events are timed, by a cycle counter: all of them where objects are sampled, else one in
 * OVERHEAD_TIMED, which stands for the others. A few times a second somebody compares the sum with
 * the process's CPU time, and sets the rate: coarser by as much as the share was missed, finer by
 * steps, while there is room for twice as much. What was spent too much is a debt, which is paid
 * back before the rate gets finer.
 *
 *	share > target	the code of the rate goes up by log2(share / target), rounded up, 3 at most
 *	share < target	it goes down, if after that it would not be too high; 0 is every object
 *
 * What a call takes that is not recorded is in the sum, too. Nobody looks at a clock then, or
 * counts: their bytes are known, how many objects a byte has is what the recorded ones say, and the
 * time of one is measured beforehand. A program may also ask for the size of each block, which
 * takes half as much: it asks as often as it does of recorded ones. All this is spent whatever the
 * rate, so only the rest of the share is left for events; if there is none, a quarter of it all the
 * same, or nothing would be seen.
 *
 * A clock around an event does not see all of its price: what is seldom run comes from far away,
 * and what it displaced does so afterwards. Against the same work without a recorder, at the same
 * time on the same processor (bench/prices), an event took 0.6 to 1 µs more than was timed, and a
 * call that is not recorded two to four times what it takes in a loop of its own. That is added.
 */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "filter.h"
#include "guard.h"
#include "overhead.h"
#include "sample.h"
#include "weight.h"

#define OVERHEAD_FIRST_CODE 14u	       /* the rate to begin with: 512 KiB */
#define OVERHEAD_EVERY_NS 100000000ull /* from look to look */
#define OVERHEAD_LEAST_NS 2000000ull   /* too little to say anything about, */
#define OVERHEAD_ENOUGH_NS 50000000ull /* unless much was spent, so is this */
#define OVERHEAD_LONG_TICKS 100000ull  /* an event that took longer was interrupted */
#define OVERHEAD_COLD_NS 800.0	       /* beyond the time of an event that is alone; */
#define OVERHEAD_COLD_PART 4ull	       /* of others, such a part of what lies between them */
#define OVERHEAD_PASS_COLD 2.5	       /* times what a call that is not recorded takes in a loop */
#define OVERHEAD_DEBT_NS 2e9 /* what CPU time's share is saved at most, to be spent later */
#define OVERHEAD_FINER 0.8   /* of the target is what a finer rate may take */
#define OVERHEAD_UNIT 1e-5   /* the target is in thousandths of a percent */
#define OVERHEAD_TRIES 16u   /* measurements of a call that is not recorded, the least counts, */
#define OVERHEAD_CALLS 64u   /* of so many calls each */
#define OVERHEAD_RECENT 64u  /* objects that say how many there are in a byte */
#define OVERHEAD_ASKS 16.0   /* so often an object is asked for its size, at most */

bool overhead_on;

static struct {
	uint32_t lock;
	uint64_t spent;	  /* cycles, since the last look */
	uint64_t allowed; /* so many are a reason to look early */
	uint64_t cold;	  /* OVERHEAD_COLD_NS in cycles */
	uint64_t bytes;	  /* of objects that were not recorded, since then */
	uint64_t dense;	  /* objects in 2^32 bytes */
	uint32_t samples; /* that say that, up to OVERHEAD_RECENT */
	uint64_t objects; /* recorded of late, each as so many as it stands for by its size, */
	uint64_t asks;	  /* and how often they were asked for it, likewise */
	uint64_t coarse_ns;
	/* At the last look. */
	uint64_t ticks;
	uint64_t ns;
	uint64_t cpu_ns;
	double target;
	double pass_ticks; /* to allocate and free an object that is not recorded */
	double debt_ns;	   /* spent beyond the target; below 0: saved */
} overhead;

static uint64_t overhead_clock(clockid_t clock)
{
	struct timespec now = {0, 0};

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Of a process whose filter denies that: as if it ran all the time, with one thread. */
static uint64_t overhead_cpu_ns(void)
{
	return overhead_clock(filter_allows(FILTER_CLOCK) ? CLOCK_PROCESS_CPUTIME_ID
							  : CLOCK_MONOTONIC);
}

static void overhead_mark(uint64_t ns, uint64_t cpu_ns)
{
	overhead.ticks = overhead_ticks();
	overhead.ns = ns;
	overhead.cpu_ns = cpu_ns;
	store_relaxed(&overhead.coarse_ns, recorder_now_ns());
}

/* What the hooks do before they go on to the allocator. */
static __attribute__((noinline)) bool overhead_passes(const void *pointer, uint64_t size)
{
	return sample_skips(size) && live_skips(pointer);
}

static uint64_t overhead_time_passes(void)
{
	const uint64_t begin = overhead_ticks();
	uint32_t i;

	for (i = 0; i < OVERHEAD_CALLS; i++)
		(void)overhead_passes(&overhead, 1);
	return overhead_ticks() - begin;
}

static double overhead_measure(void)
{
	const uint64_t left = sample_own.left;
	uint64_t least = UINT64_MAX, ticks;
	uint32_t i;

	for (i = 0; i < OVERHEAD_TRIES; i++) {
		sample_own.left = OVERHEAD_CALLS + 1;
		ticks = overhead_time_passes();
		least = ticks < least ? ticks : least;
	}
	sample_own.left = left;
	return OVERHEAD_PASS_COLD * (double)least / OVERHEAD_CALLS;
}

uint64_t overhead_begin(uint64_t thousandths)
{
	overhead.pass_ticks = overhead_measure();
	overhead.bytes = 0;
	overhead.samples = 0;
	overhead.objects = 0;
	overhead.asks = 0;
	overhead.target = (double)thousandths * OVERHEAD_UNIT;
	overhead.debt_ns = 0;
	overhead.spent = 0;
	/* Until a look has told what a cycle is. */
	overhead.allowed = OVERHEAD_LONG_TICKS;
	overhead.cold = 0;
	overhead_mark(overhead_clock(CLOCK_MONOTONIC), overhead_cpu_ns());
	store_release(&overhead_on, true);
	return weight_rate(OVERHEAD_FIRST_CODE);
}

void overhead_end(void)
{
	store_relaxed(&overhead_on, false);
}

void overhead_child(void)
{
	overhead.lock = 0;
}

/* A few steps a time: much more is a moment of the program's start, or of the machine's. */
static unsigned int overhead_coarser(unsigned int code, double excess)
{
	unsigned int steps;

	for (steps = 0; steps < 3 && excess > 1 && code < ENTRY_MAX_RATE_CODE; steps++) {
		excess /= 2;
		code++;
	}
	return code;
}

/* Step by step, as what is fine for a moment may be a burst in the next. */
static unsigned int overhead_finer(unsigned int code, double share)
{
	unsigned int steps;

	for (steps = 0; steps < 3 && code && share * 2 < OVERHEAD_FINER; steps++) {
		share *= 2;
		code--;
	}
	return code;
}

static void overhead_set(double spent_ns, double pass_ns, double cpu_ns)
{
	const double rest = overhead.target - pass_ns / cpu_ns;
	const double target = rest > overhead.target / 4 ? rest : overhead.target / 4;
	const double share = spent_ns / cpu_ns / target;
	const unsigned int before = weight_code(recorder.process->sample_bytes);
	unsigned int code = before;

	overhead.debt_ns += spent_ns - target * cpu_ns;
	if (overhead.debt_ns < -OVERHEAD_DEBT_NS * overhead.target)
		overhead.debt_ns = -OVERHEAD_DEBT_NS * overhead.target;
	if (share > 1)
		code = overhead_coarser(code, share);
	else if (overhead.debt_ns <= 0)
		code = overhead_finer(code, share);
	if (code != before)
		sample_set(weight_rate(code));
}

/* An object that is not recorded is allocated, freed, and asked for its size. */
static double overhead_calls(void)
{
	const double objects = (double)load_relaxed(&overhead.objects);
	const double asks = objects ? (double)load_relaxed(&overhead.asks) / objects : 0;

	return 1 + (asks < OVERHEAD_ASKS ? asks : OVERHEAD_ASKS) / 2;
}

static void overhead_look_locked(void)
{
	const uint64_t ns = overhead_clock(CLOCK_MONOTONIC), cpu_ns = overhead_cpu_ns();
	const uint64_t ticks = overhead_ticks(), spent = load_relaxed(&overhead.spent);
	const double cycle = (double)(ns - overhead.ns) / (double)(ticks - overhead.ticks + 1);
	const uint64_t bytes = load_relaxed(&overhead.bytes);
	const double spent_ns = (double)spent * cycle;
	const double objects = (double)bytes * (double)load_relaxed(&overhead.dense) / 0x1p32;
	const double pass_ns = objects * overhead_calls() * overhead.pass_ticks * cycle;
	const double elapsed_ns = (double)(cpu_ns - overhead.cpu_ns);

	const double least_ns =
		spent > load_relaxed(&overhead.allowed) ? OVERHEAD_LEAST_NS : OVERHEAD_ENOUGH_NS;

	if (ns - overhead.ns < OVERHEAD_LEAST_NS / 2 ||
	    (elapsed_ns < least_ns && ns - overhead.ns < 10 * OVERHEAD_EVERY_NS)) {
		store_relaxed(&overhead.coarse_ns, recorder_now_ns());
		return;
	}
	(void)fetch_add_relaxed(&overhead.spent, 0 - spent);
	(void)fetch_add_relaxed(&overhead.bytes, 0 - bytes);
	recorder_count(&recorder_counts()->cpu_ns, (uint64_t)elapsed_ns);
	recorder_count(&recorder_counts()->recorder_ns, (uint64_t)(spent_ns + pass_ns));
	if (elapsed_ns > 0)
		overhead_set(spent_ns, pass_ns, elapsed_ns);
	store_relaxed(&overhead.allowed,
		      (uint64_t)(2 * overhead.target * (double)OVERHEAD_EVERY_NS / cycle));
	store_relaxed(&overhead.cold, (uint64_t)(OVERHEAD_COLD_NS / cycle));
	overhead_mark(ns, cpu_ns);
}

static __attribute__((noinline)) void overhead_look(void)
{
	if (__atomic_exchange_n(&overhead.lock, 1, __ATOMIC_ACQUIRE))
		return;
	overhead_look_locked();
	store_release(&overhead.lock, 0);
}

/* Large ones are sampled more often, so each counts for so many. */
static uint64_t overhead_density(uint64_t size)
{
	return (1ull << 32) / (size ? size : 1);
}

/* Of several threads at once, one may be forgotten. */
__attribute__((noinline)) void overhead_sample(uint64_t size)
{
	const uint32_t samples = load_relaxed(&overhead.samples) + 1;
	const int64_t dense = samples > 1 ? (int64_t)load_relaxed(&overhead.dense) : 0;
	const int64_t here = (int64_t)overhead_density(size);

	store_relaxed(&overhead.dense, (uint64_t)(dense + (here - dense) / samples));
	(void)fetch_add_relaxed(&overhead.objects, (uint64_t)here);
	if (samples < OVERHEAD_RECENT) {
		store_relaxed(&overhead.samples, samples);
		return;
	}
	/* What was long ago counts less. */
	store_relaxed(&overhead.samples, OVERHEAD_RECENT / 2);
	store_relaxed(&overhead.objects, load_relaxed(&overhead.objects) / 2);
	store_relaxed(&overhead.asks, load_relaxed(&overhead.asks) / 2);
}

void overhead_ask(uint64_t size)
{
	if (load_relaxed(&overhead_on))
		(void)fetch_add_relaxed(&overhead.asks, overhead_density(size));
}

void overhead_count(uint64_t bytes)
{
	(void)fetch_add_relaxed(&overhead.bytes, bytes);
}

void overhead_pass(void)
{
	if (!load_relaxed(&overhead_on))
		return;
	if (load_relaxed(&overhead.spent) > load_relaxed(&overhead.allowed) ||
	    recorder_now_ns() - load_relaxed(&overhead.coarse_ns) >= OVERHEAD_EVERY_NS)
		overhead_look();
}

/* Where every object is recorded, all is at hand. */
static uint64_t overhead_cold(uint64_t between)
{
	const uint64_t most = load_relaxed(&overhead.cold);

	if (!recorder_rate())
		return 0;
	return between / OVERHEAD_COLD_PART < most ? between / OVERHEAD_COLD_PART : most;
}

__attribute__((noinline)) void overhead_spend(uint64_t since, uint64_t *last)
{
	const uint64_t now = overhead_ticks();
	uint64_t ticks = now - since + overhead_cold(since - *last);

	if (ticks > OVERHEAD_LONG_TICKS)
		ticks = OVERHEAD_LONG_TICKS;
	*last = now;
	(void)fetch_add_relaxed(&overhead.spent, recorder_rate() ? ticks : ticks * OVERHEAD_TIMED);
	overhead_pass();
}
