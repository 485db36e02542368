/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* modules.c - the files that frames are in, for readers. */
#include <stdbool.h>

#include "reader.h"

/* Copy a record; false if it is not valid. Its lengths are made true, its path ended. */
static bool module_copy(struct stackdepot_store *store, uint64_t at)
{
	const struct store_module *from = store_at(store, store->layout.modules_offset);
	struct store_module *module = &store->module;

	if (__atomic_load_n(&from[at].state, __ATOMIC_ACQUIRE) != STORE_RECORD_VALID)
		return false;
	*module = from[at];
	if (module->identity.build_id_bytes > STORE_BUILD_ID_BYTES)
		module->identity.build_id_bytes = STORE_BUILD_ID_BYTES;
	if (module->path_bytes >= STORE_PATH_BYTES)
		module->path_bytes = STORE_PATH_BYTES - 1;
	module->path[module->path_bytes] = '\0';
	return true;
}

static void module_export(const struct store_module *from, uint64_t at,
			  struct stackdepot_module *ret_module)
{
	const struct store_identity *identity = &from->identity;

	*ret_module = (struct stackdepot_module){
		.number = (uint32_t)at + 1,
		.build_id_bytes = identity->build_id_bytes,
		.build_id = identity->build_id,
		.path = from->path,
		.base = identity->base,
		.bytes = identity->bytes,
		.file_bytes = identity->file_bytes,
		.file_mtime_ns = identity->file_mtime_ns,
		.file_inode = identity->file_inode,
		.file_device = identity->file_device,
	};
}

int stackdepot_store_next_module(struct stackdepot_store *store, uint64_t *position,
				 struct stackdepot_module *ret_module)
{
	while (*position < store->layout.modules) {
		const uint64_t at = (*position)++;

		if (!module_copy(store, at))
			continue;
		module_export(&store->module, at, ret_module);
		return 1;
	}
	return 0;
}

int stackdepot_store_module(struct stackdepot_store *store, uint32_t number,
			    struct stackdepot_module *ret_module)
{
	if (number - 1 >= store->layout.modules || !module_copy(store, number - 1))
		return 0;
	module_export(&store->module, number - 1, ret_module);
	return 1;
}
