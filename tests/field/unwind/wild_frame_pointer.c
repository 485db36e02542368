/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: code without tables that has anything at all in its frame pointer, as JIT code may
 * expect: errors 0
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static void *volatile last;

__attribute__((noinline, used)) void allocates(void)
{
	void *memory = malloc(48);

	last = memory;
	free(memory);
}

void with_frame_pointer(uintptr_t fp);
#if defined(__x86_64__)
__asm__(".text\n.type with_frame_pointer, @function\nwith_frame_pointer:\n"
	"	push %rbp\n	mov %rdi, %rbp\n	call allocates\n	pop %rbp\n	"
	"ret\n"
	".size with_frame_pointer, . - with_frame_pointer\n");
#else
__asm__(".text\n.type with_frame_pointer, %function\nwith_frame_pointer:\n"
	"	stp x29, x30, [sp, #-16]!\n	mov x29, x0\n	bl allocates\n"
	"	ldp x29, x30, [sp], #16\n	ret\n"
	".size with_frame_pointer, . - with_frame_pointer\n");
#endif

int main(void)
{
	uintptr_t record[4] = {(uintptr_t)&record[2], (uintptr_t)main, (uintptr_t)&record[0], 0};
	char *pages =
		mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const uintptr_t here = (uintptr_t)record, page = (uintptr_t)pages;
	const uintptr_t wild[] = {0,
				  1,
				  8,
				  4096,
				  here,
				  here + 4,
				  here - 64,
				  here - 65536,
				  here + (1 << 20),
				  page,
				  page + 4096 - 8,
				  page + 4096 - 16,
				  page + 4096,
				  page + 8192 - 8,
				  (uintptr_t)main,
				  (uintptr_t)&pages,
				  UINTPTR_MAX,
				  UINTPTR_MAX - 7,
				  UINTPTR_MAX - 15,
				  (uintptr_t)1 << 47,
				  ((uintptr_t)1 << 47) - 16,
				  (uintptr_t)1 << 63};
	unsigned int i, j;

	munmap(pages + 4096, 4096);
	for (j = 0; j < 3; j++) {
		for (i = 0; i < sizeof(wild) / sizeof(wild[0]); i++)
			with_frame_pointer(wild[i]);
	}
	puts("done");
	return 0;
}
