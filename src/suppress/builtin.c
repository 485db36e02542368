/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * builtin.c - what libraries keep to the end of the process on purpose.
 *
 * Only what has no function that would release it, and what nobody can ask for twice without
 * getting the same memory, is here. Not here, although often seen at the end: a FILE that was not
 * closed, the result of getaddrinfo(), the thread descriptors of pthread_create(). Those a program
 * can leak.
 *
 * The names are with and without the libraries' debugging symbols: `setlocale` is `__GI_setlocale`
 * there.
 */
#include "builtin.h"

#define LIBC "^libc.so."
#define LOADER "^ld-linux*.so."
#define NSS "^libnss_"
#define STDCXX "^libstdc++.so."

/* clang-format off */
const struct suppress_builtin suppress_builtins[] = {
	{"libstdc++ at start", NULL, {STDCXX, LOADER, LIBC},
	 "its pool for exceptions that are thrown when memory is out"},
	{"stdio", "IO_file_doallocate$", {LIBC},
	 "buffers of stdin, stdout and others; a FILE itself is shown"},
	{"setlocale", "setlocale$", {LIBC},
	 "locales stay loaded, as strings of them may be in use"},
	{"gettext", "dcigettext$", {LIBC},
	 "catalogues and translations stay, as strings of them are in use"},
	{"text domains", "textdomain", {LIBC},
	 "the names of catalogues, one for each"},
	{"time zone", "tz_convert$", {LIBC},
	 "the rules of the zone, read once"},
	{"time zone", "tzset$", {LIBC},
	 "the rules of the zone, read once"},
	{"users", "^getpw", {LIBC, LOADER, NSS},
	 "tables of the name service, and the one record that is returned"},
	{"groups", "^getgr", {LIBC, LOADER, NSS},
	 "tables of the name service, and the one record that is returned"},
	{"dlopen", "dlopen$", {LIBC, LOADER},
	 "the loader's records of a library; not what its constructors allocate"},
	{"libstdc++ at dlopen", "dlopen$", {LIBC, LOADER, STDCXX},
	 "its pool, in a program that loads it later"},
	{"exit handlers", "atexit$", {LIBC},
	 "the list of functions to call at exit"},
};
/* clang-format on */

#define BUILTINS (sizeof(suppress_builtins) / sizeof(suppress_builtins[0]))

_Static_assert(BUILTINS <= SUPPRESS_BUILTIN_MAX, "a bit of 64 each");

const size_t suppress_builtin_nr = BUILTINS;
