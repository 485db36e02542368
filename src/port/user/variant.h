/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef PORT_VARIANT_H
#define PORT_VARIANT_H

#include "depot.h"

/* variant_choose() - which of the compiled variants a new depot is to use. */
void variant_choose(struct stackdepot *depot);

#endif
