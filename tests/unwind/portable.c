/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include <dlfcn.h>
#include <link.h>

#include "portable.h"
#include "stackdepot/unwind.h"

#define NUMBER_SHIFT 40

unsigned int portable_asked;

static uint64_t hash_word(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
	return hash ^ hash >> 32;
}

/* Of its name and place; 23 bits, as the highest one says that there is no module. */
static uintptr_t number_of(const struct dl_find_object *found)
{
	const char *name = found->dlfo_link_map->l_name;
	uint64_t hash = hash_word(1, (uintptr_t)found->dlfo_map_start);

	hash = hash_word(hash, (uintptr_t)found->dlfo_map_end);
	for (; *name; name++)
		hash = hash_word(hash, (uint8_t)*name);
	return hash >> 41;
}

static bool find(uintptr_t code, struct stackdepot_unwind_module *ret_module)
{
	struct dl_find_object found;

	if (_dl_find_object((void *)code, &found))
		return false;
	ret_module->start = (uintptr_t)found.dlfo_map_start;
	ret_module->end = (uintptr_t)found.dlfo_map_end;
	ret_module->delta = (number_of(&found) << NUMBER_SHIFT) - ret_module->start;
	return true;
}

static uintptr_t other(uintptr_t address)
{
	return address | (uintptr_t)1 << 63;
}

static bool ask(uintptr_t code, struct stackdepot_unwind_module *ret_module)
{
	(void)__atomic_fetch_add(&portable_asked, 1, __ATOMIC_RELAXED);
	return find(code, ret_module);
}

uintptr_t portable_frame(uintptr_t pc)
{
	struct stackdepot_unwind_module module;

	return find(pc - 1, &module) ? pc + module.delta : other(pc);
}

uint32_t portable_differs(const uintptr_t *plain, const uintptr_t *portable, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr && portable[i] == portable_frame(plain[i]); i++)
		;
	return i;
}

void portable_setup(void)
{
	static const struct stackdepot_unwind_portable by = {ask, other};

	stackdepot_unwind_portable_by(&by);
}
