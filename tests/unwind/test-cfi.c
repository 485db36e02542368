/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The interpreter by itself: tables written by hand, and what they have to mean. */
#include <errno.h>
#include <string.h>

#include "../../src/unwind/rule.h"
#include "../../src/unwind/stack.h"
#include "oracle.h"

#define PC_START 0x1000
#define PC_BYTES 0x100

static uint8_t section[512];
static struct unwind_bytes bytes;
static struct unwind_row row;

static uint8_t *put(uint8_t *at, const void *data, size_t size)
{
	memcpy(at, data, size);
	return at + size;
}

/* A section of one common part (cfa = r7 + 8, r16 at cfa - 8) and one entry with @program. */
static void build(const uint8_t *program, size_t size)
{
	static const uint8_t common[] = {1, 'z', 'R', 0, 1, 0x78, ARCH_RA, 1, 0,
					 0x0c, 7, 8, 0x80 | ARCH_RA, 1};
	const uint64_t start = PC_START, range = PC_BYTES;
	uint8_t *at = section;
	uint32_t word;

	memset(section, 0, sizeof(section));
	word = 4 + sizeof(common);
	at = put(at, &word, 4);
	at = put(at + 4, common, sizeof(common));
	word = (uint32_t)(4 + 16 + 1 + size);
	at = put(at, &word, 4);
	word = (uint32_t)(at - section);
	at = put(at, &word, 4);
	at = put(at, &start, 8);
	at = put(at, &range, 8);
	at = put(at + 1, program, size);
	bytes.start = section;
	bytes.end = section + sizeof(section);
}

static int row_at(uintptr_t offset)
{
	struct unwind_entry entry;
	int err = unwind_table_scan(&bytes, section, PC_START + offset, &entry);

	return err ? err : unwind_cfi_row(&bytes, &entry, PC_START + offset, &row);
}

#define BUILD(...)                                                                                 \
	do {                                                                                       \
		static const uint8_t program[] = {__VA_ARGS__};                                    \
		build(program, sizeof(program));                                                   \
	} while (0)

static bool is(unsigned int reg, enum unwind_how how, int32_t value)
{
	return row.how[reg] == how && row.value[reg] == value;
}

static bool cfa_is(unsigned int reg, int32_t offset)
{
	return !row.cfa_is_expression && row.cfa_register == reg && row.cfa_offset == offset;
}

static void test_advance(void)
{
	BUILD(0x44, 0x0e, 16, 0x02, 200, 0x0e, 24); /* at 4: 16; at 204: 24 */
	EXPECT(!row_at(0) && cfa_is(7, 8));
	EXPECT(!row_at(3) && cfa_is(7, 8));
	EXPECT(!row_at(4) && cfa_is(7, 16));
	EXPECT(!row_at(203) && cfa_is(7, 16));
	EXPECT(!row_at(204) && cfa_is(7, 24));
	EXPECT(row_at(PC_BYTES) == -ENOENT);
	EXPECT(is(ARCH_RA, HOW_OFFSET, -8));
}

static void test_remember(void)
{
	BUILD(0x83, 3, 0x0a, 0x42, 0x0c, 6, 16, 0x83, 5, 0x42, 0x0b);
	EXPECT(!row_at(0) && cfa_is(7, 8) && is(3, HOW_OFFSET, -24));
	EXPECT(!row_at(2) && cfa_is(6, 16) && is(3, HOW_OFFSET, -40));
	EXPECT(!row_at(4) && cfa_is(7, 8) && is(3, HOW_OFFSET, -24));
}

static void test_restore(void)
{
	BUILD(0x83, 3, 0x80 | ARCH_RA, 4, 0x42, 0xc3, 0x06, ARCH_RA);
	EXPECT(!row_at(1) && is(3, HOW_OFFSET, -24) && is(ARCH_RA, HOW_OFFSET, -32));
	EXPECT(!row_at(2) && is(3, HOW_SAME, 0) && is(ARCH_RA, HOW_OFFSET, -8));
}

static void test_registers(void)
{
	BUILD(0x05, 1, 2, 0x07, 2, 0x08, 3, 0x09, 4, 5, 0x11, 6, 0x7f, 0x14, 8, 2, 0x15, 9, 0x7e,
	      0x2f, 10, 1, 0x2e, 16, 0x05, 64, 9);
	EXPECT(!row_at(0) && is(1, HOW_OFFSET, -16) && is(2, HOW_UNDEFINED, 0));
	EXPECT(is(3, HOW_SAME, 0) && is(4, HOW_REGISTER, 5) && is(6, HOW_OFFSET, 8));
	EXPECT(is(8, HOW_VALUE_OFFSET, -16) && is(9, HOW_VALUE_OFFSET, 16));
	EXPECT(is(10, HOW_OFFSET, 8));
}

