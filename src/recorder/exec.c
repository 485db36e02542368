/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * exec.c - which programs are started, and what of us they are handed.
 *
 * What a program hands to one that it starts has nothing of ours (environment.c); it is put in
 * here. A program that inherits LD_PRELOAD and cannot take our library runs otherwise than without
 * it: another C library's loader stops at our symbols, one of another architecture complains, a
 * static one sees it. So each target is looked at, and such a one gets what the program hands over.
 * What is started is noted in the first store of the run and struck out by the recorder in the new
 * program: reports name what stays.
 *
 * All of this may run in the child of a vfork(), or of a fork() of a process with threads: nothing
 * is allocated, no lock taken, and what is put into memory lies on the stack, or is unmapped again.
 * The C library's function does the rest, of the same name as the one that was called if the
 * environment is passed on as it is, so that other preloaded libraries see what they would see.
 */
#define _GNU_SOURCE
#include <alloca.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <paths.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/sanitizer.h"
#include "elf_module.h"
#include "ending.h"
#include "environment.h"
#include "exec.h"
#include "filter.h"
#include "live_table.h"
#include "patch.h"
#include "recorder.h"

#define HOOK EXPORT __attribute__((noinline))
#define EXEC_INTERPRETERS 4u	       /* scripts whose interpreter is a script whose ... */
#define EXEC_HEAD_BYTES 256u	       /* what the kernel reads of a script's first line */
#define EXEC_LOADER_BYTES (8ull << 20) /* a loader is smaller */

#ifdef __x86_64__
#define EXEC_MACHINE EM_X86_64
#else
#define EXEC_MACHINE EM_AARCH64
#endif

struct exec_target {
	uint64_t device;
	uint64_t inode;
	uint32_t reason; /* enum stackdepot_start_reason: not zero, it is not to have us */
	bool unseen;	 /* it may be there, and could not be looked at */
};

static struct {
	uint64_t loader_device, loader_inode;
	uint32_t process; /* 0: not known yet */
} exec_own;

static struct {
	int (*execve)(const char *, char *const[], char *const[]);
	int (*execv)(const char *, char *const[]);
	int (*execvp)(const char *, char *const[]);
	int (*execvpe)(const char *, char *const[], char *const[]);
	int (*fexecve)(int, char *const[], char *const[]);
	int (*execveat)(int, const char *, char *const[], char *const[], int);
	int (*spawn)(pid_t *, const char *, const posix_spawn_file_actions_t *,
		     const posix_spawnattr_t *, char *const[], char *const[]);
	int (*spawnp)(pid_t *, const char *, const posix_spawn_file_actions_t *,
		      const posix_spawnattr_t *, char *const[], char *const[]);
	int (*pidfd_spawn)(int *, const char *, const posix_spawn_file_actions_t *,
			   const posix_spawnattr_t *, char *const[], char *const[]);
	int (*pidfd_spawnp)(int *, const char *, const posix_spawn_file_actions_t *,
			    const posix_spawnattr_t *, char *const[], char *const[]);
	int (*system)(const char *);
	FILE *(*popen)(const char *, const char *);
} exec_real;

/* posix_spawn() of the C library as it was, if its entry leads to us. */
static int (*exec_spawn_below)(pid_t *, const char *, const posix_spawn_file_actions_t *,
			       const posix_spawnattr_t *, char *const[], char *const[]);

static void exec_resolve(void)
{
	*(void **)&exec_real.execve = dlsym(RTLD_NEXT, "execve");
	*(void **)&exec_real.execv = dlsym(RTLD_NEXT, "execv");
	*(void **)&exec_real.execvp = dlsym(RTLD_NEXT, "execvp");
	*(void **)&exec_real.execvpe = dlsym(RTLD_NEXT, "execvpe");
	*(void **)&exec_real.fexecve = dlsym(RTLD_NEXT, "fexecve");
	*(void **)&exec_real.execveat = dlsym(RTLD_NEXT, "execveat");
	*(void **)&exec_real.spawn = dlsym(RTLD_NEXT, "posix_spawn");
	*(void **)&exec_real.spawnp = dlsym(RTLD_NEXT, "posix_spawnp");
	*(void **)&exec_real.pidfd_spawn = elf_next("pidfd_spawn");
	*(void **)&exec_real.pidfd_spawnp = elf_next("pidfd_spawnp");
	*(void **)&exec_real.system = dlsym(RTLD_NEXT, "system");
	*(void **)&exec_real.popen = dlsym(RTLD_NEXT, "popen");
}

