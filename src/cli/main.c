/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* main.c - which sub-command; the usage text, made of what they declare. */
#define _GNU_SOURCE
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "base/gone.h"
#include "base/memory.h"
#include "base/status.h"
#include "command.h"
#include "options.h"
#include "symbols/symbols.h"
#include "text/output.h"

#define SYSROOT "--sysroot="
#define OPTION_COLUMNS 27

static const struct command *const commands[] = {
	&command_run,	  &command_report, &command_stats,    &command_flame,  &command_export,
	&command_top,	  &command_diff,   &command_suppress, &command_corpus, &command_set,
	&command_service, &command_agent,  &command_push,     &command_fleet,
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* --- the usage text --------------------------------------------------------------------------- */

static void usage_calls(const struct command *command, const char *before)
{
	const char *const *usage = command->usage;

	for (; *usage; usage++) {
		int length = (int)strcspn(*usage, "\t");

		printf("%sstackdepot %.*s\n", before, length, *usage);
		if ((*usage)[length])
			printf("                  %s\n", *usage + length + 1);
		before = "       ";
	}
}

static void usage_option(const struct command_option *option)
{
	char letter[] = {'-', (char)option->number, ',', ' ', '\0'};
	bool has_letter = option->number < 256;
	int used = printf("  %s--%s%s%s", has_letter ? letter : "", option->name,
			  option->value ? "=" : "", option->value ? option->value : "");

	if (used >= OPTION_COLUMNS)
		used = printf("\n") - 1;
	printf("%*s%s\n", OPTION_COLUMNS - used, "", option->text);
}

static void usage_options(const struct command *command, bool shared)
{
	const struct command_option *option = command->options;

	for (; option->name; option++)
		if (option->shared == shared)
			usage_option(option);
}

void command_print_usage(const struct command *command)
{
	usage_calls(command, "usage: ");
	putchar('\n');
	usage_options(command, false);
	usage_options(command, true);
}

/* Has one of the commands before this one the option, so that it has been explained? */
static bool usage_is_known(size_t before, const char *name)
{
	const struct command_option *option;
	size_t i;

	for (i = 0; i < before; i++)
		for (option = commands[i]->options; option->name; option++)
			if (option->shared && !strcmp(option->name, name))
				return true;
	return false;
}

/* Who has a shared option: "report, top, diff". */
static void usage_owners(const char *name)
{
	const struct command_option *option;
	const char *before = "";
	size_t i;

	for (i = 0; i < COMMANDS; i++)
		for (option = commands[i]->options; option->name; option++)
			if (option->shared && !strcmp(option->name, name)) {
				printf("%s%s", before, commands[i]->name);
				before = ", ";
			}
}

static void usage_shared(void)
{
	const struct command_option *option;
	size_t i;

	for (i = 0; i < COMMANDS; i++)
		for (option = commands[i]->options; option->name; option++) {
			if (!option->shared || usage_is_known(i, option->name))
				continue;
			usage_option(option);
			printf("%*sof ", OPTION_COLUMNS, "");
			usage_owners(option->name);
			putchar('\n');
		}
}

static void usage_print(void)
{
	const char *before = "usage: ";
	size_t i;

	for (i = 0; i < COMMANDS; i++, before = "       ")
		usage_calls(commands[i], before);
	puts("\nSeveral stores are reported as one. stackdepot COMMAND --help is about one "
	     "command.");
	for (i = 0; i < COMMANDS; i++) {
		const struct command_option *option = commands[i]->options;

		while (option->name && option->shared)
			option++;
		if (!option->name)
			continue;
		printf("\n%s:\n", commands[i]->name);
		usage_options(commands[i], false);
	}
	puts("\nshared:");
	usage_shared();
	puts("\n--sysroot=DIR before the sub-command: the files of another machine, for names and "
	     "lines.\n"
	     "STACKDEPOT_OPTIONS=help=1 lists what the recorder understands.");
}

/* ---------------------------------------------------------------------------------------------- */

static const struct command *main_find(const char *name)
{
	size_t i;

	for (i = 0; i < COMMANDS; i++)
		if (!strcmp(name, commands[i]->name))
			return commands[i];
	return NULL;
}

/* A report that nobody could read in full is none, nor one of half a store. A run has its program's
 * status. */
static int main_end(const struct command *command, int status)
{
	const bool whole = command == &command_run || !gone_any();

	return output_flush() && whole ? status : STATUS_FAILED;
}

int main(int argc, char **argv)
{
	const char *root = NULL;
	const struct command *command;

	if (argc > 1 && !strncmp(argv[1], SYSROOT, strlen(SYSROOT))) {
		root = argv[1] + strlen(SYSROOT);
		argv++;
		argc--;
	}
	command = argc > 1 ? main_find(argv[1]) : NULL;
	memory_begin(command && command->failed ? command->failed : STATUS_FAILED);
	(void)setlocale(LC_CTYPE, "");
	if (root)
		symbols_set_root(root);
	gone_begin();
	if (command)
		return main_end(command, command->run(argc - 1, argv + 1));
	if (argc < 2)
		return options_complain(NULL, "no sub-command given");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))
		usage_print();
	else if (!strcmp(argv[1], "--version"))
		puts("stackdepot " STACKDEPOT_VERSION);
	else
		return options_complain(NULL, "there is no sub-command '%s'", argv[1]);
	return main_end(NULL, STATUS_CLEAN);
}
