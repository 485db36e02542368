/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * filter.c - a program that puts itself under a seccomp filter allows what it needs itself.
 *
 * That is what malloc() needs, at most. So each filter is run here for every system call that the
 * recorder makes after its start, with arguments as it passes them, and what the filter does not
 * let through is not called any more. Filters that were there at the start are not known, but
 * what the start itself could call is not killed by them.
 *
 * A filter counts for all threads, though it may be one thread's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "attach.h"
#include "filter.h"
#include "guard.h"
#include "handler.h"

#if defined(__x86_64__)
#define FILTER_ARCHITECTURE AUDIT_ARCH_X86_64
#else
#define FILTER_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

uint32_t filter_denied;

/* --- the filter machine, as seccomp has it -----------------------------------------------------
 */

struct filter_machine {
	uint32_t a;
	uint32_t x;
	uint32_t memory[BPF_MEMWORDS];
	const struct seccomp_data *data;
};

static uint32_t filter_arithmetic(uint16_t code, uint32_t a, uint32_t b)
{
	switch (BPF_OP(code)) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
		return b ? a / b : 0;
	case BPF_AND:
		return a & b;
	case BPF_OR:
		return a | b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return a << (b & 31);
	case BPF_RSH:
		return a >> (b & 31);
	default:
		return -a;
	}
}

static bool filter_jumps(uint16_t code, uint32_t a, uint32_t b)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	default:
		return (a & b) != 0;
	}
}

static uint32_t filter_load(const struct filter_machine *machine, const struct sock_filter *at)
{
	uint32_t word = 0;

	switch (BPF_MODE(at->code)) {
	case BPF_ABS:
		if (at->k <= sizeof(*machine->data) - sizeof(word))
			memcpy(&word, (const char *)machine->data + at->k, sizeof(word));
		return word;
	case BPF_MEM:
		return machine->memory[at->k % BPF_MEMWORDS];
	case BPF_LEN:
		return sizeof(*machine->data);
	default:
		return at->k;
	}
}

/* What is no jump and no return. */
static void filter_step(struct filter_machine *machine, const struct sock_filter *at)
{
	const uint32_t operand = BPF_SRC(at->code) == BPF_X ? machine->x : at->k;

	switch (BPF_CLASS(at->code)) {
	case BPF_LD:
		machine->a = filter_load(machine, at);
		break;
	case BPF_LDX:
		machine->x = filter_load(machine, at);
		break;
	case BPF_ST:
		machine->memory[at->k % BPF_MEMWORDS] = machine->a;
		break;
	case BPF_STX:
		machine->memory[at->k % BPF_MEMWORDS] = machine->x;
		break;
	case BPF_ALU:
		machine->a = filter_arithmetic(at->code, machine->a, operand);
		break;
	default:
		if (BPF_MISCOP(at->code) == BPF_TAX)
			machine->x = machine->a;
		else
			machine->a = machine->x;
	}
}

/* The kernel has accepted, or will refuse, the program; here nothing is read beyond it. */
static uint32_t filter_run(const struct sock_fprog *program, const struct seccomp_data *data)
{
	struct filter_machine machine = {.data = data};
	uint32_t pc;

	for (pc = 0; pc < program->len; pc++) {
		const struct sock_filter *at = &program->filter[pc];
		const uint32_t operand = BPF_SRC(at->code) == BPF_X ? machine.x : at->k;

		if (BPF_CLASS(at->code) == BPF_RET)
			return BPF_RVAL(at->code) == BPF_A ? machine.a : at->k;
		if (BPF_CLASS(at->code) != BPF_JMP)
			filter_step(&machine, at);
		else if (BPF_OP(at->code) == BPF_JA)
			pc += at->k;
		else
			pc += filter_jumps(at->code, machine.a, operand) ? at->jt : at->jf;
	}
	return SECCOMP_RET_KILL_THREAD;
}

/* --- our calls ---------------------------------------------------------------------------------
 */

#define ANY_POINTER 0x7f0000000000u
#define ANY_FILE 3u
#define FILTER_READ_FLAGS (O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY)

