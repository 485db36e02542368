/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Depots in files: made, shared, attached to, and what is refused. */
#define _GNU_SOURCE
#include "user_test.h"

static void a_new_file_is_private(core_test *test)
{
	const char *path = user_file("depot");
	mode_t mask = umask(0);
	struct stackdepot *depot = user_create_file(path, 100, 0);
	struct stat status;

	(void)umask(mask);
	CORE_EQ(stat(path, &status), 0);
	CORE_EQ(status.st_mode & 07777, 0600);
	CORE_TRUE((uint64_t)status.st_size <= core_stats(depot).max_bytes);
	stackdepot_destroy(depot);
	CORE_EQ(stat(path, &status), 0);
}

static void an_existing_file_is_left_alone(core_test *test)
{
	struct stackdepot_options options = {.max_bytes = 1 << 16};
	const char *path = user_file("depot");
	struct stackdepot *depot = user_create_file(path, 100, 0), *other = NULL;
	stackdepot_handle_t handle = core_save1(depot, 1, STACKDEPOT_KEEP);

	CORE_EQ(stackdepot_create_file(&options, path, &other), -EEXIST);
	CORE_TRUE(!other);
	CORE_EQ(stackdepot_fetch(depot, handle, NULL, 0), 1);
	core_finish(test, depot);
}

static void blocks_are_reserved_unless_sparse(core_test *test)
{
	struct stackdepot_options options = {.max_bytes = 4 << 20};
	struct stackdepot *depot = NULL;
	struct stat whole, sparse;

	CORE_EQ(stackdepot_create_file(&options, user_file("depot"), &depot), 0);
	CORE_EQ(stat(user_path, &whole), 0);
	stackdepot_destroy(depot);
	options.flags = STACKDEPOT_SPARSE;
	CORE_EQ(stackdepot_create_file(&options, user_file("depot"), &depot), 0);
	CORE_EQ(stat(user_path, &sparse), 0);
	CORE_EQ(whole.st_size, sparse.st_size);
	CORE_TRUE(whole.st_blocks * 512 >= whole.st_size);
	CORE_TRUE(sparse.st_blocks * 512 < sparse.st_size / 4);
	CORE_NE(core_save1(depot, 1, 0), 0);
	core_finish(test, depot);
}

/* The reader sees each trace as soon as it is saved, and no trace as another. */
static void readers_follow_the_writer(core_test *test)
{
	const char *path = user_file("depot");
	struct stackdepot *writer = user_create_file(path, 50, 16), *reader = NULL;
	struct stackdepot_event event = {.address = 1};
	uintptr_t frames[60], fetched[60];
	unsigned int i;

	CORE_EQ(stackdepot_attach(path, &reader), 0);
	for (i = 0; i < 2000; i++) {
		unsigned int nr = trace_make(i, 60, frames);
		stackdepot_handle_t handle = stackdepot_save(writer, frames, nr, 0);
		uint64_t position = 0;

		CORE_EQ(stackdepot_fetch(reader, handle, fetched, 60), nr);
		CORE_EQ(memcmp(frames, fetched, nr * sizeof(*frames)), 0);
		event.trace = stackdepot_ref(reader, handle);
		event.time = i;
		CORE_EQ(stackdepot_ring_record(writer, &event), 0);
		CORE_EQ(stackdepot_ring_next(reader, &position, &event), 1);
		CORE_EQ(event.time, i);
		CORE_EQ(stackdepot_now(reader), stackdepot_now(writer));
	}
	CORE_EQ(core_stats(reader).evictions, core_stats(writer).evictions);
	stackdepot_destroy(reader);
	core_finish(test, writer);
}

static void what_was_saved_is_there_afterwards(core_test *test)
{
	const char *path = user_file("depot");
	struct stackdepot *depot = user_create_file(path, 5000, 0);
	stackdepot_handle_t handles[200];
	uintptr_t frames[60], fetched[60];
	unsigned int i, found = 0;
	uint32_t position = 0;

	for (i = 0; i < 200; i++)
		handles[i] = stackdepot_save(depot, frames, trace_make(i, 60, frames), i % 4);
	stackdepot_destroy(depot);
	CORE_EQ(stackdepot_attach(path, &depot), 0);
	for (i = 0; i < 200; i++) {
		unsigned int nr = trace_make(i, 60, frames);

		CORE_EQ(stackdepot_fetch(depot, handles[i], fetched, 60), nr);
		CORE_EQ(memcmp(frames, fetched, nr * sizeof(*frames)), 0);
	}
	while (stackdepot_next(depot, &position))
		found++;
	CORE_EQ(found, 200);
	CORE_EQ(core_stats(depot).saved, 200);
	core_finish(test, depot);
}

