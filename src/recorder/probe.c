/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* probe.c - the tracepoints: an instruction that does nothing each, and a note that tells of it. */
#define _SDT_HAS_SEMAPHORES 1
#define STAP_SDT_ARG_CONSTRAINT r /* not in memory, where clang would have them */
#include <sys/sdt.h>

#include "live_table.h"
#include "probe.h"
#include "recorder.h"
#include "weight.h"

/* Compiled to assembly that speaks of them by name, so they stay and keep it. */
#define SEMAPHORE __attribute__((used, section(".probes")))

volatile unsigned short otel_memory_alloc_semaphore SEMAPHORE;
volatile unsigned short otel_memory_free_semaphore SEMAPHORE;

/*
 * The arguments lie where a function's first ones do: the notes say so, and OpenTelemetry's
 * profiler takes them from there without reading the notes.
 */
static __attribute__((noinline, cold)) void probe_alloc_point(uint64_t address, uint64_t size,
							      uint64_t weight)
{
	STAP_PROBE3(otel_memory, alloc, address, size, weight);
}

__attribute__((noinline, cold)) void probe_alloc_fire(uint64_t place,
						      const struct live_object *object)
{
	const unsigned int rate_code = stackdepot_get_extra_bits(object->handle);
	const uint64_t weight = weight_of(object->size, rate_code);

	probe_alloc_point(store_key_address(place), object->size,
			  (object->size * weight + 128) >> 8);
}

__attribute__((noinline, cold)) void probe_free_fire(uint64_t address)
{
	STAP_PROBE1(otel_memory, free, address);
}
