/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include "rule.h"
#include "stackdepot/unwind.h"

_Alignas(64) _Atomic uint64_t unwind_rule_cache[(1 + RULE_CHUNKS) * RULE_CHUNK_ENTRIES];
_Atomic uint16_t unwind_rule_chunk[RULE_CHUNKS];
_Atomic uint64_t unwind_rule_table[RULE_TABLE];

/* Chunks that somebody took, and how many have a number. */
static _Atomic bool rule_chunk_taken[RULE_CHUNKS];
static _Atomic uint32_t rule_chunks;
static _Atomic uint64_t interpreted;

_Static_assert(RULE_CACHE_ENTRIES == 1 << 17, "rule_tag() and the line make up the key");
_Static_assert(RULE_TABLE <= CODE_SP, "an index fits its bits");
_Static_assert(49 - 14 + CODE_BITS == 64, "an entry is a word");
_Static_assert(RULE_CHUNKS < UINT16_MAX, "a chunk's number fits");
_Static_assert(RULE_CHUNK_ENTRIES % RULE_LINE_ENTRIES == 0, "lines are whole in a chunk");
_Static_assert(sizeof(unwind_rule_cache) + sizeof(unwind_rule_table) + sizeof(unwind_rule_chunk) +
			       sizeof(rule_chunk_taken) <=
		       2 << 20,
	       "2 MiB at most");

static uint64_t rule_plain(unsigned int kind)
{
	return kind | RULE_VALID;
}

/* A multiple of 8 that fits @bits after division by it. */
static bool offset_fits(int32_t offset, unsigned int bits)
{
	int32_t limit = 1 << (bits - 1);

	return offset % 8 == 0 && offset / 8 >= -limit && offset / 8 < limit;
}

static uint64_t rule_pack(unsigned int kind, int32_t cfa, int32_t fp_slot, int32_t ra_slot)
{
	return (uint64_t)(cfa / 8) << 40 | (uint64_t)(uint16_t)(fp_slot / 8) << 24 |
	       (uint64_t)(uint16_t)(ra_slot / 8) << 8 | kind | RULE_VALID;
}

/* "register + offset", and with @deref the word there; nothing else in the expression. */
static bool expression_is(const struct unwind_bytes *bytes, int32_t at, unsigned int reg,
			  bool deref, int32_t *ret_offset)
{
	struct unwind_reader r = unwind_cfi_expression(bytes, at);
	int64_t offset;

	if (read_u8(&r) != 0x70 + reg)
		return false;
	offset = read_sleb(&r);
	if (deref && read_u8(&r) != 0x06)
		return false;
	*ret_offset = (int32_t)offset;
	return !r.bad && r.at == r.end && offset == (int32_t)offset;
}

/*
 * A function that realigns its stack and has arguments there keeps where the caller's frame ended
 * in a slot below its frame pointer.
 */
static uint64_t rule_realigned(const struct unwind_bytes *bytes, const struct unwind_row *row)
{
	int32_t cfa, fp_slot;

	if (row->how[ARCH_FP] == HOW_EXPRESSION &&
	    expression_is(bytes, row->cfa_offset, ARCH_FP, true, &cfa) && offset_fits(cfa, 24) &&
	    expression_is(bytes, row->value[ARCH_FP], ARCH_FP, false, &fp_slot) && fp_slot == 0)
		return rule_pack(RULE_REALIGNED | RULE_FP_SAVED, cfa, 0, row->value[ARCH_RA]);
	return rule_plain(RULE_FULL);
}

static bool ra_slot_is_plain(const struct unwind_row *row)
{
	return row->how[ARCH_RA] == HOW_OFFSET && offset_fits(row->value[ARCH_RA], 16) &&
	       arch_ra_offset(row->value[ARCH_RA]) == row->value[ARCH_RA];
}

