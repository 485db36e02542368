/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* take.h - where a line to be filled comes from: a fresh one, a free one, or a victim. */
#ifndef DEPOT_TAKE_H
#define DEPOT_TAKE_H

#include "depot.h"

/*
 * depot_take() - a line in nobody else's hands, its state 0.
 * @flags: of depot_save().
 *
 * Return: its number, or 0, and the cause counted.
 */
u32 depot_take(struct stackdepot *depot, unsigned int flags);

/* depot_release() - give a line taken and not linked back. */
void depot_release(struct stackdepot *depot, u32 number);

#endif
