/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The memory of a peer that cannot say itself what it takes: anonymous memory, in pages that were
 * touched, that a process has more after storing all traces than before. The peer's static tables
 * are in it as far as they were written to.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

static uint64_t growth_anonymous_bytes(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "re");
	unsigned long long kib = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Anonymous: %llu kB", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib * 1024;
}

static uint64_t growth_in_child(const char *peer_file, const struct workload *workload)
{
	uint64_t before;
	struct peer peer;
	uint32_t i, nr;

	if (peer_load(&peer, peer_file))
		return 0;
	before = growth_anonymous_bytes();
	for (i = 0; i < workload->corpus.unique; i++) {
		nr = workload->traces[i].nr;
		if (nr > peer.ops->max_frames)
			nr = peer.ops->max_frames;
		if (!peer.ops->save(workload->traces[i].frames, nr))
			return 0;
	}
	return before ? growth_anonymous_bytes() - before : 0;
}

/* In a process of its own: peers do not give back all they take. */
uint64_t measure_growth(const char *peer_file, const struct workload *workload)
{
	uint64_t bytes = 0;
	int ends[2];
	pid_t child;

	if (pipe(ends))
		return 0;
	child = fork();
	if (!child) {
		bytes = growth_in_child(peer_file, workload);
		_exit(write(ends[1], &bytes, sizeof(bytes)) != sizeof(bytes));
	}
	close(ends[1]);
	if (child < 0 || read(ends[0], &bytes, sizeof(bytes)) != sizeof(bytes))
		bytes = 0;
	close(ends[0]);
	if (child > 0)
		waitpid(child, NULL, 0);
	return bytes;
}
