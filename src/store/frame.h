/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* frame.h - the frames of traces are made here; stackdepot/store.h tells what they look like. */
#ifndef STORE_FRAME_H
#define STORE_FRAME_H

#include "stackdepot/store.h"

static inline uint64_t frame_extend(uint64_t frame)
{
	return (uint64_t)((int64_t)(frame << 16) >> 16);
}

/* What lies less than this behind the lowest address of its module has a frame there. */
#define FRAME_OFFSETS (1ull << STACKDEPOT_FRAME_OFFSET_BITS)

static inline uint64_t frame_of_module(uint32_t number, uint64_t offset)
{
	return (uint64_t)number << STACKDEPOT_FRAME_OFFSET_BITS | offset;
}

/* Of an address that does not fit, 0 is kept: another one would have a name that is not its own. */
static inline uint64_t frame_of_address(uint64_t address)
{
	address >>= STACKDEPOT_FRAME_ADDRESS_SHIFT;
	if (address >> STACKDEPOT_FRAME_ADDRESS_BITS)
		address = 0;
	return frame_extend(address | 1ull << STACKDEPOT_FRAME_ADDRESS_BITS);
}

static inline uint64_t frame_of_process(uint32_t serial)
{
	return 1ull << 32 | serial;
}

#endif