static const struct {
	enum filter_call call;
	int number;
	uint64_t arguments[6];
} filter_calls[] = {
	{FILTER_MMAP,
	 SYS_mmap,
	 {0, 1u << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, ~0ull}},
	{FILTER_MMAP, SYS_munmap, {ANY_POINTER, 1u << 20}},
	{FILTER_MADVISE, SYS_madvise, {ANY_POINTER, STORE_PAGE_BYTES, MADV_DONTNEED}},
	{FILTER_POPULATE, SYS_madvise, {ANY_POINTER, ATTACH_PIECE, MADV_POPULATE_WRITE}},
	{FILTER_MPROTECT, SYS_mprotect, {ANY_POINTER, STORE_PAGE_BYTES, PROT_NONE}},
	{FILTER_MPROTECT, SYS_mprotect, {ANY_POINTER, STORE_PAGE_BYTES, PROT_READ | PROT_WRITE}},
	{FILTER_TAGS,
	 SYS_mprotect,
	 {ANY_POINTER, STORE_PAGE_BYTES, PROT_READ | PROT_WRITE | 0x20 /* PROT_MTE */}},
	{FILTER_SIGALTSTACK, SYS_sigaltstack, {ANY_POINTER, ANY_POINTER}},
	{FILTER_SIGACTION, SYS_rt_sigaction, {SIGSEGV, ANY_POINTER, ANY_POINTER, 8}},
	{FILTER_SIGPROCMASK, SYS_rt_sigprocmask, {SIG_BLOCK, ANY_POINTER, 0, 8}},
	{FILTER_SIGPROCMASK, SYS_rt_sigprocmask, {~0ull, ANY_POINTER, 0, 8}},
	{FILTER_SIGPROCMASK, SYS_rt_sigprocmask, {SIG_BLOCK, ANY_POINTER, ANY_POINTER, 8}},
	{FILTER_SIGPROCMASK, SYS_rt_sigprocmask, {SIG_SETMASK, ANY_POINTER, 0, 8}},
	{FILTER_SIGRETURN, SYS_rt_sigreturn, {0}},
	{FILTER_SIGQUEUE, SYS_rt_tgsigqueueinfo, {2, 2, SIGSEGV, ANY_POINTER}},
	{FILTER_TGKILL, SYS_tgkill, {2, 2, SIGSEGV}},
	{FILTER_GETPID, SYS_getpid, {0}},
	{FILTER_GETTID, SYS_gettid, {0}},
	{FILTER_READLINK,
#ifdef SYS_readlink
	 SYS_readlink,
	 {ANY_POINTER, ANY_POINTER, STORE_PATH_BYTES}
#else
	 SYS_readlinkat,
	 {(uint64_t)AT_FDCWD, ANY_POINTER, ANY_POINTER, STORE_PATH_BYTES}
#endif
	},
	{FILTER_GETCWD, SYS_getcwd, {ANY_POINTER, STORE_PATH_BYTES}},
	{FILTER_WRITE, SYS_write, {2, ANY_POINTER, 1}},
	{FILTER_STAT, SYS_newfstatat, {(uint64_t)AT_FDCWD, ANY_POINTER, ANY_POINTER, 0}},
	{FILTER_MAPS, SYS_openat, {(uint64_t)AT_FDCWD, ANY_POINTER, FILTER_READ_FLAGS}},
	{FILTER_MAPS, SYS_read, {ANY_FILE, ANY_POINTER, STORE_PATH_BYTES}},
	{FILTER_MAPS, SYS_close, {ANY_FILE}},
	{FILTER_MAPS, SYS_fcntl, {ANY_FILE, F_DUPFD_CLOEXEC, ANY_FILE}},
	{FILTER_CHILD, SYS_getpid, {0}},
	{FILTER_CHILD, SYS_getppid, {0}},
	{FILTER_CHILD, SYS_clock_gettime, {0, ANY_POINTER}},
	{FILTER_CHILD, SYS_clock_nanosleep, {0, 0, ANY_POINTER, 0}},
	{FILTER_CHILD, SYS_newfstatat, {(uint64_t)AT_FDCWD, ANY_POINTER, ANY_POINTER, 0}},
	{FILTER_CHILD, SYS_openat, {(uint64_t)AT_FDCWD, ANY_POINTER, FILTER_READ_FLAGS}},
	{FILTER_CHILD, SYS_fcntl, {ANY_FILE, F_DUPFD_CLOEXEC, ANY_FILE}},
	{FILTER_CHILD, SYS_read, {ANY_FILE, ANY_POINTER, STORE_COMMAND_BYTES}},
	{FILTER_CHILD, SYS_close, {ANY_FILE}},
	{FILTER_STORE,
	 SYS_openat,
	 {(uint64_t)AT_FDCWD, ANY_POINTER,
	  O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600}},
	{FILTER_STORE, SYS_openat, {(uint64_t)AT_FDCWD, ANY_POINTER, FILTER_READ_FLAGS}},
	{FILTER_STORE,
	 SYS_openat,
	 {(uint64_t)AT_FDCWD, ANY_POINTER,
	  O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY}},
	{FILTER_STORE, SYS_fcntl, {ANY_FILE, F_DUPFD_CLOEXEC, ANY_FILE}},
	{FILTER_STORE, SYS_fcntl, {ANY_FILE, F_OFD_SETLK, ANY_POINTER}},
	{FILTER_STORE, SYS_fcntl, {ANY_FILE, F_OFD_GETLK, ANY_POINTER}},
	{FILTER_STORE, SYS_clock_nanosleep, {0, 0, ANY_POINTER, 0}},
	{FILTER_STORE, SYS_kill, {2, 0}},
	{FILTER_STORE, SYS_geteuid, {0}},
	{FILTER_STORE, SYS_pread64, {ANY_FILE, ANY_POINTER, 16, 0}},
	{FILTER_STORE, SYS_prlimit64, {0, RLIMIT_FSIZE, 0, ANY_POINTER}},
	{FILTER_STORE, SYS_fdatasync, {ANY_FILE}},
	{FILTER_STORE, SYS_pwrite64, {ANY_FILE, ANY_POINTER, STORE_PAGE_BYTES, 0}},
	{FILTER_STORE, SYS_getrandom, {ANY_POINTER, 8, 1}},
	{FILTER_STORE, SYS_getpid, {0}},
	{FILTER_STORE, SYS_clock_gettime, {0, ANY_POINTER}},
#ifdef SYS_unlink
	{FILTER_STORE, SYS_unlink, {ANY_POINTER}},
	{FILTER_STORE, SYS_rename, {ANY_POINTER, ANY_POINTER}},
#else
	{FILTER_STORE,
	 SYS_renameat,
	 {(uint64_t)AT_FDCWD, ANY_POINTER, (uint64_t)AT_FDCWD, ANY_POINTER}},
	{FILTER_STORE, SYS_unlinkat, {(uint64_t)AT_FDCWD, ANY_POINTER, 0}},
#endif
	{FILTER_STORE, SYS_newfstatat, {(uint64_t)AT_FDCWD, ANY_POINTER, ANY_POINTER, 0}},
	{FILTER_STORE,
	 SYS_mmap,
	 {0, 1u << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, ANY_FILE}},
	{FILTER_STORE, SYS_madvise, {ANY_POINTER, 1u << 20, MADV_RANDOM}},
	{FILTER_STORE, SYS_ftruncate, {ANY_FILE, STORE_MIN_BYTES}},
	{FILTER_STORE, SYS_fallocate, {ANY_FILE, 0, 0, STORE_MIN_BYTES}},
	{FILTER_STORE, SYS_mmap, {0, 1u << 20, PROT_READ | PROT_WRITE, MAP_SHARED, ANY_FILE}},
	{FILTER_STORE,
	 SYS_mmap,
	 {ANY_POINTER, 1u << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE | MAP_FIXED,
	  ANY_FILE}},
	{FILTER_STORE,
	 SYS_mmap,
	 {ANY_POINTER, 1u << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED,
	  ANY_FILE}},
	{FILTER_STORE, SYS_mmap, {0, STORE_PAGE_BYTES, PROT_READ, MAP_SHARED, ANY_FILE}},
	{FILTER_STORE,
	 SYS_mmap,
	 {0, STORE_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, ~0ull}},
	{FILTER_STORE, SYS_madvise, {ANY_POINTER, STORE_PAGE_BYTES, MADV_WIPEONFORK}},
	{FILTER_STORE, SYS_munmap, {ANY_POINTER, STORE_PAGE_BYTES}},
	{FILTER_STORE, SYS_newfstatat, {ANY_FILE, ANY_POINTER, ANY_POINTER, AT_EMPTY_PATH}},
	{FILTER_STORE, SYS_fstatfs, {ANY_FILE, ANY_POINTER}},
	{FILTER_STORE, SYS_read, {ANY_FILE, ANY_POINTER, STORE_COMMAND_BYTES}},
	{FILTER_STORE, SYS_close, {ANY_FILE}},
	{FILTER_STORE, SYS_getppid, {0}},
	{FILTER_STORE, SYS_prlimit64, {0, RLIMIT_AS, 0, ANY_POINTER}},
	{FILTER_EXEC, SYS_newfstatat, {(uint64_t)AT_FDCWD, ANY_POINTER, ANY_POINTER, 0}},
	{FILTER_EXEC, SYS_newfstatat, {ANY_FILE, ANY_POINTER, ANY_POINTER, AT_EMPTY_PATH}},
	{FILTER_EXEC,
	 SYS_openat,
	 {(uint64_t)AT_FDCWD, ANY_POINTER, O_RDONLY | O_CLOEXEC | O_NONBLOCK}},
	{FILTER_EXEC, SYS_dup, {ANY_FILE}},
	{FILTER_EXEC, SYS_pread64, {ANY_FILE, ANY_POINTER, 256, 0}},
	{FILTER_EXEC, SYS_close, {ANY_FILE}},
	{FILTER_EXEC, SYS_mmap, {0, 1u << 20, PROT_READ, MAP_PRIVATE, ANY_FILE}},
	{FILTER_EXEC,
	 SYS_mmap,
	 {0, STORE_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, ~0ull}},
	{FILTER_EXEC, SYS_munmap, {ANY_POINTER, STORE_PAGE_BYTES}},
	{FILTER_EXEC, SYS_getuid, {0}},
	{FILTER_EXEC, SYS_geteuid, {0}},
	{FILTER_EXEC, SYS_getegid, {0}},
	{FILTER_EXEC, SYS_fstatfs, {ANY_FILE, ANY_POINTER}},
	{FILTER_EXEC, SYS_prctl, {PR_GET_NO_NEW_PRIVS}},
	{FILTER_EXEC, SYS_fgetxattr, {ANY_FILE, ANY_POINTER, 0, 0}},
	{FILTER_EXEC, SYS_faccessat2, {(uint64_t)AT_FDCWD, ANY_POINTER, X_OK, AT_EACCESS}},
	{FILTER_EXEC, SYS_faccessat2, {(uint64_t)AT_FDCWD, ANY_POINTER, R_OK, AT_EACCESS}},
	{FILTER_EXEC, SYS_getpid, {0}},
	{FILTER_CLOCK, SYS_clock_gettime, {CLOCK_PROCESS_CPUTIME_ID, ANY_POINTER}},
	{FILTER_SHARED, SYS_shmctl, {1, IPC_STAT, ANY_POINTER}},
	{FILTER_LOOK, SYS_prctl, {PR_SET_PTRACER, ~0ull}},
	{FILTER_LOOK, SYS_rt_sigprocmask, {SIG_BLOCK, ANY_POINTER, ANY_POINTER, 8}},
	{FILTER_LOOK, SYS_rt_sigprocmask, {SIG_SETMASK, ANY_POINTER, 0, 8}},
	{FILTER_LOOK, SYS_rt_sigpending, {ANY_POINTER, 8}},
	{FILTER_LOOK, SYS_futex, {ANY_POINTER, FUTEX_WAIT, 1, ANY_POINTER}},
	{FILTER_LOOK, SYS_futex, {ANY_POINTER, FUTEX_WAKE, INT32_MAX}},
};

