/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A perf map or a jitdump that anybody may have written: the first byte tells which. What it says
 * is looked up at each number in it, and a second file behind the first must not change what is
 * found where it says nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "symbols/code_names.h"

static void look(struct code_names *names, const uint8_t *data, size_t size)
{
	uint64_t address;
	size_t at;

	for (at = 0; at + sizeof(address) <= size; at++) {
		const char *name;

		memcpy(&address, data + at, sizeof(address));
		name = code_names_find(names, address);
		if (name && (!*name || strchr(name, '\n')))
			abort();
	}
	for (address = 0; address < 4096; address++)
		(void)code_names_find(names, address);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct code_names *names = code_names_open();
	const char *bytes = (const char *)data + 1;
	const char *before;

	if (size < 1) {
		code_names_close(names);
		return 0;
	}
	if (*data & 1)
		code_names_map(names, bytes, size - 1);
	else
		code_names_dump(names, bytes, size - 1);
	look(names, data + 1, size - 1);
	before = code_names_find(names, 0x7000);
	code_names_map(names, "ffffffff00000000 10 elsewhere\n", 30);
	if (code_names_find(names, 0x7000) != before)
		abort();
	code_names_close(names);
	return 0;
}
