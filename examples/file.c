/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * file - a depot in a file, read by somebody else while it is written and afterwards.
 *
 * Shows: stackdepot_create_file stackdepot_attach stackdepot_next stackdepot_snprint
 * Shows: stackdepot_print stackdepot_destroy STACKDEPOT_SPARSE
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <stackdepot/stackdepot.h>

static int list(const char *path)
{
	struct stackdepot *depot;
	stackdepot_ref_t ref;
	uint32_t position = 0;
	char text[256];

	if (stackdepot_attach(path, &depot))
		return 1;
	while ((ref = stackdepot_next(depot, &position))) {
		(void)stackdepot_snprint(depot, ref, text, sizeof(text), 2);
		printf("trace\n%s", text);
		(void)fflush(stdout);
		/* The same text straight to a descriptor, as from a signal handler. */
		(void)stackdepot_print(depot, ref, STDOUT_FILENO);
	}
	stackdepot_destroy(depot);
	return 0;
}

int main(void)
{
	struct stackdepot_options options = {.max_bytes = 1 << 20, .flags = STACKDEPOT_SPARSE};
	const uintptr_t frames[] = {0x401000, 0x402000, 0x403000};
	char directory[] = "/tmp/stackdepot-XXXXXX", path[64];
	struct stackdepot *depot;
	int failed;

	if (!mkdtemp(directory))
		return 1;
	(void)snprintf(path, sizeof(path), "%s/depot", directory);
	if (stackdepot_create_file(&options, path, &depot))
		return 1;
	(void)stackdepot_save(depot, frames, 3, STACKDEPOT_KEEP);
	failed = list(path); /* while it is open for writing */
	(void)stackdepot_save(depot, frames, 2, STACKDEPOT_KEEP);
	stackdepot_destroy(depot);
	failed |= list(path); /* and afterwards */
	(void)unlink(path);
	(void)rmdir(directory);
	return failed;
}
