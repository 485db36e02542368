/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * module_table.c - the files that frames are in.
 *
 * A record is claimed (free to busy, with the writer's number), filled, entered into the index, and
 * then valid:
 *
 *	A  An index slot goes from 0 to the number of a filled record, by compare and exchange,
 *	   once. So all who look for an identity go the same way, and whoever adds one meets the
 *	   other who does: at the first empty slot one of them wins. The loser gives its record
 *	   back.
 *	B  Who finds a record through the index takes it for valid, and says so if the one that
 *	   entered it has not: it may have been killed in between. So a number that anybody has is
 *	   that of a valid record.
 *	C  A record that is busy and not in the index belongs to its writer. If that is killed it is
 *	   passed over, until module_table_settle().
 *
 * The release that enters a number pairs with the acquire that reads it, so who finds a record
 * reads it whole. Progress: lock-free, and an addition that loses has met one that won. No number
 * read from the store is believed: one beyond the records is nobody's, and the way through the
 * index ends when it has been around.
 */
#include <string.h>

#include "base/hash.h"
#include "module_table.h"
#include "stackdepot/store.h"

static uint64_t record_state(const struct store_module *record)
{
	return __atomic_load_n(&record->state, __ATOMIC_ACQUIRE);
}

static uint64_t table_hash(const struct store_identity *identity)
{
	uint64_t words[sizeof(*identity) / sizeof(uint64_t)], hash = 0;
	size_t i;

	memcpy(words, identity, sizeof(words));
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		hash = hash_word(hash, words[i]);
	return hash;
}

struct module_table module_table_at(void *store, const struct store_layout *layout)
{
	return (struct module_table){
		.dropped = (void *)((char *)store + layout->dropped_offset),
		.index = (void *)((char *)store + layout->index_offset),
		.records = (void *)((char *)store + layout->modules_offset),
		.index_slots = layout->index_slots,
		.nr = layout->modules,
	};
}

static uint16_t *table_slot(const struct module_table *table, uint64_t place)
{
	return &table->index[place & (table->index_slots - 1)];
}

/* B */
static void record_publish(struct store_module *record)
{
	uint64_t state = record_state(record);

	if ((uint32_t)state == STORE_RECORD_BUSY)
		(void)__atomic_compare_exchange_n(&record->state, &state, STORE_RECORD_VALID, false,
						  __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

/* Is it the record of NUMBER? */
static bool table_has(const struct module_table *table, uint32_t number,
		      const struct store_identity *identity)
{
	struct store_module *record;

	if (number > table->nr)
		return false;
	record = &table->records[number - 1];
	if (memcmp(&record->identity, identity, sizeof(*identity)))
		return false;
	record_publish(record);
	return true;
}

/* From *PLACE on: its number, or 0 with *PLACE at the empty slot where it would be. */
static uint32_t table_seek(const struct module_table *table, const struct store_identity *identity,
			   uint64_t *place, uint32_t *tries)
{
	for (; *tries < table->index_slots; (*tries)++, (*place)++) {
		uint32_t number = __atomic_load_n(table_slot(table, *place), __ATOMIC_ACQUIRE);

		if (!number)
			return 0;
		if (table_has(table, number, identity))
			return number;
	}
	return 0;
}

uint32_t module_table_find(const struct module_table *table, const struct store_identity *identity)
{
	uint64_t place = table_hash(identity);
	uint32_t tries = 0;

	return table_seek(table, identity, &place, &tries);
}

/* A record that is the writer's now; 0: there is none. */
static uint32_t record_claim(const struct module_table *table, uint32_t writer)
{
	const uint64_t busy = (uint64_t)writer << 32 | STORE_RECORD_BUSY;
	uint64_t first = __atomic_load_n(&table->dropped->hint, __ATOMIC_RELAXED) % table->nr;
	uint32_t i;

	for (i = 0; i < table->nr; i++) {
		uint32_t at = (uint32_t)((first + i) % table->nr);
		uint64_t state = __atomic_load_n(&table->records[at].state, __ATOMIC_RELAXED);

		if ((uint32_t)state != STORE_RECORD_FREE ||
		    !__atomic_compare_exchange_n(&table->records[at].state, &state, busy, false,
						 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			continue;
		__atomic_store_n(&table->dropped->hint, at + 1, __ATOMIC_RELAXED);
		return at + 1;
	}
	return 0;
}

static uint32_t record_make(const struct module_table *table, uint32_t writer,
			    const struct store_module *module)
{
	uint32_t number = record_claim(table, writer);
	struct store_module *record;

	if (!number)
		return 0;
	record = &table->records[number - 1];
	record->identity = module->identity;
	record->path_bytes = module->path_bytes;
	memcpy(record->path, module->path, sizeof(record->path));
	return number;
}

static void record_give_back(const struct module_table *table, uint32_t number)
{
	if (number)
		__atomic_store_n(&table->records[number - 1].state, STORE_RECORD_FREE,
				 __ATOMIC_RELEASE);
}

uint32_t module_table_add(const struct module_table *table, uint32_t writer,
			  const struct store_module *module)
{
	uint64_t place = table_hash(&module->identity);
	uint32_t found, mine = 0, tries = 0;

	for (;;) {
		uint16_t none = 0;

		found = table_seek(table, &module->identity, &place, &tries);
		if (found || tries == table->index_slots)
			break;
		if (!mine)
			mine = record_make(table, writer, module);
		if (!mine)
			return 0;
		if (__atomic_compare_exchange_n(table_slot(table, place), &none, (uint16_t)mine,
						false, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
			record_publish(&table->records[mine - 1]);
			return mine;
		}
	}
	record_give_back(table, mine);
	return found;
}

bool module_table_drop(const struct module_table *table, const struct store_identity *identity)
{
	const uint64_t hash = table_hash(identity);
	const uint64_t bit = 1ull << (hash >> 58);
	uint64_t *word = &table->dropped->word[(uint32_t)hash % STORE_DROPPED_WORDS];

	return !(__atomic_fetch_or(word, bit, __ATOMIC_RELAXED) & bit);
}

static bool table_is_in_index(const struct module_table *table, uint32_t number)
{
	uint32_t i;

	for (i = 0; i < table->index_slots; i++)
		if (__atomic_load_n(&table->index[i], __ATOMIC_ACQUIRE) == number)
			return true;
	return false;
}

void module_table_settle(const struct module_table *table, uint32_t writer)
{
	const uint64_t busy = (uint64_t)writer << 32 | STORE_RECORD_BUSY;
	uint32_t i;

	for (i = 0; i < table->nr; i++) {
		uint64_t state = busy;

		if (record_state(&table->records[i]) != busy)
			continue;
		if (table_is_in_index(table, i + 1))
			record_publish(&table->records[i]);
		else
			(void)__atomic_compare_exchange_n(&table->records[i].state, &state,
							  STORE_RECORD_FREE, false,
							  __ATOMIC_RELEASE, __ATOMIC_RELAXED);
	}
}
