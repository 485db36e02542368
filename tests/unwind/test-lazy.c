/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The first call through a lazily bound PLT entry, whose target is chosen by an IFUNC resolver that
 * allocates; malloc() is where a recorder walks.
 */
#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

#define NOINLINE __attribute__((noinline))
#define USE(x) __asm__ volatile("" : : "r"(x) : "memory")

void resolver_runs(void);
int chosen(int n);
void *__libc_malloc(size_t bytes);

static unsigned int resolved;
static bool resolving;
static uint32_t flags;
static uintptr_t resolver_frames[2]; /* from the resolver on */

/*
 * On arm64 glibc 2.36's table says of the loader's entry that its frame ends 16 bytes before it
 * does, so that all go astray from there, and libgcc may fault: it is not asked.
 */
static NOINLINE void walk(void)
{
	unsigned int i;

#if defined(__x86_64__)
	check_here(ORACLE_FRAMES);
#else
	struct stackdepot_unwind_start start = stackdepot_unwind_caller();

	stackdepot_unwind(NULL, &start, check_frames + 1, ORACLE_FRAMES - 1, &check_last);
#endif
	flags = check_last.flags;
	for (i = 0; i < 2; i++)
		resolver_frames[i] = check_frames[i + 2];
}

void resolver_runs(void)
{
	walk();
	resolved++;
	resolving = true;
}

#ifndef __SANITIZE_ADDRESS__ /* which brings a malloc() of its own */
static unsigned int allocated;

void *malloc(size_t bytes)
{
	if (resolving) {
		resolving = false;
		walk();
		allocated++;
	}
	return __libc_malloc(bytes);
}
#endif

static NOINLINE int call_deep(int n)
{
	int result = n ? call_deep(n - 1) : chosen(n);

	USE(n);
	check_here(ORACLE_FRAMES);
	return result + 1;
}

/* The name of the module with @pc in it. */
static const char *module_of(uintptr_t pc)
{
	struct dl_find_object object;

	if (_dl_find_object((void *)pc, &object))
		return "none";
	return object.dlfo_link_map->l_name;
}

/* Neither the program nor the environment asks for binding at the start. */
static void test_is_lazy(void)
{
	const ElfW(Dyn) * dynamic;

	for (dynamic = _DYNAMIC; dynamic->d_tag != DT_NULL; dynamic++) {
		EXPECT(dynamic->d_tag != DT_BIND_NOW);
		EXPECT(dynamic->d_tag != DT_FLAGS || !(dynamic->d_un.d_val & DF_BIND_NOW));
		EXPECT(dynamic->d_tag != DT_FLAGS_1 || !(dynamic->d_un.d_val & DF_1_NOW));
	}
	EXPECT(!getenv("LD_BIND_NOW"));
}

static void test_first_call(void)
{
	EXPECT(resolved == 0);
	EXPECT(call_deep(7) == 9);
	EXPECT(resolved == 1);
#if defined(__x86_64__)
	EXPECT(flags & STACKDEPOT_UNWIND_FULL); /* through the loader's frame */
#endif
#ifndef __SANITIZE_ADDRESS__
	EXPECT(allocated == 1);
#endif
	/* the resolver was under way, and the loader had called it */
	EXPECT(strstr(module_of(resolver_frames[0]), "libifunc"));
	EXPECT(strstr(module_of(resolver_frames[1]), "ld-linux"));
	call_deep(7);
	EXPECT(resolved == 1);
}

int main(void)
{
	check_here(ORACLE_FRAMES);
	RUN(test_is_lazy);
	RUN(test_first_call);
	return run_result();
}
