/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Code that comes and goes: modules and JITs, with others' code in the same place afterwards.
 *
 * usage: test-unwind-modules [DIRECTORY [told]]	told: by the loader itself, of its changes
 */
#include <dlfcn.h>
#include <errno.h>
#include <iconv.h>
#include <link.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../src/unwind/module.h"
#include "oracle.h"

#define NOINLINE __attribute__((noinline))
#define USE(x) __asm__ volatile("" : : "r"(x) : "memory")

void __register_frame(const void *begin);
void __deregister_frame(const void *begin);

typedef void (*call_fn)(void (*)(void));

static const char *directory;

static NOINLINE void leaf(void)
{
	check_here(ORACLE_FRAMES);
}

static NOINLINE void deep(int n)
{
	if (n)
		deep(n - 1);
	else
		leaf();
	USE(n);
}

static void deep_leaf(void)
{
	deep(4);
}

static NOINLINE void use(call_fn call)
{
	call(leaf);
	call(leaf);
	call(deep_leaf);
	call(leaf);
	USE(call);
}

/* Returns where the function was. */
static uintptr_t use_plugin(const char *name)
{
	char path[512];
	call_fn call;
	void *handle;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	handle = dlopen(path, RTLD_NOW);
	if (!EXPECT(handle != NULL))
		return 0;
	call = (call_fn)dlsym(handle, "plugin_call");
	use(call);
	dlclose(handle);
	leaf();
	return (uintptr_t)call;
}

static void alternate(const char *one, const char *two)
{
	unsigned int same = 0;
	int i;

	for (i = 0; i < 10; i++) {
		uintptr_t a = use_plugin(one), b = use_plugin(two);

		same += a == b;
	}
#if defined(__x86_64__)	  /* qemu gives each mapping a new address */
	EXPECT(same > 5); /* else nothing was shown */
#endif
	USE(same);
}

#if defined(__x86_64__)
/*
 * The frame of the one module is kept, then the other takes its place with a frame whose state is
 * the same, and with the word that led out of the first still in memory, where it means nothing
 * now. Loading uses stack, so another thread does that.
 */
static volatile int turn;
static call_fn volatile call_now;

static void *load_in_turn(void *argument)
{
	static const char *const names[] = {"libplugin-24.so", "libplugin-56.so"};
	void *handle = NULL;
	int i;

	for (i = 0; i < 10; i++) {
		char path[512];

		while (turn != 2 * i)
			usleep(100);
		if (handle)
			dlclose(handle);
		snprintf(path, sizeof(path), "%s/%s", directory, names[i % 2]);
		handle = dlopen(path, RTLD_NOW);
		call_now = (call_fn)dlsym(handle, "plugin_call");
		turn = 2 * i + 1;
	}
	while (turn != 2 * i)
		usleep(100);
	dlclose(handle);
	return argument;
}

static NOINLINE void call_from(size_t lower)
{
	char *array = __builtin_alloca(lower);

	USE(array);
	call_now(leaf);
	USE(array);
}

/* The same again, so that it shows in the trace which frame was found. */
static NOINLINE void call_from_too(size_t lower)
{
	char *array = __builtin_alloca(lower);

	USE(array);
	call_now(leaf);
	USE(array);
	USE(lower);
}

static void test_kept_across_loads(void)
{
	call_fn places[2] = {NULL, NULL};
	pthread_t thread;
	int i;

	turn = 0;
	pthread_create(&thread, NULL, load_in_turn, NULL);
	for (i = 0; i < 10; i++) {
		while (turn != 2 * i + 1)
			__asm__ volatile("pause");
		places[i % 2] = call_now;
		if (i % 2)
			call_from_too(32);
		else
			call_from(64);
		turn = 2 * i + 2;
	}
	pthread_join(thread, NULL);
	EXPECT(places[0] == places[1]);
}
#endif

static call_fn plugin_open(const char *name, void **ret_handle)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	*ret_handle = dlopen(path, RTLD_NOW);
	return *ret_handle ? (call_fn)dlsym(*ret_handle, "plugin_call") : NULL;
}

