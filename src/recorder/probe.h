/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * probe.h - tracepoints (USDT) for a profiler outside of the process.
 *
 *	otel_memory:alloc(ptr, size, weight)	an object was entered in the table of live objects
 *	otel_memory:free(ptr)			it left that
 *
 * As OpenTelemetry's eBPF profiler has them (its design document 00003). The weight is the bytes
 * that the object stands for: its own while every object is recorded, else those divided by the
 * probability that it was taken. An object that fails to be reallocated leaves and enters again.
 * What thinning takes out of a full table leaves, too, unless it is another process that thins; and
 * the weight of what stays, told before, is too low from then on.
 *
 * Whoever listens raises a semaphore in this process; as long as nobody does, a probe is one
 * comparison.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdint.h>

struct live_object;

/* Written by the kernel. A probe's note names them, so these are their names. */
extern volatile unsigned short otel_memory_alloc_semaphore __attribute__((visibility("hidden")));
extern volatile unsigned short otel_memory_free_semaphore __attribute__((visibility("hidden")));

void probe_alloc_fire(uint64_t place, const struct live_object *object);
void probe_free_fire(uint64_t address);

/* Before another thread can see the object. */
static inline void probe_alloc(uint64_t place, const struct live_object *object)
{
	if (__builtin_expect(otel_memory_alloc_semaphore, 0))
		probe_alloc_fire(place, object);
}

/* Before the address can be another object's. */
static inline void probe_free(uint64_t address)
{
	if (__builtin_expect(otel_memory_free_semaphore, 0))
		probe_free_fire(address);
}

#endif