uint64_t unwind_rule_of(const struct unwind_bytes *bytes, const struct unwind_row *row)
{
	unsigned int kind;
	int32_t fp_slot;

	if (row->how[ARCH_RA] == HOW_UNDEFINED)
		return rule_plain(RULE_END);
	if (!ra_slot_is_plain(row) || row->how[ARCH_SP] != HOW_SAME)
		return rule_plain(RULE_FULL);
	if (row->cfa_is_expression)
		return rule_realigned(bytes, row);
	if (!offset_fits(row->cfa_offset, 24))
		return rule_plain(RULE_FULL);
	if (row->cfa_register == ARCH_SP)
		kind = RULE_SP;
	else if (row->cfa_register == ARCH_FP)
		kind = RULE_FP;
	else
		return rule_plain(RULE_FULL);
	fp_slot = row->value[ARCH_RA];
	if (row->how[ARCH_FP] == HOW_OFFSET) {
		fp_slot = row->value[ARCH_FP];
		kind |= RULE_FP_SAVED;
	} else if (row->how[ARCH_FP] != HOW_SAME) {
		return rule_plain(RULE_FULL);
	}
	if (!offset_fits(fp_slot, 16))
		return rule_plain(RULE_FULL);
	return rule_pack(kind, row->cfa_offset, fp_slot, row->value[ARCH_RA]);
}

/* @value divided by 8, if that fits @bits and is above 0. */
static bool code_field(intptr_t value, unsigned int bits, uintptr_t *ret_field)
{
	*ret_field = (uintptr_t)(value / 8);
	return value > 0 && value / 8 < 1 << bits;
}

/* 0: it does not fit. What fits keeps its slots between the word it counts from and the cfa. */
static uint32_t rule_compact(uint64_t rule)
{
	bool saved = rule & RULE_FP_SAVED;
	uintptr_t cfa, ra, fp, slot;

	if (rule_kind(rule) > RULE_FIXED_LAST || !code_field(rule_cfa(rule), CODE_CFA_BITS, &cfa) ||
	    !code_field(-rule_ra_slot(rule), CODE_SLOT_BITS, &ra) || ra > cfa ||
	    !code_field(-rule_fp_slot(rule), CODE_SLOT_BITS, &fp) || fp > cfa ||
	    !arch_slot(ra, fp, saved, &slot))
		return 0;
	return (uint32_t)cfa | (uint32_t)slot << CODE_CFA_BITS | (saved ? CODE_FP_SAVED : 0) |
	       (rule_kind(rule) == RULE_SP ? CODE_SP : CODE_FP);
}

uint64_t unwind_rule_expand(uint32_t code)
{
	bool saved = code & CODE_FP_SAVED;
	unsigned int kind = code & CODE_FP ? RULE_FP : RULE_SP;

	if (!code_is_plain(code))
		return atomic_load_explicit(&unwind_rule_table[code - CODE_TABLE],
					    memory_order_relaxed);
	if (saved)
		kind |= RULE_FP_SAVED;
	return rule_pack(kind, (int32_t)code_cfa(code) * 8,
			 (int32_t)arch_fp_words(code_slot(code), saved) * -8,
			 (int32_t)arch_ra_words(code_slot(code)) * -8);
}

/* The code for @rule, in the table if need be; or 0 if there is no room near. */
static uint32_t rule_intern(uint64_t rule)
{
	uint32_t i, at = (uint32_t)(rule * UINT64_C(0x9e3779b97f4a7c15) >> 40);
	uint32_t code = rule_compact(rule);

	for (i = 0; !code && i < 64; i++, at++) {
		_Atomic uint64_t *slot = &unwind_rule_table[at % RULE_TABLE];
		uint64_t found = 0;

		if (atomic_compare_exchange_strong_explicit(
			    slot, &found, rule, memory_order_relaxed, memory_order_relaxed) ||
		    found == rule)
			code = CODE_TABLE + at % RULE_TABLE;
	}
	return code;
}

/* In the first free place; in a full line, over the last one looked at. */
static void rule_insert_in(uint32_t chunk, uint64_t key, uint32_t code)
{
	_Atomic uint64_t *entries = &unwind_rule_cache[chunk * RULE_CHUNK_ENTRIES], *entry;
	uint32_t i, home = rule_home(key);

	for (i = 0; i < RULE_LINE_ENTRIES; i++) {
		entry = &entries[rule_neighbour(home, i) % RULE_CHUNK_ENTRIES];
		if (!atomic_load_explicit(entry, memory_order_relaxed))
			break;
	}
	/* pairs with the acquire in rule_find(), which otherwise might find an empty rule */
	atomic_store_explicit(entry, rule_tag(key) | code, memory_order_release);
}

