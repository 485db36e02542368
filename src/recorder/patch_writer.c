/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include <string.h>

#include "patch.h"

void patch_put(struct patch_writer *writer, const void *bytes, size_t nr)
{
	if ((size_t)(writer->end - writer->at) < nr) {
		writer->failed = true;
		return;
	}
	memcpy(writer->at, bytes, nr);
	writer->at += nr;
}

void patch_put_word(struct patch_writer *writer, uint32_t word)
{
	patch_put(writer, &word, sizeof(word));
}

void patch_put_address(struct patch_writer *writer, uintptr_t address)
{
	patch_put(writer, &address, sizeof(address));
}
