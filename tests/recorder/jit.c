/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * jit [register|turns]: code made at run time calls back, and the callee allocates. How its frame
 * is left is known only from the section that __register_frame() is given.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void __register_frame(void *begin);
void __deregister_frame(void *begin);

/* sub $40, %rsp; call *%rdi; add $40, %rsp; ret */
static const uint8_t code[] = {0x48, 0x83, 0xec, 0x28, 0xff, 0xd7, 0x48, 0x83, 0xc4, 0x28, 0xc3};

struct section {
	uint32_t cie_length;
	uint32_t cie_id;
	uint8_t version;
	char augmentation[1];
	uint8_t code_alignment, data_alignment, return_register;
	uint8_t cie_program[7]; /* the CFA is %rsp + 8, the return address below it */
	uint32_t fde_length;
	uint32_t fde_to_cie;
	uint64_t start, bytes;
	uint8_t fde_program[8]; /* 4 bytes on it is %rsp + 48 */
	uint32_t end;
} __attribute__((packed));

static struct section section = {
	.cie_length = 16,
	.version = 1,
	.code_alignment = 1,
	.data_alignment = 0x78, /* -8 */
	.return_register = 16,
	.cie_program = {0x0c, 7, 8, 0x90, 1, 0, 0},
	.fde_length = 28,
	.fde_to_cie = 24,
	.bytes = sizeof(code),
	.fde_program = {0x44, 0x0e, 48, 0, 0, 0, 0, 0},
};

static __attribute__((noinline, noipa)) void called_back(void)
{
	void *object = malloc(999);

	__asm__ volatile("" : "+r"(object));
}

static __attribute__((noinline, noipa)) int calls_code(void (*made)(void (*)(void)))
{
	made(called_back);
	return 8;
}

/* With and without it in turn, far from main(). */
static __attribute__((noinline, noipa)) int in_turn(void (*made)(void (*)(void)), int depth)
{
	int i, sum = 0;

	if (depth)
		return in_turn(made, depth - 1) + 1;
	for (i = 0; i < 5; i++) {
		sum += calls_code(made);
		called_back();
	}
	return sum;
}

int main(int argc, char **argv)
{
	int turns = argc > 1 && !strcmp(argv[1], "turns");
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int with = turns || (argc > 1 && !strcmp(argv[1], "register")), status;

	if (memory == MAP_FAILED)
		return 1;
	memcpy(memory, code, sizeof(code));
	if (mprotect(memory, 4096, PROT_READ | PROT_EXEC))
		return 1;
	section.start = (uint64_t)(uintptr_t)memory;
	if (with)
		__register_frame(&section);
	status = turns ? in_turn((void (*)(void (*)(void)))(uintptr_t)memory, 30)
		       : calls_code((void (*)(void (*)(void)))(uintptr_t)memory);
	if (with)
		__deregister_frame(&section);
	return status;
}
