/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* death.h - how the life of a line ends. See death.c. */
#ifndef DEPOT_DEATH_H
#define DEPOT_DEATH_H

#include "depot.h"

/*
 * depot_claim() - take a line that was seen free, or live and not pinned, into one's hands.
 * @state: in which it was seen.
 *
 * A life that goes on there ends. Return: false, and nothing done, if it is in another state now.
 */
bool depot_claim(struct stackdepot *depot, u32 number, u64 state);

#endif
