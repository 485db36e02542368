/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * inject FILE COUNT LIBRARY PROGRAM... - runs a program, and has one system call of a library fail.
 *
 * Those are meant that code of the library makes, itself or through a function of the C library: at
 * each system call the innermost return address is looked for. The COUNTth of them is not carried
 * out, and fails with an error that it may have. Of all threads and children; an exec() goes on.
 * A line in FILE tells what was done, or with a COUNT of 0 how many there are. The status is
 * the program's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define TASKS 512
#define WORDS 64

struct task {
	pid_t id;
	int error; /* to be returned at the exit */
};

static struct task tasks[TASKS];
static unsigned int seen, wanted;
static const char *library;
static int told;

static const struct {
	long number;
	int error;
	const char *name;
	bool direct; /* only those that the library makes itself */
} errors[] = {
	{SYS_mmap, ENOMEM, "mmap", false},
	{SYS_munmap, ENOMEM, "munmap", false},
	{SYS_mprotect, ENOMEM, "mprotect", false},
	{SYS_madvise, EAGAIN, "madvise", false},
	{SYS_openat, EPERM, "openat", false},
	{SYS_open, EPERM, "open", false},
	{SYS_close, EIO, "close", false},
	{SYS_ftruncate, ENOSPC, "ftruncate", false},
	{SYS_fallocate, ENOSPC, "fallocate", false},
	{SYS_fstat, ENOSYS, "fstat", false},
	{SYS_newfstatat, ENOSYS, "newfstatat", false},
	{SYS_fstatfs, ENOSYS, "fstatfs", false},
	{SYS_read, EIO, "read", false},
	{SYS_write, EIO, "write", false},
	{SYS_readlink, EPERM, "readlink", false},
	{SYS_getcwd, ENOENT, "getcwd", false},
	{SYS_unlink, EPERM, "unlink", false},
	{SYS_sigaltstack, EPERM, "sigaltstack", false},
	/* What the program asks for is passed on by a function of the library. */
	{SYS_rt_sigaction, EPERM, "rt_sigaction", true},
	{SYS_rt_sigprocmask, EPERM, "rt_sigprocmask", false},
	{SYS_gettid, ENOSYS, "gettid", false},
	{SYS_getpid, ENOSYS, "getpid", false},
	{SYS_clock_gettime, EPERM, "clock_gettime", false},
};

static struct task *task_of(pid_t id)
{
	unsigned int i;

	for (i = 0; i < TASKS && tasks[i].id && tasks[i].id != id; i++)
		;
	if (i == TASKS)
		exit(125);
	tasks[i].id = id;
	return &tasks[i];
}

/* Which code an address lies in: the library's, 1; other code, 0; none, -1. */
static int code_at(pid_t id, uintptr_t address)
{
	char path[64], line[512];
	int result = -1;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", id);
	maps = fopen(path, "r");
	while (maps && fgets(line, sizeof(line), maps)) {
		unsigned long start, end;
		char rights[8];

		if (sscanf(line, "%lx-%lx %7s", &start, &end, rights) != 3 || address < start ||
		    address >= end)
			continue;
		if (rights[2] == 'x')
			result = strstr(line, library) != NULL;
		break;
	}
	if (maps)
		fclose(maps);
	return result;
}

static bool read_memory(pid_t id, uintptr_t address, void *to, size_t bytes)
{
	struct iovec here = {to, bytes}, there = {(void *)address, bytes};

	return process_vm_readv(id, &here, 1, &there, 1, 0) == (ssize_t)bytes;
}

/* Behind a call instruction? */
static bool is_return_address(pid_t id, uintptr_t address)
{
	uint8_t code[7];

	if (!read_memory(id, address - 7, code, 7))
		return false;
	return code[2] == 0xe8 || (code[5] == 0xff && (code[6] & 0x38) == 0x10) ||
	       (code[4] == 0xff && (code[5] & 0x38) == 0x10) ||
	       (code[1] == 0xff && (code[2] & 0x38) == 0x10);
}

static bool is_library(pid_t id, const struct user_regs_struct *registers, bool direct)
{
	uintptr_t stack[WORDS];
	unsigned int i;

	if (code_at(id, registers->rip) == 1)
		return true;
	if (direct || !read_memory(id, registers->rsp, stack, sizeof(stack)))
		return false;
	for (i = 0; i < WORDS; i++) {
		if (stack[i] < 4096 || stack[i] >> 47)
			continue;
		if (code_at(id, stack[i]) >= 0 && is_return_address(id, stack[i]))
			return code_at(id, stack[i]) == 1;
	}
	return false;
}

static void enter(struct task *task, struct user_regs_struct *registers)
{
	unsigned int i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].number == (long)registers->orig_rax)
			break;
	if (i == sizeof(errors) / sizeof(errors[0]) ||
	    !is_library(task->id, registers, errors[i].direct))
		return;
	if (++seen != wanted)
		return;
	dprintf(told, "%s\n", errors[i].name);
	task->error = errors[i].error;
	registers->orig_rax = -1ull;
	ptrace(PTRACE_SETREGS, task->id, NULL, registers);
}

static void stopped_at_call(struct task *task)
{
	struct __ptrace_syscall_info info;
	struct user_regs_struct registers;

	if (ptrace(PTRACE_GETREGS, task->id, NULL, &registers) ||
	    ptrace(PTRACE_GET_SYSCALL_INFO, task->id, sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		enter(task, &registers);
	} else if (task->error) {
		registers.rax = -(unsigned long long)task->error;
		task->error = 0;
		ptrace(PTRACE_SETREGS, task->id, NULL, &registers);
	}
}

static void stopped(struct task *task, int status)
{
	const int number = WSTOPSIG(status), event = status >> 16;
	long pass = 0;

	if (number == (SIGTRAP | 0x80))
		stopped_at_call(task);
	else if (!event && number != SIGSTOP)
		pass = number;
	ptrace(PTRACE_SYSCALL, task->id, NULL, pass);
}

static int follow(pid_t first)
{
	int status, result = 0;
	pid_t id;

	while ((id = waitpid(-1, &status, __WALL)) > 0) {
		struct task *task = task_of(id);

		if (WIFSTOPPED(status)) {
			stopped(task, status);
			continue;
		}
		if (id == first)
			result = status;
		task->id = -1;
	}
	return result;
}

static pid_t begin(char **program)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
			     PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	pid_t id = fork();
	int status;

	if (!id) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		execvp(program[0], program);
		_exit(127);
	}
	waitpid(id, &status, 0);
	ptrace(PTRACE_SETOPTIONS, id, NULL, options);
	ptrace(PTRACE_SYSCALL, id, NULL, 0);
	return id;
}

int main(int argc, char **argv)
{
	int status;

	if (argc < 5)
		return 125;
	told = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	wanted = (unsigned int)atoi(argv[2]);
	library = argv[3];
	status = follow(begin(argv + 4));
	if (!wanted)
		dprintf(told, "%u\n", seen);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
