/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* output.c - write under another name, rename when all is on the disk. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/complain.h"
#include "base/memory.h"
#include "output.h"

/* mkostemp() gives the file to its owner alone; others get it as they would have got FILE. */
static void output_permit(int descriptor, const struct stat *old)
{
	mode_t mask = umask(0);

	umask(mask);
	(void)fchmod(descriptor, old ? old->st_mode & 07777 : 0666 & ~mask);
}

/* The one that is being written; a process that ends meanwhile leaves nothing behind. */
static const char *output_unfinished;

static void output_at_exit(void)
{
	if (output_unfinished)
		(void)unlink(output_unfinished);
}

static FILE *output_temporary(struct output *output, const struct stat *old)
{
	int descriptor;

	output->temporary = memory_print("%s.XXXXXX", output->path);
	descriptor = mkostemp(output->temporary, O_CLOEXEC);
	if (descriptor < 0) {
		free(output->temporary);
		output->temporary = NULL;
		return NULL;
	}
	if (!output_unfinished)
		(void)atexit(output_at_exit);
	output_unfinished = output->temporary;
	output_permit(descriptor, old);
	return fdopen(descriptor, "wb");
}

bool output_open(struct output *output, const char *path)
{
	struct stat st;
	bool exists = path && !stat(path, &st);

	*output = (struct output){.path = path};
	if (!path)
		output->file = stdout;
	else if (exists && !S_ISREG(st.st_mode))
		output->file = fopen(path, "wbe");
	else
		output->file = output_temporary(output, exists ? &st : NULL);
	if (!output->file)
		complain("%s: %s", path ? path : "standard output", strerror(errno));
	return output->file;
}

static bool output_close(struct output *output)
{
	bool good = !fflush(output->file) && !ferror(output->file);

	/* Else the name may be on the disk before what is in the file. */
	if (good && output->temporary)
		good = !fsync(fileno(output->file));
	if (output->path)
		good = !fclose(output->file) && good;
	output->file = NULL;
	return good;
}

bool output_flush(void)
{
	static bool said;

	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return true;
	if (!said)
		complain("standard output: %s", errno ? strerror(errno) : "cannot be written");
	said = true;
	return false;
}

/* The temporary file has been renamed, or is removed. */
static void output_forget(struct output *output, bool renamed)
{
	if (output->temporary && !renamed)
		(void)unlink(output->temporary);
	output_unfinished = NULL;
	free(output->temporary);
	output->temporary = NULL;
}

bool output_finish(struct output *output)
{
	bool good;

	if (!output->path)
		return output_flush();
	errno = 0;
	good = output_close(output);
	if (good && output->temporary)
		good = !rename(output->temporary, output->path);
	if (!good)
		complain("%s: %s", output->path, errno ? strerror(errno) : "cannot be written");
	output_forget(output, good);
	return good;
}

void output_abandon(struct output *output)
{
	(void)output_close(output);
	output_forget(output, false);
}