/* As a rule it has been done, before main(); a constructor that runs before ours comes first. */
static void exec_ready(void)
{
	if (unlikely(!exec_real.execve))
		exec_resolve();
}

static int exec_spawned(pid_t *ret_pid, const char *path, const posix_spawn_file_actions_t *actions,
			const posix_spawnattr_t *attributes, char *const arguments[],
			char *const environment[]);

struct exec_search_module {
	const void *address;
	struct elf_module module;
};

static int exec_is_module(struct dl_phdr_info *info, size_t size, void *data)
{
	struct exec_search_module *search = data;

	(void)size;
	return elf_read(info, &search->module) && elf_has(&search->module, search->address);
}

/*
 * system(), popen() and wordexp() have the C library start a shell with the environment as it is
 * now: by its own posix_spawn(), which therefore leads to us.
 */
static void exec_patch(void)
{
	struct exec_search_module search = {.address = *(void **)&exec_real.spawn};

	if (dl_iterate_phdr(exec_is_module, &search) &&
	    elf_function(&search.module, "gnu_get_libc_version"))
		*(void **)&exec_spawn_below = patch_function(
			&search.module, "posix_spawn", search.address, (const void *)exec_spawned);
}

void exec_setup(void)
{
	struct dl_find_object found;
	const int saved_errno = errno;
	struct stat st;

	exec_resolve();
	exec_patch();
	if (recorder.begun)
		exec_own.process = (uint32_t)getpid();
	/* A function of the loader of this process. */
	if (!_dl_find_object(dlsym(RTLD_DEFAULT, "__tls_get_addr"), &found) &&
	    !stat(found.dlfo_link_map->l_name, &st)) {
		exec_own.loader_device = st.st_dev;
		exec_own.loader_inode = st.st_ino;
	}
	errno = saved_errno;
}

/* --- what the target is ------------------------------------------------------------------------
 */

/* Can this loader take our library? It is as new as its C library, and names the same versions: the
 * newest that our library needs is _dl_find_object()'s. */
static bool exec_loader_has(int fd, uint64_t bytes)
{
	static const char needed[] = "GLIBC_2.35";
	void *memory;
	bool has;

	if (!bytes || bytes > EXEC_LOADER_BYTES)
		return false;
	memory = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	if (memory == MAP_FAILED)
		return false;
	has = memmem(memory, bytes, needed, sizeof(needed));
	(void)munmap(memory, bytes);
	return has;
}

static bool exec_loader_takes_us(const char *path)
{
	struct stat st;
	bool takes;
	int fd;

	if (stat(path, &st))
		return true; /* the kernel will say so */
	if (st.st_dev == exec_own.loader_device && st.st_ino == exec_own.loader_inode)
		return true;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return true;
	takes = exec_loader_has(fd, (uint64_t)st.st_size);
	(void)close(fd);
	return takes;
}

static void exec_judge_loader(const char *path, struct exec_target *target)
{
	if (!exec_loader_takes_us(path))
		target->reason = STACKDEPOT_START_LOADER;
}

/* "ld-linux-x86-64.so.2", "ld-musl-x86_64.so.1", "ld-2.31.so": started as a program. */
static bool exec_is_loader(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	return !strncmp(name, "ld", 2) && strstr(name, ".so");
}

static void exec_judge_elf(int fd, const char *path, const Elf64_Ehdr *elf,
			   struct exec_target *target)
{
	char interpreter[PATH_MAX / 8];
	Elf64_Phdr segment;
	unsigned int i;

