/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A corpus comes back as it was written; a damaged one gives an error that says what is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../corpus.h"

#define PLAIN_SIZE (24 + 3 * 4 + 6 * 8 + 5 * 4)

static char plain_path[] = "test_corpus.XXXXXX";
static char zstd_path[sizeof(plain_path) + 4];

static uint32_t sample_length[3] = {1, 2, 3};
static uintptr_t sample_frames[6] = {0x401000, 0x402000, 0x403000, UINTPTR_MAX, 0, 0x7fffffffffff};
static uint32_t sample_event[5] = {0, 2, 1, 2, 0};
static struct corpus sample = {
	.unique = 3,
	.events = 5,
	.total_frames = 6,
	.length = sample_length,
	.frames = sample_frames,
	.event = sample_event,
};

static void write_bytes(const char *path, const unsigned char *bytes, size_t size)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static size_t read_bytes(const char *path, unsigned char *bytes, size_t size)
{
	FILE *file = fopen(path, "rb");
	size_t got;

	assert_non_null(file);
	got = fread(bytes, 1, size, file);
	fclose(file);
	return got;
}

static size_t sample_bytes(const char *path, unsigned char *bytes, size_t size)
{
	char error[256];

	assert_int_equal(corpus_write(path, &sample, error, sizeof(error)), 0);
	return read_bytes(path, bytes, size);
}

static void expect_error(const char *path, const char *defect)
{
	struct corpus corpus = {.unique = 77};
	char error[256] = "";

	assert_int_equal(corpus_read(path, &corpus, error, sizeof(error)), -1);
	assert_int_equal(corpus.unique, 77);
	assert_non_null(strstr(error, path));
	assert_null(strchr(error, '\n'));
	if (!strstr(error, defect))
		fail_msg("\"%s\" does not say \"%s\"", error, defect);
}

static void expect_sample(const char *path)
{
	struct corpus corpus;
	char error[256];

	assert_int_equal(corpus_read(path, &corpus, error, sizeof(error)), 0);
	assert_int_equal(corpus.unique, 3);
	assert_int_equal(corpus.events, 5);
	assert_int_equal(corpus.total_frames, 6);
	assert_memory_equal(corpus.length, sample_length, sizeof(sample_length));
	assert_memory_equal(corpus.frames, sample_frames, sizeof(sample_frames));
	assert_memory_equal(corpus.event, sample_event, sizeof(sample_event));
	corpus_free(&corpus);
}

static void test_comes_back(void **state)
{
	unsigned char bytes[256];

	(void)state;
	assert_int_equal(sample_bytes(plain_path, bytes, sizeof(bytes)), PLAIN_SIZE);
	expect_sample(plain_path);
	assert_true(sample_bytes(zstd_path, bytes, sizeof(bytes)) > 4);
	assert_memory_equal(bytes, "\x28\xb5\x2f\xfd", 4);
	expect_sample(zstd_path);
}

/* Each damage is four bytes at one place. */
static void test_damaged_fields(void **state)
{
	static const struct {
		size_t offset;
		uint32_t value;
		const char *defect;
	} damages[] = {
		{0, 0x31313131, "no SDTRACE1"},
		{4, 0x32454341, "no SDTRACE1"}, /* ...ACE2 */
		{8, 0, "no traces or no events"},
		{12, 0, "no traces or no events"},
		{8, UINT32_MAX, "impossible number of frames"},
		{16, 2, "impossible number of frames"},
		{20, UINT32_MAX, "impossible number of frames"},
		{16, 7, "do not add up"},
		{24, 0, "0 or more than 255"},
		{28, 256, "0 or more than 255"},
		{28, 255, "do not add up"},
		{12, 4, "goes on behind"},
		{12, 6, "ends inside its events"},
		{12, UINT32_MAX, "ends inside its events"},
		{PLAIN_SIZE - 4, 3, "names no trace"},
		{PLAIN_SIZE - 20, UINT32_MAX, "names no trace"},
	};
	unsigned char good[256], bad[256];
	unsigned int i;

	(void)state;
	sample_bytes(plain_path, good, sizeof(good));
	for (i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		memcpy(bad, good, PLAIN_SIZE);
		memcpy(bad + damages[i].offset, &damages[i].value, 4);
		write_bytes(plain_path, bad, PLAIN_SIZE);
		expect_error(plain_path, damages[i].defect);
	}
}

