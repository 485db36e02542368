/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * count.c - preloaded under the tool: how often it asks elfutils for what costs most.
 *
 * At its end one line each is appended to the file that COUNT_FILE names: symbol tables that were
 * read, and addresses of which the line was looked up.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned long tables;
static unsigned long addresses;

int dwfl_module_getsymtab(void *module);
void *dwarf_getsrc_die(void *unit, uint64_t address);

int dwfl_module_getsymtab(void *module)
{
	int (*next)(void *) = (int (*)(void *))dlsym(RTLD_NEXT, "dwfl_module_getsymtab");

	tables++;
	return next(module);
}

void *dwarf_getsrc_die(void *unit, uint64_t address)
{
	void *(*next)(void *, uint64_t) =
		(void *(*)(void *, uint64_t))dlsym(RTLD_NEXT, "dwarf_getsrc_die");

	addresses++;
	return next(unit, address);
}

__attribute__((destructor)) static void count_end(void)
{
	const char *file = getenv("COUNT_FILE");
	FILE *out = file ? fopen(file, "a") : NULL;

	if (!out)
		return;
	fprintf(out, "tables %lu\naddresses %lu\n", tables, addresses);
	fclose(out);
}
