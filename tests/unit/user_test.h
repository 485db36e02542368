/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* user_test.h - for tests of what only user space has: files, processes, signals. */
#ifndef TESTS_USER_TEST_H
#define TESTS_USER_TEST_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core_test.h"

/* A directory of its own for each program, removed by user_clean(). */
static char user_directory[64];
static char user_path[128];

static inline const char *user_file(const char *name)
{
	if (!user_directory[0]) {
		(void)snprintf(user_directory, sizeof(user_directory),
			       "/tmp/stackdepot-test-XXXXXX");
		assert_non_null(mkdtemp(user_directory));
	}
	(void)snprintf(user_path, sizeof(user_path), "%s/%s", user_directory, name);
	(void)unlink(user_path);
	return user_path;
}

static inline int user_clean(void **state)
{
	DIR *directory = user_directory[0] ? opendir(user_directory) : NULL;
	struct dirent *entry;

	(void)state;
	if (!directory)
		return 0;
	while ((entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			(void)unlinkat(dirfd(directory), entry->d_name, 0);
	(void)closedir(directory);
	return rmdir(user_directory);
}

static inline struct stackdepot *user_create_file(const char *path, unsigned int lines,
						  unsigned int ring)
{
	struct stackdepot_options options = {.lines = lines, .ring_entries = ring, .seed = 1};
	struct stackdepot *depot = NULL;

	options.max_bytes = stackdepot_bytes_for(lines, &options);
	assert_int_equal(stackdepot_create_file(&options, path, &depot), 0);
	return depot;
}

/* What a child process returned. */
static inline int user_wait(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define USER_SUITE(suite, ...)                                                                     \
	int main(void)                                                                             \
	{                                                                                          \
		const struct CMUnitTest tests[] = {__VA_ARGS__};                                   \
                                                                                                   \
		return cmocka_run_group_tests_name("stackdepot_" #suite, tests, NULL, user_clean); \
	}                                                                                          \
	_Static_assert(1, "takes the semicolon")

#endif
