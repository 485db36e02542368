/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Functions that begin with each kind of instruction that is hard to move are called as they are,
 * by the slot that their first instruction was moved to, and by the branch that took its place. It
 * must make no difference.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "patch.h"

#define SECTION_BYTES 4096
#define HOOKED 4711
#define FAR_BELOW 65536 /* on the stack, of what is called next */

/*
 * Calls @function with flags that tell how its arguments compare, and in x9 where to return to, for
 * those that begin with a call.
 */
long call_with(const void *function, long a, long b);
__asm__(".text\n"
	".globl call_with\n"
	".type call_with, %function\n"
	"call_with:\n"
	"	stp x29, x30, [sp, #-16]!\n"
	"	mov x29, sp\n"
	"	mov x10, x0\n"
	"	mov x0, x1\n"
	"	mov x1, x2\n"
	"	adr x9, 1f\n"
	"	cmp x0, x1\n"
	"	blr x10\n"
	"1:	ldp x29, x30, [sp], #16\n"
	"	ret\n"
	".size call_with, . - call_with\n");

/* A page of its own, which is changed. Those that branch say so by what they return. */
#define BRANCHES(branch) branch "\n\tmov x0, #10\n\tret\n1:\tmov x0, #20\n\tret\n"
#define FUNCTION(name, code) ".p2align 4\n.globl " name "\n" name ":\n" code ".p2align 4\n"
__asm__(".section .moved, \"ax\", %progbits\n"
	".p2align 12\n" FUNCTION("plain", "add x0, x0, x1\nret\n") FUNCTION(
		"page",
		"adrp x0, page\nadd x0, x0, :lo12:page\nret\n") FUNCTION("near",
									 "adr x0, "
									 "1f\nret\nnop\n1:"
									 "\n") FUNCTION("be"
											"fo"
											"r"
											"e",
											"ad"
											"r "
											"x0"
											", "
											"ne"
											"ar"
											"\n"
											"re"
											"t"
											"\n")
		FUNCTION("word", "ldr w0, 1f\nret\n1: .word 0x89abcdef\n") FUNCTION(
			"two_words",
			"ldr x0, 1f\nret\n1: .xword 0x0123456789abcdef\n") FUNCTION("signed_word",
										    "ldrsw x0, "
										    "1f\nret\n1: "
										    ".word "
										    "0x89abcdef\n")
			FUNCTION("prefetch", "prfm pldl1keep, 1f\nret\n1: .word 0\n") FUNCTION(
				"jump",
				BRANCHES("b 1f")) FUNCTION("jump_back",
							   "b plain\n") FUNCTION("call",
										 "bl 1f\nadd x0, "
										 "x0, #1\nret "
										 "x9\n1: mov x0, "
										 "#40\nret\n")
				FUNCTION("zero", BRANCHES("cbz x0, 1f")) FUNCTION(
					"not_zero",
					BRANCHES("cbnz x0, 1f")) FUNCTION("half_zero",
									  BRANCHES("cbz w0, 1f"))
					FUNCTION("bit_clear", BRANCHES("tbz x0, #1, 1f")) FUNCTION(
						"bit_set", BRANCHES("tbnz x0, #33, 1f"))
						FUNCTION("equal", BRANCHES("b.eq 1f")) FUNCTION(
							"less", BRANCHES("b.lt 1f"))
							FUNCTION("padded",
								 "bti c\nadr x0, 1f\n1: ret\n")
								FUNCTION("vector",
									 "ldr d0, 1f\nret\n1: "
									 ".xword 0\n") ".p2align "
										       "12\n"
										       ".text\n");

extern uint8_t plain[], page[], near[], before[], word[], two_words[], signed_word[], prefetch[],
	jump[], jump_back[], call[], zero[], not_zero[], half_zero[], bit_clear[], bit_set[],
	equal[], less[], padded[], vector[];

