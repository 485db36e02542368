/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* program.c - what the first bytes of a file say: dynamic ELF, a script, or why not. */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "memory.h"
#include "program.h"
#include "root.h"
#include "sanitizer.h"

#define INTERPRETERS 4 /* scripts whose interpreter is a script whose ... */

struct program {
	const char *root;
	uid_t user;
	gid_t group;
	const char *trouble;
	char interpreter[PATH_MAX];
};

static void program_script(const char *head, ssize_t length, struct program *program)
{
	size_t start = 2, end;

	while (start < (size_t)length && (head[start] == ' ' || head[start] == '\t'))
		start++;
	for (end = start; end < (size_t)length && !strchr(" \t\n", head[end]); end++)
		;
	memcpy(program->interpreter, head + start, end - start);
	program->interpreter[end - start] = '\0';
}

/* A loader is as static as a static program, and preloads into the program that it is handed. */
static bool program_is_loader(int fd, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	struct stat st;
	void *memory;
	bool is;

	if (strncmp(name, "ld", 2) || !strstr(name, ".so") || fstat(fd, &st) || !st.st_size)
		return false;
	memory = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (memory == MAP_FAILED)
		return false;
	is = memmem(memory, (size_t)st.st_size, "GLIBC_2.35", 10);
	munmap(memory, (size_t)st.st_size);
	return is;
}

static bool program_loader_fits(const struct program *program, const char *path)
{
	int fd = root_open(program->root, path, O_RDONLY);
	bool fits = fd < 0 || program_is_loader(fd, path);

	if (fd >= 0)
		close(fd);
	return fits;
}

static void program_elf(int fd, const char *path, const Elf64_Ehdr *elf, struct program *program)
{
	char interpreter[PATH_MAX] = "";
	Elf64_Phdr segment;
	unsigned int i;

	if (elf->e_ident[EI_CLASS] != ELFCLASS64) {
		program->trouble = "is not a 64-bit program, as the recorder is";
		return;
	}
	for (i = 0; i < elf->e_phnum; i++) {
		if (pread(fd, &segment, sizeof(segment),
			  (off_t)(elf->e_phoff + i * sizeof(segment))) != sizeof(segment) ||
		    segment.p_type != PT_INTERP)
			continue;
		if (segment.p_filesz < sizeof(interpreter) &&
		    pread(fd, interpreter, segment.p_filesz, (off_t)segment.p_offset) > 0 &&
		    !program_loader_fits(program, interpreter))
			program->trouble = "is of another C library (musl, or an older glibc): its "
					   "loader cannot take the recorder";
		else if (sanitizer_is_in(fd, elf))
			program->trouble = "has a sanitizer in it, with an allocator that must be "
					   "the only one";
		return;
	}
	if (!program_is_loader(fd, path))
		program->trouble =
			"is statically linked: there is nothing a library could be preloaded into";
}

static bool program_gains(int fd, const struct program *program)
{
	struct stat st;

	if (fstat(fd, &st))
		return false;
	return (st.st_mode & S_ISUID && st.st_uid != program->user) ||
	       (st.st_mode & S_ISGID && st.st_gid != program->group);
}

static void program_look(const char *path, struct program *program)
{
	int fd = root_open(program->root, path, O_RDONLY);
	char head[PATH_MAX] = {0};
	ssize_t length;

	program->interpreter[0] = '\0';
	if (fd < 0)
		return; /* can be run without being readable; the kernel decides */
	length = read(fd, head, sizeof(head) - 1);
	if (program_gains(fd, program))
		program->trouble = "is setuid or setgid: the loader preloads nothing into it";
	else if (program->user && fgetxattr(fd, "security.capability", NULL, 0) > 0)
		program->trouble = "has capabilities: the loader preloads nothing into it";
	else if (length > 2 && !memcmp(head, "#!", 2))
		program_script(head, length, program);
	else if (length >= (ssize_t)sizeof(Elf64_Ehdr) && !memcmp(head, ELFMAG, SELFMAG))
		program_elf(fd, path, (const Elf64_Ehdr *)(const void *)head, program);
	close(fd);
}

char *program_trouble(const char *root, const char *path, uid_t user, gid_t group)
{
	struct program program = {.root = root, .user = user, .group = group};
	char next[PATH_MAX];
	int depth;

	if (strlen(path) >= sizeof(next))
		return NULL;
	strcpy(next, path);
	for (depth = 0; depth < INTERPRETERS; depth++) {
		program_look(next, &program);
		if (program.trouble)
			return memory_print("%s %s", next, program.trouble);
		if (!program.interpreter[0])
			return NULL;
		strcpy(next, program.interpreter);
	}
	return NULL;
}