/* What was verified can be verified again. */
static NOINLINE void leaf_all_verified(void)
{
	check_here(ORACLE_FRAMES);
	EXPECT(check_last.verified == check_last.nr);
	check_here(ORACLE_FRAMES);
	EXPECT(check_first.verified == check_first.nr - 1);
	EXPECT(check_last.verified == check_last.nr);
}

static NOINLINE void call_with_array(call_fn call, void (*callee)(void), size_t bytes)
{
	char *array = __builtin_alloca(bytes);

	USE(array);
	call(callee);
	USE(array);
}

static NOINLINE void call_deeper(call_fn call, void (*callee)(void), size_t bytes)
{
	char *array = __builtin_alloca(32);

	USE(array);
	call_with_array(call, callee, bytes);
	USE(array);
}

/* Of a module that stays, nothing is walked twice. Without a build-id its frames are. */
static void test_verified(void)
{
	void *one, *two, *nameless;
	call_fn call = plugin_open("libplugin-24.so", &one);
	call_fn call_two = plugin_open("libplugin-56.so", &two);
	call_fn call_nameless = plugin_open("libplugin-24n.so", &nameless);

	if (!EXPECT(call && call_two && call_nameless))
		return;
	call(leaf_all_verified);
	call_two(leaf_all_verified);
	call(leaf_all_verified);
	call_nameless(leaf);
	EXPECT(check_last.verified == check_last.nr - 1);
	dlclose(one);
	dlclose(two);
	dlclose(nameless);
}

/* --- more modules than a thread keeps in mind ------------------------------------------------ */

#define COPIES 20

static call_fn copies[COPIES];

static bool copy_file(const char *from, const char *to)
{
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");
	bool good = in && out;
	char buffer[4096];
	size_t bytes;

	while (good && (bytes = fread(buffer, 1, sizeof(buffer), in)) > 0)
		good = fwrite(buffer, 1, bytes, out) == bytes;
	if (in)
		fclose(in);
	if (out)
		good &= !fclose(out);
	return good;
}

static call_fn copy_open(const char *where, int i, void **ret_handle)
{
	char from[512], to[512];

	snprintf(from, sizeof(from), "%s/libplugin-%s.so", directory, i % 2 ? "24" : "56");
	snprintf(to, sizeof(to), "%s/%d.so", where, i);
	*ret_handle = copy_file(from, to) ? dlopen(to, RTLD_NOW) : NULL;
	unlink(to);
	return *ret_handle ? (call_fn)dlsym(*ret_handle, "plugin_call") : NULL;
}

static int nested;

static void nest(void)
{
	if (nested == COPIES)
		leaf();
	else
		copies[nested++](nest);
}

static void call_others(void)
{
	int i;

	for (i = 1; i < COPIES; i++)
		call_deeper(copies[i], leaf_all_verified, 64);
}

/* All on one stack; then one that stays there while others come and go. */
static void test_many_modules(void)
{
	char where[] = "/tmp/unwind-modules-XXXXXX";
	void *handles[COPIES] = {NULL};
	int i, opened = 0;

	if (!EXPECT(mkdtemp(where) != NULL))
		return;
	for (i = 0; i < COPIES; i++) {
		copies[i] = copy_open(where, i, &handles[i]);
		opened += copies[i] != NULL;
	}
	if (EXPECT(opened == COPIES)) {
		nested = 0;
		nest();
		copies[0](call_others);
	}
	for (i = 0; i < COPIES; i++) {
		if (handles[i])
			dlclose(handles[i]);
	}
	rmdir(where);
}

/* --------------------------------------------------------------------------------------------- */

static call_fn call_other;
static void (*leaf_of_other)(void);

static NOINLINE void leaf_far_below(void)
{
	char array[512];

	USE(array);
	leaf_all_verified();
	USE(array);
}

static void leaf_by_other(void)
{
	call_other(leaf_of_other);
}

/*
 * Frames of modules that are the same, and behind them one that is found by a frame pointer, which
 * differs. It is read from another place each time, and where it was before it still is.
 */
