/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* read.h - filling a profile from its stores. */
#ifndef PROFILE_READ_H
#define PROFILE_READ_H

#include "profile.h"

/* Fill stacks, errors and what each process holds from the stores. False: out of memory. */
bool profile_read(struct profile *profile);
void profile_forget(struct profile *profile);

#endif
