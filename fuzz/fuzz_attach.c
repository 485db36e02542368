/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A damaged depot file. The input is a list of changes to a good one: 4 bytes each, where and what;
 * or, if its first byte is 255, the file itself. Whatever it says, everything may be asked of it.
 */
#include <stdlib.h>
#include <string.h>

#include "examine.h"
#include "fuzz.h"
#include "trace.h"

enum { BYTES = 16384 };

static unsigned char good[BYTES] __attribute__((aligned(64)));

static void make_good(void)
{
	struct stackdepot_options options = {
		.max_bytes = BYTES + 4096, .ring_entries = 16, .buckets = 16, .seed = 1};
	struct stackdepot_event event = {.address = 0x1000};
	uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	struct stackdepot *depot = NULL;
	uint64_t id;

	if (stackdepot_create_at(&options, good, &depot))
		abort();
	for (id = 0; id < 300; id++) {
		event.trace = stackdepot_ref(
			depot, stackdepot_save(depot, frames, trace_make(id, 40, frames), 0));
		event.address += 16;
		(void)stackdepot_ring_record(depot, &event);
	}
	stackdepot_destroy(depot);
}

/* Two bytes say where, one how, one what. */
static void change(unsigned char *image, const uint8_t *data)
{
	size_t at = ((size_t)data[0] << 8 | data[1]) % BYTES;

	switch (data[2] % 4) {
	case 0:
		image[at] = data[3];
		break;
	case 1:
		image[at] ^= (unsigned char)(1u << data[3] % 8);
		break;
	case 2: /* one line over another */
		memmove(image + at / 64 * 64, image + data[3] * 64u % BYTES, 64);
		break;
	default:
		memset(image + at, data[3], BYTES - at < 8 ? BYTES - at : 8);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* On the heap, so that a sanitizer sees the first byte beyond. */
	size_t bytes = size && data[0] == 255 ? size - 1 : BYTES;
	unsigned char *image = aligned_alloc(64, (bytes + 64) / 64 * 64);
	struct stackdepot *depot;
	size_t i;

	if (!good[0])
		make_good();
	if (!image)
		return 0;
	if (bytes == BYTES) {
		memcpy(image, good, BYTES);
		for (i = 0; i + 4 <= size; i += 4)
			change(image, data + i);
	} else {
		memcpy(image, data + 1, bytes);
	}
	if (!stackdepot_attach_at(image, bytes, &depot)) {
		(void)examine(depot);
		(void)stackdepot_check(depot);
		stackdepot_destroy(depot);
	}
	free(image);
	return 0;
}
