/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* frames.c - frames of a store, and the table of the modules that they are in. */
#include <signal.h>
#include <sys/ptrace.h>

#include "user_test.h"

#include "store/frame.h"
#include "store/module_table.h"

#define WRITERS 4u
#define FILES 500u
#define STEPS 11u

/* --- what a frame says ------------------------------------------------------------------------ */

static void modules_come_back(void **state)
{
	const uint32_t numbers[] = {1, 2, 255, 256, 8192, STACKDEPOT_FRAME_MODULES};
	const uint64_t offsets[] = {0, 1, 0x1234567, 0xffffffff, 1ull << 32, FRAME_OFFSETS - 1};
	size_t i, j;

	(void)state;
	for (i = 0; i < 6; i++) {
		for (j = 0; j < 6; j++) {
			uint64_t frame = frame_of_module(numbers[i], offsets[j]);

			assert_false(stackdepot_frame_is_address(frame));
			assert_int_equal(stackdepot_frame_module(frame), numbers[i]);
			assert_int_equal(stackdepot_frame_offset(frame), offsets[j]);
			assert_int_equal(stackdepot_frame_process(frame), 0);
			assert_int_equal(frame_extend(frame), frame);
		}
	}
}

/* The highest address that code can have: one bit is for telling what the frame is. */
#define ADDRESS_END \
	(1ull << (STACKDEPOT_FRAME_ADDRESS_BITS + STACKDEPOT_FRAME_ADDRESS_SHIFT))

static void addresses_come_back(void **state)
{
	const uint64_t addresses[] = {0x1000, 0x7f1234567894, 0x400000000000, ADDRESS_END - 4};
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		uint64_t frame = frame_of_address(addresses[i]);

		assert_true(stackdepot_frame_is_address(frame));
		assert_int_equal(stackdepot_frame_address(frame), addresses[i]);
		assert_int_equal(stackdepot_frame_module(frame), 0);
		assert_int_equal(stackdepot_frame_process(frame), 0);
		assert_int_equal(frame_extend(frame), frame);
		/* The one of a context is the place itself, to which one is added. */
		assert_in_range(stackdepot_frame_address(frame + 1) - 1, addresses[i],
				addresses[i] + 3);
	}
	assert_int_equal(stackdepot_frame_address(frame_of_address(ADDRESS_END + 0x4000)), 0);
}

static void processes_and_marks(void **state)
{
	const uint32_t serials[] = {1, 2, 0x7fffffff, 0xffffffff};
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		uint64_t frame = frame_of_process(serials[i]);

		assert_int_equal(stackdepot_frame_process(frame), serials[i]);
		assert_false(stackdepot_frame_is_address(frame));
		assert_int_equal(stackdepot_frame_module(frame), 0);
		assert_int_equal(frame_extend(frame), frame);
	}
	assert_int_equal(stackdepot_frame_process(STACKDEPOT_FRAME_GUESS), 0);
	assert_false(stackdepot_frame_is_address(STACKDEPOT_FRAME_GUESS));
	assert_int_equal(stackdepot_frame_module(STACKDEPOT_FRAME_GUESS), 0);
}

/* Eight frames a line, as of any program: they are numbers of 48 bits. */
static void frames_are_narrow(void **state)
{
	struct stackdepot *depot = core_depot(NULL, 64, 8, 0);
	uintptr_t frames[STACKDEPOT_MAX_FRAMES], found[STACKDEPOT_MAX_FRAMES];
	stackdepot_handle_t handle;
	unsigned int i;

	(void)state;
	for (i = 0; i < 16; i++)
		frames[i] = frame_of_module(STACKDEPOT_FRAME_MODULES - i, FRAME_OFFSETS - 1);
	for (i = 0; i < 15; i += 2)
		frames[i] = frame_of_address(0x7f0000000000ull + i * 64);
	frames[15] = frame_of_process(0xffffffff);
	handle = stackdepot_save(depot, frames, 16, 0);
	assert_int_equal(stackdepot_fetch(depot, handle, found, STACKDEPOT_MAX_FRAMES), 16);
	assert_memory_equal(found, frames, 16 * sizeof(frames[0]));
	assert_int_equal(core_stats(depot).lines_used, 2);
	stackdepot_destroy(depot);
}

/* --- the table -------------------------------------------------------------------------------- */

static struct store_layout layout;
static uint64_t table_bytes;

/* Shared with what is forked. */
static struct module_table table_make(void)
{
	void *memory;

