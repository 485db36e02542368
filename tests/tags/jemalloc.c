/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * jemalloc.c - objects of malloc() in the hands of jemalloc's own functions, which get pointers
 * with tags then, and have to do as ever.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "../bugs/bug.h"

#define TIMES 500u
#define TOO_LARGE (SIZE_MAX / 4)

static void *(*make)(size_t, int);
static void *(*move)(void *, size_t, int);
static size_t (*resize)(void *, size_t, size_t, int);
static size_t (*size_of)(const void *, int);
static void (*end)(void *, int);
static void (*end_sized)(void *, size_t, int);
static unsigned int wrong;

static void *function(const char *name)
{
	void *found = dlsym(RTLD_DEFAULT, name);

	if (!found)
		exit(3);
	return found;
}

static void look_up(void)
{
	*(void **)&make = function("mallocx");
	*(void **)&move = function("rallocx");
	*(void **)&resize = function("xallocx");
	*(void **)&size_of = function("sallocx");
	*(void **)&end = function("dallocx");
	*(void **)&end_sized = function("sdallocx");
}

static void look(const char *object, char fill, size_t bytes)
{
	while (bytes--)
		wrong += object[bytes] != fill;
}

/* What cannot be moved stays what it was: it can be read, by the same pointer. */
static void stays(size_t bytes)
{
	char *object = allocate(bytes);

	memset(object, 't', bytes);
	wrong += move(object, TOO_LARGE, 0) != NULL;
	look(object, 't', bytes);
	free(object);
}

/* Each object is filled up to the size that jemalloc tells. */
static void one(const size_t asked)
{
	size_t bytes = asked;
	char *object = allocate(bytes), *other = allocate(bytes);

	wrong += size_of(object, 0) < bytes || malloc_usable_size(object) < bytes;
	memset(object, 'o', size_of(object, 0));
	bytes = resize(object, 2 * bytes, 0, 0);
	memset(object, 'o', bytes);
	object = move(object, 3 * bytes, 0);
	look(object, 'o', bytes);
	memset(object, 'p', 3 * bytes);
	memset(other, 'q', size_of(other, 0));
	end_sized(other, asked, 0);
	other = allocate(bytes);
	memset(other, 'r', bytes);
	end(other, 0);
	look(object, 'p', 3 * bytes);
	free(object);
	object = make(bytes, 0);
	memset(object, 's', size_of(object, 0));
	free(object);
	object = hidden(calloc(1, bytes));
	look(object, 0, bytes);
	free(object);
	stays(bytes);
}

int main(void)
{
	unsigned int i;

	look_up();
	for (i = 1; i <= TIMES; i++)
		one(i * 7);
	for (i = 1; i <= 20; i++)
		one(i * 4000);
	printf("read %u wrong\nOK\n", wrong);
	return 0;
}
