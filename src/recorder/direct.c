/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * direct.c - system calls of the recorder's own, past the order of symbols.
 *
 * Who stands before the C library in the order of symbols has functions of these names for the
 * program: torsocks a close() that takes its lock, fakechroot an open() that looks elsewhere, the
 * program itself a read() of its own. The recorder asks the kernel in the middle of a malloc()
 * which such a function may have called, and names files as they are; so it calls none of them. All
 * files of this library that say close() mean the one below: it is not exported.
 *
 * Each makes the system call that the C library's would, which filter.c relies on. It is made in
 * the C library's syscall(), as soon as that is known: a program may let only calls from there go
 * to the kernel (PR_SET_SYSCALL_USER_DISPATCH).
 */
#undef _FORTIFY_SOURCE /* it would define some of these */
#define _GNU_SOURCE
#include "direct.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "elf_module.h"
#include "filter.h"

typedef long direct_function(long number, ...);

/* For entry_*.S: syscall() of the C library, for us, and of who comes after us, for the program. */
__attribute__((visibility("hidden"))) direct_function *direct_libc, *direct_next;
static int (*direct_clock)(clockid_t clock, struct timespec *ret);

/* --- files ------------------------------------------------------------------------------------ */

static bool direct_has_mode(int flags)
{
	return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
}

int openat(int directory, const char *path, int flags, ...)
{
	long mode = 0;
	va_list more;

	va_start(more, flags);
	if (direct_has_mode(flags))
		mode = va_arg(more, mode_t);
	va_end(more);
	return (int)raw_call(SYS_openat, (long)directory, path, (long)flags, mode);
}

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list more;

	va_start(more, flags);
	if (direct_has_mode(flags))
		mode = va_arg(more, mode_t);
	va_end(more);
	return openat(AT_FDCWD, path, flags, mode);
}

int close(int fd)
{
	return (int)raw_call(SYS_close, (long)fd);
}

int dup(int fd)
{
	return (int)raw_call(SYS_dup, (long)fd);
}

int fcntl(int fd, int command, ...)
{
	va_list more;
	long argument;

	va_start(more, command);
	argument = va_arg(more, long);
	va_end(more);
	return (int)raw_call(SYS_fcntl, (long)fd, (long)command, argument);
}

ssize_t read(int fd, void *buffer, size_t bytes)
{
	return raw_call(SYS_read, (long)fd, buffer, bytes);
}

ssize_t write(int fd, const void *buffer, size_t bytes)
{
	return raw_call(SYS_write, (long)fd, buffer, bytes);
}

ssize_t pread(int fd, void *buffer, size_t bytes, off_t from)
{
	return raw_call(SYS_pread64, (long)fd, buffer, bytes, from);
}

ssize_t pwrite(int fd, const void *buffer, size_t bytes, off_t from)
{
	return raw_call(SYS_pwrite64, (long)fd, buffer, bytes, from);
}

int ftruncate(int fd, off_t bytes)
{
	return (int)raw_call(SYS_ftruncate, (long)fd, bytes);
}

int fallocate(int fd, int mode, off_t from, off_t bytes)
{
	return (int)raw_call(SYS_fallocate, (long)fd, (long)mode, from, bytes);
}

int fdatasync(int fd)
{
	return (int)raw_call(SYS_fdatasync, (long)fd);
}

/* --- what files are --------------------------------------------------------------------------- */

int fstatat(int directory, const char *path, struct stat *ret, int flags)
{
	return (int)raw_call(SYS_newfstatat, (long)directory, path, ret, (long)flags);
}

int fstat(int fd, struct stat *ret)
{
	return fstatat(fd, "", ret, AT_EMPTY_PATH);
}

int stat(const char *path, struct stat *ret)
{
	return fstatat(AT_FDCWD, path, ret, 0);
}

int fstatfs(int fd, struct statfs *ret)
{
	return (int)raw_call(SYS_fstatfs, (long)fd, ret);
}

ssize_t fgetxattr(int fd, const char *name, void *value, size_t bytes)
{
	return raw_call(SYS_fgetxattr, (long)fd, name, value, bytes);
}