static void test_define(void)
{
	BUILD(0x12, 6, 0x7e, 0x41, 0x13, 0x7d, 0x41, 0x0d, 3);
	EXPECT(!row_at(0) && cfa_is(6, 16));
	EXPECT(!row_at(1) && cfa_is(6, 24));
	EXPECT(!row_at(2) && cfa_is(3, 24));
}

static int evaluate(uintptr_t *ret_value)
{
	static uintptr_t words[4] = {11, 22, 33, 44};
	struct unwind_stack stack = {(uintptr_t)words, (uintptr_t)(words + 4), NULL};
	struct unwind_registers registers = {0};

	registers.r[6] = (uintptr_t)(words + 1);
	registers.r[3] = 29;
	return unwind_evaluate(unwind_cfi_expression(&bytes, row.cfa_offset), &registers, &stack,
			       NULL, ret_value);
}

static void test_expressions(void)
{
	uintptr_t value = 0;

	BUILD(0x0f, 3, 0x76, 8, 0x06); /* what is at r6 + 8 */
	EXPECT(!row_at(0) && row.cfa_is_expression && !evaluate(&value) && value == 33);
	/* as in a PLT: 8 more if (r3 & 15) >= 11 */
	BUILD(0x0f, 11, 0x73, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x53, 0x22, 0x96);
	EXPECT(!row_at(0) && !evaluate(&value) && value == 29 + 8);
	BUILD(0x0f, 1, 0x06); /* nothing to take */
	EXPECT(!row_at(0) && evaluate(&value) == -EBADMSG);
	BUILD(0x0f, 3, 0x2f, 0xfd, 0xff); /* round and round */
	EXPECT(!row_at(0) && evaluate(&value) == -EBADMSG);
	BUILD(0x0f, 2, 0x31, 0x06); /* what is at 1 */
	EXPECT(!row_at(0) && evaluate(&value) == -EFAULT);
	BUILD(0x0f, 3, 0x31, 0x30, 0x1b); /* 1 / 0 */
	EXPECT(!row_at(0) && evaluate(&value) == -EBADMSG);
}

static void test_nonsense(void)
{
	BUILD(0x0b); /* nothing remembered */
	EXPECT(row_at(0) == -EBADMSG);
	BUILD(0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a);
	EXPECT(row_at(0) == -EBADMSG);
	BUILD(0x3f); /* no such instruction */
	EXPECT(row_at(0) == -EBADMSG);
	BUILD(0x0c, 0xff, 0x7f, 8); /* no such register */
	EXPECT(row_at(0) == -EBADMSG);
	BUILD(0x0f, 1, 0x96, 0x0e, 8); /* half a definition */
	EXPECT(row_at(0) == -EBADMSG);
	BUILD(0x83); /* ends in the middle */
	EXPECT(row_at(0) == -EBADMSG);
}

#if defined(__x86_64__)
static uint64_t rule_here(void)
{
	return row_at(0) ? 0 : unwind_rule_of(&bytes, &row);
}

static void test_rules(void)
{
	BUILD(0x0e, 32, 0x86, 2);
	EXPECT(rule_kind(rule_here()) == RULE_SP && rule_cfa(rule_here()) == 32);
	EXPECT((rule_here() & RULE_FP_SAVED) && rule_fp_slot(rule_here()) == -16);
	BUILD(0x0c, 6, 16, 0x86, 2);
	EXPECT(rule_kind(rule_here()) == RULE_FP && rule_cfa(rule_here()) == 16);
	BUILD(0x0c, 3, 16);
	EXPECT(rule_kind(rule_here()) == RULE_FULL);
	BUILD(0x0e, 33);
	EXPECT(rule_kind(rule_here()) == RULE_FULL);
	BUILD(0x07, 16);
	EXPECT(rule_kind(rule_here()) == RULE_END);
	BUILD(0x0f, 3, 0x76, 0x78, 0x06, 0x10, 6, 2, 0x76, 0);
	EXPECT(rule_kind(rule_here()) == RULE_REALIGNED && rule_cfa(rule_here()) == -8);
	BUILD(0x0e, 0x80, 0x80, 0x80, 0x04); /* 8 MiB: does not fit an entry, but the table */
	EXPECT(rule_kind(rule_here()) == RULE_SP && rule_cfa(rule_here()) == 8 << 20);
}
#endif

int main(void)
{
	RUN(test_advance);
	RUN(test_remember);
	RUN(test_restore);
	RUN(test_registers);
	RUN(test_define);
	RUN(test_expressions);
	RUN(test_nonsense);
#if defined(__x86_64__)
	RUN(test_rules);
#endif
	return run_result();
}
