/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* families: each function of the malloc family does what it should, errno included. */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK(condition)                                               \
	do {                                                           \
		if (!(condition)) {                                    \
			printf("line %d: %s\n", __LINE__, #condition); \
			return 1;                                      \
		}                                                      \
	} while (0)

static volatile size_t too_large = SIZE_MAX / 2;

static int check_small(void)
{
	char *object;
	size_t i;

	for (i = 0; i < 3000; i += 7) {
		object = malloc(i);
		CHECK(object && (uintptr_t)object % 16 == 0 && malloc_usable_size(object) >= i);
		memset(object, 1, malloc_usable_size(object));
		object = realloc(object, i + 100);
		CHECK(object && (i == 0 || (object[0] == 1 && object[i - 1] == 1)));
		free(object);
		object = calloc(i, 3);
		CHECK(object && (i == 0 || (!object[0] && !object[3 * i - 1])));
		free(object);
	}
	return 0;
}

static int check_aligned(void)
{
	size_t align;
	void *object;

	for (align = 16; align <= 65536; align *= 2) {
		CHECK(!posix_memalign(&object, align, 100) && (uintptr_t)object % align == 0);
		free(object);
		object = aligned_alloc(align, align * 2);
		CHECK(object && (uintptr_t)object % align == 0);
		free(object);
		object = memalign(align, 5);
		CHECK(object && (uintptr_t)object % align == 0);
		free(object);
	}
	CHECK(posix_memalign(&object, 3, 8) == EINVAL);
	object = valloc(10);
	CHECK((uintptr_t)object % (uintptr_t)getpagesize() == 0);
	free(object);
	object = pvalloc(10);
	CHECK(malloc_usable_size(object) >= (size_t)getpagesize());
	free(object);
	return 0;
}

static int check_errno(void)
{
	void *object;

	errno = 0;
	CHECK(!malloc(too_large) && errno == ENOMEM);
	errno = 0;
	CHECK(!calloc(too_large, 4) && errno == ENOMEM);
	errno = 0;
	CHECK(!reallocarray(NULL, too_large, 4) && errno == ENOMEM);
	object = malloc(10);
	errno = 0;
	CHECK(!realloc(object, too_large) && errno == ENOMEM);
	errno = 42;
	free(object);
	free(NULL);
	CHECK(errno == 42);
	object = malloc(100);
	free(object);
	CHECK(errno == 42);
	return 0;
}

int main(void)
{
	if (check_small() || check_aligned() || check_errno())
		return 1;
	puts("done");
	return 0;
}