static void test_frame_pointer_beyond(void)
{
	size_t bytes;
	void *one, *two;
	call_fn call = plugin_open("libplugin-24.so", &one);

	call_other = plugin_open("libplugin-56.so", &two);
	if (!EXPECT(call && call_other))
		return;
	for (bytes = 512; bytes > 16; bytes -= 16) {
		leaf_of_other = leaf_all_verified;
		call_with_array(call, leaf_by_other, 512);
		leaf_of_other = leaf_far_below;
		call_deeper(call, leaf_by_other, bytes);
	}
	dlclose(one);
	dlclose(two);
}

/*
 * A stack that differs only in which module is at an address: the words it was found by are all
 * there, in memory that nobody has written since.
 */
static uintptr_t level_words[160], *level_at;
static int level_depth;

static NOINLINE void leaf_level(void)
{
	uintptr_t *sp = __builtin_frame_address(0);

	check_here(ORACLE_FRAMES);
	if (!level_at)
		memcpy(level_words, sp, sizeof(level_words));
	level_at = sp;
}

static NOINLINE void leaf_deeper(void)
{
	if (level_depth-- > 0)
		leaf_deeper();
	else
		leaf_level();
	USE(level_depth);
}

static NOINLINE void write_level(void)
{
	volatile uintptr_t *at = level_at;
	uintptr_t *frame = __builtin_frame_address(0);
	size_t i;

	for (i = 0; i < 160 && at + i < frame - 32; i++)
		at[i] = level_words[i];
}

/* Of the same shape, so that only the module tells whose frame a word belongs to. */
static NOINLINE void call_with_array_too(call_fn call, void (*callee)(void), size_t bytes)
{
	char *array = __builtin_alloca(bytes);

	USE(array);
	call(callee);
	__asm__ volatile("# so that it is not merged with the other");
	USE(array);
}

/* True if the module is where the one before was. */
static NOINLINE bool call_level(bool other, size_t bytes)
{
	void (*volatile by)(call_fn call, void (*callee)(void), size_t bytes);
	static call_fn before;
	void *handle;
	call_fn call = plugin_open(other ? "libplugin-56.so" : "libplugin-24.so", &handle);
	bool same = call == before;

	if (!EXPECT(call))
		return false;
	before = call;
	if (!same)
		level_at = NULL;
	if (level_at)
		write_level();
	by = other ? call_with_array_too : call_with_array;
	by(call, leaf_deeper, bytes);
	dlclose(handle);
	return same;
}

static void test_same_words(void)
{
	int i, same = 0;

	/* in the innermost frames, and further out */
	for (i = 0; i < 20; i++) {
		if (i == 10)
			level_at = NULL;
		level_depth = i < 10 ? 0 : 12;
		same += call_level(i % 2, i % 2 ? 4096 : 4128);
	}
	EXPECT(same > 10);
}

static void test_same_address(void)
{
	alternate("libplugin-24.so", "libplugin-56.so");
}

static void test_same_address_without_build_id(void)
{
	alternate("libplugin-24n.so", "libplugin-56n.so");
}

static void test_many_loads(void)
{
	int i;

	for (i = 0; i < 1500; i++)
		use_plugin(i % 2 ? "libplugin-24.so" : "libplugin-56.so");
}

