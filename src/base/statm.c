/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "statm.h"

struct statm statm_read(int pid)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	char name[64] = "/proc/self/statm";
	struct statm statm = {0};
	FILE *file;

	if (pid)
		snprintf(name, sizeof(name), "/proc/%d/statm", pid);
	file = fopen(name, "re");
	if (!file)
		return statm;
	if (fscanf(file, "%*u %" SCNu64 " %" SCNu64 " %*u %*u %" SCNu64, &statm.resident,
		   &statm.shared, &statm.data) != 3)
		statm = (struct statm){0};
	(void)fclose(file);
	statm.resident *= page;
	statm.shared *= page;
	statm.data *= page;
	return statm;
}
