/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a jitdump names made code, and is mapped for others to find it, for some seconds
 * modes: full
 * slow: yes
 * maps: 1
 * expect: errors 0
 * expect: says dumped_function .jit.
 */
#include <fcntl.h>
#include <stdint.h>

#include "made_code.h"

static void *volatile kept;

static void keeps(void)
{
	kept = malloc(100);
	__asm__ volatile("");
}

static void put_name(FILE *dump, const void *code, const char *name)
{
	const uint32_t bytes = 56 + (uint32_t)strlen(name) + 1 + CODE_BYTES;
	const uint32_t head[4] = {0, bytes, 0, 0}, ids[2] = {(uint32_t)getpid(), 1};
	const uint64_t words[4] = {(uintptr_t)code, (uintptr_t)code, CODE_BYTES, 1};

	fwrite(head, sizeof(head), 1, dump);
	fwrite(ids, sizeof(ids), 1, dump);
	fwrite(words, sizeof(words), 1, dump);
	fwrite(name, strlen(name) + 1, 1, dump);
	fwrite(code, CODE_BYTES, 1, dump);
	fflush(dump);
}

int main(void)
{
	const uint32_t head[10] = {0x4a695444, 1, 40, 62, 0, (uint32_t)getpid()};
	char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char path[64];
	FILE *dump;
	void *mark;

	snprintf(path, sizeof(path), "jit-%d.dump", (int)getpid());
	dump = fopen(path, "w+");
	fwrite(head, sizeof(head), 1, dump);
	make_at(memory);
	make_at(memory + 64);
	put_name(dump, memory, "dumped_function");
	mark = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fileno(dump), 0);
	((made_function)(void *)memory)(memory + 64, (void *)keeps);
	kept = NULL;
	sleep(3);
	munmap(mark, 4096);
	fclose(dump);
	remove(path);
	puts("done");
	return 0;
}
