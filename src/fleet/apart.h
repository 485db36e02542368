/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * apart.h - a piece of work in a process of its own, within limits.
 *
 * What is done there is to read files of strangers. One that is truncated while it is mapped, takes
 * for ever or fills memory ends that process, and costs the others nothing.
 */
#ifndef FLEET_APART_H
#define FLEET_APART_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* In that process: what it has to say goes to OUT. */
typedef bool apart_fn(void *context, FILE *out);

/*
 * Do RUN with so many bytes of memory beside what there is already. What it wrote, to be closed;
 * NULL if it was ended or returned false, after a complaint of it or of this about NAME.
 */
FILE *apart_run(apart_fn *run, void *context, uint64_t memory_bytes, const char *name);

#endif
