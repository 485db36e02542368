/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * suppress.h - what was looked at and is not to be reported again, in LeakSanitizer's syntax.
 *
 * A rule is KIND:PATTERN. It covers a leak if the pattern matches the function, the file or the
 * module of any frame of its stack, and an error if it does so in its access, its allocation or its
 * free stack. Built-in rules ask for more; see builtin.c.
 */
#ifndef SUPPRESS_SUPPRESS_H
#define SUPPRESS_SUPPRESS_H

#include <stdio.h>

#include "profile/profile.h"

#define SUPPRESS_LEAK 1u		 /* of kinds; errors have their own number's bit */
#define SUPPRESS_ERRORS (~SUPPRESS_LEAK) /* all of them */
#define SUPPRESS_ALL (~0u)

/* What a rule covered, in one report. */
struct suppress_sums {
	size_t stacks;
	double bytes;
	double objects;
	size_t errors; /* different ones */
	uint64_t seen; /* times they were seen */
};

struct suppress;
struct writer;

struct suppress *suppress_open(void);
void suppress_close(struct suppress *suppress);
/* Add the rules of a file. False after a complaint that names the line. */
bool suppress_read(struct suppress *suppress, const char *path);
/* Add the built-in rules. */
void suppress_add_builtin(struct suppress *suppress);
/* Leaves out what is covered, and counts it. Lasts as long as SUPPRESS, which may be NULL. */
const struct profile_filter *suppress_filter(const struct suppress *suppress);

/* What was covered so far, of these kinds. */
struct suppress_sums suppress_total(const struct suppress *suppress, unsigned int kinds);
/* Is there something for suppress_print() to say? */
bool suppress_says(const struct suppress *suppress, unsigned int kinds);
/* Say what was covered by which rule, and which rules of files were not used. */
void suppress_print(FILE *out, const struct suppress *suppress, unsigned int kinds);
void suppress_print_sums(FILE *out, const struct suppress_sums *sums);
/* The same as members of an object: the rules that covered something, and those not used. */
void suppress_json(struct writer *writer, const struct suppress *suppress, unsigned int kinds);
void suppress_json_unused(struct writer *writer, const struct suppress *suppress,
			  unsigned int kinds);

/* Substring match; ^ and $ at the ends hold it there, * stands for any characters. */
bool suppress_pattern(const char *pattern, const char *text);

#endif