/* The first of a chunk; not while another thread, or one that was interrupted, takes that. */
static void rule_insert_first(uint32_t place, uint64_t key, uint32_t code)
{
	uint32_t chunk;

	if (atomic_exchange_explicit(&rule_chunk_taken[place], true, memory_order_relaxed))
		return;
	chunk = 1 + atomic_fetch_add_explicit(&rule_chunks, 1, memory_order_relaxed);
	/* without a look before: in memory that is read first a write is a second fault */
	atomic_store_explicit(&unwind_rule_cache[chunk * RULE_CHUNK_ENTRIES +
						 rule_home(key) % RULE_CHUNK_ENTRIES],
			      rule_tag(key) | code, memory_order_release);
	atomic_store_explicit(&unwind_rule_chunk[place], (uint16_t)chunk, memory_order_release);
}

static void rule_insert(uint64_t key, uint64_t rule)
{
	const uint32_t place = rule_home(key) / RULE_CHUNK_ENTRIES, code = rule_intern(rule);
	const uint32_t chunk =
		atomic_load_explicit(&unwind_rule_chunk[place], memory_order_relaxed);

	if (code && chunk)
		rule_insert_in(chunk, key, code);
	else if (code)
		rule_insert_first(place, key, code);
}

static uint64_t rule_compute(uintptr_t pc, const struct unwind_module *module)
{
	struct unwind_row row;
	bool is_signal;

	atomic_fetch_add_explicit(&interpreted, 1, memory_order_relaxed);
	if (unwind_module_row(module, pc - 1, &row, &is_signal))
		return rule_plain(RULE_NONE);
	return is_signal ? rule_plain(RULE_FULL) : unwind_rule_of(&module->bytes, &row);
}

/* Offsets beyond 32 bits would need a module of 4 GiB; it is treated as if it had no id. */
static bool module_key(uintptr_t pc, const struct unwind_module *module, uint64_t *ret_key)
{
	if (module->permanent) {
		*ret_key = pc;
		return true;
	}
	*ret_key = rule_unloadable_key(module->id, pc - module->base);
	return module->id && pc - module->base <= UINT32_MAX;
}

uint64_t unwind_rule_miss(uintptr_t pc, struct unwind_module *module)
{
	uint64_t key, rule;
	uint32_t code;
	bool keep;

	if (pc >= RULE_PC_LIMIT || !pc)
		return rule_plain(RULE_NONE) | RULE_RECHECK;
	if (pc - 1 < module->start || pc - 1 >= module->end) {
		module->end = 0;
		if (!unwind_module_find(pc - 1, module))
			return rule_plain(RULE_NONE) | RULE_RECHECK;
	}
	keep = module_key(pc, module, &key);
	code = keep ? rule_find(key) : 0;
	if (code) {
		rule = unwind_rule_expand(code);
	} else {
		rule = rule_compute(pc, module);
		if (keep)
			rule_insert(key, rule);
	}
	if (module->permanent)
		return rule;
	return rule | (module->identity && keep ? RULE_UNLOADABLE : RULE_RECHECK);
}

void stackdepot_unwind_get_stats(struct stackdepot_unwind_stats *ret_stats)
{
	struct stackdepot_unwind_stats stats = {0};
	unsigned int i;

	for (i = 0; i < sizeof(unwind_rule_cache) / sizeof(unwind_rule_cache[0]); i++)
		stats.addresses +=
			atomic_load_explicit(&unwind_rule_cache[i], memory_order_relaxed) != 0;
	for (i = 0; i < RULE_TABLE; i++)
		stats.rules +=
			atomic_load_explicit(&unwind_rule_table[i], memory_order_relaxed) != 0;
	stats.table_bytes = sizeof(unwind_rule_cache) + sizeof(unwind_rule_chunk) +
			    sizeof(rule_chunk_taken) + sizeof(unwind_rule_table);
	stats.used_bytes = (stats.addresses + stats.rules) * sizeof(uint64_t);
	stats.modules = unwind_loader_modules();
	stats.interpreted = atomic_load_explicit(&interpreted, memory_order_relaxed);
	*ret_stats = stats;
}