#define FILTER_CALLS (sizeof(filter_calls) / sizeof(filter_calls[0]))

static uint32_t filter_denies(const struct sock_fprog *program)
{
	uint32_t denied = 0;
	unsigned int i;

	for (i = 0; i < FILTER_CALLS; i++) {
		struct seccomp_data data = {.nr = filter_calls[i].number,
					    .arch = FILTER_ARCHITECTURE};
		uint32_t action;

		memcpy(data.args, filter_calls[i].arguments, sizeof(data.args));
		action = filter_run(program, &data) & SECCOMP_RET_ACTION_FULL;
		if (action != SECCOMP_RET_ALLOW && action != SECCOMP_RET_LOG)
			denied |= 1u << filter_calls[i].call;
	}
	return denied;
}

/* What the unwinder calls. */
#define FILTER_PROBING (1u << FILTER_SIGPROCMASK | 1u << FILTER_GETPID | 1u << FILTER_GETTID)

/* What a fault in a guarded object calls. */
#define FILTER_GUARDING (1u << FILTER_MPROTECT | 1u << FILTER_SIGPROCMASK | 1u << FILTER_SIGRETURN)
/* What an end by a signal calls. */
#define FILTER_ENDING                                                              \
	(1u << FILTER_SIGRETURN | 1u << FILTER_SIGACTION | 1u << FILTER_SIGQUEUE | \
	 1u << FILTER_TGKILL | 1u << FILTER_GETPID | 1u << FILTER_GETTID)

