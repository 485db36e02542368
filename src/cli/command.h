/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * command.h - what a sub-command is: its name, how it is called, its options, what it does.
 *
 * The usage text, the options that getopt_long() takes and the check of bash completion are made of
 * these declarations; there is no other list.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>

struct command_option {
	const char *name;
	const char *value; /* what it takes: "BYTES"; NULL: nothing */
	int number;	   /* what options_parse() hands over; a letter is an option -LETTER, too */
	const char *text;  /* for the usage text */
	bool shared;	   /* with other commands, so explained once */
};

struct command {
	const char *name;
	const char *usage[4]; /* what follows "stackdepot "; each may end "\tTEXT" */
	const struct command_option *options; /* ended by one without a name */
	int failed;			      /* exit status if memory is short; 0: STATUS_FAILED */
	int (*run)(int argc, char **argv);    /* an exit status; argv[0] is the name */
};

extern const struct command command_run, command_report, command_stats, command_flame,
	command_export, command_top, command_diff, command_suppress, command_corpus,
	command_set, command_agent, command_service, command_push, command_fleet;

/* How it is called, and its options, on standard output. */
void command_print_usage(const struct command *command);

#endif
