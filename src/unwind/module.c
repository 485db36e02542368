/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <sys/auxv.h>

#include "module.h"

static _Atomic uint32_t ids;

uint32_t unwind_module_id(void)
{
	uint32_t id = atomic_load_explicit(&ids, memory_order_relaxed);

	do {
		if (id == MODULE_IDS)
			return 0;
	} while (!atomic_compare_exchange_weak_explicit(&ids, &id, id + 1, memory_order_relaxed,
							memory_order_relaxed));
	return id + 1;
}

/*
 * The kernel maps the program's segments with holes between them, and then the loader tells but
 * the one that was asked for. This is from the first to the last.
 */
static bool program_bytes(struct unwind_bytes *ret_bytes)
{
	const ElfW(Phdr) *headers = (const void *)getauxval(AT_PHDR);
	unsigned long i, nr = getauxval(AT_PHNUM);
	uintptr_t bias = 0, start = UINTPTR_MAX, end = 0;

	for (i = 0; headers && i < nr; i++) {
		if (headers[i].p_type == PT_PHDR)
			bias = (uintptr_t)headers - headers[i].p_vaddr;
	}
	for (i = 0; headers && i < nr; i++) {
		uintptr_t at = bias + headers[i].p_vaddr;

		if (headers[i].p_type != PT_LOAD)
			continue;
		if (at < start)
			start = at;
		if (at + headers[i].p_memsz > end)
			end = at + headers[i].p_memsz;
	}
	ret_bytes->start = (const uint8_t *)start;
	ret_bytes->end = (const uint8_t *)end;
	return start < end;
}

bool unwind_module_find(uintptr_t pc, struct unwind_module *ret_module)
{
	struct unwind_module module;
	struct dl_find_object object;

	if (unwind_registered_find(pc, ret_module))
		return true;
	if (_dl_find_object((void *)pc, &object) || !object.dlfo_eh_frame)
		return false;
	module.start = (uintptr_t)object.dlfo_map_start;
	module.end = (uintptr_t)object.dlfo_map_end;
	module.base = module.start;
	module.bytes.start = object.dlfo_map_start;
	module.bytes.end = object.dlfo_map_end;
	module.bytes.moved = 0;
	module.header = object.dlfo_eh_frame;
	if (!bytes_contain(&module.bytes, module.header, 4) && !program_bytes(&module.bytes))
		return false;
	module.slot = 0;
	module.permanent = unwind_loader_is_permanent(object.dlfo_link_map);
	module.identity = NULL;
	if (!module.permanent)
		module.identity = unwind_loader_identity(object.dlfo_link_map, &module);
	module.id = module.identity ? unwind_identity_id(module.identity) : 0;
	*ret_module = module;
	return true;
}

bool unwind_module_is_permanent(uintptr_t code)
{
	struct dl_find_object object;

	return !_dl_find_object((void *)code, &object) &&
	       unwind_loader_is_permanent(object.dlfo_link_map);
}

static int entry_row(const struct unwind_module *module, const struct unwind_entry *entry,
		     uintptr_t pc, struct unwind_row *ret_row, bool *ret_signal)
{
	*ret_signal = entry->is_signal;
	return unwind_cfi_row(&module->bytes, entry, pc, ret_row);
}

int unwind_module_row(const struct unwind_module *module, uintptr_t pc, struct unwind_row *ret_row,
		      bool *ret_signal)
{
	struct unwind_entry entry;
	int err;

	if (module->header) {
		err = unwind_table_find(&module->bytes, module->header, pc, &entry);
		return err ? err : entry_row(module, &entry, pc, ret_row, ret_signal);
	}
	if (!unwind_registered_pin(module->slot, module->id))
		return -ENOENT;
	err = unwind_table_scan(&module->bytes, module->bytes.start, pc, &entry);
	if (!err)
		err = entry_row(module, &entry, pc, ret_row, ret_signal);
	unwind_registered_unpin(module->slot);
	return err;
}
