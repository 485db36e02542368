/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A name from a symbol table, of whatever language: what comes out is bounded and clean. */
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "fuzz.h"
#include "symbols/demangle.h"
#include "symbols/names.h"

#define PLAIN_BYTES (2u << 16) /* as demangle.c bounds it, in D */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *name = malloc(size + 1), *plain, *again;
	struct names *names = names_open();
	const char *shown;

	if (!name)
		return 0;
	memcpy(name, data, size);
	name[size] = '\0';
	plain = demangle(name);
	again = demangle(name);
	if (!plain != !again || (plain && (strcmp(plain, again) || strlen(plain) > PLAIN_BYTES)))
		abort();
	shown = names_function(names, name);
	if (!clean_is(shown) || strlen(shown) > CLEAN_BYTES || shown != names_function(names, name))
		abort();
	names_close(names);
	free(plain);
	free(again);
	free(name);
	return 0;
}
