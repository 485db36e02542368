/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* modules.c - which file a frame came from. */
#include <stdbool.h>

#include "reader.h"

/* Copy a record; false if it is not valid. Its lengths are made true, its path ended. */
static bool module_copy(struct stackdepot_store *store, uint64_t number)
{
	const struct store_module *from = store_at(store, store->layout.modules_offset);
	struct store_module *module = &store->module;

	if (__atomic_load_n(&from[number].state, __ATOMIC_ACQUIRE) != 1)
		return false;
	*module = from[number];
	if (module->build_id_bytes > STORE_BUILD_ID_BYTES)
		module->build_id_bytes = STORE_BUILD_ID_BYTES;
	if (module->path_bytes >= STORE_PATH_BYTES)
		module->path_bytes = STORE_PATH_BYTES - 1;
	module->path[module->path_bytes] = '\0';
	return true;
}

static void module_export(const struct store_module *from, struct stackdepot_module *ret_module)
{
	*ret_module = (struct stackdepot_module){
		.start = from->start,
		.end = from->end,
		.bias = from->bias,
		.load_ns = from->load_ns,
		.unload_ns = from->unload_ns,
		.tag = from->tag,
		.build_id_bytes = from->build_id_bytes,
		.build_id = from->build_id,
		.file_bytes = from->file_bytes,
		.file_mtime_ns = from->file_mtime_ns,
		.file_inode = from->file_inode,
		.path = from->path,
	};
}

int stackdepot_store_next_module(struct stackdepot_store *store, uint64_t *position,
				 struct stackdepot_module *ret_module)
{
	while (*position < store->layout.modules) {
		if (!module_copy(store, (*position)++))
			continue;
		module_export(&store->module, ret_module);
		return 1;
	}
	return 0;
}

int stackdepot_store_module(struct stackdepot_store *store, uint64_t frame,
			    struct stackdepot_module *ret_module)
{
	const uint64_t address = stackdepot_frame_address(frame);
	uint64_t number;

	for (number = 0; number < store->layout.modules; number++) {
		if (!module_copy(store, number))
			continue;
		if (address >= store->module.start && address < store->module.end &&
		    store->module.tag == frame >> 48) {
			module_export(&store->module, ret_module);
			return 1;
		}
	}
	return 0;
}
