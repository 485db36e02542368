/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Threads, other stacks, processes; and stacks that are not to be trusted. */
#include <alloca.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "oracle.h"

#define NOINLINE __attribute__((noinline))
#define USE(x) __asm__ volatile("" : : "r"(x) : "memory")

static NOINLINE void deep(int n)
{
	if (n)
		deep(n - 1);
	check_here(ORACLE_FRAMES);
	USE(n);
}

/* What C++ registers the destructors of thread_local objects with. */
int __cxa_thread_atexit_impl(void (*destructor)(void *), void *object, void *module);
extern char __dso_handle;

static pthread_key_t key;
static unsigned int destroyed, keys_destroyed;

/* These run after the thread's function, in libc's code that ends threads. */
static void at_exit_of_thread(void *value)
{
	check_here(ORACLE_FRAMES);
	USE(value);
	__atomic_fetch_add(&keys_destroyed, 1, __ATOMIC_RELAXED);
	oracle_release();
}

static void destroy_object(void *object)
{
	deep(2);
	USE(object);
	__atomic_fetch_add(&destroyed, 1, __ATOMIC_RELAXED);
}

static void *thread_main(void *argument)
{
	int i;

	pthread_setspecific(key, argument);
	__cxa_thread_atexit_impl(destroy_object, &i, &__dso_handle);
	for (i = 0; i < 20; i++)
		deep(i);
	if ((intptr_t)argument % 2)
		pthread_exit(NULL);
	return NULL;
}

static void test_threads(void)
{
	pthread_t threads[8];
	intptr_t i;
	int round;

	pthread_key_create(&key, at_exit_of_thread);
	for (round = 0; round < 5; round++) {
		for (i = 0; i < 8; i++)
			pthread_create(&threads[i], NULL, thread_main, (void *)(i + 1));
		for (i = 0; i < 8; i++)
			pthread_join(threads[i], NULL);
	}
	EXPECT(destroyed == 40 && keys_destroyed == 40);
}

static unsigned int cleaned_up;

static void cleanup(void *argument)
{
	cleaned_up++;
	deep(3);
	USE(argument);
}

static NOINLINE void wait_to_be_cancelled(int n)
{
	pthread_cleanup_push(cleanup, NULL);
	if (n)
		wait_to_be_cancelled(n - 1);
	check_here(ORACLE_FRAMES);
	for (;;)
		pause();
	pthread_cleanup_pop(0);
}

static void *cancelled_main(void *argument)
{
	pthread_setspecific(key, argument);
	wait_to_be_cancelled(5);
	return NULL;
}

static void test_cancellation(void)
{
	pthread_t thread;
	int i;

	for (i = 0; i < 5; i++) {
		pthread_create(&thread, NULL, cancelled_main, &key);
		usleep(1000);
		pthread_cancel(thread);
		pthread_join(thread, NULL);
	}
	EXPECT(cleaned_up > 5 && keys_destroyed == 45);
}

/* --- far below the top of the stack ---------------------------------------------------------- */

#define FAR_BYTES ((size_t)140 << 20) /* more than is probed to find out what a stack is */

static NOINLINE void far_below(size_t bytes)
{
	char *array = alloca(bytes);

	USE(array);
	check_here(ORACLE_FRAMES);
	USE(array);
}

static void *far_below_at_once(void *argument)
{
	far_below(FAR_BYTES);
	EXPECT(check_last.flags & STACKDEPOT_UNWIND_NESTED);
	far_below(16);
	EXPECT(!(check_last.flags & STACKDEPOT_UNWIND_NESTED));
	far_below(FAR_BYTES);
	EXPECT(check_last.flags & STACKDEPOT_UNWIND_NESTED);
	oracle_release();
	return argument;
}

static void *far_below_by_and_by(void *argument)
{
	far_below(16);
	far_below(FAR_BYTES / 2);
	EXPECT(!(check_last.flags & STACKDEPOT_UNWIND_NESTED));
	far_below(FAR_BYTES);
	EXPECT(!(check_last.flags & STACKDEPOT_UNWIND_NESTED));
	oracle_release();
	return argument;
}