	if (elf->e_ident[EI_CLASS] != ELFCLASS64 || elf->e_ident[EI_DATA] != ELFDATA2LSB ||
	    elf->e_machine != EXEC_MACHINE) {
		target->reason = STACKDEPOT_START_MACHINE;
		return;
	}
	for (i = 0; i < elf->e_phnum; i++) {
		ssize_t length;

		if (pread(fd, &segment, sizeof(segment),
			  (off_t)(elf->e_phoff + i * sizeof(segment))) != sizeof(segment))
			return;
		if (segment.p_type != PT_INTERP)
			continue;
		length = segment.p_filesz < sizeof(interpreter)
				 ? pread(fd, interpreter, segment.p_filesz, (off_t)segment.p_offset)
				 : 0;
		if (length > 0) {
			interpreter[length - 1] = '\0';
			exec_judge_loader(interpreter, target);
		}
		if (!target->reason && sanitizer_is_in(fd, elf))
			target->reason = STACKDEPOT_START_SANITIZER;
		return;
	}
	if (exec_is_loader(path))
		exec_judge_loader(path, target);
	else
		target->reason = STACKDEPOT_START_STATIC;
}

/* The interpreter of a script, in its first line; empty if there is none. */
static void exec_interpreter(char *head, ssize_t length)
{
	size_t start = 2, bytes;

	head[length] = '\0';
	start += strspn(head + start, " \t");
	bytes = strcspn(head + start, " \t\n");
	memmove(head, head + start, bytes);
	head[bytes] = '\0';
}

