/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Names of code that a process made: what its files say, against a list that is read from its
 * end.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/code_names.h"
#include "core_test.h"

#define ENTRIES 200

static const char *find(struct code_names *names, uint64_t address)
{
	const char *name = code_names_find(names, address);

	return name ? name : "";
}

static void map(struct code_names *names, const char *text)
{
	code_names_map(names, text, strlen(text));
}

static void test_map(void **state)
{
	struct code_names *names = code_names_open();

	(void)state;
	assert_string_equal(find(names, 0x1000), "");
	assert_int_equal(code_names_time(names), 0);
	map(names, "1000 10 LazyCompile:~f /srv/a b.js:1\n0x2000 0x8 g\nzz 1 bad\n3000 0 empty\n"
		   "4000 10\n4000 10 \nffffffffffffffff 2 wraps\n10000000000000000 8 long\n"
		   "5000 10 still being writ");
	assert_int_equal(code_names_nr(names), 2);
	assert_string_equal(find(names, 0xfff), "");
	assert_string_equal(find(names, 0x1000), "LazyCompile:~f /srv/a b.js:1");
	assert_string_equal(find(names, 0x100f), "LazyCompile:~f /srv/a b.js:1");
	assert_string_equal(find(names, 0x1010), "");
	assert_string_equal(find(names, 0x2007), "g");
	assert_string_equal(find(names, 0x5000), "");
	map(names, "1008 100 later\n");
	assert_string_equal(find(names, 0x1007), "LazyCompile:~f /srv/a b.js:1");
	assert_string_equal(find(names, 0x1008), "later");
	code_names_close(names);
}

/* Ranges that lie in one another, begin alike, are said again: the last one holds. */
static void test_last_one_holds(void **state)
{
	struct {
		uint64_t start, bytes;
	} entry[ENTRIES];
	unsigned int round, i;
	uint64_t address;
	char line[64];

	(void)state;
	srand(1);
	for (round = 0; round < 20; round++) {
		struct code_names *names = code_names_open();

		for (i = 0; i < ENTRIES; i++) {
			entry[i].start = 1 + (uint64_t)(rand() % 1000);
			entry[i].bytes = 1 + (uint64_t)(rand() % (rand() % 4 ? 20 : 600));
			snprintf(line, sizeof(line), "%lx %lx n%u\n", (unsigned long)entry[i].start,
				 (unsigned long)entry[i].bytes, i);
			map(names, line);
		}
		for (address = 0; address < 1700; address++) {
			for (i = ENTRIES; i-- && address - entry[i].start >= entry[i].bytes;)
				;
			snprintf(line, sizeof(line), "n%u", i);
			assert_string_equal(find(names, address), i == UINT32_MAX ? "" : line);
		}
		code_names_close(names);
	}
}

/* However much lies between an address and the start of what it is in. */
static void test_far_start(void **state)
{
	struct code_names *names = code_names_open();
	unsigned int i;
	char line[64];

	(void)state;
	map(names, "10000 100000 old\n11000 f0000 around\n");
	for (i = 0; i < 20000; i++) {
		snprintf(line, sizeof(line), "%x 8 n%u\n", 0x20000 + 16 * i, i);
		map(names, line);
	}
	map(names, "200000 10 behind\n");
	assert_string_equal(find(names, 0x10fff), "old");
	assert_string_equal(find(names, 0x20000 + 16 * 19999 + 8), "around");
	assert_string_equal(find(names, 0x20000 + 16 * 19999), "n19999");
	assert_string_equal(find(names, 0x20000 + 8), "around");
	assert_string_equal(find(names, 0x100fff), "around");
	assert_string_equal(find(names, 0x10ffff), "old");
	assert_string_equal(find(names, 0x110000), "");
	code_names_close(names);
}

/* What is cut says so. */
static void test_long_name(void **state)
{
	struct code_names *names = code_names_open();
	char line[3000] = "1000 10 ";

	(void)state;
	memset(line + 8, 'x', 2000);
	strcpy(line + 2008, "\n");
	map(names, line);
	assert_int_equal(strlen(find(names, 0x1000)), 1027);
	assert_string_equal(find(names, 0x1000) + 1023, "x...");
	code_names_close(names);
}