static void an_attached_depot_is_read_only(core_test *test)
{
	const char *path = user_file("depot");
	struct stackdepot *depot = user_create_file(path, 10, 16);
	stackdepot_handle_t handle = core_save1(depot, 1, STACKDEPOT_GET);
	struct stackdepot_cursor cursor = {0};
	struct stackdepot_event event = {.address = 1};
	uintptr_t frame = 1;

	stackdepot_destroy(depot);
	CORE_EQ(stackdepot_attach(path, &depot), 0);
	CORE_EQ(core_save1(depot, 1, 0), 0);
	CORE_EQ(core_save1(depot, 2, 0), 0);
	CORE_EQ(stackdepot_save_cursor(depot, &frame, 1, 0, &cursor, 0), 0);
	CORE_EQ(stackdepot_get(depot, handle), -EROFS);
	CORE_EQ(stackdepot_get_ref(depot, stackdepot_ref(depot, handle)), -EROFS);
	CORE_EQ(stackdepot_put(depot, handle), -EROFS);
	CORE_EQ(stackdepot_tick(depot), -EROFS);
	CORE_EQ(stackdepot_ring_record(depot, &event), -EROFS);
	CORE_EQ(stackdepot_fork_child(depot), 0);
	CORE_EQ(stackdepot_fetch(depot, handle, NULL, 0), 1);
	stackdepot_destroy(depot);
}

/* Write `bytes` of `content` to a file; what attaching to it says. */
static int attach_to(const void *content, size_t bytes)
{
	const char *path = user_file("foreign");
	struct stackdepot *depot = NULL;
	int error, fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, bytes), bytes);
	assert_int_equal(close(fd), 0);
	error = stackdepot_attach(path, &depot);
	if (!error)
		stackdepot_destroy(depot);
	else
		assert_null(depot);
	return error;
}

static void foreign_files_are_refused(core_test *test)
{
	static char zeros[10000], text[10000];
	struct stackdepot *depot = NULL;

	memset(text, 'x', sizeof(text));
	CORE_EQ(attach_to("", 0), -EBADMSG);
	CORE_EQ(attach_to("#!/bin/sh\n", 10), -EBADMSG);
	CORE_EQ(attach_to(zeros, sizeof(zeros)), -EBADMSG);
	CORE_EQ(attach_to(text, sizeof(text)), -EBADMSG);
	CORE_EQ(stackdepot_attach(user_directory, &depot), -EBADMSG);
	CORE_EQ(stackdepot_attach("/dev/null", &depot), -EBADMSG);
	CORE_EQ(stackdepot_attach("/dev/zero", &depot), -EBADMSG);
	CORE_EQ(stackdepot_attach(user_file("none"), &depot), -ENOENT);
	CORE_EQ(mkfifo(user_path, 0600), 0);
	CORE_EQ(stackdepot_attach(user_path, &depot), -EBADMSG);
	CORE_EQ(unlink(user_path), 0);
}

/* A file of a few traces, as bytes. */
static size_t file_image(unsigned char *image, size_t size)
{
	const char *path = user_file("depot");
	/* 104 buckets fill their cache lines, so one more shows in what follows. */
	struct stackdepot *depot = user_create_file(path, 104, 16);
	uintptr_t frames[60];
	ssize_t bytes;
	unsigned int i;
	int fd;

	for (i = 0; i < 20; i++)
		(void)stackdepot_save(depot, frames, trace_make(i, 60, frames), 0);
	stackdepot_destroy(depot);
	fd = open(path, O_RDONLY);
	bytes = read(fd, image, size);
	assert_true(bytes > 0 && (size_t)bytes < size);
	assert_int_equal(close(fd), 0);
	return (size_t)bytes;
}

