/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Every system call of making and attaching a depot is failed in turn, through the linker's --wrap:
 * the error is passed on, nothing leaks, no file is left, and the caller's pointer is untouched.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <sys/random.h>

#include "user_test.h"

static int calls;      /* that could have failed */
static int fail_at;    /* the call to fail; 0: none */
static int fail_errno; /* how it failed; 0: it did not */
static int open_files;
static int64_t mapped_bytes;

static bool fails(int error)
{
	if (++calls != fail_at)
		return false;
	errno = fail_errno = error;
	return true;
}

int __real_open64(const char *path, int flags, mode_t mode);
int __real_close(int fd);
int __real_ftruncate64(int fd, off_t bytes);
int __real_fallocate64(int fd, int mode, off_t offset, off_t bytes);
int __real_fstat64(int fd, struct stat *status);
void *__real_mmap64(void *where, size_t bytes, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *memory, size_t bytes);
ssize_t __real_getrandom(void *buffer, size_t bytes, unsigned int flags);

int __wrap_open64(const char *path, int flags, ...);
int __wrap_close(int fd);
int __wrap_ftruncate64(int fd, off_t bytes);
int __wrap_fallocate64(int fd, int mode, off_t offset, off_t bytes);
int __wrap_fstat64(int fd, struct stat *status);
void *__wrap_mmap64(void *where, size_t bytes, int protection, int flags, int fd, off_t offset);
int __wrap_munmap(void *memory, size_t bytes);
ssize_t __wrap_getrandom(void *buffer, size_t bytes, unsigned int flags);

int __wrap_open64(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode = 0;
	int fd;

	va_start(arguments, flags);
	if (flags & O_CREAT)
		mode = va_arg(arguments, mode_t);
	va_end(arguments);
	if (fails(EMFILE))
		return -1;
	fd = __real_open64(path, flags, mode);
	open_files += fd >= 0;
	return fd;
}

int __wrap_close(int fd)
{
	open_files--;
	return __real_close(fd) || fails(EIO) ? -1 : 0;
}

int __wrap_ftruncate64(int fd, off_t bytes)
{
	return fails(EFBIG) ? -1 : __real_ftruncate64(fd, bytes);
}

int __wrap_fallocate64(int fd, int mode, off_t offset, off_t bytes)
{
	return fails(ENOSPC) ? -1 : __real_fallocate64(fd, mode, offset, bytes);
}

int __wrap_fstat64(int fd, struct stat *status)
{
	return fails(EOVERFLOW) ? -1 : __real_fstat64(fd, status);
}

void *__wrap_mmap64(void *where, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	void *memory = MAP_FAILED;

	if (!fails(ENOMEM))
		memory = __real_mmap64(where, bytes, protection, flags, fd, offset);
	/* MAP_FIXED goes over what was counted already. */
	if (memory != MAP_FAILED && !(flags & MAP_FIXED))
		mapped_bytes += (int64_t)bytes;
	return memory;
}

int __wrap_munmap(void *memory, size_t bytes)
{
	mapped_bytes -= (int64_t)bytes;
	return __real_munmap(memory, bytes);
}

ssize_t __wrap_getrandom(void *buffer, size_t bytes, unsigned int flags)
{
	return fails(EAGAIN) ? -1 : __real_getrandom(buffer, bytes, flags);
}

enum way { ANONYMOUS, FILE_NEW, FILE_SPARSE, AT, ATTACH, ATTACH_AT };

static char memory[1 << 16] __attribute__((aligned(64)));
static char path[128];

static int make(enum way way, struct stackdepot **ret_depot)
{
	struct stackdepot_options options = {.max_bytes = sizeof(memory)};

	switch (way) {
	case ANONYMOUS:
		return stackdepot_create(&options, ret_depot);
	case FILE_SPARSE:
		options.flags = STACKDEPOT_SPARSE;
		/* fall through */
	case FILE_NEW:
		return stackdepot_create_file(&options, path, ret_depot);
	case AT:
		return stackdepot_create_at(&options, memory, ret_depot);
	case ATTACH:
		return stackdepot_attach(path, ret_depot);
	default:
		return stackdepot_attach_at(memory, sizeof(memory), ret_depot);
	}
}