/*
 * Guarded objects need their pages opened at a fault, by then forbidden: all are opened before. A
 * program may forbid what our own end of it takes, as the return from a handler: then that goes.
 * The filter counts from before it is there, so that no thread comes too late.
 */
static long filter_put_on(uint32_t denied, long number, long a, long b, long c, long d, long e)
{
	const uint32_t before = load_relaxed(&filter_denied);
	const bool unguarded = denied & FILTER_GUARDING;
	const uint32_t probing = denied & FILTER_PROBING;
	long result;

	if (unguarded)
		guard_hold();
	if (probing)
		stackdepot_unwind_confine(true);
	store_relaxed(&filter_denied, before | denied);
	if (denied & FILTER_ENDING)
		disposition_withdraw();
	result = raw_call(number, a, b, c, d, e);
	if (!result)
		return result;
	store_relaxed(&filter_denied, before);
	if (denied & FILTER_ENDING)
		disposition_return();
	if (probing && !(before & FILTER_PROBING))
		stackdepot_unwind_confine(false);
	if (unguarded)
		guard_release();
	return result;
}

static uint32_t filter_of(long mode, const struct sock_fprog *program)
{
	if (mode == SECCOMP_MODE_STRICT)
		return ~0u & ~(1u << FILTER_WRITE | 1u << FILTER_SIGRETURN);
	return mode == SECCOMP_MODE_FILTER && program ? filter_denies(program) : 0;
}