static void short_files_are_refused(core_test *test)
{
	static unsigned char image[1 << 16];
	size_t i, bytes = file_image(image, sizeof(image));

	CORE_EQ(attach_to(image, bytes), 0);
	for (i = 0; i < bytes; i += i < 1000 ? 100 : 512)
		CORE_EQ(attach_to(image, i), -EBADMSG);
	CORE_EQ(attach_to(image, bytes - 1), -EBADMSG);
}

static void other_versions_are_told_apart(core_test *test)
{
	static unsigned char image[1 << 16];
	size_t bytes = file_image(image, sizeof(image));

	image[8]++; /* behind 8 bytes of magic */
	CORE_EQ(attach_to(image, bytes), -EPROTONOSUPPORT);
	image[8]--;
	/* And so are machines whose frames have another size. */
	image[8] ^= 32 ^ 64;
	CORE_EQ(attach_to(image, bytes), -EPROTONOSUPPORT);
	image[8] ^= 32 ^ 64;
	image[0] ^= 1;
	CORE_EQ(attach_to(image, bytes), -EBADMSG);
}

/* Any one number of the geometry that does not fit the others. */
static void a_damaged_geometry_is_refused(core_test *test)
{
	static unsigned char image[1 << 16];
	size_t i, bytes = file_image(image, sizeof(image));
	/* max_bytes, seed, max_frames and lease_ticks stand alone; some values are wrong. */
	static const unsigned char offsets[] = {32, 36, 40, 56, 64, 72, 80, 88};
	static const unsigned char values[] = {1, 2, 128, 255};

	for (i = 0; i < sizeof(offsets) * 4 * sizeof(values); i++) {
		size_t at = offsets[i / 16] + i / 4 % 4;

		image[at] ^= values[i % 4];
		CORE_EQ(attach_to(image, bytes), -EBADMSG);
		image[at] ^= values[i % 4];
	}
	CORE_EQ(attach_to(image, bytes), 0);
}

/* Counting anew ends, and reads nothing beyond the file, whatever one word of it says. */
static void a_damaged_file_can_be_recounted(core_test *test)
{
	static unsigned char image[1 << 16], damaged[1 << 16] __attribute__((aligned(64)));
	static const uint64_t values[] = {1, 2, 0x7fffffff, UINT64_MAX};
	static uint32_t held[1 << 12];
	size_t at, i, opened = 0, bytes = file_image(image, sizeof(image));
	struct stackdepot *depot;

	for (at = 0; at + sizeof(*values) <= bytes; at += sizeof(*values))
		for (i = 0; i < 4; i++) {
			memcpy(damaged, image, bytes);
			memcpy(damaged + at, &values[i], sizeof(*values));
			if (stackdepot_join_at(damaged, bytes, &depot))
				continue;
			opened++;
			memset(held, 0, sizeof(held));
			(void)stackdepot_recount(depot, held);
			stackdepot_destroy(depot);
		}
	CORE_TRUE(opened > bytes / sizeof(*values));
}

/* Write over a word of a depot in use, and use it on. How many circles were cut open? */
static uint64_t damage_and_use(core_test *test, const unsigned char *image, size_t bytes,
			       size_t lines, size_t at, uint64_t value)
{
	static unsigned char damaged[1 << 16] __attribute__((aligned(64)));
	uintptr_t frames[60];
	struct stackdepot *depot;
	uint64_t cut;
	unsigned int i;

	memcpy(damaged, image, bytes);
	CORE_EQ(stackdepot_join_at(damaged, bytes, &depot), 0);
	memcpy(damaged + at, &value, sizeof(value));
	for (i = 0; i < 40; i++) {
		stackdepot_handle_t handle =
			stackdepot_save(depot, frames, trace_make(i, 60, frames), 0);

		(void)stackdepot_fetch(depot, handle, frames, 60);
		(void)stackdepot_put(depot, handle);
	}
	/* Where a number leads nowhere line 0 is looked at, and left alone. */
	if (at < lines || at >= lines + TRACE_LINE_BYTES)
		CORE_TRUE(!memcmp(damaged + lines, image + lines, TRACE_LINE_BYTES));
	cut = core_stats(depot).chains_cut;
	stackdepot_destroy(depot);
	return cut;
}