/* Is a failure of this kind survived? */
static bool harmless(int error)
{
	return error == EIO /* close */ || error == EAGAIN /* getrandom */;
}

static void check_failure(enum way way, int error, struct stackdepot *depot)
{
	assert_int_equal(error, -fail_errno);
	assert_ptr_equal(depot, NULL);
	assert_int_equal(open_files, 0);
	assert_int_equal(mapped_bytes, 0);
	if (way == FILE_NEW || way == FILE_SPARSE)
		assert_int_equal(access(path, F_OK), -1);
}

/* Fail call after call until none is left to fail. Returns how many there were. */
static int fail_each(enum way way)
{
	for (fail_at = 1;; fail_at++) {
		struct stackdepot *depot = NULL;
		int error;

		calls = fail_errno = open_files = 0;
		mapped_bytes = 0;
		error = make(way, &depot);
		if (fail_errno && !harmless(fail_errno)) {
			check_failure(way, error, depot);
			continue;
		}
		assert_int_equal(error, 0);
		assert_int_equal(open_files, 0);
		assert_true(way == ATTACH || way == ATTACH_AT || core_save1(depot, 1, 0));
		stackdepot_destroy(depot);
		assert_int_equal(mapped_bytes, 0);
		if (way == FILE_NEW || way == FILE_SPARSE)
			assert_int_equal(unlink(path), 0);
		if (!fail_errno)
			return fail_at - 1;
	}
}

static void every_call_fails(core_test *test)
{
	struct stackdepot *depot = NULL;

	(void)snprintf(path, sizeof(path), "%s", user_file("depot"));
	CORE_EQ(fail_each(ANONYMOUS), 2);   /* getrandom, mmap */
	CORE_EQ(fail_each(FILE_NEW), 7);    /* and open, ftruncate, fallocate, mmap, close */
	CORE_EQ(fail_each(FILE_SPARSE), 6); /* no fallocate */
	CORE_EQ(fail_each(AT), 2);
	CORE_EQ(fail_each(ATTACH_AT), 1);
	fail_at = 0;
	CORE_EQ(make(FILE_NEW, &depot), 0);
	stackdepot_destroy(depot);
	CORE_EQ(fail_each(ATTACH), 5); /* open, fstat, mmap, mmap, close */
}

/* The scratch memory of stackdepot_check(). */
static void a_check_without_memory_says_so(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 10, 0, 0);

	calls = 0;
	fail_at = 1;
	CORE_EQ(stackdepot_check(depot), -ENOMEM);
	fail_at = 0;
	mapped_bytes = 0;
	CORE_EQ(stackdepot_check(depot), 0);
	CORE_EQ(mapped_bytes, 0);
	core_finish(test, depot);
}

/* A file system without fallocate() is one where blocks cannot be reserved. */
static void what_cannot_be_had(core_test *test)
{
	struct stackdepot_options options = {.max_bytes = 1ull << 62};
	struct stackdepot *depot = NULL;
	int error = stackdepot_create(&options, &depot);

	/* As many lines as can be numbered, if there is address space for them. */
	CORE_TRUE(!error || error == -ENOMEM);
	if (!error) {
		CORE_EQ(core_stats(depot).lines, STACKDEPOT_MAX_LINES);
		CORE_NE(core_save1(depot, 7, 0), 0);
		stackdepot_destroy(depot);
	}
	CORE_EQ(stackdepot_create_file(&options, "/nonexistent/depot", &depot), -ENOENT);
}

USER_SUITE(create_fail, cmocka_unit_test(every_call_fails),
	   cmocka_unit_test(a_check_without_memory_says_so), cmocka_unit_test(what_cannot_be_had));
