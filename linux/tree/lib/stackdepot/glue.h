/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* glue.h - what the files of the kernel's depot share. */
#ifndef STACKDEPOT_GLUE_H
#define STACKDEPOT_GLUE_H

#include "depot.h"

/* The kernel's depot, NULL until it is made. */
struct stackdepot *glue_depot(void);

/* Saves refused as there was no depot yet. */
unsigned long glue_drops_early(void);

#endif
