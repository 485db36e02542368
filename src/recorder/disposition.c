/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * disposition.c - what the program asks for at a signal, and what it is told that it asked for.
 *
 * Each function of the C library first does what it does. Then we look what the kernel has now.
 * Where something of ours has to stand in (handler.c), that is put in its place, and what the
 * kernel had is kept here. Asked for it, the kernel is asked first: if it has something of ours,
 * what is kept here is the answer, else the kernel's is. So nothing can be stale: not by a system
 * call of the program's own, and not in a child of vfork(), which has our memory but signals of
 * its own; there only the kernel's are changed.
 *
 * Invariants, since signals and threads come in between:
 *	A  What is kept is published before ours is installed, so that ours never finds less.
 *	B  It is published against the one that was current before the kernel was asked. Who fails
 *	   was overtaken by somebody who does the same with what is newer.
 *	C  Who replaced something other than what was read before has overwritten an action that
 *	   came in between, puts it back, and begins again.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "elf_module.h"
#include "filter.h"
#include "guard.h"
#include "handler.h"
#include "patch.h"

#define SIGNALS 65
#define KEPT 4u /* places for what is kept, so that a reader has time */
#define RESTORER 0x04000000ul
#define SEES_STACK \
	(SA_ONSTACK | SA_SIGINFO) /* runs on the alternate stack, or finds it in the context */

/* As the kernel has it. */
struct disposition {
	__sighandler_t handler;
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

static struct {
	struct disposition at[KEPT];
	uint32_t current;
	uint32_t next;
} kept[SIGNALS];

static bool disposition_watching;
static uint64_t disposition_early; /* signals with a handler from before that sees the stack */

static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};

#define CRASH_SIGNALS (sizeof(crash_signals) / sizeof(crash_signals[0]))

/* --- the functions behind ours -----------------------------------------------------------------
 */

typedef int sigaction_function(int, const struct sigaction *, struct sigaction *);

static struct {
	sigaction_function *sigaction;
	__sighandler_t (*signal)(int, __sighandler_t);
	__sighandler_t (*sysv_signal)(int, __sighandler_t);
	__sighandler_t (*sigset)(int, __sighandler_t);
	int (*sigignore)(int);
	int (*siginterrupt)(int, int);
} real_signal;

static void disposition_resolve(void)
{
	if (real_signal.siginterrupt)
		return;
	*(void **)&real_signal.sigaction = dlsym(RTLD_NEXT, "sigaction");
	*(void **)&real_signal.signal = dlsym(RTLD_NEXT, "signal");
	*(void **)&real_signal.sysv_signal = dlsym(RTLD_NEXT, "__sysv_signal");
	*(void **)&real_signal.sigset = dlsym(RTLD_NEXT, "sigset");
	*(void **)&real_signal.sigignore = dlsym(RTLD_NEXT, "sigignore");
	*(void **)&real_signal.siginterrupt = dlsym(RTLD_NEXT, "siginterrupt");
}

/* sigaction() of the C library as it was, if its entry leads to us. */
static sigaction_function *sigaction_below;

int disposition_real(int number, const struct sigaction *action, struct sigaction *ret_old)
{
	disposition_resolve();
	return sigaction_below ? sigaction_below(number, action, ret_old)
			       : real_signal.sigaction(number, action, ret_old);
}

static bool kernel_get(int number, struct disposition *ret)
{
	return !raw_call(SYS_rt_sigaction, number, NULL, ret, sizeof(ret->mask));
}

static bool kernel_set(int number, const struct disposition *action, struct disposition *ret_old)
{
	return !raw_call(SYS_rt_sigaction, number, action, ret_old, sizeof(action->mask));
}

/* --- what is ours ------------------------------------------------------------------------------
 */

static bool handler_is_ours(__sighandler_t handler)
{
	const uintptr_t address = (uintptr_t)handler;

	return address == (uintptr_t)handler_enter_direct ||
	       address == (uintptr_t)handler_enter_moved ||
	       address == (uintptr_t)handler_enter_default;
}

static bool disposition_is_crash(int number)
{
	unsigned int i;

	for (i = 0; i < CRASH_SIGNALS; i++)
		if (crash_signals[i] == number)
			return true;
	return false;
}

static struct disposition *disposition_kept(int number)
{
	return &kept[number].at[load_acquire(&kept[number].current)];
}