/* --- what the program calls; called by entry_*.S too --------------------------------------------
 */

long raw_prctl(long number, long option, long a, long b, long c, long d);
long raw_seccomp(long number, long operation, long flags, long program);
long raw_failed(long result);

__attribute__((used)) long raw_failed(long result)
{
	errno = (int)-result;
	return -1;
}

__attribute__((used)) long raw_prctl(long number, long option, long a, long b, long c, long d)
{
	long result;

	if (option == PR_SET_SECCOMP)
		return filter_put_on(filter_of(a, (const void *)b), number, option, a, b, c, d);
	result = raw_call(number, option, tags_asked(option, a), b, c, d);
	/* Calls are a signal from here on, where they are not the C library's: the unwinder's. */
	if (!result && option == PR_SET_SYSCALL_USER_DISPATCH && a == PR_SYS_DISPATCH_ON)
		stackdepot_unwind_confine(true);
	return result;
}

__attribute__((used)) long raw_seccomp(long number, long operation, long flags, long program)
{
	const long mode = operation == SECCOMP_SET_MODE_STRICT	 ? SECCOMP_MODE_STRICT
			  : operation == SECCOMP_SET_MODE_FILTER ? SECCOMP_MODE_FILTER
								 : 0;

	if (!mode)
		return raw_call(number, operation, flags, program);
	return filter_put_on(filter_of(mode, (const void *)program), number, operation, flags,
			     program, 0, 0);
}

EXPORT int prctl(int option, ...)
{
	long argument[4];
	unsigned int i;
	va_list list;

	va_start(list, option);
	for (i = 0; i < 4; i++)
		argument[i] = va_arg(list, long);
	va_end(list);
	return (int)raw_prctl(SYS_prctl, option, argument[0], argument[1], argument[2],
			      argument[3]);
}
