/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* ring.h - what others need of the stack ring. See ring.c. */
#ifndef DEPOT_RING_H
#define DEPOT_RING_H

#include "depot.h"

/*
 * depot_ring_reset() - nobody else uses the depot: entries that are being written are of writers
 * gone, and can be written again. Returns how many there were.
 */
unsigned int depot_ring_reset(struct stackdepot *depot);

#endif
