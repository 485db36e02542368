/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* x86_lengths: of each line of hexadecimal bytes, how long its first instruction is; 0: unknown. */
#include <stdio.h>
#include <string.h>

#include "x86_decode.h"

int main(void)
{
	char line[256];

	while (fgets(line, sizeof(line), stdin)) {
		struct x86_instruction instruction = {.bytes = 0};
		uint8_t code[X86_MAX_BYTES + 1] = {0};
		unsigned int byte;
		int used, at = 0;
		size_t nr = 0;

		while (nr < sizeof(code) && sscanf(line + at, "%2x%n", &byte, &used) == 1) {
			code[nr++] = (uint8_t)byte;
			at += used;
		}
		if (!x86_decode(code, sizeof(code), &instruction))
			instruction.bytes = 0;
		printf("%u %d\n", instruction.bytes, instruction.relative);
	}
	return 0;
}
