/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* environment.h - what of ours is in a program's environment. Nothing here allocates. */
#ifndef RECORDER_ENVIRONMENT_H
#define RECORDER_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

#define ENVIRONMENT_ON_STACK 4096u /* bytes of a list; a larger one is mapped */

/* Has been done while the library was loaded; called so that it is not left out. */
void environment_setup(void);
/* What STACKDEPOT_OPTIONS had; empty if it was not there. */
const char *environment_options(void);
/* The file that LD_PRELOAD led to; NULL: we have come by other ways. */
const char *environment_library(void);

struct room;

/* A list for a program that is started. */
struct environment {
	struct room *room;
	char *buffer[ENVIRONMENT_ON_STACK / sizeof(char *)];
};

/* Does the program itself hand us over? */
bool environment_has_ours(char *const list[]);
/*
 * The list (NULL is an empty one) and our variables behind it, in memory of `environment`, whose
 * `room` is NULL before; NULL if there is no memory. For a child of vfork(), too.
 */
char *const *environment_give(struct environment *environment, char *const list[]);
void environment_release(struct environment *environment);

#endif
