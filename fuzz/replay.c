/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* replay - run a fuzz target over every file of the directories given, without a fuzzer. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

static int replay_file(const char *path)
{
	static uint8_t data[1 << 20];
	FILE *file = fopen(path, "rb");
	size_t size;
	uint8_t *copy;

	if (!file) {
		perror(path);
		return 1;
	}
	size = fread(data, 1, sizeof(data), file);
	(void)fclose(file);
	/* Of its own size, so that a sanitizer sees a read beyond it. */
	copy = malloc(size ? size : 1);
	if (!copy)
		return 1;
	for (size_t i = 0; i < size; i++)
		copy[i] = data[i];
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	return 0;
}

/* Returns the number of files, or -1. */
static int replay_directory(const char *name)
{
	DIR *directory = opendir(name);
	struct dirent *entry;
	char path[4096];
	int nr = 0;

	if (!directory) {
		perror(name);
		return -1;
	}
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", name, entry->d_name);
		if (replay_file(path))
			return -1;
		nr++;
	}
	(void)closedir(directory);
	return nr;
}

int main(int argc, char **argv)
{
	int i, nr, files = 0;

	for (i = 1; i < argc; i++) {
		nr = replay_directory(argv[i]);
		if (nr < 0)
			return 1;
		files += nr;
	}
	printf("%d inputs\n", files);
	return files ? 0 : 1;
}
