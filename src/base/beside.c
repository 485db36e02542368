/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* beside.c - run a program that lies beside this one. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "beside.h"
#include "complain.h"
#include "memory.h"
#include "status.h"

/* In the directory of this program, SELF, or in a folder beside that, as in a build. */
static void beside_try(const char *self, const char *between, const char *program, char **argv)
{
	char *path = memory_print("%s%s%s", self, between, program);

	(void)execv(path, argv);
	free(path);
}

int beside_exec(const char *program, const char *folder, char **argv)
{
	char self[PATH_MAX], *between = memory_print("../%s/", folder);
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[length > 0 ? length : 0] = '\0';
	if (strrchr(self, '/')) {
		strrchr(self, '/')[1] = '\0';
		beside_try(self, "", program, argv);
		beside_try(self, between, program, argv);
	}
	free(between);
	(void)execvp(program, argv);
	complain("%s: %s; it is a package of its own", program,
		 errno == ENOENT ? "not installed" : strerror(errno));
	return STATUS_FAILED;
}
