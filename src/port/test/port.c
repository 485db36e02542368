/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* port.c - the test port's store buffers and memory. */
#include <stdio.h>
#include <stdlib.h>

#include "geometry.h"

void (*port_test_hook)(const void *word, bool write);
bool port_test_late_stores;
unsigned int port_test_thread;
struct port_test_buffer port_test_buffers[PORT_TEST_THREADS];
unsigned long port_test_fail_populate;
unsigned long port_test_fail_scratch;
unsigned long port_test_fail_create;

void port_test_flush(void)
{
	struct port_test_buffer *buffer = &port_test_buffers[port_test_thread];
	u32 i;

	for (i = 0; i < buffer->nr; i++)
		port_test_put(buffer->stores[i].word, buffer->stores[i].value,
			      buffer->stores[i].bytes);
	buffer->nr = 0;
}

/* Buffers are finite: a full one is emptied. */
void port_test_buffer_store(void *word, u64 value, u32 bytes)
{
	struct port_test_buffer *buffer = &port_test_buffers[port_test_thread];

	if (buffer->nr == PORT_TEST_BUFFERED)
		port_test_flush();
	buffer->stores[buffer->nr++] = (struct port_test_store){word, value, bytes};
}

/* Each word of a depot is stored and loaded in one size within a life. Newest first. */
bool port_test_buffer_load(const void *word, u64 *ret_value)
{
	const struct port_test_buffer *buffer = &port_test_buffers[port_test_thread];
	u32 i;

	for (i = buffer->nr; i; i--)
		if (buffer->stores[i - 1].word == word) {
			*ret_value = buffer->stores[i - 1].value;
			return true;
		}
	return false;
}

bool port_test_may_fail(unsigned long *countdown)
{
	return *countdown && !--*countdown;
}

void port_test_bad_line(u32 number)
{
	(void)fprintf(stderr, "test port: there is no line %u\n", (unsigned int)number);
	abort();
}

void *port_test_scratch_get(size_t bytes)
{
	return port_test_may_fail(&port_test_fail_scratch) ? NULL : calloc(1, bytes);
}

void port_test_scratch_put(void *memory)
{
	free(memory);
}

static void *port_test_block(struct stackdepot *depot)
{
	return (char *)depot + DEPOT_PRIVATE_BYTES;
}

int stackdepot_create(const struct stackdepot_options *options, struct stackdepot **ret_depot)
{
	struct depot_geometry geometry;
	struct stackdepot *depot = NULL;
	int error = depot_plan(options, 1, &geometry);

	if (error)
		return error;
	if (!port_test_may_fail(&port_test_fail_create))
		depot = aligned_alloc(DEPOT_CACHE_BYTES,
				      DEPOT_PRIVATE_BYTES + geometry.total_bytes);
	if (!depot)
		return -ENOMEM;
	memset(depot, 0, DEPOT_PRIVATE_BYTES + geometry.total_bytes);
	depot_format(port_test_block(depot), &geometry);
	error = depot_open(depot, port_test_block(depot), geometry.total_bytes);
	if (error)
		free(depot);
	else
		*ret_depot = depot;
	return error;
}

void stackdepot_destroy(struct stackdepot *depot)
{
	free(depot);
}
