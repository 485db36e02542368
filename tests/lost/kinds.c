/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * kinds.c - objects that are reachable, lost, and led to by lost ones only, told by their sizes.
 *
 * Prints what to expect, a line "size verdict" each, then "ready"; ends with its standard input.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#ifdef LSAN
#include <sanitizer/lsan_interface.h>
#endif

#define NOINLINE __attribute__((noinline))

static void *volatile in_data;
static void *volatile in_bss_array[100];
static __thread void *volatile in_tls;
static void *volatile interior;
static void *volatile past_the_end;
static char unaligned[64];
static uintptr_t volatile hidden;
static void *volatile chain;
static void **volatile mapped, **volatile shared, **volatile read_only;
static void *volatile freed_block;
static pthread_key_t key;
static pthread_barrier_t barrier;
static ucontext_t back, other;
static volatile int go_on = 1;

static void expect(size_t size, const char *verdict)
{
	printf("%zu %s\n", size, verdict);
}

/*
 * What came before leaves nothing on the stack, where roots are looked for; nor in registers that
 * the loader would put there as it binds a function.
 */
static NOINLINE void wipe(void)
{
	volatile char junk[16384];

	memset((char *)junk, 0, sizeof(junk));
	__asm__ volatile("" ::"r"(junk) : "memory");
#if defined(__x86_64__)
	__asm__ volatile("pxor %%xmm0, %%xmm0\n\tpxor %%xmm1, %%xmm1\n\tpxor %%xmm2, %%xmm2\n\t"
			 "pxor %%xmm3, %%xmm3\n\tpxor %%xmm4, %%xmm4\n\tpxor %%xmm5, %%xmm5\n\t"
			 "xor %%r8, %%r8\n\txor %%r9, %%r9\n\txor %%r10, %%r10\n\t"
			 "xor %%r11, %%r11"
			 :
			 :
			 : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "r8", "r9", "r10", "r11",
			   "cc");
#endif
}

static NOINLINE void **object(size_t size, const char *verdict)
{
	void **made = malloc(size);

	memset(made, 0, size);
	expect(size, verdict);
	return made;
}

static NOINLINE void reachable_from_data(void)
{
	in_data = object(1001, "reachable");
	in_bss_array[77] = object(1002, "reachable");
	in_tls = object(1003, "reachable");
	interior = (char *)object(1004, "reachable") + 500;
	chain = object(1005, "reachable");
	*(void **)chain = object(1006, "reachable");
	**(void ***)chain = object(1007, "reachable");
	pthread_key_create(&key, NULL);
	pthread_setspecific(key, object(1008, "reachable"));
	mapped = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mapped[700] = object(1009, "reachable");
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	shared[3] = object(1010, "reachable");
	read_only = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	read_only[9] = object(1011, "reachable");
	mprotect((void *)read_only, 4096, PROT_READ);
}

static NOINLINE void lost(void)
{
	void *at, **first, **second, **third;

	object(2001, "lost");
	/* a ring of two: one stands for both */
	first = object(2002, "ring");
	second = object(2002, "ring");
	first[3] = second;
	second[4] = first;
	/* a lost one leads to another, and that to a third */
	first = object(2003, "lost");
	second = object(2004, "from-lost");
	third = object(2005, "from-lost");
	first[1] = second;
	second[1] = (char *)third + 8;
	/* one that points to itself */
	first = object(2006, "lost");
	first[2] = first;
	/* two that lead to one */
	first = object(2007, "lost");
	second = object(2008, "lost");
	third = object(2009, "from-lost");
	first[0] = second[0] = third;
	at = object(2010, "lost");
	memcpy(unaligned + 3, &at, sizeof(at));
	hidden = ~(uintptr_t)object(2011, "lost");
	past_the_end = (char *)object(2016, "lost") + 2016;
	freed_block = malloc(3000);
	((void **)freed_block)[100] = object(2017, "lost");
	free(freed_block);
	freed_block = NULL;
}

/* The only pointer is in a frame that has returned, deeper than what is called afterwards. */
static NOINLINE void lost_below_the_stack(void)
{
	void *volatile frame[8192];

	frame[5] = object(2012, "lost");
	__asm__ volatile("" ::"r"(frame) : "memory");
}

static void *on_a_threads_stack(void *unused)
{
	void *volatile here = object(1012, "reachable");

	(void)unused;
	lost_below_the_stack();
	wipe();
	pthread_barrier_wait(&barrier);
	while (go_on)
		usleep(1000);
	return here;
}

/* The only pointer is in a register, of those that calls preserve and of those for vectors. */
static void *in_registers(void *unused)
{
	void *one = object(1013, "reachable"), *two = object(1014, "reachable");

	(void)unused;
	wipe();
	pthread_barrier_wait(&barrier);
#if defined(__x86_64__)
	/* Copies that are left in the red zone, which is searched, and in other registers, go. */
	__asm__ volatile("movq %%rax, %%xmm7\n\t"
			 "lea -128(%%rsp), %%rdi\n\tmov $16, %%ecx\n\txor %%eax, %%eax\n\t"
			 "rep stosq\n\txor %%edx, %%edx\n\txor %%esi, %%esi\n\txor %%ebp, %%ebp\n\t"
			 "xor %%r8, %%r8\n\txor %%r9, %%r9\n\txor %%r10, %%r10\n\t"
			 "xor %%r11, %%r11\n\txor %%r12, %%r12\n\txor %%r13, %%r13\n\t"
			 "xor %%r14, %%r14\n\txor %%r15, %%r15\n"
			 "1:\tpause\n\tcmpl $0, %2\n\tjne 1b\n"
			 : "+a"(two), "+b"(one)
			 : "m"(go_on)
			 : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
			   "r14", "r15", "rbp", "xmm7", "cc", "memory");
#else
	__asm__ volatile("fmov d7, %0\n\tmov %0, #0\n"
			 "1:\tyield\n\tldr w9, %2\n\tcbnz w9, 1b\n"
			 : "+r"(two), "+r"(one)
			 : "m"(go_on)
			 : "x9", "v7", "memory");
#endif
	return one;
}

/* A coroutine, on a stack from the heap that nothing else points to. */
static void coroutine(void)
{
	void *volatile here;

	memset(&other, 0, sizeof(other));
	here = object(1015, "reachable");
	wipe();
	puts("ready");
	fflush(stdout);
#ifdef LSAN
	__lsan_do_recoverable_leak_check();
	__lsan_disable();
#else
	(void)getchar();
#endif
	go_on = here == NULL;
	swapcontext(&other, &back);
}

static NOINLINE void on_a_stack_of_the_heap(void)
{
	enum { BYTES = 1 << 18 };

	getcontext(&other);
	other.uc_stack.ss_sp = object(BYTES, "reachable");
	other.uc_stack.ss_size = BYTES;
	other.uc_link = &back;
	makecontext(&other, coroutine, 0);
	swapcontext(&back, &other);
}

int main(void)
{
	static char in[4096], out[4096];
	void *volatile on_the_stack = object(1016, "reachable");
	pthread_t threads[2];

	/* Nothing may come to lie where a block was freed, with what that held. */
	setvbuf(stdin, in, _IOFBF, sizeof(in));
	setvbuf(stdout, out, _IOFBF, sizeof(out));
	reachable_from_data();
	lost();
	pthread_barrier_init(&barrier, NULL, 3);
	pthread_create(&threads[0], NULL, on_a_threads_stack, NULL);
	pthread_create(&threads[1], NULL, in_registers, NULL);
	pthread_barrier_wait(&barrier);
	wipe();
	on_a_stack_of_the_heap();
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return on_the_stack == NULL;
}
