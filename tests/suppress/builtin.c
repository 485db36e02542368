/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * builtin: lets a library keep what a built-in suppression is about, and leaks in a function of its
 * own whose name that suppression would match, were it in the library.
 *
 * usage: builtin CASE [ARGUMENT]
 *
 * Each leak is of another size: 1000 bytes and the number of the case.
 */
#include <dlfcn.h>
#include <grp.h>
#include <libintl.h>
#include <locale.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define builtin_function __attribute__((noinline, noipa))
#define LEAK(name, number)                      \
	static builtin_function void name(void) \
	{                                       \
		kept = malloc(1000 + (number)); \
	}

#define HANDLERS 40 /* more than fit into the first block, which is static */

static void *volatile kept;

LEAK(of_IO_file_doallocate, 0)
LEAK(my_setlocale, 1)
LEAK(my_dcigettext, 2)
LEAK(my_textdomain, 3)
LEAK(my_tz_convert, 4)
LEAK(my_tzset, 5)
LEAK(getpw_of_mine, 6)
LEAK(getgr_of_mine, 7)
LEAK(my_dlopen, 8)
LEAK(my_libstdcxx_dlopen, 9)
LEAK(my_atexit, 10)

static void keep_stdio(const char *unused)
{
	(void)unused;
	puts("something");
	fflush(stdout);
}

static void keep_locale(const char *unused)
{
	(void)unused;
	setlocale(LC_ALL, "C.UTF-8");
}

/* The directory of a catalogue, for the language that is in the environment. */
static void keep_translation(const char *directory)
{
	setlocale(LC_ALL, "C.UTF-8");
	bindtextdomain("builtin", directory);
	if (strcmp(dgettext("builtin", "yes"), "ja"))
		_exit(4);
}

static void keep_domain(const char *unused)
{
	(void)unused;
	textdomain("a name that is kept");
}

static void keep_zone_converted(const char *unused)
{
	time_t now = 0;

	(void)unused;
	if (!localtime(&now))
		_exit(4);
}

static void keep_zone(const char *unused)
{
	(void)unused;
	tzset();
}

static void keep_user(const char *unused)
{
	(void)unused;
	if (!getpwuid(0))
		_exit(4);
}

static void keep_group(const char *unused)
{
	(void)unused;
	if (!getgrgid(0))
		_exit(4);
}

static void keep_library(const char *path)
{
	if (!dlopen(path, RTLD_NOW))
		_exit(4);
}

static void at_exit(void)
{
}

static void keep_handlers(const char *unused)
{
	int i;

	(void)unused;
	for (i = 0; i < HANDLERS; i++)
		atexit(at_exit);
}

static const struct {
	const char *name;
	void (*keep)(const char *argument);
	void (*leak)(void);
} cases[] = {
	{"stdio", keep_stdio, of_IO_file_doallocate},
	{"setlocale", keep_locale, my_setlocale},
	{"gettext", keep_translation, my_dcigettext},
	{"textdomain", keep_domain, my_textdomain},
	{"localtime", keep_zone_converted, my_tz_convert},
	{"tzset", keep_zone, my_tzset},
	{"users", keep_user, getpw_of_mine},
	{"groups", keep_group, getgr_of_mine},
	{"dlopen", keep_library, my_dlopen},
	{"libstdc++", keep_library, my_libstdcxx_dlopen},
	{"atexit", keep_handlers, my_atexit},
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc > 1 && i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(argv[1], cases[i].name))
			continue;
		cases[i].keep(argv[2]);
		cases[i].leak();
		_exit(0); /* the C library would release a part of it */
	}
	return 2;
}
