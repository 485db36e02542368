// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* measured.c - what another CPU measured of a depot, on the kernel's side: for test_reserve.c. */
#include "glue.h"
#include "memory.h"

void measured_ahead(long saved, long added);

/* Somebody has measured when so many more were saved, and lines added, than the counters say. */
void measured_ahead(long saved, long added)
{
	struct depot_memory *memory = container_of(glue_depot(), struct depot_memory, depot);
	atomic64_t *counters = memory->depot.header->counters;

	memory->measured_saved = (u64)atomic64_read(&counters[COUNT_SAVED]) + saved;
	memory->measured_added = (u64)atomic64_read(&counters[COUNT_LINES_ADDED]) + added;
}
