/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* glue.h - what the files of the kernel's depot share. */
#ifndef STACKDEPOT_GLUE_H
#define STACKDEPOT_GLUE_H

#include "depot.h"

/* The kernel's depot, NULL until it is made. */
struct stackdepot *glue_depot(void);

/* The bound of all memory, and what of it is in use; glue_bytes() wants a depot. */
u64 glue_max_bytes(void);
u64 glue_bytes(void);

/* Saves refused as there was no depot yet. */
unsigned long glue_drops_early(void);

#endif