static void test_cut_anywhere(void **state)
{
	unsigned char bytes[256];
	size_t size, cut;

	(void)state;
	size = sample_bytes(plain_path, bytes, sizeof(bytes));
	for (cut = 0; cut < size; cut++) {
		write_bytes(plain_path, bytes, cut);
		expect_error(plain_path, "ends inside its ");
	}
	size = sample_bytes(zstd_path, bytes, sizeof(bytes));
	for (cut = 4; cut < size; cut++) {
		write_bytes(zstd_path, bytes, cut);
		expect_error(zstd_path, "ends inside its zstd data");
	}
}

/* Whatever byte is flipped: an error or a corpus that is consistent, never a crash. */
static void test_flipped_bytes(void **state)
{
	unsigned char good[256], bad[256];
	struct corpus corpus;
	char error[256];
	size_t size, at;
	uint32_t i;

	(void)state;
	size = sample_bytes(zstd_path, good, sizeof(good));
	for (at = 0; at < size * 8; at++) {
		memcpy(bad, good, size);
		bad[at / 8] ^= (unsigned char)(1u << (at % 8));
		write_bytes(zstd_path, bad, size);
		if (corpus_read(zstd_path, &corpus, error, sizeof(error)))
			continue;
		for (i = 0; i < corpus.events; i++)
			assert_true(corpus.event[i] < corpus.unique);
		corpus_free(&corpus);
	}
}

/* What follows the corpus inside the zstd frame, or as another frame, is noticed as well. */
static void test_trailing_frame(void **state)
{
	unsigned char bytes[512];
	size_t size;

	(void)state;
	size = sample_bytes(zstd_path, bytes, 256);
	memcpy(bytes + size, bytes, size);
	write_bytes(zstd_path, bytes, 2 * size);
	expect_error(zstd_path, "goes on behind");
}

/* Gigabytes announced by 24 bytes: refused as cut short, not for lack of memory. */
static void test_announces_much(void **state)
{
	static const uint32_t header[6] = {0x52544453, 0x31454341, UINT32_MAX,
					   UINT32_MAX, UINT32_MAX, 1};

	(void)state;
	write_bytes(plain_path, (const unsigned char *)header, sizeof(header));
	expect_error(plain_path, "ends inside its lengths");
}

static void test_no_file(void **state)
{
	(void)state;
	expect_error("no/such/file", "cannot be opened");
	expect_error("/", "cannot be read");
}

static void test_name(void **state)
{
	char name[32];

	(void)state;
	corpus_name("a/b/python.sdtrace.zst", name, sizeof(name));
	assert_string_equal(name, "python");
	corpus_name("redis.sdtrace", name, sizeof(name));
	assert_string_equal(name, "redis");
	corpus_name(".zst", name, sizeof(name));
	assert_string_equal(name, ".zst");
}

static int set_up(void **state)
{
	int file = mkstemp(plain_path);

	(void)state;
	if (file < 0)
		return -1;
	close(file);
	snprintf(zstd_path, sizeof(zstd_path), "%s.zst", plain_path);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(plain_path);
	unlink(zstd_path);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_back),     cmocka_unit_test(test_damaged_fields),
		cmocka_unit_test(test_cut_anywhere),   cmocka_unit_test(test_flipped_bytes),
		cmocka_unit_test(test_trailing_frame), cmocka_unit_test(test_announces_much),
		cmocka_unit_test(test_no_file),	       cmocka_unit_test(test_name),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
