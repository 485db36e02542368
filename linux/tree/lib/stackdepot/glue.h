/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* glue.h - what the files of the kernel's depot share. */
#ifndef STACKDEPOT_GLUE_H
#define STACKDEPOT_GLUE_H

#include "depot.h"

/*
 * The kernel's depot. NULL until it is made, and, counted, in an NMI where 64-bit atomics take a
 * lock.
 */
struct stackdepot *glue_depot(void);

/* The bound of all memory, and what of it is in use; glue_bytes() wants a depot. */
u64 glue_max_bytes(void);
u64 glue_bytes(void);

/* glue_show_top() - the outermost frames of the traces that take the most lines. May sleep. */
struct seq_file;
void glue_show_top(struct seq_file *seq, struct stackdepot *depot);

/* glue_refused() - a save was refused: said once, if that is because the depot is full. */
void glue_refused(struct stackdepot *depot);

/* Saves refused as there was no depot yet. */
unsigned long glue_drops_early(void);

/* Calls that did nothing, as they came from an NMI and 64-bit atomics take a lock here. */
unsigned long glue_drops_nmi(void);

/* Calls of stack_depot_count_add() in vain: no memory for the counter, or none left in the bound.
 */
unsigned long glue_drops_counters(void);

#endif
