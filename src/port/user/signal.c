/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * signal.c - where the kernel enters a signal handler, and printing from inside one.
 *
 * On x86-64 a handler returns into its sa_restorer, so that is the frame between the handler and
 * what it interrupted. Who asks from inside a handler has at least one signal with a handler, and
 * the raw system call tells its restorer (the C library hides it). On arm64 the kernel lets
 * handlers return into the vDSO; there the address is looked up among its symbols.
 */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#include "hold.h"
#include "print.h"
#include "walk.h"

struct code_range {
	uintptr_t start;
	uintptr_t end;
};

#if defined(__x86_64__)
#include <signal.h>

#define TRAMPOLINE_BYTES 9u /* mov $__NR_rt_sigreturn, %rax; syscall */

/* As the kernel has it (arch/x86/include/uapi/asm/signal.h); not what the C library calls so. */
struct kernel_sigaction {
	void *handler;
	unsigned long flags;
	void *restorer;
	unsigned long mask;
};

static struct code_range signal_trampoline(void)
{
	int number;

	for (number = 1; number < NSIG; number++) {
		struct kernel_sigaction action = {0};
		uintptr_t start;

		if (syscall(SYS_rt_sigaction, number, NULL, &action, sizeof(action.mask)))
			continue;
		start = (uintptr_t)action.restorer;
		if (start)
			return (struct code_range){start, start + TRAMPOLINE_BYTES};
	}
	return (struct code_range){0, 0};
}
#elif defined(__aarch64__)
#include <elf.h>
#include <sys/auxv.h>

#define TRAMPOLINE_BYTES 8u /* mov x8, #__NR_rt_sigreturn; svc #0 */

struct vdso {
	uintptr_t bias;
	const Elf64_Sym *symbols;
	const char *names;
	const Elf64_Word *hash;
};

static struct vdso vdso_open(uintptr_t base)
{
	const Elf64_Ehdr *elf = (const void *)base;
	const Elf64_Phdr *segment = (const void *)(base + elf->e_phoff);
	const Elf64_Dyn *dynamic = NULL;
	struct vdso vdso = {0};
	int i;

	for (i = 0; i < elf->e_phnum; i++) {
		if (segment[i].p_type == PT_LOAD)
			vdso.bias = base - segment[i].p_vaddr + segment[i].p_offset;
		if (segment[i].p_type == PT_DYNAMIC)
			dynamic = (const void *)(base + segment[i].p_offset);
	}
	for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
		const void *where = (const void *)(vdso.bias + dynamic->d_un.d_ptr);

		if (dynamic->d_tag == DT_SYMTAB)
			vdso.symbols = where;
		if (dynamic->d_tag == DT_STRTAB)
			vdso.names = where;
		if (dynamic->d_tag == DT_HASH)
			vdso.hash = where;
	}
	return vdso;
}

static struct code_range signal_trampoline(void)
{
	uintptr_t base = getauxval(AT_SYSINFO_EHDR);
	struct vdso vdso;
	Elf64_Word i;

	if (!base)
		return (struct code_range){0, 0};
	vdso = vdso_open(base);
	if (!vdso.symbols || !vdso.names || !vdso.hash)
		return (struct code_range){0, 0};
	for (i = 0; i < vdso.hash[1]; i++)
		if (!strcmp(vdso.names + vdso.symbols[i].st_name, "__kernel_rt_sigreturn")) {
			uintptr_t start = vdso.bias + vdso.symbols[i].st_value;

			return (struct code_range){start, start + TRAMPOLINE_BYTES};
		}
	return (struct code_range){0, 0};
}
#else
static struct code_range signal_trampoline(void)
{
	return (struct code_range){0, 0};
}
#endif

unsigned int stackdepot_cut_signal(const uintptr_t *frames, unsigned int nr)
{
	/* Found once; a second finder writes the same. The end is written first, read last. */
	static struct code_range found;
	const int saved_errno = errno;
	uintptr_t start = smp_load_acquire(&found.start);

	if (!start) {
		struct code_range range = signal_trampoline();

		WRITE_ONCE(found.end, range.end);
		smp_store_release(&found.start, range.start);
		start = range.start;
		errno = saved_errno;
	}
	return start ? stackdepot_cut(frames, nr, start, READ_ONCE(found.end)) : nr;
}

/* Frames that go into one write(), a whole number of runs. */
#define PRINT_BUFFER (3u * DEPOT_GROUP * PRINT_FRAME_BYTES)

static int print_write(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t written = write(fd, text, length);

		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			text += written;
			length -= (size_t)written;
		}
	}
	return 0;
}

/* A few runs at a time: the stack of a signal handler is small. */
static int print_runs(struct stackdepot *depot, struct depot_walk *walk, int fd)
{
	uintptr_t frames[DEPOT_GROUP];
	char text[PRINT_BUFFER];
	size_t length = 0;
	int i, nr, error;

	while ((nr = depot_walk_next(depot, walk, frames)) > 0) {
		for (i = 0; i < nr; i++, length += PRINT_FRAME_BYTES)
			depot_print_frame(frames[i], text + length);
		if (sizeof(text) - length >= DEPOT_GROUP * PRINT_FRAME_BYTES)
			continue;
		error = print_write(fd, text, length);
		if (error)
			return error;
		length = 0;
	}
	error = print_write(fd, text, length);
	return error ? error : nr;
}

/* Where the trace can be held it is, meanwhile: it is printed as a whole or not at all. */
int stackdepot_print(struct stackdepot *depot, stackdepot_ref_t ref, int fd)
{
	const int saved_errno = errno;
	struct depot_walk walk;
	int error = depot_walk_begin(depot, ref, &walk);

	if (!error && !depot->read_only && !depot_pin(depot, walk.ref, 0))
		error = -ESTALE;
	if (error)
		return error;
	error = print_runs(depot, &walk, fd);
	if (!depot->read_only)
		(void)depot_unpin(depot, (u32)walk.ref);
	errno = saved_errno;
	return error;
}
