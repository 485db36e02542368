/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Code that no module contains, announced with __register_frame().
 *
 * What is announced may be freed once it is taken back, by a thread that must not wait for
 * readers: one may have been interrupted by a handler that itself waits for that thread, as where a
 * collector stops the world, and after fork() it is not there any more. So a section is copied, and
 * copies are never freed.
 *
 * A fixed table. A slot is taken by changing its id from 0 to BUSY, and is open to readers once
 * the id is that of the registration. Readers pin a slot while they look at the copy:
 *
 *	reader				who takes the slot
 *	readers++  (seq_cst)		id = BUSY  (seq_cst)
 *	id == mine?  (seq_cst)		readers == 0?  (seq_cst)
 *
 * Both sides write, then read what the other wrote, so at least one sees the other: either the
 * reader finds the id gone and stays away, or the slot is left alone, and another one taken. With
 * weaker orders both could miss each other, and the copy change under the reader. A slot whose
 * reader never comes back is lost.
 */
#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "module.h"
#include "stack.h"
#include "stackdepot/unwind.h"

#define SLOTS 1024
#define BUSY UINT32_MAX
#define ROOM_BYTES 4096u
#define SECTION_MAX ((size_t)1 << 29)

struct slot {
	_Atomic uint32_t id;
	_Atomic uint32_t readers;
	uintptr_t start; /* the code */
	uintptr_t end;
	const void *section;
	struct unwind_bytes bytes; /* its copy */
	uint8_t *room;
	size_t room_bytes;
};

static struct slot slots[SLOTS];
static _Atomic uint32_t slots_used; /* none above was ever taken */

/* The end of a section is a zero where a length would be; nothing else tells it. */
static const uint8_t *section_end(const uint8_t *section)
{
	for (;;) {
		uint64_t length;
		uint32_t word;

		memcpy(&word, section, sizeof(word));
		section += sizeof(word);
		if (!word)
			return section;
		length = word;
		if (word == 0xffffffff) {
			memcpy(&length, section, sizeof(length));
			section += sizeof(length);
		}
		section += length;
	}
}

static bool section_range(const struct unwind_bytes *bytes, uintptr_t *ret_start,
			  uintptr_t *ret_end)
{
	const uint8_t *at = bytes->start, *next;
	uintptr_t start = UINTPTR_MAX, end = 0;

	for (; at; at = next) {
		struct unwind_entry entry;

		next = NULL;
		if (unwind_cfi_parse(bytes, at, &entry, &next))
			continue;
		if (entry.pc_start < start)
			start = entry.pc_start;
		if (entry.pc_end > end)
			end = entry.pc_end;
	}
	*ret_start = start;
	*ret_end = end;
	return start < end;
}

static bool slot_is_read(const struct slot *slot)
{
	return atomic_load(&slot->readers);
}

/*
 * Bytes that are mapped for it, or -ENOSPC. A walk may still have what it found in the room that
 * was too small, so that stays.
 */
static int slot_room(struct slot *slot, size_t bytes)
{
	size_t room = slot->room_bytes ? slot->room_bytes : ROOM_BYTES;
	const int saved_errno = errno;
	void *memory;

	if (bytes <= slot->room_bytes)
		return 0;
	if (bytes > SECTION_MAX || __atomic_load_n(&unwind_confined, __ATOMIC_RELAXED))
		return -ENOSPC;
	while (room < bytes)
		room *= 2;
	memory = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	errno = saved_errno;
	if (memory == MAP_FAILED)
		return -ENOSPC;
	slot->room = memory;
	slot->room_bytes = room;
	return (int)room;
}

static int slot_fill(struct slot *slot, const struct unwind_bytes *section)
{
	const size_t bytes = (size_t)(section->end - section->start);
	const int mapped = slot_room(slot, bytes);

	if (mapped < 0)
		return mapped;
	memcpy(slot->room, section->start, bytes);
	slot->bytes.start = slot->room;
	slot->bytes.end = slot->room + bytes;
	slot->bytes.moved = (uintptr_t)section->start - (uintptr_t)slot->room;
	slot->section = section->start;
	return mapped;
}

static struct slot *slot_take(void)
{
	uint32_t i;

	for (i = 0; i < SLOTS; i++) {
		uint32_t used, free_id = 0;

		if (!atomic_compare_exchange_strong(&slots[i].id, &free_id, BUSY))
			continue;
		if (slot_is_read(&slots[i])) {
			atomic_store(&slots[i].id, 0);
			continue;
		}
		used = atomic_load(&slots_used);
		while (used <= i && !atomic_compare_exchange_weak(&slots_used, &used, i + 1))
			;
		return &slots[i];
	}
	return NULL;
}

int stackdepot_unwind_register(const void *eh_frame)
{
	struct unwind_bytes bytes = {eh_frame, section_end(eh_frame), 0};
	uintptr_t start, end;
	struct slot *slot;
	uint32_t id;
	int mapped;

	if (!section_range(&bytes, &start, &end))
		return -EINVAL;
	slot = slot_take();
	if (!slot)
		return -ENOSPC;
	mapped = slot_fill(slot, &bytes);
	id = mapped < 0 ? 0 : unwind_module_id();
	if (!id) {
		atomic_store(&slot->id, 0);
		return -ENOSPC;
	}
	slot->start = start;
	slot->end = end;
	atomic_store(&slot->id, id);
	return mapped;
}

int stackdepot_unwind_deregister(const void *eh_frame)
{
	uint32_t i, used = atomic_load(&slots_used);

	for (i = 0; i < used; i++) {
		uint32_t id = atomic_load(&slots[i].id);

		if (id && id != BUSY && slots[i].section == eh_frame &&
		    atomic_compare_exchange_strong(&slots[i].id, &id, 0))
			return 0;
	}
	return -ENOENT;
}

bool unwind_registered_pin(uint32_t slot, uint32_t id)
{
	atomic_fetch_add(&slots[slot].readers, 1);
	if (atomic_load(&slots[slot].id) == id)
		return true;
	unwind_registered_unpin(slot);
	return false;
}

void unwind_registered_unpin(uint32_t slot)
{
	atomic_fetch_sub(&slots[slot].readers, 1);
}

/* Ranges of sections may interleave, so the range of the function itself is what counts. */
static bool slot_answer(uint32_t i, uint32_t id, uintptr_t pc, struct unwind_module *ret_module)
{
	struct unwind_entry entry;
	struct slot *slot = &slots[i];
	bool found = false;

	if (!unwind_registered_pin(i, id))
		return false;
	if (pc >= slot->start && pc < slot->end &&
	    !unwind_table_scan(&slot->bytes, slot->bytes.start, pc, &entry)) {
		ret_module->start = entry.pc_start;
		ret_module->end = entry.pc_end;
		ret_module->base = slot->start;
		ret_module->bytes = slot->bytes;
		ret_module->header = NULL;
		ret_module->identity = NULL;
		ret_module->id = id;
		ret_module->slot = i;
		ret_module->permanent = false;
		found = true;
	}
	unwind_registered_unpin(i);
	return found;
}

bool unwind_registered_find(uintptr_t pc, struct unwind_module *ret_module)
{
	uint32_t i, used = atomic_load_explicit(&slots_used, memory_order_acquire);

	for (i = 0; i < used; i++) {
		uint32_t id = atomic_load_explicit(&slots[i].id, memory_order_acquire);

		if (id && id != BUSY && slot_answer(i, id, pc, ret_module))
			return true;
	}
	return false;
}
