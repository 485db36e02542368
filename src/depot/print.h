/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* print.h - frames as text. */
#ifndef DEPOT_PRINT_H
#define DEPOT_PRINT_H

#include "depot.h"

/* "0x", the digits of a frame, and a newline. */
#define PRINT_FRAME_BYTES (2 + 2 * (u32)sizeof(uintptr_t) + 1)

/* depot_print_frame() - a frame as PRINT_FRAME_BYTES of text, without a NUL. */
void depot_print_frame(uintptr_t frame, char *text);

#endif
