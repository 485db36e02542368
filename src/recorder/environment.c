/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * environment.c - the program's environment is what it would be without us.
 *
 * We come by two variables, LD_PRELOAD and STACKDEPOT_OPTIONS. They are taken out when the
 * program's libraries have been loaded, and put in again, at the end, of whatever list the program
 * hands to one that it starts. A variable LD_PRELOAD of its own is another one, further up: of two
 * the loader takes the last, which therefore holds both lists. Who has come by /etc/ld.so.preload,
 * or by another name, leaves everything where it is.
 *
 * The kernel shows in /proc/PID/environ what it has put there, whatever becomes of the list.
 *
 * Taking them out is done in an IFUNC resolver, which the loader runs while it relocates this
 * library: before any library's constructor, when nobody can have read the list, be about to copy
 * it, or have another thread. No function of the C library is called there: it may not be ready.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "environment.h"
#include "live_table.h"
#include "options.h"
#include "recorder.h"

#define ENVIRONMENT_LIBRARY "libstackdepot-preload.so"
#define ENVIRONMENT_PRELOAD "LD_PRELOAD="
#define ENVIRONMENT_OPTIONS "STACKDEPOT_OPTIONS="
#define ENVIRONMENT_OPTIONS_BYTES (32u << 10)

/* Loops stay loops: the compiler sees calls of memcpy() and strlen() in them otherwise. */
#ifdef __clang__
#define ENVIRONMENT_LOOPS no_builtin
#else
#define ENVIRONMENT_LOOPS optimize("no-tree-loop-distribute-patterns")
#endif
#define ENVIRONMENT_EARLY \
	__attribute__((noinline, no_sanitize("address", "thread", "undefined"), ENVIRONMENT_LOOPS))

/* Whole variables, as they are handed on. Empty: we have come by other ways than LD_PRELOAD. */
static char own_preload[sizeof(ENVIRONMENT_PRELOAD) + RECORDER_PATH_BYTES];
static char own_options[ENVIRONMENT_OPTIONS_BYTES] = ENVIRONMENT_OPTIONS;

/* --- taking them out -------------------------------------------------------------------------- */

/* What is behind `prefix`, or NULL. */
static ENVIRONMENT_EARLY char *environment_behind(char *text, const char *prefix)
{
	while (*prefix && *text == *prefix) {
		text++;
		prefix++;
	}
	return *prefix ? NULL : text;
}

static ENVIRONMENT_EARLY void environment_copy(char *to, const char *from, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++)
		to[i] = from[i];
	to[i] = '\0';
}

