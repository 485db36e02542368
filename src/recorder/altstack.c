/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * altstack.c - a stack for signals, in threads whose program set none.
 *
 * When a stack overflows there is no room on it to find that out. What the program asks
 * sigaltstack() is answered as if this stack were not there, and one of its own takes its place. A
 * page that cannot be touched is below.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "recorder.h"

static int (*real_sigaltstack)(const stack_t *, stack_t *);

/* Of this thread; NULL without. In force unless the program has one of its own. */
static __thread char *altstack __attribute__((tls_model("initial-exec")));
static __thread bool altstack_in_force __attribute__((tls_model("initial-exec")));

static void altstack_resolve(void)
{
	if (!real_sigaltstack)
		*(void **)&real_sigaltstack = dlsym(RTLD_NEXT, "sigaltstack");
}

static void altstack_install(void)
{
	const stack_t ours = {.ss_sp = altstack + STORE_PAGE_BYTES,
			      .ss_size = RECORDER_ALTSTACK_BYTES - STORE_PAGE_BYTES};

	altstack_in_force = !real_sigaltstack(&ours, NULL);
}

void altstack_begin(void *memory)
{
	stack_t old;

	if (!recorder.options.crash_handler)
		return;
	altstack_resolve();
	if (real_sigaltstack(NULL, &old))
		return;
	(void)mprotect(memory, STORE_PAGE_BYTES, PROT_NONE);
	altstack = memory;
	if (old.ss_flags & SS_DISABLE)
		altstack_install();
}

void altstack_end(void)
{
	static const stack_t none = {.ss_flags = SS_DISABLE};

	if (altstack_in_force)
		(void)real_sigaltstack(&none, NULL);
	altstack_in_force = false;
	altstack = NULL;
}

EXPORT int sigaltstack(const stack_t *asked, stack_t *ret_old)
{
	static const stack_t none = {.ss_flags = SS_DISABLE};
	const bool hidden = altstack_in_force;

	altstack_resolve();
	if (real_sigaltstack(asked, ret_old))
		return -1;
	if (asked && altstack)
		altstack_in_force = false;
	if (asked && altstack && asked->ss_flags & SS_DISABLE)
		altstack_install();
	if (hidden && ret_old)
		*ret_old = none;
	return 0;
}