	assert_int_equal(store_plan(64 << 20, 0, &layout), 0);
	table_bytes = layout.errors_offset;
	memory = mmap(NULL, table_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	return module_table_at(memory, &layout);
}

static void table_unmake(const struct module_table *table)
{
	munmap((char *)table->dropped - layout.dropped_offset, table_bytes);
}

/* File NUMBER; every third has no build-id. */
static struct store_module module_make(uint32_t number)
{
	struct store_module module;

	memset(&module, 0, sizeof(module));
	module.identity.bytes = 4096;
	if (number % 3) {
		module.identity.build_id_bytes = 20;
		memcpy(module.identity.build_id, &number, sizeof(number));
	} else {
		module.identity.file_inode = number + 1;
	}
	module.path_bytes = (uint32_t)snprintf(module.path, sizeof(module.path), "/lib/%u", number);
	return module;
}

static uint32_t module_find(const struct module_table *table, uint32_t number)
{
	struct store_module module = module_make(number);

	return module_table_find(table, &module.identity);
}

static uint32_t module_add(const struct module_table *table, uint32_t writer, uint32_t number)
{
	struct store_module module = module_make(number);

	return module_table_add(table, writer, &module);
}

static bool module_is_whole(const struct module_table *table, uint32_t at, uint32_t number)
{
	const struct store_module wanted = module_make(number);
	const struct store_module *record = &table->records[at - 1];

	return at && record->state == STORE_RECORD_VALID &&
	       !memcmp(&record->identity, &wanted.identity, sizeof(wanted.identity)) &&
	       !strcmp(record->path, wanted.path);
}

static uint32_t records_in_use(const struct module_table *table)
{
	uint32_t i, nr = 0;

	for (i = 0; i < table->nr; i++)
		nr += table->records[i].state != STORE_RECORD_FREE;
	return nr;
}

static void a_file_is_one_module(void **state)
{
	struct module_table table = table_make();
	struct store_module changed;
	uint32_t i, number = module_add(&table, 1, 7);

	(void)state;
	assert_int_equal(number, 1);
	assert_int_equal(module_add(&table, 2, 7), number);
	assert_int_equal(module_find(&table, 7), number);
	assert_int_equal(module_find(&table, 8), 0);
	/* each word of its identity counts, and its path does not */
	for (i = 0; i < sizeof(changed.identity); i += 8) {
		changed = module_make(7);
		((uint8_t *)&changed.identity)[i] ^= 1;
		assert_int_equal(module_table_add(&table, 1, &changed), 2 + i / 8);
	}
	changed = module_make(7);
	strcpy(changed.path, "/elsewhere");
	assert_int_equal(module_table_add(&table, 1, &changed), number);
	assert_true(module_is_whole(&table, number, 7));
	table_unmake(&table);
}

static void a_full_table_says_so(void **state)
{
	struct module_table table = table_make();
	struct store_module module;
	uint32_t i, dropped = 0;

	(void)state;
	for (i = 0; i < table.nr; i++)
		assert_int_equal(module_add(&table, 1, i), i + 1);
	for (i = table.nr; i < table.nr + 50; i++) {
		assert_int_equal(module_add(&table, 1, i), 0);
		module = module_make(i);
		dropped += module_table_drop(&table, &module.identity);
		assert_false(module_table_drop(&table, &module.identity));
	}
	assert_in_range(dropped, 45, 50); /* they are told apart by a hash */
	for (i = 0; i < table.nr; i++)
		assert_int_equal(module_find(&table, i), i + 1);
	table_unmake(&table);
}

/* All the files, each STEP-th first, which has no divisor that FILES has. */
static void write_all(const struct module_table *table, uint32_t writer, uint32_t step,
		      uint16_t *found)
{
	uint32_t i;

	for (i = 0; i < FILES; i++) {
		uint32_t file = i * step % FILES;

		found[file] = (uint16_t)module_add(table, writer, file);
	}
}

static void several_write_at_once(void **state)
{
	const uint32_t steps[WRITERS] = {1, 3, 7, 499};
	struct module_table table = table_make();
	uint16_t(*found)[FILES] = mmap(NULL, WRITERS * sizeof(*found), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint32_t i, file;
	pid_t pid[WRITERS];

	(void)state;
	for (i = 0; i < WRITERS; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		write_all(&table, i + 1, steps[i], found[i]);
		_exit(0);
	}
	for (i = 0; i < WRITERS; i++)
		assert_int_equal(user_wait(pid[i]), 0);
	for (file = 0; file < FILES; file++) {
		assert_true(module_is_whole(&table, found[0][file], file));
		for (i = 1; i < WRITERS; i++)
			assert_int_equal(found[i][file], found[0][file]);
	}
	assert_int_equal(records_in_use(&table), FILES);
	table_unmake(&table);
	munmap(found, WRITERS * sizeof(*found));
}

/* A writer of one file that is killed after so many instructions. False: it came to its end. */
static bool write_and_die(const struct module_table *table, uint32_t file, uint32_t instructions)
{
	const struct store_module module = module_make(file);
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			_exit(1);
		(void)raise(SIGSTOP);
		(void)module_table_add(table, file + 1, &module);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	while (instructions-- && WIFSTOPPED(status)) {
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
	if (!WIFSTOPPED(status))
		return false;
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return true;
}

/* Each is killed some instructions later than the one before, the last not at all. */
static void any_may_be_killed(void **state)
{
	struct module_table table = table_make();
	uint32_t half = 0, file = 0;

	(void)state;
	while (write_and_die(&table, file, file * STEPS)) {
		uint32_t known = module_find(&table, file), in_use = records_in_use(&table);

		assert_true(!known || module_is_whole(&table, known, file));
		assert_true(module_is_whole(&table, module_add(&table, UINT32_MAX, file), file));
		half += in_use < records_in_use(&table) && in_use > file;
		module_table_settle(&table, file + 1);
		assert_int_equal(records_in_use(&table), ++file);
	}
	assert_true(half > 0 || !file); /* some emulators know no single steps */
	table_unmake(&table);
}

/* The one that dies in the middle of writing: half of what it copies cannot be read. */
static void one_dies_half_way(void **state)
{
	struct module_table table = table_make();
	const struct store_module module = module_make(5);
	char *memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct store_module *half = (void *)(memory + 4096 - sizeof(module) / 2);
	pid_t pid;

	(void)state;
	memcpy(half, &module, sizeof(module));
	assert_int_equal(munmap(memory + 4096, 4096), 0);
	pid = fork();
	if (!pid) {
		(void)signal(SIGSEGV, SIG_DFL);
		(void)module_table_add(&table, 3, half);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(table.records[0].state, 3ull << 32 | STORE_RECORD_BUSY);
	/* nobody minds */
	assert_int_equal(module_add(&table, 1, 5), 2);
	assert_true(module_is_whole(&table, 2, 5));
	/* another's are let alone */
	module_table_settle(&table, 4);
	assert_int_equal(records_in_use(&table), 2);
	module_table_settle(&table, 3);
	assert_int_equal(table.records[0].state, STORE_RECORD_FREE);
	munmap(memory, 4096);
	table_unmake(&table);
}

/* It died between being found and being said to be valid: whoever comes next says it. */
static void one_dies_near_the_end(void **state)
{
	struct module_table table = table_make();

	(void)state;
	assert_int_equal(module_add(&table, 3, 5), 1);
	assert_int_equal(module_add(&table, 3, 6), 2);
	table.records[0].state = table.records[1].state = 3ull << 32 | STORE_RECORD_BUSY;
	assert_int_equal(module_find(&table, 5), 1);
	assert_true(module_is_whole(&table, 1, 5));
	module_table_settle(&table, 3);
	assert_true(module_is_whole(&table, 2, 6));
	table_unmake(&table);
}

/* Numbers that were written over lead nowhere, and to no fault. */
static void damage_is_survived(void **state)
{
	struct module_table table = table_make();
	uint32_t i;

	(void)state;
	assert_int_equal(module_add(&table, 1, 5), 1);
	table.dropped->hint = UINT64_MAX;
	for (i = 0; i < table.index_slots; i++)
		table.index[i] = UINT16_MAX;
	assert_int_equal(module_find(&table, 5), 0);
	assert_int_equal(module_add(&table, 1, 6), 0);
	module_table_settle(&table, 1);
	table_unmake(&table);
}

USER_SUITE(frames, cmocka_unit_test(modules_come_back), cmocka_unit_test(addresses_come_back),
	   cmocka_unit_test(processes_and_marks), cmocka_unit_test(frames_are_narrow),
	   cmocka_unit_test(a_file_is_one_module), cmocka_unit_test(a_full_table_says_so),
	   cmocka_unit_test(several_write_at_once), cmocka_unit_test(any_may_be_killed),
	   cmocka_unit_test(one_dies_half_way), cmocka_unit_test(one_dies_near_the_end),
	   cmocka_unit_test(damage_is_survived));