/* Each load is a new module to us if the loader gives it another place. */
static void test_many_places(void)
{
	void *held[300];
	int i;

	for (i = 0; i < 300; i++) {
		held[i] = mmap(NULL, 16384, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		use_plugin("libplugin-24.so");
		use_plugin("libplugin-56.so");
	}
	for (i = 0; i < 300; i++)
		munmap(held[i], 16384);
}

/* --- the C library's own modules ------------------------------------------------------------- */

static int armed;

#ifndef __SANITIZE_ADDRESS__ /* which brings a malloc() of its own */
void *__libc_malloc(size_t bytes);

/* As a recorder would: also when libc allocates for its own purposes. */
__attribute__((visibility("default"))) void *malloc(size_t bytes)
{
	if (armed == 1) {
		armed = 2;
		check_here(ORACLE_FRAMES);
		armed = 1;
	}
	return __libc_malloc(bytes);
}
#endif

static void test_libc_internal(void)
{
	static const char *const names[] = {"EUC-JP", "KOI8-R", "GBK", "SHIFT_JIS", "ISO-8859-7"};
	unsigned int i, walks = check_total, opened = 0;

	armed = 1;
	for (i = 0; i < 60; i++) {
		iconv_t converter = iconv_open("UTF-16", names[i % 5]);
		char in[] = "text", out[64], *from = in, *to = out;
		size_t in_bytes = 4, out_bytes = sizeof(out);

		if (converter == (iconv_t)-1)
			continue;
		opened++;
		iconv(converter, &from, &in_bytes, &to, &out_bytes);
		iconv_close(converter);
	}
	armed = 0;
#ifndef __SANITIZE_ADDRESS__
	EXPECT(opened == 0 || check_total > walks);
#endif
	USE(walks);
}

/*
 * Modules of our own in libc's hands: it unloads one after several that were opened since, without
 * a word to anybody, and puts the next one in its place.
 */
#define PLACES 16

static call_fn places[PLACES];
static unsigned int place_frames[PLACES], gconv_frame, gconv_ran, taken_over;

__attribute__((visibility("default"))) void gconv_runs(call_fn call);

void gconv_runs(call_fn call)
{
	unsigned int i;

	for (i = 0; i < PLACES - 1 && places[i] && places[i] != call; i++)
		;
	taken_over += places[i] == call && place_frames[i] != gconv_frame;
	places[i] = call;
	place_frames[i] = gconv_frame;
	gconv_ran++;
	use(call);
	EXPECT(!check_last.flags); /* a full walk would not have believed what is stale */
}

static void test_libc_internal_same_address(void)
{
	static const char *const names[] = {"FRAME-24-1", "FRAME-56-1", "FRAME-56-2", "FRAME-24-2"};
	unsigned int i, j;

	for (i = 0; i < 40; i++) {
		gconv_frame = names[i % 4][6] == '2' ? 24 : 56;
		/* each close counts for those that are not in use; the third unloads them */
		for (j = 0; j < 4; j++) {
			iconv_t converter = iconv_open("UTF-8", names[i % 4]);

			if (EXPECT(converter != (iconv_t)-1))
				iconv_close(converter);
			leaf();
		}
	}
	EXPECT(gconv_ran >= 40);
#if defined(__x86_64__)		/* qemu gives each mapping a new address */
	EXPECT(taken_over > 5); /* else nothing was shown */
#endif
}

/* --- JITs ------------------------------------------------------------------------------------ */

#define CODE_OFFSET 256
#define FUNCTION_BYTES 16
#define POINTER_ENCODING 12 /* in the bytes of the common entry below */

static bool emit_relative; /* the code's address is written as its distance from there */

/* As plugin_call(), made by hand, with its table, into @memory. */
static void emit(uint8_t *memory, uint8_t frame)
{
	uint64_t range = FUNCTION_BYTES, code = (uint64_t)(uintptr_t)(memory + CODE_OFFSET);
	uint8_t *at = memory;
	uint32_t word;

	memset(memory, 0, CODE_OFFSET);
#if defined(__x86_64__)
	static const uint8_t common[] = {0,  0, 0, 0,	 1, 'z', 'R',  0, 1, 0x78,
					 16, 1, 0, 0x0c, 7, 8,	 0x90, 1, 0, 0};
	const uint8_t program[] = {0, 0x44, 0x0e, (uint8_t)(frame + 8), 0, 0, 0, 0};
	const uint8_t text[] = {0x48, 0x83, 0xec, frame, 0xff, 0xd7, 0x48, 0x83, 0xc4, frame, 0xc3};
#else
	static const uint8_t common[] = {0,  0, 0, 0,	 1,  'z', 'R', 0, 1, 0x78,
					 30, 1, 0, 0x0c, 31, 0,	  0,   0, 0, 0};
	const uint8_t slots = (uint8_t)((frame + 8) / 8);
	const uint8_t program[] = {0,	      0x44,  0x0e,	(uint8_t)(frame + 8),
				   0x80 | 29, slots, 0x80 | 30, (uint8_t)(slots - 1)};
	const uint32_t text[] = {
		0xa9800000u | (-(uint32_t)slots & 0x7f) << 15 | 30 << 10 | 31 << 5 | 29,
		0xd63f0000u,
		0xa8c00000u | (uint32_t)slots << 15 | 30 << 10 | 31 << 5 | 29,
		0xd65f03c0u,
	};
#endif
	word = sizeof(common);
	memcpy(at, &word, 4);
	memcpy(at + 4, common, sizeof(common));
	if (emit_relative) {
		at[4 + POINTER_ENCODING] = PE_PC_RELATIVE;
		code -= (uint64_t)(uintptr_t)(at + 4 + sizeof(common) + 8);
	}
	at += 4 + sizeof(common);
	word = 4 + 16 + sizeof(program);
	memcpy(at, &word, 4);
	word = (uint32_t)(at + 4 - memory);
	memcpy(at + 4, &word, 4);
	memcpy(at + 8, &code, 8);
	memcpy(at + 16, &range, 8);
	memcpy(at + 24, program, sizeof(program));
	memcpy(memory + CODE_OFFSET, text, sizeof(text));
	__builtin___clear_cache((char *)memory, (char *)memory + 4096);
}

/* By tables, to the outermost frame: nothing guessed. */
static bool jit_is_walked(void)
{
	return !(check_last.flags & STACKDEPOT_UNWIND_LOST) && check_last.certain == check_last.nr;
}

static void jit_use(uint8_t *memory, uint8_t frame, bool registered)
{
	emit(memory, frame);
	if (registered) {
		__register_frame(memory);
		EXPECT(stackdepot_unwind_register(memory) >= 0);
	}
	((call_fn)(uintptr_t)(memory + CODE_OFFSET))(leaf);
	EXPECT(jit_is_walked() == registered);
	use((call_fn)(uintptr_t)(memory + CODE_OFFSET));
	if (registered) {
		__deregister_frame(memory);
		EXPECT(stackdepot_unwind_deregister(memory) == 0);
		EXPECT(stackdepot_unwind_deregister(memory) == -ENOENT);
	}
	((call_fn)(uintptr_t)(memory + CODE_OFFSET))(leaf);
	EXPECT(!jit_is_walked());
}

static uint8_t *jit_memory(size_t bytes)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
}

