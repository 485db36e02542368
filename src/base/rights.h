/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* rights.h - giving up what a program was given to read stores of others. */
#ifndef BASE_RIGHTS_H
#define BASE_RIGHTS_H

/*
 * No capabilities any more. To look for symbols takes no more rights than anybody has, and a store,
 * which is a stranger's, says where. If they cannot be given up, the process ends with a complaint.
 */
void rights_drop(void);

#endif