/* It ends, and stays within its memory, with what is no link, and with one that leads to itself. */
static void a_depot_that_others_write_to_is_used_on(core_test *test)
{
	static unsigned char image[1 << 16];
	size_t at, i, bytes = file_image(image, sizeof(image)),
		      lines = bytes - 105 * TRACE_LINE_BYTES; /* and line 0 */
	uint64_t cut = 0;

	for (at = 0; at + sizeof(uint64_t) <= bytes; at += sizeof(uint64_t)) {
		const uint64_t values[] = {1, at < lines ? 2 : (at - lines) / TRACE_LINE_BYTES,
					   0x7fffffff, UINT64_MAX};
		uint64_t word;

		memcpy(&word, image + at, sizeof(word));
		for (i = 0; i < 4; i++) {
			cut += damage_and_use(test, image, bytes, lines, at, values[i]);
			/* Of the same life, if it is a link. */
			word = (word & ~(uint64_t)UINT32_MAX) | (uint32_t)values[i];
			cut += damage_and_use(test, image, bytes, lines, at, word);
		}
	}
	CORE_TRUE(cut > 0);
}

/* What a fetch says when the state of the trace's line is so; `lines` is where line 0 lies. */
static int fetch_with_state(core_test *test, const unsigned char *image, size_t bytes, size_t lines,
			    uint64_t clear, uint64_t set)
{
	static unsigned char damaged[1 << 16] __attribute__((aligned(64)));
	uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	struct stackdepot *depot;
	stackdepot_handle_t handle;
	uint64_t state;
	size_t at, i;
	int nr;

	memcpy(damaged, image, bytes);
	CORE_EQ(stackdepot_join_at(damaged, bytes, &depot), 0);
	for (i = 0; i < 8; i++)
		frames[i] = 0x400000 + 16 * i;
	handle = stackdepot_save(depot, frames, 8, STACKDEPOT_KEEP);
	at = lines + (uint32_t)stackdepot_ref(depot, handle) * TRACE_LINE_BYTES + 8;
	memcpy(&state, damaged + at, sizeof(state));
	state = (state & ~clear) | set;
	memcpy(damaged + at, &state, sizeof(state));
	nr = stackdepot_fetch(depot, handle, frames, STACKDEPOT_MAX_FRAMES);
	stackdepot_destroy(depot);
	return nr;
}

/* A wide line of eight frames, one whose parent is itself, or none, or is not live. */
static void a_damaged_trace_is_not_fetched(core_test *test)
{
	static unsigned char image[1 << 16];
	const size_t bytes = file_image(image, sizeof(image)),
		     lines = bytes - 105 * TRACE_LINE_BYTES;
	const uint64_t parent = (1u << 27) - 1, wide = 1u << 30;

	CORE_EQ(fetch_with_state(test, image, bytes, lines, 0, 0), 8);
	if (sizeof(uintptr_t) == 8)
		CORE_EQ(fetch_with_state(test, image, bytes, lines, 0, wide), -EBADMSG);
	CORE_EQ(fetch_with_state(test, image, bytes, lines, parent, 104), -EBADMSG);
	CORE_EQ(fetch_with_state(test, image, bytes, lines, parent, parent), -EBADMSG);
	/* The lines of these twenty are those from 1 on. */
	CORE_EQ(fetch_with_state(test, image, bytes, lines, parent, 1), 16);
}

USER_SUITE(file, cmocka_unit_test(a_new_file_is_private),
	   cmocka_unit_test(an_existing_file_is_left_alone),
	   cmocka_unit_test(blocks_are_reserved_unless_sparse),
	   cmocka_unit_test(readers_follow_the_writer),
	   cmocka_unit_test(what_was_saved_is_there_afterwards),
	   cmocka_unit_test(an_attached_depot_is_read_only),
	   cmocka_unit_test(foreign_files_are_refused), cmocka_unit_test(short_files_are_refused),
	   cmocka_unit_test(other_versions_are_told_apart),
	   cmocka_unit_test(a_damaged_geometry_is_refused),
	   cmocka_unit_test(a_damaged_file_can_be_recounted),
	   cmocka_unit_test(a_depot_that_others_write_to_is_used_on),
	   cmocka_unit_test(a_damaged_trace_is_not_fetched));