static ENVIRONMENT_EARLY size_t environment_length(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

/* Our entry in a list of libraries, by the name of the file, and its length; NULL: none. */
static ENVIRONMENT_EARLY char *environment_entry(char *list, size_t *ret_length)
{
	static const char library[] = ENVIRONMENT_LIBRARY;
	char *at = list, *name, *rest;

	while (*at) {
		char *end;

		for (end = name = at; *end && *end != ':' && *end != ' '; end++)
			if (*end == '/')
				name = end + 1;
		rest = environment_behind(name, library);
		if (rest && rest == end) {
			*ret_length = (size_t)(end - at);
			return at;
		}
		at = *end ? end + 1 : end;
	}
	return NULL;
}

/* The list without our entry and the separator that goes with it, in place; false: it is empty. */
static ENVIRONMENT_EARLY bool environment_cut(char *list, char *entry, size_t length)
{
	char *rest = entry + length;

	if (*rest)
		rest++;
	else if (entry > list)
		entry--;
	environment_copy(entry, rest, environment_length(rest));
	return *list;
}

/* Does a variable go? `before`: there was one of that name already, which is the program's. */
static ENVIRONMENT_EARLY bool environment_takes_preload(char *list, bool before)
{
	size_t length = 0;
	char *entry = environment_entry(list, &length);

	if (!entry)
		return false;
	if (length < RECORDER_PATH_BYTES) {
		environment_copy(own_preload, ENVIRONMENT_PRELOAD, sizeof(ENVIRONMENT_PRELOAD) - 1);
		environment_copy(own_preload + sizeof(ENVIRONMENT_PRELOAD) - 1, entry, length);
	}
	return before || !environment_cut(list, entry, length);
}

/* So many that there is no room for them stay, and are handed on by the program. */
static ENVIRONMENT_EARLY bool environment_takes_options(const char *text)
{
	size_t length = environment_length(text);

	if (length > sizeof(own_options) - sizeof(ENVIRONMENT_OPTIONS))
		return false;
	environment_copy(own_options + sizeof(ENVIRONMENT_OPTIONS) - 1, text, length);
	return true;
}

/* Are we named by a variable? Else others hand us on, and with us the options. */
static ENVIRONMENT_EARLY bool environment_names_us(char **list)
{
	size_t length;
	char *text;

	for (; *list; list++) {
		text = environment_behind(*list, ENVIRONMENT_PRELOAD);
		if (text && environment_entry(text, &length))
			return true;
	}
	return false;
}

/* How many went; the list is shorter by them. */
static ENVIRONMENT_EARLY size_t environment_filter(char **list)
{
	char **from, **to, *text;
	bool before = false;

	if (!environment_names_us(list))
		return 0;

	for (from = to = list; *from; from++) {
		text = environment_behind(*from, ENVIRONMENT_OPTIONS);
		if (text && environment_takes_options(text))
			continue;
		text = environment_behind(*from, ENVIRONMENT_PRELOAD);
		if (text && environment_takes_preload(text, before))
			continue;
		before |= text != NULL;
		*to++ = *from;
	}
	*to = NULL;
	return (size_t)(from - to);
}

/*
 * Behind the list that the kernel made is the auxiliary vector, and some find it there (Go's
 * runtime): each two places that are left become an entry of it that says nothing.
 */
static ENVIRONMENT_EARLY void environment_take_first(char **list)
{
	size_t nr, left = environment_filter(list);

	for (nr = 0; list[nr]; nr++)
		;
	for (nr++; left >= 2; left -= 2, nr += 2) {
		list[nr] = (char *)(uintptr_t)AT_IGNORE;
		list[nr + 1] = NULL;
	}
}

extern void *__libc_stack_end;

/* Where the loader keeps the stack as the kernel made it: argc, argv, NULL, environment, NULL. */
static ENVIRONMENT_EARLY char **environment_of_stack(void)
{
	const long *start = __libc_stack_end;

	return start && *start >= 0 ? (char **)(uintptr_t)&start[*start + 2] : NULL;
}

static void environment_nothing(void)
{
}

typedef void (*environment_function)(void);
environment_function environment_resolve(void);

__attribute__((used)) ENVIRONMENT_EARLY environment_function environment_resolve(void)
{
	char **list = environment_of_stack();

	if (list)
		environment_take_first(list);
	return environment_nothing;
}

void environment_early(void) __attribute__((ifunc("environment_resolve"), visibility("hidden")));

void environment_setup(void)
{
	environment_early();
}

const char *environment_options(void)
{
	const char *left = getenv("STACKDEPOT_OPTIONS");

	return left ? left : own_options + sizeof(ENVIRONMENT_OPTIONS) - 1;
}

/* The loader knows the file; the variable may have $LIB in it. */
const char *environment_library(void)
{
	struct dl_find_object self;

	if (!*own_preload)
		return NULL;
	if (!_dl_find_object((void *)(uintptr_t)environment_setup, &self) &&
	    *self.dlfo_link_map->l_name)
		return self.dlfo_link_map->l_name;
	return own_preload + sizeof(ENVIRONMENT_PRELOAD) - 1;
}

/* --- putting them in ----------------------------------------------------------------------------
 */

/*
 * Room for a list that is too long for the stack. A child of vfork() that executes gives it back
 * to nobody, in the memory of its parent: so a piece that a child of the same thread held is free,
 * as the thread runs only when the child is gone.
 */
#define ROOMS 16u

static struct room {
	uint32_t process; /* who uses it; 0: nobody */
	uintptr_t thread;
	void *memory;
	size_t bytes;
} rooms[ROOMS];

static bool room_claim(struct room *room, uint32_t process)
{
	uint32_t owner = load_relaxed(&room->process);

	if (owner && (owner == process || room->thread != (uintptr_t)pthread_self()))
		return false;
	return __atomic_compare_exchange_n(&room->process, &owner, process, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static struct room *room_find(void)
{
	const uint32_t process = (uint32_t)getpid();
	unsigned int i;

	for (i = 0; i < ROOMS; i++)
		if (room_claim(&rooms[i], process))
			return &rooms[i];
	return NULL;
}

static void *room_take(size_t bytes, struct room **ret_room)
{
	struct room *room = room_find();

	*ret_room = room;
	if (!room)
		return NULL;
	room->thread = (uintptr_t)pthread_self();
	if (room->bytes < bytes) {
		if (room->bytes)
			(void)munmap(room->memory, room->bytes);
		room->memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		room->bytes = room->memory == MAP_FAILED ? 0 : bytes;
	}
	return room->bytes ? room->memory : NULL;
}

void environment_release(struct environment *environment)
{
	struct room *room = environment->room;

	environment->room = NULL;
	if (!room)
		return;
	if (room->bytes)
		(void)munmap(room->memory, room->bytes);
	room->bytes = 0;
	store_release(&room->process, 0);
}

/* The value of the last variable of that name, which is the one that the loader takes. */
static char *environment_last(char *const list[], const char *name)
{
	char *found = NULL, *value;
	size_t i;

	for (i = 0; list && list[i]; i++) {
		value = environment_behind(list[i], name);
		if (value)
			found = value;
	}
	return found;
}

bool environment_has_ours(char *const list[])
{
	char *preload = environment_last(list, ENVIRONMENT_PRELOAD);
	size_t length;

	return preload && environment_entry(preload, &length);
}

char *const *environment_give(struct environment *environment, char *const list[])
{
	char *preload = environment_last(list, ENVIRONMENT_PRELOAD), **to, *text;
	bool has_options = environment_last(list, ENVIRONMENT_OPTIONS);
	size_t nr = 0, bytes;

	while (list && list[nr])
		nr++;
	bytes = (nr + 3) * sizeof(char *);
	if (preload)
		bytes += strlen(own_preload) + strlen(preload) + 2;
	to = bytes <= sizeof(environment->buffer) ? environment->buffer
						  : room_take(bytes, &environment->room);
	if (!to)
		return NULL;
	if (nr)
		memcpy(to, list, nr * sizeof(char *));
	/* Options that the program itself hands over count. */
	if (!has_options)
		to[nr++] = own_options;
	text = own_preload;
	if (preload && *preload) {
		text = (char *)(to + nr + 2);
		strcpy(stpcpy(stpcpy(text, own_preload), ":"), preload);
	}
	to[nr++] = text;
	to[nr] = NULL;
	return to;
}