static const struct {
	const char *name;
	uint8_t *function;
} cases[] = {
	{"plain", plain},
	{"page", page},
	{"near", near},
	{"before", before},
	{"word", word},
	{"two_words", two_words},
	{"signed_word", signed_word},
	{"prefetch", prefetch},
	{"jump", jump},
	{"jump_back", jump_back},
	{"call", call},
	{"zero", zero},
	{"not_zero", not_zero},
	{"half_zero", half_zero},
	{"bit_clear", bit_clear},
	{"bit_set", bit_set},
	{"equal", equal},
	{"less", less},
	{"padded", padded},
};

static const struct {
	long a, b;
} arguments[] = {{0, 0},	{1, 0},	       {2, 5},	 {5, 2}, {3, 3},
		 {1L << 33, 7}, {1L << 32, 0}, {-1, -1}, {-2, 1}};

#define CASES (sizeof(cases) / sizeof(cases[0]))
#define ARGUMENTS (sizeof(arguments) / sizeof(arguments[0]))

static __thread uintptr_t inside; /* above the stack pointer: the allocator calls itself */
static unsigned int failed;

static long hook(long a, long b)
{
	return HOOKED + a - b;
}

static void expect(const char *name, const char *how, unsigned int i, long result, long wanted)
{
	if (result == wanted)
		return;
	failed++;
	printf("%s, %s (%ld, %ld): %lx, not %lx\n", name, how, arguments[i].a, arguments[i].b,
	       result, wanted);
}

/* Near enough for a branch, on either side. */
static uint8_t *slot_memory(void)
{
	const intptr_t step = 1 << 20, reach = (intptr_t)patch_reach_bytes;
	intptr_t distance;

	for (distance = -reach; distance < reach; distance += step) {
		void *memory =
			mmap(plain + distance, SECTION_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

		if (memory != MAP_FAILED)
			return memory;
	}
	return NULL;
}

static void put_code(uint8_t *at, const void *code, size_t bytes)
{
	memcpy(at, code, bytes);
	__builtin___clear_cache((char *)at, (char *)at + bytes);
}

static void try_case(const char *name, uint8_t *function, uint8_t *slot)
{
	struct patch patch = {
		.function = function, .bytes = 16, .hook = (void *)hook, .slot = slot};
	uint8_t branch[PATCH_BRANCH_BYTES], saved[PATCH_BRANCH_BYTES];
	long wanted[ARGUMENTS];
	unsigned int i;
	size_t bytes;

	for (i = 0; i < ARGUMENTS; i++)
		wanted[i] = call_with(function, arguments[i].a, arguments[i].b);
	if (!patch_look(&patch) || !patch_fill(&patch, &inside)) {
		failed++;
		printf("%s: refused\n", name);
		return;
	}
	__builtin___clear_cache((char *)slot, (char *)slot + PATCH_SLOT_BYTES);
	bytes = patch_branch(&patch, branch);
	memcpy(saved, patch.entry, bytes);
	put_code(patch.entry, branch, bytes);
	for (i = 0; i < ARGUMENTS; i++) {
		const long a = arguments[i].a, b = arguments[i].b;

		expect(name, "moved", i, call_with(patch.original, a, b), wanted[i]);
		inside = (uintptr_t)__builtin_frame_address(0);
		expect(name, "inside", i, call_with(function, a, b), wanted[i]);
		inside = (uintptr_t)__builtin_frame_address(0) - FAR_BELOW;
		expect(name, "left", i, call_with(function, a, b), hook(a, b));
		inside = 0;
		expect(name, "hooked", i, call_with(function, a, b), hook(a, b));
	}
	put_code(patch.entry, saved, bytes);
}

int main(void)
{
	struct patch refused = {.function = vector, .bytes = 16};
	struct patch landing = {.function = padded, .bytes = 16};
	uint8_t *slot = slot_memory();
	unsigned int i;

	if (!slot || mprotect(plain, SECTION_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC)) {
		perror("memory for code");
		return 1;
	}
	for (i = 0; i < CASES; i++)
		try_case(cases[i].name, cases[i].function, slot);
	if (patch_look(&refused)) {
		failed++;
		puts("vector: not refused");
	}
	if (!patch_look(&landing) || landing.entry != padded + 4) {
		failed++;
		puts("padded: not a target of branches any more");
	}
	printf("%u functions, %u failures\n", (unsigned int)CASES, failed);
	return failed != 0;
}
