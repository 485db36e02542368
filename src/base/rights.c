/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* rights.c - capabilities, given up for good: what is not permitted cannot be taken again. */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rights.h"

void rights_drop(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	(void)syscall(SYS_capset, &head, none);
}