__sighandler_t disposition_take(int number, siginfo_t *info)
{
	struct disposition *asked = disposition_kept(number);

	tags_hide(number, info, asked->flags);
	/* The other ones the kernel calls once. */
	if (!(asked->flags & SA_RESETHAND) || !disposition_is_crash(number))
		return load_relaxed(&asked->handler);
	return __atomic_exchange_n(&asked->handler, SIG_DFL, __ATOMIC_RELAXED);
}

/* One segment holds several notes: what the linker adds, and then the compiler's. */
static bool notes_are_go(const char *note, size_t bytes, size_t align)
{
	const size_t mask = align == 8 ? 7 : 3;

	while (bytes >= sizeof(Elf64_Nhdr) + 4) {
		const Elf64_Nhdr *header = (const void *)note;
		const size_t described = (sizeof(*header) + header->n_namesz + mask) & ~mask;
		const size_t whole = (described + header->n_descsz + mask) & ~mask;

		if (header->n_namesz == 4 && !memcmp(note + sizeof(*header), "Go\0", 4))
			return true;
		if (whole > bytes)
			return false;
		note += whole;
		bytes -= whole;
	}
	return false;
}

/*
 * Go asks the kernel itself, past the C library, which alternate stack there is, adopts what it
 * finds, and dies if its handler runs on another. So its handlers stay where the kernel calls them.
 */
static bool handler_is_go(__sighandler_t handler)
{
	const Elf64_Ehdr *elf;
	const Elf64_Phdr *segment;
	struct dl_find_object found;
	unsigned int i;

	if (_dl_find_object((void *)handler, &found))
		return false;
	elf = found.dlfo_map_start;
	if (memcmp(elf->e_ident, ELFMAG, SELFMAG) || elf->e_phoff > STORE_PAGE_BYTES / 2)
		return false;
	segment = (const void *)((const char *)elf + elf->e_phoff);
	for (i = 0; i < elf->e_phnum; i++) {
		const char *note = (const char *)found.dlfo_link_map->l_addr + segment[i].p_vaddr;

		if (segment[i].p_type == PT_NOTE && segment[i].p_flags & PF_R &&
		    notes_are_go(note, segment[i].p_memsz, segment[i].p_align))
			return true;
	}
	return false;
}

/* Who has to stand in for this action, if anybody. */
static __sighandler_t disposition_entry(int number, const struct disposition *asked)
{
	if (asked->handler == SIG_IGN || handler_is_ours(asked->handler))
		return NULL;
	if (asked->handler == SIG_DFL)
		return disposition_is_crash(number) && crash_can_end(number) ? handler_enter_default
									     : NULL;
	if (asked->flags & SEES_STACK && !handler_is_go(asked->handler))
		return asked->flags & SA_ONSTACK ? handler_enter_moved : handler_enter_direct;
	/* SIGBUS: of the store, when its disk is full */
	if (number == SIGBUS ||
	    (number == SIGSEGV && (recorder.options.guard_interval || tags_on())))
		return handler_enter_direct;
	if (disposition_is_crash(number) && asked->flags & SA_RESETHAND)
		return handler_enter_direct;
	return NULL;
}

static struct disposition disposition_ours(int number, const struct disposition *asked,
					   __sighandler_t entry)
{
	struct disposition ours = *asked;

	ours.handler = entry;
	ours.flags |= SA_SIGINFO | tags_signal_flags(number);
	if (disposition_is_crash(number))
		ours.flags &= ~(unsigned long)SA_RESETHAND;
	if (asked->handler == SIG_DFL) {
		ours.flags = SA_SIGINFO | SA_ONSTACK | tags_signal_flags(number);
		ours.mask = ~0ull;
#if defined(__x86_64__)
		ours.flags |= RESTORER;
		ours.restorer = handler_restore;
#endif
	}
	return ours;
}

static bool disposition_same(const struct disposition *a, const struct disposition *b)
{
	return a->handler == b->handler && a->flags == b->flags && a->mask == b->mask;
}

/* --- putting ours in its place ------------------------------------------------------------------
 */