/* What is too far off to be probed is walked without a memory, and right all the same. */
static void test_far_below(void)
{
	void *(*const mains[])(void *) = {far_below_at_once, far_below_by_and_by};
	size_t i, bytes = FAR_BYTES + (1 << 20);
	pthread_attr_t attributes;
	pthread_t thread;

	for (i = 0; i < 2; i++) {
		void *stack = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		pthread_attr_init(&attributes);
		pthread_attr_setstack(&attributes, stack, bytes);
		pthread_create(&thread, &attributes, mains[i], NULL);
		pthread_join(thread, NULL);
		pthread_attr_destroy(&attributes);
		munmap(stack, bytes);
	}
}

static NOINLINE void walk_here(void)
{
	struct stackdepot_unwind_start start = stackdepot_unwind_caller();
	struct stackdepot_unwind_trace trace;
	uintptr_t buffer[64];

	stackdepot_unwind(oracle_unwinder(), &start, buffer, 64, &trace);
	EXPECT(trace.nr >= 2);
	stackdepot_unwind_done(oracle_unwinder(), &trace);
}

/* With garbage in the stack where the caller's frame pointer is saved. */
static NOINLINE void walk_with_fp(uintptr_t fp)
{
	volatile uintptr_t *saved = __builtin_frame_address(0);
	uintptr_t good = *saved;

	*saved = fp;
	walk_here();
	*saved = good;
}

/* From a frame that is found by it. */
static NOINLINE void smashed(uintptr_t fp)
{
	static volatile size_t bytes = 64;
	char *array = alloca(bytes);

	USE(array);
	walk_with_fp(fp);
	USE(array);
}

/* --- makecontext ----------------------------------------------------------------------------- */

static ucontext_t main_context, coroutine;

static void coroutine_main(void)
{
	int i;

	for (i = 0; i < 5; i++) {
		deep(i * 2);
		swapcontext(&coroutine, &main_context);
	}
}

static void test_coroutines(void)
{
	size_t bytes = 1 << 17;
	int i, round;

	for (round = 0; round < 4; round++) {
		char *stack = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				   -1, 0);

		getcontext(&coroutine);
		coroutine.uc_stack.ss_sp = stack;
		coroutine.uc_stack.ss_size = bytes;
		coroutine.uc_link = &main_context;
		makecontext(&coroutine, coroutine_main, 0);
		for (i = 0; i < 6; i++) {
			swapcontext(&main_context, &coroutine);
			deep(3);
		}
		munmap(stack, bytes);
		deep(2);
		smashed((uintptr_t)stack + bytes - 64);
		stackdepot_unwind_forget(oracle_unwinder()); /* the oracle was not told */
		deep(2);
	}
}

static void *coroutines_in_thread(void *argument)
{
	test_coroutines();
	deep(3);
	oracle_release();
	return argument;
}

static void test_coroutines_in_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, coroutines_in_thread, NULL);
	pthread_join(thread, NULL);
}

/* --- processes ------------------------------------------------------------------------------- */

static void test_fork(void)
{
	unsigned int failed = check_failed;
	int status;
	pid_t pid;

	deep(5);
	pid = fork();
	if (!pid) {
		deep(9);
		_exit(check_failed != failed);
	}
	deep(4);
	waitpid(pid, &status, 0);
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status));
}

static void *forking_thread(void *argument)
{
	test_fork();
	oracle_release();
	return argument;
}

static void test_fork_in_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, forking_thread, NULL);
	pthread_join(thread, NULL);
}

