/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>

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
	module.header = object.dlfo_eh_frame;
	module.slot = 0;
	module.permanent = unwind_loader_is_permanent(object.dlfo_link_map);
	module.id = module.permanent ? 0 : unwind_loader_id(object.dlfo_link_map, &module);
	*ret_module = module;
	return true;
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