static void test_jit(void)
{
	uint8_t *memory = jit_memory(4096);
	int i;

	jit_use(memory, 24, false);
	for (i = 0; i < 20; i++) {
		emit_relative = i % 2;
		jit_use(memory, 24, true);
		jit_use(memory, 56, true);
		jit_use(memory, 40, false);
	}
	munmap(memory, 4096);
}

static void test_jit_many(void)
{
	uint8_t *memory = jit_memory(1025 * 512);
	int i;

	for (i = 0; i < 1024; i++) {
		emit(memory + i * 512, 24);
		EXPECT(stackdepot_unwind_register(memory + i * 512) >= 0);
	}
	emit(memory + i * 512, 24);
	EXPECT(stackdepot_unwind_register(memory + i * 512) == -ENOSPC);
	for (i = 0; i < 1024; i++)
		EXPECT(stackdepot_unwind_deregister(memory + i * 512) == 0);
	munmap(memory, 1025 * 512);
}

static void test_jit_nothing_to_register(void)
{
	static const uint32_t empty[4];

	EXPECT(stackdepot_unwind_register(empty) == -EINVAL);
}

#if defined(__x86_64__)
/* Others walk through registered code while one registers, deregisters and unmaps. */
static volatile bool stop;

static void *walk_all_the_time(void *argument)
{
	uint8_t *memory = jit_memory(4096);

	emit(memory, 24);
	stackdepot_unwind_register(memory);
	while (!stop) {
		struct stackdepot_unwind_start start = {(uintptr_t)memory + CODE_OFFSET + 6,
							(uintptr_t)&start, 0, 0};
		struct stackdepot_unwind_trace trace;
		uintptr_t buffer[16];

		stackdepot_unwind(NULL, &start, buffer, 16, &trace);
		start.pc = *(volatile uintptr_t *)argument;
		stackdepot_unwind(NULL, &start, buffer, 16, &trace);
	}
	stackdepot_unwind_deregister(memory);
	return NULL;
}

