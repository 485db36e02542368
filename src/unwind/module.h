/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Whose code an address is, and whether what was learned of that code still holds.
 *
 *   permanent   the program and what it was linked with: never unloaded, so a rule learned once
 *               is right for ever
 *   unloadable  came with dlopen(), may go with dlclose() and have its addresses taken by
 *               another; told apart by an id that stands for (link map, addresses, build-id).
 *               Without a build-id it has no id, and nothing of it is kept
 *   registered  code a JIT announced; its id is new with each registration
 *
 * Ids are never given twice, so rules filed under an id are never anybody else's.
 */
#ifndef UNWIND_MODULE_H
#define UNWIND_MODULE_H

#include "cfi.h"

#define MODULE_IDS 0xffff /* after so many nothing more is kept */

/* All that tells one unloadable module from another. Written once, never freed. */
struct unwind_identity;

struct unwind_module {
	uintptr_t start; /* this is the answer for addresses in [start, end) */
	uintptr_t end;
	uintptr_t base; /* addresses within the module count from here */
	struct unwind_bytes bytes;
	const uint8_t *header; /* .eh_frame_hdr; NULL for registered code */
	const struct unwind_identity *identity; /* unloadable with an id; or NULL */
	uint32_t id; /* 0: keep nothing */
	uint32_t slot; /* registered code: which */
	bool permanent;
};

/* unwind_module_find() - the module with @pc in its code; false if there is none. */
bool unwind_module_find(uintptr_t pc, struct unwind_module *ret_module);

/* unwind_module_row() - the row for @pc, which is in @module. 0, -ENOENT, -EBADMSG. */
int unwind_module_row(const struct unwind_module *module, uintptr_t pc, struct unwind_row *ret_row,
		      bool *ret_signal);

/* unwind_module_id() - an id nobody had before, or 0 when there are no more. */
uint32_t unwind_module_id(void);

/* unwind_module_is_permanent() - is @code in one that can never be unloaded? */
bool unwind_module_is_permanent(uintptr_t code);

/* The loader's side: which link maps are permanent, and the identities of the others, or NULL. */
bool unwind_loader_is_permanent(const void *link_map);
const struct unwind_identity *unwind_loader_identity(const void *link_map,
						     const struct unwind_module *module);
uint32_t unwind_identity_id(const struct unwind_identity *identity);

/* unwind_identity_key() - what the rule of @pc is filed under, if @pc is in that module. */
bool unwind_identity_key(const struct unwind_identity *identity, uintptr_t pc, uint64_t *ret_key);

/* unwind_identity_has() - is @code in that module? */
bool unwind_identity_has(const struct unwind_identity *identity, uintptr_t code);

/* unwind_identity_holds() - is that module loaded, now, where it was? */
bool unwind_identity_holds(const struct unwind_identity *identity);
uint64_t unwind_loader_modules(void);

/* The JITs' side: unwind_registered_pin() says whether @id is still there, and keeps it until it is
 * unpinned. */
bool unwind_registered_find(uintptr_t pc, struct unwind_module *ret_module);
bool unwind_registered_pin(uint32_t slot, uint32_t id);
void unwind_registered_unpin(uint32_t slot);

#endif