/* Invariant B: false if somebody else was faster. */
static bool disposition_publish(int number, uint32_t current, const struct disposition *asked)
{
	uint32_t place = fetch_add_relaxed(&kept[number].next, 1) % KEPT;

	if (place == current)
		place = fetch_add_relaxed(&kept[number].next, 1) % KEPT;
	kept[number].at[place] = *asked;
	return __atomic_compare_exchange_n(&kept[number].current, &current, place, false,
					   __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

/* True if there is nothing more to be done. */
static bool disposition_stand_in(int number, uint32_t current, const struct disposition *asked)
{
	const __sighandler_t entry = disposition_entry(number, asked);
	struct disposition ours, before;

	if (!entry)
		return true;
	ours = disposition_ours(number, asked, entry);
	if (!disposition_publish(number, current, asked))
		return false;
	if (!kernel_set(number, &ours, &before) || handler_is_ours(before.handler) ||
	    disposition_same(&before, asked))
		return true;
	/* Invariant C: once more, with that. */
	(void)kernel_set(number, &before, NULL);
	return false;
}

/* An ignored fault in a guarded object would be the end, as the kernel has it. */
static void disposition_hold_guards(const struct disposition *now)
{
	static uint32_t held;

	if (now->handler == SIG_IGN && !__atomic_exchange_n(&held, 1, __ATOMIC_RELAXED)) {
		guard_hold();
		tags_stop(TAGS_IGNORED, true);
	} else if (now->handler != SIG_IGN && __atomic_exchange_n(&held, 0, __ATOMIC_RELAXED)) {
		guard_release();
		tags_stop(TAGS_IGNORED, false);
	}
}

static void disposition_settle(int number)
{
	struct disposition now;
	uint32_t current;
	int attempt;

	if (!disposition_watching || number < 1 || number >= SIGNALS || recorder_is_borrowed())
		return;
	for (attempt = 0; attempt < 8; attempt++) {
		current = load_acquire(&kept[number].current);
		if (!kernel_get(number, &now))
			return;
		if (number == SIGSEGV)
			disposition_hold_guards(&now);
		if (disposition_stand_in(number, current, &now))
			return;
	}
}

/* --- what the program calls ---------------------------------------------------------------------
 */

static void disposition_tell(int number, struct sigaction *old)
{
	const struct disposition *asked = disposition_kept(number);

	old->sa_handler = asked->handler;
	old->sa_flags = (int)asked->flags;
	memcpy(&old->sa_mask, &asked->mask, sizeof(asked->mask));
#if defined(__x86_64__)
	old->sa_restorer = asked->restorer;
#endif
}

static bool disposition_concerns(int number, unsigned long flags)
{
	return disposition_is_crash(number) || flags & SEES_STACK;
}

static void disposition_note_early(int number, unsigned long flags)
{
	if (!disposition_watching && flags & SEES_STACK && number > 0 && number < SIGNALS)
		disposition_early |= 1ull << (number - 1);
}

/* `below` does it; what it says of old ones is told, and what has to be is put in its place. */
static int disposition_do(sigaction_function *below, int number, const struct sigaction *action,
			  struct sigaction *ret_old)
{
	/* Before, as what is asked for and what was may be one structure. */
	const unsigned long flags = action ? (unsigned long)action->sa_flags : 0;
	int saved_errno;

	if (below(number, action, ret_old))
		return -1;
	if (ret_old && handler_is_ours(ret_old->sa_handler))
		disposition_tell(number, ret_old);
	if (!action)
		return 0;
	saved_errno = errno;
	disposition_note_early(number, flags);
	if (disposition_concerns(number, flags))
		disposition_settle(number);
	errno = saved_errno;
	return 0;
}

EXPORT int sigaction(int number, const struct sigaction *action, struct sigaction *ret_old)
{
	disposition_resolve();
	return disposition_do(real_signal.sigaction, number, action, ret_old);
}

/* The C library's own, by whichever way. */
static int disposition_patched(int number, const struct sigaction *action,
			       struct sigaction *ret_old)
{
	return disposition_do(sigaction_below, number, action, ret_old);
}

EXPORT int __sigaction(int number, const struct sigaction *action, struct sigaction *ret_old);
EXPORT int __sigaction(int number, const struct sigaction *action, struct sigaction *ret_old)
{
	return sigaction(number, action, ret_old);
}

/* After a function that returns the old handler. */
static __sighandler_t disposition_after(int number, __sighandler_t old)
{
	const int saved_errno = errno;

	if (handler_is_ours(old))
		old = disposition_kept(number)->handler;
	if (disposition_is_crash(number))
		disposition_settle(number);
	errno = saved_errno;
	return old;
}

EXPORT __sighandler_t signal(int number, __sighandler_t handler)
{
	disposition_resolve();
	return disposition_after(number, real_signal.signal(number, handler));
}

EXPORT __sighandler_t bsd_signal(int number, __sighandler_t handler);
EXPORT __sighandler_t bsd_signal(int number, __sighandler_t handler)
{
	return signal(number, handler);
}

EXPORT __sighandler_t ssignal(int number, __sighandler_t handler)
{
	return signal(number, handler);
}

EXPORT __sighandler_t __sysv_signal(int number, __sighandler_t handler)
{
	disposition_resolve();
	return disposition_after(number, real_signal.sysv_signal(number, handler));
}

EXPORT __sighandler_t sysv_signal(int number, __sighandler_t handler)
{
	return __sysv_signal(number, handler);
}

EXPORT __sighandler_t sigset(int number, __sighandler_t handler)
{
	disposition_resolve();
	return disposition_after(number, real_signal.sigset(number, handler));
}

EXPORT int sigignore(int number)
{
	int result;

	disposition_resolve();
	result = real_signal.sigignore(number);
	(void)disposition_after(number, SIG_DFL);
	return result;
}

/* It changes a flag of what the kernel has: that has to be the program's meanwhile. */
EXPORT int siginterrupt(int number, int interrupts)
{
	struct disposition now;
	int result;

	disposition_resolve();
	if (number > 0 && number < SIGNALS && kernel_get(number, &now) &&
	    handler_is_ours(now.handler))
		(void)kernel_set(number, disposition_kept(number), NULL);
	result = real_signal.siginterrupt(number, interrupts);
	if (!result)
		disposition_settle(number);
	return result;
}

long raw_sigaction(long call, long number, const struct disposition *action,
		   struct disposition *ret_old, long bytes);

__attribute__((used)) long raw_sigaction(long call, long number, const struct disposition *action,
					 struct disposition *ret_old, long bytes)
{
	const long result = raw_call(call, number, action, ret_old, bytes);

	if (result)
		return result;
	if (ret_old && handler_is_ours(ret_old->handler))
		*ret_old = *disposition_kept((int)number);
	if (action)
		disposition_settle((int)number);
	return result;
}

static int disposition_find(struct dl_phdr_info *info, size_t size, void *data)
{
	struct elf_module *module = data;

	(void)size;
	return elf_read(info, module) && elf_function(module, "gnu_get_libc_version");
}

/*
 * A library that is called like the C library's function, and asks that one past the order of
 * symbols (Firefox' sandbox), would find ours, and call it from a handler that we call. So the
 * entry of the function itself leads to us.
 */
static void disposition_patch(void)
{
	struct elf_module libc;
	const ElfW(Sym) * symbol;
	const void *function;

	if (!dl_iterate_phdr(disposition_find, &libc))
		return;
	symbol = elf_function(&libc, "sigaction");
	if (!symbol)
		return;
	function = (const void *)(libc.base + symbol->st_value);
	*(void **)&sigaction_below =
		patch_function(&libc, "sigaction", function, (const void *)disposition_patched);
	if (sigaction_below && *(void **)&real_signal.sigaction == function)
		real_signal.sigaction = sigaction_below;
}

void disposition_setup(void)
{
	int number;

	disposition_resolve();
	disposition_patch();
	disposition_watching = true;
	for (number = 1; number < SIGNALS; number++)
		if (disposition_is_crash(number) || disposition_early >> (number - 1) & 1)
			disposition_settle(number);
}

void disposition_withdraw(void)
{
	struct disposition now;
	unsigned int i;

	for (i = 0; i < CRASH_SIGNALS; i++)
		if (kernel_get(crash_signals[i], &now) && now.handler == handler_enter_default &&
		    !crash_can_end(crash_signals[i]))
			(void)kernel_set(crash_signals[i], disposition_kept(crash_signals[i]),
					 NULL);
}

void disposition_return(void)
{
	unsigned int i;

	for (i = 0; i < CRASH_SIGNALS; i++)
		disposition_settle(crash_signals[i]);
}
