/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* rights.c - capabilities, given up for good: what is not permitted cannot be taken again. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "complain.h"
#include "rights.h"
#include "status.h"

/* Whether there are none. */
static bool rights_none(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct has[_LINUX_CAPABILITY_U32S_3];

	return !syscall(SYS_capget, &head, has) && !(has[0].permitted | has[1].permitted);
}

void rights_drop(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
	int error;

	if (!syscall(SYS_capset, &head, none))
		return;
	/* A filter of system calls, as services have it, may refuse this to who has nothing. */
	error = errno;
	if (rights_none())
		return;
	complain("capabilities cannot be given up: %s", strerror(error));
	_exit(STATUS_FAILED);
}
