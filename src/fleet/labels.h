/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* labels.h - what a store is called in a fleet. What these return is to be freed. */
#ifndef FLEET_LABELS_H
#define FLEET_LABELS_H

#include <stdio.h>

struct labels {
	const char *service; /* NULL: the name of the store */
	const char *host;
	const char *version; /* NULL: what a file beside the store says, or nothing */
	const char *boot;    /* its UUID */
};

char *labels_service(const struct labels *labels, const char *path);
char *labels_version(const struct labels *labels, const char *path);
/* Of a store by its file; one that was handed over as a descriptor has the name of that file. */
char *labels_path(const char *name);
/* The first line of a file, which is closed, clean; "" if there is none. */
char *labels_line(FILE *file);

#endif