static bool exec_has_rights(int fd, const struct stat *st)
{
	if (st->st_mode & S_ISUID && st->st_uid != geteuid())
		return true;
	if ((st->st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && st->st_gid != getegid())
		return true;
	return fgetxattr(fd, "security.capability", NULL, 0) > 0 && getuid();
}

/* The loader clears the environment of a program that runs with more rights than its parent; which
 * it does not everywhere. */
static bool exec_is_secure(int fd, const struct stat *st)
{
	struct statfs fs;

	return exec_has_rights(fd, st) && (fstatfs(fd, &fs) || !(fs.f_flags & ST_NOSUID)) &&
	       raw_call(SYS_prctl, (long)PR_GET_NO_NEW_PRIVS, 0l, 0l, 0l, 0l) != 1;
}

enum exec_kind { EXEC_DONE, EXEC_SCRIPT, EXEC_PLAIN };

/* Look at one file. `head` receives the interpreter of a script. */
static enum exec_kind exec_look_at(int fd, const char *path, char head[EXEC_HEAD_BYTES + 1],
				   struct exec_target *target)
{
	ssize_t length = pread(fd, head, EXEC_HEAD_BYTES, 0);
	Elf64_Ehdr elf;

	if (length < 2)
		return length < 0 ? EXEC_DONE : EXEC_PLAIN;
	if (!memcmp(head, "#!", 2)) {
		exec_interpreter(head, length);
		return *head ? EXEC_SCRIPT : EXEC_PLAIN;
	}
	if (length < (ssize_t)sizeof(elf) || memcmp(head, ELFMAG, SELFMAG))
		return EXEC_PLAIN;
	memcpy(&elf, head, sizeof(elf));
	exec_judge_elf(fd, path, &elf, target);
	return EXEC_DONE;
}

/* Nor can it be executed then. */
static bool exec_is_absent(int error)
{
	return error == ENOENT || error == ENOTDIR || error == EACCES || error == ELOOP ||
	       error == ENAMETOOLONG || error == EFAULT || error == EBADF;
}

/*
 * Open what is about to be executed, and look at it and its interpreters. False if nothing is there
 * to be executed, so the C library will say so. What cannot be read is started and not judged.
 */
static bool exec_look(int directory, const char *path, struct exec_target *target)
{
	char head[EXEC_HEAD_BYTES + 1];
	enum exec_kind kind = EXEC_SCRIPT;
	unsigned int depth;
	struct stat st;

	for (depth = 0; kind != EXEC_DONE && depth <= EXEC_INTERPRETERS; depth++) {
		int fd;

		if (fstatat(directory, path, &st, *path ? 0 : AT_EMPTY_PATH)) {
			target->unseen = !depth && !exec_is_absent(errno);
			return depth || target->unseen;
		}
		if (!S_ISREG(st.st_mode))
			return depth;
		if (!depth) {
			target->device = st.st_dev;
			target->inode = st.st_ino;
		}
		fd = *path ? openat(directory, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
			   : dup(directory);
		if (fd < 0) {
			/* With none to spare the loader could not open our library either. */
			if (errno == EMFILE)
				target->reason = STACKDEPOT_START_LIBRARY;
			return true;
		}
		if (exec_is_secure(fd, &st))
			target->reason = STACKDEPOT_START_SECURE;
		kind = exec_look_at(fd, path, head, target);
		(void)close(fd);
		if (kind == EXEC_PLAIN)
			return depth;
		path = head;
		directory = AT_FDCWD;
	}
	return true;
}

/* --- the list of what was started ---------------------------------------------------------------
 */

static bool exec_same(const struct store_start *start, const struct exec_target *target)
{
	return load_acquire(&start->state) == STORE_RECORD_VALID &&
	       start->device == target->device && start->inode == target->inode &&
	       start->reason == target->reason;
}

static bool exec_note_new(struct store_start *start, const char *path,
			  const struct exec_target *target)
{
	uint32_t none = STORE_RECORD_FREE;

	if (!__atomic_compare_exchange_n(&start->state, &none, STORE_RECORD_BUSY, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	start->path_bytes = ending_of(start->path, sizeof(start->path), path);
	start->device = target->device;
	start->inode = target->inode;
	start->reason = target->reason;
	start->started = 1;
	store_release(&start->state, STORE_RECORD_VALID);
	return true;
}

static struct store_start *exec_note(const char *path, const struct exec_target *target)
{
	struct store_start *starts;
	unsigned int i;

	if (!recorder.head)
		return NULL;
	starts = store_run(recorder.head)->starts;
	for (i = 0; i < STORE_STARTS; i++) {
		if (exec_same(&starts[i], target)) {
			(void)fetch_add_relaxed(&starts[i].started, 1);
			return &starts[i];
		}
		if (exec_note_new(&starts[i], path, target))
			return &starts[i];
	}
	(void)fetch_add_relaxed(&recorder.head->totals.starts_dropped, 1);
	return NULL;
}

/* It did not come to it, after all. */
static void exec_undo(struct store_start *start)
{
	if (start)
		(void)__atomic_fetch_sub(&start->started, 1, __ATOMIC_RELAXED);
}

/* One that is expected, of a file; false if none is. Of two entries the one that nothing was known
 * against is meant. */
static bool exec_strike(const struct stat *st)
{
	struct store_start *starts = store_run(recorder.head)->starts, *found = NULL;
	unsigned int i;

	for (i = 0; i < STORE_STARTS; i++) {
		struct store_start *start = &starts[i];

		if (load_acquire(&start->state) == STORE_RECORD_VALID &&
		    start->device == st->st_dev && start->inode == st->st_ino &&
		    load_relaxed(&start->started) > load_relaxed(&start->arrived) &&
		    (!found || !start->reason))
			found = start;
	}
	if (found)
		(void)fetch_add_relaxed(&found->arrived, 1);
	return found;
}

void exec_arrived(void)
{
	const char *asked = (const char *)getauxval(AT_EXECFN);
	struct stat st;

	if (asked && !stat(asked, &st) && exec_strike(&st))
		return;
	if (!stat("/proc/self/exe", &st))
		(void)exec_strike(&st);
}

/* --- one start -----------------------------------------------------------------------------------
 */

struct exec_start {
	struct store_start *note;
	char *const *environment; /* to be handed over */
	bool marked;		  /* our own store as that of a program that was */
	uint32_t state;
	struct environment copy;
};

/* Only the process that has the store: not the child of a vfork(), nor one that has not begun. */
static void exec_mark(struct exec_start *start)
{
	struct store_process *process;

	start->marked = false;
	if (!load_acquire(&recorder.ready) || !load_relaxed(&recorder_life->here) ||
	    !filter_allows(FILTER_GETPID))
		return;
	process = recorder.process;
	if (process->pid != (uint32_t)getpid())
		return;
	start->state = load_relaxed(&process->state);
	process->end_monotonic_ns = recorder_now_ns();
	store_release(&process->state, STORE_REPLACED);
	start->marked = true;
}

/* The environment as the target is to have it: the program's, or with what is ours. */
static char *const *exec_environment(char *const environment[], struct exec_target *target,
				     struct environment *copy)
{
	const char *library = environment_library();
	char *const *given;

	if (target->reason || environment_has_ours(environment))
		return environment;
	target->reason = STACKDEPOT_START_LIBRARY;
	if (library && faccessat(AT_FDCWD, library, R_OK, AT_EACCESS))
		return environment;
	target->reason = STACKDEPOT_START_ENVIRONMENT;
	given = library ? environment_give(copy, environment) : NULL;
	if (!given)
		return environment;
	target->reason = STACKDEPOT_START_PLAIN;
	return given;
}

/* Is what is started to be recorded? If children are not, only what this process itself becomes. */
static bool exec_follows(bool here)
{
	if (recorder.options.follow_children || !exec_own.process)
		return true;
	return here && filter_allows(FILTER_GETPID) && (uint32_t)getpid() == exec_own.process;
}

static void exec_begin_at(struct exec_start *start, const char *path,
			  const struct exec_target *looked, char *const environment[], bool here)
{
	struct exec_target target = *looked;

	start->note = NULL;
	start->marked = false;
	start->copy.room = NULL;
	start->environment = environment;
	if (path && exec_follows(here)) {
		start->environment = exec_environment(environment, &target, &start->copy);
		start->note = target.unseen ? NULL : exec_note(path, &target);
	}
	if (here)
		exec_mark(start);
}

/*
 * Under a filter of the program's that forbids what we call: nobody looks. Its name is what tells
 * it from others, where they are kept by their file's number.
 */
static void exec_begin_filtered(struct exec_start *start, const char *path,
				char *const environment[], bool here)
{
	struct exec_target target = {.reason = STACKDEPOT_START_FILTER};
	const char *at;

	for (at = path; at && *at; at++)
		target.inode = target.inode * 31 + (uint8_t)*at;
	exec_begin_at(start, path, &target, environment, here);
}

/* `here`: this process itself becomes the target. */
static void exec_begin(struct exec_start *start, int directory, const char *path,
		       char *const environment[], bool here)
{
	const int saved_errno = errno;
	struct exec_target target = {0};

	exec_ready();
	if (!filter_allows_all()) {
		exec_begin_filtered(start, path, environment, here);
	} else {
		if (path && !exec_look(directory, path, &target))
			path = NULL;
		exec_begin_at(start, path, &target, environment, here);
	}
	errno = saved_errno;
}

/* It is not begun, or nothing of it is needed any more. */
static int exec_end(struct exec_start *start, bool failed, int result)
{
	const int saved_errno = errno;

	if (failed)
		exec_undo(start->note);
	if (start->marked) {
		recorder.process->end_monotonic_ns = 0;
		store_release(&recorder.process->state, start->state);
	}
	environment_release(&start->copy);
	errno = saved_errno;
	return result;
}

/*
 * The file that execvp() would take: the first in PATH that can be executed, or the file itself if
 * it has a slash. One without a format the kernel knows is the shell's. NULL if there is none.
 */
static const char *exec_search(const char *file, char path[PATH_MAX])
{
	const char *list = getenv("PATH"), *end;
	const size_t length = strlen(file);

	if (!length || strchr(file, '/'))
		return length ? file : NULL;
	for (list = list ? list : "/bin:/usr/bin";; list = end + 1) {
		struct stat st;
		size_t bytes;

		end = strchrnul(list, ':');
		bytes = (size_t)(end - list);
		if (bytes + length + 2 <= PATH_MAX) {
			char *at = mempcpy(path, list, bytes);

			if (bytes)
				*at++ = '/';
			strcpy(at, file);
			if (!stat(path, &st) && S_ISREG(st.st_mode) &&
			    !faccessat(AT_FDCWD, path, X_OK, AT_EACCESS))
				return path;
		}
		if (!*end)
			return NULL;
	}
}

static __attribute__((noinline)) void exec_begin_search(struct exec_start *start, const char *file,
							char *const environment[], bool here)
{
	const int saved_errno = errno;
	struct exec_target target = {0};
	char buffer[PATH_MAX];
	const char *path;

	exec_ready();
	if (!filter_allows_all()) {
		exec_begin_filtered(start, file, environment, here);
		errno = saved_errno;
		return;
	}
	path = file ? exec_search(file, buffer) : NULL;
	if (path && !exec_look(AT_FDCWD, path, &target)) {
		path = _PATH_BSHELL;
		if (!exec_look(AT_FDCWD, path, &target))
			path = NULL;
	}
	exec_begin_at(start, path, &target, environment, here);
	errno = saved_errno;
}

/* --- the functions
 * -------------------------------------------------------------------------------- */

HOOK int execve(const char *path, char *const arguments[], char *const environment[])
{
	struct exec_start start;

	exec_begin(&start, AT_FDCWD, path, environment, true);
	return exec_end(&start, true, exec_real.execve(path, arguments, start.environment));
}

HOOK int execv(const char *path, char *const arguments[])
{
	struct exec_start start;
	int result;

	exec_begin(&start, AT_FDCWD, path, environ, true);
	result = start.environment == environ
			 ? exec_real.execv(path, arguments)
			 : exec_real.execve(path, arguments, start.environment);
	return exec_end(&start, true, result);
}

HOOK int execvpe(const char *file, char *const arguments[], char *const environment[])
{
	struct exec_start start;

	exec_begin_search(&start, file, environment, true);
	return exec_end(&start, true, exec_real.execvpe(file, arguments, start.environment));
}

HOOK int execvp(const char *file, char *const arguments[])
{
	struct exec_start start;
	int result;

	exec_begin_search(&start, file, environ, true);
	result = start.environment == environ
			 ? exec_real.execvp(file, arguments)
			 : exec_real.execvpe(file, arguments, start.environment);
	return exec_end(&start, true, result);
}

HOOK int fexecve(int fd, char *const arguments[], char *const environment[])
{
	struct exec_start start;

	exec_begin(&start, fd, "", environment, true);
	return exec_end(&start, true, exec_real.fexecve(fd, arguments, start.environment));
}

HOOK int execveat(int fd, const char *path, char *const arguments[], char *const environment[],
		  int flags)
{
	struct exec_start start;

	exec_begin(&start, fd, path, environment, true);
	return exec_end(&start, true,
			exec_real.execveat(fd, path, arguments, start.environment, flags));
}

/* The caller's arguments from `first` up to NULL, as a list on its stack; `rest` is behind them. */
#define EXEC_LIST(arguments, first, rest)                            \
	do {                                                         \
		const char *argument_ = (first);                     \
		size_t nr_ = 0;                                      \
                                                                     \
		va_start(rest, first);                               \
		for (; argument_; nr_++)                             \
			argument_ = va_arg(rest, const char *);      \
		va_end(rest);                                        \
		(arguments) = alloca((nr_ + 1) * sizeof(char *));    \
		(arguments)[0] = (char *)(uintptr_t)(first);         \
		va_start(rest, first);                               \
		for (nr_ = 0; (arguments)[nr_]; nr_++)               \
			(arguments)[nr_ + 1] = va_arg(rest, char *); \
	} while (0)

HOOK int execl(const char *path, const char *first, ...)
{
	char **arguments;
	va_list rest;

	EXEC_LIST(arguments, first, rest);
	va_end(rest);
	return execv(path, arguments);
}

HOOK int execlp(const char *file, const char *first, ...)
{
	char **arguments;
	va_list rest;

	EXEC_LIST(arguments, first, rest);
	va_end(rest);
	return execvp(file, arguments);
}

HOOK int execle(const char *path, const char *first, ...)
{
	char *const *environment;
	char **arguments;
	va_list rest;

	EXEC_LIST(arguments, first, rest);
	environment = va_arg(rest, char *const *);
	va_end(rest);
	return execve(path, arguments, environment);
}

#ifdef __x86_64__
__attribute__((force_align_arg_pointer))
#endif
static int
exec_spawned(pid_t *ret_pid, const char *path, const posix_spawn_file_actions_t *actions,
	     const posix_spawnattr_t *attributes, char *const arguments[],
	     char *const environment[])
{
	struct exec_start start;
	int error;

	exec_begin(&start, AT_FDCWD, path, environment, false);
	error = exec_spawn_below(ret_pid, path, actions, attributes, arguments, start.environment);
	return exec_end(&start, error, error);
}

HOOK int posix_spawn(pid_t *ret_pid, const char *path, const posix_spawn_file_actions_t *actions,
		     const posix_spawnattr_t *attributes, char *const arguments[],
		     char *const environment[])
{
	struct exec_start start;
	int error;

	if (exec_spawn_below)
		return exec_real.spawn(ret_pid, path, actions, attributes, arguments, environment);
	exec_begin(&start, AT_FDCWD, path, environment, false);
	error = exec_real.spawn(ret_pid, path, actions, attributes, arguments, start.environment);
	return exec_end(&start, error, error);
}

HOOK int posix_spawnp(pid_t *ret_pid, const char *file, const posix_spawn_file_actions_t *actions,
		      const posix_spawnattr_t *attributes, char *const arguments[],
		      char *const environment[])
{
	struct exec_start start;
	int error;

	exec_begin_search(&start, file, environment, false);
	error = exec_real.spawnp(ret_pid, file, actions, attributes, arguments, start.environment);
	return exec_end(&start, error, error);
}

/* Since glibc 2.39. */
int pidfd_spawn(int *ret_fd, const char *path, const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *attributes, char *const arguments[],
		char *const environment[]);
int pidfd_spawnp(int *ret_fd, const char *file, const posix_spawn_file_actions_t *actions,
		 const posix_spawnattr_t *attributes, char *const arguments[],
		 char *const environment[]);

HOOK int pidfd_spawn(int *ret_fd, const char *path, const posix_spawn_file_actions_t *actions,
		     const posix_spawnattr_t *attributes, char *const arguments[],
		     char *const environment[])
{
	struct exec_start start;
	int error;

	exec_begin(&start, AT_FDCWD, path, environment, false);
	error = exec_real.pidfd_spawn ? exec_real.pidfd_spawn(ret_fd, path, actions, attributes,
							      arguments, start.environment)
				      : ENOSYS;
	return exec_end(&start, error, error);
}

HOOK int pidfd_spawnp(int *ret_fd, const char *file, const posix_spawn_file_actions_t *actions,
		      const posix_spawnattr_t *attributes, char *const arguments[],
		      char *const environment[])
{
	struct exec_start start;
	int error;

	exec_begin_search(&start, file, environment, false);
	error = exec_real.pidfd_spawnp ? exec_real.pidfd_spawnp(ret_fd, file, actions, attributes,
								arguments, start.environment)
				       : ENOSYS;
	return exec_end(&start, error, error);
}

/* --- where the C library's posix_spawn() could not be led to us: the shell goes unrecorded */

static void exec_begin_shell(struct exec_start *start, const char *command)
{
	const struct exec_target target = {.reason = STACKDEPOT_START_ENVIRONMENT};
	const int saved_errno = errno;

	exec_ready();
	exec_begin_at(start, command && !exec_spawn_below ? _PATH_BSHELL : NULL, &target, environ,
		      false);
	errno = saved_errno;
}

HOOK int system(const char *command)
{
	struct exec_start start;
	int status;

	exec_begin_shell(&start, command);
	status = exec_real.system(command);
	return exec_end(&start, status == -1, status);
}

HOOK FILE *popen(const char *command, const char *type)
{
	struct exec_start start;
	FILE *stream;

	exec_begin_shell(&start, command);
	stream = exec_real.popen(command, type);
	(void)exec_end(&start, !stream, 0);
	return stream;
}

/* --- through syscall(); called by entry_*.S --------------------------------------------------- */

long raw_execve(long number, const char *path, char *const arguments[], char *const environment[]);
long raw_execveat(long number, int fd, const char *path, char *const arguments[],
		  char *const environment[], int flags);

__attribute__((used)) long raw_execve(long number, const char *path, char *const arguments[],
				      char *const environment[])
{
	struct exec_start start;

	exec_begin(&start, AT_FDCWD, path, environment, true);
	return exec_end(&start, true, (int)raw_call(number, path, arguments, start.environment));
}

__attribute__((used)) long raw_execveat(long number, int fd, const char *path,
					char *const arguments[], char *const environment[],
					int flags)
{
	struct exec_start start;

	exec_begin(&start, fd, path, environment, true);
	return exec_end(
		&start, true,
		(int)raw_call(number, (long)fd, path, arguments, start.environment, (long)flags));
}