static void test_jit_race(void)
{
	volatile uintptr_t target = 0;
	pthread_t threads[2];
	int i;

	stop = false;
	for (i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, walk_all_the_time, (void *)&target);
	for (i = 0; i < 3000; i++) {
		uint8_t *memory = jit_memory(4096);

		emit(memory, i % 2 ? 24 : 56);
		stackdepot_unwind_register(memory);
		target = (uintptr_t)memory + CODE_OFFSET + 6;
		if (i % 16 == 0)
			usleep(10);
		stackdepot_unwind_deregister(memory);
		munmap(memory, 4096);
	}
	stop = true;
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

/*
 * Who reads a section may never come to its end: in a handler that waits for this thread, or left
 * behind by fork(). It is taken back all the same, and what was read stays as it was.
 */
static void test_jit_deregistration_does_not_wait(void)
{
	uint8_t *memory = jit_memory(4096), *other = jit_memory(4096);
	struct unwind_module module, next;
	struct unwind_entry entry;
	uintptr_t code = (uintptr_t)memory + CODE_OFFSET;

	emit(memory, 24);
	emit(other, 24);
	EXPECT(stackdepot_unwind_register(memory) >= 0);
	if (!EXPECT(unwind_registered_find(code, &module)) ||
	    !EXPECT(unwind_registered_pin(module.slot, module.id)))
		return;
	EXPECT(stackdepot_unwind_deregister(memory) == 0);
	EXPECT(!unwind_registered_find(code, &next));
	munmap(memory, 4096);
	EXPECT(stackdepot_unwind_register(other) >= 0);
	EXPECT(unwind_registered_find((uintptr_t)other + CODE_OFFSET, &next));
	EXPECT(next.slot != module.slot);
	EXPECT(unwind_table_scan(&module.bytes, module.bytes.start, code, &entry) == 0 &&
	       entry.pc_start == code);
	EXPECT(stackdepot_unwind_deregister(other) == 0);
	unwind_registered_unpin(module.slot);
	EXPECT(stackdepot_unwind_register(other) == 0);
	EXPECT(unwind_registered_find((uintptr_t)other + CODE_OFFSET, &next));
	EXPECT(next.slot == module.slot);
	EXPECT(stackdepot_unwind_deregister(other) == 0);
	munmap(other, 4096);
}
#endif

#if defined(__x86_64__)
static unsigned int changes = 1;

static void change(void)
{
	changes++;
}

/* What the loader calls does nothing, and has room for a jump up to what follows it. */
static void watch_loader(void)
{
	static const uint8_t jump[] = {0xff, 0x25, 0, 0, 0, 0}; /* jmp *(%rip) */
	void (*const target)(void) = change;
	uint8_t *function = (uint8_t *)(uintptr_t)_r_debug.r_brk;
	uint8_t *page = (uint8_t *)((uintptr_t)function & ~(uintptr_t)4095);

	if (!EXPECT(!mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC)))
		return;
	memcpy(function, jump, sizeof(jump));
	memcpy(function + sizeof(jump), &target, sizeof(target));
	EXPECT(!mprotect(page, 4096, PROT_READ | PROT_EXEC));
	stackdepot_unwind_changes_by(&changes);
}
#endif

int main(int argc, char **argv)
{
	directory = argc > 1 ? argv[1] : ".";
#if defined(__x86_64__)
	if (argc > 2)
		watch_loader();
#endif
	setenv("GCONV_PATH", directory, 1);
	check_here(ORACLE_FRAMES);
	RUN(test_same_words);
	RUN(test_same_address);
	RUN(test_same_address_without_build_id);
#if defined(__x86_64__)
	RUN(test_kept_across_loads);
#endif
	RUN(test_verified);
	RUN(test_many_modules);
	RUN(test_frame_pointer_beyond);
	RUN(test_libc_internal);
	RUN(test_libc_internal_same_address);
	RUN(test_jit);
	RUN(test_jit_many);
	RUN(test_jit_nothing_to_register);
#if defined(__x86_64__) /* dynamically linked threads hang in qemu-user 7.2 */
	RUN(test_jit_race);
	RUN(test_jit_deregistration_does_not_wait);
#endif
	RUN(test_many_loads);
	RUN(test_many_places);
	RUN(test_same_words);
	RUN(test_same_address);
#if defined(__x86_64__)
	EXPECT(argc <= 2 || changes > 1000);
#endif
	return run_result();
}