struct file {
	char bytes[1024];
	size_t length;
};

static void put(struct file *file, const void *bytes, size_t length)
{
	memcpy(file->bytes + file->length, bytes, length);
	file->length += length;
}

static void put_record(struct file *file, uint32_t id, const uint64_t *words, size_t nr,
		       const char *name)
{
	const uint32_t head[4] = {id, (uint32_t)(16 + nr * 8 + (name ? strlen(name) + 1 : 0)), 0,
				  0};

	put(file, head, sizeof(head));
	put(file, words, nr * 8);
	if (name)
		put(file, name, strlen(name) + 1);
}

static void test_dump(void **state)
{
	const uint32_t head[10] = {0x4a695444, 1, 40, 62, 0, 1};
	const uint64_t one[] = {1, 0x1000, 0x1000, 0x10, 7}, two[] = {1, 0x2000, 0x2000, 0x10, 8};
	const uint64_t lines[] = {1, 0x5000, 0x5000, 0x10, 9};
	const uint64_t moved[] = {1, 0x3000, 0x1000, 0x3000, 0x10, 7};
	struct file file = {.length = 0};
	struct code_names *names;
	size_t length;

	(void)state;
	put(&file, head, sizeof(head));
	put_record(&file, 0, one, 5, "one");
	put_record(&file, 0, two, 5, "two");
	put_record(&file, 1, moved, 6, NULL);
	put_record(&file, 0, lines, 5, "one\n4000 10 two");
	names = code_names_open();
	code_names_dump(names, file.bytes, file.length);
	assert_int_equal(code_names_nr(names), 4);
	assert_string_equal(find(names, 0x5000), "one 4000 10 two"); /* and no line of its own */
	assert_string_equal(find(names, 0x1008), "one");
	assert_string_equal(find(names, 0x2008), "two");
	assert_string_equal(find(names, 0x3008), "one");
	code_names_close(names);
	for (length = 0; length < file.length; length++) { /* cut anywhere, in a block of its own */
		char *cut = malloc(length + 1);

		names = code_names_open();
		memcpy(cut, file.bytes, length);
		code_names_dump(names, cut, length);
		assert_true(code_names_nr(names) < 4);
		code_names_close(names);
		free(cut);
	}
}

/* Code that a collector moves again and again, among much other. */
static void test_moves(void **state)
{
	const uint32_t head[10] = {0x4a695444, 1, 40, 62, 0, 1};
	const unsigned int codes = 50000, moves = 50000;
	struct code_names *names = code_names_open();
	const size_t room = sizeof(head) + codes * 64 + moves * 64;
	char *bytes = malloc(room), *at = mempcpy(bytes, head, sizeof(head));
	unsigned int i;

	(void)state;
	for (i = 0; i < codes; i++) {
		memcpy(at, (const uint64_t[]){64ull << 32, 0}, 16);
		memcpy(at + 16, (const uint64_t[]){1, 0x1000 + 16 * i, 0x1000 + 16 * i, 8, i}, 40);
		memcpy(at + 56, i ? "b\0\0\0\0\0\0" : "a\0\0\0\0\0\0", 8);
		at += 64;
	}
	for (i = 0; i < moves; i++) {
		memcpy(at, (const uint64_t[]){64ull << 32 | 1, 0}, 16);
		memcpy(at + 16, (const uint64_t[]){1, 0, 0, 0x1000000 + 16 * i, 8, 0}, 48);
		at += 64;
	}
	code_names_dump(names, bytes, room);
	assert_int_equal(code_names_nr(names), codes + moves);
	assert_string_equal(find(names, 0x1000), "a");
	assert_string_equal(find(names, 0x1010), "b");
	assert_string_equal(find(names, 0x1000000 + 16 * (moves - 1)), "a");
	code_names_close(names);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map),	  cmocka_unit_test(test_last_one_holds),
		cmocka_unit_test(test_far_start), cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_moves),	  cmocka_unit_test(test_dump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