/* Linux before 5.8 asks for the real user only. */
int faccessat(int directory, const char *path, int mode, int flags)
{
	int result = (int)raw_call(SYS_faccessat2, (long)directory, path, (long)mode, (long)flags);

	if (result && errno == ENOSYS)
		result = (int)raw_call(SYS_faccessat, (long)directory, path, (long)mode);
	return result;
}

ssize_t readlink(const char *path, char *text, size_t bytes)
{
#ifdef SYS_readlink
	return raw_call(SYS_readlink, path, text, bytes);
#else
	return raw_call(SYS_readlinkat, (long)AT_FDCWD, path, text, bytes);
#endif
}

/* A directory that cannot be reached from the root has no path. */
char *getcwd(char *text, size_t bytes)
{
	if (raw_call(SYS_getcwd, text, bytes) < 0)
		return NULL;
	if (*text == '/')
		return text;
	errno = ENOENT;
	return NULL;
}

int unlink(const char *path)
{
#ifdef SYS_unlink
	return (int)raw_call(SYS_unlink, path);
#else
	return (int)raw_call(SYS_unlinkat, (long)AT_FDCWD, path, 0l);
#endif
}

int rename(const char *from, const char *to)
{
#ifdef SYS_rename
	return (int)raw_call(SYS_rename, from, to);
#else
	return (int)raw_call(SYS_renameat, (long)AT_FDCWD, from, (long)AT_FDCWD, to);
#endif
}

/* --- the process ------------------------------------------------------------------------------ */

pid_t getpid(void)
{
	return (pid_t)raw_call(SYS_getpid);
}

pid_t getppid(void)
{
	return (pid_t)raw_call(SYS_getppid);
}

uid_t getuid(void)
{
	return (uid_t)raw_call(SYS_getuid);
}

uid_t geteuid(void)
{
	return (uid_t)raw_call(SYS_geteuid);
}

gid_t getegid(void)
{
	return (gid_t)raw_call(SYS_getegid);
}

int kill(pid_t process, int number)
{
	return (int)raw_call(SYS_kill, (long)process, (long)number);
}

int getrlimit(__rlimit_resource_t resource, struct rlimit *ret)
{
	return (int)raw_call(SYS_prlimit64, 0l, (long)resource, NULL, ret);
}

ssize_t getrandom(void *buffer, size_t bytes, unsigned int flags)
{
	return raw_call(SYS_getrandom, buffer, bytes, (long)flags);
}

#ifndef __aarch64__ /* tags_arm64.c has the program's */
__attribute__((visibility("hidden"))) int madvise(void *memory, size_t bytes, int advice)
{
	return (int)raw_call(SYS_madvise, memory, bytes, (long)advice);
}
#endif

int nanosleep(const struct timespec *time, struct timespec *ret_left)
{
	return (int)raw_call(SYS_clock_nanosleep, (long)CLOCK_REALTIME, 0l, time, ret_left);
}

/* The C library knows the vDSO. */
int clock_gettime(clockid_t clock, struct timespec *ret)
{
	return direct_clock ? direct_clock(clock, ret)
			    : (int)raw_call(SYS_clock_gettime, (long)clock, ret);
}

/* --- the C library ---------------------------------------------------------------------------- */

static int direct_find(struct dl_phdr_info *info, size_t size, void *data)
{
	struct elf_module *module = data;

	(void)size;
	return elf_read(info, module) && elf_function(module, "gnu_get_libc_version");
}

static void *direct_of(const struct elf_module *libc, const char *name)
{
	const ElfW(Sym) *symbol = elf_function(libc, name);

	return symbol ? (void *)(libc->base + symbol->st_value) : NULL;
}

void direct_setup(void)
{
	struct elf_module libc;

	*(void **)&direct_next = elf_next("syscall");
	if (!dl_iterate_phdr(direct_find, &libc))
		return;
	*(void **)&direct_libc = direct_of(&libc, "syscall");
	*(void **)&direct_clock = direct_of(&libc, "clock_gettime");
}
