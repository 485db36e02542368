/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* numbered.h - files beside a store that are of its processes: STORE.KIND.N. */
#ifndef BASE_NUMBERED_H
#define BASE_NUMBERED_H

/* Remove those of a KIND that are beside PATH. */
void numbered_remove(const char *path, const char *kind);

#endif
