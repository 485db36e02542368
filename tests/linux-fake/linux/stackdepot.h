/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include "../fake.h"
#include "../../../linux/tree/include/linux/stackdepot.h"