static void test_vfork(void)
{
	unsigned int before = check_total;
	volatile int i;

	for (i = 0; i < 4; i++) {
		pid_t pid = vfork();

		if (!pid) {
			deep(6);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
		deep(7);
	}
#if defined(__x86_64__) /* under an emulator it is a fork() */
	EXPECT(check_total - before == 4 * 3 * (7 + 8)); /* the child's walks are in our memory */
#endif
	USE(before);
}

/* --- corrupt stacks: whatever is there, the walk ends ----------------------------------------- */

static unsigned int walk_from(uintptr_t pc, uintptr_t sp, uintptr_t fp)
{
	struct stackdepot_unwind_start start = {pc, sp, fp, 0};
	struct stackdepot_unwind_trace trace;
	uintptr_t buffer[128];
	unsigned int nr;

	nr = stackdepot_unwind(oracle_unwinder(), &start, buffer, 128, &trace);
	EXPECT(nr <= 128);
	stackdepot_unwind_done(oracle_unwinder(), &trace);
	EXPECT(stackdepot_unwind(NULL, &start, buffer, 128, &trace) <= 128);
	return nr;
}

static NOINLINE uintptr_t some_return_address(void)
{
	return (uintptr_t)__builtin_return_address(0);
}

static uintptr_t random_word(uintptr_t pc, const uintptr_t *stack)
{
	switch (rand() % 6) {
	case 0:
		return (uintptr_t)(stack + rand() % 1024);
	case 1:
		return pc;
	case 2:
		return (uintptr_t)deep + (uintptr_t)(rand() % 60);
	case 3:
		return (uintptr_t)malloc + (uintptr_t)(rand() % 4000);
	case 4:
		return (uintptr_t)rand() << (rand() % 34);
	default:
		return UINTPTR_MAX - (uintptr_t)(rand() % 64);
	}
}

static void test_corrupt_stacks(void)
{
	uintptr_t pc = some_return_address();
	uintptr_t stack[1024];
	int i, j;

	srand(11);
	for (i = 0; i < 20000; i++) {
		for (j = 0; j < 1024; j += 1 + rand() % 8)
			stack[j] = random_word(pc, stack);
		walk_from(random_word(pc, stack), (uintptr_t)(stack + rand() % 1000),
			  random_word(pc, stack));
	}
	stackdepot_unwind_forget(oracle_unwinder());
	deep(5);
}

static void test_wild_pointers(void)
{
	static const uintptr_t wild[] = {0, 1, 7, 8, 4095, 4096, (uintptr_t)1 << 47,
					 ((uintptr_t)1 << 47) - 8, ((uintptr_t)1 << 48) - 1,
					 (uintptr_t)1 << 63, UINTPTR_MAX, UINTPTR_MAX - 7,
					 UINTPTR_MAX - 8, UINTPTR_MAX - 4096};
	uintptr_t pc = some_return_address(), here = (uintptr_t)&pc;
	unsigned int i, j, n = sizeof(wild) / sizeof(wild[0]);

	for (i = 0; i < n; i++) {
		for (j = 0; j < n; j++)
			walk_from(pc, wild[i], wild[j]);
		walk_from(pc, here, wild[i]);
		walk_from(wild[i], here, here);
	}
	stackdepot_unwind_forget(oracle_unwinder());
	deep(5);
}

/* A stack at the very end of what is mapped, at every distance from it. */
static void test_edge_of_memory(void)
{
	char *memory =
		mmap(NULL, 3 * 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uintptr_t pc = some_return_address(), edge;
	unsigned int i;

	memset(memory, 0, 3 * 65536);
	munmap(memory + 2 * 65536, 65536);
	munmap(memory, 65536);
	edge = (uintptr_t)memory + 2 * 65536;
	for (i = 0; i < 200; i++) {
		walk_from(pc, edge - i, edge - i);
		walk_from(pc, edge - 65536 - i + 100, edge - 65536 - i + 100);
	}
	munmap(memory + 65536, 65536);
	walk_from(pc, edge - 512, edge - 512);
	stackdepot_unwind_forget(oracle_unwinder());
}

/* Garbage in the own stack below frames that are fine. */
static void test_smashed_frame_pointers(void)
{
	volatile char array[64];
	int i;

	array[0] = 1;
	for (i = 0; i < 64; i++) {
		smashed((uintptr_t)1 << i);
		smashed((uintptr_t)array + (uintptr_t)i * 256);
	}
	for (i = 12; i < 27; i++) /* below all that was ever used */
		smashed((uintptr_t)array - ((uintptr_t)1 << i));
	stackdepot_unwind_forget(oracle_unwinder());
	deep(3);
}

int main(void)
{
	check_here(ORACLE_FRAMES);
	RUN(test_threads);
	RUN(test_cancellation);
	RUN(test_far_below);
	RUN(test_coroutines);
	RUN(test_coroutines_in_thread);
	RUN(test_fork);
	RUN(test_fork_in_thread);
	RUN(test_vfork);
	RUN(test_corrupt_stacks);
	RUN(test_wild_pointers);
	RUN(test_edge_of_memory);
	RUN(test_smashed_frame_pointers);
	return run_result();
}
