/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * accesses.c - each access to the store is a point of the explorer.
 *
 * The store and the recorder are compiled for ThreadSanitizer: the compiler calls a function in
 * front of each access to memory, and one in place of each atomic. Those here offer the access to
 * the explorer, if it is one to the store, and make it.
 *
 * A structure that is copied is one access; memset() and the like are two, with a death between.
 */
#define STAND_IN_ITSELF
#include "stand_in.h"

#include "host.h"
#include "run.h"

#pragma GCC diagnostic ignored "-Wmissing-prototypes" /* the compiler knows them */

static void access_at(const volatile void *address, size_t bytes, bool write)
{
	uintptr_t word = (uintptr_t)address & ~(uintptr_t)7;
	const uintptr_t end = (uintptr_t)address + bytes;

	if (!port_test_hook || (uintptr_t)address < (uintptr_t)run_memory ||
	    (uintptr_t)address >= (uintptr_t)run_memory + run_bytes)
		return;
	for (; word < end; word += 8)
		port_test_point((const void *)word, write);
}

#define PLAIN(name, bytes)                        \
	void __tsan_read##name(void *address)     \
	{                                         \
		access_at(address, bytes, false); \
	}                                         \
	void __tsan_write##name(void *address)    \
	{                                         \
		access_at(address, bytes, true);  \
	}

PLAIN(1, 1)
PLAIN(2, 2)
PLAIN(4, 4)
PLAIN(8, 8)
PLAIN(16, 16)

void __tsan_read_range(void *address, size_t bytes)
{
	access_at(address, bytes, false);
}

void __tsan_write_range(void *address, size_t bytes)
{
	access_at(address, bytes, true);
}

void __tsan_init(void)
{
}

void __tsan_func_entry(void *caller)
{
	(void)caller;
}

void __tsan_func_exit(void)
{
}

void __tsan_atomic_signal_fence(int order)
{
	(void)order;
}

void __tsan_atomic_thread_fence(int order)
{
	(void)order;
}

#define MODIFY(bits, name, operator)                                                             \
	u##bits __tsan_atomic##bits##_fetch_##name(volatile u##bits *word, u##bits value, int o) \
	{                                                                                        \
		u##bits before;                                                                  \
                                                                                                 \
		(void)o;                                                                         \
		access_at(word, sizeof(*word), true);                                            \
		before = *word;                                                                  \
		*word = (u##bits)(before operator value);                                        \
		return before;                                                                   \
	}

#define ATOMIC(bits)                                                                              \
	u##bits __tsan_atomic##bits##_load(const volatile u##bits *word, int o)                   \
	{                                                                                         \
		(void)o;                                                                          \
		access_at(word, sizeof(*word), false);                                            \
		return *word;                                                                     \
	}                                                                                         \
	void __tsan_atomic##bits##_store(volatile u##bits *word, u##bits value, int o)            \
	{                                                                                         \
		(void)o;                                                                          \
		access_at(word, sizeof(*word), true);                                             \
		*word = value;                                                                    \
	}                                                                                         \
	u##bits __tsan_atomic##bits##_exchange(volatile u##bits *word, u##bits value, int o)      \
	{                                                                                         \
		u##bits before;                                                                   \
                                                                                                  \
		(void)o;                                                                          \
		access_at(word, sizeof(*word), true);                                             \
		before = *word;                                                                   \
		*word = value;                                                                    \
		return before;                                                                    \
	}                                                                                         \
	int __tsan_atomic##bits##_compare_exchange_strong(volatile u##bits *word, u##bits *value, \
							  u##bits desired, int o, int p)          \
	{                                                                                         \
		(void)o;                                                                          \
		(void)p;                                                                          \
		access_at(word, sizeof(*word), true);                                             \
		if (*word != *value) {                                                            \
			*value = *word;                                                           \
			return 0;                                                                 \
		}                                                                                 \
		*word = desired;                                                                  \
		return 1;                                                                         \
	}                                                                                         \
	u##bits __tsan_atomic##bits##_compare_exchange_val(volatile u##bits *word, u##bits value, \
							   u##bits desired, int o, int p)         \
	{                                                                                         \
		(void)__tsan_atomic##bits##_compare_exchange_strong(word, &value, desired, o, p); \
		return value;                                                                     \
	}                                                                                         \
	MODIFY(bits, add, +)                                                                      \
	MODIFY(bits, sub, -)                                                                      \
	MODIFY(bits, or, |)                                                                       \
	MODIFY(bits, and, &)

ATOMIC(8)
ATOMIC(16)
ATOMIC(32)
ATOMIC(64)

/* --- what is copied by a function ------------------------------------------------------------- */

void *run_memset(void *to, int value, size_t bytes)
{
	const size_t half = bytes / 2;

	access_at(to, half, true);
	memset(to, value, half);
	access_at((char *)to + half, bytes - half, true);
	memset((char *)to + half, value, bytes - half);
	return to;
}

void *run_memcpy(void *to, const void *from, size_t bytes)
{
	const size_t half = bytes / 2;

	access_at(from, bytes, false);
	access_at(to, half, true);
	memcpy(to, from, half);
	access_at((char *)to + half, bytes - half, true);
	memcpy((char *)to + half, (const char *)from + half, bytes - half);
	return to;
}

void *run_memmove(void *to, const void *from, size_t bytes)
{
	access_at(from, bytes, false);
	access_at(to, bytes, true);
	return memmove(to, from, bytes);
}
